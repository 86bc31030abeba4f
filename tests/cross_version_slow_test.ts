import { diffRuns, type Finding, readRun, type Run } from "../mod.ts";
import { gatherRun } from "../src/io/run_files.ts";
import { assert, assertEquals } from "./assert.ts";
import { CLI, decode, NARROW, runKprov } from "./run_kprov.ts";
import { makeTree } from "./temporary_tree.ts";
import { unless } from "./unless.ts";

/** The two ends of the supported range; the test compares the running Deno with the other one. */
const [OLDEST, NEWEST] = ["2.8.2", "2.9.6"];

const OTHER = Deno.version.deno === OLDEST ? NEWEST : OLDEST;

/** Runs kprov on the other Deno, which comes from npm. */
function runOther(cwd: string, permissions: readonly string[], args: readonly string[]) {
  return new Deno.Command("npx", {
    args: ["-y", `deno@${OTHER}`, "run", "--quiet", "--no-prompt", ...permissions, CLI, ...args],
    cwd,
  }).output();
}

/** Why the other Deno cannot be had, or null. */
async function whyNotOther(): Promise<string | null> {
  if (Deno.build.os === "windows") return "npx is a script on Windows";
  try {
    const { success } = await new Deno.Command("npx", {
      args: ["-y", `deno@${OTHER}`, "--version"],
    }).output();
    return success ? null : `npx cannot get Deno ${OTHER}`;
  } catch {
    return "npx is not installed";
  }
}

const noOther = await whyNotOther();

function openRun(path: string): Run {
  const { run, findings } = readRun(gatherRun(path));
  assertEquals(findings, []);
  assert(run !== null);
  return run;
}

Deno.test(
  ...unless(
    noOther,
    "runs written by two versions of Deno differ in the toolchain and in nothing else",
  ),
  async () => {
    using tree = makeTree({ "data/\uFF5E": "a", "data/\u{1F600}": "b", "input.txt": "c" });
    const args = ["input.txt", "data", "--quiet", "--at"];
    const own = await runKprov([...args, "2026-02-15T20:13:00Z"], { cwd: tree.path });
    assertEquals(own.stderr, "");
    const { code, stderr } = await runOther(tree.path, NARROW, [...args, "2026-02-16T20:13:00Z"]);
    assertEquals(code, 0, decode(stderr));
    const changes = diffRuns(
      openRun(tree.at("runs/2026-02-15T20-13-00Z")),
      openRun(tree.at("runs/2026-02-16T20-13-00Z")),
    );
    assertEquals(new Set(changes.map(({ kind }) => kind)), new Set(["toolchain"]));
    const deno = changes.find(({ name }) => name === "deno");
    assertEquals([deno?.before, deno?.after], [Deno.version.deno, OTHER]);
  },
);

Deno.test(
  ...unless(noOther, "diff and reproduce name another Deno, and nothing else"),
  async () => {
    using tree = makeTree({ "a.txt": "a" });
    const permissions = ["--allow-all"];
    const record = (
      at: string,
    ): string[] => [
      "a.txt",
      "--products",
      "b.txt",
      "--quiet",
      "--at",
      at,
      "--",
      "cp",
      "a.txt",
      "b.txt",
    ];
    const own = await runKprov(record("2026-02-15T20:13:00Z"), { cwd: tree.path, permissions });
    assertEquals([own.code, own.stderr], [0, ""]);
    Deno.removeSync(tree.at("b.txt"));
    const other = await runOther(tree.path, permissions, record("2026-02-16T20:13:00Z"));
    assertEquals([other.code, decode(other.stderr)], [0, ""]);
    const call = { cwd: tree.path, permissions };
    const runs = ["runs/2026-02-15T20-13-00Z", "runs/2026-02-16T20-13-00Z"] as const;
    const diff = await runKprov(["diff", ...runs, "--format", "json"], call);
    const { changes } = JSON.parse(diff.stdout);
    const kinds = new Set(changes.map(({ kind }: { readonly kind: string }) => kind));
    assertEquals([diff.code, [...kinds]], [1, ["toolchain"]]);
    const again = await runKprov(["reproduce", runs[1], "--format", "json"], call);
    const { reproducible, findings } = JSON.parse(again.stdout);
    assertEquals([again.code, reproducible], [0, true], again.stderr);
    assertEquals(
      findings.map(({ code, level, message }: Finding) => [code, level, message]),
      [["toolchain.changed", "note", `deno ${OTHER} -> ${Deno.version.deno}`]],
    );
  },
);
