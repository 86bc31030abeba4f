import { createContentScanner } from "../guards/content/content_scanner.ts";
import type {
  ContentHit,
  FileContent,
  Guard,
  IndexFault,
  RepositoryFacts,
  TrackedEntry,
} from "../guards/facts.ts";
import type { Policy } from "../guards/policy.ts";
import type { YamlResult } from "../guards/yaml_node.ts";
import { gatherTrackedFiles } from "./git_index/gather_tracked_files.ts";
import type { Root } from "./input_path.ts";
import { parseYamlFile } from "./parse_yaml.ts";
import { type ContentUse, readTracked } from "./tracked_content.ts";

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
}

/** Facts while they are gathered. */
interface Gathering {
  readonly contents: Map<string, FileContent>;
  readonly yaml: Map<string, YamlResult>;
  readonly hits: ContentHit[];
}

/**
 * Gathers what the guards need to know of a repository. Every tracked file is read at most once,
 * and only where a guard looks at its content.
 *
 * @param request Which facts
 * @throws {KprovError} Where a file that a guard looks at cannot be read
 */
export function gatherRepository(request: RepositoryRequest): RepositoryFacts {
  const tracked = request.tracked ?? gatherTrackedFiles(request.root.path);
  const gathering: Gathering = { contents: new Map(), yaml: new Map(), hits: [] };
  if (!isFault(tracked)) readAll(tracked, request, gathering);
  return { tracked, ...gathering, runningDeno: Deno.version.deno };
}

function isFault(tracked: readonly TrackedEntry[] | IndexFault): tracked is IndexFault {
  return "code" in tracked;
}

function readAll(
  tracked: readonly TrackedEntry[],
  { root, policy, guards }: RepositoryRequest,
  gathering: Gathering,
): void {
  // Only the identity guard judges the content of every file.
  const scanner = guards.some(({ name }) => name === "identity")
    ? createContentScanner(policy)
    : null;
  for (const entry of tracked) {
    if (entry.kind === "submodule") continue;
    const { path } = entry;
    const isWholeWanted = guards.some((guard) => guard.wantsContent(path, policy));
    const isYamlWanted = guards.some((guard) => guard.wantsYaml(path, policy));
    const isKept = isWholeWanted || isYamlWanted;
    if (!isKept && scanner === null) continue;
    const use: ContentUse = scanner === null ? { isKept } : {
      isKept,
      scan: (bytes) => addAll(gathering.hits, scanner.scan(path, bytes)),
      scanPieces: (pieces) => {
        const scan = scanner.scanFile(path);
        for (const piece of pieces) scan.push(piece);
        addAll(gathering.hits, scan.end());
      },
    };
    const content = readTracked(root.path, entry, use);
    if (content === null) continue;
    if (isWholeWanted) gathering.contents.set(path, content);
    if (isYamlWanted) gathering.yaml.set(path, parseYamlFile(content));
  }
}

function addAll(hits: ContentHit[], found: readonly ContentHit[]): void {
  for (const hit of found) hits.push(hit);
}
