/**
 * Lets every system call by which kprov publishes something fail, one after the other.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "../assert.ts";
import { makeTree, type TemporaryTree } from "../temporary_tree.ts";
import { type Call, type Traced, traceKprov } from "./strace.ts";

/** What kprov does that is to be disturbed. */
export interface Scenario {
  /** The files that are there. */
  readonly files: Readonly<Record<string, string>>;
  /** Makes what else is there. */
  readonly prepare?: (tree: TemporaryTree) => Promise<void>;
  /** The arguments. */
  readonly args: readonly string[];
  /** The permissions. */
  readonly permissions: readonly string[];
  /** Every path that is made, written, renamed or removed, and the directories above them. */
  readonly targets: readonly string[];
  /** What else is made, and disturbed by another scenario: directories with all that is in them. */
  readonly besides?: readonly string[];
  /** The calls to disturb, where not all are. */
  readonly only?: string;
  /** The exit codes that a failing call may end in; 0 where it makes no difference. */
  readonly codes: Readonly<Record<string, readonly number[]>>;
  /** Fails unless what stands is whole, and the next kprov works. */
  readonly check: (tree: TemporaryTree, disturbed: Disturbed) => Promise<void>;
}

/** A kprov that was disturbed. */
export interface Disturbed extends Traced {
  /** Whether a signal ended it, be it one at which it cleans up. */
  readonly isKilled: boolean;
  /** Whether it could not clean up, because it was killed or may not remove what it made. */
  readonly mayLeave: boolean;
  /** What happened to it, for the messages of the test. */
  readonly what: string;
}

/** The errors that a call may fail with, taken in turn. After EINTR it is called again. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  mkdir: ["EACCES", "ENOSPC"],
  openat: ["EMFILE", "EDQUOT", "ENFILE", "EACCES", "ESTALE", "EROFS"],
  write: ["ENOSPC", "EDQUOT", "EINTR", "EFBIG"],
  fsync: ["EIO", "ENOSPC", "EINTR"],
  close: ["EIO", "EINTR"],
  rename: ["EXDEV"],
  linkat: ["EIO"],
  unlink: ["EIO"],
  unlinkat: ["EIO"],
  rmdir: ["EIO"],
};

/** How kprov is to name them. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "the operating system denies access",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be too large",
  EIO: "the device failed",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open on this system",
  ENOSPC: "no space is left on the device",
  EROFS: "the file system is read-only",
  ESTALE: "the network file system lost it",
  EXDEV: "it would have to move to another file system",
};

/** Calls that change what is on the disk, or make it last. */
const PUBLISHING = "openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,copy_file_range," +
  "sendfile,ftruncate,fallocate,fsync,fdatasync,mkdir,mkdirat,rename,renameat,renameat2,link," +
  "linkat,symlink,symlinkat,unlink,unlinkat,rmdir,close";

/** Of those, the ones that name what they change. */
const NAMING = "creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat," +
  "unlink,unlinkat,rmdir,openat,open";

/**
 * Runs a scenario once for each of its calls and each way to disturb it: the call fails, or a signal
 * ends the process at it.
 *
 * @param scenario What kprov does
 */
export async function sweepFaults(scenario: Scenario): Promise<void> {
  await checkTargets(scenario);
  const { calls, code, stderr } = await disturb(scenario, null);
  assertEquals([code, stderr.replaceAll(/^note: .*\n/gm, "")], [0, ""]);
  const faults = [...calls.map(makeError), ...listSignals(calls)];
  assert(faults.length > 0);
  for (const fault of faults) await disturb(scenario, fault);
}

interface Fault {
  readonly call: Call;
  /** The error that the call fails with, or the signal that comes. */
  readonly error: string;
  /** The exit code of a process that the signal ends; null where the call fails. */
  readonly endCode: number | null;
  readonly inject: string;
}

function makeError(call: Call): Fault {
  const errors = ERRORS[call.name];
  assert(errors !== undefined, `Nobody thought of how ${call.name} can fail`);
  const error = errors[(call.nth - 1) % errors.length];
  assert(error !== undefined);
  return { call, error, endCode: null, inject: `${call.name}:error=${error}:when=${call.nth}` };
}

/** What ends a process that may clean up, with the exit code. */
const ENDING_SIGNALS: readonly (readonly [name: string, endCode: number])[] = [
  ["INT", 130],
  ["TERM", 143],
  ["HUP", 129],
];

/** A kill, and one of the signals that ask, for each state that the disk goes through. */
function listSignals(calls: readonly Call[]): Fault[] {
  const states = calls.filter((_, i) => {
    const before = calls[i - 1];
    return before === undefined || isChanging(before);
  });
  return states.flatMap((call, i) => {
    const asking = ENDING_SIGNALS.slice(i % ENDING_SIGNALS.length).slice(0, 1);
    return [["KILL", 137] as const, ...asking].map(([error, endCode]) => (
      { call, error, endCode, inject: `${call.name}:signal=${error}:when=${call.nth}` }
    ));
  });
}

function isChanging({ name, line }: Call): boolean {
  if (name.startsWith("open")) return line.includes("O_CREAT");
  return !/sync|close/.test(name);
}

async function disturb(scenario: Scenario, fault: Fault | null): Promise<Traced> {
  using tree = makeTree(scenario.files);
  await scenario.prepare?.(tree);
  const told = await traceKprov(scenario.args, {
    cwd: tree.path,
    permissions: scenario.permissions,
    trace: scenario.only ?? PUBLISHING,
    paths: scenario.targets.map(tree.at),
    ...(fault === null ? {} : { inject: fault.inject }),
  });
  // Notes tell of the files, not of the fault.
  const traced = { ...told, stderr: told.stderr.replaceAll(/^note: .*\n/gm, "") };
  const what = fault === null ? "undisturbed" : `${fault.inject}: ${fault.call.line}`;
  if (fault !== null) assert(traced.isInjected, `${what} did not happen`);
  if (fault !== null) checkEnd(traced, fault, scenario.codes);
  const isKilled = fault !== null && fault.endCode !== null;
  const mayLeave = isKilled ? fault.error === "KILL" : /unlink|rmdir/.test(fault?.call.name ?? "");
  await scenario.check(tree, { ...traced, isKilled, mayLeave, what });
  return traced;
}

function checkEnd(ended: Traced, fault: Fault, codes: Scenario["codes"]): void {
  const { call, error, endCode, inject } = fault;
  // A signal that comes when all is done may come after the end as well.
  const allowed = endCode === 137
    ? [137]
    : endCode !== null
    ? [endCode, 0]
    : error === "EINTR"
    ? [0]
    : codes[call.name] ?? [];
  const at = `${inject}: ${call.line} ended in ${ended.code}: ${ended.stderr}`;
  assert(allowed.includes(ended.code), at);
  if (ended.code === 0) return assertEquals(ended.stderr, "", at);
  if (endCode !== null) {
    return assertMatch(ended.stderr, /^(error: Interrupted by SIG[A-Z]+\n)?$/, at);
  }
  const [line = "", ...hints] = ended.stderr.trimEnd().split("\n");
  assert(line.startsWith("error: Cannot ") && !line.endsWith("."), at);
  assertStringIncludes(line, REASONS[error] ?? error, at);
  assert(hints.length < 2 && hints.every((hint) => hint.startsWith("hint: ")), at);
}

/** Fails where kprov makes or changes something and nothing would be injected. */
async function checkTargets(scenario: Scenario): Promise<void> {
  using tree = makeTree(scenario.files);
  await scenario.prepare?.(tree);
  const { calls, code, stderr } = await traceKprov(scenario.args, {
    cwd: tree.path,
    permissions: scenario.permissions,
    trace: NAMING,
  });
  assertEquals([code, stderr.replaceAll(/^note: .*\n/gm, "")], [0, ""]);
  const changing = calls.filter((call) => isChanging(call) && call.line.includes(`"${tree.path}/`));
  assert(changing.length > 0, "kprov makes nothing");
  const disturbed = scenario.targets.map((target) => `"${tree.at(target)}"`);
  const besides = scenario.besides?.map((name) => `"${tree.at(name)}`) ?? [];
  const missed = changing.filter(({ line }) =>
    ![...disturbed, ...besides].some((part) => line.includes(part))
  );
  assertEquals(missed, []);
}
