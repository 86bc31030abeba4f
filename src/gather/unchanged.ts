import { checkExpectedFiles, type ExpectedFile } from "../evidence/check_files.ts";
import { findCovering } from "../evidence/check_names.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import type { RecordedTool } from "../evidence/toolchain.ts";
import { type Finding, makeFinding } from "../finding.ts";
import { quote } from "../quote.ts";
import { hashFile } from "./hash_file.ts";
import { observeExpectedFiles, type Reading } from "./observe_files.ts";
import type { FoundTool } from "./tools.ts";

/**
 * Reads the inputs again after a command, but for those that are products too.
 *
 * @param materials The inputs as they were before
 * @param products The names of the product paths
 * @param reading Where they are, and how they are read
 * @returns Findings `file.changed` and the like, as `kprov verify --root` gives them
 */
export async function findChangedInputs(
  materials: readonly RecordedFile[],
  products: readonly string[],
  reading: Reading,
): Promise<readonly Finding[]> {
  const made = new Set(products);
  const expected = materials
    .filter(({ name }) => findCovering(name, made) === null)
    .map(({ name, kind, sha256 }): ExpectedFile => ({ name, role: "input", kind, sha256 }));
  return checkExpectedFiles(expected, await observeExpectedFiles(expected, reading));
}

/**
 * Reads the tools again after a command, but for those that are products.
 *
 * @param tools The tools as they were before
 * @param products The names of the product paths
 * @returns Findings `tool.changed`
 */
export function findChangedTools(
  tools: readonly FoundTool[],
  products: readonly string[],
): readonly Finding[] {
  const made = new Set(products);
  return tools
    .filter(({ name }) => !name.startsWith("./") || findCovering(name.slice(2), made) === null)
    .filter(isChanged)
    .map(({ name }) =>
      makeFinding("tool.changed", `${quote(name)} is another program than at the start`, {})
    );
}

function isChanged(tool: FoundTool & RecordedTool): boolean {
  return hashFile(Deno.realPathSync(tool.path), tool.name, "tool").sha256 !== tool.sha256;
}
