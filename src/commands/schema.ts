import * as z from "zod/mini";
import { renderCanonicalJson } from "../base/canonical_json.ts";
import { KprovError } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { humanReviewSchema, runSummarySchema, toolchainSchema } from "../evidence/schemas.ts";
import { provenanceSchema } from "../evidence/provenance_schema.ts";
import { governanceLockSchema } from "../guards/lock/governance_lock.ts";
import { policySchema } from "../guards/policy.ts";
import type { Host } from "../io/host.ts";
import { makeJsonLogSafe } from "../show/text.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import { FORMAT_FLAG, NO_PROGRESS_FLAG, readFormat } from "./flags.ts";

const SCHEMAS: Readonly<Record<string, z.ZodMiniType>> = {
  governance_lock: governanceLockSchema,
  human_review: humanReviewSchema,
  policy: policySchema,
  provenance: provenanceSchema,
  run_summary: runSummarySchema,
  toolchain: toolchainSchema,
};

/** The documents that have a schema, sorted. */
export const SCHEMA_NAMES: readonly string[] = Object.keys(SCHEMAS);

/**
 * The JSON Schema (2020-12) of a document. It is made from the schema that kprov itself reads the
 * document with; what it does not say, such as that a list is sorted, which byproduct comes first or
 * that only a shard may be empty, `kprov verify` checks.
 *
 * @param name One of {@linkcode SCHEMA_NAMES}
 * @returns The schema as canonical JSON
 * @throws {KprovError} `usage` where there is no such document
 */
export function renderJsonSchema(name: string): string {
  const schema = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined;
  if (schema === undefined) {
    throw new KprovError("usage", `Cannot print schema ${quote(name)}: there is none`, {
      hint: `one of ${SCHEMA_NAMES.join(", ")}`,
    });
  }
  return renderCanonicalJson({
    ...z.toJSONSchema(schema, { target: "draft-2020-12", override: loosenTuple }),
    $id: `https://github.com/carcodez1/kprovengine/schemas/${name}.v1.json`,
    title: `kprovengine ${name} v1`,
  });
}

/** A list whose first item is of another kind: not every reader takes that, so either may come. */
function loosenTuple({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { prefixItems = [], items } = jsonSchema;
  if (prefixItems.length === 0 || items === undefined) return;
  const kinds = [...prefixItems, items].flat().filter((kind) => typeof kind === "object");
  delete jsonSchema.prefixItems;
  jsonSchema.items = { anyOf: kinds };
}

/** `kprov schema`. */
export const SCHEMA: Command = {
  usage: ["kprov schema [NAME] [--format text|json]"],
  description: [
    "Prints the JSON Schema (2020-12) of a document of a run, of the policy or of the governance lock. " +
    "Without NAME, prints the names.",
  ],
  flags: [
    { ...FORMAT_FLAG, summary: "text (default) or json: how the names are printed" },
    NO_PROGRESS_FLAG,
  ],
  operands: SCHEMA_NAMES,
  permissions: "none.",
  examples: [["kprov schema provenance", "Print the schema of provenance.json"]],
  exitCodes: [
    [0, "printed"],
    [64, "the command line is wrong, or there is no such schema"],
    EXITS.printing,
  ],
  execute: printSchema,
};

function printSchema(flags: ParsedFlags, host: Host): number {
  const [name, ...more] = flags.positionals;
  if (more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot print a schema: expected one name at most");
  }
  const format = readFormat(flags.value("format"));
  if (name !== undefined) {
    host.writeStdout(makeJsonLogSafe(renderJsonSchema(name.replace(/\.json$/, ""))));
  } else if (format === "json") host.writeStdout(renderCanonicalJson({ schemas: SCHEMA_NAMES }));
  else host.writeStdout(`${SCHEMA_NAMES.join("\n")}\n`);
  return 0;
}
