import { renderCanonicalJson } from "../base/canonical_json.ts";
import type { Finding } from "../base/finding.ts";
import { escapeText, showName } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import { sha256Hex } from "../base/sha256.ts";
import type { GuardResult } from "../guards/guard.ts";
import { type Rule, RULES } from "../guards/rules.ts";
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

/**
 * The results for people: for each guard its verdict and what it found, and a verdict on all.
 *
 * @param results What the guards found, in the order to show
 * @param options Colours, none by default, and the number of files
 */
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
  return [
    `${verdict}${escapeText(guard)}${counts}`,
    ...findings.flatMap((finding) => renderFinding(finding, paint)),
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

function renderFinding(finding: Finding, paint: Paint): string[] {
  const { level, code, message, hint } = finding;
  const rule = level === "error"
    ? paint(escapeText(code), "bad")
    : `${paint("note", "note")} ${escapeText(code)}`;
  return [
    `  ${showPlace(finding)}${rule}: ${escapeText(message)}`,
    ...(hint === null ? [] : [`    hint: ${escapeText(hint)}`]),
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

/**
 * The results as workflow commands of GitHub Actions, which shows each finding as an annotation at
 * its place; nothing where there is nothing to annotate.
 *
 * @param results What the guards found, in the order to show
 * @returns A line for each finding
 */
export function renderGuardGithub(results: readonly GuardResult[]): string {
  return results.flatMap(({ findings }) => findings.map((finding) => `${renderCommand(finding)}\n`))
    .join("");
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
  return escapeText(
    value.replaceAll("%", "%25").replaceAll(":", "%3A").replaceAll(",", "%2C"),
  );
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Stands for the repository's root, whose own place is nobody's business. */
const ROOT = "%SRCROOT%";

const INDEX_OF_RULE: ReadonlyMap<string, number> = new Map(
  RULES.map(({ code }, index) => [code, index]),
);

/**
 * The results as a SARIF log (OASIS, Static Analysis Results Interchange Format 2.1.0) of one run,
 * with every rule that there is. Equal results give equal bytes.
 *
 * @param results What the guards found, in the order to show
 */
export function renderGuardSarif(results: readonly GuardResult[]): string {
  return renderLogSafeJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: { driver: buildDriver() },
      columnKind: "utf16CodeUnits",
      originalUriBaseIds: { [ROOT]: { description: { text: "The root of the repository." } } },
      results: buildResults(results),
      properties: { guards: results.map(({ guard, ok }) => ({ guard, ok })) },
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
      partialFingerprints: { "kprovFinding/v1": fingerprint(finding) },
      properties: { guard, hint: finding.hint },
    }))
  );
}

function buildLocation({ line, column }: Finding, path: string): JsonObject {
  const region = { startLine: line, ...(column === null ? {} : { startColumn: column }) };
  return {
    physicalLocation: {
      artifactLocation: { uri: path.split("/").map(encodeURIComponent).join("/"), uriBaseId: ROOT },
      ...(line === null ? {} : { region }),
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
 * those that are equal in these.
 */
function makeFingerprinter(): (finding: Finding) => string {
  const seen = new Map<string, number>();
  return ({ code, path, message }) => {
    const digest = sha256Hex(renderCanonicalJson({ code, path, message }));
    const ordinal = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, ordinal);
    return `${digest}:${ordinal}`;
  };
}
