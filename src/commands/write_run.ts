import lockfile from "../../deno.lock" with { type: "text" };
import { type Finding, KprovError, makeFinding, sortFindings } from "../base/error.ts";
import type { Effort } from "../base/progress.ts";
import { quote, shellQuote } from "../base/quote.ts";
import { isDenoInRange, join, KPROV_VERSION, SUPPORTED_DENO } from "../base/std.ts";
import { findCovering } from "../evidence/check_names.ts";
import { type CommandEnd, hasFailed, nameOutcome } from "../evidence/command.ts";
import { makeDocuments } from "../evidence/documents.ts";
import type { RecordedFile } from "../evidence/provenance.ts";
import {
  type Circumstances,
  formatRunId,
  type RunFacts,
  type RuntimeCheck,
  type Source,
} from "../evidence/run_summary.ts";
import { parseLockfile, type Runtime, type ToolchainFacts } from "../evidence/toolchain.ts";
import { probeFile, writeFileAtomically } from "../io/atomic_file.ts";
import { escapeGlob, joinExclusions, listExclusions } from "../io/exclusions.ts";
import type { Host } from "../io/host.ts";
import { listOwnNames } from "../io/inputs.ts";
import { gatherProducts, listDirectories } from "../io/observe.ts";
import {
  isAbsent,
  type NamedPath,
  type OwnPath,
  resolveOwnPath,
  resolveRoot,
  type Root,
} from "../io/paths.ts";
import {
  gatherPermissions,
  requireOutputPlace,
  requirePermission,
  type UsedPermissions,
} from "../io/permissions.ts";
import { gatherPolicy, type PolicyFile } from "../io/policy_file.ts";
import { probeOutput, removeLeftovers, writeRunDirectory } from "../io/run_directory.ts";
import type { FoundRuntime } from "../io/runtimes/runtimes.ts";
import {
  type BeforeCommand,
  findChangedInputs,
  findChangedTools,
  splitUntouched,
  type Stamps,
} from "../io/stamps.ts";
import type { FoundTool } from "../io/tools.ts";
import { renderRunJson, renderRunText, type RunResult } from "../show/results.ts";
import { renderFindingLine } from "../show/text.ts";
import type { OutputRequest } from "./flags.ts";

/** What holds for a run, as far as its documents say it. */
interface WriteSetting extends Pick<RunSetting, "runtimePolicy"> {
  /** The policy that holds for the run. */
  readonly policy: Circumstances["policy"];
  /** Where the inputs come from. */
  readonly source: Source | null;
}

/** What else {@linkcode writeRun} takes. */
interface WriteExtras {
  /** The process, which is told what was in the run's way. */
  readonly host: Host;
  /** What was found while the run was made, for its result; null where nothing was looked at. */
  readonly findings?: readonly Finding[] | null;
  /** What watched the command, and whether it saw everything. */
  readonly observation?: Circumstances["observation"];
  /** What the run used its permissions for, beyond reading the root and writing the output. */
  readonly used?: Partial<UsedPermissions>;
}

/** A command that ran wild would else fill the terminal with a line for each of a million files. */
const MOST_FINDINGS = 20;

/**
 * Writes a run directory.
 *
 * @param request Where it goes
 * @param setting What holds for the run
 * @param facts What the evidence is made of
 * @param more What was found, and what the run used its permissions for
 * @throws {KprovError} `cannot_create`, `io`, or `data` where the run is larger than the limits
 */
export async function writeRun(
  request: OutputRequest,
  setting: WriteSetting,
  facts: RunFacts,
  { host, findings = null, used = {}, observation = null }: WriteExtras,
): Promise<RunResult> {
  const { policy } = setting;
  const circumstances = {
    created_at: request.createdAt,
    runtime_policy: setting.runtimePolicy,
    policy: policy === null ? null : { path: policy.path, sha256: policy.sha256 },
    source: setting.source,
    permissions: gatherPermissions({ read: request.root, write: request.out, ...used }),
    observation,
  };
  const leftovers = removeLeftovers(request.out);
  let evidenceDigest = "";
  const target = { ...request, progress: request.effort.progress };
  const written = await writeRunDirectory(target, function* (runId) {
    evidenceDigest = yield* makeDocuments({ facts, circumstances, runId });
  });
  const notes = [...leftovers, ...noteName(request, written.runId)];
  reportNotes(notes, request, host);
  return {
    runId: written.runId,
    runDirectory: written.path,
    evidenceDigest,
    outcome: nameOutcome(facts.command ?? null),
    exitCode: facts.command === undefined ? 0 : facts.command.exitCode,
    signal: facts.command?.signal ?? null,
    stdin: facts.command?.stdin ?? null,
    materials: facts.materials,
    products: facts.command?.products ?? null,
    shard: facts.shard ?? null,
    findings: findings === null ? null : [...findings, ...notes],
  };
}

/** Who gives a time expects its name; by the clock, two runs of one second are nothing to tell. */
function noteName(
  { createdAt, isTimeGiven, out }: OutputRequest,
  runId: string,
): Finding[] {
  const first = formatRunId(createdAt, 1);
  if (!isTimeGiven || runId === first) return [];
  const message = `the run is ${quote(runId)}, because ${
    quote(join(out, first))
  } is of the same second`;
  return [makeFinding("run.same_second", message, { level: "note" })];
}

/**
 * Tells the result of a command that wrote a run, on standard output or in the file of `--result`.
 *
 * @param request How
 * @param result The result
 * @param host The process
 * @param text Where text goes that is no document; around a command, standard output is the command's
 */
export async function reportRun(
  request: OutputRequest,
  result: RunResult,
  host: Host,
  text: "stdout" | "stderr" = "stdout",
): Promise<void> {
  try {
    await tell(request, result, host, text);
  } catch (error) {
    if (!(error instanceof KprovError) || error.code !== "io") throw error;
    const { message, cause } = error;
    throw new KprovError("io", message, {
      hint: `the run ${quote(result.runDirectory)} is complete, and only its result is lost`,
      cause,
    });
  }
}

async function tell(
  request: OutputRequest,
  result: RunResult,
  host: Host,
  text: "stdout" | "stderr",
): Promise<void> {
  if (request.tell !== undefined) request.tell(result);
  else if (request.result !== null) {
    await writeFileAtomically(request.result, renderRunJson(result));
  } else if (request.format === "json") host.writeStdout(renderRunJson(result));
  else if (request.isQuiet) return;
  else if (text === "stdout") host.writeStdout(renderRunText(result, host));
  else host.writeStderr(renderRunText(result, { isColored: host.isMessageColored }));
}

/**
 * Tells findings and notes on standard error, a line each.
 *
 * @param findings The findings
 * @param host The process
 */
export function reportFindings(findings: readonly Finding[], host: Host): void {
  const shown = findings.slice(0, MOST_FINDINGS);
  const lines = shown.map((finding, i) => {
    const line = `${wordOf(finding)}: ${renderFindingLine(finding)}\n`;
    // Several in a row that share a hint have it once.
    const { hint } = finding;
    return hint === null || shown[i + 1]?.hint === hint ? line : `${line}hint: ${hint}\n`;
  });
  const [next] = findings.slice(MOST_FINDINGS);
  const more = findings.length - shown.length;
  const rest = next === undefined ? [] : [`${wordOf(next)}: and ${more} more\n`];
  host.writeStderr([...lines, ...rest].join(""));
}

function wordOf({ level }: Finding): string {
  return level === "note" ? "note" : "finding";
}

/**
 * Tells notes on standard error, unless `--quiet` is given; the result holds them as well.
 *
 * @param notes Findings of that level
 * @param request How the result is told
 * @param host The process
 */
export function reportNotes(
  notes: readonly Finding[],
  { isQuiet }: Pick<OutputRequest, "isQuiet">,
  host: Host,
): void {
  if (!isQuiet) reportFindings(sortFindings(notes), host);
}

/** What holds for a run before anything is read for it. */
export interface RunSetting {
  /** Where recorded paths start. */
  readonly root: Root;
  /** The policy that holds for the run. */
  readonly policy: PolicyFile | null;
  /** The ranges of versions that are allowed, and the versions found. */
  readonly runtimePolicy: readonly RuntimeCheck[];
  /** What kprov itself writes. */
  readonly own: readonly OwnPath[];
  /** How much of the machine reading may take. */
  readonly effort: Effort;
}

/**
 * Looks at everything that can refuse a run before its inputs are read.
 *
 * @param request Where the run goes
 * @param ownFiles What else kprov writes, so that it is no input
 * @throws {KprovError} `permission`, `policy`, `runtime` or `data`
 */
export async function openSetting(
  request: OutputRequest,
  ownFiles: readonly string[],
): Promise<RunSetting> {
  const setting = await gatherSetting(request, ownFiles);
  requirePermission("write", request.out);
  return setting;
}

/**
 * Does the same for what goes into a run that is written another time.
 *
 * @param request Where that run goes
 * @param ownFiles What else kprov writes, so that it is no input
 * @throws {KprovError} as {@linkcode openSetting} does
 */
export async function gatherSetting(
  request: OutputRequest,
  ownFiles: readonly string[],
): Promise<RunSetting> {
  const root = resolveRoot(request.root);
  const policy = await gatherPolicy(root);
  const runtimePolicy = [checkRuntime(policy)];
  requireOutputPlace(request.out);
  const own = [request.out, ...ownFiles].map((path) => resolveOwnPath(path, root));
  return { root, policy, runtimePolicy, own, effort: request.effort };
}

/**
 * Makes sure that a run and its result can be written, before a command is started.
 *
 * @param request Where they go
 * @throws {KprovError} `cannot_create` or `permission`
 */
export async function probeTargets(request: OutputRequest): Promise<void> {
  if (request.result !== null) await probeFile(request.result);
  await probeOutput(request);
}

/**
 * Refuses a Deno version that is not allowed: by the policy, or without one by the built-in range.
 *
 * @param policy The repository's policy
 * @returns What run_summary.json records of it
 * @throws {KprovError} `runtime`, naming the range and how to get a Deno inside it
 */
export function checkRuntime(policy: PolicyFile | null): RuntimeCheck {
  const range = policy?.policy.runtime?.deno ?? SUPPORTED_DENO;
  checkDeno(
    range,
    policy?.policy.runtime?.deno === undefined
      ? "the supported range"
      : `the range of ${policy.path}`,
  );
  return { runtime: "deno", range, version: Deno.version.deno, satisfied: true };
}

/**
 * Refuses a Deno outside a range.
 *
 * @param range The range
 * @param origin Whose it is, for the message
 * @throws {KprovError} `runtime`, naming the range and how to get a Deno inside it
 */
export function checkDeno(range: string, origin: string): void {
  if (isDenoInRange(Deno.version.deno, range)) return;
  throw new KprovError(
    "runtime",
    `Cannot run on Deno ${Deno.version.deno}: ${origin} is ${range}`,
    {
      // The Deno inside a binary stays what it is.
      hint: Deno.build.standalone
        ? "another release of kprov holds another Deno; on a Deno of your own, kprov.js runs"
        : "npx -y deno@VERSION runs any version of Deno from npm; deno upgrade VERSION installs one",
    },
  );
}

/** What a command runs on. */
interface CommandPrograms {
  readonly tools: readonly FoundTool[];
  readonly runtimes: readonly FoundRuntime[];
}

/**
 * What every run records of kprov itself and its runtime.
 *
 * @param command What the command runs on, where there is one
 */
export function gatherToolchainFacts(
  command: CommandPrograms | null = null,
): ToolchainFacts {
  return {
    kprov: KPROV_VERSION,
    runtime: gatherRuntime(),
    lockfile: parseLockfile(SHIPPED_LOCKFILE),
    ...(command === null ? {} : {
      tools: command.tools.map(({ name, sha256 }) => ({ name, sha256 })),
      runtimes: command.runtimes.map(({ recorded }) => recorded),
    }),
  };
}

/** Reads which runtime this is. */
function gatherRuntime(): Runtime {
  const { deno, v8, typescript } = Deno.version;
  const { target, os, arch, standalone } = Deno.build;
  return { deno, v8, typescript, target, os, arch, standalone };
}

/** The text of the deno.lock that this kprov shipped with: a checkout's, JSR's or the binary's own. */
export const SHIPPED_LOCKFILE: string = lockfile;

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
  /** The globs that left something out of products, or of what is in the inputs by now. */
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
    usedGlobs: new Set([...usedGlobs, ...appeared.usedGlobs]),
    findings: errors,
    notes: [
      ...findings.filter(({ level }) => level === "note"),
      ...noteRemoved(before, productPaths, setting),
      ...appeared.notes,
    ],
  };
}

/** Evidence that says what went in would be wrong if that is not what stands there. */
function refuseChanges(findings: readonly Finding[], host: Host): void {
  const [first] = findings;
  if (first === undefined) return;
  reportFindings(findings, host);
  const what = first.path === null ? "a tool" : `input ${quote(first.path)}`;
  throw new KprovError("data", `Cannot record the run: ${what} changed while the command ran`, {
    // The hint of a finding is told with it.
    hint: first.path === null || first.hint !== null
      ? undefined
      : "a file that the command changes in place is a product too: name it with --products",
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
    const [files, them] = count === 1 ? ["1 file in it", "it"] : [`${count} files in it`, "them"];
    if (madeBelow.has(path)) {
      const message = `${files} existed before: the command did not touch ${them}, so ${
        count === 1 ? "it is not a product" : "they are not products"
      }`;
      return makeFinding("product.untouched", message, { level: "note", path });
    }
    const what = untouched.has(path ?? "") ? "it" : files;
    const message = `${what} existed before, and the command did not touch ${them}`;
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
): Promise<{ readonly notes: readonly Finding[]; readonly usedGlobs: readonly string[] }> {
  const known = new Set(before.materials.map(({ name }) => name));
  const directories = new Set(before.materials.flatMap(({ name }) => listAncestors(name)));
  const products = new Set(productPaths);
  let listed: Awaited<ReturnType<typeof listDirectories>>;
  try {
    listed = await listDirectories(before, { root, ownNames: listOwnNames(own) });
  } catch (error) {
    // What could be no input, such as a FIFO, is in the way of verify, and not of this run.
    if (!(error instanceof KprovError) || error.code !== "data") throw error;
    const details = { level: "note", hint: error.hint } as const;
    return { notes: [makeFinding("input.appeared", error.message, details)], usedGlobs: [] };
  }
  const { names, usedGlobs } = listed;
  const isNew = (name: string): boolean =>
    !known.has(name) && findCovering(name, products) === null;
  const counts = new Map<string, number>();
  for (const name of names.filter(isNew)) {
    const top = listAncestors(name).find((above) => !directories.has(above)) ?? name;
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  const notes = sortFindings([...counts].map(([path, count]) => makeAppeared(path, names, count)));
  return { notes, usedGlobs };
}

/** Notes inputs at product paths that are gone: `kprov verify --root` would find them as `file.missing`. */
function noteRemoved(
  { materials }: Pick<BegunRun, "materials">,
  productPaths: readonly string[],
  { root }: RunSetting,
): Finding[] {
  const products = new Set(productPaths);
  return materials
    .filter(({ name }) => findCovering(name, products) !== null && isAbsent(join(root.path, name)))
    .map(({ name }) =>
      makeFinding("input.removed", "the command removed it, so verify --root will miss it", {
        level: "note",
        path: name,
      })
    );
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
  return makeFinding("input.appeared", `${what} new in an input, and not a product`, {
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
