import { type Finding, sortFindings } from "../base/finding.ts";
import type { YamlResult } from "./actions/yaml.ts";
import type { GovernanceFacts } from "./lock/governance_lock.ts";
import type { Policy } from "./policy.ts";

/** What git tracks at a path. */
export type TrackedKind = "file" | "symlink" | "submodule";

/** One path that git tracks, once, whatever the number of its conflict stages. */
export interface TrackedEntry {
  /** Relative to the repository's root, with `/` between the parts. */
  readonly path: string;
  /** What git tracks there. */
  readonly kind: TrackedKind;
  /**
   * The directory on the way to it that is a link in the working tree, where one is: what is behind it
   * is not the repository's, and was not read.
   */
  readonly behindLink?: string;
}

/** Why git's list could not be read. */
export interface IndexFault {
  /** Which of the two it is. */
  readonly code: "artifacts.index_missing" | "artifacts.index_invalid";
  /** What is wrong, without a final period. */
  readonly message: string;
}

/** A whole file that a guard asked for: its bytes, or why there are none. */
export type FileContent =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };

/** A place in a file's content that a content rule matched. */
export interface ContentHit {
  /** The file. */
  readonly path: string;
  /** The finding that this is, such as `identity.forbidden_token`. */
  readonly code: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column in UTF-16 code units, from 1. */
  readonly column: number;
  /** What was found there, unescaped. */
  readonly text: string;
  /** What it stands for: the forbidden token, or the name that it looks like. */
  readonly token: string;
  /**
   * At the last hit of a rule in a file that holds too many to list: how many are not listed, this one
   * included.
   */
  readonly unlisted?: number;
}

/** Everything that the guards know of a repository. */
export interface RepositoryFacts {
  /** What git tracks, sorted by UTF-8 bytes, or why that is not known. */
  readonly tracked: readonly TrackedEntry[] | IndexFault;
  /** The files that the guards asked for, whole. */
  readonly contents: ReadonlyMap<string, FileContent>;
  /** The files that the guards asked for as YAML, parsed. */
  readonly yaml: ReadonlyMap<string, YamlResult>;
  /** What the content rules matched, over all tracked files. */
  readonly hits: readonly ContentHit[];
  /** Tracked files of which the content rules matched nothing, since they are not there. */
  readonly missing?: readonly string[];
  /** The version of the Deno that is running. */
  readonly runningDeno: string;
  /** The governed files and their locks; null where the policy has no `lock`. */
  readonly governance: GovernanceFacts | null;
  /**
   * The branch that everything is merged into, as git's metadata names it; null or missing where
   * that is not known.
   */
  readonly defaultBranch?: string | null;
}

/** What the branch that everything is merged into is usually called, where git does not tell. */
export const USUAL_BRANCHES: readonly string[] = ["main", "master", "trunk"];

/** A guard: which files it wants to see whole, and what it finds in the facts. */
export interface Guard {
  /** Its name, as `kprov guard NAME` takes it. */
  readonly name: string;
  /** Whether a policy configures it. */
  readonly isConfigured: (policy: Policy) => boolean;
  /** Whether it needs the content of a tracked file as a whole. */
  readonly wantsContent: (path: string, policy: Policy) => boolean;
  /**
   * A text without which a file's content says nothing to it, in ASCII; null, or missing, where any
   * content may. A file without the text is given as an empty one.
   */
  readonly contentMarker?: (path: string, policy: Policy) => string | null;
  /** Whether it needs a tracked file parsed as YAML. */
  readonly wantsYaml: (path: string, policy: Policy) => boolean;
  /** Holds the facts against the policy. */
  readonly check: (facts: RepositoryFacts, policy: Policy) => Finding[];
}

/** What one guard found. */
export interface GuardResult {
  /** The guard's name, as `kprov guard NAME` takes it. */
  readonly guard: string;
  /** Whether nothing that it found is an error. */
  readonly ok: boolean;
  /** What it found, sorted; notes stand among the errors. */
  readonly findings: readonly Finding[];
}

/**
 * Makes the result of a guard.
 *
 * @param guard The guard's name
 * @param findings What it found, in any order
 *
 * @example
 * ```ts
 * import { type Finding, makeGuardResult } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const note: Finding = {
 *   code: "lock.not_proven",
 *   level: "note",
 *   path: null,
 *   line: null,
 *   column: null,
 *   message: "nothing shows that the lock was not edited",
 *   hint: null,
 * };
 * assertEquals(makeGuardResult("lock", [note]).ok, true);
 * assertEquals(makeGuardResult("lock", [note, { ...note, level: "error" }]).ok, false);
 * ```
 */
export function makeGuardResult(guard: string, findings: readonly Finding[]): GuardResult {
  return {
    guard,
    ok: findings.every(({ level }) => level !== "error"),
    findings: sortFindings(findings),
  };
}
