import { type Finding, makeFinding, sortFindings } from "../base/finding.ts";
import {
  type FileDescriptor,
  type FileKind,
  listProducts,
  type RecordedFile,
} from "./provenance.ts";
import type { Run } from "./run.ts";
import { isInShard } from "./shard.ts";

/** What stands at a recorded name now. */
export type ObservedFile =
  | { readonly state: "read"; readonly file: RecordedFile }
  | { readonly state: "missing" }
  | { readonly state: "unreadable"; readonly reason: string };

/** What stands below the root now, as far as a run speaks of it. */
export interface Observation {
  /** What stands at each recorded name. */
  readonly files: ReadonlyMap<string, ObservedFile>;
  /** Every name below the directories that were inputs, less what the run left out. */
  readonly listed: readonly string[];
}

/** A file as it was recorded. */
export interface ExpectedFile {
  /** Its name. */
  readonly name: string;
  /** What it is for. */
  readonly role: "input" | "product";
  /** Its digest. */
  readonly sha256: string;
  /** What it is. */
  readonly kind: FileKind;
  /** Its length in bytes; of a link, the length of its target's text. */
  readonly size: number;
}

/**
 * The files that a run speaks of. What is both input and product is judged as the product: the
 * command was meant to change it.
 *
 * @param run A run that verifies
 */
export function listExpectedFiles(run: Run): ExpectedFile[] {
  const products = listProducts(run.documents["provenance.json"])
    .map((file) => expectFile(file, "product"));
  const made = new Set(products.map(({ name }) => name));
  return [...listExpectedInputs(run).filter(({ name }) => !made.has(name)), ...products];
}

/**
 * The inputs that a run speaks of.
 *
 * @param run A run that verifies
 */
export function listExpectedInputs(run: Run): ExpectedFile[] {
  const { resolvedDependencies } = run.documents["provenance.json"].predicate.buildDefinition;
  return resolvedDependencies.map((file) => expectFile(file, "input"));
}

function expectFile(
  { name, digest, annotations }: FileDescriptor,
  role: ExpectedFile["role"],
): ExpectedFile {
  const { kind, size } = annotations;
  return { name, role, sha256: digest.sha256, kind, size };
}

/**
 * Holds what stands on the disk against what a run recorded.
 *
 * @param run A run that verifies
 * @param observation What stands there now
 * @returns Findings `file.changed`, `file.missing`, `file.kind_changed`, `file.link_changed`,
 * `file.unreadable` and `file.unexpected`, sorted
 *
 * @example The module's own example makes a run
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
  const { shard = null } =
    run.documents["provenance.json"].predicate.buildDefinition.externalParameters;
  const expected = listExpectedFiles(run);
  const known = new Set(expected.map(({ name }) => name));
  const found = sortFindings(checkExpectedFiles(expected, observation.files));
  const findings = hintAtRoot(found, expected);
  const unexpected = observation.listed
    .filter((name) => !known.has(name) && isInShard(name, shard))
    .map((name) =>
      makeFinding("file.unexpected", "it is new in a directory that was an input", { path: name })
    );
  return sortFindings([...hintAtTwins(findings, unexpected), ...unexpected]);
}

/**
 * Hints, where no file at all is there, that they may be looked for in the wrong place.
 *
 * @param findings As {@linkcode checkExpectedFiles} makes them
 * @param expected The files that they are about
 */
export function hintAtRoot(
  findings: readonly Finding[],
  expected: readonly ExpectedFile[],
): readonly Finding[] {
  const [first, ...rest] = findings;
  const isEmpty = findings.length === expected.length &&
    findings.every(({ code }) => code === "file.missing");
  if (first === undefined || !isEmpty) return findings;
  const hint = "none of the files is there: --root names the directory that they are named from";
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
  const hint =
    "a name that looks the same and is other bytes of Unicode is there: a copy changed it";
  return findings.map((finding) => {
    const { code, path } = finding;
    const isTwin = code === "file.missing" && path !== null && added.has(path.normalize());
    return isTwin ? { ...finding, hint } : finding;
  });
}

/**
 * Holds what stands at some names against what was recorded of them.
 *
 * @param expected As it was recorded
 * @param files What stands there now
 * @returns Findings `file.changed`, `file.missing`, `file.kind_changed`, `file.link_changed` and
 * `file.unreadable`
 */
export function checkExpectedFiles(
  expected: readonly ExpectedFile[],
  files: ReadonlyMap<string, ObservedFile>,
): Finding[] {
  return expected.flatMap((file) => checkFile(file, files.get(file.name) ?? { state: "missing" }));
}

function checkFile(expected: ExpectedFile, observed: ObservedFile): Finding[] {
  const { name, role, sha256, kind, size } = expected;
  const find = (
    code: string,
    message: string,
  ): Finding[] => [makeFinding(code, message, { path: name })];
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
