import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { createSha256 } from "../base/sha256.ts";
import { describeSystemError } from "./os_error.ts";
import { refuseRun } from "./permissions.ts";

/**
 * How long output is still read after a signal ended the command: what it wrote is in the pipe at
 * once, and what it left running may hold the pipe open for ever.
 */
const GRACE_MS = 1000;

/** Takes output as it comes; rejects where nobody reads it any more. */
type Sink = (bytes: Uint8Array) => Promise<void>;

/** A command to start. */
interface ChildRequest {
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
  /** What passes signals on to it. */
  readonly signals: SignalRelay;
}

/** How a command ended. */
export interface EndedChild {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly exitCode: number;
  /** The signal that ended it, or null. */
  readonly signal: Deno.Signal | null;
  /** Digests of what it printed. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Whether what it printed on standard output ends in the middle of a line. */
  readonly isLineOpen: boolean;
}

/**
 * Runs a command to its end. What it prints goes on untouched, piece by piece, and no faster than it
 * is taken; it is digested on the way. Where nobody takes it any more, the pipe is closed, so that
 * the command learns of it as it would without kprov.
 *
 * @param request The command
 * @throws {KprovError} `cannot_start` where the system does not start it, `permission` where Deno
 * does not
 */
export async function runChild(request: ChildRequest): Promise<EndedChild> {
  const child = spawn(request);
  request.signals.passTo(child);
  const stdout = pump(child.stdout, request.stdout);
  const stderr = pump(child.stderr, request.stderr);
  const status = await child.status;
  const rest = Promise.all([stdout.ended, stderr.ended]);
  const cut = status.signal === null ? request.signals.first : Promise.resolve();
  await waitAtMost(rest, cut);
  await Promise.all([stdout.stop(), stderr.stop()]);
  return {
    exitCode: status.code,
    signal: status.signal,
    output: { stdout: stdout.digest(), stderr: stderr.digest() },
    isLineOpen: stdout.isLineOpen(),
  };
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

function pump(stream: ReadableStream<Uint8Array>, sink: Sink): Pump {
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
      } catch {
        return await stop();
      }
    }
  };
  return {
    ended: forward(),
    stop,
    digest: () => hash.digest("hex"),
    isLineOpen: () => last !== 0x0a,
  };
}

/** Waits for something, and once something else has come, only a little longer. */
async function waitAtMost(awaited: Promise<unknown>, cut: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = cut.then(() =>
    new Promise((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    })
  );
  await Promise.race([awaited, late]);
  clearTimeout(timer);
}

/** What a signal is passed on to. */
interface SignalReceiver {
  /** Sends a signal. */
  readonly kill: (signal: Deno.Signal) => void;
}

/** Takes signals in place of the system, which would end kprov, until it is disposed of. */
export interface SignalRelay extends Disposable {
  /** Resolves when the first signal comes. */
  readonly first: Promise<Deno.Signal>;
  /** The first signal, or null where none has come. */
  readonly received: () => Deno.Signal | null;
  /** Passes on what comes from now on, and what came already. */
  readonly passTo: (receiver: SignalReceiver) => void;
}

/** What ends a program from outside: Ctrl-C, and the request of a process manager. */
export const ENDING_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Starts to take signals. Deno asks for no permission for that.
 *
 * @param signals Which ones
 */
export function relaySignals(signals: readonly Deno.Signal[]): SignalRelay {
  const received: Deno.Signal[] = [];
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  let receiver: SignalReceiver | null = null;
  const listeners = signals.map((signal) => {
    const listen = (): void => {
      received.push(signal);
      resolve(signal);
      if (receiver !== null) send(receiver, signal);
    };
    Deno.addSignalListener(signal, listen);
    return () => Deno.removeSignalListener(signal, listen);
  });
  return {
    first: promise,
    received: () => received[0] ?? null,
    passTo: (next) => {
      receiver = next;
      for (const signal of received) send(next, signal);
    },
    [Symbol.dispose]: () => listeners.forEach((remove) => remove()),
  };
}

function send(receiver: SignalReceiver, signal: Deno.Signal): void {
  try {
    receiver.kill(signal);
  } catch {
    // It has ended already, or this system does not send this signal; then it has come there by itself.
  }
}
