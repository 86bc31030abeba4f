import { assert, assertEquals } from "../assert.ts";
import { waitUntil } from "../await_process.ts";
import { decode } from "../run_kprov.ts";
import { listNames, makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { unless } from "../unless.ts";
import { callKprov } from "./call_kprov.ts";
import { type Call, type Traced, traceKprov, whyNotTraced } from "./strace.ts";

const AT = "2026-02-15T20:13:00Z";
const RUN_ID = "2026-02-15T20-13-00Z";

/** What asks kprov to end, with the exit code. */
const ASKING: readonly (readonly [name: string, code: number])[] = [
  ["TERM", 143],
  ["INT", 130],
  ["HUP", 129],
];

/** Calls by which kprov looks, starts a command, hears of it and writes. */
const CALLS = "openat,mkdir,rename,unlinkat,rmdir,flock,fsync,write,getdents64,pipe2,epoll_ctl," +
  "pidfd_open,wait4,kill";

/** A command that goes on for some seconds when it has made its product. */
const writeScript = (seconds: number): string => `cp a.txt out.txt; exec sleep ${seconds}`;

/** A moment at which a signal comes. */
interface Moment {
  readonly call: Call;
  /** Whether the command runs, or is about to start; else it has ended. */
  readonly isDuring: boolean;
}

const bundle = makeTree();
globalThis.addEventListener("unload", () => bundle[Symbol.dispose]());

const reason = await whyNotTraced();

/** It starts in half the time of the sources, and reads nothing of them between its own calls. */
async function makeBundle(): Promise<string> {
  const entry = new URL("../../cli.ts", import.meta.url).pathname;
  const path = bundle.at("kprov.js");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--output", path, entry],
  }).output();
  assert(success, decode(stderr));
  return path;
}

/** How kprov is started. */
interface Start {
  /** Its bundle. */
  readonly entry: string;
  /** Whether strace watches the command. */
  readonly isWatched: boolean;
}

async function runCommand(
  tree: TemporaryTree,
  { entry, isWatched }: Start,
  { inject, seconds }: { readonly inject: string | null; readonly seconds: number },
): Promise<Traced> {
  Deno.mkdirSync(tree.at("tmp"));
  const args = ["a.txt", "--products", "out.txt", "--at", AT, "--quiet"];
  const command = ["--", "sh", "-c", writeScript(seconds)];
  return await traceKprov([...args, ...(isWatched ? ["--observe"] : []), ...command], {
    cwd: tree.path,
    env: { TMPDIR: tree.at("tmp") },
    // What Deno keeps of its code changes what it calls from one start to the next.
    permissions: ["--no-config", "--no-code-cache", "--allow-read", "--allow-write=runs,tmp"]
      .concat("--allow-run=sh,strace", "--allow-env=TMPDIR"),
    trace: CALLS,
    entry,
    isFirstThreadAlone: true,
    ...(inject === null ? {} : { inject }),
  });
}

/** Every moment from before the command to the end at which another thing is begun, open or made. */
function listMoments(calls: readonly Call[], root: string): Moment[] {
  const first = calls.findIndex(({ line }) => line.includes(`${root}/a.txt`));
  // Whether strace works is tried before, with pipes of its own.
  const started = calls.findLastIndex(({ name }) => name === "pipe2") - 1;
  const ended = calls.findIndex(({ name }, i) => i > started && name === "wait4");
  assert(first > 0 && started > first && ended > started, `${first} ${started} ${ended}`);
  const isMoment = ({ line }: Call, i: number): boolean => {
    if (i < first) return false;
    // That is how threads of Deno wake each other.
    if (line.includes("[eventfd]")) return false;
    if (i >= started && i <= ended) return true;
    return line.includes(`${root}/`);
  };
  return calls.flatMap((call, i) => isMoment(call, i) ? [{ call, isDuring: i < ended }] : []);
}

/** The processes whose working directory is the tree, as ls(1) tells them. */
function listProcesses(tree: TemporaryTree): string[] {
  const script = 'ls -l /proc/[0-9]*/cwd | sed -n "s|.* \\(/proc/.*\\) -> $0\\$|\\1|p"';
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", script, tree.path],
    cwd: "/",
    stderr: "null",
  }).outputSync();
  return decode(stdout).split("\n").filter((line) => line !== "");
}

async function checkDirectory(tree: TemporaryTree, count: number, what: string): Promise<void> {
  const { code, stdout } = await callKprov(["verify", tree.at("runs"), "--root", tree.path]);
  assertEquals(code, count === 0 ? 65 : 0, `${what}\n${stdout}`);
}

/** The runs that stand are whole, and say how the command ended; the next run leaves nothing else. */
async function checkRuns(tree: TemporaryTree, code: number, what: string): Promise<void> {
  const runs = listNames(tree.at("runs")).filter((name) => !name.startsWith("."));
  if (code === 0) assertEquals(runs, [RUN_ID], what);
  for (const run of runs) {
    const summary = JSON.parse(Deno.readTextFileSync(tree.at(`runs/${run}/run_summary.json`)));
    assert([0, code].includes(summary.exit_code), `${what}: ${summary.exit_code}`);
    await checkDirectory(tree, 1, what);
  }
  const next = ["--root", tree.path, "--out", tree.at("runs"), "--at", AT, "--quiet"];
  const { code: ended, stderr } = await callKprov([tree.at("a.txt"), ...next]);
  assertEquals([ended, stderr], [0, ""], what);
  const names = listNames(tree.at("runs"));
  assertEquals([names.length, names.filter((name) => name.startsWith("."))], [runs.length + 1, []]);
  await checkDirectory(tree, names.length, what);
}

/** Sends a signal at one moment; returns the exit code, or null where that moment did not come. */
async function disturb(
  { call, isDuring }: Moment,
  signal: string,
  start: Start,
): Promise<number | null> {
  using tree = makeTree({ "a.txt": "content" });
  const inject = `${call.name}:signal=${signal}:when=${call.nth}`;
  // What survives the signal is there for long enough to be seen.
  const seconds = isDuring && signal !== "KILL" ? 2 : 0.1;
  const ended = await runCommand(tree, start, { inject, seconds });
  const what = `${inject}: ${call.line} ended in ${ended.code}: ${ended.stderr}`;
  if (!ended.isInjected) {
    assertEquals([ended.code, ended.stderr], [0, ""], what);
    return null;
  }
  // Nobody is left then who could end the command; it ends by itself.
  if (signal === "KILL") await waitUntil(what, () => listProcesses(tree).length === 0);
  assertEquals(listProcesses(tree), [], `${what}: something is left running`);
  const said = ended.stderr.replaceAll(/^(finding|hint): .*\n/gm, "");
  assert(/^(error: Interrupted by SIG[A-Z]+\n)?$/.test(said), what);
  if (signal !== "KILL") assertEquals(listNames(tree.at("tmp")), [], what);
  const hidden = listNames(tree.at("runs")).filter((name) => name.startsWith("."));
  if (ended.stderr !== "" || ended.code === 0) assertEquals(hidden, [], what);
  await checkRuns(tree, ended.code, what);
  return ended.code;
}

/** What comes at a moment: what asks kprov to end, and for some also what nothing asks for. */
function listSignals({ isDuring }: Moment, i: number): (readonly [string, number])[] {
  const [asking = ["TERM", 143]] = ASKING.slice(i % ASKING.length);
  // How a run is published is swept with KILL in publish_slow_test.ts.
  const kill = isDuring && i % 3 === 0 ? [["KILL", 137] as const] : [];
  return [asking, ...kill, ...(i % 10 === 5 ? [["PIPE", 0] as const] : [])];
}

async function sweepSignals(isWatched: boolean): Promise<void> {
  const start = { entry: await makeBundle(), isWatched };
  using tree = makeTree({ "a.txt": "content" });
  const whole = await runCommand(tree, start, { inject: null, seconds: 0 });
  assertEquals([whole.code, whole.stderr], [0, ""]);
  const all = listMoments(whole.calls, tree.path);
  const place = all.findIndex(({ call }) => call.line.includes(`${tree.path}/tmp/`));
  // From the place for the trace to the end of the command; the rest is the same.
  const isOfWatching = ({ call: { name, line }, isDuring }: Moment): boolean =>
    isDuring && (name === "pipe2" || line.includes(tree.path));
  const moments = isWatched ? all.slice(place).filter(isOfWatching) : all;
  assert(place >= 0 === isWatched && moments.length > 5, `${place} ${moments.length}`);
  const codes: (number | null)[] = [];
  for (const [i, moment] of moments.entries()) {
    for (const [signal, code] of listSignals(moment, i)) {
      const ended = await disturb(moment, signal, start);
      const allowed = signal === "KILL" ? [code, null] : [0, code, null];
      assert(allowed.includes(ended), `${moment.call.line}: ${signal} ended in ${ended}`);
      codes.push(ended);
    }
  }
  assert(ASKING.every(([, code]) => codes.includes(code)), codes.join(" "));
  // A call more or less of Deno's own moves those that are counted with it.
  assert(codes.filter((code) => code === null).length < moments.length / 5, codes.join(" "));
}

const WHOLE = "is whole or absent, and its command gone, whenever a signal comes";

Deno.test(...unless(reason, `a wrapped run ${WHOLE}`), async () => await sweepSignals(false));

Deno.test(...unless(reason, `a watched run ${WHOLE}`), async () => await sweepSignals(true));
