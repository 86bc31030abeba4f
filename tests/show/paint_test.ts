import { makeFinding } from "../../src/base/error.ts";
import {
  listDiffLines,
  listVerifyLines,
  renderPreflight,
  renderReproduceText,
  renderRunText,
} from "../../src/show/results.ts";
import type { TextOptions } from "../../src/show/text.ts";
import { assertEquals } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };
const RUN_ID = "2026-02-15T20-13-00Z";
const DIGEST = "ab".repeat(32);
const FINDINGS = [makeFinding("file.missing", "the input is not there any more", { path: "a" })];
const FILE = { name: "a", kind: "file", size: 1_234_567, sha256: DIGEST } as const;
const RUN = {
  runId: RUN_ID,
  runDirectory: `runs/${RUN_ID}`,
  evidenceDigest: DIGEST,
  outcome: "command_failed",
  exitCode: 3,
  signal: null,
  stdin: { sha256: DIGEST, size: 1_234_567 },
  materials: [FILE],
  products: [FILE],
  findings: [],
  shard: { count: 65536, index: 65536 },
} as const;
const VERIFIED = {
  path: "a",
  findings: [],
  outcome: "completed",
  exitCode: 0,
  review: "PENDING",
} as const;
const ENDED = { outcome: "command_failed", exitCode: 3 } as const;
const CHANGE = { kind: "input", name: "a", change: "changed", before: "x", after: "y" } as const;
const LONG = { ...CHANGE, before: `sha256:${DIGEST}` } as const;

function join(lines: Iterable<string>): string {
  return [...lines].join("\n");
}

/** What is shown, with the words that are coloured: red in [], green in (). */
const REPRODUCED = {
  run: "a",
  isExecuted: true,
  isIsolated: false,
  repetitions: [],
  compared: [],
  kept: null,
  productCount: 1,
  notes: [],
  findings: [],
};

const SHOWN: readonly (readonly [string, (options: TextOptions) => string, readonly string[]])[] = [
  ["a run", (o) => renderRunText(RUN, o), ["[failed with exit code 3]"]],
  [
    "runs that verify and do not",
    (o) =>
      join(
        listVerifyLines({ runs: [VERIFIED, { ...VERIFIED, findings: FINDINGS }], shards: null }, o),
      ),
    ["(ok)", "[FAILED]"],
  ],
  [
    "right evidence of what failed, and of what was rejected",
    (o) =>
      join(listVerifyLines({
        runs: [{ ...VERIFIED, ...ENDED }, { ...VERIFIED, review: "REJECTED" }],
        shards: null,
      }, o)),
    ["[failed with exit code 3]", "[rejected]"],
  ],
  [
    "shards that are one set",
    (o) => join(listVerifyLines({ runs: [], shards: { count: 2, present: 2, findings: [] } }, o)),
    ["(ok)"],
  ],
  [
    "shards that are none",
    (o) =>
      join(listVerifyLines({ runs: [], shards: { count: 2, present: 1, findings: FINDINGS } }, o)),
    ["[FAILED]"],
  ],
  ["a change", (o) => join(listDiffLines([CHANGE], DIGEST, o)), ["[x]", "(y)"]],
  ["a change of digests", (o) => join(listDiffLines([LONG], DIGEST, o)), [
    `[- sha256:${DIGEST}]`,
    "(+ y)",
  ]],
  [
    "a run that is not reproducible",
    (o) => renderReproduceText({ ...REPRODUCED, findings: FINDINGS }, o),
    ["[Not reproducible]"],
  ],
  [
    "a run that is reproducible",
    (o) =>
      renderReproduceText(
        REPRODUCED,
        o,
      ),
    ["(Reproducible)"],
  ],
  [
    "a preflight that fails",
    (o) =>
      renderPreflight(
        [{ name: "a", ok: true, seconds: 1 }, { name: "b", ok: false, seconds: 1 }],
        o,
      ),
    ["(ok)", "[FAILED]", "[1 failed]"],
  ],
  [
    "a preflight that passes",
    (o) => renderPreflight([{ name: "a", ok: true, seconds: 0 }], o),
    ["(ok)", "(all passed)"],
  ],
];

for (const [what, render, words] of SHOWN) {
  Deno.test(`${what}: colours stand on words with a meaning, and change nothing else`, PURE, () => {
    const plain = render({ isColored: false });
    // deno-lint-ignore no-control-regex
    const colored = /\x1b\[(31|32)m(.*?)\x1b\[0m/g;
    const text = render({ isColored: true });
    assertEquals(text.replace(colored, "$2"), plain);
    assertEquals(
      [...text.matchAll(colored)].map(([, code, word]) =>
        code === "31" ? `[${word}]` : `(${word})`
      ),
      words,
    );
  });
}

Deno.test("no line of a run's result is wider than a terminal of 80 columns", PURE, () => {
  const lines = renderRunText(RUN, { isColored: false }).split("\n");
  assertEquals(lines.filter((line) => line.length > 80), []);
  assertEquals(Math.max(...lines.map((line) => line.length)), 80);
});
