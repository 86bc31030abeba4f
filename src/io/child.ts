import { fstatSync, readSync } from "node:fs";
import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { createSha256 } from "../base/canonical_json.ts";
import type { RecordedStdin } from "../evidence/provenance.ts";
import { isReaderGone, SignalWatch } from "./host.ts";
import { describeSystemError, refuseRun } from "./permissions.ts";

/**
 * How long more output is waited for after the command ended: what it wrote is in the pipe at once,
 * and what it left running may hold the pipe open for ever.
 */
const GRACE_MS = 1000;

/** How long the end of standard input is waited for where nothing came while the command ran. */
const SILENT_MS = 50;

/** How often it is looked whether that is over. */
const LOOK_MS = 50;

/** A pipe holds no more (Linux, pipe-max-size); what comes later is of what the command left running. */
const MOST_IN_PIPE = 2 ** 20;

/** Takes output as it comes; rejects where it cannot be passed on. */
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
  /** Variables that are set for it. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it gets those variables alone, and none of kprov's own. */
  readonly isEnvCleared?: boolean;
  /** Whether it reads kprov's own standard input, nothing, or through a pipe what a stream brings. */
  readonly stdin: "inherit" | "null" | ReadableStream<Uint8Array>;
  /** Where what it prints goes; `inherit` where that is not captured, and goes where kprov's own goes. */
  readonly output: { readonly stdout: Sink; readonly stderr: Sink } | "inherit";
  /** Is called with the number of its process when the command is started; resolves when it takes signals. */
  readonly onStarted?: (pid: number) => Promise<void>;
  /** What takes signals meanwhile; without it, signals are taken while the command runs. */
  readonly signals?: SignalWatch;
}

/** How a command ended. */
export interface EndedChild {
  /** Its exit code; 128 + n where signal n ended it. */
  readonly exitCode: number;
  /** The signal that ended it, or null. */
  readonly signal: string | null;
  /**
   * What a stream brought for it, read or not; null for nothing; `open` where its end did not come.
   */
  readonly stdin: RecordedStdin | "open" | null;
  /** Digests of what it printed; null where that was not captured. */
  readonly output: { readonly stdout: string; readonly stderr: string } | null;
  /**
   * What was still open a while after it ended, such as `standard output`: its digest is of the
   * rest.
   */
  readonly openOutput: readonly string[];
  /** Where what it printed ends in the middle of a line, as far as that was captured. */
  readonly isLineOpen: { readonly stdout: boolean; readonly stderr: boolean };
  /** What kprov itself was told to end with meanwhile; null where nothing came. */
  readonly received: Deno.Signal | null;
}

/**
 * Runs a command to its end. What it prints goes on untouched, piece by piece, and no faster than
 * it is taken; it is digested on the way. Where nobody takes it any more, the pipe is closed, so
 * that the command learns of it as it would without kprov. A stream for its standard input is
 * digested to its end, also where the command reads less. Throws `cannot_start` where the system
 * does not start it, `permission` where Deno does not, `io` where its output cannot be passed on,
 * and {@linkcode Interruption} at a second signal, or at one that comes when the command has ended.
 */
export async function runChild(request: ChildRequest): Promise<EndedChild> {
  const { signals } = request;
  if (signals !== undefined) return await followChild(spawn(request), request, signals);
  // Before the command is started: a signal between the two would end kprov alone.
  using watch = new SignalWatch();
  return await followChild(spawn(request), request, watch);
}

async function followChild(
  child: Deno.ChildProcess,
  request: ChildRequest,
  signals: SignalWatch,
): Promise<EndedChild> {
  const ready = request.onStarted?.(child.pid);
  if (request.output === "inherit") {
    const { code, signal } = await signals.superviseCommand(child, ready);
    await signals.settle();
    const isLineOpen = { stdout: false, stderr: false };
    return {
      exitCode: code,
      signal,
      stdin: null,
      output: null,
      openOutput: [],
      isLineOpen,
      received: signals.received,
    };
  }
  const stdout = new Pump(child.stdout, request.output.stdout, "standard output");
  const stderr = new Pump(child.stderr, request.output.stderr, "standard error");
  const outputs = [stdout, stderr];
  const stdin = typeof request.stdin === "string" ? null : feedCommand(child, request.stdin);
  const pumps = stdin === null ? outputs : [...outputs, stdin];
  try {
    const { code, signal } = await signals.superviseCommand(child, ready);
    const drained = [...outputs.map((pump) => pump.drain()), stdin?.drain(SILENT_MS)];
    await Promise.race([Promise.all(drained), signals.stopped]);
    await signals.settle();
    return {
      exitCode: code,
      signal,
      stdin: stdin === null ? null : describeFed(stdin),
      output: { stdout: stdout.digest(), stderr: stderr.digest() },
      openOutput: outputs.filter(({ isCut }) => isCut).map(({ name }) => name),
      isLineOpen: { stdout: stdout.isLineOpen, stderr: stderr.isLineOpen },
      received: signals.received,
    };
  } finally {
    await Promise.all(pumps.map((pump) => pump.stop()));
  }
}

function spawn(request: ChildRequest): Deno.ChildProcess {
  try {
    return new Deno.Command(request.program, {
      args: [...request.args],
      cwd: request.directory,
      // Programs take their working directory's name from it; kprov's own may be another.
      env: {
        ...(request.directory === Deno.cwd() ? {} : { PWD: request.directory }),
        ...request.env,
      },
      clearEnv: request.isEnvCleared ?? false,
      stdin: typeof request.stdin === "string" ? request.stdin : "piped",
      stdout: request.output === "inherit" ? "inherit" : "piped",
      stderr: request.output === "inherit" ? "inherit" : "piped",
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

/**
 * Passes a stream on to the standard input of a command, as fast as that reads. A command that closes it
 * or ends has what it wanted.
 */
function feedCommand(child: Deno.ChildProcess, stream: ReadableStream<Uint8Array>): Pump {
  const writer = child.stdin.getWriter();
  // Who waits for the command is told how it ended.
  const ended = child.status.then(() => {}, () => {});
  let isRead = true;
  const stop = (): void => void (isRead = false);
  void ended.then(stop);
  const pump = new Pump(stream, async (bytes) => {
    if (isRead) await Promise.race([writer.write(bytes).catch(stop), ended]);
  }, "standard input");
  // What is being written then is for what the command left running, and may never go through.
  void Promise.race([pump.ended.catch(() => {}), ended])
    .then(() => isRead ? writer.close() : writer.abort())
    .catch(() => {});
  return pump;
}

function describeFed(pump: Pump): EndedChild["stdin"] {
  if (pump.size === 0) return null;
  return pump.isCut ? "open" : { sha256: pump.digest(), size: pump.size };
}

/** Takes what comes on one stream, digests it, and passes it on. */
class Pump {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #sink: Sink;
  /** What the stream is called, for messages. */
  readonly name: string;
  readonly #hash = createSha256();
  #bytes = 0;
  #lastByte = 0x0a;
  /** Since when output is waited for; null while it is passed on, which takes as long as it takes. */
  #waitingSince: number | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Resolves when there is no more to read, or nobody to take it; rejects where it cannot be passed on. */
  readonly ended: Promise<void>;
  /** Whether it ended before the stream did. */
  isCut = false;

  constructor(stream: ReadableStream<Uint8Array>, sink: Sink, name: string) {
    this.#reader = stream.getReader();
    this.#sink = sink;
    this.name = name;
    this.ended = this.#forward();
    // A failure is reported once the command has ended, which it does soon without its pipe.
    this.ended.catch(() => {});
  }

  /** How many bytes came. */
  get size(): number {
    return this.#bytes;
  }

  /** Whether what came ends in the middle of a line. */
  get isLineOpen(): boolean {
    return this.#lastByte !== 0x0a;
  }

  /** Digest of what came; asked for once. */
  digest(): string {
    return this.#hash.digest("hex");
  }

  /**
   * The command has ended: waits only a while for what may still come, less where nothing came at
   * all.
   */
  async drain(silentMs = GRACE_MS): Promise<void> {
    const start = performance.now();
    const most = this.#bytes + MOST_IN_PIPE;
    this.#timer = setInterval(() => {
      const now = performance.now();
      const since = Math.max(start, this.#waitingSince ?? now);
      const grace = this.#bytes === 0 ? silentMs : GRACE_MS;
      const isOver = now - since >= grace || (this.#bytes > most && now - start >= GRACE_MS);
      if (!isOver) return;
      this.isCut = true;
      void this.stop();
    }, LOOK_MS);
    try {
      await this.ended;
    } finally {
      clearInterval(this.#timer);
    }
  }

  /** Reads no further. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await this.#reader.cancel();
    } catch {
      // The pipe is closed either way.
    }
  }

  async #read(): Promise<Uint8Array | null> {
    this.#waitingSince = performance.now();
    const { value } = await this.#reader.read();
    this.#waitingSince = null;
    return value ?? null;
  }

  async #forward(): Promise<void> {
    for (let bytes = await this.#read(); bytes !== null; bytes = await this.#read()) {
      this.#hash.update(bytes);
      this.#bytes += bytes.length;
      this.#lastByte = bytes.at(-1) ?? this.#lastByte;
      try {
        await this.#sink(bytes);
      } catch (error) {
        await this.stop();
        if (isReaderGone(error)) return;
        const reason = describeSystemError(error);
        throw new KprovError("io", `Cannot write to ${this.name}: ${reason}`, { cause: error });
      }
    }
  }
}

/** How much is read at once. */
const PIECE = 64 * 1024;

/**
 * Tells where data on standard input comes from, which a command inherits; null where it is a
 * terminal, /dev/null, an empty file or closed.
 */
export function describeStdin(): "a pipe" | "a file" | null {
  try {
    const stats = fstatSync(0);
    // A program that starts kprov may give it one end of a connection in place of a pipe.
    if (stats.isFIFO() || stats.isSocket()) return "a pipe";
    return stats.isFile() && stats.size > 0 ? "a file" : null;
  } catch {
    return null;
  }
}

/** A regular file on standard input, as it was read. */
interface StdinFile extends RecordedStdin {
  /** Whether it is no longer what it was. */
  readonly hasChanged: () => boolean;
}

/**
 * Digests the regular file on standard input, from its beginning, wherever the next read begins:
 * that stays as it is, so that the command reads what it would without kprov. Null where the file
 * changes while it is read.
 */
export function digestStdin(): StdinFile | null {
  const before = stampStdin();
  // Times come in whole seconds, so a change within the second of the last one does not show.
  const isClear = before.changed < 1000 * Math.floor(Date.now() / 1000);
  const recorded = readFromStart();
  const isSame = (): boolean => {
    const { key } = stampStdin();
    return key === before.key && (isClear || readFromStart().sha256 === recorded.sha256);
  };
  if (stampStdin().key !== before.key || recorded.size !== before.size) return null;
  return { ...recorded, hasChanged: () => !isSame() };
}

function stampStdin(): { readonly key: string; readonly size: number; readonly changed: number } {
  const { ino, size, mtimeMs, ctimeMs } = fstatSync(0);
  return { key: [ino, size, mtimeMs, ctimeMs].join(" "), size, changed: ctimeMs };
}

function readFromStart(): RecordedStdin {
  const hash = createSha256();
  const buffer = new Uint8Array(PIECE);
  let size = 0;
  try {
    for (let n = -1; n !== 0; size += n) {
      n = readSync(0, buffer, 0, buffer.length, size);
      hash.update(buffer.subarray(0, n));
    }
  } catch (error) {
    throw refuseRead(error);
  }
  return { sha256: hash.digest("hex"), size };
}

/**
 * Reads standard input piece by piece, each when it is asked for. One that does not block, as others who
 * share it may have set it, is waited for by Deno.
 */
export function streamStdin(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const piece = new Uint8Array(PIECE);
      const length = await Deno.stdin.read(piece).catch((error) => {
        throw refuseRead(error);
      });
      if (length === null) controller.close();
      else controller.enqueue(piece.subarray(0, length));
    },
  }, { highWaterMark: 0 });
}

/** Reads standard input to its end; throws `data` where it is larger than so many bytes. */
export function readStdin(maxBytes: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const length = Deno.stdin.readSync(piece);
      if (length === null) break;
      size += length;
      if (size > maxBytes) {
        const reason = `it is larger than ${maxBytes} bytes`;
        throw new KprovError("data", `Cannot read standard input: ${reason}`);
      }
      pieces.push(piece.subarray(0, length));
    }
  } catch (error) {
    throw error instanceof KprovError ? error : refuseRead(error);
  }
  const whole = new Uint8Array(size);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

function refuseRead(cause: unknown): KprovError {
  const reason = describeSystemError(cause);
  return new KprovError("io", `Cannot read standard input: ${reason}`, { cause });
}
