import { KprovError } from "../../base/error.ts";
import { escapeText } from "../../base/quote.ts";
import { join } from "../../base/std.ts";
import { askHelper, locateHelper, type Started } from "../executable.ts";
import type { Root } from "../paths.ts";
import { hintAtFlag, permissionFlag, toKprovError } from "../permissions.ts";
import { makeScratchDirectory, type ScratchDirectory } from "../scratch.ts";
import { type FileHistory, FileReplay, TRACED_CALLS } from "./file_history.ts";
import { LineSplitter, TraceReader } from "./strace_log.ts";

/** The program that watches. */
export const TRACER = "strace";

const HELPER = {
  name: TRACER,
  action: "Cannot observe the command",
  flag: "--observe",
  debian: "strace",
} as const;

/** How long the tracer may take to begin, and to write what it saw of a command that has ended. */
const PATIENCE_MS = 10_000;

/** How long what the command left running is watched: as long as its output is waited for. */
const GRACE_MS = 1000;

const LOOK_MS = 5;

/** How much of a trace is read at once. */
const PIECE_BYTES = 2 ** 20;

/**
 * The tracer's arguments before the file that it writes. It runs beside the command, not above it, so
 * that the command's exit code, signals, parent and output are what they are without; in a session of
 * its own, so that it outlives what ends the command. Which signal killed a process is told only where
 * signals are; of a child's end the parent is told all the time.
 */
const TRACER_ARGS: readonly string[] = [
  ...["-DDD", "-f", "--seccomp-bpf", "-y", "-xx", "-q", "-e", "signal=!SIGCHLD"],
  ...["-e", `trace=${TRACED_CALLS.join(",")}`],
];

/** A tracer that works here. */
export interface Tracer {
  /** The file to start, absolute. */
  readonly path: string;
}

/**
 * Makes sure that a command can be watched, before it is started: strace is there, and the system lets
 * it trace.
 *
 * @param root Where the command runs
 * @throws {KprovError} `usage` where the system is not Linux, `permission`, `not_found` where strace is
 * not there, `cannot_start` where it may not trace
 */
export async function findTracer(root: Root): Promise<Tracer> {
  if (Deno.build.os !== "linux") {
    throw new KprovError("usage", "Cannot observe the command: --observe works on Linux alone");
  }
  requireEverywhere();
  const path = locateHelper(HELPER, root.path);
  const fault = await tryTracer(path);
  if (fault === null) return { path };
  throw new KprovError("cannot_start", `Cannot observe the command: strace may not trace here`, {
    reason: escapeText(fault),
    hint:
      "containers let it with the capability SYS_PTRACE; a process that is traced cannot be traced again",
  });
}

/** What a command will read is not known before, so that no narrower permission serves. */
function requireEverywhere(): void {
  if (Deno.permissions.querySync({ name: "read" }).state === "granted") return;
  throw new KprovError(
    "permission",
    "Cannot observe the command: Deno's full read permission is missing",
    { hint: hintAtFlag("--allow-read") },
  );
}

/** Lets strace trace itself, which needs no other program; its trace goes where its messages go. */
async function tryTracer(path: string): Promise<string | null> {
  const { stderr } = await askHelper(path, [...TRACER_ARGS, path, "-V"]);
  const lines = stderr.trim().split("\n");
  if (lines.some((line) => line.endsWith("+++ exited with 0 +++"))) return null;
  const last = lines.map((line) => line.replace(`${path}: `, "")).findLast((line, i) =>
    line !== lines[i]
  );
  return last ?? "it sees nothing";
}

async function waitFor(
  isThere: () => boolean,
  { milliseconds }: { readonly milliseconds: number },
): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (!isThere()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

/**
 * The trace of one command. Its file loses its name as soon as the tracer has opened it, so that nothing
 * is left however kprov ends; it takes room until the last process that is traced has ended.
 */
export class Trace implements Disposable {
  readonly #tracer: Tracer;
  readonly #scratch: ScratchDirectory;
  readonly #path: string;
  #file: Deno.FsFile | null = null;
  #isNamed = true;
  #opened: Promise<void> = Promise.resolve();

  /**
   * Makes a place for a trace.
   *
   * @param tracer What watches
   * @param place The directory where it goes
   * @throws {KprovError} `cannot_create` or `permission`
   */
  constructor(tracer: Tracer, place: string) {
    this.#tracer = tracer;
    this.#scratch = makeScratchDirectory(place);
    this.#path = join(this.#scratch.path, "trace");
  }

  /**
   * What starts a command under watch.
   *
   * @param command The command's file, absolute, and its arguments
   */
  wrap({ program, args }: Started): Started {
    const before = [...TRACER_ARGS, "-o", this.#path, "--"];
    return { program: this.#tracer.path, args: [...before, program, ...args] };
  }

  /** Opens the trace and takes its name away, once the command is started. */
  open(): void {
    this.#opened = this.#open();
    // A failure is told once the command has ended.
    this.#opened.catch(() => {});
  }

  async #open(): Promise<void> {
    await waitFor(() => this.#tryOpen(), { milliseconds: PATIENCE_MS });
    this.#removeName();
  }

  #removeName(): void {
    if (this.#isNamed) this.#scratch[Symbol.dispose]();
    this.#isNamed = false;
  }

  #tryOpen(): boolean {
    if (!this.#isNamed) return true;
    try {
      this.#file ??= Deno.openSync(this.#path, { read: true });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw toKprovError(error, "Cannot read the trace of the command", {
        refused: "io",
        flag: permissionFlag("read", this.#path),
      });
    }
  }

  /**
   * Reads what the tracer saw, once the command has ended.
   *
   * @param beginning The command's process, and where it began
   * @throws {KprovError} `io`
   */
  async read(
    beginning: { readonly pid: number; readonly directory: string },
  ): Promise<FileHistory> {
    await this.#opened;
    const replay = new FileReplay({ ...beginning, resolveLinks: makeLinkResolver() });
    const file = this.#file;
    if (file === null) return replay.finish();
    const splitter = new LineSplitter();
    const reader = new TraceReader();
    const buffer = new Uint8Array(PIECE_BYTES);
    const take = (): boolean => {
      for (let n = file.readSync(buffer); n !== null && n > 0; n = file.readSync(buffer)) {
        for (const line of splitter.take(buffer.subarray(0, n))) {
          const event = reader.read(line);
          if (event !== null) replay.take(event);
        }
      }
      return replay.isOver;
    };
    const isOver = await waitFor(take, { milliseconds: GRACE_MS });
    if (!isOver && !replay.hasEnded) {
      await waitFor(() => take() || replay.hasEnded, {
        milliseconds: PATIENCE_MS,
      });
    }
    return replay.finish();
  }

  /** Closes the trace. */
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = null;
    this.#removeName();
  }
}

/** The links in the paths of directories, as they lead now; each directory is looked at once. */
function makeLinkResolver(): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const found = known.get(path) ?? resolveLinks(path);
    known.set(path, found);
    return found;
  };
}

function resolveLinks(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
