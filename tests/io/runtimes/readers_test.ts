import { parsePythonCall, readPythonPackage } from "../../../src/io/runtimes/readers.ts";
import { assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const CALLS: readonly (readonly [args: string, options: string, script: string | null])[] = [
  ["clean.py", "", "clean.py"],
  ["clean.py -s -m x", "", "clean.py"],
  ["-u clean.py", "", "clean.py"],
  ["-I clean.py", "-I", "clean.py"],
  ["-sE clean.py", "-s -E", "clean.py"],
  ["-c pass -I", "", null],
  ["-Ic pass", "-I", null],
  ["-m pkg clean.py", "", null],
  ["-sm pkg", "-s", null],
  ["-mpkg", "", null],
  ["-W error clean.py", "", "clean.py"],
  ["-Werror clean.py", "", "clean.py"],
  ["-uW error clean.py", "", "clean.py"],
  ["-X dev -P clean.py", "-P", "clean.py"],
  ["-Xdev clean.py", "", "clean.py"],
  ["--check-hash-based-pycs never clean.py", "", "clean.py"],
  ["-", "", null],
  ["", "", null],
];

for (const [args, options, script] of CALLS) {
  Deno.test(`parsePythonCall() reads python ${args}`, PURE, () => {
    const words = args.split(" ").filter((word) => word !== "");
    const expected = { options: options.split(" ").filter((word) => word !== ""), script };
    assertEquals(parsePythonCall(words), expected);
  });
}

const SHA = "ab".repeat(32);
const COMMIT = "cd".repeat(20);

const PACKAGES: readonly (readonly [what: string, told: unknown, expected: unknown])[] = [
  ["from an index", { direct_url: {}, sha256: SHA }, { sha256: SHA }],
  ["without RECORD", { direct_url: {}, sha256: null }, {}],
  [
    "from git, with a token in the URL",
    {
      direct_url: {
        url: "https://user:token@example.org/a.git",
        vcs_info: { vcs: "git", commit_id: COMMIT, requested_revision: "main" },
      },
      sha256: SHA,
    },
    { sha256: SHA, source: { url: "https://example.org/a.git", commit: COMMIT } },
  ],
  [
    "from an archive of this machine",
    {
      direct_url: {
        url: "file:///home/ada/a.whl",
        archive_info: { hash: `sha256=${SHA}`, hashes: { sha256: SHA } },
      },
    },
    { source: { archive: `sha256:${SHA}` } },
  ],
  [
    "from an archive with the old field alone",
    { direct_url: { url: "https://example.org/a.whl", archive_info: { hash: `sha256=${SHA}` } } },
    { source: { url: "https://example.org/a.whl", archive: `sha256:${SHA}` } },
  ],
  [
    "from a directory of this machine",
    { direct_url: { url: "file:///home/ada/a", dir_info: {} }, sha256: SHA },
    { sha256: SHA },
  ],
  [
    "that is edited in place, whose RECORD holds the machine's paths",
    { direct_url: { url: "file:///home/ada/a", dir_info: { editable: true } }, sha256: SHA },
    { editable: true },
  ],
  ["with nonsense in direct_url.json", { direct_url: [1], sha256: SHA }, { sha256: SHA }],
];

for (const [what, told, expected] of PACKAGES) {
  Deno.test(`readPythonPackage() records a package ${what}`, PURE, () => {
    const entry = { name: "a", version: "1.0", ...Object(told) };
    assertEquals(
      readPythonPackage(entry),
      Object({ name: "a", version: "1.0", ...Object(expected) }),
    );
  });
}
