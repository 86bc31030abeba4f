import { describeNameFault, KprovError, parseLockfile, sha256Hex } from "../../mod.ts";
import { findCovering } from "../../src/evidence/provenance.ts";
import { checkLists } from "../../src/evidence/check_names.ts";
import { formatRunId, formatUtcSecond, parseUtcSecond } from "../../src/evidence/run_summary.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const NAMES: readonly (readonly [name: string, fault: string | null])[] = [
  ["a", null],
  ["a/b.c/..d", null],
  ["a\nb \u202e", null],
  ["-a_1/b.tar.gz", null],
  ["a./b", null],
  ["...", null],
  ["漢/é", null],
  ["", "is empty"],
  ["/a", "is absolute"],
  ["a//b", "has an empty part"],
  ["a/", "has an empty part"],
  [".", 'has a part "."'],
  ["a/./b", 'has a part "."'],
  ["..", 'has a part ".."'],
  ["a/../b", 'has a part ".."'],
  ["a\\b", "holds a backslash, which separates folders on other systems"],
  ["a\0b", "holds a NUL character"],
  ["a\uFFFDb", "is not valid UTF-8, or holds U+FFFD, which stands for that"],
  ["a\ud800", "holds a lone surrogate"],
];

for (const [name, fault] of NAMES) {
  Deno.test(`describeNameFault() of ${JSON.stringify(name)} says ${fault}`, PURE, () => {
    assertEquals(describeNameFault(name), fault);
  });
}

Deno.test("findCovering() gives the path that a name lies in, the outermost first", PURE, () => {
  const given = (...paths: readonly string[]): string | null =>
    findCovering("a/b/c", new Set(paths));
  assertEquals(given("a/b", "a"), "a");
  assertEquals(given("a/b"), "a/b");
  assertEquals(given("a/b/c"), "a/b/c");
  assertEquals(given("."), ".");
  assertEquals(given("a/b/c/d", "b", "a/"), null);
});

Deno.test("checkLists() takes tools in any order, and names a file below a file", PURE, () => {
  const lists = { inputs: ["."], exclude: [], names: ["a"], tools: [] };
  const sha256 = "ab".repeat(32);
  const tools = [{ name: "sh", sha256 }, { name: "awk", sha256 }];
  assertEquals(checkLists({ ...lists, tools }), []);
  assertEquals(checkLists({ ...lists, names: ["a", "a/b/c"] }).map(({ message }) => message), [
    'materials names "a/b/c" below "a", a file',
  ]);
});

const TIMES: readonly (readonly [text: string, expected: string | null])[] = [
  ["2026-02-15T20:13:00Z", "2026-02-15T20:13:00Z"],
  ["2026-02-15T20-13-00Z", "2026-02-15T20:13:00Z"],
  ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"],
  ["2026-02-29T00:00:00Z", null],
  ["2026-13-01T00:00:00Z", null],
  ["2026-01-01T24:00:00Z", null],
  ["2026-01-01T00:00:60Z", null],
  ["2026-01-01T00:00:00", null],
  ["2026-01-01T00:00:00.5Z", null],
  ["2026-01-01T00:00:00+00:00", null],
  ["2026-01-01", null],
  [" 2026-01-01T00:00:00Z", null],
];

for (const [text, expected] of TIMES) {
  Deno.test(`parseUtcSecond() makes ${expected} of "${text}"`, PURE, () => {
    assertEquals(parseUtcSecond(text), expected);
  });
}

Deno.test(
  "formatRunId() names the first run of a second after it, and later ones with a number",
  PURE,
  () => {
    const at = formatUtcSecond(new Date("2026-02-15T20:13:00.999Z"));
    assertEquals(formatRunId(at, 1), "2026-02-15T20-13-00Z");
    assertEquals(formatRunId(at, 2), "2026-02-15T20-13-00Z-2");
  },
);

Deno.test("parseLockfile() lists the packages of both registries, sorted", PURE, () => {
  const text = JSON.stringify({
    version: "5",
    specifiers: { "npm:zod@4": "4.6.7" },
    npm: { "zod@4.6.7": { integrity: "sha512-b" }, "a@1.0.0_b@2.0.0": { integrity: "sha512-a" } },
    jsr: { "@std/path@1.0.0": { integrity: "abc" } },
  });
  assertEquals(parseLockfile(text), {
    sha256: sha256Hex(text),
    packages: [
      { name: "@std/path", version: "1.0.0", integrity: "abc" },
      { name: "a", version: "1.0.0_b@2.0.0", integrity: "sha512-a" },
      { name: "zod", version: "4.6.7", integrity: "sha512-b" },
    ],
  });
});

const BAD_LOCKFILES = [
  "",
  "[]",
  "{}",
  '{"version":"9"}',
  '{"version":"5","npm":[]}',
  '{"version":"5","npm":{"a@1":{}}}',
];

for (const text of BAD_LOCKFILES) {
  Deno.test(`parseLockfile() refuses ${JSON.stringify(text)}`, PURE, () => {
    assertThrows(() => parseLockfile(text), KprovError, "Cannot parse the lockfile");
  });
}

Deno.test("the lockfile that ships pins what deno.json maps", async () => {
  const { SHIPPED_LOCKFILE } = await import("../../src/commands/write_run.ts");
  const { packages } = parseLockfile(SHIPPED_LOCKFILE);
  assert(packages.some(({ name, version }) => name === "zod" && version === "4.6.7"));
});
