import { assert, assertEquals } from "../assert.ts";
import { sleep, waitUntil, waitUntilTaken } from "../await_process.ts";
import { CLI, decode } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";

/** The tests of this file start programs of a POSIX system. */
const POSIX: Pick<Deno.TestDefinition, "ignore"> = { ignore: Deno.build.os === "windows" };

const SIGNALS = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const;

/** It takes any machine minutes to digest so much; nothing is stored of it. */
const LARGE = 256 * 2 ** 30;

/** A kprov that has not ended then never will, or not because of the signal. */
const PATIENCE_MS = 60_000;

const KPROV = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--allow-all", CLI];

/** Starts kprov in a tree, by way of a shell command that gets it as its arguments. */
function start(
  tree: TemporaryTree,
  args: readonly string[],
  shell = 'exec "$@"',
): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", shell, "sh", ...KPROV, ...args],
    cwd: tree.path,
    env: { NO_COLOR: "1", TMPDIR: tree.path, MARK: tree.at("mark") },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function waitForEnd(child: Deno.ChildProcess): Promise<Deno.CommandOutput> {
  const timer = setTimeout(() => send(child, "SIGKILL"), PATIENCE_MS);
  try {
    return await child.output();
  } finally {
    clearTimeout(timer);
  }
}

function send(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended.
  }
}

function waitForFile(tree: TemporaryTree, name: string): Promise<void> {
  return waitUntil(name, () => listNames(tree.path).includes(name));
}

/** Debian's smallest installation has no ps. */
const SHOW_STATE = "if test -e /proc/self/status; " +
  'then sed -n \'s/^State:[[:space:]]*//p\' "/proc/$0/status"; else ps -p "$0" -o stat=; fi';

/** Whether the process whose number a file holds is there. */
function isRunning(tree: TemporaryTree, file: string): boolean {
  const args = ["-c", SHOW_STATE, Deno.readTextFileSync(tree.at(file)).trim()];
  const { stdout } = new Deno.Command("sh", { args, stderr: "null" }).outputSync();
  return /^[^Z]/.test(decode(stdout).trim());
}

/** Waits until a process has a file open; where that is not shown, for half a second. */
async function waitUntilOpened(child: Deno.ChildProcess, path: string): Promise<void> {
  if (Deno.build.os !== "linux") return await sleep(500);
  const args = ["-c", 'ls -l "/proc/$0/fd"', `${child.pid}`];
  await waitUntil(`the reading of ${path}`, () => {
    const { stdout } = new Deno.Command("sh", { args, stderr: "null" }).outputSync();
    return decode(stdout).includes(`-> ${path}\n`);
  });
}

function makeLarge(path: string): void {
  Deno.createSync(path).close();
  Deno.truncateSync(path, LARGE);
}

for (const [signal, code] of SIGNALS) {
  Deno.test(`${signal} stops a run whose command has ended`, POSIX, async () => {
    using tree = makeTree({ "a.txt": "a" });
    makeLarge(tree.at("large"));
    // The product is there before the command is gone, and renamed at no cost.
    const script = "echo $$ > pid.tmp; mv large made; mv pid.tmp pid";
    const child = start(tree, ["a.txt", "--products", "made", "--", "sh", "-c", script]);
    await waitForFile(tree, "pid");
    await waitUntil("the end of the command", () => !isRunning(tree, "pid"));
    // So that kprov knows of it too.
    await waitUntilOpened(child, tree.at("made"));
    child.kill(signal);
    const ended = await waitForEnd(child);
    assertEquals([ended.code, decode(ended.stdout)], [code, ""]);
    assertEquals(listNames(tree.at("runs")), []);
  });

  Deno.test(`${signal} stops a plain run while it reads`, POSIX, async () => {
    using tree = makeTree();
    makeLarge(tree.at("large"));
    const child = start(tree, ["large"], 'echo $$ > pid; exec "$@"');
    await waitUntilOpened(child, tree.at("large"));
    child.kill(signal);
    assertEquals((await waitForEnd(child)).code, code);
    assertEquals(listNames(tree.path), ["large", "pid"]);
  });

  Deno.test(`a second ${signal} ends kprov, and the command with it`, POSIX, async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = "trap '' INT TERM HUP; echo $$ > pid; exec sleep 60";
    const child = start(tree, ["a.txt", "--", "sh", "-c", script]);
    await waitForFile(tree, "pid");
    await waitUntilTaken(child, signal);
    child.kill(signal);
    // Sooner, it would count as the same request.
    await sleep(500);
    assert(isRunning(tree, "pid"));
    // Where kprov hears of the first one late, the second counts as the same.
    const timer = setInterval(() => send(child, signal), 500);
    child.kill(signal);
    const ended = await waitForEnd(child).finally(() => clearInterval(timer));
    assertEquals(
      [ended.code, decode(ended.stdout), decode(ended.stderr)],
      [code, "", `error: Interrupted by ${signal}\n`],
    );
    assert(!isRunning(tree, "pid"));
    assertEquals(listNames(tree.at("runs")), []);
  });

  Deno.test(`${signal} ends the step of a preflight, and no other is started`, POSIX, async () => {
    const steps = [["sh", "-c", "echo $$ > pid; exec sleep 60"], ["touch", "next"]];
    const policy = { schema: "kprovengine.policy.v1", artifacts: {}, preflight: { steps } };
    using tree = makeTree({ "docs/governance/policy.json": JSON.stringify(policy) });
    for (const args of [["init", "-q"], ["add", "docs"]]) {
      assert(new Deno.Command("git", { args, cwd: tree.path }).outputSync().success);
    }
    const child = start(tree, ["preflight"]);
    await waitForFile(tree, "pid");
    await waitUntilTaken(child, signal);
    child.kill(signal);
    const ended = await waitForEnd(child);
    assertEquals([ended.code, decode(ended.stderr)], [code, `error: Interrupted by ${signal}\n`]);
    assert(!isRunning(tree, "pid"));
    assertEquals(listNames(tree.path), [".git", "docs", "pid"]);
  });

  Deno.test(`${signal} stops a reproduction while it reads, and nothing stays`, POSIX, async () => {
    using tree = makeTree({ "a.txt": "a" });
    const script = 'if test -e "$MARK"; then truncate -s 256G b.txt; else cp a.txt b.txt; fi';
    const made = await start(
      tree,
      ["a.txt", "--products", "b.txt", "--quiet", "--at", "2026-02-15T20:13:00Z"]
        .concat("--", "sh", "-c", script),
    ).output();
    assertEquals([made.code, decode(made.stderr)], [0, ""]);
    Deno.writeTextFileSync(tree.at("mark"), "");
    const child = start(tree, ["reproduce", "runs/2026-02-15T20-13-00Z"]);
    const scratch = (): string =>
      listNames(tree.path).find((name) => name.startsWith("kprov-")) ?? "";
    await waitUntil("the product", () => {
      const name = scratch();
      if (name === "" || !listNames(tree.at(name)).includes("copy")) return false;
      return listNames(tree.at(`${name}/copy`)).includes("b.txt");
    });
    await waitUntilOpened(child, tree.at(`${scratch()}/copy/b.txt`));
    child.kill(signal);
    const ended = await waitForEnd(child);
    assertEquals([ended.code, decode(ended.stderr)], [code, `error: Interrupted by ${signal}\n`]);
    assertEquals(scratch(), "");
  });
}

/** Runs a program on a terminal of its own, and types Ctrl-C once a file is there. */
const TYPE_CTRL_C = `
import os, pty, sys, time
marker, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
while not os.path.exists(marker):
    time.sleep(0.02)
time.sleep(0.3)
os.write(terminal, b"\\x03")
try:
    while os.read(terminal, 1024): pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;

const hasPython = new Deno.Command("sh", { args: ["-c", "command -v python3"], stdout: "null" });

Deno.test("Ctrl-C on a terminal reaches the command once", {
  ignore: Deno.build.os === "windows" || !(await hasPython.output()).success,
}, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const script = "trap 'echo one >> came' INT; touch started; " +
    "until test -e came; do sleep 0.05; done; sleep 1; exit 7";
  const { code } = await new Deno.Command("python3", {
    args: ["-c", TYPE_CTRL_C, "started", ...KPROV, "a.txt", "--quiet", "--", "sh", "-c", script],
    cwd: tree.path,
    stdin: "null",
  }).output();
  assertEquals([code, Deno.readTextFileSync(tree.at("came"))], [7, "one\n"]);
  assertEquals(listNames(tree.at("runs")).length, 1);
});

Deno.test("two signals of one request count as one", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const script = "trap 'exit 7' TERM; touch started; while :; do sleep 0.05; done";
  const child = start(tree, ["a.txt", "--quiet", "--", "sh", "-c", script]);
  await waitForFile(tree, "started");
  await waitUntilTaken(child, "SIGTERM");
  // As timeout(1) does: to the process, then to its group.
  const args = ["-c", 'kill -TERM "$0"; sleep 0.01; kill -TERM "$0"', `${child.pid}`];
  assert((await new Deno.Command("sh", { args }).output()).success);
  assertEquals((await waitForEnd(child)).code, 7);
  assertEquals(listNames(tree.at("runs")).length, 1);
});

Deno.test("a command that nohup starts goes on at a signal, and so does kprov", POSIX, async () => {
  using tree = makeTree({ "a.txt": "a" });
  const script = "touch started; until test -e heard; do sleep 0.05; done; touch made";
  const args = ["a.txt", "--products", "made", "--quiet", "--", "nohup", "sh", "-c", script];
  const child = start(tree, args);
  await waitForFile(tree, "started");
  await waitUntilTaken(child, "SIGHUP");
  child.kill("SIGHUP");
  // Nothing shows that kprov has heard of it.
  await sleep(1000);
  Deno.writeTextFileSync(tree.at("heard"), "");
  const ended = await waitForEnd(child);
  assertEquals([ended.code, decode(ended.stderr)], [0, ""]);
});
