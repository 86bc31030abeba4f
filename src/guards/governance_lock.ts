import * as z from "zod/mini";
import { parseWithSchema } from "../schema_issue.ts";

/** A governed file as a lock holds it. */
export interface LockedFile {
  /** Its path, with `/` between the parts. */
  readonly path: string;
  /** Digest of its bytes. */
  readonly sha256: string;
}

/** governance.lock.json: the rules as they stood when a major version was taken. */
export interface GovernanceLock {
  /** The document's schema. */
  readonly schema: "kprovengine.governance_lock.v1";
  /** The major version that the lock was taken at. */
  readonly major: number;
  /** Every governed file, sorted by path. */
  readonly files: readonly LockedFile[];
  /** One digest over all files: that of the lines `<sha256>  <path>`, each ended by LF. */
  readonly sha256: string;
}

const sha256Schema = z.string().check(
  z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lowercase hex digits" }),
);

/** The schema of governance.lock.json. */
export const governanceLockSchema: z.ZodMiniType<GovernanceLock> = z.strictObject({
  schema: z.literal("kprovengine.governance_lock.v1"),
  major: z.int().check(z.nonnegative()),
  files: z.array(z.strictObject({ path: z.string().check(z.minLength(1)), sha256: sha256Schema })),
  sha256: sha256Schema,
});

/**
 * Holds a value against the schema of a governance lock.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `policy` naming the first place that differs
 */
export function parseGovernanceLock(value: unknown): GovernanceLock {
  return parseWithSchema(governanceLockSchema, value, "the governance lock", "policy");
}
