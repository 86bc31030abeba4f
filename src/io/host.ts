import { KprovError } from "../base/error.ts";
import { describeSystemError } from "./permissions.ts";
import { collectGarbage } from "./shared_work.js";

/** What a command may use of the process around it. Files are not in it: those are gather's and write's. */
export interface Host {
  /** Prints part of the result; what workflow commands hold is escaped by who makes them. */
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
  isColored: Deno.stdout.isTerminal() && !Deno.noColor && !isDumb(),
  isMessageColored: Deno.stderr.isTerminal() && !Deno.noColor && !isDumb(),
  messageWidth: () => Deno.stderr.isTerminal() && !isDumb() ? measureTerminal() : null,
  passOn,
  now: () => new Date(),
  readEnv,
};

function readEnv(name: string): string | null {
  const status = Deno.permissions.querySync({ name: "env", variable: name });
  return status.state === "granted" ? Deno.env.get(name) ?? null : null;
}

/** Whether the terminal knows neither colours nor how a line is drawn anew, where kprov may ask. */
function isDumb(): boolean {
  return readEnv("TERM") === "dumb";
}

function measureTerminal(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    // A terminal that does not tell is taken for the narrowest that is common.
    return 80;
  }
}

/**
 * What a stream leads to, as far as it matters for writing to it; standard error, and a file, are
 * plain.
 */
type Target = "terminal" | "pipe" | "plain";

/** The longest pause before a write to a stream that was full is tried again. */
const LONGEST_PAUSE_MS = 50;

/** Nobody wakes who waits for this. */
const NEVER = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** What a pipe takes whole or not at all (POSIX, PIPE_BUF). */
const WHOLE_IN_PIPE = Deno.build.os === "linux" ? 4096 : 512;

/**
 * Deno writes standard output by way of Rust's LineWriter, which has a buffer of 1 KiB. A piece of at
 * most this many bytes that holds no newline waits in that buffer when the stream is full.
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

  /**
   * What is to be written next, which is nothing where only what is kept has to go through; null at the
   * end.
   */
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

/** The streams that something was written to, so that somebody read them. */
const begun = new Set<"stdout" | "stderr">();

function writeAll(name: "stdout" | "stderr", text: string): void {
  const stream = Deno[name];
  const bytes = new TextEncoder().encode(text);
  const transfer = new Transfer(bytes, findTarget(name));
  for (let piece = transfer.next(); piece !== null; piece = transfer.next()) {
    try {
      transfer.advance(stream.writeSync(piece));
      begun.add(name);
    } catch (error) {
      // Who reads a part and goes, as head(1) does, has what it wanted.
      if (begun.has(name) && isReaderGone(error)) return;
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
function isOnTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/** Whether nobody reads what is written: the reader closed the pipe or the connection. */
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

/** What ends a program from outside: Ctrl-C, the request of a process manager, a terminal that is gone. */
const ENDING_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK", "SIGHUP"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

const SIGNAL_NUMBERS: Readonly<Partial<Record<Deno.Signal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGTERM: 15,
  SIGBREAK: 21,
};

/** What V8 is given for its heap; to load the module takes 20 ms, and only a large heap is looked at. */
function readHeapLimit(): number {
  const { process } = globalThis as unknown as {
    readonly process: {
      readonly getBuiltinModule: (name: "node:v8") => {
        readonly getHeapStatistics: () => { readonly heap_size_limit: number };
      };
    };
  };
  return process.getBuiltinModule("node:v8").getHeapStatistics().heap_size_limit;
}

/** A heap of fewer bytes is not looked at any closer. */
const SMALL_HEAP = 16 * 2 ** 20;

/** V8 counts the space of what is young besides what it was given. */
const YOUNG_SPACE = 96 * 2 ** 20;

/** The part of V8's heap that what is read may fill: what is made of it takes up to a fifth more. */
const MOST_OF_HEAP = 0.65;

/** What may come besides until it is looked again. */
const HEAP_STEP = 0.1;

/** What is read does not fit into the memory; nothing is wrong with it. */
export class OutOfMemory extends KprovError {
  constructor(action: string) {
    super("io", `${action}: it takes more memory than Deno may use`, {
      hint: "DENO_V8_FLAGS=--max-old-space-size=8192 lets it use 8 GiB; " +
        "--shard I/N records inputs in several runs",
    });
  }
}

/** The use of the heap at which it is looked at more closely. */
let suspicious = SMALL_HEAP;

/**
 * By so much the process may grow before what is not in use any more is let go; by a quarter where that is
 * more, so that the time for it grows no faster than what is held.
 */
const GROWTH = 128 * 2 ** 20;

/** The size of the process at which that is done. */
let crowded = 3 * GROWTH;

/**
 * Refuses to take in more than the memory holds: V8 would end the process in the middle, without a
 * word that a user understands. What reads a list without an end calls it now and then.
 */
export function checkMemory(action: string): void {
  if (letGo().heapUsed < suspicious) return;
  const limit = readHeapLimit();
  const capacity = Math.max(limit - YOUNG_SPACE, limit / 8);
  const most = MOST_OF_HEAP * capacity;
  const live = Deno.memoryUsage().heapUsed < most ? 0 : measureLive();
  if (live > most) throw new OutOfMemory(action);
  suspicious = Math.max(most, live + HEAP_STEP * capacity);
}

/**
 * Lets go of what this thread does not use any more, where the process has grown much, and tells
 * the use.
 */
export function letGo(): Deno.MemoryUsage {
  const usage = Deno.memoryUsage();
  if (usage.rss < crowded) return usage;
  collectGarbage();
  const left = Deno.memoryUsage();
  crowded = left.rss + Math.max(GROWTH, left.rss / 4);
  return left;
}

/** The bytes of the heap that are in use, once what is not is gone. */
function measureLive(): number {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

/**
 * A signal that follows the first so soon belongs to the same request: timeout(1), for one, signals
 * the process that it started and then the group that this process is in.
 */
const SAME_REQUEST_MS = 100;

/** The longest time for which work that could be interrupted keeps the event loop from turning. */
const LONGEST_TURN_MS = 50;

/** How long a signal takes to be heard of, and more: from the system by way of a thread of its own. */
const SIGNAL_DELAY_MS = 2;

/** How long a command that was killed is waited for: one that waits for a dead disk never ends. */
const KILL_PATIENCE_MS = 1000;

/** A signal ended kprov before its work was done. */
export class Interruption extends KprovError {
  /** 128 + n, where signal n came. */
  readonly exitCode: number;

  constructor(signal: Deno.Signal) {
    super("interrupted", `Interrupted by ${signal}`);
    this.exitCode = 128 + (SIGNAL_NUMBERS[signal] ?? 0);
  }
}

/**
 * Takes signals in place of the system, which would end kprov at once, until it is disposed of. The
 * first one goes to the command that runs, where one does; every other one stops kprov.
 */
export class SignalWatch implements Disposable {
  readonly #stop = Promise.withResolvers<never>();
  readonly #listeners: readonly (readonly [Deno.Signal, () => void])[];
  #first: { readonly signal: Deno.Signal; readonly at: number } | null = null;
  #interruption: Interruption | null = null;
  #command: Deno.ChildProcess | null = null;
  #ready: Promise<void> | undefined;
  #turnedAt = performance.now();

  /** Starts to take signals. Deno asks for no permission for that. */
  constructor() {
    // Who does not wait for it learns of it from turn().
    this.#stop.promise.catch(() => {});
    this.#listeners = ENDING_SIGNALS.map((signal) => [signal, () => this.#take(signal)]);
    for (const [signal, listener] of this.#listeners) Deno.addSignalListener(signal, listener);
  }

  /** Rejects with an {@linkcode Interruption} when kprov is to stop; long waits race with it. */
  get stopped(): Promise<never> {
    return this.#stop.promise;
  }

  /** The first signal that came, or null. */
  get received(): Deno.Signal | null {
    return this.#first?.signal ?? null;
  }

  /**
   * Waits for a command to end, and passes the first signal on to it once `ready` resolves. At the
   * second one the command is killed, and then an {@linkcode Interruption} is thrown.
   */
  async superviseCommand(
    command: Deno.ChildProcess,
    ready?: Promise<void>,
  ): Promise<CommandStatus> {
    this.#command = command;
    this.#ready = ready;
    try {
      return await Promise.race([readStatus(command), this.stopped]);
    } catch (error) {
      sendSignal(command, "SIGKILL");
      await waitAtMost(command.status, KILL_PATIENCE_MS);
      throw error;
    } finally {
      this.#command = null;
    }
  }

  /** Lets signals come in: listeners are called only when the event loop turns. */
  async turn(): Promise<void> {
    // In the first turn the loop may only begin to look for signals.
    for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
    this.#turnedAt = performance.now();
    if (this.#interruption !== null) throw this.#interruption;
  }

  /**
   * Waits until signals that came before are heard of, with all that belong to the same request.
   * Without it, one that comes just before a watch ends is lost, which matters where much is still
   * to be done.
   */
  async settle(): Promise<void> {
    const rest = this.#first === null ? 0 : this.#first.at + SAME_REQUEST_MS - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(SIGNAL_DELAY_MS, rest)));
    await this.turn();
  }

  /** Whether work should call {@linkcode turn} now. */
  get isTurnDue(): boolean {
    return performance.now() - this.#turnedAt >= LONGEST_TURN_MS;
  }

  /** Leaves signals to the system again. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
  }

  #take(signal: Deno.Signal): void {
    const at = performance.now();
    const first = this.#first;
    this.#first ??= { signal, at };
    if (first !== null && first.signal === signal && at - first.at < SAME_REQUEST_MS) return;
    const command = this.#command;
    if (first === null && command !== null) {
      if (this.#ready === undefined) relay(command, signal);
      else void this.#ready.then(() => relay(command, signal));
      return;
    }
    this.#interruption ??= new Interruption(signal);
    this.#stop.reject(this.#interruption);
  }
}

/**
 * Does work that leaves something behind where it is ended in the middle, such as a temporary file.
 * A signal ends it only where the work itself calls `turn()`, and so can clean up; one that came
 * throws {@linkcode Interruption}, also when the work is already done.
 */
export async function deferSignals<T>(
  work: (signals: SignalWatch) => T | Promise<T>,
): Promise<T> {
  using signals = new SignalWatch();
  try {
    return await work(signals);
  } finally {
    await signals.turn();
  }
}

/**
 * Ctrl-C on a terminal reaches every process in the foreground, so that the command has it already.
 * Nothing tells it from `kill -INT` to kprov alone: there, that reaches the command only by way of the
 * terminal's own key, and SIGTERM is what asks from elsewhere.
 */
function relay(command: Deno.ChildProcess, signal: Deno.Signal): void {
  const isFromTerminal = signal === "SIGINT" && isOnTerminal();
  if (!isFromTerminal) sendSignal(command, signal);
}

/** How a command ended. */
interface CommandStatus {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly code: number;
  /** The name of that signal, or null. */
  readonly signal: string | null;
}

/** Deno has no name for the signals from 32 on, and throws where one of them ended the command. */
async function readStatus(command: Deno.ChildProcess): Promise<CommandStatus> {
  try {
    return await command.status;
  } catch (error) {
    const number = /^Invalid signal: ([0-9]+)$/.exec(
      error instanceof TypeError ? error.message : "",
    );
    if (number === null) throw error;
    return { code: 128 + Number(number[1]), signal: `SIG${number[1]}` };
  }
}

/** Sends a signal to a process, unless that has ended. */
export function sendSignal(command: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    command.kill(signal);
  } catch {
    // It has ended already, or this system does not send this signal; then it has come there by itself.
  }
}

/** Waits for something, but not for ever. */
async function waitAtMost(awaited: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([awaited, late]).finally(() => clearTimeout(timer));
}
