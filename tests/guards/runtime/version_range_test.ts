import fc from "fast-check";
import { parseRange, parseVersion, satisfies, type SemVer } from "../../../src/base/std.ts";
import { parsePolicyRange } from "../../../src/guards/runtime/declaration.ts";
import { parsePoetryRange } from "../../../src/guards/runtime/python_manifests.ts";
import {
  isEmptyRange,
  isRangeInside,
  isUnboundedRange,
  isVersionInside,
  listLines,
  parseNpmRange,
  parsePep440Range,
  parsePythonVersion,
  type RangeResult,
  type VersionRange,
} from "../../../src/guards/runtime/version_range.ts";
import { assert, assertEquals, assertStringIncludes } from "../../assert.ts";
import { ANSWERS_PATH, type PackagingAnswers, SPECIFIERS, VERSIONS } from "./packaging.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

/** Every version that a range built from `BOUND` could tell from its neighbours. */
const SAMPLES: readonly SemVer[] = makeSamples();

function makeSamples(): SemVer[] {
  const parts = [0, 1, 2, 3, 4];
  const prereleases = [
    [],
    [0],
    ["alpha"],
    ["alpha", 1],
    ["alpha", 1, 0],
    ["rc", 1],
    ["rc", 1, 0],
    ["rc", 2],
    ["rc", 2, 0],
    ["zz"],
  ];
  return parts.flatMap((major) =>
    parts.flatMap((minor) =>
      parts.flatMap((patch) =>
        prereleases.map((prerelease) => ({ major, minor, patch, prerelease }))
      )
    )
  );
}

function read(result: RangeResult): VersionRange {
  if (!result.ok) throw new Error(result.reason);
  return result.range;
}

const part = fc.integer({ min: 0, max: 2 });
const full = fc.tuple(part, part, part, fc.constantFrom("", "", "", "-alpha.1", "-rc.1", "-rc.2"))
  .map(([major, minor, patch, prerelease]) => `${major}.${minor}.${patch}${prerelease}`);
const partial = fc.oneof(
  fc.tuple(part, part).map(([major, minor]) => `${major}.${minor}`),
  fc.tuple(part, part).map(([major, minor]) => `v${major}.${minor}.x`),
  part.map((major) => `${major}`),
  fc.constant("*"),
);
const bound = fc.oneof(full, full, partial);
const comparator = fc.tuple(fc.constantFrom("", "=", ">", ">=", "<", "<=", "^", "~"), bound)
  .map(([operator, version]) => `${operator}${version}`)
  // The library reads this one and then cannot compare with it.
  .filter((text) => text !== "<=*");
const conjunction = fc.oneof(
  fc.array(comparator, { minLength: 1, maxLength: 3 }).map((all) => all.join(" ")),
  fc.tuple(bound, bound).map(([from, to]) => `${from} - ${to}`),
);
const npmRange = fc.array(conjunction, { minLength: 1, maxLength: 2 })
  .map((all) => all.join(" || "));

const specifier = fc.oneof(
  fc.tuple(fc.constantFrom("==", "!=", ">=", "<=", ">", "<"), part, part, part)
    .map(([operator, ...numbers]) => `${operator}${numbers.join(".")}`),
  fc.tuple(fc.constantFrom("==", "!="), part, part)
    .map(([operator, major, minor]) => `${operator}${major}.${minor}.*`),
  fc.tuple(fc.constantFrom(">=", "<", "=="), part, part, fc.constantFrom("a1", "rc1", "rc2"))
    .map(([operator, major, minor, label]) => `${operator}${major}.${minor}.0${label}`),
  fc.tuple(part, part).map(([major, minor]) => `~=${major}.${minor}`),
);
const pep440Range = fc.array(specifier, { minLength: 1, maxLength: 3 }).map((all) => all.join(","));

Deno.test("parseNpmRange() takes the versions that satisfies() takes", PURE, () => {
  fc.assert(
    fc.property(npmRange, (text) => {
      const range = read(parseNpmRange(text));
      const oracle = parseRange(text);
      const expected = SAMPLES.filter((version) => satisfies(version, oracle));
      assertEquals(SAMPLES.filter((version) => isVersionInside(version, range)), expected, text);
    }),
    { numRuns: 300 },
  );
});

Deno.test("isRangeInside() agrees with every sample of every kind of range", PURE, () => {
  const range = fc.oneof(
    npmRange.map((text) => ({ text, range: read(parseNpmRange(text)) })),
    pep440Range.map((text) => ({ text, range: read(parsePep440Range(text)) })),
  );
  let inside = 0;
  fc.assert(
    fc.property(range, range, (inner, outer) => {
      const counterexample = SAMPLES.find((version) =>
        isVersionInside(version, inner.range) && !isVersionInside(version, outer.range)
      );
      const isInside = isRangeInside(inner.range, outer.range);
      assertEquals(isInside, counterexample === undefined, `${inner.text} in ${outer.text}`);
      if (isInside) inside++;
    }),
    { numRuns: 1500 },
  );
  assert(inside > 50, "too few ranges lie inside for the test to say much");
});

Deno.test("isRangeInside() decides at the very edges", PURE, () => {
  const cases: [string, string, boolean][] = [
    ["2.9.6", ">=2.8.2 <2.10.0", true],
    ["2.8.x", ">=2.8.2 <2.10.0", false],
    ["2.9.x", ">=2.8.2 <2.10.0", true],
    ["^2.9.0", ">=2.8.2 <2.10.0", false],
    ["v2.x", ">=2.8.2 <2.10.0", false],
    [">=2.8.2", ">=2.8.2 <2.10.0", false],
    [">=2.8.2 <2.10.0", ">=2.8.2 <2.10.0", true],
    [">2.8.1 <=2.9.99", ">=2.8.2 <2.10.0", true],
    [">=2.8.2 <=2.10.0", ">=2.8.2 <2.10.0", false],
    ["20", ">=20", true],
    ["20 || 22", ">=20", true],
    ["18 || 20", ">=20", false],
    ["20 || 21 || 22", "20 - 22", true],
    ["20 - 22", "20 || 21 || 22", true],
    ["20 - 22", "20 || 22", false],
    ["1.0.0-rc.2", "^1.0.0-rc.1", true],
    ["1.0.1-rc.2", "^1.0.0-rc.1", false],
    ["<1.0.0-rc.1 >=1.0.0-alpha", ">=1.0.0-alpha <1.0.0", true],
    ["*", ">=0.0.0", true],
    ["3.12", ">=3.11 <3.13", true],
    ["3.13", ">=3.11 <3.13", false],
    ["3", ">=3.11 <3.13", false],
  ];
  for (const [inner, outer, expected] of cases) {
    const actual = isRangeInside(read(parseNpmRange(inner)), read(parseNpmRange(outer)));
    assertEquals(actual, expected, `${inner} in ${outer}`);
  }
});

Deno.test("parseNpmRange() refuses what is no range", PURE, () => {
  const cases = [
    "lts/*",
    "latest",
    "20.x.y.z",
    ">=18, <21",
    "1.2.3.4",
    "3.13-dev",
    ">=99999999999999999999",
    "1 ".repeat(200),
    // From here on two numbers may be one.
    "9007199254740991.0.0",
    ">=1 <1.9007199254740991.0",
    "1 || 9007199254740991",
  ];
  for (const text of cases) assertEquals(parseNpmRange(text).ok, false, text);
  assert(parseNpmRange("9007199254740990.0.0").ok);
});

Deno.test("a range has at most 256 characters", PURE, () => {
  for (const read of [parseNpmRange, parsePep440Range]) {
    assert(read(`>=3${" ".repeat(253)}`).ok);
    const result = read(`>=3${" ".repeat(254)}`);
    assertEquals(result, { ok: false, reason: "it is too long for a range" });
  }
});

Deno.test("ranges that touch are one", PURE, () => {
  const { releases } = read(parseNpmRange("22 || 20 || 21 || 21.1 || 30"));
  const release = (major: number): SemVer => ({ major, minor: 0, patch: 0 });
  assertEquals(releases, [
    { from: release(20), to: release(23) },
    { from: release(30), to: release(31) },
  ]);
});

Deno.test("isEmptyRange() and isUnboundedRange() tell what says nothing", PURE, () => {
  const tell = (text: string): readonly boolean[] => {
    const range = read(parseNpmRange(text));
    return [isEmptyRange(range), isUnboundedRange(range)];
  };
  assertEquals(tell(">=2 <1"), [true, false]);
  assertEquals(tell(">1.0.0-rc.1 <1.0.0"), [false, false], "pre-releases alone");
  assertEquals(tell("*"), [false, true]);
  assertEquals(tell(">=0.0.0"), [false, true]);
  assertEquals(tell("<3"), [false, false]);
  assertEquals(tell(">=3"), [false, false]);
});

Deno.test("parsePep440Range() takes what PEP 440 takes", PURE, () => {
  const cases: [string, string[], string[]][] = [
    [">=3.11,<3.13", ["3.11.0", "3.12.99"], ["3.10.9", "3.13.0", "3.13.0-rc.1", "3.12.0-rc.1"]],
    [" >= 3.11 , < 3.13 , ", ["3.11.0", "3.12.9"], ["3.13.0"]],
    ["==3.12", ["3.12.0"], ["3.12.1", "3.11.9"]],
    ["==3.12.*", ["3.12.0", "3.12.8"], ["3.13.0", "3.11.9"]],
    ["==3.12.1.*", ["3.12.1"], ["3.12.0", "3.12.2"]],
    ["!=3.12.4,>=3.12", ["3.12.3", "3.12.5"], ["3.12.4"]],
    ["!=3.12.*", ["3.11.9", "3.13.0"], ["3.12.0", "3.12.9"]],
    ["~=3.11", ["3.11.0", "3.99.0"], ["3.10.0", "4.0.0"]],
    ["~=3.11.2", ["3.11.2", "3.11.9"], ["3.11.1", "3.12.0"]],
    [">3.11", ["3.11.1"], ["3.11.0"]],
    ["<=3.11", ["3.11.0"], ["3.11.1"]],
    [">=v3.08", ["3.8.0"], ["3.7.9"]],
    [">=3.13.0rc1", ["3.13.0-rc.1", "3.13.0-rc.2", "3.13.0", "3.14.0-alpha.1"], ["3.13.0-beta.4"]],
    ["<3.13.0b1,>=3.13.0a0", ["3.13.0-alpha.7"], ["3.13.0-beta.1", "3.12.0"]],
    [">=3.12.0rc1,<3.13", ["3.12.0-rc.1"], ["3.13.0-alpha.1"]],
    ["==3.13.0.preview_1", ["3.13.0-rc.1"], ["3.13.0", "3.13.0-rc.2"]],
  ];
  for (const [text, inside, outside] of cases) {
    const range = read(parsePep440Range(text));
    const isInside = (version: string): boolean => isVersionInside(parseVersion(version), range);
    assertEquals(inside.filter((version) => !isInside(version)), [], `${text} takes`);
    assertEquals(outside.filter(isInside), [], `${text} leaves out`);
  }
});

Deno.test("parsePep440Range() takes what packaging takes, pair by pair", () => {
  const answers: PackagingAnswers = JSON.parse(Deno.readTextFileSync(ANSWERS_PATH));
  const { versions, specifiers } = answers;
  assertEquals(versions, VERSIONS);
  assertEquals(Object.keys(specifiers), SPECIFIERS);
  let pairs = 0;
  for (const [text, bits] of Object.entries(specifiers)) {
    const result = parsePep440Range(text);
    assertEquals(result.ok, bits !== null, text);
    if (!result.ok || bits === null) continue;
    const taken = versions.map((version) => {
      const parsed = parsePythonVersion(version);
      return parsed.ok && isVersionInside(parsed.version, result.range) ? "1" : "0";
    });
    assertEquals(taken.join(""), bits, `${text} of ${versions.join(" ")}`);
    pairs += taken.length;
  }
  assert(pairs > 4000, `${pairs} pairs`);
});

Deno.test(
  "parsePolicyRange() reads Python's specifiers behind commas and behind spaces",
  PURE,
  () => {
    const expected = read(parsePep440Range(">=3.11,<3.13,!=3.12.1"));
    for (
      const text of [
        ">=3.11 <3.13 !=3.12.1",
        " >= 3.11  < 3.13, != 3.12.1 ",
        ">=3.11,<3.13,!=3.12.1",
      ]
    ) {
      assertEquals(read(parsePolicyRange("python", text)), expected, text);
    }
    assertEquals(read(parsePolicyRange("python", "~=3.11")), read(parsePep440Range(">=3.11,<4")));
    assertEquals(read(parsePolicyRange("node", "~20.1")), read(parseNpmRange(">=20.1 <20.2")));
    for (const text of ["^3.11", "3.12", ">=3.11 3.12", ">=3.9 || >=3.11"]) {
      assertEquals(parsePolicyRange("python", text).ok, false, text);
    }
  },
);

Deno.test("parsePep440Range() refuses by name what it cannot translate", PURE, () => {
  const cases: [string, string][] = [
    ["===3.12", "compares text"],
    ["==1!3.12", "an epoch"],
    ["==3.12.post1", "a post-release"],
    ["==3.12-1", "a post-release"],
    [">=3.12.dev1", "a development version"],
    ["==3.12+local", "a local version"],
    ["==3.12.1.2", "more than three parts"],
    ["3.12", "no comparison"],
    ["^3.11", "no comparison"],
    ["~=3", "needs two parts"],
    [">=3.12.*", "puts .* where"],
    ["==3.12rc1.*", "puts .* where"],
    [">=three", "not a version of Python"],
    [">=3.99999999999999999999", "too large"],
    [">=3.9007199254740991", "too large"],
    [">=3.11 <3.13", "not a version of Python"],
    [">=3.11" + ",".repeat(300), "too long"],
  ];
  for (const [text, reason] of cases) {
    const result = parsePep440Range(text);
    assert(!result.ok, text);
    assertStringIncludes(result.reason, reason);
  }
});

Deno.test("parsePoetryRange() reads Poetry's own forms", PURE, () => {
  const cases: [string, string][] = [
    ["^3.11", ">=3.11,<4.0"],
    ["^3.11.2", ">=3.11.2,<4.0"],
    ["^0.3", ">=0.3,<0.4"],
    ["~3.11", ">=3.11,<3.12"],
    ["~3", ">=3,<4"],
    ["~=3.11", ">=3.11,<4"],
    ["3.11.*", ">=3.11,<3.12"],
    ["3.11", ">=3.11.0,<3.11.1"],
    ["==3.11.4", ">=3.11.4,<3.11.5"],
    [">=3.9 <3.12", ">=3.9,<3.12"],
    [">=3.9,<3.12,!=3.10.*", ">=3.9,<3.12,!=3.10.*"],
    ["*", ""],
  ];
  for (const [poetry, pep440] of cases) {
    assertEquals(read(parsePoetryRange(poetry)), read(parsePep440Range(pep440)), poetry);
  }
  const either = read(parsePoetryRange("~3.9 || ~3.11"));
  assertEquals(either, read(parsePep440Range(">=3.9,<3.12,!=3.10.*")));
});

Deno.test("parsePoetryRange() refuses what it cannot translate", PURE, () => {
  for (const text of ["", "^3.11 ||", "latest", "^3.11rc1", "3.11 - 3.12", "^".repeat(300)]) {
    assertEquals(parsePoetryRange(text).ok, false, text);
  }
});

Deno.test("parsePythonVersion() writes pre-releases as semantic versions do", PURE, () => {
  assertEquals(parsePythonVersion("3.13.0rc1"), {
    ok: true,
    version: { major: 3, minor: 13, patch: 0, prerelease: ["rc", 1] },
    parts: 3,
  });
  assertEquals(parsePythonVersion("3.12").ok && parsePythonVersion("3.12"), {
    ok: true,
    version: { major: 3, minor: 12, patch: 0, prerelease: [] },
    parts: 2,
  });
});

function linesOf(part: "major" | "minor", text: string): readonly string[] | string {
  const range = parseNpmRange(text);
  assert(range.ok);
  const result = listLines(range.range, part);
  return result.ok ? result.lines.map(({ name }) => name) : result.reason;
}

Deno.test("listLines() lists every line of which a release is in the range", PURE, () => {
  const cases: readonly (readonly ["major" | "minor", string, readonly string[] | string])[] = [
    ["minor", ">=2.8.2 <2.10.0", ["2.8", "2.9"]],
    ["minor", ">=2.8.2 <2.10.1", ["2.8", "2.9", "2.10"]],
    ["minor", "2.8.2", ["2.8"]],
    ["minor", "2.8 || 2.10", ["2.8", "2.10"]],
    ["minor", ">=2.8.2 <=2.9", ["2.8", "2.9"]],
    ["minor", "~1.46.0 || ~2.0.0", ["1.46", "2.0"]],
    ["minor", ">=2.8", "it has no upper bound"],
    ["minor", "^2.8", "the last minor version is not known of 2"],
    ["minor", ">=2.0.0 <2.500.0", "it has too many of them"],
    ["minor", ">2.0.0 <2.0.0", "it holds no release"],
    ["minor", ">=3.11 <3.14", ["3.11", "3.12", "3.13"]],
    ["minor", ">=3.11 <4", "the last minor version is not known of 3"],
    ["major", ">=20 <23", ["20", "21", "22"]],
    ["major", "^20.1 || ^22", ["20", "22"]],
    ["major", ">=20 <22.1", ["20", "21", "22"]],
    ["major", ">=20", "it has no upper bound"],
    ["major", ">=60 <63", ["60", "61", "62"]],
  ];
  for (const [part, range, lines] of cases) assertEquals(linesOf(part, range), lines, range);
});
