import { MAX_RANGE_LENGTH } from "../../../src/base/std.ts";
import {
  claimRange,
  claimVersion,
  coversLine,
  type RuntimeName,
} from "../../../src/guards/runtime/declaration.ts";
import { listLines, parseNpmRange } from "../../../src/guards/runtime/version_range.ts";
import { assert, assertEquals } from "../../assert.ts";

const LONGEST = `>=1 <2${" ".repeat(MAX_RANGE_LENGTH - 7)}3`;

const FIRST = { major: 0, minor: 0, patch: 0 };

const VERSIONS: readonly (readonly [runtime: RuntimeName, text: string, says: string])[] = [
  ["deno", "2.9.6", "pinned 2.9.6"],
  ["deno", " v2.9.6\n", "pinned 2.9.6"],
  ["node", "20", "range 20.0.0"],
  ["deno", "2.8.x", "range 2.8.0"],
  ["python", "3.13t", "range 3.13.0"],
  ["python", "3.13.1t", "pinned 3.13.1"],
  ["node", "20.1.1t", "floating: it is a name and not a version"],
  ["node", "lts/*", "floating: it means the newest version, not a certain one"],
  ["node", "lts/-1", "floating: it means the newest version, not a certain one"],
  ["node", "latest", "floating: it means the newest version, not a certain one"],
  ["node", "lts/iron", "range 20.0.0"],
  ["node", "lts/Jod", "range 22.0.0"],
  ["node", "lts-iron", "range 20.0.0"],
  ["node", "krypton", "range 24.0.0"],
  [
    "node",
    "lts/zirconium",
    "floating: it is the code name of a line of releases that is not known here",
  ],
  ["node", "my-node", "floating: it is a name and not a version"],
  ["python", "cpython@3.12", "range 3.12.0"],
  ["python", "cpython-3.12.1-linux-x86_64-gnu", "pinned 3.12.1"],
  ["python", "cpython-3.13.0+freethreaded-linux-x86_64-gnu", "pinned 3.13.0"],
  ["python", "python3.12", "range 3.12.0"],
  ["python", "cp312", "range 3.12.0"],
  ["python", "pypy3.11", "range 3.11.0"],
  ["python", "pypy3.11-7.3.19", "range 3.11.0"],
  ["python", "pypy-3.11-v7.3.19", "range 3.11.0"],
  ["python", "pypy@3.11", "range 3.11.0"],
  ["python", "pp310", "range 3.10.0"],
  ["python", "pypy310", "range 3.10.0"],
  ["python", "312", "range 3.12.0"],
  ["python", "313t", "range 3.13.0"],
  ["python", "python38", "range 3.8.0"],
  ["python", "3.12.1/envs/app", "pinned 3.12.1"],
  ["python", "/usr/bin/python3.12", "floating: it is a name and not a version"],
  ["python", "pypy3", "range 3.0.0"],
  ["python", "pypy", "floating: it does not say which version of Python PyPy is to implement"],
  ["python", "pypy-7.3", "floating: it does not say which version of Python PyPy is to implement"],
  [
    "python",
    "graalpy-24.1.0",
    "floating: it counts the versions of another implementation than CPython",
  ],
  [
    "python",
    "miniconda3-latest",
    "floating: it counts the versions of another implementation than CPython",
  ],
  ["python", "3.13+freethreaded", "range 3.13.0"],
  ["python", "3.14.0rc1t", "pinned 3.14.0"],
  ["python", "3.14-dev", "floating: it is the development version of 3.14"],
  ["python", "3.14t-dev", "floating: it is the development version of 3.14"],
  ["python", ">=3.11,<3.13", "range 3.11.0"],
  ["python", "~=3.11.2", "range 3.11.2"],
  ["node", "*", "floating: it sets no bound"],
  ["node", "", "floating: it names no version"],
  ["node", " \t", "floating: it names no version"],
  ["node", ">2 <1", "floating: no version is in it"],
  ["node", `${LONGEST}4`, "floating: it is too long for a version"],
];

for (const [runtime, text, says] of VERSIONS) {
  Deno.test(`claimVersion() of ${runtime} ${JSON.stringify(text).slice(0, 40)}: ${says}`, () => {
    const claim = claimVersion(runtime, text);
    const from = claim.kind === "range" ? claim.range.releases[0]?.from : undefined;
    const { major, minor, patch } = claim.kind === "pinned" ? claim.version : from ?? FIRST;
    const shown = claim.kind === "floating" ? `: ${claim.reason}` : ` ${major}.${minor}.${patch}`;
    assertEquals(claim.kind + shown, says);
  });
}

Deno.test("claimVersion() reads a range of the longest length that is taken", () => {
  assertEquals(LONGEST.length, MAX_RANGE_LENGTH);
  const claim = claimVersion("node", LONGEST);
  assertEquals(claim.kind === "floating" && claim.reason === "it is too long for a version", false);
});

Deno.test("claimRange() passes on why a range is none", () => {
  assertEquals(claimRange({ ok: false, reason: "it is no range" }), {
    kind: "floating",
    reason: "it is no range",
  });
  assertEquals(claimRange(parseNpmRange(">=20 <21")).kind, "range");
});

Deno.test("coversLine() counts what is surely of the line and in the range", {
  permissions: "none",
}, () => {
  const result = parseNpmRange(">=2.8.2 <2.10.0");
  assert(result.ok);
  const { range } = result;
  const lines = listLines(range, "minor");
  const line = lines.ok ? lines.lines[0] : undefined;
  assert(line !== undefined);
  const covers = (text: string): boolean => coversLine(claimVersion("deno", text), line, range);
  for (const text of ["2.8.2", "v2.8.9", "2.8", "2.8.x", "v2.8.x", "~2.8.3", ">=2.8.2 <2.9"]) {
    assert(covers(text), text);
  }
  const others = [
    "2.8.1",
    "2.9.0",
    "2.8.3-rc.1",
    "2.x",
    "^2.8.2",
    "2.8 || 2.9",
    "2.8.2 || 2.8.4",
    ">=2.8.0 <2.8.2",
    "latest",
    "canary",
    "",
    "<2.8.2",
  ];
  for (const text of others) assert(!covers(text), text);
});
