import { type Finding, KprovError } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote } from "../base/quote.ts";
import { resolve } from "../base/std.ts";
import { sortUtf8 } from "../base/text.ts";
import { checkFileCount } from "../evidence/documents.ts";
import { findCovering, isInShard, type RecordedFile, type Shard } from "../evidence/provenance.ts";
import { Exclusions, listExclusions } from "./exclusions.ts";
import { hashFiles } from "./hash/hash_files.ts";
import {
  checkListings,
  FollowedPaths,
  isAscii,
  type LinkReading,
  listDirectory,
  lookAt,
  noteLinksOutside,
  noteTwins,
} from "./list_directory.ts";
import { directoryOf, type PathWatch, readWatched } from "./path_watch.ts";
import type { NamedPath, OwnPath, Root } from "./paths.ts";
import { listOwnNames, refuseOwn, resolveInside, resolveThroughLinks } from "./paths.ts";
import { isMadeUp, refuseSystemPath } from "./permissions.ts";
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
  const links = noteLinksOutside(materials, { names: listed.names, inputs: given }, root);
  return {
    inputs: given,
    exclude,
    ...(followed === null ? {} : { links: "follow" }),
    materials,
    usedGlobs,
    notes: [...links, ...noteTwins(listed.nonAscii)],
  };
}

type Input = NamedPath & { readonly stats: Deno.FileInfo };

type Listing = Parameters<typeof listDirectory>[1];

type IsWanted = NonNullable<Listing["isWanted"]>;

function resolveInput(given: string, request: InputRequest, followed: FollowedPaths | null): Input {
  const { root, links } = request;
  const action = `Cannot read input ${quote(given)}`;
  if (isMadeUp(resolve(given))) throw refuseSystemPath(action);
  if (followed !== null) {
    const named = resolveThroughLinks(given, root, "input");
    return { ...named, ...followed.follow(named.name) };
  }
  const named = resolveInside(given, root, "input");
  const stats = lookAt(named, action);
  if (!stats.isSymlink || links === "links") return { ...named, stats };
  const hint = "--follow records the content behind it, --links records the link itself";
  throw refuseInput(named, "it is a symbolic link", hint);
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
  const listed = ofShard ?? listNames(inputs, listing)!;
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
  return inputs.some(({ name }) => name !== "." && findCovering(directoryOf(name), names) !== null);
}

/**
 * Lists inputs, all names or those that are wanted. Null where one of those is a link: whether it
 * leads out of the inputs, all names tell.
 */
function listNames(
  inputs: readonly Input[],
  listing: Listing,
  isOwn: ((name: string) => boolean) | null = null,
): ListedNames | null {
  const nonAscii: string[] = [];
  let hasLink = false;
  const isWanted: IsWanted = (name, isLink) => {
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

function listInput(input: Input, listing: Listing, isWanted: IsWanted): string[] {
  const { isFile, isSymlink, isDirectory } = input.stats;
  if (isFile || isSymlink) {
    if (listing.watch.willRead(input.name) || listing.following) {
      return isWanted(input.name, isSymlink) ? [input.name] : [];
    }
    throw refuseInput(input, "a directory on the way to it changed meanwhile");
  }
  if (!isDirectory) {
    const kind = describeFileKind(input.stats);
    throw new KprovError("data", `Cannot read input ${quote(input.given)}: it is ${kind}`);
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
function checkOnce(
  sorted: readonly string[],
  listings: readonly { readonly input: Input; readonly names: readonly string[] }[],
): void {
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

function refuseInput(input: NamedPath, reason: string, hint?: string): KprovError {
  return new KprovError("data", `Cannot use input ${quote(input.given)}: ${reason}`, { hint });
}
