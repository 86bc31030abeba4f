import { renderCanonicalJson, sha256Hex } from "../base/canonical_json.ts";
import type { Finding } from "../base/error.ts";
import { escapeText, showName } from "../base/quote.ts";
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

/** How the results are shown to people. */
export interface GuardTextOptions extends TextOptions {
  /** How many files the guards looked at; not told where it is not known. */
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
    renderVerdict(results, options.files ?? null, paint),
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
  const rule = level === "error"
    ? paint(escapeText(code), "bad")
    : `${paint("note", "note")} ${escapeText(code)}`;
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

function renderVerdict(
  results: readonly GuardResult[],
  files: number | null,
  paint: Paint,
): string {
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
 * its place; nothing where there is nothing to annotate. Of more findings than GitHub shows, the
 * gravest of every guard and code come first, and the last annotation says how many there are
 * beside them.
 */
export function renderGuardGithub(results: readonly GuardResult[]): string {
  const total = countAll(results);
  const isWhole = total <= MOST_ANNOTATIONS;
  const shown = isWhole ? results : pickFindings(results, MOST_ANNOTATIONS - 1);
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

/** How many findings there are, of all guards together. */
function countAll(results: readonly GuardResult[]): number {
  return results.reduce((sum, { findings }) => sum + findings.length, 0);
}

/**
 * The results for the summary of a job: Markdown, in which nothing of a repository can be markup.
 */
export function renderGuardSummary(results: readonly GuardResult[]): string {
  const text = renderGuardText(results);
  const shown = text.length > MOST_OF_SUMMARY ? `${text.slice(0, MOST_OF_SUMMARY)}\n…\n` : text;
  return `\n<pre>\n${shown.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</pre>\n`;
}

/** GitHub takes a summary of 1 MiB; a character is up to four bytes, or five of an entity. */
const MOST_OF_SUMMARY = 200_000;

/**
 * Picks findings so that every guard, and each of its codes, is there: errors before notes, the
 * first of each code before the second of any.
 */
function pickFindings(results: readonly GuardResult[], most: number): GuardResult[] {
  const queues = results.flatMap((
    { findings },
  ) => [...Map.groupBy(findings, ({ level, code }) => `${level} ${code}`).values()]);
  const picked = new Set<Finding>();
  for (const level of ["error", "note"]) {
    const own = queues.filter(([first]) => first?.level === level);
    const longest = own.reduce((length, queue) => Math.max(length, queue.length), 0);
    for (let i = 0; i < longest && picked.size < most; i++) {
      for (const queue of own) {
        const finding = queue[i];
        if (finding !== undefined && picked.size < most) picked.add(finding);
      }
    }
  }
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
  }).flatMap(([name, value]) => value === null ? [] : [`${name}=${escapeProperty(`${value}`)}`]);
  const lines = hint === null ? [message] : [message, `hint: ${hint}`];
  return `::${COMMANDS[level]} ${properties.join(",")}::${escapeData(lines)}`;
}

/** Escapes the lines of a message; the runner undoes what is written with `%`. */
function escapeData(lines: readonly string[]): string {
  return lines.map((line) => escapeText(line).replaceAll("%", "%25")).join("%0A");
}

/** Escapes a property's value, which ends at a comma or a colon; a path stays the one that it is. */
function escapeProperty(value: string): string {
  return escapeText(value.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll(",", "%2C"));
}

/** GitHub refuses a run with more results. */
const MOST_RESULTS = 25_000;

type JsonObject = Readonly<Record<string, unknown>>;

/** Stands for the repository's root, whose own place is nobody's business. */
const ROOT = "%SRCROOT%";

const INDEX_OF_RULE: ReadonlyMap<string, number> = new Map(
  RULES.map(({ code }, index) => [code, index]),
);

/**
 * The results as a SARIF log (OASIS, Static Analysis Results Interchange Format 2.1.0) of one run,
 * with every rule that there is. Equal results give equal bytes. Of more results than GitHub takes,
 * the gravest of every guard and code are there, and a property says how many are not.
 */
export function renderGuardSarif(results: readonly GuardResult[]): string {
  const omitted = Math.max(0, countAll(results) - MOST_RESULTS);
  const shown = omitted > 0 ? pickFindings(results, MOST_RESULTS) : results;
  return renderLogSafeJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: { driver: buildDriver() },
      columnKind: "utf16CodeUnits",
      originalUriBaseIds: { [ROOT]: { description: { text: "The root of the repository." } } },
      results: buildResults(shown),
      properties: {
        guards: results.map(({ guard, ok }) => ({ guard, ok })),
        ...(omitted > 0 ? { omitted } : {}),
      },
    }],
  });
}

function buildDriver(): JsonObject {
  return {
    name: "kprov",
    version: KPROV_VERSION,
    semanticVersion: KPROV_VERSION,
    informationUri: "https://github.com/carcodez1/kprovengine",
    rules: RULES.map(buildRule),
  };
}

function buildRule({ code, level, title, description, remedy }: Rule): JsonObject {
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

function buildResults(results: readonly GuardResult[]): JsonObject[] {
  const fingerprint = makeFingerprinter();
  return results.flatMap(({ guard, findings }) =>
    findings.map((finding) => ({
      ruleId: finding.code,
      // -1, the default, says that the rule is not among the driver's.
      ruleIndex: INDEX_OF_RULE.get(finding.code) ?? -1,
      level: finding.level,
      message: { text: escapeMessage(finding.message) },
      ...(finding.path === null ? {} : { locations: [buildLocation(finding, finding.path)] }),
      partialFingerprints: fingerprint(finding),
      properties: { guard, hint: finding.hint },
    }))
  );
}

function buildLocation({ line, column }: Finding, path: string): JsonObject {
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
