import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import {
  basename,
  dirname,
  FIRST_DENO_WITH_WHOLE_LISTINGS,
  isDenoInRange,
  resolve,
} from "../base/std.ts";
import { sortUtf8 } from "../base/text.ts";
import { checkFileCount } from "../evidence/documents.ts";
import { isInShard, type RecordedFile, type Shard } from "../evidence/provenance.ts";
import { Exclusions, listExclusions } from "./exclusions.ts";
import { hashFiles } from "./hash/hash_files.ts";
import {
  FollowedPaths,
  type LinkReading,
  listDirectory,
  noteLinksOutside,
} from "./list_directory.ts";
import { type PathWatch, readWatched } from "./path_watch.ts";
import {
  type NamedPath,
  type OwnPath,
  resolveInside,
  resolveThroughLinks,
  type Root,
} from "./paths.ts";
import { isMadeUp, isMissing, isPermitted, refuseSystemPath, toReadError } from "./permissions.ts";
import { describeFileKind } from "./regular_file.js";

/** Which inputs to read. */
interface InputRequest {
  /** Files and directories, as given. */
  readonly inputs: readonly string[];
  /** The globs of what to leave out of directories, as given. */
  readonly exclude: readonly string[];
  /** What is done with links. */
  readonly links: LinkReading;
  /** Where recorded paths start. */
  readonly root: Root;
  /** What kprov itself writes, the output directory above all. */
  readonly own: readonly OwnPath[];
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
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
  /** Every file and link, with its digest, sorted by name. */
  readonly materials: readonly RecordedFile[];
  /** The globs that left something out. */
  readonly usedGlobs: ReadonlySet<string>;
  /** Notes `link.outside` and `input.twin`. */
  readonly notes: readonly Finding[];
}

/**
 * Lists and digests the inputs of a run. Nothing is silently left out: what cannot be read exactly
 * refuses the run. Throws `usage` where one of them is the output directory.
 */
export async function gatherInputs(request: InputRequest): Promise<GatheredInputs> {
  const { root, own } = request;
  const place = { root, ownNames: listOwnNames(own), role: "input" } as const;
  return await readWatched(place, (watch) => readInputs(request, watch));
}

async function readInputs(request: InputRequest, watch: PathWatch): Promise<GatheredInputs> {
  const { root, effort } = request;
  const followed = request.links === "follow" ? new FollowedPaths(root, "input") : null;
  const inputs = request.inputs.map((given) => resolveInput(given, request, followed));
  checkDistinct(inputs);
  refuseOwn(inputs.filter(({ stats }) => stats.isDirectory), request.own, "input");
  const listed = listInputs(inputs, request, { followed, watch });
  const { own, exclude, usedGlobs } = listed;
  checkFileCount(own.length, "inputs");
  const paths = followed && own.map((name) => followed.follow(name).path);
  const files = { directory: root.path, names: own, ...(paths === null ? {} : { paths }) };
  const materials = await hashFiles(files, { role: "input", effort });
  followed?.checkUnchanged();
  const given = inputs.map(({ name }) => name);
  return {
    inputs: given,
    exclude,
    ...(followed === null ? {} : { links: "follow" }),
    materials,
    usedGlobs,
    notes: [
      ...noteLinksOutside(materials, { names: listed.names, inputs: given }, root),
      ...noteTwins(listed.nonAscii),
    ],
  };
}

interface Input extends NamedPath {
  readonly stats: Deno.FileInfo;
}

type Listing = Parameters<typeof listDirectory>[1];

/** What was found below an input. */
interface InputNames {
  readonly input: Input;
  readonly names: readonly string[];
}

function resolveInput(
  given: string,
  { root, links }: InputRequest,
  followed: FollowedPaths | null,
): Input {
  const action = `Cannot read input ${quote(given)}`;
  if (isMadeUp(resolve(given))) throw refuseSystemPath(action);
  if (followed !== null) {
    const named = resolveThroughLinks(given, root, "input");
    return { ...named, ...followed.follow(named.name) };
  }
  const named = resolveInside(given, root, "input");
  const stats = lookAt(named, action);
  if (!stats.isSymlink || links === "links") return { ...named, stats };
  throw refuseInput(
    named,
    "it is a symbolic link",
    "--follow records the content behind it, --links records the link itself",
  );
}

function lookAt({ given, path }: NamedPath, action: string): Deno.FileInfo {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    const failure = toReadError(error, action, { path: given, missing: "data" });
    const twin = isMissing(error) ? findTwin(path) : null;
    if (twin === null) throw failure;
    const hint = `${quote(twin)} exists, which looks the same but has other Unicode bytes`;
    throw new KprovError(failure.code, failure.message, { cause: error, hint });
  }
}

/** A name beside a path that is the same text in another normal form, as other systems write it. */
function findTwin(path: string): string | null {
  const name = basename(path);
  if (isAscii(name) || !isPermitted("read", dirname(path))) return null;
  try {
    const names = [...Deno.readDirSync(dirname(path))].map((entry) => entry.name);
    return names.find((other) => other.normalize() === name.normalize()) ?? null;
  } catch {
    return null;
  }
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** Such names are one file on some systems, and which of the two it is then cannot be told. */
function noteTwins(nonAscii: readonly string[]): Finding[] {
  const seen = new Map<string, string>();
  return nonAscii.flatMap((name) => {
    const first = seen.get(name.normalize());
    seen.set(name.normalize(), first ?? name);
    if (first === undefined) return [];
    const hint = "some systems take them for one file; rename one of them";
    const message = "it looks the same as another input, but has other Unicode bytes";
    return [makeFinding("input.twin", message, { level: "note", path: name, hint })];
  });
}

/** How inputs are reached. */
interface Way {
  /** What leads to them where they are read through links. */
  readonly followed: FollowedPaths | null;
  /** Holds the directories on the way against a later look. */
  readonly watch: PathWatch;
}

interface ListedInputs extends ListedNames {
  /** The names to read, sorted: all, or those of the shard. */
  readonly own: readonly string[];
  readonly exclude: readonly string[];
  readonly usedGlobs: ReadonlySet<string>;
}

/** The names below the inputs. */
interface ListedNames {
  /** Sorted; of a shard without links its own alone, for ten million would take what one machine has. */
  readonly names: readonly string[];
  /** Those that are not ASCII, all of them, sorted. */
  readonly nonAscii: readonly string[];
}

function listInputs(
  inputs: readonly Input[],
  { exclude, own, shard = null }: InputRequest,
  { followed, watch }: Way,
): ListedInputs {
  const directories = inputs.filter(({ stats }) => stats.isDirectory).map(({ name }) => name);
  if (directories.length > 0) checkListings();
  const exclusions = new Exclusions(listExclusions(exclude, listOwnNames(own), directories));
  const ownPaths = own.map(({ path }) => path);
  const following = followed &&
    { paths: followed, ownPaths, leftOut: new Set<string>(), listsBroken: false };
  const listing = { isExcluded: exclusions.isExcluded, following, watch };
  const isOwn = (name: string): boolean => isInShard(name, shard);
  // A name can only come twice where one input lies in another, or is reached through links.
  const mayRepeat = followed !== null || hasNested(inputs);
  const ofShard = shard === null || mayRepeat ? null : listNames(inputs, listing, isOwn);
  const listed = ofShard ?? listNames(inputs, listing);
  const ownNames = [...listOwnNames(own), ...following?.leftOut ?? []];
  return {
    ...listed,
    own: shard === null || ofShard !== null ? listed.names : listed.names.filter(isOwn),
    exclude: listExclusions(exclude, ownNames, directories),
    usedGlobs: new Set(exclusions.listUsed()),
  };
}

/** Whether an input lies in another. */
function hasNested(inputs: readonly Input[]): boolean {
  const names = new Set(inputs.map(({ name }) => name));
  return inputs.some(({ name }) => {
    if (name !== "." && names.has(".")) return true;
    for (let end = name.indexOf("/"); end >= 0; end = name.indexOf("/", end + 1)) {
      if (names.has(name.slice(0, end))) return true;
    }
    return false;
  });
}

/**
 * Lists inputs, all names or those that are wanted. Null where one of those is a link: whether it
 * leads out of the inputs, all names tell.
 */
function listNames(inputs: readonly Input[], listing: Listing): ListedNames;
function listNames(
  inputs: readonly Input[],
  listing: Listing,
  isOwn: (name: string) => boolean,
): ListedNames | null;
function listNames(
  inputs: readonly Input[],
  listing: Listing,
  isOwn: ((name: string) => boolean) | null = null,
): ListedNames | null {
  const nonAscii: string[] = [];
  let hasLink = false;
  const isWanted = (name: string, isLink: boolean): boolean => {
    if (!isAscii(name)) nonAscii.push(name);
    if (isOwn?.(name) === false) return false;
    hasLink ||= isLink;
    return true;
  };
  const listings = inputs.map((input) => ({ input, names: listInput(input, listing, isWanted) }));
  if (isOwn !== null && hasLink) return null;
  const names = sortUtf8(listings.flatMap((list) => list.names));
  checkOnce(names, listings);
  return { names, nonAscii: sortUtf8(nonAscii) };
}

function listInput(
  input: Input,
  listing: Listing,
  isWanted: NonNullable<Listing["isWanted"]>,
): string[] {
  const { isFile, isSymlink, isDirectory } = input.stats;
  if (isFile || isSymlink) {
    if (listing.watch.willRead(input.name) || listing.following) {
      return isWanted(input.name, isSymlink) ? [input.name] : [];
    }
    throw refuseInput(input, "a directory on the way to it changed meanwhile");
  }
  if (!isDirectory) {
    const reason = `it is ${describeFileKind(input.stats)}`;
    throw new KprovError("data", `Cannot read input ${quote(input.given)}: ${reason}`);
  }
  let isEmpty = true;
  const names = listDirectory(input, {
    ...listing,
    isWanted: (name, isLink) => {
      isEmpty = false;
      return isWanted(name, isLink);
    },
  });
  if (!isEmpty) return names;
  throw refuseInput(input, "it has no file, or all of them are excluded");
}

/** The names below the root of what kprov itself writes. */
export function listOwnNames(own: readonly OwnPath[]): string[] {
  return own.map(({ name }) => name).filter((name) => name !== null);
}

/** Refuses a directory to read that is the output directory: each run would be part of the next. */
export function refuseOwn(
  paths: readonly NamedPath[],
  own: readonly OwnPath[],
  role: "input" | "product",
): void {
  const written = new Set(own.map(({ path }) => path));
  const both = paths.find(({ path }) => written.has(path));
  if (both === undefined) return;
  throw new KprovError(
    "usage",
    `Cannot use ${role} ${quote(both.given)}: kprov itself writes there`,
    { hint: "--out DIR sets where runs go" },
  );
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
function checkOnce(sorted: readonly string[], listings: readonly InputNames[]): void {
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

/** Refuses a Deno whose directory listings leave something out. */
export function checkListings(): void {
  const first = FIRST_DENO_WITH_WHOLE_LISTINGS;
  if (isDenoInRange(Deno.version.deno, `>=${first}`)) return;
  throw new KprovError(
    "runtime",
    `Cannot read a directory on Deno ${Deno.version.deno}: before ${first} its listings leave out names that are not UTF-8`,
    { hint: "name each file, or use a later Deno" },
  );
}

function refuseInput(input: NamedPath, reason: string, hint?: string): KprovError {
  return new KprovError("data", `Cannot use input ${quote(input.given)}: ${reason}`, { hint });
}
