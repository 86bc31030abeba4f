import * as z from "zod/mini";
import { isRecord, parseWithSchema } from "../base/strict_json.ts";
import { type EndDescriptor, parseCommandEnd, REDACTED_ARGUMENT } from "./command.ts";
import {
  type ExternalParameters,
  type FileDescriptor,
  type InputsDescriptor,
  MOST_SHARDS,
  type Provenance,
  type RecordedCommand,
  type Shard,
} from "./provenance.ts";
import { countSchema, nameSchema, sha256Schema, variableSchema } from "./schemas.ts";

const digestSchema = z.strictObject({ sha256: sha256Schema });
const annotationsSchema = z.strictObject({ kind: z.enum(["file", "symlink"]), size: countSchema });
const builtWithSchema = z.strictObject({ name: z.literal("toolchain.json"), digest: digestSchema });
const argumentSchema = z.int().check(z.minimum(1, { error: "expected an argument from 1 on" }));

/** The schema of an item of `resolvedDependencies`, and of what a failed command left. */
const fileSchema: z.ZodMiniType<FileDescriptor> = z.strictObject({
  name: nameSchema,
  digest: digestSchema,
  annotations: annotationsSchema,
});

/** What an item of the subject may have; a file has annotations, the inputs as one have not. */
interface SubjectShape extends Partial<Pick<FileDescriptor, "annotations">> {
  readonly name: string;
  readonly digest: InputsDescriptor["digest"];
}

const subjectShape: z.ZodMiniType<SubjectShape> = z.strictObject({
  name: nameSchema,
  digest: z.strictObject({ sha256: sha256Schema, dirHash: z.exactOptional(sha256Schema) }),
  annotations: z.exactOptional(annotationsSchema),
}).check(
  z.refine(
    ({ name, annotations }: SubjectShape) => annotations !== undefined || name === "inputs",
    { error: 'expected the annotations of a product, or the name "inputs"' },
  ),
  z.refine(
    ({ digest, annotations }: SubjectShape) =>
      annotations === undefined || digest.dirHash === undefined,
    { error: "expected no dirHash of a file", path: ["digest", "dirHash"] },
  ),
);

/** The schema of an item of the subject. The refinements make one of the two of what has the shape. */
const subjectSchema = subjectShape as z.ZodMiniType<FileDescriptor | InputsDescriptor>;

/** The schema of the first byproduct. */
const endSchema: z.ZodMiniType<EndDescriptor> = z.strictObject({
  name: z.literal("outcome"),
  mediaType: z.literal("application/json"),
  content: z.string().check(
    z.refine((content: string) => parseCommandEnd(content) !== null, {
      error: "expected exit code and signal in canonical JSON, as base64",
    }),
  ),
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

const commandSchema = z.strictObject({
  argv: z.array(z.string()).check(
    z.minLength(1),
    // No system starts a program with such words.
    z.refine(
      (argv: readonly string[]) => argv[0] !== "" && !argv.some((word) => word.includes("\0")),
      { error: "expected a program and arguments without a NUL character" },
    ),
  ),
  env: z.exactOptional(z.array(variableSchema).check(z.minLength(1))),
  redacted: z.exactOptional(z.array(argumentSchema).check(z.minLength(1))),
  stdin: z.exactOptional(z.strictObject({
    sha256: sha256Schema,
    size: countSchema.check(z.minimum(1, { error: "expected at least one byte" })),
  })),
}).check(z.refine(
  ({ argv, redacted = [] }: RecordedCommand) =>
    redacted.every((n, i) => REDACTED_ARGUMENT.test(argv[n] ?? "") && n > (redacted[i - 1] ?? 0)),
  { error: "expected arguments that are digests, in order", path: ["redacted"] },
));

const externalParametersSchema = z.strictObject({
  inputs: z.array(pathSchema).check(z.minLength(1, { error: "expected at least one input" })),
  exclude: z.array(z.string()),
  links: z.exactOptional(z.literal("follow")),
  command: z.exactOptional(commandSchema),
  products: z.exactOptional(z.array(pathSchema)),
  shard: z.exactOptional(shardSchema),
}).check(
  z.refine(
    ({ command, products, shard }: ExternalParameters) =>
      shard === undefined || (command === undefined && products === undefined),
    { error: "expected no shard of a run around a command", path: ["shard"] },
  ),
  z.refine(
    ({ command, products }: ExternalParameters) => command === undefined || products !== undefined,
    { error: "expected the products of a run around a command", path: ["products"] },
  ),
);

const builderSchema = z.strictObject({
  id: z.literal("https://github.com/carcodez1/kprovengine/builders/kprov/v1"),
  version: z.strictObject({ kprov: z.string().check(z.minLength(1)) }),
  builderDependencies: z.tuple([builtWithSchema]),
});

/** The schemas of the lists of files. */
interface ListSchemas<S, D, B> {
  readonly subject: z.ZodMiniType<S>;
  readonly resolvedDependency: z.ZodMiniType<D>;
  readonly byproducts: z.ZodMiniType<B>;
}

/** provenance.json with its lists of files in another shape. */
interface Statement<S, D, B> extends Pick<Provenance, "_type" | "predicateType"> {
  readonly subject: readonly S[];
  readonly predicate: {
    readonly buildDefinition:
      & Omit<Provenance["predicate"]["buildDefinition"], "resolvedDependencies">
      & { readonly resolvedDependencies: readonly D[] };
    readonly runDetails:
      & Omit<Provenance["predicate"]["runDetails"], "byproducts">
      & { readonly byproducts?: B };
  };
}

function makeSchema<S, D, B>(lists: ListSchemas<S, D, B>): z.ZodMiniType<Statement<S, D, B>> {
  const { subject, resolvedDependency, byproducts } = lists;
  const predicate = z.strictObject({
    buildDefinition: makeBuildDefinitionSchema(resolvedDependency),
    runDetails: z.strictObject({
      builder: builderSchema,
      byproducts: z.exactOptional(byproducts),
      metadata: z.strictObject({}),
    }),
  }).check(z.refine(
    ({ buildDefinition, runDetails }) =>
      (buildDefinition.externalParameters.products === undefined) ===
        (runDetails.byproducts === undefined),
    {
      error: "expected how the command ended, exactly in a run around one",
      path: ["runDetails", "byproducts"],
      // Whatever else is wrong, so that a document read item by item is told the same faults.
      when: ({ value }) => hasEndAndParameters(value),
    },
  ));
  return z.strictObject({
    _type: z.literal("https://in-toto.io/Statement/v1"),
    predicateType: z.literal("https://slsa.dev/provenance/v1"),
    subject: z.array(subject).check(z.minLength(1, { error: "expected at least one subject" })),
    predicate,
  });
}

function hasEndAndParameters(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { buildDefinition, runDetails } = value;
  return isRecord(buildDefinition) && isRecord(buildDefinition["externalParameters"]) &&
    isRecord(runDetails);
}

/** Only a shard may be without files: its sisters hold what was given. */
function makeBuildDefinitionSchema<D>(
  resolvedDependency: z.ZodMiniType<D>,
): z.ZodMiniType<Statement<never, D, never>["predicate"]["buildDefinition"]> {
  return z.strictObject({
    buildType: z.literal("https://github.com/carcodez1/kprovengine/buildtypes/run/v1"),
    externalParameters: externalParametersSchema,
    internalParameters: z.strictObject({}),
    resolvedDependencies: z.array(resolvedDependency),
  }).check(z.refine(
    ({ externalParameters, resolvedDependencies }) =>
      externalParameters.shard !== undefined || resolvedDependencies.length > 0,
    { error: "expected at least one input", path: ["resolvedDependencies"] },
  ));
}

/** The schema of provenance.json. */
export const provenanceSchema: z.ZodMiniType<Provenance> = makeSchema({
  subject: subjectSchema,
  resolvedDependency: fileSchema,
  byproducts: z.tuple([endSchema], fileSchema),
});

/** The same, but for the items of the lists of files. */
export const provenanceOutlineSchema: z.ZodMiniType = makeSchema({
  subject: z.unknown(),
  resolvedDependency: z.unknown(),
  byproducts: z.array(z.unknown()).check(
    z.minLength(1, { error: "expected at least one byproduct" }),
  ),
});

/**
 * Checks a value against the schema of provenance.json, and types it.
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

/** A long list in a document, which is read item by item. */
export interface ListPlan {
  /** The keys that lead to it, from the outermost object on. */
  readonly keys: readonly string[];
  /** The schema of the item at an index. */
  readonly schemaOf: (index: number) => z.ZodMiniType;
}

/** How the lists of files in provenance.json are read, in the order of their keys. */
export const PROVENANCE_LISTS: readonly ListPlan[] = [
  { keys: ["predicate", "buildDefinition", "resolvedDependencies"], schemaOf: () => fileSchema },
  {
    keys: ["predicate", "runDetails", "byproducts"],
    schemaOf: (index) => index === 0 ? endSchema : fileSchema,
  },
  { keys: ["subject"], schemaOf: () => subjectSchema },
];
