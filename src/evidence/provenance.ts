import * as z from "zod/mini";
import { LazyList } from "../canonical_json.ts";
import { compareUtf8 } from "../compare_utf8.ts";
import { parseWithSchema } from "../schema_issue.ts";
import { countSchema, nameSchema, sha256Schema, variableSchema } from "./fields.ts";
import { MOST_SHARDS, type Shard } from "./shard.ts";

/** What kind of file a name stands for; a link is recorded as a link, by its target's text. */
export type FileKind = "file" | "symlink";

/** A file as it was read: an input or a product. */
export interface RecordedFile {
  /** Path relative to the root, in POSIX form. */
  readonly name: string;
  /** What it is. */
  readonly kind: FileKind;
  /** Its length in bytes; of a link, the length of its target's text. */
  readonly size: number;
  /** Digest of its bytes; of a link, of its target's text. */
  readonly sha256: string;
}

/** A digest set of in-toto with the one algorithm that kprov uses. */
export interface DigestSet {
  /** 64 lowercase hex digits. */
  readonly sha256: string;
}

/** A resource descriptor of in-toto: a name with a digest. */
export interface ResourceDescriptor {
  /** The resource's name. */
  readonly name: string;
  /** The resource's digest. */
  readonly digest: DigestSet;
}

/** An input as the statement lists it (in-toto: material). */
export interface Material extends ResourceDescriptor {
  /** What it is, and its length in bytes. */
  readonly annotations: { readonly kind: FileKind; readonly size: number };
}

/** What the run was asked to do. */
export interface ExternalParameters {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The wrapped command, where kprov started one. */
  readonly command?: RecordedCommand;
  /** The product paths as given, normalised, where the run was made around a command. */
  readonly products?: readonly string[];
  /** The part of the inputs that was recorded, where it was not all of them. */
  readonly shard?: Shard;
}

/** A wrapped command, as the statement names it. */
export interface RecordedCommand {
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** Environment variables that were said to matter, and were set; their values are not recorded. */
  readonly env?: readonly string[];
}

/** provenance.json: an in-toto Statement v1 with a SLSA Provenance v1 predicate. */
export interface Provenance {
  /** The statement's type. */
  readonly _type: "https://in-toto.io/Statement/v1";
  /** The predicate's type. */
  readonly predicateType: "https://slsa.dev/provenance/v1";
  /** The products; where the run has none, the inputs. */
  readonly subject: readonly ResourceDescriptor[];
  /** What ran, on what, with what. */
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: "https://github.com/carcodez1/kprovengine/buildtypes/run/v1";
      readonly externalParameters: ExternalParameters;
      readonly internalParameters: Readonly<Record<never, never>>;
      readonly resolvedDependencies: readonly Material[];
    };
    readonly runDetails: {
      readonly builder: {
        readonly id: "https://github.com/carcodez1/kprovengine/builders/kprov/v1";
        readonly version: { readonly kprov: string };
        readonly builderDependencies: readonly [ToolchainDescriptor];
      };
    };
  };
}

/** The binding of the statement to toolchain.json. */
export interface ToolchainDescriptor {
  /** The document's name. */
  readonly name: "toolchain.json";
  /** The digest of its bytes. */
  readonly digest: DigestSet;
}

/** What {@linkcode buildProvenance} needs to know. */
export interface ProvenanceFacts {
  /** The inputs as given, normalised, in any order. */
  readonly inputs: readonly string[];
  /** The globs of what was left out, in any order. */
  readonly exclude: readonly string[];
  /** The files that went in, in any order. */
  readonly materials: readonly RecordedFile[];
  /** The wrapped command and what came out of it. */
  readonly command?: CommandFacts;
  /** The part of the inputs that the materials are, where they are not all. */
  readonly shard?: Shard;
  /** kprov's own version. */
  readonly kprov: string;
  /** The digest of toolchain.json. */
  readonly toolchainSha256: string;
}

/** A command that a run was made around. */
export interface CommandFacts {
  /** The command and its arguments; null where somebody else ran it, and kprov knows only what it made. */
  readonly argv: readonly string[] | null;
  /** Names of environment variables that are set and matter, in any order. */
  readonly env?: readonly string[];
  /** The product paths as given, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out, in any order. */
  readonly products: readonly RecordedFile[];
}

type BuildDefinition = Provenance["predicate"]["buildDefinition"];

const digestSchema = z.strictObject({ sha256: sha256Schema });
const descriptorSchema = z.strictObject({ name: nameSchema, digest: digestSchema });
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

/** A shard is of inputs alone, and only a shard may be empty: its sisters hold what was given. */
const buildDefinitionSchema = z.strictObject({
  buildType: z.literal("https://github.com/carcodez1/kprovengine/buildtypes/run/v1"),
  externalParameters: z.strictObject({
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
  )),
  internalParameters: z.strictObject({}),
  resolvedDependencies: z.array(z.strictObject({
    name: nameSchema,
    digest: digestSchema,
    annotations: z.strictObject({ kind: z.enum(["file", "symlink"]), size: countSchema }),
  })),
}).check(z.refine(
  ({ externalParameters, resolvedDependencies }: BuildDefinition) =>
    externalParameters.shard !== undefined || resolvedDependencies.length > 0,
  { error: "expected at least one input", path: ["resolvedDependencies"] },
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

/** The schema of provenance.json. */
export const provenanceSchema: z.ZodMiniType<Provenance> = z.strictObject({
  _type: z.literal("https://in-toto.io/Statement/v1"),
  predicateType: z.literal("https://slsa.dev/provenance/v1"),
  subject: z.array(descriptorSchema),
  predicate: z.strictObject({
    buildDefinition: buildDefinitionSchema,
    runDetails: runDetailsSchema,
  }),
}).check(z.refine(
  ({ subject, predicate }: Provenance) =>
    predicate.buildDefinition.externalParameters.shard !== undefined || subject.length > 0,
  { error: "expected at least one subject", path: ["subject"] },
));

/** provenance.json before it is rendered: the lists of files are made item by item. */
export interface ProvenanceDraft extends Pick<Provenance, "_type" | "predicateType"> {
  /** As in {@linkcode Provenance}. */
  readonly subject: LazyList<ResourceDescriptor>;
  /** As in {@linkcode Provenance}. */
  readonly predicate: {
    readonly buildDefinition:
      & Omit<Provenance["predicate"]["buildDefinition"], "resolvedDependencies">
      & { readonly resolvedDependencies: LazyList<Material> };
    readonly runDetails: Provenance["predicate"]["runDetails"];
  };
}

/**
 * Makes provenance.json: an unsigned in-toto Statement v1
 * (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md) with a SLSA Provenance v1
 * predicate (https://slsa.dev/spec/v1.0/provenance). The order of the facts does not matter.
 *
 * @param facts The inputs, the products and the toolchain's digest
 * @returns The document, every list sorted by UTF-8 bytes
 */
export function buildProvenance(facts: ProvenanceFacts): ProvenanceDraft {
  const materials = facts.materials.toSorted(byName);
  const products = (facts.command?.products ?? []).toSorted(byName);
  return {
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: describeEach(products.length > 0 ? products : materials, describeFile),
    predicate: {
      buildDefinition: {
        buildType: "https://github.com/carcodez1/kprovengine/buildtypes/run/v1",
        externalParameters: buildExternalParameters(facts),
        internalParameters: {},
        resolvedDependencies: describeEach(materials, describeMaterial),
      },
      runDetails: {
        builder: {
          id: "https://github.com/carcodez1/kprovengine/builders/kprov/v1",
          version: { kprov: facts.kprov },
          builderDependencies: [{
            name: "toolchain.json",
            digest: { sha256: facts.toolchainSha256 },
          }],
        },
      },
    },
  };
}

function describeEach<T>(
  files: readonly RecordedFile[],
  describe: (file: RecordedFile) => T,
): LazyList<T> {
  // The renderer asks for indices below the length alone.
  return new LazyList(files.length, (i) => describe(files[i] as RecordedFile));
}

function buildExternalParameters(facts: ProvenanceFacts): ExternalParameters {
  const command = facts.command;
  return {
    inputs: facts.inputs.toSorted(compareUtf8),
    exclude: facts.exclude.toSorted(compareUtf8),
    ...(command === undefined ? {} : {
      ...describeCommand(command),
      products: command.productPaths.toSorted(compareUtf8),
    }),
    ...(facts.shard === undefined ? {} : { shard: facts.shard }),
  };
}

function describeCommand({ argv, env = [] }: CommandFacts): Pick<ExternalParameters, "command"> {
  if (argv === null) return {};
  return { command: { argv, ...(env.length === 0 ? {} : { env: env.toSorted(compareUtf8) }) } };
}

function describeFile(file: RecordedFile): ResourceDescriptor {
  return { digest: { sha256: file.sha256 }, name: file.name };
}

function describeMaterial({ name, kind, size, sha256 }: RecordedFile): Material {
  return { annotations: { kind, size }, digest: { sha256 }, name };
}

function byName(a: RecordedFile, b: RecordedFile): number {
  return compareUtf8(a.name, b.name);
}

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
