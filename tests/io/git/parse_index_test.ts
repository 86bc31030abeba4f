import { KprovError } from "../../../src/base/error.ts";
import { parseEntries } from "../../../src/io/git/index_entries.ts";
import { checkEntries, parseIndex } from "../../../src/io/git/index_file.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { buildIndex, encodeText, type EntryDraft, type IndexDraft } from "./build_index.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function parse(draft: IndexDraft): string[] {
  const { entries } = parseIndex(buildIndex(draft), "sha1");
  checkEntries(entries);
  return entries.map(({ path }) => path);
}

Deno.test("parseIndex() reads an index made by hand", PURE, () => {
  const entries: EntryDraft[] = [
    { path: "a", stage: 1 },
    { path: "a", stage: 3 },
    { path: "b", mode: 0o120000 },
    { path: "b.c", extended: 0x6000 },
    { path: "n".repeat(4095) },
    { path: "n".repeat(5000), mode: 0o160000 },
  ];
  const paths = entries.map(({ path }) => path as string);
  assertEquals(parse({ version: 3, entries, extensions: [["ABCD", encodeText("x")]] }), paths);
});

const BAD: readonly (readonly [what: string, draft: IndexDraft, reason: string])[] = [
  ["version 1", { version: 1 }, "its version 1 is not known"],
  ["version 5", { version: 5 }, "its version 5 is not known"],
  ["more entries than fit", { count: 0xffffffff }, "it is too short for 4294967295 entries"],
  ["a required extension", { extensions: [["abcd", new Uint8Array()]] }, '"abcd" is not known'],
  ["an extension twice", {
    extensions: [["TREE", new Uint8Array()], ["TREE", new Uint8Array()]],
  }, '"TREE" stands twice'],
  ["bytes behind the entries", { extensions: [["", new Uint8Array(3)]] }, "middle of an extension"],
];

for (const [what, draft, reason] of BAD) {
  Deno.test(`parseIndex() refuses ${what}`, PURE, () => {
    const error = assertThrows(() => parse(draft), KprovError, reason);
    assertEquals(error.code, "data");
  });
}

const BAD_ENTRIES: readonly (readonly [what: string, entries: EntryDraft[], reason: string])[] = [
  ["an empty path", [{ path: "" }], "it holds an empty path"],
  ["an absolute path", [{ path: "/a" }], 'the path "/a" has an empty part'],
  ["a path with / at its end", [{ path: "a/" }], "has an empty part"],
  ["a path with //", [{ path: "a//b" }], "has an empty part"],
  ["a part .", [{ path: "a/./b" }], 'has a part "."'],
  ["a part ..", [{ path: "../a" }], 'has a part ".."'],
  ["a part .git", [{ path: "a/.git/config" }], 'has a part ".git"'],
  ["a part .GIT", [{ path: ".GIT" }], 'has a part ".GIT"'],
  ["a path with NUL", [{ path: "a\0b" }], 'the path "a\\u0000b" holds a NUL'],
  [
    "a path that is not UTF-8",
    [{ path: Uint8Array.of(0x61, 0xff, 0x22) }],
    'the path "a\\xff\\x22" is not valid UTF-8',
  ],
  ["an overlong form", [{ path: Uint8Array.of(0xc0, 0xaf) }], '"\\xc0\\xaf" is not valid UTF-8'],
  ["a surrogate", [{ path: Uint8Array.of(0xed, 0xa0, 0x80) }], "is not valid UTF-8"],
  ["a mode of 0", [{ path: "a", mode: 0 }], 'the path "a" has a mode that is not known'],
  ["a group-writable file", [{ path: "a", mode: 0o100664 }], "a mode that is not known"],
  ["a directory", [{ path: "a/", mode: 0o40000 }], "a mode that is not known"],
  ["paths out of order", [{ path: "b" }, { path: "a" }], 'the path "a" is out of order'],
  ["paths in UTF-16 order", [{ path: "\u{1F600}" }, { path: "\uFF5E" }], "is out of order"],
  ["a path twice", [{ path: "a" }, { path: "a" }], "has stages that exclude each other"],
  ["a stage twice", [{ path: "a", stage: 2 }, { path: "a", stage: 2 }], "has stages that exclude"],
  ["stages backwards", [{ path: "a", stage: 3 }, { path: "a", stage: 2 }], "has stages that"],
  ["merged and in conflict", [{ path: "a" }, { path: "a", stage: 2 }], "has stages that exclude"],
  ["a reserved flag", [{ path: "a", extended: 0x8000 }], "flags that are not known"],
  ["an unused flag", [{ path: "a", extended: 0x0001 }], "flags that are not known"],
];

for (const [what, entries, reason] of BAD_ENTRIES) {
  Deno.test(`parseIndex() and checkEntries() refuse ${what}`, PURE, () => {
    assertThrows(() => parse({ version: 3, entries }), KprovError, reason);
  });
}

Deno.test("parseIndex() refuses extended flags in version 2", PURE, () => {
  const entries = [{ path: "a", extended: 0x2000 }];
  assertThrows(() => parse({ version: 2, entries }), KprovError, "version 2 does not know");
  assertEquals(parse({ version: 3, entries }), ["a"]);
});

Deno.test(
  "checkEntries() names a collapsed directory of a sparse index and the way out",
  PURE,
  () => {
    const entries = [{ path: "lib/", mode: 0o40000, extended: 0x4000 }];
    const draft = { version: 3, entries, extensions: [["sdir", new Uint8Array()]] as const };
    assertThrows(() => parse(draft), KprovError, 'collapsed directories, such as "lib/"; git');
  },
);

Deno.test("parseIndex() refuses padding that is not zero", PURE, () => {
  const bytes = buildIndex({ entries: [{ path: "a" }] });
  bytes[12 + 63] = 1;
  bytes.fill(0, bytes.length - 20);
  assertThrows(() => parseIndex(bytes, "sha1"), KprovError, "padding of an entry is not zero");
});

Deno.test("parseIndex() verifies the checksum, but for one of zeros", PURE, () => {
  const bytes = buildIndex({ entries: [{ path: "a" }] });
  bytes[20] = 1;
  assertThrows(() => parseIndex(bytes, "sha1"), KprovError, "its checksum is wrong");
  bytes.fill(0, bytes.length - 20);
  assertEquals(parseIndex(bytes, "sha1").entries.length, 1);
});

/** An entry of version 4. */
function encodeShared(length: number, dropped: readonly number[], rest: string): number[] {
  const head = new Uint8Array(62);
  const view = new DataView(head.buffer);
  view.setUint32(24, 0o100644);
  view.setUint16(60, Math.min(length, 0xfff));
  return [...head, ...dropped, ...encodeText(rest), 0];
}

function parseShared(entries: readonly number[][], maxPathBytes: number): string[] {
  const bytes = Uint8Array.from(entries.flat());
  const layout = { count: entries.length, start: 0, limit: bytes.length, hashLength: 20 };
  return parseEntries(bytes, { ...layout, version: 4, maxPathBytes }).entries
    .map(({ path }) => path);
}

Deno.test("parseEntries() reads git's offset encoding, which is not LEB128", PURE, () => {
  const long = "n".repeat(20_000);
  for (
    const [dropped, bytes] of [[127, [0x7f]], [128, [0x80, 0x00]], [300, [0x81, 0x2c]], [
      16_511,
      [0xff, 0x7f],
    ], [16_512, [0x80, 0x80, 0x00]]] as const
  ) {
    const kept = long.slice(dropped) + "o";
    const entries = [
      encodeShared(long.length, [0], long),
      encodeShared(kept.length, [...bytes], "o"),
    ];
    assertEquals(parseShared(entries, 2 ** 20), [long, kept]);
  }
});

Deno.test("parseEntries() refuses to drop more than there is", PURE, () => {
  for (const dropped of [[2], [0x80, 0], [...Array(30).fill(0xff), 0]]) {
    const entries = [encodeShared(1, [0], "a"), encodeShared(1, dropped, "b")];
    assertThrows(() => parseShared(entries, 100), KprovError, "drops more than");
  }
});

Deno.test("parseEntries() bounds what shared starts of paths can stand for", PURE, () => {
  const name = "n".repeat(100);
  const entries = [encodeShared(100, [0], name), encodeShared(101, [0], "a")];
  assertEquals(parseShared(entries, 201), [name, `${name}a`]);
  assertThrows(() => parseShared(entries, 200), KprovError, "paths are longer than 200 bytes");
});
