import type { RecordedFile } from "../evidence/provenance.ts";
import { type Finding, makeFinding } from "../finding.ts";
import { listExclusions } from "../gather/exclusion.ts";
import type { NamedPath } from "../gather/input_path.ts";
import { gatherProducts } from "../gather/products.ts";
import {
  type BeforeCommand,
  findChangedInputs,
  findChangedTools,
  type Stamps,
} from "../gather/unchanged.ts";
import { EXIT_CODE_OF_ERROR, KprovError } from "../kprov_error.ts";
import { quote } from "../quote.ts";
import type { Host } from "../system/host.ts";
import type { RunSetting } from "./run_setting.ts";
import { reportFindings } from "./write_run.ts";

/** What a run that ends begins with. */
export interface BegunRun extends BeforeCommand {
  /** What tells whether the inputs and tools were changed since. */
  readonly stamps: Stamps;
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** What the command is to make. */
  readonly products: readonly NamedPath[];
}

/** What is there after a command. */
export interface AfterCommand {
  /** The product paths, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out. */
  readonly products: readonly RecordedFile[];
  /** The globs of what was left out of directories, inputs and products. */
  readonly exclude: readonly string[];
  /** Findings `product.missing`. */
  readonly findings: readonly Finding[];
}

/**
 * Reads what a command made, after making sure that it made nothing else of what went in.
 *
 * @param before What was read before it
 * @param setting What holds for the run
 * @param host The process, which is told the findings
 * @throws {KprovError} `data` where an input or a tool is not what it was, or a product cannot be
 * recorded exactly
 */
export async function readAfterCommand(
  before: BegunRun,
  setting: RunSetting,
  host: Host,
): Promise<AfterCommand> {
  const productPaths = before.products.map(({ name }) => name);
  refuseChanges([
    ...await findChangedInputs(before, productPaths, setting),
    ...findChangedTools({ tools: before.tools, stamps: before.stamps.tools }, productPaths),
  ], host);
  const exclude = listExclusions(before.exclude, setting.ownNames);
  const { files, missing, hasDirectory } = await gatherProducts(before.products, {
    ...setting,
    exclude,
  });
  const findings = missing.map((name) =>
    makeFinding("product.missing", "the command made no such product", { path: name })
  );
  reportFindings(findings, host);
  return {
    productPaths,
    products: files,
    exclude: hasDirectory ? exclude : before.exclude,
    findings,
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  reportFindings(findings, host);
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  throw new KprovError("data", `Cannot record the run: ${what} changed under the command`, {
    hint: first.path === null
      ? undefined
      : first.hint ?? "what the command changes in place is a product too: name it with --products",
  });
}

/**
 * The exit code of a command that wrote a run: the wrapped command's own, and where that says that
 * all is well and a product is missing, that of missing data.
 *
 * @param exitCode The command's own
 * @param after What is there after it
 */
export function decideExitCode(exitCode: number, after: AfterCommand): number {
  return exitCode === 0 && after.findings.length > 0 ? EXIT_CODE_OF_ERROR.data : exitCode;
}
