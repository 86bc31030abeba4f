import fc from "fast-check";
import {
  type BytePattern,
  compileBytePatterns,
} from "../../../src/guards/identity/content_rules.ts";
import { findNonAscii } from "../../../src/guards/identity/name_automaton.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** Every match, found by trying every pattern everywhere. */
function searchNaively(bytes: Uint8Array, patterns: readonly BytePattern[]): string[] {
  return patterns.flatMap((pattern, index) =>
    [...bytes.keys()].filter((start) =>
      start + pattern.length <= bytes.length &&
      pattern.every((accepted, i) => accepted.includes(bytes[start + i] ?? -1))
    ).map((start) => `${index}@${start}`)
  );
}

function searchCompiled(bytes: Uint8Array, patterns: readonly BytePattern[]): string[] {
  const found: string[] = [];
  compileBytePatterns(patterns)(bytes, (index, start) => found.push(`${index}@${start}`));
  return found;
}

// Few byte values, so that patterns meet, overlap and almost match.
const byte = fc.constantFrom(0, 1, 2, 0xff);
const place = fc.uniqueArray(byte, { minLength: 1, maxLength: 2 });

Deno.test("compileBytePatterns() finds what trying everywhere finds", PURE, () => {
  const pattern = fc.array(place, { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(
      fc.array(pattern, { maxLength: 5 }),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => bytes.map((b) => [0, 1, 2, 0xff][b % 4]!)),
      (patterns, bytes) => {
        assertEquals(
          searchCompiled(bytes, patterns).sort(),
          searchNaively(bytes, patterns).sort(),
        );
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("compileBytePatterns() takes patterns longer than its window", PURE, () => {
  const long = Array.from({ length: 300 }, (_, i) => [i % 251]);
  const bytes = Uint8Array.from({ length: 900 }, (_, i) => (i + 251 - 7) % 251);
  assertEquals(searchCompiled(bytes, [long]), ["0@7", "0@258", "0@509"]);
});

Deno.test(
  "findNonAscii() finds the first byte that is no ASCII, at any place and alignment",
  PURE,
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
