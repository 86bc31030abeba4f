import fc from "fast-check";
import { compileGlobs } from "../../src/base/glob.ts";
import { assert, assertEquals } from "../assert.ts";
import { splitList, withRepository } from "../io/git/git_repository.ts";

const PART = ["a", "b", "ab", ".a", "B", "-"];

/** All paths of one and two parts, and those of three that do not clash with them. */
function listPaths(): string[] {
  const files = PART.map((part) => `${part}.f`);
  const directories = PART.flatMap((part) => [part, ...PART.map((inner) => `${part}/${inner}`)]);
  return [...files, ...directories.flatMap((directory) => files.map((f) => `${directory}/${f}`))];
}

const piece = fc.constantFrom(
  "a",
  "b",
  ".",
  ".f",
  "B",
  "-",
  "*",
  "?",
  "[ab]",
  "[!a]",
  "[^b]",
  "[a-b]",
  "[[:lower:]]",
  "[-B]",
  "\\a",
);
const part = fc.oneof(
  { weight: 1, arbitrary: fc.constant("**") },
  {
    weight: 3,
    arbitrary: fc.array(piece, { minLength: 1, maxLength: 4 })
      .map((pieces) => pieces.join("").replace(/\*+/g, "*"))
      .filter((text) => !/^\.{1,2}$/.test(text)),
  },
);

Deno.test("compileGlobs() matches what git matches", () => {
  withRepository([], (repo) => {
    const paths = listPaths();
    repo.trackAll(paths);
    const all = repo.list();
    assertEquals(all.length, paths.length);
    let matched = 0;
    // Without a wildcard, a pathspec of git's also matches what lies below the path.
    const glob = fc.array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join("/"))
      .filter((text) => /[*?[]/.test(text));
    fc.assert(
      fc.property(glob, (text) => {
        const listed = splitList(repo.git("ls-files", "-z", "--", `:(glob)${text}`));
        assertEquals(all.filter(compileGlobs([text])), listed, text);
        matched += listed.length;
      }),
      { numRuns: 400 },
    );
    assert(matched > 1000, "too few globs matched anything");
  });
});
