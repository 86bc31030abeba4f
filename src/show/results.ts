import { type Finding, sortFindings } from "../base/error.ts";
import { escapeText, shellQuotePath, showName } from "../base/quote.ts";
import { formatBytes, toPosixPath } from "../base/std.ts";
import type { Outcome } from "../evidence/command.ts";
import { type Change, CHANGE_KINDS, type ChangeKind } from "../evidence/diff.ts";
import type { ReviewStatus } from "../evidence/human_review.ts";
import type { ShardSetState } from "../evidence/merge.ts";
import {
  formatShard,
  type RecordedFile,
  type RecordedStdin,
  type Shard,
} from "../evidence/provenance.ts";
import type { ContentDifference, ProductDifference, Repetition } from "../evidence/reproduction.ts";
import { DOCUMENT_NAMES } from "../evidence/documents.ts";
import { sumFiles } from "../evidence/run_summary.ts";
import type { GuardResult } from "../guards/guard.ts";
import {
  choosePaint,
  describeOutcome,
  describeReview,
  type Paint,
  renderFindingLine,
  renderLogSafeJson,
  type TextOptions,
} from "./text.ts";

/** The result of a command that wrote a run. */
export interface RunResult {
  /** The run directory's name. */
  readonly runId: string;
  /** Its path, as this system writes it. */
  readonly runDirectory: string;
  /** Digest of provenance.json. */
  readonly evidenceDigest: string;
  /** How the wrapped command ended. */
  readonly outcome: Outcome;
  /** The exit code of the command, 0 without one; null where its end was not observed. */
  readonly exitCode: number | null;
  /** The signal that ended it, such as `SIGTERM`; null where none did. */
  readonly signal: string | null;
  /** What came on the command's standard input; null where that is nothing, or unknown. */
  readonly stdin: RecordedStdin | null;
  /** The files that went in. */
  readonly materials: readonly RecordedFile[];
  /** The files that came out; null where the run was not made around a command. */
  readonly products: readonly RecordedFile[] | null;
  /** The part of the inputs that was recorded; null where it is all of them. */
  readonly shard: Shard | null;
  /** The findings of the run; null where nothing was checked. */
  readonly findings: readonly Finding[] | null;
}

/** The result as one JSON document; `outputs` are the paths of the documents. */
export function renderRunJson(result: RunResult): string {
  return renderLogSafeJson({
    run_id: result.runId,
    run_dir: toPosixPath(result.runDirectory),
    evidence_digest: result.evidenceDigest,
    outcome: result.outcome,
    exit_code: result.exitCode,
    ...(result.stdin === null ? {} : { stdin: result.stdin }),
    inputs: countFiles(result.materials),
    products: result.products === null ? null : countFiles(result.products),
    outputs: DOCUMENT_NAMES.map((name) => `${toPosixPath(result.runDirectory)}/${name}`),
    ...(result.findings === null ? {} : { findings: sortFindings(result.findings) }),
  });
}

/** What `record start` tells, as one JSON document. */
export function renderStateJson(
  path: string,
  materials: readonly RecordedFile[],
  findings: readonly Finding[],
): string {
  return renderLogSafeJson({
    state: toPosixPath(path),
    inputs: countFiles(materials),
    findings: sortFindings(findings),
  });
}

/** The result for people; no line but one of a long path is wider than 80 columns. */
export function renderRunText(result: RunResult, options: TextOptions): string {
  const paint = choosePaint(options);
  const path = toPosixPath(result.runDirectory);
  return [
    `Run      ${showName(path)}`,
    `Evidence sha256:${result.evidenceDigest}`,
    ...(result.shard === null ? [] : [`Shard    ${formatShard(result.shard)}`]),
    `Inputs   ${describeFiles(result.materials)}`,
    ...(result.stdin === null
      ? []
      : [`Stdin    ${formatBytes(result.stdin.size)}, recorded by its digest`]),
    ...(result.products === null ? [] : [`Products ${describeFiles(result.products)}`]),
    ...listCommandLines(result, paint),
    `Next     kprov verify ${shellQuotePath(path)}`,
    "",
  ].join("\n");
}

function listCommandLines({ outcome, exitCode, signal }: RunResult, paint: Paint): string[] {
  if (outcome === "completed") return [];
  const by = signal === null ? "" : ` by ${signal}`;
  return outcome === "not_observed"
    ? ["Command  not observed; --exit-code records how it ended"]
    : [`Command  ${paint(`failed with exit code ${exitCode}${by}`, "bad")}`];
}

/** Files and links are counted apart, for a link brings nothing but the text of its target. */
function countFiles(
  files: readonly RecordedFile[],
): { readonly files: number; readonly links: number; readonly bytes: number } {
  const { count, bytes } = sumFiles(files);
  const links = files.reduce((sum, { kind }) => kind === "symlink" ? sum + 1 : sum, 0);
  return { files: count - links, links, bytes };
}

function describeFiles(recorded: readonly RecordedFile[]): string {
  const { files, links, bytes } = countFiles(recorded);
  const counts = [
    ...(files > 0 || links === 0 ? [`${files} ${files === 1 ? "file" : "files"}`] : []),
    ...(links > 0 ? [`${links} ${links === 1 ? "link" : "links"}`] : []),
  ];
  return [...counts, formatBytes(bytes)].join(", ");
}

/** What verify found in one run. */
export interface VerifiedRun {
  /** The run directory's path, as this system writes it. */
  readonly path: string;
  /** What is wrong, sorted; none where the run verifies. */
  readonly findings: readonly Finding[];
  /** How its command ended; null where the documents do not verify. */
  readonly outcome: Outcome | null;
  /** The exit code of its command; null where the documents do not verify, or its end was not observed. */
  readonly exitCode: number | null;
  /** Where its review stands; null likewise. */
  readonly review: ReviewStatus | null;
}

/** What verify found. */
interface VerifyResult {
  /** In each run. */
  readonly runs: readonly VerifiedRun[];
  /** In the shards among them together; null where there is none in a directory of runs. */
  readonly shards: ShardSetState | null;
}

/** Whether nothing is wrong with a run, or a set of shards; notes are not. */
export function isVerified({ findings }: Pick<VerifiedRun, "findings">): boolean {
  return findings.every(({ level }) => level === "note");
}

/** The result as the content of one JSON document. */
export function describeVerified({ runs, shards }: VerifyResult): unknown {
  return {
    ok: runs.every(isVerified) && (shards === null || isVerified(shards)),
    runs: runs.map((run) => ({
      run: toPosixPath(run.path),
      ok: isVerified(run),
      outcome: run.outcome,
      review: run.review,
      findings: run.findings,
    })),
    ...(shards === null ? {} : { shards: { ok: isVerified(shards), ...shards } }),
  };
}

/** The result for people: a line a run, a line for the shards, a line a finding, a line in the end. */
export function* listVerifyLines(
  { runs, shards }: VerifyResult,
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  const good = runs.filter(isVerified).length;
  for (const run of runs) yield* listRun(run, paint);
  if (shards !== null) yield* listShards(shards, paint);
  yield `${good} of ${runs.length} ${runs.length === 1 ? "run" : "runs"} verified`;
}

function* listShards(shards: ShardSetState, paint: Paint): Generator<string> {
  const { count, present, findings } = shards;
  const verdict = isVerified(shards)
    ? paint("ok", "good") + "      "
    : paint("FAILED", "bad") + "  ";
  yield `${verdict}${present} of ${count} ${count === 1 ? "shard" : "shards"}`;
  for (const finding of findings) yield* listVerifyFinding(finding, paint);
}

function* listRun(verified: VerifiedRun, paint: Paint): Generator<string> {
  const { path, findings, outcome, exitCode, review } = verified;
  const run = showName(toPosixPath(path));
  // Nothing is green about a run that failed or is rejected, however right its evidence is.
  const isGood = outcome === "completed" && review !== "REJECTED" && isVerified(verified);
  const verdict = isVerified(verified)
    ? `${isGood ? paint("ok", "good") : "ok"}      ${run}`
    : `${paint("FAILED", "bad")}  ${run}`;
  const ended = describeOutcome(outcome, exitCode);
  const judged = describeReview(review);
  const shown = [
    outcome === "command_failed" ? paint(ended, "bad") : ended,
    review === "REJECTED" ? paint(judged, "bad") : judged,
  ];
  // Of a run that does not verify neither is known.
  yield outcome === null ? verdict : `${verdict}  ${shown.join(", ")}`;
  for (const finding of findings) yield* listVerifyFinding(finding, paint);
}

function listVerifyFinding(finding: Finding, paint: Paint): string[] {
  if (finding.level !== "note") return listFinding(finding);
  const [line = "", ...hint] = listFinding(finding);
  return [`  ${paint("note:", "note")} ${line.trimStart()}`, ...hint];
}

function listFinding(finding: Finding): string[] {
  const hint = finding.hint === null ? [] : [`    hint: ${finding.hint}`];
  return [`  ${renderFindingLine(finding)}`, ...hint];
}

/** A product that differs, and how. */
interface ComparedVersions extends ProductDifference {
  readonly content: ContentDifference | null;
}

/** What came of reproducing a run. */
interface ReproduceResult {
  /** The run directory, as this system writes it. */
  readonly run: string;
  /** Whether the command was run; it is not where what it needs is not what was recorded. */
  readonly isExecuted: boolean;
  /** Whether it had nothing but the inputs and the recorded programs. */
  readonly isIsolated: boolean;
  /** Each time that it was run. */
  readonly repetitions: readonly Repetition[];
  /** The products that differ. */
  readonly compared: readonly ComparedVersions[];
  /** Where both versions of those are kept, as given; null where they are not. */
  readonly kept: string | null;
  /** How many products the run records. */
  readonly productCount: number;
  /** What differs in what it runs on and was run on all the same, as notes. */
  readonly notes: readonly Finding[];
  /** What differs, sorted; none where the run is reproducible. */
  readonly findings: readonly Finding[];
}

/** The result as one JSON document. */
export function renderReproduceJson(result: ReproduceResult): string {
  return renderLogSafeJson({
    run: toPosixPath(result.run),
    reproducible: result.findings.length === 0,
    executed: result.isExecuted,
    isolated: result.isIsolated,
    runs: result.repetitions.map(({ variation, exitCode }) => ({ variation, exit_code: exitCode })),
    differences: result.compared.map(describeDifference),
    kept: result.kept === null ? null : toPosixPath(result.kept),
    findings: sortFindings([...result.notes, ...result.findings]),
  });
}

/** Runs are counted from 1; the record is null. */
function describeDifference(
  { path, repetition, since, before, after, content }: ComparedVersions,
): unknown {
  const describe = (file: RecordedFile | null): unknown =>
    file === null ? null : { kind: file.kind, sha256: file.sha256, size: file.size };
  return {
    path,
    run: repetition + 1,
    since: since === null ? null : since + 1,
    before: describe(before),
    after: describe(after),
    first: content === null ? null : { offset: content.offset, line: content.line },
    only: content?.only ?? null,
  };
}

/** The result for people. */
export function renderReproduceText(result: ReproduceResult, options: TextOptions): string {
  const paint = choosePaint(options);
  const run = showName(toPosixPath(result.run));
  const { productCount: count, notes, findings, repetitions } = result;
  const where = result.isIsolated ? ", in isolation" : "";
  const times = repetitions.length > 1 ? `, in ${repetitions.length} runs` : "";
  const lines = [
    ...[...notes, ...findings].flatMap(listFinding),
    ...listVaried(repetitions),
    ...(result.kept === null ? [] : [`Kept              ${showName(toPosixPath(result.kept))}`]),
  ];
  if (findings.length === 0) {
    const products = count === 1 ? "1 product is" : `${count} products are`;
    const isSame = notes.every(({ code }) => KNOWN_NOTES.includes(code));
    const condition = isSame ? "" : ", on another toolchain than the recorded one";
    const same = `${products} the same to the byte${where}${times}${condition}`;
    return joinLines([`${paint("Reproducible", "good")}      ${run}: ${same}`, ...lines]);
  }
  const verdict = result.isExecuted
    ? `${paint("Not reproducible", "bad")}  ${run}${where}${times}`
    : `${paint("Not run", "bad")}           ${run}: what went in is not what was recorded`;
  return joinLines([verdict, ...lines]);
}

/** Notes that do not tell of another toolchain. */
const KNOWN_NOTES: readonly string[] = [
  "input.directory",
  "product.directory",
  "tool.unseen",
  "variation.limited",
];

function listVaried(repetitions: readonly Repetition[]): string[] {
  return repetitions.flatMap(({ variation }, i) =>
    variation === null ? [] : [`  run ${i + 1}: ${variation.how}`]
  );
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** What `report --out` tells about the page that it wrote. */
interface ReportResult {
  /** The page's path, as this system writes it; null where it went to standard output. */
  readonly path: string | null;
  /** How many runs are on it. */
  readonly runs: number;
  /** How many of them do not verify. */
  readonly failed: number;
}

/** The result as one JSON document, which holds the page where no file does. */
export function renderReportJson({ path, runs, failed }: ReportResult, page: string): string {
  const where = path === null ? { path, page } : { path: toPosixPath(path) };
  return renderLogSafeJson({ ok: failed === 0, runs, failed, ...where });
}

/** The result for people. */
export function renderReportText(
  { path, runs, failed }: ReportResult & { readonly path: string },
  options: TextOptions,
): string {
  const paint = choosePaint(options);
  const total = `${runs} ${runs === 1 ? "run" : "runs"}`;
  const verdict = failed === 0
    ? `${paint("ok", "good")}, ${total} verified`
    : `${paint("FAILED", "bad")}, ${failed} of ${total} ${failed === 1 ? "does" : "do"} not verify`;
  return [`Page      ${showName(toPosixPath(path))}`, `Verdict   ${verdict}`, ""].join("\n");
}

/** One line of the table that ends a preflight. */
export interface PreflightRow {
  /** The guard or the step. */
  readonly name: string;
  /** Whether it passed; null for work that the others share. */
  readonly ok: boolean | null;
  /** Wall time. */
  readonly seconds: number;
}

/** A step of a preflight that was run. */
export interface EndedStep extends PreflightRow {
  readonly ok: boolean;
  /** Its words. */
  readonly command: readonly string[];
  /** Its exit code; 128 + n where signal n ended it. */
  readonly exitCode: number;
}

/** What came of a preflight, as one JSON document. */
export function renderPreflightJson(
  results: readonly GuardResult[],
  steps: readonly EndedStep[],
): string {
  return renderLogSafeJson({
    ok: [...results, ...steps].every(({ ok }) => ok),
    guards: results.map(({ guard, ok, findings }) => ({ guard, ok, findings })),
    steps: steps.map(({ command, ok, exitCode }) => ({ command, ok, exit_code: exitCode })),
  });
}

/**
 * The table that ends a preflight.
 *
 * @param rows Guards and steps, in the order in which they ran
 * @param options Colours
 */
export function renderPreflight(rows: readonly PreflightRow[], options: TextOptions): string {
  const paint = choosePaint(options);
  const failed = rows.filter(({ ok }) => ok === false).length;
  const checks = rows.filter(({ ok }) => ok !== null).length;
  const verdict = failed === 0 ? paint("all passed", "good") : paint(`${failed} failed`, "bad");
  return [
    "",
    ...rows.map((row) => renderRow(row, paint)),
    "",
    `preflight: ${checks} ${checks === 1 ? "check" : "checks"}, ${verdict}`,
    "",
  ].join("\n");
}

function renderRow({ name, ok, seconds }: PreflightRow, paint: Paint): string {
  const time = `${seconds.toFixed(1)} s`;
  const verdict = ok === null
    ? "      "
    : ok
    ? `${paint("ok", "good")}    `
    : paint("FAILED", "bad");
  return `${verdict}  ${time.padStart(8)}  ${escapeText(name)}`;
}

/** How the kinds of changes are called, one and several. */
export const KIND_NAMES: Readonly<Record<ChangeKind, readonly [one: string, several: string]>> = {
  input: ["input", "inputs"],
  product: ["product", "products"],
  outcome: ["outcome", "outcomes"],
  parameter: ["parameter", "parameters"],
  runtime: ["runtime", "runtimes"],
  package: ["package", "packages"],
  toolchain: ["part of the toolchain", "parts of the toolchain"],
  policy: ["part of the policy", "parts of the policy"],
};

/** A number of changes of one kind, such as `2 inputs`. */
export function countChanges(kind: ChangeKind, n: number): string {
  return `${n} ${KIND_NAMES[kind][n === 1 ? 0 : 1]}`;
}

/** Words as a sentence lists them. */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The result as the content of one JSON document. */
export function describeDiff(changes: readonly Change[]): unknown {
  const shown = changes.map(({ made_by, ...change }) => ({
    ...change,
    ...(made_by === undefined ? {} : {
      made_by: {
        before: made_by.before === null ? null : toPosixPath(made_by.before),
        after: made_by.after === null ? null : toPosixPath(made_by.after),
      },
    }),
  }));
  return { identical: changes.length === 0, changes: shown };
}

/**
 * The result for people, grouped by cause, in lines.
 *
 * @param changes As `diffRuns()` returns them
 * @param digest The evidence digest of the first run
 * @param options Colours: what the first run has is bad, what the second has is good
 */
export function* listDiffLines(
  changes: readonly Change[],
  digest: string,
  options: TextOptions,
): Generator<string> {
  const paint = choosePaint(options);
  if (changes.length === 0) return yield `Identical evidence: sha256:${digest}`;
  // A file that has another name is one line, where its old name stands.
  const shown = changes.filter(({ renamed_from }) => renamed_from === undefined);
  const groups = CHANGE_KINDS
    .map((kind) => ({ kind, members: shown.filter((change) => change.kind === kind) }))
    .filter(({ members }) => members.length > 0);
  const counts = groups.map(({ kind, members }) => countChanges(kind, members.length));
  yield `The runs differ in ${joinWords(counts)}`;
  for (const { kind, members } of groups) {
    yield "";
    yield `${KIND_NAMES[kind][1]}:`;
    for (const change of members) yield* listChange(change, paint);
  }
}

/** Longer values do not stand beside each other. */
const MOST_BESIDE = 40;

/** Two digests side by side are wider than a terminal, so each has its line; versions are a table. */
function listChange(change: Change, paint: Paint): string[] {
  const { name, before, after, renamed_to, made_by } = change;
  if (renamed_to !== undefined) {
    const names = `${paint(showName(name), "bad")} -> ${paint(showName(renamed_to), "good")}`;
    return [`  renamed  ${names}`, `      ${escapeText(before ?? "")}`];
  }
  if (before !== null && after !== null && `${before}${after}`.length <= MOST_BESIDE) {
    const values = `${paint(escapeText(before), "bad")} -> ${paint(escapeText(after), "good")}`;
    return [`  ${change.change.padEnd(7)}  ${escapeText(name)}  ${values}`];
  }
  const showValue = (value: string | null): string[] =>
    value === null || value === "given" ? [] : [escapeText(value)];
  return [
    `  ${change.change.padEnd(7)}  ${showName(name)}`,
    ...showValue(before).map((value) => `    ${paint(`- ${value}`, "bad")}`),
    ...showValue(after).map((value) => `    ${paint(`+ ${value}`, "good")}`),
    ...(made_by === undefined ? [] : [describeMakers(made_by)]),
  ];
}

/** The runs that made what another took in. */
function describeMakers({ before, after }: NonNullable<Change["made_by"]>): string {
  const [old, now] = [before, after].map((run) =>
    run === null ? "no known run" : showName(toPosixPath(run))
  );
  return `    made by ${old}, then by ${now}`;
}
