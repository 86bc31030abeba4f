import { KprovError } from "../base/error.ts";
import { describeSystemError } from "./os_error.ts";

/** What a command may use of the process around it. Files are not in it: those are gather's and write's. */
export interface Host {
  /** Prints part of the result. Workflow commands are told apart: what they hold is escaped by who makes them. */
  readonly writeStdout: (text: string, form?: "workflow commands") => void;
  /** Prints a message. */
  readonly writeStderr: (text: string) => void;
  /** Whether the result goes to a terminal that shows colours. */
  readonly isColored: boolean;
  /** Whether messages go to a terminal that shows colours. */
  readonly isMessageColored: boolean;
  /** The width of the terminal that messages go to, in characters; null where they go elsewhere. */
  readonly messageWidth: () => number | null;
  /** Passes on bytes that a command printed; resolves once all of them are taken. */
  readonly passOn: (stream: "stdout" | "stderr", bytes: Uint8Array) => Promise<void>;
  /** The time. */
  readonly now: () => Date;
  /** An environment variable, where it is set and kprov may already read it. */
  readonly readEnv: (name: string) => string | null;
}

/** The process that kprov runs in. */
export const PROCESS_HOST: Host = {
  writeStdout: (text) => writeAll("stdout", text),
  writeStderr: (text) => writeAll("stderr", text),
  isColored: Deno.stdout.isTerminal() && !Deno.noColor,
  isMessageColored: Deno.stderr.isTerminal() && !Deno.noColor,
  messageWidth: () => Deno.stderr.isTerminal() ? measureTerminal() : null,
  passOn,
  now: () => new Date(),
  readEnv: (name) => {
    const status = Deno.permissions.querySync({ name: "env", variable: name });
    return status.state === "granted" ? Deno.env.get(name) ?? null : null;
  },
};

function measureTerminal(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // A terminal that does not tell is taken for the narrowest that is common.
    return 80;
  }
}

/** What a stream leads to, as far as it matters for writing to it; standard error, and a file, are plain. */
type Target = "terminal" | "pipe" | "plain";

/** The longest pause before a write to a stream that was full is tried again. */
const LONGEST_PAUSE_MS = 50;

/** Nobody wakes who waits for this. */
const NEVER = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** What a pipe takes whole or not at all (POSIX, PIPE_BUF). */
const WHOLE_IN_PIPE = Deno.build.os === "linux" ? 4096 : 512;

/**
 * Deno writes standard output by way of Rust's LineWriter, which has a buffer of 1 KiB. A piece of at most
 * this many bytes that holds no newline waits in that buffer when the stream is full.
 */
const KEPT = 512;

/** A piece of at least this many bytes that holds no newline passes the buffer by. */
const DIRECT = 16 * 1024;

const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

/**
 * Cuts off what is written in one call. A stream that does not block, as others who share it may have
 * set it, refuses when it is full, and Deno does not tell how much went through before: so a piece is
 * such that either all of it did, or nothing, or that it is kept and goes through later.
 */
function cutPiece(rest: Uint8Array, target: Target): Uint8Array {
  if (target === "plain") return rest;
  const newline = rest.indexOf(NEWLINE);
  const run = newline < 0 ? rest.length : newline;
  if (run >= DIRECT) return rest.subarray(0, run);
  if (target === "terminal") return rest.subarray(0, Math.max(1, Math.min(run, KEPT)));
  const end = rest.subarray(0, WHOLE_IN_PIPE).lastIndexOf(NEWLINE) + 1;
  return rest.subarray(0, end > 0 ? end : Math.min(run, KEPT));
}

/** Whether a piece that was refused is kept, and goes through with the next call that is not refused. */
function isKept(piece: Uint8Array, target: Target): boolean {
  return target !== "plain" && piece.length <= KEPT && piece.at(-1) !== NEWLINE;
}

/** Bytes on their way to a stream that may be full. */
class Transfer {
  readonly #target: Target;
  #rest: Uint8Array;
  #isKept = false;
  #pause = 1;

  constructor(bytes: Uint8Array, target: Target) {
    this.#rest = bytes;
    this.#target = target;
  }

  /** What is to be written next, which is nothing where only what is kept has to go through; null at the end. */
  next(): Uint8Array | null {
    if (this.#isKept) return NOTHING;
    return this.#rest.length === 0 ? null : cutPiece(this.#rest, this.#target);
  }

  /** Counts what was written. */
  advance(written: number): void {
    this.#rest = this.#rest.subarray(written);
    this.#isKept = false;
    this.#pause = 1;
  }

  /** Decides what becomes of a piece that was refused; returns for how many milliseconds to wait. */
  refuse(piece: Uint8Array): number {
    if (isKept(piece, this.#target)) {
      this.#rest = this.#rest.subarray(piece.length);
      this.#isKept = true;
    }
    const pause = this.#pause;
    this.#pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    return pause;
  }
}

function writeAll(name: "stdout" | "stderr", text: string): void {
  const stream = Deno[name];
  const bytes = new TextEncoder().encode(text);
  const transfer = new Transfer(bytes, findTarget(name));
  let isBegun = false;
  for (let piece = transfer.next(); piece !== null; piece = transfer.next()) {
    try {
      transfer.advance(stream.writeSync(piece));
      isBegun = true;
    } catch (error) {
      // Who reads a part and goes, as head(1) does, has what it wanted.
      if (isBegun && isReaderGone(error)) return;
      if (!isToBeTriedAgain(error)) throw refuseWrite(name, error);
      Atomics.wait(NEVER, 0, 0, transfer.refuse(piece));
    }
  }
}

/** Ends when what came so far is passed on. */
let before: Promise<unknown> = Promise.resolve();

/** Where both streams lead to the same place, what comes first gets there first. */
async function passOn(name: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
  const { areJoined, files } = await (streams ??= lookAtStreams());
  // A file is never full in the way that a pipe is, and takes any length at once, which is faster.
  const pass = (): Promise<void> => passAll(name, bytes, files[name] ? "plain" : findTarget(name));
  if (!areJoined) return await pass();
  const passed = before.then(pass);
  before = passed.catch(() => {});
  await passed;
}

/** Where the standard streams lead. */
interface Streams {
  readonly files: { readonly stdout: boolean; readonly stderr: boolean };
  readonly areJoined: boolean;
}

let streams: Promise<Streams> | null = null;

async function lookAtStreams(): Promise<Streams> {
  const { fstatSync } = await import("node:fs");
  try {
    const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
    return {
      files: { stdout: stdout.isFile(), stderr: stderr.isFile() },
      areJoined: stdout.dev === stderr.dev && stdout.ino === stderr.ino,
    };
  } catch {
    // One of them is closed.
    return { files: { stdout: false, stderr: false }, areJoined: false };
  }
}

async function passAll(
  name: "stdout" | "stderr",
  bytes: Uint8Array,
  target: Target,
): Promise<void> {
  const stream = Deno[name];
  const transfer = new Transfer(bytes, target);
  for (let piece = transfer.next(); piece !== null; piece = transfer.next()) {
    try {
      transfer.advance(await stream.write(piece));
    } catch (error) {
      if (!isToBeTriedAgain(error)) throw error;
      const pause = transfer.refuse(piece);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function findTarget(name: "stdout" | "stderr"): Target {
  if (name === "stderr") return "plain";
  return Deno.stdout.isTerminal() ? "terminal" : "pipe";
}

/** Whether any of the standard streams is a terminal. */
export function isOnTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/**
 * Whether nobody reads what is written: the reader closed the pipe or the connection.
 *
 * @param error What a write threw
 */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

function isToBeTriedAgain(error: unknown): boolean {
  return error instanceof Deno.errors.WouldBlock || error instanceof Deno.errors.Interrupted;
}

function refuseWrite(name: "stdout" | "stderr", cause: unknown): KprovError {
  const what = name === "stdout" ? "standard output" : "standard error";
  return new KprovError("io", `Cannot write to ${what}: ${describeSystemError(cause)}`, { cause });
}
