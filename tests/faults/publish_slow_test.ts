import { DOCUMENT_NAMES } from "../../mod.ts";
import { assert, assertEquals } from "../assert.ts";
import { NARROW } from "../run_kprov.ts";
import { listNames, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { callKprov } from "./call_kprov.ts";
import { type Disturbed, type Scenario, sweepFaults } from "./fault_sweep.ts";
import { whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";
const RUN = `runs/${RUN_ID}`;
const TEMPORARY = `runs/.${RUN_ID}.tmp`;

const GOVERNANCE = "docs/governance";

const FILES = { "a.txt": "content" };
const RUN_TARGETS = [
  "runs",
  RUN,
  TEMPORARY,
  ...DOCUMENT_NAMES.map((name) => `${TEMPORARY}/${name}`),
];

const reason = await whyNotTraced();

function test(name: string, scenario: Scenario): void {
  Deno.test(...unless(reason, name), () => sweepFaults(scenario));
}

/** Records a run in this process, at the same second; what a killed writer left is removed. */
async function recordNext(tree: TemporaryTree): Promise<void> {
  const args = [
    tree.at("a.txt"),
    "--root",
    tree.path,
    "--out",
    tree.at("runs"),
    "--at",
    AT,
    "--quiet",
  ];
  const { code, stderr } = await callKprov(args);
  assertEquals([code, stderr], [0, ""]);
}

async function assertVerified(tree: TemporaryTree, what: string): Promise<void> {
  const { code, stdout, stderr } = await callKprov([
    "verify",
    tree.at("runs"),
    "--root",
    tree.path,
  ]);
  const said = stderr.replaceAll(/^(note: run.leftover|hint): .*\n/gm, "");
  assertEquals([code, said], [0, ""], `${what}\n${stdout}`);
}

/**
 * What is in the output directory is whole runs; only a killed process leaves something beside them,
 * which the next run removes.
 */
async function checkRuns(
  tree: TemporaryTree,
  { code, stderr, what, isKilled, mayLeave }: Disturbed,
): Promise<void> {
  const names = listNames(tree.at("runs"));
  const hidden = names.filter((name) => name.startsWith("."));
  const runs = names.filter((name) => !name.startsWith("."));
  const isWhole = code === 0 || stderr.includes("hint: the run ") || (isKilled && runs.length > 0);
  assertEquals(runs.length, isWhole ? 1 : 0, what);
  assertEquals(hidden, mayLeave ? hidden.filter((name) => name === `.${RUN_ID}.tmp`) : [], what);
  for (const name of hidden) {
    const { code } = await callKprov(["verify", tree.at(`runs/${name}`)]);
    assert(code === 1 || code === 65, `${name} is taken for a run: ${what}`);
  }
  if (isWhole) await assertVerified(tree, what);
  await recordNext(tree);
  await assertVerified(tree, what);
  assertEquals(
    listNames(tree.at("runs")),
    listNames(tree.at("runs")).filter((name) => !name.startsWith(".")),
    what,
  );
  assertEquals(listNames(tree.at("runs")).length, runs.length + 1, what);
}

async function git(tree: TemporaryTree, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("git", { args, cwd: tree.path }).output();
  assert(success);
}

/** Nothing is in a directory but what belongs there; only a killed process leaves its temporary file. */
function checkBeside(
  tree: TemporaryTree,
  directory: string,
  names: readonly string[],
  mayLeave: boolean,
  temporary = ".kprov-1.tmp",
): void {
  const allowed = mayLeave ? [...names, temporary] : names;
  const others = listNames(tree.at(directory)).filter((name) => !allowed.includes(name));
  assertEquals(others, []);
}

test("a run is published whole or not at all, whichever system call fails or is the last", {
  files: FILES,
  args: ["a.txt", "--at", AT, "--quiet"],
  permissions: NARROW,
  targets: RUN_TARGETS,
  // Where the output directory cannot be listed, nothing is known of leftovers.
  codes: { mkdir: [73], openat: [0, 73, 74], write: [74], fsync: [74], rename: [74], close: [0] },
  check: checkRuns,
});

test("a command's run is published whole or not at all, though its place was tried before", {
  files: FILES,
  args: ["a.txt", "--at", AT, "--quiet", "--", "true"],
  permissions: ["--allow-read", "--allow-write=runs", "--allow-run=true"],
  targets: RUN_TARGETS,
  only: "mkdir,rmdir,unlink,unlinkat,rename",
  codes: { mkdir: [73], rmdir: [0], unlinkat: [0], rename: [74] },
  check: checkRuns,
});

test("the file of --result is written whole or not at all, and the run stands where it was begun", {
  files: { ...FILES, "out/result.json": "old" },
  args: ["a.txt", "--at", AT, "--result", "out/result.json"],
  permissions: ["--allow-read=.", "--allow-write=runs,out"],
  targets: ["out", "out/result.json", "out/.kprov-1.tmp"],
  besides: ["runs"],
  only: "openat,rename,unlink",
  codes: { openat: [73, 74], rename: [74], unlink: [0] },
  check: async (tree, { what, mayLeave }) => {
    const text = Deno.readTextFileSync(tree.at("out/result.json"));
    assert(text === "old" || JSON.parse(text).run_dir === RUN, what);
    checkBeside(tree, "out", ["result.json"], mayLeave);
    // Where a signal is late, the system may end kprov before it listens to signals again.
    const runs = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
    if (runs.length > 0) await assertVerified(tree, what);
  },
});

test("the state of record start is written whole or not at all, and the next start works", {
  files: { ...FILES, "state/other": "" },
  args: ["record", "start", "a.txt", "--state", "state/s.json"],
  permissions: ["--allow-read=.", "--allow-write=state"],
  targets: ["state", "state/s.json", "state/.kprov-1.tmp"],
  only: "openat,write,fsync,rename,unlink",
  codes: { openat: [73, 74], write: [74], fsync: [74], rename: [74], unlink: [0] },
  check: async (tree, { code, what, mayLeave }) => {
    const state = tree.at("state/s.json");
    checkBeside(tree, "state", ["other", "s.json"], mayLeave);
    const common = ["--root", tree.path, "--out", tree.at("runs"), "--state", state];
    if (code !== 0 && !listNames(tree.at("state")).includes("s.json")) {
      const start = await callKprov(["record", "start", tree.at("a.txt"), ...common]);
      assertEquals([start.code, start.stderr], [0, ""], what);
    }
    Deno.writeTextFileSync(tree.at("b.txt"), "product");
    const finish = ["record", "finish", ...common, "--products", tree.at("b.txt")];
    const { code: finished, stderr } = await callKprov(finish);
    assertEquals([finished, stderr], [0, ""], what);
    await assertVerified(tree, what);
  },
});

test(
  "a review is recorded whole or not at all, and the next takes the place of one that was killed",
  {
    files: FILES,
    prepare: recordNext,
    args: ["review", RUN, "--approve", "--reviewer", "Ada", "--at", AT],
    permissions: ["--allow-read=runs", "--allow-write=runs"],
    targets: [RUN, `runs/.${RUN_ID}.review.tmp`],
    // Deno itself does not survive that a directory cannot be closed.
    only: "openat,write,fsync,rename,unlink",
    codes: { openat: [73, 74], write: [74], fsync: [74], rename: [74] },
    check: async (tree, { what, mayLeave }) => {
      await assertVerified(tree, what);
      const lock = `.${RUN_ID}.review.tmp`;
      checkBeside(tree, "runs", [RUN_ID], mayLeave, lock);
      const args = ["review", tree.at(RUN), "--reject", "--reviewer", "Bob", "--at", AT];
      const { code, stderr } = await callKprov(args);
      assertEquals([code, stderr], [0, ""], what);
      await assertVerified(tree, what);
    },
  },
);

test("init writes policy and lock whole or not at all, and the next init goes on", {
  files: {
    "package.json": `{"name": "acme", "version": "1.0.0"}`,
    "docs/governance/other": "",
  },
  prepare: async (tree) => {
    await git(tree, "init", "-q", ".");
    await git(tree, "add", "package.json");
  },
  args: ["init"],
  permissions: ["--allow-read=.", "--allow-write=docs/governance"],
  targets: [GOVERNANCE, `${GOVERNANCE}/.kprov-1.tmp`],
  only: "mkdir,openat,write,linkat,rename,unlink",
  codes: { mkdir: [73], openat: [73, 74], write: [74], linkat: [74], rename: [74], unlink: [0] },
  check: async (tree, { what, mayLeave }) => {
    checkBeside(tree, GOVERNANCE, ["governance.lock.json", "other", "policy.json"], mayLeave);
    const hasPolicy = listNames(tree.at(GOVERNANCE)).includes("policy.json");
    const again = ["init", "--root", tree.path, ...(hasPolicy ? ["--renew-lock"] : [])];
    const { code, stderr } = await callKprov(again);
    assertEquals([code, stderr.replace(/^note: .*\n/m, "")], [0, ""], what);
    await git(tree, "add", "-A");
    const guard = await callKprov(["guard", "lock", "--root", tree.path]);
    assertEquals([guard.code, guard.stderr], [0, ""], `${what}\n${guard.stdout}`);
  },
});
