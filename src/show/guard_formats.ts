import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import { type Finding, pickFindings } from "../base/error.ts";
import { escapeGithubLines, escapeGithubValue, escapeText, showName } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/std.ts";
import type { GuardResult } from "../guards/guard.ts";
import { type Rule, RULES } from "../guards/policy.ts";
import { choosePaint, type Paint, renderLogSafeJson, type TextOptions } from "./text.ts";

/** The results as one JSON document. */
export function renderGuardJson(results: readonly GuardResult[]): string {
  return renderLogSafeJson({
    ok: results.every(({ ok }) => ok),
    guards: results.map(({ guard, ok, findings }) => ({ guard, ok, findings })),
  });
}

/** How the results are shown to people, with the number of files where it is known. */
export interface GuardTextOptions extends TextOptions {
  readonly files?: number | null;
}

/** The results for people: for each guard its verdict and what it found, and a verdict on all. */
export function renderGuardText(
  results: readonly GuardResult[],
  options: GuardTextOptions = { isColored: false },
): string {
  const paint = choosePaint(options);
  return [
    ...results.flatMap((result) => renderResult(result, paint)),
    renderTotals(results, options.files ?? null, paint),
    "",
  ].join("\n");
}

function renderResult({ guard, ok, findings }: GuardResult, paint: Paint): string[] {
  const verdict = ok ? `${paint("ok", "good")}      ` : `${paint("FAILED", "bad")}  `;
  const counts = findings.length === 0 ? "" : `: ${countFindings(findings).join(", ")}`;
  // What is to be done about findings of a kind is said once.
  const hints = new Set<string>();
  return [
    `${verdict}${escapeText(guard)}${counts}`,
    ...findings.flatMap((finding) => renderFinding(finding, hints, paint)),
  ];
}

/** `2 findings`, `1 note`, or both; notes are counted by themselves since they do not fail. */
function countFindings(findings: readonly Finding[]): string[] {
  const notes = findings.filter(({ level }) => level === "note").length;
  const errors = findings.length - notes;
  return [
    ...(errors > 0 || notes === 0 ? [count(errors, "finding")] : []),
    ...(notes > 0 ? [count(notes, "note")] : []),
  ];
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

function renderFinding(finding: Finding, hints: Set<string>, paint: Paint): string[] {
  const { level, code, message, hint } = finding;
  const isNew = hint !== null && !hints.has(`${code} ${hint}`);
  if (hint !== null) hints.add(`${code} ${hint}`);
  const shown = escapeText(code);
  const rule = level === "error" ? paint(shown, "bad") : `${paint("note", "note")} ${shown}`;
  return [
    `  ${showPlace(finding)}${rule}: ${escapeText(message)}`,
    ...(isNew ? [`    hint: ${escapeText(hint)}`] : []),
  ];
}

/** `path:line:column` as far as they are known, and the space behind. */
function showPlace({ path, line, column }: Finding): string {
  if (path === null) return "";
  const position = line === null ? "" : column === null ? `:${line}` : `:${line}:${column}`;
  return `${showName(path)}${position}  `;
}

function renderTotals(results: readonly GuardResult[], files: number | null, paint: Paint): string {
  const failed = results.filter(({ ok }) => !ok).length;
  const findings = results.flatMap((result) => result.findings);
  return [
    count(results.length, "guard") + (files === null ? "" : ` over ${count(files, "file")}`),
    paint(`${failed} failed`, failed === 0 ? "good" : "bad"),
    ...countFindings(findings),
  ].join(", ");
}

const COMMANDS: Readonly<Record<Finding["level"], string>> = { error: "error", note: "notice" };

/** GitHub shows no more annotations of a step. */
const MOST_ANNOTATIONS = 10;

/**
 * The results as workflow commands of GitHub Actions, which shows each finding as an annotation at
 * its place. Of more findings than GitHub shows, the gravest of every guard and code come first,
 * and the last annotation says how many there are beside them.
 */
export function renderGuardGithub(results: readonly GuardResult[]): string {
  const total = countAll(results);
  const isWhole = total <= MOST_ANNOTATIONS;
  const shown = isWhole ? results : cutResults(results, MOST_ANNOTATIONS - 1);
  const commands = shown.flatMap(({ findings }) => findings.map(renderCommand));
  const rest = total - MOST_ANNOTATIONS + 1;
  const level = results.every(({ ok }) => ok) ? "notice" : "error";
  const more =
    `::${level} title=kprov::${rest} more findings stand in the job's summary and in the log`;
  return [...commands, ...(isWhole ? [] : [more])].map((command) => `${command}\n`).join("");
}

/** Whether {@linkcode renderGuardGithub} leaves some of the findings out. */
export function isCutForGithub(results: readonly GuardResult[]): boolean {
  return countAll(results) > MOST_ANNOTATIONS;
}

function countAll(results: readonly GuardResult[]): number {
  return results.reduce((sum, { findings }) => sum + findings.length, 0);
}

/** The results for a job's summary: Markdown, in which nothing of a repository can be markup. */
export function renderGuardSummary(results: readonly GuardResult[]): string {
  const text = renderGuardText(results);
  const shown = text.length > MOST_OF_SUMMARY ? `${text.slice(0, MOST_OF_SUMMARY)}\n…\n` : text;
  return `\n<pre>\n${shown.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</pre>\n`;
}

/** GitHub takes a summary of 1 MiB; a character is up to four bytes, or five of an entity. */
const MOST_OF_SUMMARY = 200_000;

/** The results with as many findings as fit, the gravest of every guard and code first. */
function cutResults(results: readonly GuardResult[], most: number): GuardResult[] {
  const picked = pickFindings(results.map(({ findings }) => findings), most);
  return results.map((result) => ({
    ...result,
    findings: result.findings.filter((finding) => picked.has(finding)),
  }));
}

function renderCommand({ level, code, path, line, column, message, hint }: Finding): string {
  const properties = Object.entries({
    file: path,
    line: path === null ? null : line,
    col: path === null || line === null ? null : column,
    title: code,
  }).flatMap(([name, value]) => value === null ? [] : [`${name}=${escapeGithubValue(`${value}`)}`]);
  const lines = hint === null ? [message] : [message, `hint: ${hint}`];
  return `::${COMMANDS[level]} ${properties.join(",")}::${escapeGithubLines(lines)}`;
}

/** GitHub refuses a run with more results. */
const MOST_RESULTS = 25_000;

/** Stands for the repository's root, whose own place is nobody's business. */
const ROOT = "%SRCROOT%";

/**
 * The results as a SARIF log (OASIS, Static Analysis Results Interchange Format 2.1.0) of one run,
 * with every rule that there is. Equal results give equal bytes. Of more results than GitHub takes,
 * the gravest of every guard and code are there, and a property says how many are not.
 */
export function renderGuardSarif(results: readonly GuardResult[]): string {
  const omitted = Math.max(0, countAll(results) - MOST_RESULTS);
  const shown = omitted > 0 ? cutResults(results, MOST_RESULTS) : results;
  const guards = results.map(({ guard, ok }) => ({ guard, ok }));
  const driver = {
    name: "kprov",
    version: KPROV_VERSION,
    semanticVersion: KPROV_VERSION,
    informationUri: "https://github.com/carcodez1/kprovengine",
    rules: RULES.map(buildRule),
  };
  return renderLogSafeJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: { driver },
      columnKind: "utf16CodeUnits",
      originalUriBaseIds: { [ROOT]: { description: { text: "The root of the repository." } } },
      results: buildResults(shown),
      properties: { guards, ...(omitted > 0 ? { omitted } : {}) },
    }],
  });
}

function buildRule({ code, level, title, description, remedy }: Rule): object {
  const words = code.split(/[._]/);
  return {
    id: code,
    name: words.map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join(""),
    shortDescription: { text: `${title}.` },
    fullDescription: { text: description },
    help: { text: remedy },
    defaultConfiguration: { level },
    properties: { tags: words.slice(0, 1) },
  };
}

function buildResults(results: readonly GuardResult[]): object[] {
  const fingerprint = makeFingerprinter();
  return results.flatMap(({ guard, findings }) =>
    findings.map((finding) => ({
      ruleId: finding.code,
      // -1, the default, says that the rule is not among the driver's.
      ruleIndex: RULES.findIndex(({ code }) => code === finding.code),
      level: finding.level,
      message: { text: escapeMessage(finding.message) },
      ...(finding.path === null ? {} : { locations: [buildLocation(finding, finding.path)] }),
      partialFingerprints: fingerprint(finding),
      properties: { guard, hint: finding.hint },
    }))
  );
}

function buildLocation({ line, column }: Finding, path: string): object {
  // What is said of a file as a whole stands at its start.
  const [startLine, startColumn] = [line ?? 1, column ?? 1];
  const region = { startLine, startColumn, endLine: startLine, endColumn: startColumn + 1 };
  return {
    physicalLocation: {
      artifactLocation: { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: ROOT },
      region,
    },
  };
}

/**
 * Escapes what section 3.11 takes for a placeholder or, where a link could begin, for a link: what
 * a repository holds must not become something to click on.
 */
function escapeMessage(message: string): string {
  const text = message.replace(/[{}]/g, "$&$&");
  return text.includes("](") ? text.replace(/[[\]\\]/g, "\\$&") : text;
}

/**
 * Makes fingerprints that stay when a finding moves: of code, path and message, and a number among
 * those that are equal in these. GitHub looks for one of its own name, of 16 digits.
 */
function makeFingerprinter(): (finding: Finding) => Readonly<Record<string, string>> {
  const seen = new Map<string, number>();
  return ({ code, path, message }) => {
    const digest = sha256Hex(renderCanonicalJson({ code, path, message }));
    const ordinal = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, ordinal);
    return {
      "kprovFinding/v1": `${digest}:${ordinal}`,
      primaryLocationLineHash: `${digest.slice(0, 16)}:${ordinal}`,
    };
  };
}
