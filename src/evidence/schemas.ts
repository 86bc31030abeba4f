import * as z from "zod/mini";
import { parseWithSchema } from "../base/schema.ts";
import { parseUtcSecond, type RunSummary, type Source } from "./run_summary.ts";
import type { Toolchain } from "./toolchain.ts";

/**
 * Says why a text cannot stand as the name of an input or a product. A name is a path relative to
 * the root, in POSIX form, that means the same on every machine.
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is good
 *
 * @example
 * ```ts
 * import { describeNameFault } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(describeNameFault("data/input.csv"), null);
 * assertEquals(describeNameFault("../input.csv"), 'has a part ".."');
 * ```
 */
export function describeNameFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "holds a lone surrogate";
  if (name.includes("\0")) return "holds a NUL character";
  if (name.includes("\uFFFD")) return "is not valid UTF-8, or holds U+FFFD, which stands for that";
  if (name.includes("\\")) return "holds a backslash, which separates folders on other systems";
  if (name.startsWith("/")) return "is absolute";
  for (const part of name.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return `has a part "${part}"`;
  }
  return null;
}

/**
 * Says why a text cannot be the name of an environment variable (POSIX.1-2024, 8.1).
 *
 * @param name The candidate
 * @returns The reason, to be read after "it", or null where the name is good
 */
export function describeVariableFault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed() || name.includes("\uFFFD")) return "is not valid Unicode";
  if (name.includes("\0")) return "holds a NUL character";
  return name.includes("=") ? 'holds "=", which ends a name' : null;
}

/** 64 lowercase hex digits. */
export const sha256Schema = z.string().check(
  z.regex(/^[0-9a-f]{64}$/, { error: "expected 64 lowercase hex digits" }),
);

/** A count or a size in bytes. */
export const countSchema = z.int({ error: "expected a whole number from 0 to 2^53-1" }).check(
  z.nonnegative({ error: "expected a whole number from 0 to 2^53-1" }),
);

/** A UTC second such as `2026-02-15T20:13:00Z`, a real one. */
export const timeSchema = z.string().check(
  z.regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/, {
    error: "expected a UTC second such as 2026-02-15T20:13:00Z",
  }),
  z.refine((text: string) => parseUtcSecond(text) === text, {
    error: "expected a time that exists",
  }),
);

/** A name as `describeNameFault()` passes it. */
export const nameSchema = z.string().check(
  z.minLength(1, { error: "expected a name" }),
  z.refine((name: string) => describeNameFault(name) === null, {
    error: (issue) =>
      `expected a relative POSIX path, but it ${describeNameFault(String(issue.input))}`,
  }),
);

/** The name of an environment variable, as `describeVariableFault()` passes it. */
export const variableSchema = z.string().check(
  z.refine((name: string) => describeVariableFault(name) === null, {
    error: "expected the name of an environment variable",
  }),
);

const wordSchema = z.string().check(z.minLength(1, { error: "expected a word" }));

/** The schema of toolchain.json. */
export const toolchainSchema: z.ZodMiniType<Toolchain> = z.strictObject({
  schema: z.literal("kprovengine.toolchain.v1"),
  kprov: wordSchema,
  deno: wordSchema,
  v8: wordSchema,
  typescript: wordSchema,
  target: wordSchema,
  os: wordSchema,
  arch: wordSchema,
  standalone: z.boolean(),
  lockfile: z.strictObject({
    sha256: sha256Schema,
    packages: z.array(
      z.strictObject({ name: wordSchema, version: wordSchema, integrity: wordSchema }),
    ),
  }),
  tools: z.exactOptional(z.array(z.strictObject({ name: wordSchema, sha256: sha256Schema }))),
});

/**
 * Holds a value against the schema of toolchain.json.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseToolchain } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseToolchain({ schema: "kprovengine.toolchain.v2" }), KprovError, "Cannot parse toolchain.json");
 * ```
 */
export function parseToolchain(value: unknown): Toolchain {
  return parseWithSchema(toolchainSchema, value, "toolchain.json");
}

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
  state: z.enum(["committed", "modified", "unknown"]),
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
