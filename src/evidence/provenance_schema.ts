import * as z from "zod/mini";
import { parseWithSchema } from "../base/schema.ts";
import type { ListPlan } from "./document_items.ts";
import type {
  ExternalParameters,
  Material,
  Provenance,
  ResourceDescriptor,
  Statement,
} from "./provenance.ts";
import { countSchema, nameSchema, sha256Schema, variableSchema } from "./schemas.ts";
import { MOST_SHARDS, type Shard } from "./shard.ts";

const digestSchema = z.strictObject({ sha256: sha256Schema });
/** The schema of an item of the subject. */
const descriptorSchema: z.ZodMiniType<ResourceDescriptor> = z.strictObject({
  name: nameSchema,
  digest: digestSchema,
});

/** The schema of an item of `resolvedDependencies`. */
const materialSchema: z.ZodMiniType<Material> = z.strictObject({
  name: nameSchema,
  digest: digestSchema,
  annotations: z.strictObject({ kind: z.enum(["file", "symlink"]), size: countSchema }),
});

const pathSchema = z.union([z.literal("."), nameSchema], {
  error: 'expected a relative POSIX path or "."',
});

const shardSchema = z.strictObject({
  count: z.int().check(
    z.minimum(1, { error: "expected at least one shard" }),
    z.maximum(MOST_SHARDS, { error: `expected at most ${MOST_SHARDS} shards` }),
  ),
  index: z.int().check(
    z.minimum(1, { error: "expected a shard from 1 on" }),
    z.maximum(MOST_SHARDS, { error: `expected a shard up to ${MOST_SHARDS}` }),
  ),
}).check(z.refine(({ count, index }: Shard) => index <= count, {
  error: "expected a shard up to the count",
  path: ["index"],
}));

const externalParametersSchema = z.strictObject({
  inputs: z.array(pathSchema).check(z.minLength(1, { error: "expected at least one input" })),
  exclude: z.array(z.string()),
  command: z.exactOptional(z.strictObject({
    argv: z.array(z.string()).check(z.minLength(1)),
    env: z.exactOptional(z.array(variableSchema).check(z.minLength(1))),
  })),
  products: z.exactOptional(z.array(pathSchema)),
  shard: z.exactOptional(shardSchema),
}).check(z.refine(
  ({ command, products, shard }: ExternalParameters) =>
    shard === undefined || (command === undefined && products === undefined),
  { error: "expected no shard of a run around a command", path: ["shard"] },
));

const runDetailsSchema = z.strictObject({
  builder: z.strictObject({
    id: z.literal("https://github.com/carcodez1/kprovengine/builders/kprov/v1"),
    version: z.strictObject({ kprov: z.string().check(z.minLength(1)) }),
    builderDependencies: z.tuple([
      z.strictObject({ name: z.literal("toolchain.json"), digest: digestSchema }),
    ]),
  }),
});

/** A shard is of inputs alone, and only a shard may be empty: its sisters hold what was given. */
function makeSchema<S, M>(
  subject: z.ZodMiniType<S>,
  material: z.ZodMiniType<M>,
): z.ZodMiniType<Statement<readonly S[], readonly M[]>> {
  return z.strictObject({
    _type: z.literal("https://in-toto.io/Statement/v1"),
    predicateType: z.literal("https://slsa.dev/provenance/v1"),
    subject: z.array(subject),
    predicate: z.strictObject({
      buildDefinition: makeBuildDefinitionSchema(material),
      runDetails: runDetailsSchema,
    }),
  }).check(z.refine(
    ({ subject, predicate }) =>
      predicate.buildDefinition.externalParameters.shard !== undefined || subject.length > 0,
    { error: "expected at least one subject", path: ["subject"] },
  ));
}

function makeBuildDefinitionSchema<M>(
  material: z.ZodMiniType<M>,
): z.ZodMiniType<Statement<never, readonly M[]>["predicate"]["buildDefinition"]> {
  return z.strictObject({
    buildType: z.literal("https://github.com/carcodez1/kprovengine/buildtypes/run/v1"),
    externalParameters: externalParametersSchema,
    internalParameters: z.strictObject({}),
    resolvedDependencies: z.array(material),
  }).check(z.refine(
    ({ externalParameters, resolvedDependencies }) =>
      externalParameters.shard !== undefined || resolvedDependencies.length > 0,
    { error: "expected at least one input", path: ["resolvedDependencies"] },
  ));
}

/** The schema of provenance.json. */
export const provenanceSchema: z.ZodMiniType<Provenance> = makeSchema(
  descriptorSchema,
  materialSchema,
);

/** The same, but for the items of the lists of files. */
export const provenanceOutlineSchema: z.ZodMiniType = makeSchema(z.unknown(), z.unknown());

/**
 * Holds a value against the schema of provenance.json.
 *
 * @param value Such as `JSON.parse` returns it
 * @returns The value, typed
 * @throws {KprovError} `data` naming the first place that differs
 *
 * @example
 * ```ts
 * import { KprovError, parseProvenance } from "@kprov/cli";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => parseProvenance({ _type: "https://in-toto.io/Statement/v0.1" }), KprovError, "Cannot parse provenance.json");
 * ```
 */
export function parseProvenance(value: unknown): Provenance {
  return parseWithSchema(provenanceSchema, value, "provenance.json");
}

/** How the lists of files in provenance.json are read; the materials' key sorts before the subject's. */
export const PROVENANCE_LISTS: readonly ListPlan[] = [
  {
    keys: ["predicate", "buildDefinition", "resolvedDependencies"],
    schema: materialSchema,
    keep: (item) => item,
  },
  // The subject of a run without products says again what the materials say, which is held once.
  {
    keys: ["subject"],
    schema: descriptorSchema,
    keep: (item, twin) => shareDescriptor(item as ResourceDescriptor, twin as Material | undefined),
  },
];

function shareDescriptor(
  item: ResourceDescriptor,
  twin: Material | undefined,
): ResourceDescriptor {
  return twin?.name === item.name && twin.digest.sha256 === item.digest.sha256
    ? { digest: twin.digest, name: twin.name }
    : item;
}
