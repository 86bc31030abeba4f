import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { join } from "../base/std.ts";
import type { YamlResult } from "../guards/actions/yaml.ts";
import type {
  ContentHit,
  FileContent,
  Guard,
  IndexFault,
  RepositoryFacts,
  TrackedEntry,
} from "../guards/guard.ts";
import { MARKER_CODE } from "../guards/identity/scanner.ts";
import type { GovernanceFacts } from "../guards/lock/governance_lock.ts";
import type { Policy } from "../guards/policy.ts";
import { gatherTrackedFiles, type OtherIndex } from "./git/index_file.ts";
import { gatherDefaultBranch } from "./git/source.ts";
import { DirectoriesBelow, directoryOf } from "./path_watch.ts";
import type { Root } from "./paths.ts";
import { isMissing } from "./permissions.ts";
import { ParallelScan, type ScanRequest } from "./scan.ts";
import { findHolders, isGone, readTracked } from "./tracked_content.ts";

/** Which facts to gather. */
export interface RepositoryRequest {
  /** The repository. */
  readonly root: Root;
  /** Its rules. */
  readonly policy: Policy;
  /** The guards that will look at the facts. */
  readonly guards: readonly Guard[];
  /** What git tracks, where it is given instead of read from the index. */
  readonly tracked: readonly TrackedEntry[] | null;
  /** The index to read in place of the repository's own. */
  readonly index?: OtherIndex | null;
  /** A file with the governance lock as the base branch has it, or null. */
  readonly baseLock: string | null;
}

/**
 * Gathers what the guards need to know of a repository. A tracked file is read only where a guard
 * looks at its content: all of them for the identity guard, a few whole for the others. Throws
 * where a file that a guard looks at cannot be read.
 */
export async function gatherRepository(request: RepositoryRequest): Promise<RepositoryFacts> {
  const { root, policy, guards } = request;
  // Only the identity guard judges the content of every file.
  const isScanned = guards.some(({ name }) => name === "identity");
  using scan = new ParallelScan();
  const announce = (count: number): void => void (isScanned && scan.prepare(count));
  const listed = request.tracked ??
    gatherTrackedFiles(root.path, announce, request.index ?? null);
  const directories = new DirectoriesBelow(root.path);
  const tracked = isFault(listed) ? listed : markBehindLinks(listed, directories);
  const entries = isFault(tracked) ? [] : tracked.filter(({ kind }) => kind !== "submodule");
  const paths = isScanned ? entries.filter(isReadable).map(({ path }) => path) : [];
  const wanted = entries.flatMap((entry) => tellWanted(entry, policy, guards));
  const { hits, missing } = await scanPresent(scan, {
    root: root.path,
    policy,
    paths,
    markers: isScanned ? listMarkers(wanted) : [],
    areDirectoriesHeld: directories.areSettled(),
  });
  const markers = hits.filter(({ code }) => code === MARKER_CODE);
  const silent = listSilent(wanted, (files, marker) => {
    if (!isScanned) return findHolders(root.path, files, marker);
    const holders = markers.filter(({ token }) => token === marker).map(({ path }) => path);
    // Nobody knows what a file holds that is gone.
    return new Set([...holders, ...missing]);
  });
  const whole = await readWholeFiles(wanted, silent, root);
  const gone = new Set(missing);
  checkUnchanged([
    ...paths.filter((path) => !gone.has(path)),
    ...whole.contents.keys(),
    ...whole.yaml.keys(),
  ], directories);
  return {
    tracked,
    ...whole,
    hits: hits.filter(({ code }) => code !== MARKER_CODE),
    missing,
    runningDeno: Deno.version.deno,
    governance: await gatherLockFacts(tracked, request),
    // A list that is given may be of a tree that git's metadata around it is not of.
    defaultBranch: request.tracked === null && guards.some(({ name }) => name === "parity")
      ? gatherDefaultBranch(root.path)
      : null,
  };
}

/** What stands behind a link in the working tree lies anywhere: it is never read. */
function markBehindLinks(
  tracked: readonly TrackedEntry[],
  directories: DirectoriesBelow,
): readonly TrackedEntry[] {
  return tracked.map((entry) => {
    const obstacle = directories.findObstacle(directoryOf(entry.path));
    return obstacle?.kind === "link" ? { ...entry, behindLink: obstacle.name } : entry;
  });
}

/** Searches what is there. A look at each file, for those that are gone, is taken only where one is. */
async function scanPresent(
  scan: ParallelScan,
  request: ScanRequest,
): Promise<{ readonly hits: readonly ContentHit[]; readonly missing: readonly string[] }> {
  try {
    return { hits: await scan.run(request), missing: [] };
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    const missing = request.paths.filter((path) => lookAtPath(join(request.root, path)) === null);
    if (missing.length === 0) throw error;
    const gone = new Set(missing);
    using again = new ParallelScan();
    const paths = request.paths.filter((path) => !gone.has(path));
    return { hits: await again.run({ ...request, paths }), missing };
  }
}

/** What lies at a path, or null where nothing does. */
function lookAtPath(path: string): Deno.FileInfo | null {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isReadable({ behindLink }: TrackedEntry): boolean {
  return behindLink === undefined;
}

function checkUnchanged(paths: readonly string[], directories: DirectoriesBelow): void {
  const kept = new Set<string>();
  const swapped = paths.find((path) => {
    const directory = directoryOf(path);
    if (kept.has(directory)) return false;
    kept.add(directory);
    return !directories.isUnchanged(directory);
  });
  if (swapped === undefined) return;
  throw new KprovError(
    "data",
    `Cannot read tracked file ${quote(swapped)}: a directory on the way to it changed meanwhile`,
  );
}

/** What the lock guard looks at is loaded, and read, only for it. */
async function gatherLockFacts(
  tracked: readonly TrackedEntry[] | IndexFault,
  { root, policy, guards, baseLock }: RepositoryRequest,
): Promise<GovernanceFacts | null> {
  if (policy.lock === undefined || !guards.some(({ name }) => name === "lock")) return null;
  const { gatherGovernance } = await import("./governance.ts");
  return gatherGovernance(root, policy.lock, tracked, baseLock);
}

function isFault(tracked: readonly TrackedEntry[] | IndexFault): tracked is IndexFault {
  return "code" in tracked;
}

/** What the guards want of a file. */
interface WantedFile {
  readonly entry: TrackedEntry;
  readonly isContentWanted: boolean;
  readonly isYamlWanted: boolean;
  /** The text without which nobody needs its content; null where it is needed whatever it holds. */
  readonly marker: string | null;
}

/** Reads the files that a guard asked for whole. */
async function readWholeFiles(
  wanted: readonly WantedFile[],
  silent: ReadonlySet<string>,
  root: Root,
): Promise<Pick<RepositoryFacts, "contents" | "yaml">> {
  const contents = new Map<string, FileContent>();
  const yaml = new Map<string, YamlResult>();
  for (const { entry, isContentWanted, isYamlWanted } of wanted) {
    const { path } = entry;
    const content = silent.has(path) ? NOTHING : readEntry(root, entry);
    if (isContentWanted) contents.set(path, content);
    if (isYamlWanted) yaml.set(path, await parseYaml(content, path));
  }
  return { contents, yaml };
}

function tellWanted(
  entry: TrackedEntry,
  policy: Policy,
  guards: readonly Guard[],
): WantedFile[] {
  const { path } = entry;
  const wanting = guards.filter((guard) => guard.wantsContent(path, policy));
  const isContentWanted = wanting.length > 0;
  const isYamlWanted = guards.some((guard) => guard.wantsYaml(path, policy));
  if (!isContentWanted && !isYamlWanted) return [];
  const [marker = null, ...others] = new Set(
    wanting.map((guard) => guard.contentMarker?.(path, policy) ?? null),
  );
  const isNeeded = isYamlWanted || others.length > 0 || !isReadable(entry);
  return [{ entry, isContentWanted, isYamlWanted, marker: isNeeded ? null : marker }];
}

/** Stands for the content of a file that says nothing to the guards. */
const NOTHING: FileContent = { ok: true, bytes: new Uint8Array() };

function listMarkers(wanted: readonly WantedFile[]): string[] {
  return [...new Set(wanted.flatMap(({ marker }) => marker ?? []))];
}

/** The files without the text for which alone guards want their content. */
function listSilent(
  wanted: readonly WantedFile[],
  find: (paths: readonly string[], marker: string) => ReadonlySet<string>,
): Set<string> {
  const silent = new Set<string>();
  for (const [marker, files] of Map.groupBy(wanted, (file) => file.marker)) {
    if (marker === null) continue;
    const paths = files.map(({ entry }) => entry.path);
    const holders = find(paths, marker);
    for (const path of paths) if (!holders.has(path)) silent.add(path);
  }
  return silent;
}

function readEntry(root: Root, { path, behindLink }: TrackedEntry): FileContent {
  if (behindLink === undefined) {
    try {
      return readTracked(root.path, path);
    } catch (error) {
      if (isGone(error)) return { ok: false, reason: "git tracks it, but it does not exist" };
      throw error;
    }
  }
  return { ok: false, reason: `it lies behind the symbolic link ${quote(behindLink)}` };
}

/** The parser is loaded only where there is something to parse. */
async function parseYaml(content: FileContent, path: string): Promise<YamlResult> {
  const { parseYamlFile } = await import("../guards/actions/yaml.ts");
  return parseYamlFile(content, path);
}
