import * as z from "zod/mini";
import { parseWithSchema } from "../schema_issue.ts";
import { sha256Schema } from "./fields.ts";
import type { Toolchain } from "./toolchain.ts";

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
