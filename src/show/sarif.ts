import { renderCanonicalJson } from "../base/canonical_json.ts";
import type { Finding } from "../base/finding.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import { sha256Hex } from "../base/sha256.ts";
import type { GuardResult } from "../guards/guard.ts";
import { type Rule, RULES } from "../guards/rules.ts";
import { countAll, pickFindings } from "./guard_formats.ts";
import { renderLogSafeJson } from "./text.ts";

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
 * with every rule that there is. Equal results give equal bytes. Of more results than GitHub takes, the
 * gravest of every guard and code are there, and a property says how many are not.
 *
 * @param results What the guards found, in the order to show
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
