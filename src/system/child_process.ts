import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { createSha256 } from "../sha256.ts";
import { isReaderGone } from "./host.ts";
import { describeSystemError } from "./os_error.ts";
import { refuseRun } from "./permissions.ts";
import { SignalWatch, waitAtMost } from "./signals.ts";

/**
 * How long output is still read after a signal ended the command: what it wrote is in the pipe at
 * once, and what it left running may hold the pipe open for ever.
 */
const GRACE_MS = 1000;

/** Takes output as it comes; rejects where it cannot be passed on. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** A command to start. */
export interface ChildRequest {
  /** The file to start, absolute. */
  readonly program: string;
  /** What the program is called, for the messages. */
  readonly name: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its working directory. */
  readonly directory: string;
  /** Whether it reads kprov's own standard input, or nothing. */
  readonly stdin: "inherit" | "null";
  /** Where its standard output goes. */
  readonly stdout: Sink;
  /** Where its standard error goes. */
  readonly stderr: Sink;
  /** What takes signals meanwhile; without it, signals are taken while the command runs. */
  readonly signals?: SignalWatch;
}

/** How a command ended. */
export interface EndedChild {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly exitCode: number;
  /** Digests of what it printed. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Where what it printed ends in the middle of a line. */
  readonly isLineOpen: { readonly stdout: boolean; readonly stderr: boolean };
}

/**
 * Runs a command to its end. What it prints goes on untouched, piece by piece, and no faster than it
 * is taken; it is digested on the way. Where nobody takes it any more, the pipe is closed, so that
 * the command learns of it as it would without kprov.
 *
 * @param request The command
 * @throws {KprovError} `cannot_start` where the system does not start it, `permission` where Deno
 * does not, `io` where its output cannot be passed on
 * @throws {Interruption} at a second signal, or at one that comes when the command has ended
 */
export async function runChild(request: ChildRequest): Promise<EndedChild> {
  const child = spawn(request);
  if (request.signals !== undefined) return await followChild(child, request, request.signals);
  // Only now: a command inherits that a signal is ignored, as nohup sets it, but not a listener.
  using signals = new SignalWatch();
  return await followChild(child, request, signals);
}

async function followChild(
  child: Deno.ChildProcess,
  request: ChildRequest,
  signals: SignalWatch,
): Promise<EndedChild> {
  const pumps = [
    pump(child.stdout, request.stdout, "standard output"),
    pump(child.stderr, request.stderr, "standard error"),
  ] as const;
  try {
    const status = await signals.superviseCommand(child);
    const ended = Promise.all(pumps.map((each) => each.ended));
    const isCut = status.signal !== null || signals.received !== null;
    await Promise.race([isCut ? waitAtMost(ended, GRACE_MS) : ended, signals.stopped]);
    await signals.settle();
    await Promise.all(pumps.map((each) => each.stop()));
    const [stdout, stderr] = pumps;
    return {
      exitCode: status.code,
      output: { stdout: stdout.digest(), stderr: stderr.digest() },
      isLineOpen: { stdout: stdout.isLineOpen(), stderr: stderr.isLineOpen() },
    };
  } finally {
    await Promise.all(pumps.map((each) => each.stop()));
  }
}

function spawn(request: ChildRequest): Deno.ChildProcess {
  try {
    return new Deno.Command(request.program, {
      args: [...request.args],
      cwd: request.directory,
      // Programs take their working directory's name from it; kprov's own may be another.
      env: request.directory === Deno.cwd() ? {} : { PWD: request.directory },
      stdin: request.stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw refuseRun(request.name, error);
    throw new KprovError(
      "cannot_start",
      `Cannot run ${quote(request.name)}: ${describeSystemError(error)}`,
      { cause: error },
    );
  }
}

interface Pump {
  /** Resolves when there is no more to read. */
  readonly ended: Promise<void>;
  /** Reads no further. */
  readonly stop: () => Promise<void>;
  /** Digest of what was read. */
  readonly digest: () => string;
  readonly isLineOpen: () => boolean;
}

function pump(stream: ReadableStream<Uint8Array>, sink: Sink, what: string): Pump {
  const reader = stream.getReader();
  const hash = createSha256();
  let isStopped = false;
  let last = 0x0a;
  const stop = async (): Promise<void> => {
    isStopped = true;
    try {
      await reader.cancel();
    } catch {
      // The pipe is closed either way.
    }
  };
  const forward = async (): Promise<void> => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (isStopped) return;
      hash.update(next.value);
      last = next.value.at(-1) ?? last;
      try {
        await sink(next.value);
      } catch (error) {
        await stop();
        if (isReaderGone(error)) return;
        const reason = describeSystemError(error);
        throw new KprovError("io", `Cannot write to ${what}: ${reason}`, { cause: error });
      }
    }
  };
  const ended = forward();
  // A failure is told once the command has ended, which it does soon without its pipe.
  ended.catch(() => {});
  return {
    ended,
    stop,
    digest: () => hash.digest("hex"),
    isLineOpen: () => last !== 0x0a,
  };
}
