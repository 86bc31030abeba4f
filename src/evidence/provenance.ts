import {
  createSha256,
  LazyList,
  renderNumber,
  renderString,
  sha256Hex,
} from "../base/canonical_json.ts";
import { compareUtf8 } from "../base/text.ts";
import { type CommandEnd, describeCommandEnd, type EndDescriptor, hasFailed } from "./command.ts";

/** What the run was asked to do. */
export interface ExternalParameters {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** The globs of what was left out of directories, in the order of {@linkcode sortExclusions}. */
  readonly exclude: readonly string[];
  /** `follow` where inputs were read through links; absent where links were recorded as links. */
  readonly links?: "follow";
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
  /** The arguments that are recorded as the digests of their text, from 1 on, in order. */
  readonly redacted?: readonly number[];
  /** The names given with `--env`; these variables were set, and their values are not recorded. */
  readonly env?: readonly string[];
  /** What came on its standard input, where that was a file or a pipe and not empty. */
  readonly stdin?: RecordedStdin;
}

/**
 * Standard input of a command, whether it read it or not: everything that came on a pipe, or the whole
 * content of a file.
 */
export interface RecordedStdin {
  /** Digest of its bytes. */
  readonly sha256: string;
  /** Its length in bytes, at least one. */
  readonly size: number;
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

/** An input (in-toto: material) or a product as the statement lists it. */
export interface FileDescriptor {
  /** Its name. */
  readonly name: string;
  /** Digest of its bytes; of a link, of its target's text. */
  readonly digest: DigestSet;
  /** What it is, and its length in bytes. */
  readonly annotations: { readonly kind: FileKind; readonly size: number };
}

/** All inputs of a run as one artifact. */
export interface InputsDescriptor {
  /** Its name. */
  readonly name: "inputs";
  /** The digest of the text that `sha256sum` prints for the inputs. */
  readonly digest: InputsDigest;
  /** Only a file has annotations, also one of the name `inputs`. */
  readonly annotations?: never;
}

/**
 * provenance.json: an in-toto Statement v1 with a SLSA Provenance v1 predicate.
 *
 * @example Where a run has no products, its inputs are the subject, as one artifact
 * ```ts
 * import { parseProvenance, type Provenance, sha256Hex } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const digest = { sha256: sha256Hex("hello") };
 * const inputs = sha256Hex(`${digest.sha256}  a.txt\n`);
 * const provenance: Provenance = {
 *   _type: "https://in-toto.io/Statement/v1",
 *   predicateType: "https://slsa.dev/provenance/v1",
 *   subject: [{ name: "inputs", digest: { dirHash: inputs, sha256: inputs } }],
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
 *       metadata: {},
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
  /**
   * The products, except those of a failed command; where there are none, the inputs as one artifact.
   */
  readonly subject: readonly (FileDescriptor | InputsDescriptor)[];
  /** What ran, on what, with what. */
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: "https://github.com/carcodez1/kprovengine/buildtypes/run/v1";
      readonly externalParameters: ExternalParameters;
      readonly internalParameters: Readonly<Record<never, never>>;
      readonly resolvedDependencies: readonly FileDescriptor[];
    };
    readonly runDetails: {
      readonly builder: {
        readonly id: "https://github.com/carcodez1/kprovengine/builders/kprov/v1";
        readonly version: { readonly kprov: string };
        readonly builderDependencies: readonly [ToolchainDescriptor];
      };
      /** How the command ended, then what a failed one left of its products; absent without one. */
      readonly byproducts?: readonly [end: EndDescriptor, ...left: FileDescriptor[]];
      /** Empty: times and ids would make equal runs different. Some readers refuse without it. */
      readonly metadata: Readonly<Record<never, never>>;
    };
  };
}

/** The reference of the statement to toolchain.json. */
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
  /** The globs of what was left out; their order counts only where one of them starts with `!`. */
  readonly exclude: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
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

/** A command that a run was made around, how it ended and what it made. */
export interface CommandFacts extends CommandEnd {
  /** The command and its arguments; null where somebody else ran it. */
  readonly argv: readonly string[] | null;
  /** The arguments in it that are digests of their text, each once, in order. */
  readonly redacted?: readonly number[];
  /** Names of environment variables that are set and matter, in any order. */
  readonly env?: readonly string[];
  /** What came on standard input; null or absent where that is nothing, or unknown. */
  readonly stdin?: RecordedStdin | null;
  /** The product paths as given, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out, in any order. */
  readonly products: readonly RecordedFile[];
}

type RunDetails = Provenance["predicate"]["runDetails"];
type BuildDefinition = Provenance["predicate"]["buildDefinition"];

/** provenance.json before it is rendered: its lists of files are made item by item. */
export interface ProvenanceDraft extends Pick<Provenance, "_type" | "predicateType"> {
  /** As in {@linkcode Provenance}. */
  readonly subject: LazyList<FileDescriptor> | readonly [InputsDescriptor];
  /** As in {@linkcode Provenance}. */
  readonly predicate: {
    readonly buildDefinition: Omit<BuildDefinition, "resolvedDependencies"> & {
      readonly resolvedDependencies: LazyList<FileDescriptor>;
    };
    readonly runDetails: Omit<RunDetails, "byproducts"> & {
      readonly byproducts?: LazyList<EndDescriptor | FileDescriptor>;
    };
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
  return {
    _type: "https://in-toto.io/Statement/v1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: buildSubject(facts.command, materials),
    predicate: {
      buildDefinition: {
        buildType: "https://github.com/carcodez1/kprovengine/buildtypes/run/v1",
        externalParameters: buildExternalParameters(facts),
        internalParameters: {},
        resolvedDependencies: describeFiles(materials),
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
        ...(facts.command === undefined ? {} : { byproducts: buildByproducts(facts.command) }),
        metadata: {},
      },
    },
  };
}

/** What a failed command left is not attested as made, and neither are inputs one by one. */
function buildSubject(
  command: CommandFacts | undefined,
  materials: readonly RecordedFile[],
): ProvenanceDraft["subject"] {
  if (command === undefined || command.products.length === 0 || hasFailed(command)) {
    return [{ name: "inputs", digest: digestInputs(materials) }];
  }
  return describeFiles(command.products.toSorted(byName));
}

function buildByproducts(command: CommandFacts): LazyList<EndDescriptor | FileDescriptor> {
  const end = describeCommandEnd(command);
  const left = describeFiles(hasFailed(command) ? command.products.toSorted(byName) : []);
  return new LazyList(left.length + 1, (i) => i === 0 ? end : left.at(i - 1));
}

function describeFiles(files: readonly RecordedFile[]): LazyList<FileDescriptor> {
  // The renderer asks for indices below the length alone.
  const fileAt = (i: number): RecordedFile => files[i] as RecordedFile;
  return new LazyList(
    files.length,
    (i) => describeFile(fileAt(i)),
    (i, indent) => renderFile(fileAt(i), indent),
  );
}

/** As {@linkcode describeFile} is rendered, for there may be a million. */
function renderFile({ name, kind, size, sha256 }: RecordedFile, indent: string): string {
  const inner = `${indent}  `;
  return `{\n${inner}"annotations": {\n${inner}  "kind": ${renderString(kind)},\n` +
    `${inner}  "size": ${renderNumber(size)}\n${inner}},\n` +
    `${inner}"digest": {\n${inner}  "sha256": ${renderString(sha256)}\n${inner}},\n` +
    `${inner}"name": ${renderString(name)}\n${indent}}`;
}

function describeFile({ name, kind, size, sha256 }: RecordedFile): FileDescriptor {
  return { annotations: { kind, size }, digest: { sha256 }, name };
}

/** The file that a descriptor of the statement is of. */
export function toRecordedFile({ name, digest, annotations }: FileDescriptor): RecordedFile {
  return { name, kind: annotations.kind, size: annotations.size, sha256: digest.sha256 };
}

function byName(a: RecordedFile, b: RecordedFile): number {
  return compareUtf8(a.name, b.name);
}

function buildExternalParameters(facts: ProvenanceFacts): ExternalParameters {
  const command = facts.command;
  return {
    inputs: facts.inputs.toSorted(compareUtf8),
    exclude: sortExclusions(facts.exclude),
    ...(facts.links === undefined ? {} : { links: facts.links }),
    ...(command === undefined ? {} : {
      ...describeCommand(command),
      products: command.productPaths.toSorted(compareUtf8),
    }),
    ...(facts.shard === undefined ? {} : { shard: facts.shard }),
  };
}

/**
 * Brings globs into the order in which a run records them: sorted and each once. Where one takes
 * back what others leave out, as `!keep.log` does, their order means something and stays.
 *
 * @param globs The globs
 */
export function sortExclusions(globs: readonly string[]): readonly string[] {
  return isOrderFree(globs) ? [...new Set(globs)].sort(compareUtf8) : globs;
}

/** Whether the order of globs makes no difference. */
export function isOrderFree(globs: readonly string[]): boolean {
  return !globs.some((glob) => glob.startsWith("!"));
}

function describeCommand(
  { argv, redacted = [], env = [], stdin = null }: CommandFacts,
): Pick<ExternalParameters, "command"> {
  if (argv === null) return {};
  return {
    command: {
      argv,
      ...(env.length === 0 ? {} : { env: env.toSorted(compareUtf8) }),
      ...(redacted.length === 0 ? {} : { redacted }),
      ...(stdin === null ? {} : { stdin: { sha256: stdin.sha256, size: stdin.size } }),
    },
  };
}

/**
 * The products that a statement names: those that it attests, or what a failed command left of them.
 *
 * @param provenance A statement that has its form
 */
export function listProducts(provenance: Provenance): readonly FileDescriptor[] {
  const { byproducts } = provenance.predicate.runDetails;
  if (byproducts === undefined) return [];
  const [, ...left] = byproducts;
  return left.length > 0 ? left : provenance.subject.filter(isFile);
}

/** Tells a file of the subject from the inputs as one artifact. */
export function isFile(
  descriptor: FileDescriptor | InputsDescriptor,
): descriptor is FileDescriptor {
  return descriptor.annotations !== undefined;
}

/**
 * Names the content of a file, so that a link is never taken for a file with its target's text.
 *
 * @param kind What it is
 * @param sha256 Digest of its bytes, or of its target's text
 */
export function nameContent(kind: FileKind, sha256: string): string {
  return kind === "file" ? `sha256:${sha256}` : `link to sha256:${sha256}`;
}

/** The digests of all inputs of a run as one artifact. */
export interface InputsDigest {
  /** Digest of the text that `sha256sum` prints for the inputs, sorted by name. */
  readonly sha256: string;
  /**
   * The same digest under in-toto's name for it, where all inputs are regular files with plain names.
   */
  readonly dirHash?: string;
}

/** What of a file goes into the digest. */
interface DigestedFile {
  readonly name: string;
  readonly kind: "file" | "symlink";
  readonly sha256: string;
}

/** So many characters are digested at once. */
const PIECE = 64 * 1024;

/**
 * Digests all inputs of a run as one artifact: the SHA-256 of the text that `sha256sum` prints of
 * them in the order of their names' UTF-8 bytes. A link stands there with the digest of its target's
 * text, since that is what was read of it.
 *
 * The `dirHash` of in-toto
 * (https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md) is the same number where
 * that is defined: over regular files, and names that every `sha256sum` prints as they are.
 *
 * @param sorted The inputs, sorted by name
 */
export function digestInputs(sorted: Iterable<DigestedFile>): InputsDigest {
  const hash = createSha256();
  let [text, isDirectory] = ["", true];
  for (const { name, kind, sha256 } of sorted) {
    const escaped = escapeName(name);
    isDirectory &&= kind === "file" && escaped === name;
    text += `${escaped === name ? "" : "\\"}${sha256}  ${escaped}\n`;
    if (text.length < PIECE) continue;
    hash.update(text);
    text = "";
  }
  hash.update(text);
  const sha256 = hash.digest("hex");
  return isDirectory ? { dirHash: sha256, sha256 } : { sha256 };
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

/** As `sha256sum` of GNU coreutils 9 writes it; a line with an escape in it starts with a backslash. */
function escapeName(name: string): string {
  return name.replace(/[\\\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/** The most shards that a run is split into. */
export const MOST_SHARDS = 65_536;

/** A part of a run's inputs: those whose names hash into it. */
export interface Shard {
  /** How many shards there are, from 1 to 65536. */
  readonly count: number;
  /** Which one it is, from 1 to the count. */
  readonly index: number;
}

/**
 * The shard that an input belongs to: the first 48 bits of the SHA-256 of its name in UTF-8, as a
 * big-endian number, modulo the number of shards; 0 is the last shard.
 *
 * @param name The input's name
 * @param count How many shards there are, from 1
 * @returns From 1 to the count
 *
 * @example
 * ```ts
 * import { shardOf } from "@kprov/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(shardOf("data/input.csv", 1), 1);
 * assertEquals(["a", "b", "c", "d"].map((name) => shardOf(name, 3)), [3, 3, 2, 2]);
 * ```
 */
export function shardOf(name: string, count: number): number {
  const number = Number.parseInt(sha256Hex(name).slice(0, 12), 16);
  return number % count || count;
}

/**
 * Tells whether an input belongs to a shard.
 *
 * @param name The input's name
 * @param shard The shard; everything belongs to a run that is none
 */
export function isInShard(name: string, shard: Shard | null): boolean {
  return shard === null || shardOf(name, shard.count) === shard.index;
}

/**
 * Reads a shard as `--shard` takes it, `I/N`. I runs from 0 to N, and 0 and N are the same shard, so
 * that counters that start at 0 serve as well as those that start at 1.
 *
 * @param text The candidate
 * @returns The shard, or null where it is none
 */
export function parseShard(text: string): Shard | null {
  const match = /^([0-9]{1,5})\/([0-9]{1,5})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  return index <= count && count >= 1 && count <= MOST_SHARDS
    ? { count, index: index || count }
    : null;
}

/**
 * Writes a shard as `--shard` takes it.
 *
 * @param shard The shard
 */
export function formatShard({ count, index }: Shard): string {
  return `${index}/${count}`;
}

/** The path among `given`, all normalised, that a name is or lies in; null where there is none. */
export function findCovering(name: string, given: ReadonlySet<string>): string | null {
  if (given.has(".")) return ".";
  for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) {
    if (given.has(name.slice(0, i))) return name.slice(0, i);
  }
  return given.has(name) ? name : null;
}

/** The first of the given inputs, all normalised, that has no file; null where each has one. */
export function findUnused(given: readonly string[], names: Iterable<string>): string | null {
  const [first] = listUnused(new Set(given), names);
  return first ?? null;
}

/** The given inputs that have no file; one may lie in another that leaves it out. */
export function listUnused(
  given: ReadonlySet<string>,
  names: Iterable<string>,
): ReadonlySet<string> {
  const unused = new Set(given);
  for (const name of names) {
    if (unused.size === 0) break;
    unused.delete(".");
    for (let i = name.indexOf("/"); i >= 0; i = name.indexOf("/", i + 1)) {
      unused.delete(name.slice(0, i));
    }
    unused.delete(name);
  }
  return unused;
}
