import { KprovError } from "../../base/error.ts";
import { escapeText } from "../../base/quote.ts";
import { basename, dirname, join } from "../../base/std.ts";
import { compareUtf8 } from "../../base/text.ts";
import { describeNameFault } from "../../evidence/check_names.ts";
import type { ObservedFiles, UndeclaredFile } from "../../evidence/command.ts";
import { findCovering, type RecordedFile } from "../../evidence/provenance.ts";
import { askHelper, type FoundTool, locateHelper, type Started } from "../tools.ts";
import type { Root } from "../paths.ts";
import { hintAtFlag, isMissing, toReadError } from "../permissions.ts";
import { makeScratchDirectory, type ScratchDirectory } from "../atomic_file.ts";
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

/** How much of a trace is read at once, which takes some milliseconds. */
const PIECE_BYTES = 2 ** 18;

/** How often a trace that grows is read. */
const FOLLOW_MS = 50;

/**
 * The calls whose structures are told: connections by their kind, and how a thread or file is made. Of all
 * others the arguments of programs would be read from each process, and nobody looks at them.
 */
const DECODED_CALLS = ["connect", "?clone3", "?openat2"] as const;

/**
 * The tracer's arguments before the file that it writes. It runs beside the command, not above it, so
 * that the command's exit code, signals, parent and output are what they are without; in a session of
 * its own, so that it outlives what ends the command. Which signal killed a process is told only where
 * signals are; of a child's end the parent is told all the time.
 */
const TRACER_ARGS: readonly string[] = [
  ...["-DDD", "-f", "--seccomp-bpf", "-y", "-xx", "-q", "-e", "signal=!SIGCHLD"],
  ...["-e", `trace=${TRACED_CALLS.join(",")}`, "-e", `verbose=${DECODED_CALLS.join(",")}`],
];

/** A tracer that works here. */
export interface Tracer {
  /** The file to start, absolute. */
  readonly path: string;
}

/**
 * Makes sure that a command can be watched, before it is started: strace is there, and the system
 * lets it trace.
 */
export async function findTracer(root: Root): Promise<Tracer> {
  if (Deno.build.os !== "linux") {
    throw new KprovError("usage", "Cannot observe the command: --observe works only on Linux");
  }
  requireEverywhere();
  const path = locateHelper(HELPER, root.path);
  const fault = await tryTracer(path);
  if (fault === null) return { path };
  throw new KprovError("cannot_start", `Cannot observe the command: strace may not trace here`, {
    reason: escapeText(fault),
    hint:
      "containers allow it with the capability SYS_PTRACE; a traced process cannot be traced again",
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

/** What reads a trace that grows, as far as it goes. */
class TraceFollower implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #replay: FileReplay;
  readonly #splitter = new LineSplitter();
  readonly #reader = new TraceReader();
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  #isFollowing = true;
  /** What stopped the reading while the command ran; what came behind it was not read. */
  #failure: { readonly error: unknown } | null = null;

  constructor(file: Deno.FsFile, replay: FileReplay) {
    this.#file = file;
    this.#replay = replay;
  }

  /** Whether every process has ended, once all that is there is read. */
  takeAll(): boolean {
    if (this.#failure !== null) throw this.#failure.error;
    while (this.#takePiece()) {
      // The next.
    }
    return this.#replay.isOver;
  }

  /** Whether the command has ended, once all that is there is read. */
  takeUntilEnd(): boolean {
    return this.takeAll() || this.#replay.hasEnded;
  }

  /** Reads while the command runs, which waits for its tracer much of the time. */
  async follow(): Promise<void> {
    try {
      while (this.#isFollowing) {
        const pause = this.#takePiece() ? 0 : FOLLOW_MS;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    } catch (error) {
      // Who reads the rest is told.
      this.#failure = { error };
    }
  }

  /** Leaves the rest to the caller. */
  stopFollowing(): void {
    this.#isFollowing = false;
  }

  #takePiece(): boolean {
    const length = this.#file.readSync(this.#buffer) ?? 0;
    for (const line of this.#splitter.take(this.#buffer.subarray(0, length))) {
      const event = this.#reader.read(line);
      if (event !== null) this.#replay.take(event);
    }
    return length > 0;
  }

  /** Closes the trace. */
  [Symbol.dispose](): void {
    this.#isFollowing = false;
    this.#file.close();
  }
}

/**
 * The trace of one command. Its file loses its name as soon as the tracer has opened it, so that nothing
 * is left however kprov ends; it takes room until the last process that is traced has ended.
 */
export class Trace implements Disposable {
  readonly #tracer: Tracer;
  readonly #scratch: ScratchDirectory;
  readonly #path: string;
  #follower: TraceFollower | null = null;
  #replay: FileReplay | null = null;
  #isNamed = true;
  #isClosed = false;
  /** Resolves once the trace has lost its name; rejects where it cannot be opened. */
  opened: Promise<void> = Promise.resolve();

  /** Makes a place for a trace in a directory. */
  constructor(tracer: Tracer, place: string) {
    this.#tracer = tracer;
    this.#scratch = makeScratchDirectory(place);
    this.#path = join(this.#scratch.path, "trace");
  }

  /** What starts a command, whose file is absolute, under watch. */
  wrap({ program, args }: Started): Started {
    const before = [...TRACER_ARGS, "-o", this.#path, "--"];
    return { program: this.#tracer.path, args: [...before, program, ...args] };
  }

  /**
   * Opens the trace and takes its name away, once the command is started, and begins to read it.
   * Resolves once the command itself runs: a signal that comes before ends its tracer, which leaves
   * processes behind then.
   */
  async open(beginning: { readonly pid: number; readonly directory: string }): Promise<void> {
    const replay = new FileReplay({ ...beginning, resolveLinks: makeLinkResolver() });
    this.#replay = replay;
    this.opened = this.#open(replay);
    try {
      await this.opened;
    } catch {
      // It is reported once the command has ended.
    }
    await waitFor(() => replay.hasBegun || this.#isClosed, { milliseconds: PATIENCE_MS });
  }

  async #open(replay: FileReplay): Promise<void> {
    await waitFor(() => this.#tryOpen(replay), { milliseconds: PATIENCE_MS });
    this.#removeName();
  }

  #removeName(): void {
    if (this.#isNamed) this.#scratch[Symbol.dispose]();
    this.#isNamed = false;
  }

  #tryOpen(replay: FileReplay): boolean {
    if (!this.#isNamed) return true;
    try {
      this.#follower ??= new TraceFollower(Deno.openSync(this.#path, { read: true }), replay);
      void this.#follower.follow();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw toReadError(error, "Cannot read the trace of the command", { path: this.#path });
    }
  }

  /** Reads what the tracer saw to its end, once the command has ended. */
  async read(): Promise<FileHistory> {
    await this.opened;
    const [replay, follower] = [this.#replay, this.#follower];
    if (replay === null) throw new KprovError("fault", "Cannot read a trace before it is opened");
    follower?.stopFollowing();
    if (follower !== null) {
      const isOver = await waitFor(() => follower.takeAll(), { milliseconds: GRACE_MS });
      if (!isOver) {
        await waitFor(() => follower.takeUntilEnd(), { milliseconds: PATIENCE_MS });
      }
    }
    return replay.finish();
  }

  /** Closes the trace. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#follower?.[Symbol.dispose]();
    this.#follower = null;
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

/** What a run knows of files when its command has ended. */
interface DeclaredFiles {
  /** Where recorded paths start. */
  readonly root: Root;
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** Whether they were read through links. */
  readonly links?: "follow";
  /** The names of the product paths. */
  readonly products: ReadonlySet<string>;
  /** The names of the files that stood there before the command. */
  readonly standing: ReadonlySet<string>;
  /** The names below the root of what kprov itself writes. */
  readonly ownNames: ReadonlySet<string>;
  /** Every program that ran, and the real executables of runtimes. */
  readonly tools: readonly FoundTool[];
  /** When the command was started, in milliseconds. */
  readonly startedAt: number;
}

/** Makes what tells the name of an absolute path below the root, or null where it lies elsewhere. */
function makeNamer({ path }: Root): (absolute: string) => string | null {
  const prefix = path === "/" ? "/" : `${path}/`;
  return (absolute) => absolute.startsWith(prefix) ? absolute.slice(prefix.length) : null;
}

/** Holds what a command did with files against what the run records of them. */
export function findObservedFiles(history: FileHistory, declared: DeclaredFiles): ObservedFiles {
  const nameOf = makeNamer(declared.root);
  const inputs = new Set(declared.materials.map(({ name }) => name));
  // Of a link, the text is recorded, and not what is read through it.
  const links = new Set(
    declared.materials.filter(({ kind }) => kind === "symlink").map(({ name }) => name),
  );
  const isFollowed = makeFollowedPaths(declared);
  const programs = new Set(declared.tools.flatMap(({ path, real }) => [path, real]));
  const isBelonging = makeBelongings(declared.tools);
  const undeclared = new Map<string, UndeclaredFile>();
  const outside: string[] = [];
  for (const [path, given] of history.read) {
    if (programs.has(path)) continue;
    const names = [nameOf(path), given === null ? null : nameOf(given)];
    const own = names.filter((name) => name !== null);
    if (own.some((name) => inputs.has(name) && !links.has(name)) || isFollowed(path)) continue;
    const state = lookAt(path, history.doubtful.has(path), declared);
    if (state === null) continue;
    const [name] = own;
    const isForeign = isSystemFile(path) || isBelonging(path);
    if (name === undefined) {
      if (!isForeign) outside.push(path);
    } else if (links.has(name)) {
      if (!isForeign) undeclared.set(name, { name, state: "behind" });
    } else undeclared.set(name, describe(name, names[0] === null ? "link" : state, declared));
  }
  for (const { from, to } of history.moved) {
    const [name, product] = [nameOf(from), nameOf(to)];
    if (name === null || product === null || inputs.has(name)) continue;
    if (findCovering(product, declared.products) === null) continue;
    undeclared.set(name, describe(name, "moved", declared));
  }
  return {
    undeclared: [...undeclared.values()].sort((a, b) => compareUtf8(a.name, b.name)),
    outside: outside.sort(compareUtf8),
    products: findUndeclaredProducts(history, declared, inputs),
  };
}

/** Where the inputs are that were read through links; a process may have reached them in another way. */
function makeFollowedPaths({ root, materials, links }: DeclaredFiles): (path: string) => boolean {
  if (links === undefined) return () => false;
  let paths: ReadonlySet<string> | null = null;
  return (path) => {
    paths ??= new Set(materials.map(({ name }) => resolveLinks(join(root.path, name))));
    return paths.has(path);
  };
}

function describe(
  name: string,
  state: UndeclaredFile["state"],
  { ownNames }: DeclaredFiles,
): UndeclaredFile {
  const isOwn = findCovering(name, ownNames) !== null;
  return { name, state: isOwn || describeNameFault(name) !== null ? "unfit" : state };
}

/** The file at a path that was read; null where it is the command's own, or no file. */
function lookAt(
  path: string,
  isDoubtful: boolean,
  declared: DeclaredFiles,
): "unchanged" | "changed" | "gone" | null {
  if (!path.isWellFormed()) return "changed";
  try {
    const stats = Deno.lstatSync(path);
    if (stats.isDirectory) return null;
    if (isDoubtful && !stoodBefore(path, stats, declared)) return null;
    const changed = stats.ctime?.getTime() ?? Infinity;
    return stats.isFile && changed < secondOf(declared.startedAt) ? "unchanged" : "changed";
  } catch (error) {
    // What could be made and is gone is taken for a temporary file.
    if (isMissing(error)) return isDoubtful ? null : "gone";
    return isDoubtful ? null : "changed";
  }
}

/** A file that was opened so that it is made where it is not there yet. */
function stoodBefore(
  path: string,
  { birthtime, mtime }: Deno.FileInfo,
  { root, products, standing, startedAt }: DeclaredFiles,
): boolean {
  const name = makeNamer(root)(path);
  if (name !== null && findCovering(name, products) !== null) return standing.has(name);
  if (birthtime !== null) return birthtime.getTime() < startedAt;
  return (mtime?.getTime() ?? 0) < startedAt;
}

/**
 * Tells the programs that are not surely those that ran: the command put others in their place, or
 * they were written since it was started.
 */
export function findChangedPrograms(
  { written }: FileHistory,
  tools: readonly FoundTool[],
  startedAt: number,
): FoundTool[] {
  const made = new Set(written);
  return tools.filter(({ path, real }) =>
    made.has(path) || made.has(real) || isWrittenSince(real, startedAt)
  );
}

/** A modification time in the future, as an archive may bring it, says nothing by itself. */
function isWrittenSince(path: string, startedAt: number): boolean {
  try {
    const { mtime, ctime } = Deno.lstatSync(path);
    return (mtime?.getTime() ?? 0) >= startedAt &&
      (ctime?.getTime() ?? 0) >= secondOf(startedAt);
  } catch {
    return true;
  }
}

/** Deno tells when a file changed in whole seconds. */
function secondOf(milliseconds: number): number {
  return 1000 * Math.floor(milliseconds / 1000);
}

function findUndeclaredProducts(
  { written, opened }: FileHistory,
  { root, products, ownNames, startedAt }: DeclaredFiles,
  inputs: ReadonlySet<string>,
): string[] {
  const nameOf = makeNamer(root);
  const known = new Set([...products, ...ownNames]);
  const changed = opened.filter((path) => isChangedSince(path, startedAt));
  return [...written, ...changed].flatMap((path) => {
    const name = nameOf(path);
    if (name === null || inputs.has(name) || findCovering(name, known) !== null) return [];
    return isFileOrLink(path) ? [name] : [];
  }).sort(compareUtf8);
}

/** A file that was opened for writing, and then perhaps only read, as databases are. */
function isChangedSince(path: string, startedAt: number): boolean {
  try {
    return (Deno.lstatSync(path).mtime?.getTime() ?? Infinity) >= startedAt;
  } catch {
    return true;
  }
}

function isFileOrLink(path: string): boolean {
  // Deno cannot name it; that it was written is known.
  if (!path.isWellFormed()) return true;
  try {
    const { isFile, isSymlink } = Deno.lstatSync(path);
    return isFile || isSymlink;
  } catch {
    return false;
  }
}

/** What the system itself brings: its programs, libraries and data, and what they are set up by. */
const SYSTEM_FILES: readonly RegExp[] = [
  /^\/(?:bin|sbin|lib|lib32|lib64|libx32|proc|sys|dev|nix\/store|gnu\/store)\//,
  /^\/usr\/(?!local\/)/,
  /^\/run\/(?:nscd|systemd|current-system)\//,
  /^\/etc\/(?:ld\.so|alternatives|ssl|pki|ca-certificates|crypto-policies|fonts|terminfo|java)/,
  /^\/etc\/(?:localtime|timezone|locale|nsswitch|passwd|group|hosts|host\.conf|resolv|gai|services)/,
  /^\/etc\/(?:protocols|mime\.types|os-release|debian_version|lsb-release|inputrc|mailcap|magic)/,
  /^\/etc\/(?:R|perl|python[0-9.]*|texmf|ghostscript)(?:\/|$)/,
  /^\/var\/(?:cache\/(?:fontconfig|ldconfig)|lib\/(?:ca-certificates|locales|texmf|ghostscript))\//,
];

/** Whether a path, absolute, is of the system itself. */
export function isSystemFile(path: string): boolean {
  return SYSTEM_FILES.some((pattern) => pattern.test(path));
}

/** What stands beside the directory of programs and belongs to them. */
const BESIDE_PROGRAMS = [
  ...["lib", "lib32", "lib64", "libexec", "include", "share", "etc", "ssl", "src", "pkg"],
  ...["pyvenv.cfg", "conda-meta", "jre", "conf", "jmods", "modules", "release"],
];

/** A shim finds the version that it starts beside itself. */
const BESIDE_SHIMS = [
  ...["bin", "libexec", "plugins", "versions", "version", "lib", "shims", "completions"],
];

/** A home holds more than what its programs need. */
const HOMES = /^\/(?:root|(?:home|Users)\/[^/]+)$/;

/** Lists what may stand beside the directory of a program and belongs to it. */
export function listBesidePrograms(path: string): string[] {
  const directory = dirname(path);
  const above = dirname(directory);
  const kind = basename(directory);
  const isOfPrograms = kind === "bin" || kind === "sbin";
  if (HOMES.test(above)) return [];
  const beside = kind === "shims" ? BESIDE_SHIMS : isOfPrograms ? BESIDE_PROGRAMS : [];
  // ~/.local/share holds whatever programs of one user keep.
  const isShared = basename(above) === ".local";
  return beside.filter((name) => !isShared || name !== "share").map((name) => `${above}/${name}`);
}

/** What belongs to programs that ran: they are recorded, and runtimes with their packages. */
function makeBelongings(tools: readonly FoundTool[]): (path: string) => boolean {
  const prefixes = new Set(
    tools.flatMap(({ path, real }) => [path, real].flatMap(listBesidePrograms)),
  );
  const list = [...prefixes];
  return (path) =>
    /\/(?:site|dist)-packages\//.test(path) ||
    list.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
