import { KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { FIRST_DENO_WITH_WHOLE_LISTINGS, isDenoInRange } from "../base/semver.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { checkFileCount } from "../evidence/run.ts";
import { isInShard, type Shard } from "../evidence/shard.ts";
import { describeFileKind } from "./hash/digest_file.js";
import { hashFiles } from "./hash/hash_files.ts";
import {
  compileExclusions,
  type IsExcluded,
  listDirectory,
  listExclusions,
} from "./list_directory.ts";
import { dirnameOf, rememberDirectories } from "./observe.ts";
import { toKprovError } from "./os_error.ts";
import { type NamedPath, resolveInside, type Root } from "./paths.ts";
import { permissionFlag } from "./permissions.ts";

/** Which inputs to read. */
interface InputRequest {
  /** Files and directories, as given. */
  readonly inputs: readonly string[];
  /** The globs of `--exclude`, as given. */
  readonly exclude: readonly string[];
  /** What names are relative to. */
  readonly root: Root;
  /** The names below the root of what kprov itself writes, the output directory above all. */
  readonly ownNames: readonly string[];
  /** The part of the files to read, where it is not all of them. */
  readonly shard?: Shard | null;
  /** How much of the machine reading them may take. */
  readonly effort: Effort;
}

/** The inputs of a run, read. */
interface GatheredInputs {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out, as {@linkcode listExclusions} chooses them. */
  readonly exclude: readonly string[];
  /** Every file and link, with its digest, sorted by name. */
  readonly materials: readonly RecordedFile[];
}

/**
 * Lists and digests the inputs of a run. Nothing is silently left out: what cannot be read
 * exactly refuses the run.
 *
 * @param request Which inputs
 * @throws {KprovError} `data`, `io` or `permission`, naming the input
 */
export async function gatherInputs(request: InputRequest): Promise<GatheredInputs> {
  const inputs = request.inputs.map((given) => resolveInput(given, request.root));
  checkDistinct(inputs);
  const directories = inputs.filter(({ stats }) => stats.isDirectory).map(({ name }) => name);
  compileExclusions(request.exclude);
  const exclude = listExclusions(request.exclude, request.ownNames, directories);
  const isExcluded = compileExclusions(exclude);
  if (directories.length > 0) checkListings();
  const listings = inputs.map((input) => ({ input, names: listInput(input, isExcluded) }));
  const names = listings.flatMap((listing) => listing.names).sort(compareUtf8);
  checkOnce(names, listings);
  const own = names.filter((name) => isInShard(name, request.shard ?? null));
  checkFileCount(own.length, "inputs");
  const files = { directory: request.root.path, names: own };
  const materials = await hashFiles(files, { role: "input", effort: request.effort });
  checkPlaces(own, request.root, "input");
  return { inputs: inputs.map(({ name }) => name), exclude, materials };
}

interface Input extends NamedPath {
  readonly stats: Deno.FileInfo;
}

interface Listing {
  readonly input: Input;
  readonly names: readonly string[];
}

function resolveInput(given: string, root: Root): Input {
  const named = resolveInside(given, root, "input");
  try {
    return { ...named, stats: Deno.lstatSync(named.path) };
  } catch (error) {
    throw toKprovError(error, `Cannot read input ${quote(given)}`, {
      missing: "data",
      refused: "io",
      flag: permissionFlag("read", given),
    });
  }
}

function listInput(input: Input, isExcluded: IsExcluded): string[] {
  if (input.stats.isFile || input.stats.isSymlink) return [input.name];
  if (!input.stats.isDirectory) throw refuseInput(input, `it is ${describeFileKind(input.stats)}`);
  const names = listDirectory(input, isExcluded);
  if (names.length > 0) return names;
  throw refuseInput(input, "there is no file in it that is not excluded");
}

function checkDistinct(inputs: readonly Input[]): void {
  const seen = new Map<string, Input>();
  for (const input of inputs) {
    const first = seen.get(input.name);
    if (first !== undefined) {
      throw refuseInput(input, `it is already given as ${quote(first.given)}`);
    }
    seen.set(input.name, input);
  }
}

/** One name comes twice only where one input lies in another. */
function checkOnce(sorted: readonly string[], listings: readonly Listing[]): void {
  const twice = sorted.find((name, i) => sorted[i - 1] === name);
  if (twice === undefined) return;
  const owners = listings.filter(({ names }) => names.includes(twice)).map(({ input }) => input);
  const [outer, inner] = owners.sort((a, b) => measureDepth(a) - measureDepth(b));
  if (outer === undefined || inner === undefined) return;
  throw refuseInput(inner, `it is already part of input ${quote(outer.given)}`);
}

function measureDepth({ name }: Input): number {
  return name === "." ? 0 : name.split("/").length;
}

/**
 * Refuses a Deno whose directory listings leave something out.
 *
 * @throws {KprovError} `runtime`
 */
export function checkListings(): void {
  const first = FIRST_DENO_WITH_WHOLE_LISTINGS;
  if (isDenoInRange(Deno.version.deno, `>=${first}`)) return;
  throw new KprovError(
    "runtime",
    `Cannot read a directory on Deno ${Deno.version.deno}: before ${first} its listings leave out names that are not UTF-8`,
    { hint: "name each file, or use a later Deno" },
  );
}

function refuseInput(input: NamedPath, reason: string): KprovError {
  return new KprovError("data", `Cannot use input ${quote(input.given)}: ${reason}`);
}

/**
 * Makes sure, once files are read, that every directory on the way to them still is one. Where one
 * was swapped for a link after it was listed, what was read lies somewhere else.
 *
 * @param names The files, relative to the root
 * @param root What the names are relative to
 * @param role What the files are for, for the message
 * @throws {KprovError} `data`, naming the first file that is not reached any more
 */
export function checkPlaces(
  names: readonly string[],
  root: Root,
  role: "input" | "product",
): void {
  const isPlainDirectory = rememberDirectories(root);
  const swapped = names.find((name) => !isPlainDirectory(dirnameOf(name)));
  if (swapped === undefined) return;
  throw new KprovError(
    "data",
    `Cannot read ${role} ${quote(swapped)}: a directory on the way to it changed meanwhile`,
  );
}
