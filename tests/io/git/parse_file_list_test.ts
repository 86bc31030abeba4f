import { KprovError } from "../../../src/base/error.ts";
import { parseFileList } from "../../../src/io/git/index_file.ts";
import { assertEquals, assertThrows } from "../../assert.ts";
import { encodeText } from "./build_index.ts";
import { withRepository } from "./git_repository.ts";
import { AWKWARD_NAMES, VARIANTS } from "./index_variants.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

function parse(text: string): string[] {
  return parseFileList(encodeText(text)).map(({ path }) => path);
}

Deno.test("parseFileList() sorts by UTF-8 bytes and takes each path once", PURE, () => {
  assertEquals(parse("b\0\u{1F600}\0\uFF5E\0b\0a\nc\0\uFEFFx\0"), [
    "a\nc",
    "b",
    "\uFEFFx",
    "\uFF5E",
    "\u{1F600}",
  ]);
  assertEquals(parseFileList(encodeText("a\0")), [{ path: "a", kind: "file" }]);
});

Deno.test("parseFileList() takes the list of an empty repository", PURE, () => {
  assertEquals(parse(""), []);
});

const BAD: readonly (readonly [what: string, bytes: Uint8Array, reason: string])[] = [
  ["a list without its last NUL", encodeText("a\0b"), "does not end with a NUL"],
  ["a list by lines", encodeText("a\nb\n"), "does not end with a NUL"],
  ["an empty path", encodeText("a\0\0"), "holds an empty path"],
  ["./a", encodeText("./a\0"), 'a part "."'],
  ["../a", encodeText("../a\0"), 'a part ".."'],
  ["/a", encodeText("/a\0"), "has an empty part"],
  ["a path in .git", encodeText(".git/config\0"), 'a part ".git"'],
  ["bytes that are not UTF-8", Uint8Array.of(0xe9, 0), 'the path "\\xe9" is not valid UTF-8'],
];

for (const [what, bytes, reason] of BAD) {
  Deno.test(`parseFileList() refuses ${what}`, PURE, () => {
    assertEquals(assertThrows(() => parseFileList(bytes), KprovError, reason).code, "data");
  });
}

Deno.test("parseFileList() reads what git ls-files -z prints", () => {
  withRepository([], (repo) => {
    VARIANTS.find(({ name }) => name === "a conflict")?.build(repo);
    repo.trackAll(AWKWARD_NAMES.filter((name) => name !== "a"));
    assertEquals(parseFileList(repo.git("ls-files", "-z")).map(({ path }) => path), repo.list());
  });
});
