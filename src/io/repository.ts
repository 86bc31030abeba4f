import type {
  FileContent,
  Guard,
  IndexFault,
  RepositoryFacts,
  TrackedEntry,
} from "../guards/guard.ts";
import type { GovernanceFacts } from "../guards/lock/governance_lock.ts";
import type { Policy } from "../guards/policy.ts";
import type { YamlResult } from "../guards/yaml_node.ts";
import { gatherTrackedFiles } from "./git/tracked_files.ts";
import { ParallelScan } from "./parallel_scan.ts";
import type { Root } from "./paths.ts";
import { readTracked } from "./tracked_content.ts";

/** Which facts to gather. */
export interface RepositoryRequest {
  /** The repository. */
  readonly root: Root;
  /** Its rules. */
  readonly policy: Policy;
  /** The guards that will look at the facts. */
  readonly guards: readonly Guard[];
  /** What git tracks, where that is told instead of read from the index. */
  readonly tracked: readonly TrackedEntry[] | null;
  /** A file with the governance lock as the base branch has it, or null. */
  readonly baseLock: string | null;
}

/** The files that a guard asked for whole. */
interface WholeFiles {
  readonly contents: ReadonlyMap<string, FileContent>;
  readonly yaml: ReadonlyMap<string, YamlResult>;
}

/**
 * Gathers what the guards need to know of a repository. A tracked file is read only where a guard
 * looks at its content: all of them for the identity guard, a few whole for the others.
 *
 * @param request Which facts
 * @throws {KprovError} Where a file that a guard looks at cannot be read
 */
export async function gatherRepository(request: RepositoryRequest): Promise<RepositoryFacts> {
  const { root, policy, guards } = request;
  // Only the identity guard judges the content of every file.
  const isScanned = guards.some(({ name }) => name === "identity");
  using scan = new ParallelScan();
  const tracked = request.tracked ??
    gatherTrackedFiles(root.path, (count) => isScanned && scan.prepare(count));
  const entries = isFault(tracked) ? [] : tracked.filter(({ kind }) => kind !== "submodule");
  const paths = isScanned ? entries.map(({ path }) => path) : [];
  const hits = await scan.run({ root: root.path, policy, paths });
  return {
    tracked,
    ...await readWholeFiles(entries, request),
    hits,
    runningDeno: Deno.version.deno,
    governance: await gatherLockFacts(tracked, request),
  };
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

async function readWholeFiles(
  entries: readonly TrackedEntry[],
  { root, policy, guards }: RepositoryRequest,
): Promise<WholeFiles> {
  const contents = new Map<string, FileContent>();
  const yaml = new Map<string, YamlResult>();
  for (const { path } of entries) {
    const isContentWanted = guards.some((guard) => guard.wantsContent(path, policy));
    const isYamlWanted = guards.some((guard) => guard.wantsYaml(path, policy));
    if (!isContentWanted && !isYamlWanted) continue;
    const content = readTracked(root.path, path);
    if (isContentWanted) contents.set(path, content);
    if (isYamlWanted) yaml.set(path, await parseYaml(content));
  }
  return { contents, yaml };
}

/** The parser is loaded only where there is something to parse. */
async function parseYaml(content: FileContent): Promise<YamlResult> {
  const { parseYamlFile } = await import("./parse_yaml.ts");
  return parseYamlFile(content);
}
