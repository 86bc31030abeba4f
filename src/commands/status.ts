import { KprovError } from "../base/error.ts";
import { quote, showName } from "../base/quote.ts";
import { sha256Hex } from "../base/canonical_json.ts";
import { basename, dirname, join, toPosixPath } from "../base/std.ts";
import { compareUtf8 } from "../base/text.ts";
import {
  compareEnvironments,
  compareRuntime,
  compareTools,
  type EnvironmentCause,
} from "../evidence/diff.ts";
import type { Lineage } from "../evidence/lineage.ts";
import type { RunRecord } from "../evidence/lineage_records.ts";
import {
  type Cause,
  explainProduct,
  judgePipeline,
  type PipelineDisk,
  planStatus,
  type StatusPlan,
} from "../evidence/pipeline_status.ts";
import type { RecordedPackage, RecordedRuntime } from "../evidence/toolchain.ts";
import type { Host } from "../io/host.ts";
import { listDirectories, observeExpectedFiles, type Reading } from "../io/observe.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { isPermitted } from "../io/permissions.ts";
import { checkRuntime, gatherPolicy } from "../io/policy_file.ts";
import { readFile } from "../io/read_file.ts";
import { type OpenedLineage, openLineage } from "../io/run_files.ts";
import { gatherDenoPackages, gatherNodePackages, parseObject } from "../io/runtimes/lockfiles.ts";
import { readPythonPackage } from "../io/runtimes/readers.ts";
import { findReader } from "../io/runtimes/runtimes.ts";
import { findRecordedTools, type FoundTool } from "../io/tools.ts";
import { streamLines, streamLogSafeJson } from "../show/text.ts";
import { describeStatus, listExplainLines, listStatusLines } from "../show/trace.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  nameInRoot,
  readEffort,
  readFormat,
  READING_FLAGS,
  readRunsHome,
  ROOT_FLAG,
} from "./flags.ts";

/** `kprov status`. */
export const STATUS: Command = {
  usage: [
    "kprov status [RUNS]... [--root DIR] [--explain PATH] [--format text|json] [--jobs N] [--quiet]",
  ],
  description: [
    "Compares every product with the newest completed run that made it. modified or missing: the file " +
    "on disk is not the one that the run made. stale: an input, a tool, a runtime or a package " +
    "changed since, or the product was made from something stale. current: everything else. Only " +
    "content counts, never the time of a file. The cause is named even where it is many runs away; " +
    "--explain shows the chain. Files below the inputs that no run knows are listed as unknown.",
    "A file that a run reads and writes again has one generation for each such run. RUNS is a " +
    "directory of runs, or one run (default: the policy's /run/out, or runs). Runs that do not verify are left out and named, " +
    "and make the exit code 1.",
    "Tools, runtimes and packages are compared where kprov may find them, with --allow-env=PATH " +
    "or --allow-run: programs by their content, packages by what is installed in a Python " +
    "virtual environment, or by the lockfiles of Node and Deno. kprov only reads; it runs " +
    "nothing. Otherwise the newest run that used a program of the same name says what is there " +
    "now.",
  ],
  flags: [
    {
      ...ROOT_FLAG,
      summary: "The directory that recorded paths start from (default: the working directory)",
    },
    { name: "explain", value: "PATH", summary: "Show the chain of causes for this product" },
    ...READING_FLAGS,
  ],
  permissions:
    "--allow-read=RUNS,ROOT; for the tools also --allow-env=PATH and read access to them.",
  examples: [
    ["kprov status", "Tell what must be made again"],
    ["kprov status --explain model.bin", "Tell why a file is stale"],
  ],
  exitCodes: [
    [0, "every product is current, and every file below the inputs is known"],
    [1, "something is not, a run does not verify, or the policy does not allow this Deno version"],
    EXITS.usage,
    [65, "there is no run, no such root, or no run made PATH"],
    EXITS.reading,
    EXITS.permission,
    EXITS.rootPolicy,
  ],
  execute: status,
};

async function status(flags: ParsedFlags, host: Host): Promise<number> {
  if (flags.rest !== null) {
    throw new KprovError("usage", "Cannot show the status: kprov status runs no command");
  }
  const format = readFormat(flags.value("format"));
  const effort = readEffort(flags, host);
  const root = resolveRoot(flags.value("root") ?? ".");
  const path = flags.value("explain");
  const explained = path === null ? null : nameInRoot(path, root);
  checkRuntime(await gatherPolicy(root));
  const home = await readRunsHome(flags.positionals);
  const given = flags.positionals.length === 0 ? [home] : flags.positionals;
  const opened = openLineage(given, { progress: effort.progress, takesBroken: false, home });
  const { lineage } = opened;
  const plan = planStatus(lineage);
  const tools = lookAtTools(lineage, plan, root);
  const disk = await gatherDisk(plan, { root, effort }, tools);
  const pipeline = judgePipeline(lineage, plan, disk);
  const notes = listNotes(opened, plan, tools);
  if (!flags.has("quiet")) { for (const note of notes) host.writeStderr(`note: ${note}\n`); }
  if (explained === null) {
    const ok = pipeline.ok && opened.broken.length === 0;
    if (format === "json") streamLogSafeJson(describeStatus({ ...pipeline, ok }), host.writeStdout);
    else streamLines(listStatusLines(pipeline, host), host.writeStdout);
    return ok ? 0 : 1;
  }
  const steps = explainProduct(lineage, plan, disk, explained);
  const [first] = steps;
  if (first === undefined) {
    const inside = pipeline.products.find(({ path }) => path.startsWith(`${explained}/`));
    throw new KprovError("data", `Cannot explain ${quote(explained)}: no run made it`, {
      hint: inside === undefined ? undefined : `a file in it is ${quote(inside.path)}`,
    });
  }
  const ok = first.state === "current";
  if (format === "json") {
    streamLogSafeJson(describeStatus({ ok, products: steps, unknown: [] }), host.writeStdout);
  } else streamLines(listExplainLines(steps, host), host.writeStdout);
  return ok ? 0 : 1;
}

async function gatherDisk(
  plan: StatusPlan,
  reading: Reading,
  tools: SeenTools,
): Promise<PipelineDisk> {
  const files = await observeExpectedFiles(
    plan.names.map((name) => ({ name, role: "product" })),
    reading,
  );
  const followed = await observeExpectedFiles(
    plan.followed.map((name) => ({ name, role: "input" })),
    reading,
    "follow",
  );
  const listed = new Map<RunRecord["given"], readonly string[]>();
  for (const given of plan.directories) {
    const { names } = await listDirectories(given, reading);
    listed.set(given, names);
  }
  return { files, followed, listed, changedTools: tools.changedTools };
}

/** What the commands of runs ran on, held against what is at hand. */
interface SeenTools {
  /** What a run's command ran on and has changed since. */
  readonly changedTools: (run: number) => readonly Cause[];
  /** Why tools were not looked at; null where all were. */
  readonly unseen: KprovError | null;
}

/** Where the tools cannot be looked at, what newer runs found stands for what is there now. */
function lookAtTools(lineage: Lineage, plan: StatusPlan, root: Root): SeenTools {
  const seen = new Map<string, readonly FoundTool[] | null>();
  let unseen: KprovError | null = null;
  for (const run of plan.runs) {
    const key = keyOfTools(lineage, run);
    const record = lineage.runs[run];
    const [program, ...args] = record?.command ?? [];
    if (seen.has(key) || record === undefined || program === undefined) continue;
    try {
      const documents = { "toolchain.json": record.toolchain };
      seen.set(key, findRecordedTools({ documents }, [program, ...args], root).tools);
    } catch (error) {
      if (!(error instanceof KprovError) || error.code !== "permission") throw error;
      unseen = error;
      seen.set(key, null);
    }
  }
  const byEvidence = compareEnvironments(lineage);
  const readInstalled = makeInstalledReader(root);
  const changedTools = (run: number): readonly Cause[] => {
    const record = lineage.runs[run];
    const tools = seen.get(keyOfTools(lineage, run)) ?? null;
    if (record === undefined || tools === null) return byEvidence(run);
    return compareSeen(record, tools, readInstalled, byEvidence(run));
  };
  return { changedTools, unseen };
}

/**
 * What is seen goes before what newer runs found: of tools their digests, of packages what is
 * installed.
 */
function compareSeen(
  { toolchain, command }: RunRecord,
  tools: readonly FoundTool[],
  readInstalled: InstalledReader,
  byEvidence: readonly EnvironmentCause[],
): readonly Cause[] {
  const own = tools.map((tool, i) => i === 0 ? { ...tool, args: command?.slice(1) ?? null } : tool);
  const digests = new Set(toolchain.tools?.map(({ sha256 }) => sha256));
  const read = new Set<string>();
  const packages = (toolchain.runtimes ?? []).flatMap((runtime) => {
    const found = readInstalled(runtime, own);
    if (found === null) return [];
    read.add(runtime.sha256);
    return compareRuntime(runtime, found).filter(({ kind }) => kind === "package");
  });
  const rest = byEvidence.filter(({ kind, runtime }) =>
    kind === "package" ? !read.has(runtime ?? "") : runtime !== null && !digests.has(runtime)
  );
  return [...compareTools(toolchain, tools), ...packages, ...rest];
}

function keyOfTools(lineage: Lineage, run: number): string {
  const { toolchain, command } = lineage.runs[run] ?? {};
  const program = command?.[0] ?? "";
  // What env starts stands in its arguments.
  const words = basename(program) === "env" ? command : [program];
  return JSON.stringify([words, toolchain?.tools]);
}

/** What is told of a status beside its products. */
function listNotes(
  { lineage, broken }: OpenedLineage,
  plan: StatusPlan,
  { unseen }: SeenTools,
): string[] {
  const show = (path: string): string => showName(toPosixPath(path));
  const [first] = broken;
  return [
    ...(first === undefined ? [] : [
      broken.length === 1
        ? `${show(first.path)} does not verify and is left out: ${first.first.code}`
        : `${broken.length} runs do not verify and are left out, such as ${show(first.path)}: ` +
          first.first.code,
    ]),
    ...plan.ties.map(({ path, runs: [one, other] }) =>
      `${show(lineage.runs[one]?.run ?? "")} and ${show(lineage.runs[other]?.run ?? "")} ` +
      `made ${quote(path)} in the same second; the second is taken for the newer`
    ),
    ...(unseen === null ? [] : [`the tools are not compared: ${unseen.message}`]),
  ];
}

/** Larger than any record of one package. */
const MOST_METADATA_BYTES = 64 * 2 ** 20;

/** Reads what is installed for a runtime. */
type InstalledReader = (
  recorded: RecordedRuntime,
  tools: readonly FoundTool[],
) => RecordedRuntime | null;

/**
 * Makes a reader that tells, without running anything, what is installed for a runtime that a run
 * records: of Python in a virtual environment what stands in its site-packages, of Node and Deno what
 * their lockfiles say. It takes the tools of the run that are at hand, and gives the runtime with what is
 * installed now, or null where that cannot be told so. Each place is read once.
 *
 * @param root Where commands run
 */
export function makeInstalledReader(root: Root): InstalledReader {
  const known = new Map<string, readonly RecordedPackage[] | null>();
  return (recorded, tools) => {
    const tool = findTool(recorded, tools, root);
    if (tool === undefined || recorded.packages === null) return null;
    const key = JSON.stringify([recorded.name, tool.path, recorded.name === "node" && tool.args]);
    const found = known.has(key) ? known.get(key) : readPackages(recorded.name, tool, root);
    known.set(key, found ?? null);
    if (found === null || found === undefined) return null;
    const names = new Set(found.map(({ name }) => name));
    const elsewhere = recorded.packages.filter((entry) =>
      !names.has(entry.name) && standsElsewhere(recorded, entry)
    );
    return { ...recorded, packages: [...found, ...elsewhere] };
  };
}

function findTool(
  { name, sha256 }: RecordedRuntime,
  tools: readonly FoundTool[],
  root: Root,
): FoundTool | undefined {
  const same = tools.filter((tool) => findReader(tool, root)?.name === name);
  return same.find((tool) => tool.sha256 === sha256) ?? (same.length === 1 ? same[0] : undefined);
}

/** What conda installed, and of Python an egg beside the script, is recorded and not in the place. */
function standsElsewhere({ name }: RecordedRuntime, entry: RecordedPackage): boolean {
  if (entry.manager === "conda") return true;
  return name === "python" && entry.sha256 === undefined && entry.editable !== true;
}

function readPackages(
  name: string,
  tool: FoundTool,
  root: Root,
): readonly RecordedPackage[] | null {
  if (name === "python") return readSitePackages(tool.path);
  if (name !== "node" && name !== "deno") return null;
  const packages = name === "node"
    ? gatherNodePackages(tool.args ?? [], root.path)
    : gatherDenoPackages(root.path);
  return packages.ok ? packages.packages : null;
}

/** https://docs.python.org/3/library/site.html: pyvenv.cfg says where an environment starts. */
function readSitePackages(program: string): readonly RecordedPackage[] | null {
  const home = dirname(dirname(program));
  const config = readText(join(home, "pyvenv.cfg"));
  if (config === null || !/^include-system-site-packages *= *false *$/mi.test(config)) return null;
  const places = Deno.build.os === "windows"
    ? [join(home, "Lib", "site-packages")]
    : listNames(join(home, "lib"))?.filter((name) => /^(python|pypy)[0-9.]+t?$/.test(name))
      .map((name) => join(home, "lib", name, "site-packages"));
  const [place, ...more] = places ?? [];
  const names = place === undefined || more.length > 0 ? null : listNames(place);
  if (place === undefined || names === null) return null;
  const packages = names.filter((name) => /\.(dist|egg)-info$/.test(name))
    .map((name) => readDistribution(join(place, name)));
  const known = packages.filter((entry) => entry !== null);
  return known.length === packages.length ? known : null;
}

function listNames(directory: string): string[] | null {
  if (!isPermitted("read", directory)) return null;
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  if (!isPermitted("read", path)) return null;
  const file = readFile(path, { action: "Cannot read a package", maxBytes: MOST_METADATA_BYTES });
  return file.state === "read" ? new TextDecoder().decode(file.bytes) : null;
}

/** As python_probe.py tells it of itself. */
function readDistribution(path: string): RecordedPackage | null {
  const text = readText(join(path, "METADATA")) ?? readText(join(path, "PKG-INFO")) ??
    readText(path);
  const [head = ""] = text?.split(/\r?\n\r?\n/, 1) ?? [];
  const field = (name: string): string | null =>
    new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "mi").exec(head)?.[1] || null;
  const name = field("name");
  const record = readText(join(path, "RECORD"));
  return name === null ? null : readPythonPackage({
    name: name.replace(/[-_.]+/g, "-").toLowerCase(),
    version: field("version"),
    direct_url: parseObject(readText(join(path, "direct_url.json")) ?? "{}"),
    sha256: record === null || record === "" ? null : digestRecord(record),
  });
}

/** What the installer writes beside what the package holds; some of it says where the environment is. */
const OWN: ReadonlySet<string> = new Set([
  ...["INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "provenance_url.json"],
  ...["uv_build.json", "uv_cache.json"],
]);

function digestRecord(record: string): string {
  const rows = record.split(/\r\n|\n|\r/).filter((line) => line !== "").flatMap((line) => {
    const row = parseRow(line);
    const path = row[0]?.replaceAll("\\", "/") ?? "";
    const cut = path.lastIndexOf("/");
    const [folder, name] = [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)];
    // Scripts stand outside of site-packages and name their interpreter.
    const isOutside = /^(\/|\.\.\/|.:)/.test(path);
    const isOwn = folder.endsWith(".dist-info") && !folder.includes("/") && OWN.has(name);
    if (path === "" || isOutside || isOwn || path.endsWith(".pyc")) return [];
    return [[row[0], row[1] ?? "", row[2] ?? ""].join(",")];
  });
  return sha256Hex(rows.sort(compareUtf8).map((row) => `${row}\n`).join(""));
}

/** The fields of a row of RECORD, which is CSV. */
function parseRow(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted?.replaceAll('""', '"') ?? plain ?? ""
  );
}
