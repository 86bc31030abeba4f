import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { findCovering } from "../evidence/check_names.ts";
import { type CommandEnd, hasFailed } from "../evidence/command.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import { escapeGlob, joinExclusions, listExclusions } from "../io/exclusions.ts";
import type { Host } from "../io/host.ts";
import { listOwnNames } from "../io/inputs.ts";
import { gatherProducts, listDirectories } from "../io/observe.ts";
import type { NamedPath } from "../io/paths.ts";
import {
  type BeforeCommand,
  findChangedInputs,
  findChangedTools,
  splitUntouched,
  type Stamps,
} from "../io/stamps.ts";
import { reportFindings, type RunSetting } from "./write_run.ts";

/** What a run that ends begins with. */
interface BegunRun extends BeforeCommand {
  /** The inputs as given, normalised. */
  readonly inputs: readonly string[];
  /** What tells whether the inputs and tools were changed since. */
  readonly stamps: Omit<Stamps, "products">;
  /** Tells whether nothing touched a file at a product path since the command began. */
  readonly isUntouched: (file: RecordedFile) => boolean;
  /** The globs of what was left out of directory inputs. */
  readonly exclude: readonly string[];
  /** The globs of what is left out of directories, as given. */
  readonly globs: readonly string[];
  /** Whether the inputs were read through links. */
  readonly links?: "follow";
  /** What the command is to make. */
  readonly products: readonly NamedPath[];
}

/** What is there after a command. */
interface AfterCommand {
  /** The product paths, normalised. */
  readonly productPaths: readonly string[];
  /** The files that came out. */
  readonly products: readonly RecordedFile[];
  /** The globs of what was left out of directories, inputs and products. */
  readonly exclude: readonly string[];
  /** The globs that left something out of products. */
  readonly usedGlobs: ReadonlySet<string>;
  /** Findings `product.missing`, `product.empty` and `product.untouched`, already told. */
  readonly findings: readonly Finding[];
  /** What is left out of product directories, and what is new in those of the inputs. */
  readonly notes: readonly Finding[];
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
  const { links } = before;
  const reading = { ...setting, ...(links === undefined ? {} : { links }) };
  refuseChanges([
    ...await findChangedInputs(before, productPaths, reading),
    ...findChangedTools({ tools: before.tools, stamps: before.stamps.tools }, productPaths),
  ], host);
  const { files, missing, empty, directories, usedGlobs } = await gatherProducts(
    before.products,
    { ...setting, exclude: before.globs },
  );
  const { made, untouched } = splitUntouched(files, before.isUntouched);
  const findings = [
    ...missing.map((name) =>
      makeFinding("product.missing", "the command made no such product", { path: name })
    ),
    ...empty.map((name) =>
      makeFinding("product.empty", "it is a directory without a file to record", { path: name })
    ),
    ...findUntouched({ made, untouched }, productPaths),
  ];
  const errors = findings.filter(({ level }) => level === "error");
  reportFindings(errors, host);
  const own = listExclusions(before.globs, listOwnNames(setting.own), directories);
  const exclude = joinExclusions(before.globs, before.exclude, own);
  const appeared = await noteAppeared({ ...before, exclude }, productPaths, setting);
  return {
    productPaths,
    products: made,
    exclude,
    usedGlobs: new Set(usedGlobs),
    findings: errors,
    notes: [...findings.filter(({ level }) => level === "note"), ...appeared],
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  reportFindings(findings, host);
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  throw new KprovError("data", `Cannot record the run: ${what} changed under the command`, {
    // The hint of a finding is told with it.
    hint: first.path === null || first.hint !== null
      ? undefined
      : "what the command changes in place is a product too: name it with --products",
  });
}

/** Old files are no products of this command; a product directory may hold some beside new ones. */
function findUntouched(
  { made, untouched }: ReturnType<typeof splitUntouched>,
  productPaths: readonly string[],
): Finding[] {
  const paths = new Set(productPaths);
  const countByPath = (names: Iterable<string>): Map<string | null, number> => {
    const counts = new Map<string | null, number>();
    for (const name of names) {
      const path = findCovering(name, paths);
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return counts;
  };
  const madeBelow = countByPath(made.map(({ name }) => name));
  return [...countByPath(untouched)].map(([path, count]) => {
    const files = count === 1 ? "1 file in it was" : `${count} files in it were`;
    if (madeBelow.has(path)) {
      const message = `${files} there before and not touched, so not recorded as products`;
      return makeFinding("product.untouched", message, { level: "note", path });
    }
    const what = untouched.has(path ?? "") ? "it was" : files;
    const message = `${what} there before, and the command did not touch ${
      count === 1 ? "it" : "them"
    }`;
    const hint = "only what the command writes is recorded as a product";
    return makeFinding("product.untouched", message, { path, hint });
  });
}

/** What caches, logs and the like are called: left behind, and nothing that anybody asked for. */
const LEFT_BEHIND = /^(\..*|__pycache__|node_modules|.*cache.*|.*\.(pyc|log|tmp|lock|swp))$/i;

/**
 * Notes what is new in directories that are inputs and no product: `kprov verify --root` would find it
 * as `file.unexpected`. A directory of which nothing was an input is one note.
 */
async function noteAppeared(
  before: Pick<BegunRun, "inputs" | "exclude" | "links" | "materials">,
  productPaths: readonly string[],
  { root, own }: RunSetting,
): Promise<Finding[]> {
  const known = new Set(before.materials.map(({ name }) => name));
  const directories = new Set(before.materials.flatMap(({ name }) => listAncestors(name)));
  const products = new Set(productPaths);
  let names: readonly string[];
  try {
    names = await listDirectories(before, { root, ownNames: listOwnNames(own) });
  } catch (error) {
    // What could be no input, such as a FIFO, is in the way of verify, and not of this run.
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    return [makeFinding("input.appeared", error.message, { level: "note", hint: error.hint })];
  }
  const isNew = (name: string): boolean =>
    !known.has(name) && findCovering(name, products) === null;
  const counts = new Map<string, number>();
  for (const name of names.filter(isNew)) {
    const top = listAncestors(name).find((above) => !directories.has(above)) ?? name;
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  return sortFindings([...counts].map(([path, count]) => makeAppeared(path, names, count)));
}

/** The directories above a name, the root left out, outermost first. */
function listAncestors(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("/"));
}

function makeAppeared(path: string, names: readonly string[], count: number): Finding {
  const isFile = names.includes(path);
  const what = isFile ? "it is" : count === 1 ? "1 file in it is" : `${count} files in it are`;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const glob = LEFT_BEHIND.test(name) ? escapeGlob(name) : `/${escapeGlob(path)}`;
  const exclude = `--exclude ${shellQuote(isFile ? glob : `${glob}/`)}`;
  return makeFinding("input.appeared", `${what} new in an input, and no product`, {
    level: "note",
    path,
    hint: LEFT_BEHIND.test(name)
      ? `${exclude} leaves it out`
      : `--products ${shellQuote(path)} records it, ${exclude} leaves it out`,
  });
}

/**
 * Whether a command that says all is well, or of which nothing is known, left a product out.
 *
 * @param end How it ended
 * @param after What is there after it
 */
export function isIncomplete(end: CommandEnd, after: AfterCommand): boolean {
  return !hasFailed(end) && after.findings.length > 0;
}
