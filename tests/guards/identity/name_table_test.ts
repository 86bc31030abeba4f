import {
  findNonAscii,
  listAsciiLookalikes,
  NameTable,
} from "../../../src/guards/identity/name_table.ts";
import { assert, assertEquals } from "../../assert.ts";

const SPELLINGS: readonly (readonly [letters: string, lengths: readonly number[]])[] = [
  ["ab", [2]],
  ["rab", [3]],
  ["nr", [2]],
  ["rna", [3, 2]],
  ["arn", [3, 2]],
  ["rnrn", [4, 3, 3, 2]],
  ["\u00e9", []],
];

for (const [letters, lengths] of SPELLINGS) {
  Deno.test(`listAsciiLookalikes() spells "${letters}" in ${lengths.length} ways`, () => {
    assertEquals(listAsciiLookalikes(letters).map(({ length }) => length), [...lengths]);
  });
}

Deno.test("listAsciiLookalikes() spells the first six pairs in two ways each, and no others", () => {
  assertEquals(listAsciiLookalikes("rn".repeat(6)).length, 64);
  assertEquals(listAsciiLookalikes("rn".repeat(7)).length, 64);
});

Deno.test(
  "findNonAscii() finds the first byte that is no ASCII, at any place and alignment",
  { permissions: "none" },
  () => {
    const buffer = new Uint8Array(160);
    for (let offset = 0; offset < 5; offset++) {
      const bytes = buffer.subarray(offset, offset + 150);
      for (let from = 0; from < 8; from++) {
        assertEquals(findNonAscii(bytes, from), 150);
        for (let at = from; at < 150; at++) {
          bytes[at] = 0x80;
          assertEquals(findNonAscii(bytes, from), at);
          bytes[at] = 0;
        }
      }
    }
  },
);

const encoder = new TextEncoder();

const SPELT: readonly (readonly [names: readonly string[], text: string, found: number])[] = [
  [["kprovengine"], "see kpr0vengine", 4],
  [["kprovengine"], "kprovengine KPROVENGINE kprovengine", 35],
  [["azure-zab"], "AZURE-ZAB Azure-Zab", 19],
  [["azure-zab"], "see aZure-2ab", 13],
  [["carnform", "camform-x"], "a camform b", 2],
  [["azure-zab", "azure"], "azure-zab azure; end", 20],
  [["acme-tools", "tools"], "see the tools, acme-tools, acrne-tools", 33],
  // What the end or the start cuts off may be either.
  [["kprovengine"], "see kprov", 4],
  [["kprovengine"], "see kpr", 4],
  [["kprovengine"], "see kprxv", 9],
  [["acme-tools", "tools"], "t00ls", 0],
  [["acme-tools", "tools"], "tools", 0],
  [["acme-tools", "tools"], "x-tools; x-tools", 16],
];

for (const [names, text, found] of SPELT) {
  Deno.test(`NameTable.findSpelling() finds ${JSON.stringify(names)} in "${text}" from ${found} on`, () => {
    const table = new NameTable(names);
    assertEquals(table.findSpelling(encoder.encode(text), 0), found);
  });
}

Deno.test("NameTable spells names of five letters, none that holds another", () => {
  const lengths = (names: readonly string[]): readonly number[] =>
    new NameTable(names).spellings.map(({ length }) => length);
  assertEquals(lengths(["tool"]), []);
  assertEquals(lengths(["tools"]), [5]);
  assertEquals(lengths(["acme-tools", "tools"]), [5]);
  assertEquals(lengths(["acme-tools", "tooth"]), [11, 10, 5]);
});

Deno.test("NameTable.mayMisspellAt() looks at no place but where a name may begin", () => {
  const table = new NameTable(["kprovengine"]);
  const bytes = encoder.encode("kpr0vengine kprovengine");
  assertEquals([...bytes.keys()].filter((place) => table.mayMisspellAt(bytes, place)), [0]);
});

const SUSPICIOUS: readonly (readonly [
  what: string,
  bytes: string | readonly number[],
  isSuspicious: boolean,
])[] = [
  ["a letter of Latin-1 that looks like another", "\u00ba", true],
  ["a Cyrillic letter that looks like another", "\u043e", true],
  ["a Cyrillic letter that looks like none", "\u0436", false],
  ["the digit of a script whose bytes begin with the first lead of three", "\u0966", true],
  ["a fullwidth letter", "\uff4b", true],
  ["a Chinese character", "\u6f22", false],
  ["a mathematical letter", "\u{1d424}", true],
  ["an emoji", "\u{1f600}", false],
  ["a mark", "\u0301", true],
  ["a letter with a mark of everyday spelling", "\u00e9", false],
  ["a letter with a rare mark", "\u1e47", true],
  ["a letter that the end cuts off", [0xd0], true],
  ["a letter that another one cuts off", [0xd0, 0x6f], false],
  ["a letter that a lead cuts off", [0xe0, 0xa5, 0xd0], false],
  ["a byte that goes on", [0xbe], false],
  ["a letter written too long", [0xc1, 0xaf], false],
  ["a lead behind the last", [0xf5, 0x80, 0x80, 0x80], false],
  ["a code point behind the last", [0xf4, 0x90, 0x80, 0x80], false],
];

for (const [what, content, isSuspicious] of SUSPICIOUS) {
  Deno.test(`NameTable.isSuspiciousAt() says ${isSuspicious} of ${what}`, () => {
    const table = new NameTable(["kprovengine"]);
    const bytes = typeof content === "string" ? encoder.encode(content) : Uint8Array.from(content);
    // The second time from memory.
    for (let time = 0; time < 2; time++) {
      assertEquals(table.isSuspiciousAt(bytes, 0), isSuspicious);
      const found = table.findSuspicious(Uint8Array.of(0x20, ...bytes), 1);
      assertEquals(found === 1, isSuspicious);
    }
  });
}

Deno.test("NameTable.findSuspicious() gives the length where there is nothing", () => {
  const table = new NameTable(["kprovengine"]);
  for (const text of ["", "text", "\u0436\u0436", "\u{1f600}"]) {
    const bytes = encoder.encode(text);
    assertEquals(table.findSuspicious(bytes, 0), bytes.length);
  }
});

Deno.test("NameTable suspects letters with marks where a name has some", () => {
  const acute = encoder.encode("\u00e9");
  assertEquals(new NameTable(["s\u00e9cret"]).isSuspiciousAt(acute, 0), true);
  assertEquals(new NameTable(["secret", "m\u00fcller"]).isSuspiciousAt(acute, 0), true);
  assertEquals(new NameTable(["secret", "muller"]).isSuspiciousAt(acute, 0), false);
});

Deno.test("NameTable.fold() tells what a character looks like, and remembers it", () => {
  const table = new NameTable(["kprovengine"]);
  const k = 0x6b, p = 0x70;
  assertEquals(table.fold(0x43a), { letters: [k], isWord: true, mayBegin: true });
  assertEquals(table.fold(0x1d429), { letters: [p], isWord: true, mayBegin: false });
  assertEquals(table.fold(0x301), { letters: [], isWord: true, mayBegin: false });
  assertEquals(table.fold(0), { letters: [0], isWord: false, mayBegin: false });
  for (const codePoint of [k, 0x43a, 0x1d429]) {
    assert(table.fold(codePoint) === table.fold(codePoint));
  }
});
