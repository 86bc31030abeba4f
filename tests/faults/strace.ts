/**
 * Runs kprov under strace, as a user starts it: to see its system calls, to let one of them fail, or
 * to change the world while kprov stands still at one.
 *
 * @module
 */

import { CLI, decode, type Ended, type KprovOptions, NARROW } from "../run_kprov.ts";
import { makeTree } from "../temporary_tree.ts";

/** One system call of kprov. */
export interface Call {
  /** Its name. */
  readonly name: string;
  /** Which call of that name it is in its thread, from 1, as strace's `when=` counts. */
  readonly nth: number;
  /** How strace shows it. */
  readonly line: string;
}

/** How a traced kprov ended. */
export interface Traced extends Ended {
  /** The calls that were looked for, in their order. */
  readonly calls: readonly Call[];
  /** Whether the injection happened. */
  readonly isInjected: boolean;
}

/** How kprov is traced. */
export interface TraceOptions extends KprovOptions {
  /** Which system calls, as strace's `trace=` takes them. */
  readonly trace: string;
  /** Only calls that have to do with exactly these paths. */
  readonly paths?: readonly string[];
  /** What to do to a call, as strace's `inject=` takes it. */
  readonly inject?: string;
  /** What is started in place of the sources, such as a bundle. */
  readonly entry?: string;
  /** Whether only the first thread is traced: what kprov starts is left alone, and gets no signal. */
  readonly isFirstThreadAlone?: boolean;
  /** Called where `signal=STOP` of `inject` stopped kprov, right behind a call; it goes on after. */
  readonly whenStopped?: () => void;
}

/** Gives strace the standard output, and kprov files in its place. */
const SCRIPT = `exec 3>&1 >"$1" 2>"$2"; shift 2; exec strace -o /dev/fd/3 "$@"`;

/** A file for strace too: what a command left running would hold its standard output open. */
const SCRIPT_WITH_FILE = `exec >"$1" 2>"$2"; shift 2; exec strace -o "$0" "$@"`;

/** Why nothing can be traced here, or null. */
export async function whyNotTraced(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `there is no strace on ${Deno.build.os}`;
  // The older ones run the same code, and every start takes its time.
  if (/^2\.8\./.test(Deno.version.deno)) return "it is traced on the newest Deno";
  try {
    const args = [
      "-f",
      "-q",
      "-e",
      "inject=openat:error=EIO:when=65535",
      "-o",
      "/dev/null",
      "true",
    ];
    const { success, stderr } = await new Deno.Command("strace", { args }).output();
    return success ? null : `strace cannot trace here: ${decode(stderr).trim().split("\n")[0]}`;
  } catch {
    return "strace is not installed";
  }
}

/**
 * Runs kprov under strace.
 *
 * @param args Its arguments
 * @param options How it is started, and what is done to it
 */
export async function traceKprov(args: readonly string[], options: TraceOptions): Promise<Traced> {
  using output = makeTree();
  const { inject, paths = [] } = options;
  // With its filter strace leaves most calls alone and is fast, but cannot send signals.
  const isFollowed = options.isFirstThreadAlone !== true;
  const isFiltered = isFollowed && !inject?.includes("signal=");
  const started = ["run", "--quiet", "--no-prompt", ...(options.permissions ?? NARROW)];
  const trace = output.at("trace");
  const child = new Deno.Command("sh", {
    args: ["-c", isFollowed ? SCRIPT : SCRIPT_WITH_FILE, trace].concat(
      [output.at("stdout"), output.at("stderr")],
      [...(isFollowed ? ["-f"] : []), ...(isFiltered ? ["--seccomp-bpf"] : []), "-q", "-y"],
      ["-e", `trace=${options.trace}`],
      paths.flatMap((path) => ["-P", path]),
      inject === undefined ? [] : ["-e", `inject=${inject}`],
      [Deno.execPath(), ...started, options.entry ?? CLI],
      args,
    ),
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const piped = await readTrace(child.stdout, options.whenStopped);
  const { code } = await child.status;
  const lines = isFollowed ? piped : Deno.readTextFileSync(trace).split("\n");
  return {
    code,
    stdout: Deno.readTextFileSync(output.at("stdout")),
    stderr: Deno.readTextFileSync(output.at("stderr")),
    calls: parseCalls(lines),
    isInjected: lines.some((line) =>
      /\(INJECTED\)$|--- SIG\w+ \{.*si_code=SI_KERNEL|killed by/.test(line)
    ),
  };
}

async function readTrace(
  stream: ReadableStream<Uint8Array>,
  whenStopped: (() => void) | undefined,
): Promise<string[]> {
  const lines: string[] = [];
  const stopped = new Set<string>();
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      const thread = /^([0-9]+) +--- SIGSTOP /.exec(line)?.[1];
      if (thread !== undefined) stopped.add(thread);
      const isStop = /^([0-9]+) +--- stopped by SIGSTOP/.exec(line)?.[1];
      if (isStop === undefined || !stopped.delete(isStop)) continue;
      whenStopped?.();
      whenStopped = undefined;
      Deno.kill(Number(isStop), "SIGCONT");
    }
  }
  return lines;
}

function parseCalls(lines: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  return lines.flatMap((line) => {
    // The number of the thread is told where more than one is traced.
    const [, thread = "", name] = /^(?:([0-9]+) +)?([a-z0-9_]+)\(/.exec(line) ?? [];
    if (name === undefined) return [];
    const nth = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, nth);
    return [{ name, nth, line: line.slice(thread.length).trim() }];
  });
}
