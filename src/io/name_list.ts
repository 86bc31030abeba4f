import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { toKprovError } from "./os_error.ts";
import { requirePermission } from "./permissions.ts";
import { readRequiredFile } from "./read_file.ts";

/** A list of names may be as large as the evidence that holds them; more names than that are refused. */
const MOST_BYTES = 500 * 2 ** 20;

/** How much of standard input is read at once. */
const PIECE = 64 * 1024;

/**
 * Reads a list of paths: separated by NUL characters where there is one, as `git ls-files -z` and
 * `find -print0` print them, and else one a line.
 *
 * @param from A file, or `-` for standard input
 * @returns The paths, in order
 * @throws {KprovError} `data` where the list is empty, not UTF-8, or has an empty path; `data`, `io` or
 * `permission` where it cannot be read
 */
export function readNameList(from: string): string[] {
  const what = from === "-" ? "standard input" : quote(from);
  const bytes = from === "-"
    ? readStandardInput()
    : readListFile(from, "--inputs-from", MOST_BYTES);
  const names = splitNames(decodeList(bytes, `--inputs-from ${quote(from)}`));
  const refuse = (reason: string): KprovError =>
    new KprovError("data", `Cannot use --inputs-from ${quote(from)}: ${reason}`);
  if (names.length === 0) throw refuse(`${what} names no input`);
  const empty = names.indexOf("");
  if (empty >= 0) throw refuse(`its name ${empty + 1} is empty`);
  return names;
}

function splitNames(text: string): string[] {
  const names = text.includes("\0") ? text.split("\0") : text.split(/\r?\n/);
  if (names.at(-1) === "") names.pop();
  return names;
}

/**
 * Reads a file with a list that a flag names.
 *
 * @param path The file
 * @param flag The flag, for the message
 * @param maxBytes No larger one is read
 * @throws {KprovError} As {@linkcode readRequiredFile} does
 */
export function readListFile(path: string, flag: string, maxBytes: number): Uint8Array {
  requirePermission("read", path);
  return readRequiredFile(path, { action: `Cannot read ${flag} file ${quote(path)}`, maxBytes });
}

/**
 * Reads the text of a list.
 *
 * @param bytes Its bytes; a byte order mark does not count
 * @param what The list, for the message
 * @throws {KprovError} `data` where they are not UTF-8
 */
export function decodeList(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KprovError("data", `Cannot use ${what}: it is not valid UTF-8`, { cause });
  }
}

function readStandardInput(): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE);
      const length = Deno.stdin.readSync(piece);
      if (length === null) break;
      size += length;
      if (size > MOST_BYTES) {
        throw new KprovError(
          "data",
          `Cannot read standard input: it is larger than ${MOST_BYTES} bytes`,
        );
      }
      pieces.push(piece.subarray(0, length));
    }
  } catch (error) {
    throw toKprovError(error, "Cannot read standard input", {
      refused: "io",
      flag: "--allow-read",
    });
  }
  return joinPieces(pieces, size);
}

function joinPieces(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}
