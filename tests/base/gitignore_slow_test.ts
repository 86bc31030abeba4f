import fc from "fast-check";
import { KprovError } from "../../src/base/error.ts";
import { compileIgnoreList, parseIgnoreLine, parseIgnorePattern } from "../../src/base/glob.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";
import { type GitRepository, splitList, withRepository } from "../io/git/git_repository.ts";

const PATHS: readonly string[] = [
  "#x",
  "!x",
  "a b",
  "a.log",
  "a.tmp",
  "b ",
  "p/a.log",
  "p/keep.log",
  "p/node_modules/m/index.js",
  "p/q/a.tmp",
  "p/q/r/a.log",
  "p/q/r/z",
  "node_modules/m/index.js",
  "z",
  "{a,b}",
  "*",
  "[x]",
  "x/p/q/a.log",
  "x/y/z/a",
  "Z.LOG",
  "-/--/+",
];

/** Each is the lines of one .gitignore file. */
const LISTS: readonly (readonly string[])[] = [
  ["a.log"],
  ["/a.log"],
  ["p/a.log"],
  ["/p/a.log"],
  ["q/a.log"],
  ["*.log"],
  ["/*.log"],
  ["*/*.log"],
  ["p/*.log"],
  ["**/*.log"],
  ["p/**/*.log"],
  ["p/**"],
  ["p/**/"],
  ["p/*"],
  ["p/"],
  ["/p/"],
  ["/p"],
  ["p"],
  ["q"],
  ["q/"],
  ["p/q"],
  ["p/q/"],
  ["/q"],
  ["z"],
  ["z/"],
  ["/z"],
  ["/z/"],
  ["node_modules"],
  ["node_modules/"],
  ["/node_modules/"],
  ["**/node_modules"],
  ["**/node_modules/"],
  ["node_modules/**"],
  ["p/node_modules/"],
  ["**"],
  ["/**"],
  ["**/"],
  ["*"],
  ["*/"],
  ["/*"],
  ["/*/"],
  ["***"],
  ["p/***"],
  ["**/q"],
  ["**/q/**"],
  ["x/**/a"],
  ["x/**/y"],
  ["x/**/**/a"],
  ["x**"],
  ["**x"],
  ["?"],
  ["?.log"],
  ["p?q"],
  ["p/?"],
  ["[az]"],
  ["[!a].*"],
  ["[^z]"],
  ["[a-z].log"],
  ["[[:upper:]]*"],
  ["[]x]*"],
  ["p[+-9]q"],
  ["/p[+-9]q"],
  ["/p[+-.0-9]q"],
  ["[+-9]"],
  ["[a-]*"],
  ["\\*"],
  ["\\[x]"],
  ["\\a.log"],
  ["\\#x"],
  ["#x"],
  ["\\!x"],
  ["!x"],
  ["{a,b}"],
  ["{a,z}"],
  ["a,z"],
  ["a b"],
  ["a\\ b"],
  ["b"],
  ["b "],
  ["b\\ "],
  ["b\\  "],
  ["b\\\\ "],
  ["a.log  "],
  ["  a.log"],
  ["p/ "],
  [" "],
  [""],
  ["/"],
  ["//"],
  ["p//"],
  ["./a.log"],
  ["../a.log"],
  ["."],
  ["!"],
  ["-"],
  ["-/--"],
  ["Z.log"],
  ["*.LOG"],
  ["*.log", "!keep.log"],
  ["!keep.log", "*.log"],
  ["*.log", "!/a.log"],
  ["p/", "!p/keep.log"],
  ["p/*", "!p/keep.log"],
  ["p/**", "!p/keep.log"],
  ["p/**", "!p/q/", "!p/q/a.tmp"],
  ["/*", "!/p", "/p/*", "!/p/q"],
  ["*", "!*/", "!*.log"],
  ["z", "!z/"],
  ["!z/", "z"],
  ["q", "!p/q", "p/q/r/"],
  ["#a comment", "", "*.tmp   ", "\\!x", "!\\!x"],
];

function makePaths(repo: GitRepository): void {
  for (const path of PATHS) repo.write(path);
}

function listIgnoredByGit(repo: GitRepository, lines: readonly string[]): string[] {
  Deno.writeTextFileSync(`${repo.path}/.git/info/exclude`, `${lines.join("\n")}\n`);
  const { stdout } = repo.tryGit("ls-files", "-z", "--others", "--ignored", "--exclude-standard");
  return splitList(stdout);
}

function listIgnored(lines: readonly string[]): string[] {
  const patterns = lines.map(parseIgnoreLine).filter((line) => line !== null);
  const { isIgnored } = compileIgnoreList(patterns.map(parseIgnorePattern));
  return PATHS.filter((path) =>
    listAncestors(path).some((directory) => isIgnored(directory, true)) || isIgnored(path, false)
  );
}

function listAncestors(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

Deno.test("a list of patterns ignores what git check-ignore does", () => {
  withRepository([], (repo) => {
    makePaths(repo);
    for (const lines of LISTS) {
      Deno.writeTextFileSync(`${repo.path}/.git/info/exclude`, `${lines.join("\n")}\n`);
      const input = `${repo.path}/.git/paths`;
      Deno.writeTextFileSync(input, PATHS.map((path) => `${path}\0`).join(""));
      const script = "!git check-ignore --no-index -z --stdin < .git/paths || test $? = 1";
      const ignored = splitList(repo.git("-c", `alias.ask=${script}`, "ask"));
      assertEquals(listIgnored(lines), ignored, lines.join(" | "));
    }
  });
});

const piece = fc.constantFrom("a", "p", "q", "z", ".log", ".", "*", "?", "[a-q]", "[!a]", "\\a");
const part = fc.oneof(
  { weight: 1, arbitrary: fc.constant("**") },
  {
    weight: 3,
    // What git makes of stars beside other characters, as in `a**/b`, is not what its page says.
    arbitrary: fc.array(piece, { minLength: 1, maxLength: 3 })
      .map((pieces) => pieces.join("").replace(/\*+/g, "*")),
  },
);
const line = fc.tuple(
  fc.constantFrom("", "", "", "!"),
  fc.constantFrom("", "", "/"),
  fc.array(part, { minLength: 1, maxLength: 3 }),
  fc.constantFrom("", "", "/"),
).map(([negation, start, parts, end]) => `${negation}${start}${parts.join("/")}${end}`);

Deno.test("a list of random patterns ignores what git ignores", () => {
  withRepository([], (repo) => {
    makePaths(repo);
    let count = 0;
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
        const ignored = listIgnoredByGit(repo, lines);
        assertEquals(listIgnored(lines), PATHS.filter((path) => ignored.includes(path)));
        count += ignored.length;
      }),
      { numRuns: 200 },
    );
    assert(count > 500, "too few patterns ignored anything");
  });
});

const MALFORMED: readonly (readonly [pattern: string, reason: string])[] = [
  ["[a", 'a "[" is not closed'],
  ["a\\", 'it ends with "\\"'],
  ["[b-a]", "a range of characters runs backwards"],
  ["p[/]q", 'a "[...]" never matches "/"'],
  ["[[:word:]]", 'a class such as "[:alpha:]" is not known'],
  ["a".repeat(8193), "it is longer than 8192 characters"],
];

Deno.test("a malformed pattern is refused, which git takes and never matches", () => {
  for (const [pattern, reason] of MALFORMED) {
    assertThrows(() => parseIgnorePattern(pattern), KprovError, reason);
  }
});

Deno.test("a pattern that matched nothing is told, also one that another overrules", () => {
  const patterns = ["*.tmp", "x/", "!keep.tmp", "/a"].map(parseIgnorePattern);
  const { isIgnored, listUnused } = compileIgnoreList(patterns);
  assertEquals(listUnused(), [0, 1, 2, 3]);
  assertEquals([isIgnored("d/keep.tmp", false), isIgnored("d/x", false)], [false, false]);
  assertEquals(listUnused(), [1, 3]);
});
