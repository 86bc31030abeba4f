import fc from "fast-check";
import { createContentScanner } from "../../../src/guards/identity/scanner.ts";
import type { IdentityPolicy } from "../../../src/guards/policy.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const IDENTITY: IdentityPolicy = {
  technical_name: "kprovengine",
  display_name: "KProvEngine",
  repository: "https://github.com/carcodez1/kprovengine",
  display_name_allowed: ["docs/**"],
  forbidden_tokens: ["carcodez1/KProvEngine", "sécret", "秘密", "tok"],
};

const encoder = new TextEncoder();

function scannerOf(identity: IdentityPolicy): ReturnType<typeof createContentScanner> {
  return createContentScanner({ schema: "kprovengine.policy.v1", identity });
}

const SCANNER = scannerOf(IDENTITY);

/** Each hit on one line: `forbidden_token 1:3 tok`. */
function scan(content: string | Uint8Array, path = "a.txt"): string[] {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return SCANNER.scan(path, bytes).map(({ code, line, column, text }) =>
    `${code.replace("identity.", "")} ${line}:${column} ${text}`
  );
}

function encodeUtf16(text: string, isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), isLittle);
  return bytes;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test(
  "createContentScanner() finds forbidden tokens and the display name by line and column",
  PURE,
  () => {
    assertEquals(scan("plain\n\u{1F600}é carcodez1/KProvEngine tok\r\ntok"), [
      "forbidden_token 2:5 carcodez1/KProvEngine",
      "display_name 2:15 KProvEngine",
      "forbidden_token 2:27 tok",
      "forbidden_token 3:1 tok",
    ]);
    assertEquals(scan("\ufeffsécret 秘密"), [
      "forbidden_token 1:1 sécret",
      "forbidden_token 1:8 秘密",
    ]);
  },
);

Deno.test(
  "createContentScanner() lets the display name stand where the policy allows it",
  PURE,
  () => {
    assertEquals(scan("KProvEngine", "docs/a.md"), []);
    assertEquals(scan("KProvEngine", "src/a.md"), ["display_name 1:1 KProvEngine"]);
    assertEquals(scan("KProvEngine tok", "docs/a.md"), ["forbidden_token 1:13 tok"]);
  },
);

Deno.test("createContentScanner() lets the names stand in whatever case", PURE, () => {
  assertEquals(
    scan("kprovengine KPROVENGINE Kprovengine KPROVENGINE_HOME carcodez1 CarCodez1"),
    [],
  );
});

Deno.test("createContentScanner() finds nothing without an identity section", PURE, () => {
  const scanner = createContentScanner({ schema: "kprovengine.policy.v1" });
  assertEquals(scanner.scan("a", encoder.encode("KProvEngine kprоvengine")), []);
});

Deno.test(
  "createContentScanner() finds texts in UTF-16 of both orders, with and without a mark",
  PURE,
  () => {
    const text = "one\r\ntwo tok sécret\n秘密 KProvEngine kprоvengine kpr0vengine\n";
    const expected = [
      "forbidden_token 2:5 tok",
      "forbidden_token 2:9 sécret",
      "forbidden_token 3:1 秘密",
      "display_name 3:4 KProvEngine",
      "lookalike 3:16 kprоvengine",
      "lookalike 3:28 kpr0vengine",
    ];
    for (const isLittle of [true, false]) {
      assertEquals(scan(encodeUtf16(text, isLittle)), expected);
      assertEquals(scan(encodeUtf16(`\ufeff${text}`, isLittle)), expected);
    }
  },
);

Deno.test(
  "createContentScanner() finds a look-alike whose bytes in UTF-16 are all ASCII",
  PURE,
  () => {
    for (const isLittle of [true, false]) {
      assertEquals(scan(encodeUtf16("a kprоvengine", isLittle)), ["lookalike 1:3 kprоvengine"]);
    }
  },
);

Deno.test("createContentScanner() finds texts in binary files", PURE, () => {
  const noise = new Uint8Array(1000).map((_, i) =>
    (i * 7 + 129) % 256 === 10 ? 0 : (i * 7 + 129) % 256
  );
  for (const isLittle of [true, false]) {
    const hits = SCANNER.scan(
      "a.bin",
      concat(noise, encodeUtf16("KProvEngine", isLittle), noise, encoder.encode("\u0000sécret")),
    );
    assertEquals(hits.map(({ text }) => text), ["KProvEngine", "sécret"]);
  }
});

Deno.test(
  "createContentScanner() looks for look-alikes in text, for tokens in everything",
  PURE,
  () => {
    const text = encoder.encode("kprоvengine kpr0vengine sécret");
    const zero = new Uint8Array(1);
    const codes = (bytes: Uint8Array): string[] =>
      SCANNER.scan("a", bytes).map(({ code }) => code.replace("identity.", ""));
    assertEquals(codes(text), ["lookalike", "lookalike", "forbidden_token"]);
    assertEquals(codes(concat(text, zero)), ["forbidden_token"]);
    // A zero byte behind the first 8,000 bytes makes no binary file of a text, as with git.
    const long = concat(encoder.encode(" ".repeat(8000)), zero);
    assertEquals(codes(concat(text, long)), ["lookalike", "lookalike", "forbidden_token"]);
    const wide = encodeUtf16("kprоvengine sécret", true);
    assertEquals(codes(wide), ["lookalike", "forbidden_token"]);
    assertEquals(codes(concat(wide, new Uint8Array(2))), ["forbidden_token"]);
  },
);

Deno.test("createContentScanner() finds no look-alike in random bytes", PURE, () => {
  const scanner = scannerOf({ technical_name: "etl", forbidden_tokens: ["Q7#x"] });
  let seed = 1;
  const noise = new Uint8Array(2 ** 22).map(() => {
    seed = Math.imul(seed, 1664525) + 1013904223 | 0;
    return seed >>> 24;
  });
  for (let at = 10_000; at < noise.length; at += 10_000) noise.set(encoder.encode("еtl"), at);
  assertEquals(scanner.scan("a", concat(noise, encoder.encode("Q7#x"))).map(({ text }) => text), [
    "Q7#x",
  ]);
});

Deno.test(
  "createContentScanner() lets a display name that is the technical name stand anywhere",
  PURE,
  () => {
    const scanner = scannerOf({ technical_name: "acme", display_name: "acme" });
    assertEquals(scanner.scan("a", encoder.encode("acme")), []);
  },
);

/** How many hits are listed, and how many the last stands for. */
function countHits(content: string, scanner = SCANNER): readonly [number, number | undefined] {
  const hits = scanner.scan("a", encoder.encode(content));
  return [hits.length, hits.at(-1)?.unlisted];
}

Deno.test(
  "createContentScanner() lists a hundred hits of one rule, and counts the rest",
  PURE,
  () => {
    assertEquals(countHits("tok ".repeat(100)), [100, undefined]);
    assertEquals(countHits("tok ".repeat(100_000)), [101, 99_900]);
    assertEquals(countHits("kprоvengine ".repeat(10_000)), [101, 9_900]);
    assertEquals(countHits("kpr0vengine ".repeat(101)), [101, 1]);
    const last = SCANNER.scan("a", encoder.encode(`${"tok\n".repeat(200)}`)).at(-1);
    assertEquals([last?.line, last?.column, last?.text, last?.unlisted], [101, 1, "tok", 100]);
  },
);

Deno.test(
  "createContentScanner() caps the hits of a rule, however many tokens it has",
  PURE,
  () => {
    const tokens = Array.from({ length: 3000 }, (_, i) => `${"a".repeat(i + 1)}b`);
    const scanner = scannerOf({ forbidden_tokens: tokens });
    assertEquals(countHits("a".repeat(3_000_000), scanner), [0, undefined]);
    assertEquals(countHits(`${"a".repeat(20)}b `.repeat(1000), scanner), [101, 995]);
    const same = scannerOf({ forbidden_tokens: tokens.map((token) => token.replace("b", "a")) });
    const [listed, unlisted = 0] = countHits("a".repeat(3_000_000), same);
    assertEquals(listed, 101);
    assert(unlisted > 900, `${unlisted}`);
  },
);

Deno.test("createContentScanner() finds the same around its look for a zero byte", PURE, () => {
  const content = concat(
    encoder.encode(`${" ".repeat(7990)}kprоvengine tok kpr\u200bovengine `),
    encoder.encode(`${"é".repeat(50)}\nsécret kprovenglne tok`),
  );
  const whole = SCANNER.scan("a", content);
  assertEquals(whole.length, 6);
  for (let cut = 7980; cut < content.length; cut++) {
    const file = SCANNER.scanFile("a");
    file.push(content.subarray(0, cut));
    file.push(content.subarray(cut, cut + 3));
    file.push(content.subarray(cut + 3));
    assertEquals(file.end(), whole, `${cut}`);
  }
});

const PIECES: readonly Uint8Array[] = [
  ...[
    "k",
    "kprov",
    "engine",
    "kprоvengine",
    "kprov\u200b\u200bengine",
    "𝐤𝐩𝐫𝐨𝐯𝐞𝐧𝐠𝐢𝐧𝐞",
    "kpr0vengine",
    "carcodez1/KProvEngine",
    "tok",
    "sécret",
    "秘密",
    "\n",
    "\r\n",
    " ",
    "é",
    "\u{1F600}",
    "plain ASCII text that goes on for a while ",
    "\u0000",
    "\ufeff",
  ].map((text) => encoder.encode(text)),
  encodeUtf16("carcodez1/KProvEngine", true),
  encodeUtf16("KProvEngine kprоvengine\n", true),
  encodeUtf16("KProvEngine kprоvengine\n", false),
  new Uint8Array([0xff, 0xfe]),
  new Uint8Array([0xf0, 0x9f]),
  new Uint8Array([0xc0, 0x80]),
];

Deno.test("createContentScanner() finds the same wherever the content is cut", PURE, () => {
  const content = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 })
    .map((parts) => concat(...parts));
  // Behind what is looked at before anything is told.
  const lead = fc.constantFrom(0, 7_990, 8_000);
  const sizes = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lead, content, sizes, (length, rest, cuts) => {
      const bytes = concat(encoder.encode(" ".repeat(length)), rest);
      const whole = SCANNER.scan("a", bytes);
      const file = SCANNER.scanFile("a");
      const buffer = new Uint8Array(12);
      let offset = length;
      file.push(bytes.subarray(0, length));
      for (let i = 0; offset < bytes.length; i++) {
        const size = Math.min((cuts[i % cuts.length] ?? 0) + (i % 2), bytes.length - offset);
        buffer.set(bytes.subarray(offset, offset + Math.min(size, 12)));
        file.push(buffer.subarray(0, Math.min(size, 12)));
        offset += Math.min(size, 12);
        // The caller may use its buffer again.
        buffer.fill(0x6b);
      }
      assertEquals(file.end(), whole);
    }),
    { numRuns: 1500 },
  );
});

Deno.test("createContentScanner() passes over nothing in a long text", PURE, () => {
  const line = "const value = await read(input, { limit: 10, order: compare });\n";
  const text = encoder.encode(line.repeat(1100));
  const piece = fc.constantFrom(...PIECES);
  // Around the borders of what is searched at once, and anywhere.
  const place = fc.oneof(
    fc.nat({ max: text.length - 100 }),
    fc.tuple(fc.constantFrom(16, 32, 32 * 1024, 64 * 1024), fc.integer({ min: -16, max: 16 }))
      .map(([border, offset]) => Math.max(0, border + offset)),
    fc.nat({ max: 40 }).map((back) => text.length - back),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, place), { maxLength: 3 }), (pieces) => {
      const bytes = text.slice();
      let length = bytes.length;
      for (const [piece, start] of pieces) {
        // What would be cut off ends the text.
        const from = Math.min(start, bytes.length - piece.length);
        bytes.set(piece, from);
        if (start > text.length - 40) length = Math.max(start, from + piece.length);
      }
      const content = bytes.subarray(0, length);
      // In pieces, nothing is passed over sixteen bytes at a time.
      const file = SCANNER.scanFile("a");
      file.push(content);
      assertEquals(SCANNER.scan("a", content), file.end());
    }),
    { numRuns: 500 },
  );
});

Deno.test(
  "createContentScanner() finds every token at the place where the text has it",
  PURE,
  () => {
    const word = fc.constantFrom(
      "tok",
      "a",
      "\n",
      "é",
      "\u{1F600}",
      "t",
      "ok",
      "\r\n",
      "x".repeat(40),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join("");
        const expected = text.split("\n").flatMap((line, index) =>
          [...line.matchAll(/tok/g)].map((match) =>
            `forbidden_token ${index + 1}:${match.index + 1} tok`
          )
        );
        assertEquals(scan(text), expected);
      }),
      { numRuns: 1000 },
    );
  },
);

Deno.test(
  "createContentScanner() tells once that a file holds a marker, however it is cut",
  PURE,
  () => {
    const scanner = createContentScanner({
      schema: "kprovengine.policy.v1",
      identity: { forbidden_tokens: ["tok"] },
    }, ["# /// script", "PRIVATE KEY"]);
    const marked = `${"PRIVATE KEY ".repeat(200)}\n# /// script tok\n`;
    const codes = (hits: ReturnType<typeof scanner.scan>): string[] =>
      hits.map(({ code, text }) => `${code} ${text}`);
    const expected = ["marker # /// script", "marker PRIVATE KEY", "identity.forbidden_token tok"];
    const bytes = encoder.encode(marked);
    assertEquals(codes(scanner.scan("a.py", bytes)), expected);
    for (const size of [1, 7, 1000]) {
      const file = scanner.scanFile("a.py");
      for (let i = 0; i < bytes.length; i += size) file.push(bytes.subarray(i, i + size));
      assertEquals(codes(file.end()), expected, `pieces of ${size}`);
    }
    assertEquals(codes(scanner.scan("a.py", encoder.encode("# /// scrip\nPRIVATE_KEY"))), []);
  },
);

/** What a file holds that comes in pieces. */
function scanPieces(scanner: typeof SCANNER, pieces: readonly Uint8Array[]): readonly unknown[] {
  const file = scanner.scanFile("a");
  for (const piece of pieces) file.push(piece);
  return file.end();
}

Deno.test("createContentScanner() finds the same with many tokens as with few", PURE, () => {
  const many = Array.from({ length: 100 }, (_, i) => `Q${i}#${i}`);
  const scanner = scannerOf({ technical_name: "kprovengine", forbidden_tokens: ["tok", ...many] });
  const found = (text: string): string[] =>
    scanner.scan("a", encoder.encode(text)).map((hit) => hit.text);
  for (const text of ["kprоvengine", "kpr0vengine", "tok", "Q99#99"]) {
    assertEquals(found(`plain text, ${text}\n`), [text]);
  }
  assertEquals(found("plain text, é, kprovengine, to"), []);
});

Deno.test(
  "createContentScanner() counts a name once behind the list that holds others",
  PURE,
  () => {
    const url = "https://githυb.com/carcodez1/kprovengine";
    assertEquals(countHits(`${url} `.repeat(150)), [101, 50]);
    const hits = SCANNER.scan("a", encoder.encode(`${url}\n`.repeat(150)));
    assertEquals([hits.at(-1)?.text, hits.at(-1)?.line], [url, 101]);
  },
);

Deno.test(
  "createContentScanner() counts a token that overlaps itself as often as it fits",
  PURE,
  () => {
    const scanner = scannerOf({ forbidden_tokens: ["aa"] });
    assertEquals(countHits("a".repeat(1000), scanner), [101, 400]);
    assertEquals(countHits("a".repeat(1001), scanner), [101, 400]);
  },
);

Deno.test(
  "createContentScanner() keeps nothing of a piece that is overwritten afterwards",
  PURE,
  () => {
    for (const lead of [0, 9000]) {
      const bytes = encoder.encode(`${" ".repeat(lead)}\n carcodez1/KProvEngine kprоvengine tok\n`);
      const whole = SCANNER.scan("a", bytes);
      assertEquals(whole.length, 4);
      const file = SCANNER.scanFile("a");
      const buffer = new Uint8Array(5);
      const first = bytes.slice(0, lead + 1);
      file.push(first);
      first.fill(0x6b);
      for (let at = lead + 1; at < bytes.length; at += 5) {
        const piece = bytes.subarray(at, at + 5);
        buffer.set(piece);
        file.push(buffer.subarray(0, piece.length));
        buffer.fill(0x6b);
      }
      assertEquals(file.end(), whole);
    }
  },
);

Deno.test("createContentScanner() goes on with a word behind a cut, far from its end", PURE, () => {
  const long = " ".repeat(9000);
  for (const token of ["carcodez1/KProvEngine", "sécret"]) {
    const bytes = encoder.encode(`${long}${token}${long}`);
    const whole = SCANNER.scan("a", bytes);
    assert(whole.length > 0);
    for (let cut = 9000; cut < 9025; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      assertEquals(scanPieces(SCANNER, pieces), whole, `${cut}`);
    }
  }
});

Deno.test(
  "createContentScanner() locates a look-alike that is longer than every word",
  PURE,
  () => {
    const bytes = encoder.encode(`${" ".repeat(9000)}\n kprov${"\u200b".repeat(100)}engine `);
    const whole = SCANNER.scan("a", bytes);
    assertEquals(whole.map(({ line, column }) => [line, column]), [[2, 2]]);
    for (let cut = 9000; cut < bytes.length; cut += 7) {
      const pieces = [
        bytes.subarray(0, cut),
        bytes.subarray(cut, cut + 5),
        bytes.subarray(cut + 5),
      ];
      assertEquals(scanPieces(SCANNER, pieces), whole, `${cut}`);
    }
  },
);

Deno.test("createContentScanner() waits for what tells that a file is no text", PURE, () => {
  const bytes = encoder.encode("kprоvengine tok\0");
  const whole = SCANNER.scan("a", bytes);
  assertEquals(whole.map(({ text }) => text), ["tok"]);
  for (let cut = 0; cut < bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    assertEquals(scanPieces(SCANNER, pieces), whole, `${cut}`);
  }
});

Deno.test(
  "createContentScanner() takes zero bytes of two characters of UTF-16 for no end of it",
  PURE,
  () => {
    for (const isLittle of [true, false]) {
      const bytes = encodeUtf16("\ufeff\u0100 \u0100 kprоvengine", isLittle);
      assertEquals(scan(bytes), ["lookalike 1:5 kprоvengine"]);
    }
  },
);

Deno.test(
  "createContentScanner() finds each text that ends or begins where another does",
  PURE,
  () => {
    const scanner = createContentScanner({
      schema: "kprovengine.policy.v1",
      identity: { display_name: "abab", forbidden_tokens: ["abab", "bab", "ab"] },
    }, ["KEY", "PRIVATE KEY"]);
    const found = (text: string): string[] =>
      scanner.scan("a", encoder.encode(text)).map((hit) =>
        `${hit.code.replace("identity.", "")} ${hit.column} ${hit.text}`
      );
    assertEquals(found("abababab"), [
      "display_name 1 abab",
      "forbidden_token 1 ab",
      "forbidden_token 1 abab",
      "forbidden_token 2 bab",
      "forbidden_token 3 ab",
      "display_name 5 abab",
      "forbidden_token 5 ab",
      "forbidden_token 5 abab",
      "forbidden_token 6 bab",
      "forbidden_token 7 ab",
    ]);
    assertEquals(found("PRIVATE KEY"), ["marker 1 KEY", "marker 1 PRIVATE KEY"]);
  },
);
