import { diffRuns, readRun, type Run } from "../mod.ts";
import { gatherRun } from "../src/io/run_files.ts";
import { assert, assertEquals } from "./assert.ts";
import { CLI, decode, NARROW, runKprov } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";

/** The two ends of the supported range; the test compares the running Deno with the other one. */
const [OLDEST, NEWEST] = ["2.8.2", "2.9.6"];

async function isNpxInstalled(): Promise<boolean> {
  try {
    return (await new Deno.Command("npx", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

function openRun(path: string): Run {
  const { run, findings } = readRun(gatherRun(path));
  assertEquals(findings, []);
  assert(run !== null);
  return run;
}

Deno.test({
  name: "runs written by two versions of Deno differ in the toolchain and in nothing else",
  // The other version comes from npm.
  ignore: Deno.build.os === "windows" || !await isNpxInstalled(),
  fn: async () => {
    using tree = makeTree({ "data/\uFF5E": "a", "data/\u{1F600}": "b", "input.txt": "c" });
    const args = ["input.txt", "data", "--quiet", "--at"];
    const own = await runKprov([...args, "2026-02-15T20:13:00Z"], { cwd: tree.path });
    assertEquals(own.stderr, "");
    const other = Deno.version.deno === OLDEST ? NEWEST : OLDEST;
    const { code, stderr } = await new Deno.Command("npx", {
      args: ["-y", `deno@${other}`, "run", "--quiet", "--no-prompt", ...NARROW, CLI, ...args]
        .concat(["2026-02-16T20:13:00Z"]),
      cwd: tree.path,
    }).output();
    assertEquals(code, 0, decode(stderr));
    const changes = diffRuns(
      openRun(tree.at("runs/2026-02-15T20-13-00Z")),
      openRun(tree.at("runs/2026-02-16T20-13-00Z")),
    );
    assertEquals(new Set(changes.map(({ kind }) => kind)), new Set(["toolchain"]));
    const deno = changes.find(({ name }) => name === "deno");
    assertEquals([deno?.before, deno?.after], [Deno.version.deno, other]);
  },
});
