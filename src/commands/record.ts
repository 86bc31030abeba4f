import { EXIT_CODE_OF_ERROR, KprovError } from "../base/error.ts";
import { quote, showName } from "../base/quote.ts";
import { KPROV_VERSION } from "../base/std.ts";
import { LARGEST_EXIT_CODE } from "../evidence/command.ts";
import { findCovering, type RecordedFile } from "../evidence/provenance.ts";
import {
  parseRecordState,
  type RecordState,
  renderRecordState,
  type StandingProducts,
  STATE_LIMITS,
} from "../evidence/schemas.ts";
import { formatUtcSecond } from "../evidence/run_summary.ts";
import { probeFile, writeFileAtomically } from "../io/atomic_file.ts";
import { listGlobs, noteUnusedGlobs } from "../io/exclusions.ts";
import { gatherSource } from "../io/git/source.ts";
import type { Host } from "../io/host.ts";
import { gatherInputs } from "../io/inputs.ts";
import { listStandingProducts, resolveProducts } from "../io/observe.ts";
import type { NamedPath, Root } from "../io/paths.ts";
import { requirePermission } from "../io/permissions.ts";
import { readRequiredFile } from "../io/read_file.ts";
import {
  compareWithStamps,
  compareWithTime,
  type ProductStamps,
  stampBeforeCommand,
  waitForSecondToEnd,
} from "../io/stamps.ts";
import { renderStateJson } from "../show/results.ts";
import { isIncomplete, readAfterCommand } from "./after_command.ts";
import {
  gatherSetting,
  gatherToolchainFacts,
  openSetting,
  probeTargets,
  reportNotes,
  reportRun,
  type RunSetting,
  writeRun,
} from "./write_run.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  OUT_FLAG,
  PRODUCTS_FLAG,
  readGivenInputs,
  readOutputRequest,
  readProducts,
  readProjectDefaults,
  readToolchainFlags,
  RECORDING_FLAGS,
  refuseExpansion,
  refuseFlags,
  ROOT_FLAG,
  TOOL_FLAGS,
} from "./flags.ts";
import { checkRuntimes, gatherCommandToolchain, toRuntimeVersion } from "./toolchain.ts";

/** `kprov record`. */
export const RECORD: Command = {
  usage: [
    "kprov record start INPUT... --state FILE [--products PATH]... [--tool NAME]... [--inputs-from FILE|-] [--out DIR] [--root DIR] " +
    "[--exclude GLOB]... [--follow|--links]",
    "kprov record finish --state FILE --products PATH... [--exit-code N] [--out DIR] [--root DIR] [--at TIME]",
  ],
  description: [
    "Makes the evidence of kprov run -- COMMAND without the permission to run anything, in three" +
    " steps. kprov record start digests the inputs and writes its state to FILE. Somebody else " +
    "runs the command. kprov record finish digests the products and writes the run. FILE holds a" +
    " digest of its content.",
    "The run is refused if an input that is not also a product changed between start and finish," +
    " even if it was changed back, or only its mode or owner changed. kprov does not see the " +
    "command, so it records neither the command nor its output. Give start the command's " +
    "programs with --tool; the policy must allow the runtimes among them. Say how the command " +
    "ended with --exit-code; without it, the outcome is not_observed. To record a command that " +
    "failed is no error: kprov then ends with 0.",
    "A file that was not touched between the steps is not a product. Give start the products as " +
    "well, so that it can look at them. Otherwise it waits until the current second is over, and" +
    " later the time of a file's last change decides; name a directory that the command moves " +
    "into place as a whole. --root and --out must be the same for both steps, and FILE must stay" +
    " where it is.",
  ],
  flags: [
    { name: "state", value: "FILE", summary: "The file that start writes and finish reads" },
    ...TOOL_FLAGS,
    PRODUCTS_FLAG,
    { name: "exit-code", value: "N", summary: "How the command ended: 0 where it succeeded" },
    OUT_FLAG,
    ROOT_FLAG,
    ...RECORDING_FLAGS,
  ],
  forms: ["start", "finish"],
  refusedFlags: { shard: "a command takes its inputs whole" },
  permissions:
    "--allow-read=ROOT,OUT, where OUT is mostly in ROOT; for start read and write access to " +
    "the directory of FILE, and for --tool NAME what kprov run needs for it; for finish --allow-write=OUT and read access to FILE, and for --result FILE " +
    "read and write access to its directory.",
  examples: [
    ["kprov record start raw.csv --state state.json", "Digest what goes in"],
    [
      "kprov record finish --state state.json --products clean.csv --exit-code 0",
      "Digest what came out, and write the run",
    ],
  ],
  exitCodes: [
    [0, "the state, or the run, was written"],
    [1, "the policy does not allow this Deno version, or that of a runtime of --tool"],
    EXITS.usage,
    [
      65,
      "the state or an input is missing, changed, or cannot be recorded exactly; or a product is" +
      " missing or was not touched, and the command is not known to have failed",
    ],
    [73, "the state, the output directory or the result file cannot be written"],
    EXITS.writing,
    EXITS.permission,
    EXITS.policy,
  ],
  execute: record,
};

function record(flags: ParsedFlags, host: Host): Promise<number> {
  const [action, ...inputs] = flags.positionals;
  const state = flags.value("state");
  if (flags.rest !== null) {
    throw new KprovError("usage", "Cannot run a command: kprov record starts none", {
      hint: "kprov run INPUT... --products PATH... -- COMMAND starts and records it",
    });
  }
  if (action !== "start" && action !== "finish") {
    throw new KprovError("usage", "Cannot record: expected start or finish", {
      hint: "kprov record start INPUT... --state FILE",
    });
  }
  if (state === null) {
    throw new KprovError("usage", `Cannot ${action} a record: --state FILE is missing`);
  }
  return action === "start"
    ? start(state, inputs, flags, host)
    : finish(state, inputs, flags, host);
}

async function start(
  path: string,
  inputs: readonly string[],
  flags: ParsedFlags,
  host: Host,
): Promise<number> {
  const { exclusions, request, defaults, ...given } = await readStart(inputs, flags, host);
  const setting = await gatherSetting(request, [path]);
  const named = await gatherNamedTools(flags, { ...setting, isQuiet: request.isQuiet }, host);
  await probeFile(path);
  const globs = listGlobs(exclusions, setting.root);
  const { usedGlobs, notes, ...gathered } = await gatherInputs({
    ...given,
    ...setting,
    exclude: globs,
  });
  const { root } = setting;
  const source = gatherSource(root.path, gathered);
  const products = resolveProducts(readProducts(flags, defaults), root, setting.own);
  const standing = listStandingProducts(products, { ...setting, exclude: globs });
  const before = { ...gathered, tools: [], standing };
  const { tools: _, products: standingStamps, ...stamps } = await stampBeforeCommand(before, root);
  if (products.length === 0) await waitForSecondToEnd();
  const use = { used: usedGlobs, root, inputs: gathered.inputs };
  const findings = [...notes, ...noteUnusedGlobs(exclusions, use)];
  reportNotes(findings, request, host);
  await writeFileAtomically(
    path,
    renderRecordState({
      ...gathered,
      ...named,
      globs,
      stamps,
      started: formatUtcSecond(new Date(Date.now() - 1000)),
      ...(products.length === 0 ? {} : { products: describeStanding(products, standingStamps) }),
      source,
      kprov: KPROV_VERSION,
    }),
  );
  if (request.format === "json") {
    host.writeStdout(renderStateJson(path, gathered.materials, findings));
  } else if (!request.isQuiet) host.writeStdout(`State    ${showName(path)}\n`);
  return 0;
}

/** What `kprov record start` is given, as far as it reads no input for it. */
async function readStart(inputs: readonly string[], flags: ParsedFlags, host: Host) {
  refuseFlags(flags, ["exit-code", "at", "result"], "it belongs to kprov record finish");
  refuseExpansion(flags);
  const defaults = await readProjectDefaults(flags.value("root"));
  const given = readGivenInputs(inputs, flags, defaults);
  if (given.inputs.length === 0) {
    throw new KprovError("usage", "Cannot start a record: no input is given");
  }
  const request = { ...readOutputRequest(flags, host, defaults), result: null };
  return { ...given, request, defaults };
}

async function finish(
  path: string,
  words: readonly string[],
  flags: ParsedFlags,
  host: Host,
): Promise<number> {
  const defaults = await readProjectDefaults(flags.value("root"));
  const given = readFinishedProducts(words, flags, defaults);
  const end = { exitCode: readExitCode(flags.value("exit-code")), signal: null };
  const request = readOutputRequest(flags, host, defaults);
  const own = request.result === null ? [path] : [path, request.result];
  const setting = await openSetting(request, own);
  const state = readState(path);
  const { tools, runtimes = [] } = state;
  const checks = checkRuntimes(
    setting.policy,
    runtimes.map(({ name, version }) => ({ name, version, program: name, fault: null })),
  );
  const products = resolveProducts(given, setting.root, setting.own);
  refuseInputLinks(products, state);
  await probeTargets(request);
  const begun = {
    ...state,
    stamps: { ...state.stamps, tools: [] },
    tools: [],
    products,
    isUntouched: compareWithState(state, setting.root),
  };
  const after = await readAfterCommand(begun, setting, host);
  const result = await writeRun(request, {
    ...setting,
    source: state.source,
    runtimePolicy: [...setting.runtimePolicy, ...checks],
  }, {
    inputs: state.inputs,
    materials: state.materials,
    ...(state.links === undefined ? {} : { links: state.links }),
    exclude: after.exclude,
    toolchain: { ...gatherToolchainFacts(), ...(tools === undefined ? {} : { tools, runtimes }) },
    command: { ...after, ...end, argv: null, output: null },
  }, { host, findings: [...after.findings, ...after.notes] });
  reportNotes(after.notes, request, host);
  await reportRun(request, result, host);
  return isIncomplete(end, after) ? EXIT_CODE_OF_ERROR.data : 0;
}

/** The products of `kprov record finish`; everything else that goes into a run belongs to start. */
function readFinishedProducts(
  words: readonly string[],
  flags: ParsedFlags,
  defaults: Awaited<ReturnType<typeof readProjectDefaults>>,
): string[] {
  refuseFlags(
    flags,
    ["exclude", "exclude-from", "inputs-from", "follow", "links", "tool", "no-packages"],
    "it belongs to kprov record start",
  );
  // No input can be meant here, so a word after a product is one more product.
  const more = new Set(flags.behind("products").flatMap((behind) => behind.words));
  if (words.some((word) => !more.has(word))) {
    throw new KprovError(
      "usage",
      "Cannot finish a record: the inputs belong to kprov record start",
    );
  }
  const products = readProducts(flags, defaults);
  if (products.length === 0) {
    throw new KprovError("usage", "Cannot finish a record: --products PATH is missing");
  }
  return [...products, ...words];
}

function describeStanding(products: readonly NamedPath[], stamps: ProductStamps): StandingProducts {
  return {
    paths: products.map(({ name }) => name),
    files: [...stamps].map(([name, stamp]) => ({ name, ...stamp })),
  };
}

/** Products that start was not told are judged by the time of their last change alone. */
function compareWithState(
  { started, products }: RecordState,
  root: Root,
): (file: RecordedFile) => boolean {
  const stamps = new Map((products?.files ?? []).map(({ name, ...stamp }) => [name, stamp]));
  const paths = new Set(products?.paths ?? []);
  const isAsStamped = compareWithStamps(stamps, root);
  const isOlder = compareWithTime(Date.parse(started), root);
  return (file) => findCovering(file.name, paths) === null ? isOlder(file) : isAsStamped(file);
}

/** What `--tool` names, asked and held against the policy before the command runs. */
async function gatherNamedTools(
  flags: ParsedFlags,
  { root, policy, isQuiet }: RunSetting & { readonly isQuiet: boolean },
  host: Host,
): Promise<Pick<RecordState, "tools" | "runtimes">> {
  const { tools: named, wantsPackages } = readToolchainFlags(flags);
  if (named.length === 0) {
    refuseFlags(flags, ["no-packages"], "it takes a --tool");
    return {};
  }
  const command = await gatherCommandToolchain({ argv: null, tools: named, wantsPackages }, root);
  checkRuntimes(policy, command.runtimes.map(toRuntimeVersion));
  reportNotes(command.notes, { isQuiet }, host);
  const { tools = [], runtimes = [] } = gatherToolchainFacts(command);
  return { tools, runtimes };
}

function readExitCode(text: string | null): number | null {
  if (text === null) return null;
  const code = /^[0-9]{1,10}$/.test(text) ? Number(text) : Infinity;
  if (code <= LARGEST_EXIT_CODE) return code;
  throw new KprovError("usage", `Cannot use --exit-code ${quote(text)}: expected a whole number`, {
    hint: "the code that the command ended with, which a shell keeps in $?",
  });
}

/** A product may be a link that the command made, but none that was there before, to write through. */
function refuseInputLinks(products: readonly NamedPath[], { materials }: RecordState): void {
  const kinds = new Map(materials.map(({ name, kind }) => [name, kind]));
  const linked = products.find(({ name }) => kinds.get(name) === "symlink");
  if (linked === undefined) return;
  throw new KprovError(
    "data",
    `Cannot use product ${quote(linked.given)}: it is an input that was a symbolic link`,
    { hint: "name the link's target" },
  );
}

function readState(path: string): RecordState {
  const refuse = (reason: string, cause?: unknown): KprovError =>
    new KprovError("data", `Cannot use state ${quote(path)}: ${reason}`, { cause });
  requirePermission("read", path);
  const action = `Cannot read state ${quote(path)}`;
  const bytes = readRequiredFile(path, { action, maxBytes: STATE_LIMITS.maxBytes });
  let state: RecordState;
  try {
    state = parseRecordState(bytes);
  } catch (error) {
    if (error instanceof KprovError && error.code === "data") throw refuse(error.message, error);
    throw error;
  }
  if (state.kprov !== KPROV_VERSION) {
    throw refuse(`kprov ${state.kprov} wrote it, and this is kprov ${KPROV_VERSION}`);
  }
  return state;
}
