import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { sha256Hex } from "../base/canonical_json.ts";
import { dirname, isDenoInRange, join, relative, SUPPORTED_DENO } from "../base/std.ts";
import { parseStrictJson, SMALL_JSON } from "../base/strict_json.ts";
import type { RuntimeCheck } from "../evidence/run_summary.ts";
import type { Policy } from "../guards/policy.ts";
import { DirectoriesBelow, directoryOf } from "./path_watch.ts";
import { describeLinkBelow, isAbsent, resolveRoot, type Root } from "./paths.ts";
import { isPermitted, requirePermission } from "./permissions.ts";
import { readFile } from "./read_file.ts";

/** Where a repository keeps its policy. */
export const POLICY_NAME = "docs/governance/policy.json";

/** A policy with what the evidence records of it. */
export interface PolicyFile {
  /** The rules. */
  readonly policy: Policy;
  /** Its path relative to the root. */
  readonly path: string;
  /** Digest of its bytes. */
  readonly sha256: string;
}

/** The root of a repository that was looked for. */
interface FoundRoot {
  /** The root. */
  readonly root: Root;
  /** What is to be told of it; null where it is the working directory, as everybody expects. */
  readonly note: string | null;
}

/**
 * Finds the repository that the working directory belongs to: the nearest directory, from it upward,
 * that has a policy, up to the top level of the git repository; else that top level; else the working
 * directory. A `.git` of any kind ends the search: what lies above is another project's.
 *
 * @throws {KprovError} `permission` where the root may not be read, `io` where it cannot
 */
export function findRepositoryRoot(): FoundRoot {
  const here = resolveRoot(".");
  for (let path = here.path;; path = dirname(path)) {
    const marks = [POLICY_NAME, ".git"].map((name) => join(path, name));
    if (!marks.every((mark) => isPermitted("read", mark))) {
      const note = "kprov may not read the directories above, so it looks for no policy there";
      return { root: here, note };
    }
    const found = marks.find((mark) => !isAbsent(mark));
    if (found !== undefined) {
      if (path === here.path) return { root: here, note: null };
      const root = resolveRoot(relative(here.path, path));
      const why = found === marks[0]
        ? "where the policy is"
        : "the top level of the git repository";
      return {
        root,
        note: `the root is ${quote(root.given)}, ${why}; --root . uses this directory`,
      };
    }
    if (dirname(path) === path) return { root: here, note: null };
  }
}

/**
 * Reads the policy of a repository.
 *
 * @param root Where the repository is
 * @returns The policy, or null where the repository has none
 * @throws {KprovError} `policy` where it is there and cannot be used, `permission` where Deno
 * does not let it be read
 */
export async function gatherPolicy(root: Root): Promise<PolicyFile | null> {
  const directories = new DirectoriesBelow(root.path);
  const link = directories.describeLink(POLICY_NAME);
  if (link !== null) throw refusePolicy(POLICY_NAME, link);
  const policy = await readPolicy(join(root.path, POLICY_NAME), POLICY_NAME);
  if (directories.isUnchanged(directoryOf(POLICY_NAME))) return policy;
  throw refusePolicy(POLICY_NAME, "a directory on the way to it changed meanwhile");
}

/**
 * Reads the policy of a repository that must have one.
 *
 * @param root Where the repository is
 * @throws {KprovError} `policy` where it is missing or cannot be used, `permission` where Deno
 * does not let it be read
 */
export async function requirePolicy(root: Root): Promise<PolicyFile> {
  const policy = await gatherPolicy(root);
  if (policy !== null) return policy;
  throw refusePolicy(POLICY_NAME, "it does not exist", "kprov init writes one");
}

/**
 * Reads a policy that stands somewhere else.
 *
 * @param path As given
 * @param root Where the repository is: below it, no link is followed
 * @throws {KprovError} `policy` where it is missing or cannot be used, `permission` where Deno
 * does not let it be read
 */
export async function gatherPolicyAt(path: string, root: Root): Promise<PolicyFile> {
  requirePermission("read", path);
  const link = describeLinkBelow(path, root);
  if (link !== null) throw refusePolicy(path, link);
  const policy = await readPolicy(path, path);
  if (policy !== null) return policy;
  throw refusePolicy(path, "it does not exist");
}

async function readPolicy(path: string, name: string): Promise<PolicyFile | null> {
  const bytes = readBytes(path, name);
  if (bytes === null) return null;
  return { policy: await parseBytes(bytes, name), path: name, sha256: sha256Hex(bytes) };
}

function readBytes(path: string, name: string): Uint8Array | null {
  const action = `Cannot read policy ${quote(name)}`;
  const file = readFile(path, { action, maxBytes: SMALL_JSON.maxBytes });
  if (file.state === "unreadable") throw refusePolicy(name, file.reason);
  return file.state === "read" ? file.bytes : null;
}

async function parseBytes(bytes: Uint8Array, name: string): Promise<Policy> {
  // Where there is no policy, nothing loads the schema library.
  const { parsePolicy } = await import("../guards/policy.ts");
  try {
    return parsePolicy(parseStrictJson(bytes, SMALL_JSON), quote(name));
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") {
      throw refusePolicy(name, `${error.message}${await locateFault(error, bytes)}`);
    }
    throw error;
  }
}

/** Where the text stops being JSON, behind a colon. */
async function locateFault({ cause }: KprovError, bytes: Uint8Array): Promise<string> {
  if (!(cause instanceof SyntaxError)) return "";
  const { describeJsonFault } = await import("../base/located_values.ts");
  const fault = describeJsonFault(new TextDecoder().decode(bytes));
  return fault === null ? "" : `: ${fault}`;
}

/**
 * Makes the error of a policy that cannot be used.
 *
 * @param name Its path
 * @param reason Why
 * @param hint What to do, where there is something
 */
export function refusePolicy(name: string, reason: string, hint?: string): KprovError {
  return new KprovError("policy", `Cannot use policy ${quote(name)}: ${reason}`, { hint });
}

/**
 * Refuses a Deno version that is not allowed: by the policy, or without one by the built-in range.
 * Throws `runtime`, naming the range and how to get a Deno inside it.
 */
export function checkRuntime(policy: PolicyFile | null): RuntimeCheck {
  const range = policy?.policy.runtime?.deno;
  const origin = range === undefined ? "the supported range" : `the range of ${policy?.path}`;
  checkDeno(range ?? SUPPORTED_DENO, origin);
  const version = Deno.version.deno;
  return { runtime: "deno", range: range ?? SUPPORTED_DENO, version, satisfied: true };
}

/** Refuses a Deno outside a range; throws `runtime`, naming the range and how to get a Deno inside it. */
export function checkDeno(range: string, origin: string): void {
  if (isDenoInRange(Deno.version.deno, range)) return;
  const message = `Cannot run on Deno ${Deno.version.deno}: ${origin} is ${range}`;
  // The Deno inside a binary stays what it is.
  const hint = Deno.build.standalone
    ? "another release of kprov holds another Deno; on a Deno of your own, kprov.js runs"
    : "npx -y deno@VERSION runs any version of Deno from npm; deno upgrade VERSION installs one";
  throw new KprovError("runtime", message, { hint });
}
