import { compileGlobs } from "../../base/glob.ts";
import { readPieces } from "../read_file.ts";
import { startObjectHash } from "./objects.ts";
import { type ObjectFormat, readGitText, type Repository } from "./repository.ts";

/** A file of a worktree that differs from what a commit holds. */
interface DifferentFile {
  /** The repository. */
  readonly repository: Repository;
  /** Its hash function. */
  readonly format: ObjectFormat;
  /** Git's path of the file. */
  readonly path: string;
  /** The id of what the commit holds. */
  readonly heldId: string;
}

/**
 * Whether git may have converted a file on its way into the worktree, so that it differs and is still
 * what the commit holds: where an attribute names a filter for it, or nothing but its line ends
 * differs. What is set outside of the repository is not read, so that no setting rules it out.
 *
 * @param file The file
 * @throws {KprovError} where it, or a file with attributes, cannot be read
 */
export function mayBeConverted(file: DifferentFile): boolean {
  return isFiltered(file) || differsInLineEnds(file);
}

function differsInLineEnds({ repository, format, path, heldId }: DifferentFile): boolean {
  const absolute = `${repository.worktree}/${path}`;
  const stats = Deno.lstatSync(absolute);
  const readUnixLines = (): Iterable<Uint8Array> =>
    dropCarriageReturns(readPieces(absolute, stats, Infinity));
  let size = 0;
  for (const piece of readUnixLines()) size += piece.length;
  if (size === stats.size) return false;
  const blob = startObjectHash(format, "blob", size);
  for (const piece of readUnixLines()) blob.update(piece);
  return blob.digest("hex") === heldId;
}

const CARRIAGE_RETURN = Uint8Array.of(0x0d);

/** Makes the line ends of Windows those of Unix. */
function* dropCarriageReturns(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  let isOpen = false;
  for (const piece of pieces) {
    if (isOpen && piece[0] !== 0x0a) yield CARRIAGE_RETURN;
    isOpen = piece.at(-1) === 0x0d;
    const rest = isOpen ? piece.subarray(0, -1) : piece;
    const isPlain = rest.indexOf(0x0d) < 0;
    yield isPlain ? rest : rest.filter((byte, i) => byte !== 0x0d || piece[i + 1] !== 0x0a);
  }
  if (isOpen) yield CARRIAGE_RETURN;
}

/** The attributes by which git changes more of a file than its line ends. */
const FILTER = /\s(?:filter|ident|working-tree-encoding)(?:=|\s|$)/;

/** Attributes stand in the repository, and in each directory above a file. */
function isFiltered({ repository: { worktree, commonDir }, path }: DifferentFile): boolean {
  const parts = path.split("/");
  return mayFilter(readGitText(`${commonDir}/info/attributes`), path) ||
    parts.some((_, i) => {
      const directory = parts.slice(0, i).map((part) => `${part}/`).join("");
      return mayFilter(
        readGitText(`${worktree}/${directory}.gitattributes`),
        parts.slice(i).join("/"),
      );
    });
}

/** Whether a line of attributes may apply to a path and set a filter. */
function mayFilter(attributes: string | null, path: string): boolean {
  return (attributes ?? "").split("\n").some((line) => {
    if (/^\s*#/.test(line) || !FILTER.test(line)) return false;
    const pattern = line.trimStart().split(/\s/, 1)[0] ?? "";
    // Only what globs and these patterns have in common is compiled; anything else may match.
    if (!/^[\w.*/-]+$/.test(pattern) || pattern.includes("**")) return true;
    const subject = pattern.includes("/") ? path : path.slice(path.lastIndexOf("/") + 1);
    return compileGlobs([pattern.replace(/^\//, "")])(subject);
  });
}
