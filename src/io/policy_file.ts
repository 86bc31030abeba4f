import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { sha256Hex } from "../base/sha256.ts";
import { join } from "../base/std.ts";
import { parseStrictJson, SMALL_JSON } from "../base/strict_json.ts";
import type { Policy } from "../guards/policy.ts";
import { describeSystemError, isMissing, toKprovError } from "./os_error.ts";
import type { Root } from "./paths.ts";
import { permissionFlag, requirePermission } from "./permissions.ts";

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

/**
 * Reads the policy of a repository.
 *
 * @param root Where the repository is
 * @returns The policy, or null where the repository has none
 * @throws {KprovError} `policy` where it is there and cannot be used, `permission` where Deno
 * does not let it be read
 */
export async function gatherPolicy(root: Root): Promise<PolicyFile | null> {
  return await readPolicy(join(root.path, POLICY_NAME), POLICY_NAME);
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
 * @throws {KprovError} `policy` where it is missing or cannot be used, `permission` where Deno
 * does not let it be read
 */
export async function gatherPolicyAt(path: string): Promise<PolicyFile> {
  requirePermission("read", path);
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
  try {
    // A FIFO here would hang the read.
    const stats = Deno.lstatSync(path);
    if (!stats.isFile) throw refusePolicy(name, "it is not a regular file");
    if (stats.size > SMALL_JSON.maxBytes) {
      throw refusePolicy(name, `it is larger than ${SMALL_JSON.maxBytes} bytes`);
    }
    return Deno.readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof Deno.errors.NotCapable) {
      throw toKprovError(error, `Cannot read policy ${quote(name)}`, {
        refused: "policy",
        flag: permissionFlag("read", path),
      });
    }
    throw error instanceof KprovError ? error : refusePolicy(name, describeSystemError(error));
  }
}

async function parseBytes(bytes: Uint8Array, name: string): Promise<Policy> {
  // Where there is no policy, nothing loads the schema library.
  const { parsePolicy } = await import("../guards/policy.ts");
  try {
    return parsePolicy(parseStrictJson(bytes, SMALL_JSON), quote(name));
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") {
      throw refusePolicy(name, error.message);
    }
    throw error;
  }
}

function refusePolicy(name: string, reason: string, hint?: string): KprovError {
  return new KprovError("policy", `Cannot use policy ${quote(name)}: ${reason}`, { hint });
}
