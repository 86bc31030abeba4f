import fc from "fast-check";
import { KprovError } from "../../src/base/error.ts";
import { compileGlobFinder, compileGlobs } from "../../src/base/glob.ts";
import { assert, assertEquals, assertThrows } from "../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const MATCHES: readonly (readonly [glob: string, matched: string, other: string])[] = [
  ["runs/**", "runs/a matches any depth/b.json", "runs"],
  ["runs/**", "runs/a/b.json", "docs/runs/a"],
  ["runs/**", "runs/.hidden", "runs2/a"],
  ["**", "a/b", ""],
  ["**/.env", ".env", ".env.example"],
  ["**/.env", "a/b/.env", "a/b.env"],
  ["**/*.pyc", "x.pyc", "x.pyc/y"],
  ["a/**/b", "a/b", "ab"],
  ["a/**/b", "a/x/y/b", "a/x/yb"],
  ["**/node_modules/**", "a/node_modules/b/c", "a/node_modulesb/c"],
  ["**/a/**/b/**", "a/b/c", "a/b"],
  ["*.md", "README.md", "docs/README.md"],
  ["*", ".gitignore", "a/b"],
  ["docs/*/x", "docs/a/x", "docs/a/b/x"],
  ["?", "\u{1F600}", "ab"],
  ["a?b", "axb", "a/b"],
  ["[ab]c", "bc", "cc"],
  ["[!ab]c", "cc", "ac"],
  ["[^ab]c", "cc", "bc"],
  ["a[!b]c", "axc", "a/c"],
  ["[]]", "]", "["],
  ["[!]]", "[", "]"],
  ["[a-]", "-", "b"],
  ["[a-c]", "b", "d"],
  ["[\u00E0-\u00E9]", "\u00E5", "z"],
  ["[[:digit:][:upper:]]x", "7x", "ax"],
  ["[\\]]", "]", "\\"],
  ["{a,b}/*.ts", "b/x.ts", "c/x.ts"],
  ["a{,.bak}", "a", "a."],
  ["{a,b{c,d/**}}", "bd/e/f", "bd"],
  ["**/node_modules{,/**}", "x/node_modules", "x/node_modules2"],
  ["[{,}]", ",", "a"],
  ["a,b", "a,b", "a"],
  ["\\*", "*", "a"],
  ["\\!a\\{\\}", "!a{}", "a"],
  ["(a|b)+", "(a|b)+", "a"],
  ["a.b", "a.b", "axb"],
  ["Makefile", "Makefile", "makefile"],
];

for (const [glob, matched, other] of MATCHES) {
  Deno.test(
    `compileGlobs() of ${glob} matches ${matched} and not ${other || "nothing"}`,
    PURE,
    () => {
      assert(compileGlobs([glob])(matched));
      assert(glob === "**" || !compileGlobs([glob])(other));
    },
  );
}

const REFUSED: readonly (readonly [glob: string, reason: string])[] = [
  ["", "is empty"],
  ["{,a}", "is empty"],
  ["/runs/**", 'starts with "/"'],
  ["runs/", 'ends with "/"'],
  ["{a,b/}", 'ends with "/"'],
  ["a//b", "empty part"],
  ["./a", 'a part "." or ".."'],
  ["a/../b", 'a part "." or ".."'],
  ["!a", "does not negate"],
  ["a**", '"**" must stand alone'],
  ["**.pyc", '"**" must stand alone'],
  ["{**,a}b", '"**" must stand alone'],
  ["***", 'more than two "*"'],
  ["[a", '"[" is not closed'],
  ["[", '"[" is not closed'],
  ["[]", '"[" is not closed'],
  ["[a\\", '"[" is not closed'],
  ["[z-a]", "runs backwards"],
  ["[a/b]", 'never matches "/"'],
  ["[[:nope:]]", "is not known"],
  ["[[:constructor:]]", "is not known"],
  ["{a,b", '"{" is not closed'],
  ["a}", '"}" closes nothing'],
  ["{a}", 'no "," in it'],
  ["a\\", 'ends with "\\"'],
  ["{a,b}".repeat(11), "more than 1000 alternatives"],
  ["{a,".repeat(11) + "}".repeat(11), "nested deeper than 10"],
  ["a".repeat(8193), "longer than 8192 characters"],
];

Deno.test("compileGlobs() takes a glob that is as deep or as long as one may be", PURE, () => {
  const deepest = `${"{a,".repeat(10)}b${"}".repeat(10)}`;
  assertEquals(compileGlobs([deepest])("a"), true);
  assertEquals(compileGlobs(["a".repeat(8192)])("a".repeat(8192)), true);
});

for (const [glob, reason] of REFUSED) {
  Deno.test(`compileGlobs() refuses ${glob.slice(0, 40)}: ${reason}`, PURE, () => {
    const error = assertThrows(
      () => compileGlobs(["a", glob], "/artifacts/deny"),
      KprovError,
      reason,
    );
    assertEquals(error.code, "policy");
    assert(error.message.includes("at /artifacts/deny/1: "));
  });
}

Deno.test("compileGlobs() of no glob matches nothing", PURE, () => {
  assertEquals(compileGlobs([])("a"), false);
});

Deno.test("compileGlobs() refuses globs that together would take too much memory", PURE, () => {
  const glob = "{a,b}".repeat(9) + "a".repeat(100);
  assertThrows(() => compileGlobs([glob]), KprovError, "too many");
});

Deno.test("compileGlobFinder() names the first glob that matches", PURE, () => {
  const find = compileGlobFinder(["a/*", "{b,c}/**", "**"]);
  assertEquals(["a/x", "c/x", "a/b/c", "c"].map(find), [0, 1, 2, 2]);
});

/** The same meaning without an automaton, one glob at a time, slow and plain. */
function matchesSlowly(glob: readonly string[], path: readonly string[]): boolean {
  const [part, ...rest] = glob;
  if (part === undefined) return path.length === 0;
  if (part === "**" && rest.length === 0) return path.length > 0;
  if (part === "**") return path.some((_, i) => matchesSlowly(rest, path.slice(i)));
  const [name, ...names] = path;
  return name !== undefined && matchesPart(part, name) && matchesSlowly(rest, names);
}

function matchesPart(part: string, name: string): boolean {
  if (part === "") return name === "";
  if (part.startsWith("*")) {
    return matchesPart(part.slice(1), name) || (name !== "" && matchesPart(part, name.slice(1)));
  }
  return name !== "" && (part[0] === "?" || part[0] === name[0]) &&
    matchesPart(part.slice(1), name.slice(1));
}

const name = fc.string({ unit: fc.constantFrom("a", "b", "."), minLength: 1, maxLength: 4 })
  .filter((text) => !/^\.{1,2}$/.test(text));
const globPart = fc.oneof(
  fc.constant("**"),
  fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), minLength: 1, maxLength: 5 })
    .map((text) => text.replace(/\*+/g, "*"))
    .filter((text) => !/^\.{1,2}$/.test(text)),
);

Deno.test("compileGlobs() agrees with a plain definition, for many globs at once", PURE, () => {
  const globs = fc.array(fc.array(globPart, { minLength: 1, maxLength: 5 }), { maxLength: 5 });
  const path = fc.array(name, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(globs, fc.array(path), (parts, paths) => {
      const isMatch = compileGlobs(parts.map((part) => part.join("/")));
      for (const names of paths) {
        const expected = parts.some((part) => matchesSlowly(part, names));
        assertEquals(isMatch(names.join("/")), expected);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("compileGlobs() reads a path once, where backtracking would never end", PURE, () => {
  const isMatch = compileGlobs(["**/".repeat(60) + "*a".repeat(60) + "b", "*a*".repeat(1) + "c"]);
  assertEquals(isMatch("a/".repeat(5_000) + "a".repeat(50_000)), false);
  assert(isMatch("a/".repeat(500) + "a".repeat(500) + "b"));
});

Deno.test("compileGlobs() stays right when its states outgrow their limit", PURE, () => {
  // Each of the 2^14 ways that the last characters can be makes a state of its own.
  const isMatch = compileGlobs([`**/*a${"?".repeat(14)}`]);
  for (let i = 0; i < 6_000; i++) {
    const text = (i * 2654435761 % 2 ** 32).toString(2).padStart(32, "0").replaceAll("1", "a");
    assertEquals(isMatch(text), text.at(-15) === "a", text);
  }
});
