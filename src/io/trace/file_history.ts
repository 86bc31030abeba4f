import {
  parseTracedDescriptor,
  parseTracedString,
  splitArguments,
  type TracedCall,
  type TraceEvent,
} from "./strace_log.ts";

/** What the processes of a command did with files, by absolute paths. */
export interface FileHistory {
  /** Files that were read before the command made them, each with the other name that was used, or null. */
  readonly read: ReadonlyMap<string, string | null>;
  /** Those of them that the command made, unless they stood there before. */
  readonly doubtful: ReadonlySet<string>;
  /** What was made, or moved there, and was not seen to go. */
  readonly written: readonly string[];
  /** What was opened for writing, and may not have been written. */
  readonly opened: readonly string[];
  /** What was moved or linked to another name without having been read. */
  readonly moved: readonly { readonly from: string; readonly to: string }[];
  /** The programs that ran and that the command did not make itself. */
  readonly executed: ReadonlySet<string>;
  /** How many connections were opened, by kind. */
  readonly connections: ReadonlyMap<string, number>;
  /** Why something may have happened unseen. */
  readonly gaps: ReadonlySet<string>;
  /** How many processes and threads had not ended. */
  readonly running: number;
  /** Why the system did not start the command, where it did not. */
  readonly startFault: string | null;
  /** Whether the first process was seen to begin, and to end. */
  readonly isWhole: boolean;
}

/** What is known about a name that the command changed; what it never changed has none. */
interface Entry {
  /** Where what stands here stood before the command; null where it was here, or is the command's own. */
  origin: string | null;
  /** Whether what stands here, if anything, is the command's own. */
  isMade: boolean;
  /** Whether that is so only where nothing stood here before. */
  isDoubtful: boolean;
  /** Whether the command put something here, or opened it so that it could. */
  written: "yes" | "opened" | "no";
}

interface Node {
  entry: Entry | null;
  readonly children: Map<string, Node>;
}

/** The working directory of a process; threads share it. */
interface Process {
  directory: string | null;
}

/** Where a command begins. */
interface Beginning {
  /** Its process. */
  readonly pid: number;
  /** Its working directory, links resolved. */
  readonly directory: string;
  /** Resolves the links in the path of a directory, as far as it is there. */
  readonly resolveLinks: (path: string) => string;
}

const CONNECTION_KINDS: Readonly<Record<string, string>> = {
  AF_INET: "internet",
  AF_INET6: "internet",
  AF_UNIX: "local",
  AF_VSOCK: "vsock",
};

const GAPS: Readonly<Record<string, string>> = {
  io_uring_setup: "io_uring was used, through which files are read without a system call",
  open_by_handle_at: "a file was opened without a name",
  chroot: "a process changed its root directory",
  pivot_root: "a process changed its root directory",
  setns: "a process entered another namespace",
  mount: "a file system was mounted",
  move_mount: "a file system was mounted",
};

/** The system calls that are to be traced; `?` stands before one that not every machine has. */
export const TRACED_CALLS: readonly string[] = [
  ...["?open", "openat", "?openat2", "?creat", "truncate", "execve", "?execveat"],
  ...["?rename", "?renameat", "?renameat2", "?unlink", "unlinkat", "?rmdir", "?mkdir", "mkdirat"],
  ...[
    "?mknod",
    "mknodat",
    "?link",
    "linkat",
    "?symlink",
    "symlinkat",
    "chdir",
    "fchdir",
    "?getdents",
    "getdents64",
  ],
  ...["?fork", "?vfork", "clone", "?clone3", "unshare", "connect"],
  ...Object.keys(GAPS).map((name) => `?${name}`),
];

/** Replays a trace; it holds a record for each name that the command read or changed. */
export class FileReplay {
  readonly #processes = new Map<number, Process>();
  readonly #forking = new Set<number>();
  /** What was made by a call that was seen to end. */
  readonly #forked = new Set<number>();
  /** What ended before the call that made it. */
  readonly #early = new Set<number>();
  /** The processes and threads that a line was about. */
  readonly #seen = new Set<number>();
  readonly #root: Node = { entry: null, children: new Map() };
  readonly #read = new Map<string, string | null>();
  readonly #doubtful = new Set<string>();
  readonly #listed = new Set<string>();
  readonly #moved: { readonly from: string; readonly to: string }[] = [];
  readonly #executed = new Set<string>();
  readonly #connections = new Map<string, number>();
  readonly #gaps = new Set<string>();
  readonly #first: number;
  readonly #resolveLinks: (path: string) => string;
  #startFault: string | null = null;
  #hasBegun = false;
  #hasEnded = false;

  /**
   * Makes one.
   *
   * @param beginning Where the command begins
   */
  constructor({ pid, directory, resolveLinks }: Beginning) {
    this.#first = pid;
    this.#resolveLinks = resolveLinks;
    this.#processes.set(pid, { directory });
  }

  /** Whether the command's program was seen to begin. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether every process has ended. */
  get isOver(): boolean {
    return this.#hasEnded && this.#countRunning() === 0;
  }

  /** Whether the first process has ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Takes the next event.
   *
   * @param event In the order of the trace
   */
  take(event: TraceEvent): void {
    if (event.kind === "unread") this.#gaps.add("a line of the trace cannot be read");
    else if (event.kind === "end") this.#end(event.pid);
    else if (event.kind === "begun") {
      this.#find(event.pid);
      if (FORKS.test(event.name)) this.#forking.add(event.pid);
    } else if (succeeded(event)) this.#take(event);
    else this.#fail(event);
  }

  /** What was seen so far. */
  finish(): FileHistory {
    // A name that was listed is that of a directory, which is no file that was read.
    for (const path of this.#listed) this.#read.delete(path);
    return {
      read: this.#read,
      doubtful: this.#doubtful,
      written: listWritten(this.#root, "yes"),
      opened: listWritten(this.#root, "opened"),
      moved: this.#moved,
      executed: this.#executed,
      connections: this.#connections,
      gaps: this.#gaps,
      running: this.#countRunning(),
      startFault: this.#hasBegun ? null : this.#startFault,
      isWhole: this.#hasBegun && this.#hasEnded,
    };
  }

  #fail({ pid, name, result }: TracedCall): void {
    this.#find(pid);
    this.#forking.delete(pid);
    const isStart = pid === this.#first && name.startsWith("exec") && !this.#hasBegun;
    if (isStart) this.#startFault ??= /\((.*)\)$/.exec(result)?.[1] ?? result;
  }

  /** In a namespace of its own, a process has another number than the one that its lines begin with. */
  #countRunning(): number {
    if (!this.#gaps.has(NUMBERED_ANEW)) return this.#processes.size;
    return [...this.#processes.keys()].filter((pid) => this.#seen.has(pid)).length;
  }

  #end(pid: number): void {
    this.#processes.delete(pid);
    if (!this.#forked.delete(pid) && pid !== this.#first) this.#early.add(pid);
    this.#seen.delete(pid);
    this.#forking.delete(pid);
    if (pid === this.#first) this.#hasEnded = true;
  }

  /** A child may be seen before the call that made it has ended. */
  #find(pid: number): Process {
    this.#seen.add(pid);
    const known = this.#processes.get(pid);
    if (known !== undefined) return known;
    const parents = [...this.#forking].map((parent) => this.#processes.get(parent)?.directory);
    const [directory = null, ...others] = new Set(parents);
    const process = { directory: others.length === 0 ? directory : null };
    this.#processes.set(pid, process);
    return process;
  }

  #take(call: TracedCall): void {
    const process = this.#find(call.pid);
    const { name } = call;
    const gap = GAPS[name];
    if (gap !== undefined) this.#gaps.add(gap);
    else if (FORKS.test(name)) this.#fork(call, process);
    else if (name.startsWith("exec")) this.#execute(call, process);
    else if (name.startsWith("open") || name === "creat") this.#open(call, process);
    else if (name.startsWith("rename")) this.#rename(call, process);
    else if (name.startsWith("link")) this.#link(call, process);
    else if (name.startsWith("symlink")) this.#symlink(call, process);
    else if (name.startsWith("unlink") || name === "rmdir") this.#remove(call, process);
    else if (name.startsWith("getdents")) this.#list(call);
    else if (name.startsWith("mk")) this.#make(call, process);
    else if (name === "truncate") this.#truncate(call, process);
    else if (name === "connect") this.#connect(call);
    else if (name === "unshare") this.#unshare(call.args);
    else this.#changeDirectory(call, process);
  }

  #fork({ pid, name, args, result }: TracedCall, parent: Process): void {
    this.#forking.delete(pid);
    const child = Number(/^[0-9]+/.exec(result)?.[0]);
    this.#unshare(args);
    if (this.#early.delete(child)) return;
    this.#forked.add(child);
    const sharesDirectory = name.startsWith("clone") && /\bCLONE_FS\b/.test(args);
    const known = this.#processes.get(child);
    if (sharesDirectory) this.#processes.set(child, parent);
    else if (known === undefined) this.#processes.set(child, { directory: parent.directory });
    else known.directory ??= parent.directory;
  }

  #unshare(args: string): void {
    if (/\bCLONE_NEWNS\b/.test(args)) this.#gaps.add("a process made a namespace of its own");
    if (/\bCLONE_NEWPID\b/.test(args)) this.#gaps.add(NUMBERED_ANEW);
  }

  #changeDirectory({ name, args }: TracedCall, process: Process): void {
    const [text = ""] = splitArguments(args, 1);
    const given = name === "fchdir"
      ? parseTracedDescriptor(text)?.path ?? null
      : this.#resolve(parseTracedString(text), null, process);
    process.directory = given === null ? null : this.#resolveLinks(given);
  }

  #execute({ name, args }: TracedCall, process: Process): void {
    const isAt = name === "execveat";
    const words = splitArguments(args, 2);
    const [at, text] = isAt ? [words[0] ?? null, words[1]] : [null, words[0]];
    const given = parseTracedString(text ?? "");
    const path = given === "" ? parseTracedDescriptor(at ?? "")?.path ?? null : this.#resolve(
      given,
      at,
      process,
    );
    this.#hasBegun = true;
    const isKnown = path !== null && path.startsWith("/");
    if (!isKnown) this.#gaps.add("a program was executed whose file is unknown");
    // In /proc stands a program that ran already, such as /proc/self/exe.
    else if (!path.startsWith("/proc/") && !this.#isMade(path)) this.#executed.add(path);
  }

  #open(call: TracedCall, process: Process): void {
    const { name, args, result } = call;
    const isAt = name.startsWith("openat");
    const words = splitArguments(args, 3);
    const [at, text, flags] = isAt ? words : [null, words[0], words[1]];
    const given = this.#resolve(parseTracedString(text ?? ""), at ?? null, process);
    const opened = parseTracedDescriptor(result);
    const path = opened?.path ?? given;
    if (path === null) {
      this.#gaps.add("a file was opened whose name is unknown");
      return;
    }
    const how = readFlags(name === "creat" ? "O_WRONLY|O_CREAT|O_TRUNC" : flags ?? "");
    if (!path.startsWith("/") || how.isPathOnly || path.startsWith("/memfd:")) return;
    if (how.isDirectory) this.#listed.add(path);
    else if (opened?.isDeleted !== true) this.#use(path, given === path ? null : given, how);
  }

  #use(path: string, given: string | null, how: OpenFlags): void {
    if (how.makesAnew) this.#put(path, { isMade: true });
    if (how.reads) this.#noteRead(path, given, how.mayMake);
    if (how.writes && !how.makesAnew) {
      const before = this.#look(path);
      const isMade = before?.isMade === true || (before === null && how.mayMake);
      const isDoubtful = before?.isDoubtful ?? how.mayMake;
      const written = before?.written === "yes" ? "yes" : "opened";
      this.#put(path, { isMade, isDoubtful, written, origin: before?.origin ?? null });
    }
  }

  #noteRead(path: string, given: string | null, mayMake: boolean): void {
    const entry = this.#look(path);
    if (entry?.isMade === true && !entry.isDoubtful) return;
    const original = entry?.origin ?? path;
    if (!this.#read.has(original)) {
      this.#read.set(original, original === path ? given : null);
      if (entry?.isDoubtful ?? mayMake) this.#doubtful.add(original);
    } else if (entry === null && !mayMake) this.#doubtful.delete(original);
  }

  #rename({ name, args }: TracedCall, process: Process): void {
    const [from, to, flags] = this.#readPair(name, args, process);
    if (from === null || to === null) return;
    const moved = this.#detach(from);
    if (/\bRENAME_EXCHANGE\b/.test(flags)) this.#attach(from, this.#detach(to));
    else this.#put(from, { isMade: true, written: "no" });
    const { origin = null, isDoubtful = false } = moved.entry ?? {};
    if (origin !== null && !isDoubtful) this.#moved.push({ from: origin, to });
    this.#attach(to, moved);
  }

  #link({ name, args }: TracedCall, process: Process): void {
    const [from, to] = this.#readPair(name, args, process);
    if (from === null || to === null) return;
    const entry = this.#look(from);
    // What has no name, or none but that of a descriptor, was opened before, or made.
    const isNameless = from.startsWith("/proc/") || /<[^<>]*>\(deleted\)/.test(args);
    const isMade = isNameless || entry?.isMade === true;
    const origin = isMade ? null : entry?.origin ?? from;
    if (origin !== null) this.#moved.push({ from: origin, to });
    this.#put(to, { isMade, isDoubtful: entry?.isDoubtful === true, origin });
  }

  #symlink({ name, args }: TracedCall, process: Process): void {
    const words = splitArguments(args, 3);
    const [at, text] = name === "symlinkat" ? [words[1] ?? null, words[2]] : [null, words[1]];
    const path = this.#resolveEntry(parseTracedString(text ?? ""), at, process);
    if (path !== null) this.#put(path, { isMade: true });
  }

  #remove({ name, args }: TracedCall, process: Process): void {
    const words = splitArguments(args, 2);
    const [at, text] = name === "unlinkat" ? [words[0] ?? null, words[1]] : [null, words[0]];
    const path = this.#resolveEntry(parseTracedString(text ?? ""), at, process);
    // What stands there later is something new.
    if (path !== null) this.#put(path, { isMade: true, written: "no" });
  }

  /** A directory, or a FIFO: what comes through it is the command's own. */
  #make({ name, args }: TracedCall, process: Process): void {
    const words = splitArguments(args, 2);
    const [at, text] = name.endsWith("at") ? [words[0] ?? null, words[1]] : [null, words[0]];
    const path = this.#resolveEntry(parseTracedString(text ?? ""), at, process);
    if (path !== null) this.#put(path, { isMade: true, written: "no" });
  }

  #truncate({ args }: TracedCall, process: Process): void {
    const [text = "", length] = splitArguments(args, 2);
    const path = this.#resolveEntry(parseTracedString(text), null, process);
    if (path === null) return;
    const before = this.#look(path);
    this.#put(path, {
      isMade: length === "0" || before?.isMade === true,
      isDoubtful: length !== "0" && before?.isDoubtful === true,
      origin: before?.origin ?? null,
    });
  }

  #list({ args }: TracedCall): void {
    const path = parseTracedDescriptor(splitArguments(args, 1)[0] ?? "")?.path;
    if (path?.startsWith("/")) this.#listed.add(path);
  }

  #connect({ args }: TracedCall): void {
    const family = /\bsa_family=([A-Z0-9_]+)/.exec(args)?.[1] ?? "";
    if (family === "AF_UNSPEC") return;
    const kind = CONNECTION_KINDS[family] ?? "other";
    this.#connections.set(kind, (this.#connections.get(kind) ?? 0) + 1);
  }

  #readPair(
    name: string,
    args: string,
    process: Process,
  ): readonly [from: string | null, to: string | null, flags: string] {
    const words = splitArguments(args, 5);
    const [fromAt, from, toAt, to, flags] = /at2?$/.test(name)
      ? words
      : [null, words[0], null, words[1]];
    return [
      this.#resolveEntry(parseTracedString(from ?? ""), fromAt ?? null, process),
      this.#resolveEntry(parseTracedString(to ?? ""), toAt ?? null, process),
      flags ?? "",
    ];
  }

  /** The path of a name, the links on the way to it resolved. */
  #resolveEntry(name: string | null, at: string | null, process: Process): string | null {
    const path = this.#resolve(name, at, process);
    if (path === null) {
      this.#gaps.add("a file was renamed, linked or removed whose name is unknown");
      return null;
    }
    const end = path.lastIndexOf("/");
    const above = this.#resolveLinks(path.slice(0, end) || "/");
    return `${above === "/" ? "" : above}/${path.slice(end + 1)}`;
  }

  /** The path of a name as it is written; null where it is relative to what is not known. */
  #resolve(name: string | null, at: string | null, process: Process): string | null {
    if (name === null) return null;
    const place = at === null ? null : parseTracedDescriptor(at)?.path ?? null;
    if (at?.startsWith("AT_FDCWD") && place !== null) process.directory = place;
    const directory = at === null || at.startsWith("AT_FDCWD") ? process.directory : place;
    if (name.startsWith("/")) return normalize(name);
    return directory === null ? null : normalize(`${directory}/${name}`);
  }

  #isMade(path: string): boolean {
    const entry = this.#look(path);
    return entry?.isMade === true && !entry.isDoubtful;
  }

  /** What is known about a path; null where the command changed neither it nor where it lies. */
  #look(path: string): Entry | null {
    let node: Node | undefined = this.#root;
    let above: Entry | null = null;
    let rest = "";
    for (const part of listParts(path)) {
      node = node?.children.get(part);
      rest = `${rest}/${part}`;
      if (node === undefined && above === null) return null;
      if (node !== undefined && node.entry !== null) [above, rest] = [node.entry, ""];
    }
    if (above === null || rest === "") return above;
    // It lies in a directory that was moved; a file in one that is the command's own was put there.
    return above.origin === null ? null : { ...above, origin: `${above.origin}${rest}` };
  }

  #put(path: string, entry: Partial<Entry>): void {
    this.#reach(path).entry = {
      origin: null,
      isMade: false,
      isDoubtful: false,
      written: "yes",
      ...entry,
    };
  }

  #reach(path: string): Node {
    let node = this.#root;
    for (const part of listParts(path)) {
      const next = node.children.get(part) ?? { entry: null, children: new Map<string, Node>() };
      node.children.set(part, next);
      node = next;
    }
    return node;
  }

  /** Takes what stands at a path, with all that is below it. */
  #detach(path: string): Node {
    const entry = this.#look(path);
    const parts = listParts(path);
    const last = parts.pop() ?? "";
    const above = this.#reach(parts.join("/"));
    const { children } = above.children.get(last) ?? { children: new Map<string, Node>() };
    above.children.delete(last);
    const isMade = entry?.isMade === true;
    const origin = isMade && !entry?.isDoubtful ? null : entry?.origin ?? path;
    const isDoubtful = entry?.isDoubtful === true;
    return { entry: { origin, isMade, isDoubtful, written: "yes" }, children };
  }

  #attach(path: string, node: Node): void {
    const parts = listParts(path);
    const last = parts.pop() ?? "";
    this.#reach(parts.join("/")).children.set(last, node);
  }
}

const NUMBERED_ANEW = "a process made a namespace of its own for processes";

const FORKS = /^(?:fork|vfork|clone3?)$/;

/** A connection that is made in the background is one. */
function succeeded({ name, result }: TracedCall): boolean {
  if (/^[0-9]/.test(result)) return true;
  return name === "connect" && /^-1 (?:EINPROGRESS|EINTR) /.test(result);
}

interface OpenFlags {
  readonly reads: boolean;
  readonly writes: boolean;
  /** Whether nothing of what stood there before is left. */
  readonly makesAnew: boolean;
  /** Whether it makes the file where there is none. */
  readonly mayMake: boolean;
  readonly isPathOnly: boolean;
  readonly isDirectory: boolean;
}

/** Few combinations are in use. */
const knownFlags = new Map<string, OpenFlags>();
const MOST_FLAGS = 1000;

function readFlags(text: string): OpenFlags {
  const known = knownFlags.get(text);
  if (known !== undefined) return known;
  if (knownFlags.size >= MOST_FLAGS) knownFlags.clear();
  const flags = parseFlags(text);
  knownFlags.set(text, flags);
  return flags;
}

function parseFlags(text: string): OpenFlags {
  const words = new Set(text.match(/\bO_[A-Z]+\b/g));
  const isTemporary = words.has("O_TMPFILE");
  const writes = words.has("O_WRONLY") || words.has("O_RDWR");
  const isPathOnly = words.has("O_PATH");
  return {
    reads: !words.has("O_WRONLY") && !isPathOnly,
    writes,
    makesAnew: words.has("O_TRUNC") || isTemporary || (words.has("O_CREAT") && words.has("O_EXCL")),
    mayMake: words.has("O_CREAT"),
    isPathOnly,
    isDirectory: words.has("O_DIRECTORY") && !isTemporary,
  };
}

function listParts(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/** Without `.`, `..` and empty parts; a link before `..` is not looked at. */
function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function listWritten(root: Node, how: Entry["written"]): string[] {
  const written: string[] = [];
  const pending: (readonly [path: string, node: Node])[] = [["", root]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [path, { entry, children }] = next;
    if (entry?.written === how) written.push(path);
    for (const [name, child] of children) pending.push([`${path}/${name}`, child]);
  }
  return written;
}
