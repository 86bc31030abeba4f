import * as fc from "fast-check";
import type { ContentDifference } from "../../src/evidence/reproduction.ts";
import { ContentComparison } from "../../src/evidence/content_difference.ts";
import { assert, assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function* cut(bytes: Uint8Array, piece: number): Generator<Uint8Array> {
  // One buffer for all, as a reader of files has it.
  const buffer = new Uint8Array(piece);
  for (let i = 0; i < bytes.length; i += piece) {
    const part = bytes.subarray(i, i + piece);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

function compare(
  before: string | Uint8Array,
  after: string | Uint8Array,
  piece = 7,
): ContentDifference | null {
  const [a, b] = [before, after].map((content) =>
    cut(typeof content === "string" ? encode(content) : content, piece)
  );
  const comparison = new ContentComparison(a ?? [], b ?? []);
  while (comparison.advance());
  return comparison.difference;
}

/** What is told in a few words: offset, line and what alone differs. */
type Told = readonly [offset: number, line: string | null, only: ContentDifference["only"]];

function tell(difference: ContentDifference | null): Told | null {
  if (difference === null) return null;
  const { offset, line, only } = difference;
  const text = line === null
    ? null
    : `${line.number} ${JSON.stringify(line.before)} ${JSON.stringify(line.after)}`;
  return [offset, text, only];
}

const FAR = `${"x".repeat(9000)}\n`;
const X40 = "x".repeat(40);
const X59 = "x".repeat(59);
/** The longest line that is taken as a whole. */
const LONG = "x".repeat(65_536);

const CASES: readonly (readonly [string, string, string, Told | null])[] = [
  ["the same", "a\nb\n", "a\nb\n", null],
  ["two empty files", "", "", null],
  ["another line", "a\nb\nc\n", "a\nx\nc\n", [2, '2 "b" "x"', null]],
  ["a line more", "a\n", "a\nb\n", [2, '2 null "b"', null]],
  ["a line less", "a\nb\n", "a\n", [2, '2 "b" null', null]],
  ["an empty file", "", "a\n", [0, '1 null "a"', null]],
  ["a newline at the end", "a\n", "a", [1, '1 "a" "a"', null]],
  ["another order", "a\nb\nc\n", "c\na\nb\n", [0, '1 "a" "c"', "order of lines"]],
  ["another order without a newline at the end", "a\nb", "b\na", [
    ...[0, '1 "a" "b"', "order of lines"] as const,
  ]],
  ["another order, and a newline less", "a\nb\n", "b\na", [0, '1 "a" "b"', null]],
  ["a line twice for another that was", "a\na\nb\n", "b\nb\na\n", [0, '1 "a" "b"', null]],
  ["CRLF for LF", "a\nb\n", "a\r\nb\r\n", [1, '1 "a" "a\\r"', null]],
  ["a NUL", "a\0b\n", "a\0c\n", [2, null, null]],
  ["another order of what is no text", "a\0\nb\n", "b\na\0\n", [0, null, null]],
  ["a name with a character of four bytes", "🙂 1\n", "🙂 2\n", [5, '1 "🙂 1" "🙂 2"', null]],
  ["a difference inside a character", "é\n", "è\n", [1, '1 "é" "è"', null]],
  [
    "the text around a difference far behind",
    `${"x".repeat(100)}1${"y".repeat(100)}\n`,
    `${"x".repeat(100)}2\n`,
    [100, `1 "…${"x".repeat(20)}1${"y".repeat(39)}…" "…${"x".repeat(20)}2"`, null],
  ],
  ["what is no text, behind a NUL that both have", "a\0\nb\n", "a\0\nc\n", [3, null, null]],
  ["what is no text, before a NUL that one has", "b\na\0\n", "c\na\n", [0, null, null]],
  ["what is no text, before a NUL that the other has", "b\na\n", "c\na\0\n", [0, null, null]],
  ["a NUL far behind", `${FAR}a\0b\n`, `${FAR}a\0c\n`, [9003, null, null]],
  ["a NUL far behind for another byte", `${FAR}a\0\n`, `${FAR}ab\n`, [9002, null, null]],
  ["another byte for a NUL far behind", `${FAR}ab\n`, `${FAR}a\0\n`, [9002, null, null]],
  ["a time stamp and more in what is no text", "\x002026-02-15\nb\n", "\x002027-02-15\nc\n", [
    ...[4, null, null] as const,
  ]],
  ["the text before a difference near enough", `${X40}1\n`, `${X40}2\n`, [
    ...[40, `1 "${X40}1" "${X40}2"`, null] as const,
  ]],
  ["the text before a difference a little farther", `${X40}x1\n`, `${X40}x2\n`, [
    ...[41, `1 "…${"x".repeat(20)}1" "…${"x".repeat(20)}2"`, null] as const,
  ]],
  ["as much text as is shown, and more", `1${X59}\n`, `2${X59}x\n`, [
    ...[0, `1 "1${X59}" "2${X59}…"`, null] as const,
  ]],
  ["a line behind one that is very long", `${LONG}b\nc\nd\n`, `${LONG}b\nc\ne\n`, [
    ...[65_540, '3 "d" "e"', null] as const,
  ]],
  ["a newline in a line that is very long", `${LONG}b\n`, `${LONG}\nb\n`, [
    ...[65_536, `1 "…${"x".repeat(20)}" "…${"x".repeat(20)}"`, null] as const,
  ]],
  ["a newline less in a line that is very long", `${LONG}\nb\n`, `${LONG}b\n`, [
    ...[65_536, `1 "…${"x".repeat(20)}" "…${"x".repeat(20)}"`, null] as const,
  ]],
];

for (const [what, before, after, expected] of CASES) {
  Deno.test(`ContentComparison tells ${what}`, PURE, () => {
    const pieces = before.length > 50_000 ? [4096, 100_000] : [1, 7, 1000];
    for (const piece of pieces) assertEquals(tell(compare(before, after, piece)), expected);
  });
}

const STAMPS: readonly (readonly [string, string])[] = [
  ["2026-02-15", "2027-03-22"],
  ["2026-02-15T20:13:00Z", "2026-02-15T20:13:01Z"],
  ["2026-02-15T20:13:00.123456+01:00", "2026-02-15T20:13:00.5-0500"],
  ["2026-02-15 20:13:00 UTC", "2026-02-16 10:13:00 +14"],
  ["2026-02-15T20-13-00Z", "2027-02-15T20-13-00Z"],
  ["2026/02/15 20:13", "2026/02/15 20:14"],
  ["20260215T201300Z", "20260215T201301Z"],
  ["(D:20260215201300+01'00')", "(D:20270215201300+14'00')"],
  ["Sun, 15 Feb 2026 20:13:00 GMT", "Mon, 22 Mar 2027 20:13:00 GMT"],
  ["Sun 15 Feb 2026 08:13:00 PM UTC", "Mon 22 Mar 2027 08:13:00 AM CET"],
  ["Sun Feb 15 20:13:00 UTC 2026", "Mon Mar  1 20:13:00 UTC 2027"],
  ["Feb 15 2026", "Mar  1 2027"],
  ["February 15, 2026", "March 22, 2027"],
  ["Feb 15 20:13:07 host", "Mar 22 20:13:00 host"],
  ["-rw-r--r-- 1 a a 0 Feb 15 20:13 x", "-rw-r--r-- 1 a a 0 Mar 22  2027 x"],
  ["2/15/2026", "12/1/2027"],
  ["15.02.2026", "16.02.2026"],
  ["took from 20:13:00", "took from 9:13:00.5"],
  ["t=1771186380", "t=1805746380"],
  ["t=1771186380123", "t=1805746380123"],
  ["t=1771186380.5", "t=1805746380.25"],
];

for (const [before, after] of STAMPS) {
  Deno.test(`ContentComparison sees that only time stamps differ in ${before}`, PURE, () => {
    const difference = compare(`a\n# ${before} b\nc\n`, `a\n# ${after} b\nc\n`);
    assertEquals([difference?.only, difference?.line?.number], ["time stamps", 2]);
    assertEquals(compare(`${before} b\n`, `${after} c\n`)?.only, null);
  });
}

const NO_STAMPS: readonly (readonly [string, string])[] = [
  ["1.2.3", "1.2.4"],
  ["2026", "2027"],
  ["20:13", "20:14"],
  ["a1771186380", "a1771186381"],
  ["1771186380ff", "1771186381ff"],
  ["991771186380", "991771186381"],
  ["2026-02-15", "none"],
  ["2026-02-15", "2026-02-15 2026-02-16"],
  ["\u23f1", "2026-02-15"],
];

for (const [before, after] of NO_STAMPS) {
  Deno.test(`ContentComparison takes ${before} and ${after} for no time stamps`, PURE, () => {
    assertEquals(compare(`${before}\n`, `${after}\n`)?.only, null);
  });
}

Deno.test("ContentComparison sees that the time in gzip's header differs alone", PURE, () => {
  const gzip = (time: number[], rest: number[]): Uint8Array =>
    new Uint8Array([0x1f, 0x8b, 8, 0, ...time, 0, 3, ...rest]);
  const one = gzip([10, 10, 1, 2], [1, 2, 0, 3]);
  assertEquals(tell(compare(one, gzip([3, 4, 5, 6], [1, 2, 0, 3]))), [4, null, "time stamps"]);
  assertEquals(tell(compare(one, gzip([10, 10, 1, 2], [1, 2, 0, 4]))), [13, null, null]);
  assertEquals(tell(compare(one, gzip([3, 4, 5, 6], [1, 2, 0, 4]))), [4, null, null]);
  assertEquals(tell(compare(one, gzip([10, 10, 1, 2], [1, 2, 0, 3]))), null);
  const other = gzip([10, 10, 1, 2], [1, 2, 0, 3]).with(8, 2);
  assertEquals(tell(compare(one, other)), [8, null, null]);
});

Deno.test("ContentComparison takes for gzip what begins as it and is long enough", PURE, () => {
  const head = [0x1f, 0x8b, 8, 8, 1, 2, 3, 4, 2, 3, 0x41, 0x42];
  const [one, other] = [Uint8Array.from(head), Uint8Array.from(head).with(5, 9)];
  assertEquals(tell(compare(one, other)), [5, null, "time stamps"]);
  assertEquals(tell(compare(one, one.with(11, 0x43))), [11, null, null]);
  for (const i of [0, 1, 2]) {
    assertEquals(compare(one.with(i, 0x20), other.with(i, 0x20))?.only, null);
  }
  assertEquals(compare(one.subarray(0, 9), other.subarray(0, 9))?.only, null);
});

Deno.test(
  "ContentComparison can be left after every mebibyte, and closes what it reads",
  PURE,
  () => {
    let closed = 0;
    function* read(text: string): Generator<Uint8Array> {
      try {
        for (let i = 0; i < text.length; i += 4096) yield encode(text.slice(i, i + 4096));
      } finally {
        closed += 1;
      }
    }
    const countSteps = (before: string, after: string): number => {
      using comparison = new ContentComparison(read(before), read(after));
      let steps = 0;
      while (comparison.advance()) steps += 1;
      return steps;
    };
    const long = `${"x".repeat(1023)}\n`.repeat(2500);
    assertEquals([countSteps(long, long), countSteps(long, ""), countSteps("", long)], [2, 2, 2]);
    assertEquals(countSteps("abc\n".repeat(400_000), "abc\n".repeat(400_000)), 1);
    closed = 0;
    new ContentComparison(read(long), read(long))[Symbol.dispose]();
    assertEquals(closed, 2);
  },
);

Deno.test(
  "ContentComparison says nothing of the order or the times of very long lines",
  PURE,
  () => {
    const long = "x".repeat(70_000);
    const swapped = tell(compare(`${long}\nb\n`, `b\n${long}\n`, 4096));
    assertEquals(swapped?.[2], null);
    const stamped = compare(`${long}2026-02-15\n`, `${long}2027-03-22\n`, 4096);
    assertEquals([stamped?.offset, stamped?.only], [70_003, null]);
    assertEquals(compare(`${long}\n`, `${long}\n`, 4096), null);
  },
);

Deno.test("ContentComparison takes no longer for a line that is nearly a time stamp", PURE, () => {
  const line = "1".repeat(60_000);
  const nearly = "Feb 15 20:13:00 2026-02-1".repeat(2000);
  for (const text of [line, nearly]) {
    assertEquals(compare(`${text}\n`, `${text}x\n`, 4096)?.only, null);
  }
});

const LINE = fc.stringMatching(/^[ab01:-]{0,4}$/);

Deno.test("ContentComparison finds the first byte that differs, however it is cut", PURE, () => {
  fc.assert(
    fc.property(fc.array(LINE), fc.array(LINE), fc.integer({ min: 1, max: 9 }), (a, b, n) => {
      const [before, after] = [a, b].map((lines) => encode(lines.join("\n")));
      assert(before !== undefined && after !== undefined);
      const difference = compare(before, after, n);
      let first = 0;
      while (first < before.length && before[first] === after[first]) first += 1;
      const isSame = first === before.length && first === after.length;
      assertEquals(difference?.offset ?? null, isSame ? null : first);
      assertEquals(difference, compare(before, after, 100));
      if (difference?.line) {
        assertEquals(
          difference.line.number,
          encode(a.join("\n")).subarray(0, first)
            .filter((byte) => byte === 0x0a).length + 1,
        );
      }
    }),
  );
});

Deno.test(
  "ContentComparison says that the order alone differs where the sorted lines are the same",
  PURE,
  () => {
    const shuffled = fc.array(LINE, { minLength: 1 }).chain((lines) =>
      fc.tuple(fc.constant(lines), fc.shuffledSubarray(lines, { minLength: lines.length }))
    );
    fc.assert(
      fc.property(fc.oneof(shuffled, fc.tuple(fc.array(LINE), fc.array(LINE))), ([a, b]) => {
        const [before, after] = [a, b].map((lines) => lines.map((line) => `${line}\n`).join(""));
        const isReordered = before !== after &&
          a.toSorted().join("\n") === b.toSorted().join("\n") &&
          a.length === b.length;
        assertEquals(compare(before ?? "", after ?? "")?.only === "order of lines", isReordered);
      }),
    );
  },
);

Deno.test("ContentComparison tells both directions alike", PURE, () => {
  fc.assert(fc.property(fc.array(LINE), fc.array(LINE), (a, b) => {
    const there = compare(a.join("\n"), b.join("\n"));
    const back = compare(b.join("\n"), a.join("\n"));
    assertEquals([there?.offset, there?.only], [back?.offset, back?.only]);
    assertEquals(there?.line?.before, back?.line?.after);
  }));
});
