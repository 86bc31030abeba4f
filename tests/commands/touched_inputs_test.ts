import { assertEquals, assertStringIncludes } from "../assert.ts";
import { runKprov } from "../run_kprov.ts";
import { listNames, makeTree } from "../temporary_tree.ts";

const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

const FILES = {
  "a.txt": "good",
  "d/e/b.txt": "good",
  "tool": "#!/bin/sh\nexit 0\n",
  "other": "#!/bin/sh\nexit 0\n",
  "s.sh": '#!/bin/sh\neval "$1"\n',
};

/** What a command does, and what is refused for it: a path, or a tool in quotes. */
const CHANGES: readonly (readonly [what: string, script: string, refused: string])[] = [
  [
    "a file that is put aside and back",
    "mv a.txt b; echo evil > a.txt; cp a.txt o; mv -f b a.txt",
    "a.txt",
  ],
  [
    "a file that is written and written back, its time set back too",
    "touch -r a.txt time; printf evil > a.txt; cp a.txt o; printf good > a.txt; touch -r time a.txt",
    "a.txt",
  ],
  ["a file that is replaced by its equal", "cp a.txt b; mv -f b a.txt; touch o", "a.txt"],
  ["a file with another mode", "chmod 600 a.txt; touch o", "a.txt"],
  [
    "a link that is put aside and back",
    "mv link l; cp d/e/b.txt link; mv -f l link; touch o",
    "link",
  ],
  [
    "a directory that is put aside and back",
    "mv d x; mkdir -p d/e; echo evil > d/e/b.txt; cp d/e/b.txt o; rm -r d; mv x d",
    "d",
  ],
  [
    "a directory in between that is put aside and back",
    "mv d/e x; mkdir d/e; echo evil > d/e/b.txt; cp d/e/b.txt o; rm -r d/e; mv x d/e",
    "d/e",
  ],
  [
    "a tool that is put aside and back",
    "mv tool t; echo evil > tool; mv -f t tool; touch o",
    '"./tool"',
  ],
  [
    "a tool's link that is put aside and back",
    "mv called c; ln -s x called; mv -f c called; touch o",
    '"./called"',
  ],
  [
    "a link behind a tool's link that is put aside and back",
    "mv also-called c; ln -s x also-called; mv -f c also-called; touch o",
    '"./called"',
  ],
  [
    "the program that is put aside and back",
    "mv s.sh s; echo > s.sh; mv -f s s.sh; touch o",
    '"./s.sh"',
  ],
];

// All at once, because kprov waits for the next second in each.
Deno.test(
  "the run is refused for whatever is changed and changed back under the command",
  POSIX,
  async () => {
    await Promise.all(CHANGES.map(async ([what, script, refused]) => {
      using tree = makeTree(FILES);
      const ended = await runAround(tree.path, script);
      const isTool = refused.startsWith('"');
      const line = isTool
        ? `tool.changed: ${refused} was`
        : `${refused}: file.changed: the input was`;
      assertStringIncludes(
        ended.stderr,
        `finding: ${line} changed while the command ran, although it reads the same now\n`,
        what,
      );
      const at = `${what}: ${ended.stderr}`;
      assertEquals([ended.code, ended.stderr.split("finding:").length], [65, 2], at);
      assertEquals(listNames(tree.at("runs")), [], what);
    }));
  },
);

/** What a command may do. */
const HARMLESS: readonly (readonly [what: string, script: string])[] = [
  ["reads its inputs", "cat a.txt d/e/b.txt link > o; touch p.txt"],
  ["writes a product into an input directory", "cp a.txt d/e/o.txt; touch o p.txt"],
  [
    "writes temporary files into an input directory",
    "touch d/t d/e/t; rm d/t d/e/t; touch o p.txt",
  ],
  ["replaces an input that is a product", "cp s.sh n; mv -f n p.txt; touch o"],
];

Deno.test("a command that only does what it may is recorded", POSIX, async () => {
  await Promise.all(HARMLESS.map(async ([what, script]) => {
    using tree = makeTree({ ...FILES, "p.txt": "p" });
    const ended = await runAround(tree.path, script, ["p.txt", "--products", "p.txt"]);
    assertEquals(ended, { code: 0, stdout: "", stderr: "" }, what);
  }));
});

/** Wraps a command around fresh inputs, for which a second that is not over is the hardest. */
async function runAround(
  root: string,
  script: string,
  more: readonly string[] = [],
): ReturnType<typeof runKprov> {
  for (const name of ["tool", "other", "s.sh"]) Deno.chmodSync(`${root}/${name}`, 0o755);
  Deno.symlinkSync("d/e/b.txt", `${root}/link`);
  Deno.symlinkSync("also-called", `${root}/called`);
  Deno.symlinkSync("other", `${root}/also-called`);
  return await runKprov(
    ["a.txt", "d/e/b.txt", "link", "--links", ...more, "--products", "o", "--quiet"]
      .concat("--tool", "./tool", "--tool", "./called", "--", "./s.sh", script),
    { cwd: root, permissions: ["--allow-read", "--allow-write", "--allow-run"] },
  );
}
