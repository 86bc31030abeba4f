import * as z from "zod/mini";
import { parseWithSchema } from "../schema_issue.ts";
import { countSchema, nameSchema, sha256Schema, timeSchema } from "./fields.ts";
import type { RunSummary, Source } from "./run_summary.ts";

const totalsSchema = z.strictObject({ count: countSchema, bytes: countSchema });
const permissionSchema = z.enum(["granted", "partial", "denied"]);

/** The schema of `source`. */
export const sourceSchema: z.ZodMiniType<Source | null> = z.nullable(z.strictObject({
  repository: z.nullable(z.string()),
  commit: z.nullable(
    z.string().check(
      z.regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, {
        error: "expected 40 or 64 lowercase hex digits",
      }),
    ),
  ),
}));

/** The schema of run_summary.json. */
export const runSummarySchema: z.ZodMiniType<RunSummary> = z.strictObject({
  schema: z.literal("kprovengine.run_summary.v1"),
  run_id: z.string().check(
    z.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z(-([2-9]|[1-9][0-9]+))?$/, {
      error: "expected a run id such as 2026-02-15T20-13-00Z",
    }),
  ),
  created_at: timeSchema,
  evidence_digest: sha256Schema,
  outcome: z.enum(["completed", "command_failed"]),
  exit_code: countSchema,
  inputs: totalsSchema,
  products: totalsSchema,
  documents: z.strictObject({ "provenance.json": sha256Schema, "toolchain.json": sha256Schema }),
  runtime_policy: z.strictObject({ range: z.string(), satisfied: z.boolean() }),
  policy: z.nullable(z.strictObject({ path: nameSchema, sha256: sha256Schema })),
  source: sourceSchema,
  permissions: z.strictObject({
    read: permissionSchema,
    write: permissionSchema,
    run: permissionSchema,
    net: permissionSchema,
    env: permissionSchema,
  }),
  command_output: z.nullable(z.strictObject({ stdout: sha256Schema, stderr: sha256Schema })),
  review_status: z.enum(["PENDING", "APPROVED", "REJECTED"]),
});

/**
 * Holds a value against the schema of run_summary.json.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseRunSummary } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseRunSummary([]), KprovError, "Cannot parse run_summary.json");
 * ```
 */
export function parseRunSummary(value: unknown): RunSummary {
  return parseWithSchema(runSummarySchema, value, "run_summary.json");
}
