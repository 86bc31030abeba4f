import { type Finding, makeFinding, sortFindings } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import {
  type ExternalParameters,
  type FileDescriptor,
  type FileKind,
  isInShard,
  listProducts,
  type RecordedFile,
} from "./provenance.ts";
import type { Run } from "./documents.ts";

/** The file that is at a recorded name now. */
export type ObservedFile =
  | { readonly state: "read"; readonly file: RecordedFile }
  | { readonly state: "missing" }
  | { readonly state: "unreadable"; readonly reason: string };

/** The present state of the files that a run names. */
export interface Observation {
  /** The file at each recorded name. */
  readonly files: Pick<ReadonlyMap<string, ObservedFile>, "get">;
  /** Every name below the input directories, without those that the run left out. */
  readonly listed: readonly string[];
}

/** A file as it was recorded. */
export interface ExpectedFile {
  readonly name: string;
  readonly role: "input" | "product";
  readonly sha256: string;
  readonly kind: FileKind;
  /** Its length in bytes; of a link, the length of its target's text. */
  readonly size: number;
}

/** A file as one of several runs recorded it. */
interface ClaimedFile extends ExpectedFile {
  /** What that run is called. */
  readonly run: string;
}

/** What a run says of files; its documents, twice as large, can be let go. */
export interface FileClaims {
  /** What the run is called. */
  readonly run: string;
  readonly parameters: ExternalParameters;
  readonly files: readonly ClaimedFile[];
}

/**
 * The files that a run which verifies names. What is both input and product is judged as the product:
 * the command was meant to change it.
 */
export function listClaims({ documents }: Run): FileClaims {
  const { run_id: run } = documents["run_summary.json"];
  const provenance = documents["provenance.json"];
  const { externalParameters, resolvedDependencies } = provenance.predicate.buildDefinition;
  const products = listProducts(provenance);
  const made = new Set(products.map(({ name }) => name));
  const inputs = made.size === 0
    ? resolvedDependencies
    : resolvedDependencies.filter(({ name }) => !made.has(name));
  const files = [
    ...inputs.map((file): ClaimedFile => ({ ...expectFile(file, "input"), run })),
    ...products.map((file): ClaimedFile => ({ ...expectFile(file, "product"), run })),
  ];
  return { run, parameters: externalParameters, files };
}

/** The inputs that a run which verifies names. */
export function listExpectedInputs(run: Run): ExpectedFile[] {
  const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
  return resolvedDependencies.map((file) => expectFile(file, "input"));
}

function expectFile(file: FileDescriptor, role: ExpectedFile["role"]): ExpectedFile {
  const { kind, size } = file.annotations;
  return { name: file.name, role, sha256: file.digest.sha256, kind, size };
}

/**
 * Compares the files on disk with what a run recorded.
 *
 * @param run A run that verifies
 * @param observation What is there now
 * @returns Findings `file.changed`, `file.missing`, `file.kind_changed`, `file.link_changed`,
 * `file.unreadable` and `file.unexpected`, sorted
 *
 * @example Look for the files of a run; the example of the module makes one
 * ```ts
 * import { checkFiles, type Run } from "@kprov/cli";
 *
 * function isEverythingGone(run: Run): boolean {
 *   const findings = checkFiles(run, { files: new Map(), listed: [] });
 *   return findings.every(({ code }) => code === "file.missing");
 * }
 * ```
 */
export function checkFiles(run: Run, observation: Observation): readonly Finding[] {
  const claims = listClaims(run);
  const known = new Set(claims.files.map(({ name }) => name));
  return checkKnownFiles(claims, claims.files, {
    files: observation.files,
    listed: observation.listed.filter((name) => !known.has(name)),
  });
}

/**
 * Compares some of the files that a run recorded with those on the disk, as `checkFiles()` does. Of
 * the names below directories, only those that are not known are listed.
 */
export function checkKnownFiles(
  claims: FileClaims,
  expected: readonly ExpectedFile[],
  { files, listed }: Observation,
): readonly Finding[] {
  const found = sortFindings(checkExpectedFiles(expected, files));
  // Where some of the files are looked at alone, that none is there does not tell of another place.
  const isWhole = found.length === expected.length && expected.length === claims.files.length;
  const findings = isWhole ? hintAtRoot(found, expected) : found;
  const { shard = null } = claims.parameters;
  const unexpected = listed.filter((name) => isInShard(name, shard)).map((path) =>
    makeFinding("file.unexpected", "it is new in a directory that was an input", { path })
  );
  return sortFindings([...hintAtTwins(findings, unexpected), ...unexpected]);
}

/** Hints, where none of the files is there, that they may be looked for in the wrong place. */
export function hintAtRoot(
  findings: readonly Finding[],
  expected: readonly ExpectedFile[],
): readonly Finding[] {
  const [first, ...rest] = findings;
  const isEmpty = findings.length === expected.length &&
    findings.every(({ code }) => code === "file.missing");
  if (first === undefined || !isEmpty) return findings;
  const hint =
    "none of the files exists there: --root is the directory that recorded paths start from";
  return [{ ...first, hint }, ...rest];
}

/** Hints where a file is missing and one of the same name in other bytes of Unicode is new. */
function hintAtTwins(
  findings: readonly Finding[],
  unexpected: readonly Finding[],
): readonly Finding[] {
  const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);
  const added = new Set(
    unexpected.flatMap(({ path }) => path === null || isAscii(path) ? [] : [path.normalize()]),
  );
  if (added.size === 0) return findings;
  const hint = "a name that looks the same but has other Unicode bytes exists: a copy changed it";
  return findings.map((finding) => {
    const { code, path } = finding;
    const isTwin = code === "file.missing" && path !== null && added.has(path.normalize());
    return isTwin ? { ...finding, hint } : finding;
  });
}

/**
 * Which run spoke last of each file. Lists are not copied without need:
 * one of a million that grows leaves behind three times what it takes.
 */
export class NewestWords {
  /** No object of its own for each file: there may be a million. */
  readonly #words = new Map<
    string,
    ClaimedFile | { readonly run: string; readonly sha256: null }
  >();

  /** Whether a run has spoken of a name. */
  has(name: string): boolean {
    return this.#words.has(name);
  }

  /** Takes the files that are new in the directories of a run; older runs need not find them again. */
  addListed(run: string, findings: readonly Finding[]): void {
    for (const { code, path } of findings) {
      if (code === "file.unexpected") this.#words.set(path ?? "", { run, sha256: null });
    }
  }

  /**
   * Takes what a run says of files. Runs come from the newest to the oldest; of each file the first
   * one counts. Returns the files that the run names last, and notes `file.superseded` on those of
   * which a newer run says otherwise.
   */
  take(
    expected: readonly ClaimedFile[],
  ): { readonly current: readonly ClaimedFile[]; readonly notes: readonly Finding[] } {
    const notes: Finding[] = [];
    let spoken = 0;
    for (const file of expected) {
      const newer = this.#words.get(file.name);
      if (newer === undefined) {
        this.#words.set(file.name, file);
        continue;
      }
      spoken++;
      if (!isSameContent(file, newer)) notes.push(describeSuperseded(file, newer.run));
    }
    const isCurrent = (file: ClaimedFile): boolean => this.#words.get(file.name) === file;
    return { current: spoken === 0 ? expected : expected.filter(isCurrent), notes };
  }
}

function isSameContent(a: ClaimedFile, b: ClaimedFile | { readonly sha256: null }): boolean {
  return b.sha256 !== null && a.sha256 === b.sha256 && a.size === b.size && a.kind === b.kind;
}

function describeSuperseded({ name, role }: ExpectedFile, run: string): Finding {
  return makeFinding(
    "file.superseded",
    `the ${role} has other content since; ${quote(run)} is the newest run that names it`,
    { path: name, level: "note" },
  );
}

/** Compares the files at some names with what was recorded of them; what is new is not looked for. */
export function checkExpectedFiles(
  expected: readonly ExpectedFile[],
  files: Observation["files"],
): Finding[] {
  return expected.flatMap((file) => checkFile(file, files.get(file.name) ?? { state: "missing" }));
}

function checkFile(expected: ExpectedFile, observed: ObservedFile): Finding[] {
  const { name, role, sha256, kind, size } = expected;
  const find = (code: string, message: string) => [makeFinding(code, message, { path: name })];
  if (observed.state === "missing") {
    return find("file.missing", `the ${role} is not there any more`);
  }
  if (observed.state === "unreadable") {
    return find("file.unreadable", `the ${role} cannot be read: ${observed.reason}`);
  }
  const { file } = observed;
  if (kind !== file.kind) {
    return find("file.kind_changed", `the ${role} was a ${kind} and is a ${file.kind} now`);
  }
  if (file.sha256 === sha256 && file.size === size) return [];
  const message = file.sha256 === sha256
    ? `expected ${size} bytes, found ${file.size}`
    : `expected sha256:${sha256}, found sha256:${file.sha256}`;
  return file.kind === "symlink"
    ? find("file.link_changed", `the ${role}'s target changed: ${message}`)
    : find("file.changed", `the ${role}'s content changed: ${message}`);
}
