import { compileContentRules, type ContentRules } from "./content_rules.ts";
import type { ContentHit } from "../facts.ts";
import { FileScan } from "./file_scan.ts";
import { compileGlobs } from "../glob/glob.ts";
import type { Policy } from "../policy.ts";
import { detectTextStart } from "./text_position.ts";

/** Searches the contents of files for what a policy forbids. */
export interface ContentScanner {
  /** Searches a whole file. */
  readonly scan: (path: string, bytes: Uint8Array) => readonly ContentHit[];
  /** Searches a file in pieces; where it is cut makes no difference. */
  readonly scanFile: (path: string) => PiecewiseScan;
}

/** The search of one file in pieces. */
export interface PiecewiseScan {
  /** Takes the next piece, which may be overwritten afterwards. */
  readonly push: (piece: Uint8Array) => void;
  /** Takes the file's end and gives what was found, sorted by line and column. */
  readonly end: () => ContentHit[];
}

const NO_BYTES = new Uint8Array();
const NO_HITS: readonly ContentHit[] = [];

/**
 * Compiles the search for forbidden tokens, for the display name where it may not stand, and for
 * look-alikes of the protected names. Texts are found as UTF-8 and as UTF-16, in files of any kind.
 *
 * @param policy Whose identity section says what is searched for; without one nothing is found
 *
 * @example
 * ```ts
 * import { createContentScanner } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const scanner = createContentScanner({
 *   schema: "kprovengine.policy.v1",
 *   identity: { forbidden_tokens: ["acme/ETL"] },
 * });
 * const bytes = new TextEncoder().encode("see\nhttps://example.org/acme/ETL\n");
 * const hits = scanner.scan("a.md", bytes);
 * assertEquals(hits.map(({ code, line, column }) => [code, line, column]), [
 *   ["identity.forbidden_token", 2, 21],
 * ]);
 *
 * const file = scanner.scanFile("a.md");
 * for (let i = 0; i < bytes.length; i += 8) file.push(bytes.subarray(i, i + 8));
 * assertEquals(file.end(), hits);
 * ```
 */
export function createContentScanner(policy: Policy): ContentScanner {
  const rules = compileContentRules(policy.identity ?? {});
  const isDisplayNameAllowed = compileGlobs(policy.identity?.display_name_allowed ?? []);
  const finish = (path: string, scan: FileScan): ContentHit[] =>
    nameHits(path, scan, isDisplayNameAllowed);
  const isClean = compileQuickLook(rules);
  return {
    scan: (path, bytes) => {
      if (isClean(bytes)) return NO_HITS;
      const scan = new FileScan(rules);
      scan.push(bytes, true);
      return finish(path, scan);
    },
    scanFile: (path) => {
      const scan = new FileScan(rules);
      return {
        push: (piece) => scan.push(piece, false),
        end: () => {
          scan.push(NO_BYTES, true);
          return finish(path, scan);
        },
      };
    },
  };
}

/**
 * Compiles a first look that tells most files apart at the cost of reading their bytes: no pattern
 * in them, and nothing beyond ASCII that could be part of a look-alike.
 */
function compileQuickLook(rules: ContentRules): (bytes: Uint8Array) => boolean {
  let matches = 0;
  const count = (): void => void matches++;
  const hasNames = rules.automaton.longest > 0;
  return (bytes) => {
    if (hasNames && detectTextStart(bytes).encoding !== "utf-8") return false;
    if (hasNames && rules.finder.find(bytes, 0) < bytes.length) return false;
    matches = 0;
    rules.search(bytes, count);
    return matches === 0;
  };
}

function nameHits(
  path: string,
  scan: FileScan,
  isDisplayNameAllowed: (path: string) => boolean,
): ContentHit[] {
  const hits = scan.listHits();
  if (hits.length === 0) return [];
  const isAllowed = isDisplayNameAllowed(path);
  return hits
    .filter(({ code }) => code !== "identity.display_name" || !isAllowed)
    .map((hit) => ({ path, ...hit }));
}
