/**
 * Reads what strace(1) writes with `-f -y -xx`: a line for each system call that ended, in the order in
 * which they ended, with every name in hex, so that no name can look like something else.
 *
 * With its other form, which tells failed calls alone, finds what a command looked for and did not find.
 *
 * @module
 */

import { join, relative, resolve, toPosixPath } from "../../base/std.ts";
import { compareUtf8 } from "../../base/text.ts";
import { findCovering } from "../../evidence/provenance.ts";
import { isThere } from "../paths.ts";
import { isClosedPath } from "../permissions.ts";
import type { Started } from "../tools.ts";

/** A system call that ended. */
export interface TracedCall {
  /** What the line is about. */
  readonly kind: "call";
  /** The process, or thread, that made it. */
  readonly pid: number;
  /** Such as `openat`. */
  readonly name: string;
  /** Its arguments, as strace writes them. */
  readonly args: string;
  /** What came of it, as strace writes that. */
  readonly result: string;
}

/** What a trace tells, line by line. */
export type TraceEvent =
  | TracedCall
  /** A call that has begun and not ended yet. */
  | { readonly kind: "begun"; readonly pid: number; readonly name: string }
  /** A process or thread that ended. */
  | { readonly kind: "end"; readonly pid: number }
  /** A line that cannot be read. */
  | { readonly kind: "unread" };

/** Longer than any call that is traced: two names of 4096 bytes in hex, given and found, and room. */
const LONGEST_LINE = 2 ** 18;

/** Parts bytes that come in pieces into lines; no more than one line is held. */
export class LineSplitter {
  readonly #decoder = new TextDecoder("latin1");
  #rest = "";

  /**
   * Takes the next bytes.
   *
   * @param bytes As they come
   * @returns The lines that end in them, without their newline; one that is too long is cut
   */
  *take(bytes: Uint8Array): Generator<string> {
    // One call for all lines: a call for each takes as long as everything else.
    const text = this.#decoder.decode(bytes);
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      yield this.#join(text.slice(start, end));
      this.#rest = "";
      start = end + 1;
    }
    this.#rest = this.#join(text.slice(start));
  }

  #join(text: string): string {
    return this.#rest.length > LONGEST_LINE ? this.#rest : this.#rest + text;
  }
}

const LINE = /^([0-9]+) +(?=\S)/;
const CALL = /^([a-z_][a-z0-9_]*)\((.*)\)\s+= (.*)$/s;
const UNFINISHED = /^([a-z_][a-z0-9_]*)\((.*) ?<(?:unfinished|pid changed to ([0-9]+)) \.\.\.>$/s;
const RESUMED = /^<\.\.\. ([a-z_][a-z0-9_]*) resumed>(.*)$/s;
const SUPERSEDED = /^\+\+\+ superseded by execve in pid ([0-9]+) \+\+\+$/;
const ENDED = /^\+\+\+ (?:exited with [0-9]+|killed by \S+(?: \(core dumped\))?) \+\+\+$/;

interface BegunCall {
  readonly name: string;
  readonly args: string;
  /** What came of it, where that is known before the line that ends it. */
  readonly result?: string;
}

/** Joins the lines of calls that others interrupted; of each process one call is held. */
export class TraceReader {
  readonly #pending = new Map<number, BegunCall>();

  /**
   * Reads the next line.
   *
   * @param line The line
   * @returns What it tells; null where that is nothing
   */
  read(line: string): TraceEvent | null {
    const match = LINE.exec(line);
    if (match === null || line.length > LONGEST_LINE) return { kind: "unread" };
    const pid = Number(match[1]);
    const body = line.slice(match[0].length);
    if (body.startsWith("<")) return this.#resume(pid, body);
    if (body.startsWith("+++ ")) return this.#end(pid, body);
    // A signal, or what strace tells about itself.
    if (body.startsWith("--- ") || body.startsWith("[ ")) return null;
    return this.#call(pid, body);
  }

  #call(pid: number, body: string): TraceEvent {
    const unfinished = body.endsWith(" ...>") ? UNFINISHED.exec(body) : null;
    if (unfinished !== null) {
      const [, name = "", args = "", other] = unfinished;
      // A thread that executes a program goes on under the number of its process.
      this.#pending.set(other === undefined ? pid : Number(other), { name, args });
      return other === undefined ? { kind: "begun", pid, name } : { kind: "end", pid };
    }
    const [, name, args = "", result = ""] = CALL.exec(body) ?? [];
    return name === undefined ? { kind: "unread" } : { kind: "call", pid, name, args, result };
  }

  #resume(pid: number, body: string): TraceEvent {
    const [, resumed, rest = ""] = RESUMED.exec(body) ?? [];
    const begun = this.#pending.get(pid);
    this.#pending.delete(pid);
    if (resumed === undefined || begun?.name !== resumed) return { kind: "unread" };
    const { name, args, result } = begun;
    if (result !== undefined) return { kind: "call", pid, name, args, result };
    return this.#call(pid, `${name}(${args}${rest}`);
  }

  #end(pid: number, body: string): TraceEvent | null {
    if (SUPERSEDED.test(body)) {
      // Another thread executed a program, which goes on under this number; strace loses the result.
      const begun = this.#pending.get(pid);
      if (begun !== undefined) this.#pending.set(pid, { ...begun, result: "0" });
      return null;
    }
    if (!ENDED.test(body)) return { kind: "unread" };
    this.#pending.delete(pid);
    return { kind: "end", pid };
  }
}

/** How brackets open and close in what strace writes. */
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "<": ">" };

/**
 * Parts the arguments of a call.
 *
 * @param text As {@linkcode TracedCall} has them
 * @param most How many are wanted; what follows is left out
 */
export function splitArguments(text: string, most: number): string[] {
  const found: string[] = [];
  const open: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length && found.length < most; i++) {
    const char = text[i] ?? "";
    if (char === '"') i = findStringEnd(text, i);
    else if (char === open.at(-1)) open.pop();
    else if (CLOSING[char] !== undefined && !isOperator(text, i)) open.push(CLOSING[char] ?? "");
    else if (char === "," && open.length === 0) {
      found.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  if (found.length < most) found.push(text.slice(start).trim());
  return found;
}

/** `<<` shifts, and opens nothing. */
function isOperator(text: string, i: number): boolean {
  return text[i] === "<" && (text[i + 1] === "<" || text[i - 1] === "<");
}

function findStringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    if (!isEscaped(text, end)) return end;
  }
  return text.length;
}

function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

/**
 * Reads a name as strace writes it in quotes.
 *
 * @param text Such as `"\x61"`
 * @returns The name, or null where the text is no whole string
 */
export function parseTracedString(text: string): string | null {
  const match = /^"((?:[^"\\]|\\.)*)"$/s.exec(text);
  return match === null ? null : decodeName(match[1] ?? "");
}

/** A file descriptor, or `AT_FDCWD`. */
interface TracedDescriptor {
  /** What it is about: an absolute path, or such as `socket:[1]`; null where strace does not tell. */
  readonly path: string | null;
  /** Whether the file had lost its name. */
  readonly isDeleted: boolean;
}

/**
 * Reads a descriptor as `strace -y` writes it.
 *
 * @param text Such as `3<\x2f\x61>`, alone or before other words
 * @returns What it is about, or null where the text is none
 */
export function parseTracedDescriptor(text: string): TracedDescriptor | null {
  const match = /^(?:[0-9]+|AT_FDCWD)(?:<((?:[^<>\\]|\\.)*)>(\(deleted\))?)?(?=$|\s)/.exec(text);
  if (match === null) return null;
  const path = match[1] === undefined ? null : decodeName(match[1]);
  // Before strace 5.19 it is part of the name, as the system has it.
  const isDeleted = match[2] !== undefined || path?.endsWith(" (deleted)") === true;
  return { path: path?.replace(/ \(deleted\)$/, "") ?? null, isDeleted };
}

const ESCAPE = /\\(?:x([0-9a-f]{2})|([0-7]{1,3})|(.))/gs;
const CONTROLS: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** The same names come again and again. */
const decoded = new Map<string, string>();
const MOST_DECODED = 10_000;

function decodeName(escaped: string): string {
  const known = decoded.get(escaped);
  if (known !== undefined) return known;
  if (decoded.size >= MOST_DECODED) decoded.clear();
  const name = escaped.includes("\\") ? decodeBytes(unescape(escaped)) : escaped;
  decoded.set(escaped, name);
  return name;
}

const HEX_ESCAPE = 4;
const BACKSLASH = 0x5c;

/** Every name of a trace with `-xx` is hex alone; null where one is not. */
function unescapeHex(escaped: string): Uint8Array | null {
  const bytes = new Uint8Array(escaped.length / HEX_ESCAPE);
  for (let i = 0; i < bytes.length; i++) {
    const at = i * HEX_ESCAPE;
    const [high, low] = [hexDigit(escaped, at + 2), hexDigit(escaped, at + 3)];
    const isHex = escaped.charCodeAt(at) === BACKSLASH && escaped[at + 1] === "x";
    if (!isHex || high < 0 || low < 0) return null;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}

function unescape(escaped: string): Uint8Array {
  const hex = escaped.length % HEX_ESCAPE === 0 ? unescapeHex(escaped) : null;
  return hex ?? unescapeAny(escaped);
}

function unescapeAny(escaped: string): Uint8Array {
  const text = escaped.replace(ESCAPE, (_, hex, octal, char) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
    return String.fromCharCode(CONTROLS[char] ?? char.charCodeAt(0));
  });
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes that are no UTF-8 become lone surrogates, U+DC00 and the byte, so that different names stay
 * different and none of them passes for a name that kprov can record.
 */
function decodeBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return Array.from(
      bytes,
      (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte),
    ).join("");
  }
}

/** The calls that look for a file; `?` stands before one that not every machine has. */
const LOOKING_CALLS: readonly string[] = [
  ...["?open", "openat", "?openat2", "execve", "?execveat", "?stat", "?lstat", "?newfstatat"],
  ...["?fstatat64", "?statx", "?access", "?faccessat", "?faccessat2", "?readlink", "readlinkat"],
  ...["chdir", "?stat64", "?lstat64"],
];

/** Only calls that failed are told, which is cheap. */
const LOOKOUT_ARGS: readonly string[] = [
  ...["-DDD", "-f", "--seccomp-bpf", "-y", "-xx", "-q", "-Z", "-e", "signal=none"],
  ...["-e", `trace=${LOOKING_CALLS.join(",")}`],
];

/** More names than that are of a search that nobody reads. */
const MOST_NAMES = 100_000;

/**
 * Starts a command so that strace reports which files it looks for and does not find.
 *
 * @param tracer The file of strace, absolute
 * @param trace Where strace writes
 * @param started The command
 */
export function watchMisses(tracer: string, trace: string, started: Started): Started {
  const args = [...LOOKOUT_ARGS, "-o", trace, "--", started.program, ...started.args];
  return { ...started, program: tracer, args };
}

/**
 * Reads which paths a command looked for and did not find.
 *
 * @param trace What strace wrote
 * @param directory Where the command began
 * @returns The paths, absolute; null where strace saw nothing at all
 */
export function readMisses(trace: string, directory: string): ReadonlySet<string> | null {
  const misses = new Set<string>();
  const splitter = new LineSplitter();
  const reader = new TraceReader();
  let hasSeen = false;
  for (const piece of readTrace(trace)) {
    for (const line of splitter.take(piece)) {
      const event = reader.read(line);
      hasSeen ||= event !== null && event.kind !== "unread";
      if (event?.kind !== "call" || misses.size >= MOST_NAMES) continue;
      const path = findMissed(event, directory);
      if (path !== null) misses.add(path);
    }
  }
  return hasSeen ? misses : null;
}

const PIECE_BYTES = 2 ** 20;

/** What the tracer still writes, as it is ended with all the others, does not matter. */
function* readTrace(path: string): Generator<Uint8Array> {
  using file = Deno.openSync(path, { read: true });
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let n = file.readSync(buffer); n !== null && n > 0; n = file.readSync(buffer)) {
    yield buffer.subarray(0, n);
  }
}

/** A relative path without a descriptor is taken to be relative to where the command began. */
function findMissed({ args, result }: TracedCall, directory: string): string | null {
  if (!/^-1 (?:ENOENT|ENOTDIR)\b/.test(result)) return null;
  const [first = "", second = ""] = splitArguments(args, 3);
  const alone = parseTracedString(first);
  const name = alone ?? parseTracedString(second);
  const base = alone === null ? parseTracedDescriptor(first)?.path ?? null : directory;
  // Deno cannot name every file that strace can.
  if (name === null || name === "" || base === null || !name.isWellFormed()) return null;
  return resolve(base, name);
}

/** Where a command ran, and what it may have missed there. */
interface Isolated {
  /** The scratch copy, where the command saw it. */
  readonly copy: string;
  /** Where its content is now. */
  readonly held: string;
  /** Its home there. */
  readonly home: string;
  /** Kprov's own home; null where that is not known. */
  readonly ownHome: string | null;
  /** Where the inputs came from, absolute. */
  readonly root: string;
  /** The names of the product paths. */
  readonly products: readonly string[];
}

/** Files that a command looked for and did not find, and that are here. */
export interface MissedFiles {
  /** Names below the root. */
  readonly names: readonly string[];
  /** Paths elsewhere, absolute, or behind `~`. */
  readonly outside: readonly string[];
}

/**
 * Finds which of the paths that an isolated command looked for and did not find are here, where it was
 * first run.
 *
 * @param misses The paths, as the command wrote them
 * @param isolated Where it ran
 */
export function findMissedFiles(misses: Iterable<string>, isolated: Isolated): MissedFiles {
  const { copy, held, home, ownHome, root, products } = isolated;
  const made = new Set(products);
  const names: string[] = [];
  const outside: string[] = [];
  for (const path of [...misses].sort(compareUtf8)) {
    const name = nameBelow(path, copy) ?? nameBelow(path, root);
    const own = nameBelow(path, home);
    if (name !== null) {
      // What the command makes itself was there from the first run.
      const isOwn = name === "" || findCovering(name, made) !== null || isThere(join(held, name));
      if (!isOwn && isThere(join(root, name))) names.push(name);
    } else if (own !== null) {
      if (own !== "" && ownHome !== null && isThere(join(ownHome, own))) outside.push(`~/${own}`);
    } else if (!isClosedPath(path) && isThere(path)) outside.push(path);
  }
  return { names: [...new Set(names)], outside: outside.sort(compareUtf8) };
}

function nameBelow(path: string, directory: string): string | null {
  const name = toPosixPath(relative(directory, path));
  return name === ".." || name.startsWith("../") ? null : name;
}
