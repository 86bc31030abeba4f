import { LazyList } from "../base/canonical_json.ts";
import { compareUtf8 } from "../base/utf8_order.ts";
import type { Shard } from "./shard.ts";

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

/** A wrapped command as it was given. */
export interface RecordedCommand {
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** Environment variables that were said to matter, and were set; their values are not recorded. */
  readonly env?: readonly string[];
}

/**
 * What kind of file a name stands for. A link is recorded as a link: its size and its digest are
 * those of its target's text.
 */
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

/**
 * provenance.json: an in-toto Statement v1 with a SLSA Provenance v1 predicate.
 *
 * @example Where a run has no products, its inputs are the subject
 * ```ts
 * import { parseProvenance, type Provenance, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const digest = { sha256: sha256Hex("hello") };
 * const provenance: Provenance = {
 *   _type: "https://in-toto.io/Statement/v1",
 *   predicateType: "https://slsa.dev/provenance/v1",
 *   subject: [{ name: "a.txt", digest }],
 *   predicate: {
 *     buildDefinition: {
 *       buildType: "https://github.com/carcodez1/kprovengine/buildtypes/run/v1",
 *       externalParameters: { inputs: ["a.txt"], exclude: [] },
 *       internalParameters: {},
 *       resolvedDependencies: [{ name: "a.txt", digest, annotations: { kind: "file", size: 5 } }],
 *     },
 *     runDetails: {
 *       builder: {
 *         id: "https://github.com/carcodez1/kprovengine/builders/kprov/v1",
 *         version: { kprov: "1.0.0" },
 *         builderDependencies: [{ name: "toolchain.json", digest: { sha256: sha256Hex("{}\n") } }],
 *       },
 *     },
 *   },
 * };
 * assertEquals(parseProvenance(provenance), provenance);
 * ```
 */
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
interface ProvenanceFacts {
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

/** A command that a run was made around; {@linkcode EndedCommand} says how it ended. */
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

/** provenance.json with its lists of files in another shape. */
export type Statement<Subject, Materials> = Omit<Provenance, "subject" | "predicate"> & {
  readonly subject: Subject;
  readonly predicate: Omit<Provenance["predicate"], "buildDefinition"> & {
    readonly buildDefinition:
      & Omit<Provenance["predicate"]["buildDefinition"], "resolvedDependencies">
      & { readonly resolvedDependencies: Materials };
  };
};

/** provenance.json before it is rendered: the lists of files are made item by item. */
export type ProvenanceDraft = Statement<LazyList<ResourceDescriptor>, LazyList<Material>>;

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
