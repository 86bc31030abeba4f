import { renderCanonicalJson } from "../base/canonical_json.ts";
import type { Finding } from "../base/finding.ts";
import { KPROV_VERSION } from "../base/semver.ts";
import { sha256Hex } from "../base/sha256.ts";
import type { GuardResult } from "../guards/guard.ts";
import { type Rule, RULES } from "../guards/rules.ts";
import { renderLogSafeJson } from "./text.ts";

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
