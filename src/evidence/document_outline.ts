import { renderCanonicalJson } from "../canonical_json.ts";
import type { JsonOutline } from "../json_outline.ts";
import type { DocumentFaults } from "./document_faults.ts";
import { countLines, readPart } from "./document_part.ts";

/**
 * Reads what a document holds outside of its long lists.
 *
 * @param outline Its text; the lists are empty
 * @param faults Takes what is wrong
 * @returns The value
 * @throws {KprovError} `data` where it is malformed
 */
export function readOutline({ text, cuts }: JsonOutline, faults: DocumentFaults): unknown {
  const { value, difference, refusal } = readPart(text, renderCanonicalJson);
  if (refusal !== null) faults.addRefusal(refusal);
  if (difference !== null) {
    const cut = cuts.filter(({ offset }) => offset < difference);
    const linesCut = cut.reduce((sum, { lines }) => sum + lines, 0);
    faults.addDifference(1 + countLines(text, difference) + linesCut);
  }
  return value;
}
