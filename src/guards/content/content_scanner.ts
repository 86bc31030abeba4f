import { compileContentRules } from "./content_rules.ts";
import type { ContentHit } from "../facts.ts";
import { FileScan } from "./file_scan.ts";
import { compileGlobs } from "../glob/glob.ts";
import type { Policy } from "../policy.ts";

/** Searches the contents of files for what a policy forbids, compiled once for all of them. */
export interface ContentScanner {
  /** Searches a whole file. */
  readonly scan: (path: string, bytes: Uint8Array) => ContentHit[];
  /** Searches a file in pieces; where it is cut makes no difference. */
  readonly scanFile: (path: string) => PiecewiseScan;
}

/** The search of one file. */
export interface PiecewiseScan {
  /** Takes the next piece, which may be overwritten afterwards. */
  readonly push: (piece: Uint8Array) => void;
  /** Takes the file's end and gives what was found, sorted by line and column. */
  readonly end: () => ContentHit[];
}

const NO_BYTES = new Uint8Array();

/**
 * Compiles the search for forbidden tokens, for the display name where it may not stand, and for
 * look-alikes of the protected names. Texts are found as UTF-8 and as UTF-16, in files of any kind.
 *
 * @param policy Whose identity section says what is searched for; without one nothing is found
 */
export function createContentScanner(policy: Policy): ContentScanner {
  const rules = compileContentRules(policy.identity ?? {});
  const isDisplayNameAllowed = compileGlobs(policy.identity?.display_name_allowed ?? []);
  const finish = (path: string, scan: FileScan): ContentHit[] =>
    nameHits(path, scan, isDisplayNameAllowed);
  return {
    scan: (path, bytes) => {
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
