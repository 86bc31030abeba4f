import { DirectoriesBelow } from "../../src/io/path_watch.ts";
import { assertEquals } from "../assert.ts";
import { makeTree } from "../temporary_tree.ts";

const POSIX = { ignore: Deno.build.os === "windows" };

Deno.test("DirectoriesBelow names the first part of a path that is no directory", POSIX, () => {
  using tree = makeTree({ "a/b/file": "", "away/c/file": "" });
  Deno.symlinkSync("../away", tree.at("a/link"));
  Deno.symlinkSync("nowhere", tree.at("a/broken"));
  const directories = new DirectoriesBelow(tree.path);
  const cases = {
    ".": null,
    "a": null,
    "a/b": null,
    "a/link": { name: "a/link", kind: "link" },
    "a/link/c": { name: "a/link", kind: "link" },
    "a/link/c/d/e": { name: "a/link", kind: "link" },
    "a/broken": { name: "a/broken", kind: "link" },
    "a/b/file/x": { name: "a/b/file", kind: "other" },
    "gone/x/y": { name: "gone", kind: "missing" },
    ["x/".repeat(100_000)]: { name: "x", kind: "missing" },
    ["n".repeat(300)]: { name: "n".repeat(300), kind: "other" },
  } as const;
  for (const [path, expected] of Object.entries(cases)) {
    assertEquals(directories.findObstacle(path), expected, path.slice(0, 20));
  }
});

Deno.test(
  "DirectoriesBelow says in words which link a path lies behind, and leaves the path itself alone",
  POSIX,
  () => {
    using tree = makeTree({ "a/file": "" });
    Deno.symlinkSync("a", tree.at("l\u202e"));
    const directories = new DirectoriesBelow(tree.path);
    assertEquals(
      directories.describeLink("l\u202e/file"),
      'it lies behind the symbolic link "l\\u202e"',
    );
    assertEquals(directories.describeLink("l\u202e"), null);
    assertEquals(directories.describeLink("a/file"), null);
  },
);

Deno.test(
  "DirectoriesBelow looks at a directory once, and once more where it is asked whether it changed",
  POSIX,
  () => {
    using tree = makeTree({
      "kept/file": "",
      "swapped/file": "",
      "moved/sub/file": "",
      "new/x": "",
    });
    const directories = new DirectoriesBelow(tree.path);
    for (const name of ["kept", "swapped", "moved/sub", "gone"]) directories.findObstacle(name);
    Deno.renameSync(tree.at("swapped"), tree.at("away"));
    Deno.symlinkSync("away", tree.at("swapped"));
    Deno.renameSync(tree.at("moved/sub"), tree.at("moved/old"));
    Deno.mkdirSync(tree.at("moved/sub"));
    assertEquals(directories.findObstacle("swapped"), null);
    assertEquals(
      ["kept", "swapped", "moved/sub", "gone"].map((name) => directories.isUnchanged(name)),
      [true, false, false, true],
    );
  },
);

Deno.test(
  "DirectoriesBelow tells, once they are settled, of directories that were moved and moved back",
  POSIX,
  async () => {
    using tree = makeTree({ "kept/file": "", "written/file": "", "moved/sub/file": "" });
    const fresh = new DirectoriesBelow(tree.path);
    fresh.findObstacle("kept");
    assertEquals(fresh.areSettled(), false);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const directories = new DirectoriesBelow(tree.path);
    const names = ["kept", "written", "moved/sub", "gone"];
    for (const name of names) directories.findObstacle(name);
    assertEquals(directories.areSettled(), true);
    Deno.writeTextFileSync(tree.at("written/new"), "");
    Deno.renameSync(tree.at("moved"), tree.at("away"));
    Deno.renameSync(tree.at("away"), tree.at("moved"));
    assertEquals(names.map((name) => directories.isUnchanged(name)), [true, true, false, true]);
  },
);
