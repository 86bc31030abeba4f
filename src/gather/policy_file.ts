import { lstatSync } from "node:fs";
import { parsePolicy, type Policy } from "../guards/policy.ts";
import { KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import { sha256Hex } from "../sha256.ts";
import { join } from "../std.ts";
import { parseStrictJson, SMALL_JSON } from "../strict_json.ts";
import type { Root } from "./input_path.ts";
import { describeSystemError, isMissing, toKprovError } from "../system/os_error.ts";
import { permissionFlag } from "../system/permissions.ts";

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
export function gatherPolicy(root: Root): PolicyFile | null {
  const bytes = readPolicy(join(root.path, POLICY_NAME));
  if (bytes === null) return null;
  return { policy: parsePolicyBytes(bytes), path: POLICY_NAME, sha256: sha256Hex(bytes) };
}

function readPolicy(path: string): Uint8Array | null {
  try {
    // A FIFO here would hang the read.
    if (!lstatSync(path).isFile()) throw refusePolicy("it is not a regular file");
    return Deno.readFileSync(path);
  } catch (error) {
    if (isMissing(error)) return null;
    if (error instanceof Deno.errors.NotCapable) {
      throw toKprovError(error, `Cannot read policy ${quote(POLICY_NAME)}`, {
        refused: "policy",
        flag: permissionFlag("read", path),
      });
    }
    throw error instanceof KprovError ? error : refusePolicy(describeSystemError(error), error);
  }
}

function parsePolicyBytes(bytes: Uint8Array): Policy {
  try {
    return parsePolicy(parseStrictJson(bytes, SMALL_JSON), quote(POLICY_NAME));
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") {
      throw refusePolicy(error.message, error);
    }
    throw error;
  }
}

function refusePolicy(reason: string, cause?: unknown): KprovError {
  return new KprovError("policy", `Cannot use policy ${quote(POLICY_NAME)}: ${reason}`, { cause });
}
