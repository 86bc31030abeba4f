import { type Finding, KprovError, makeFinding } from "../base/error.ts";
import { quote } from "../base/quote.ts";
import { resolve } from "../base/std.ts";
import { checkExpectedFiles, hintAtRoot, listExpectedInputs } from "../evidence/check_files.ts";
import type { Run } from "../evidence/documents.ts";
import { findCovering, listProducts, type RecordedStdin } from "../evidence/provenance.ts";
import {
  checkRecorder,
  checkRuntimes as checkRecordedRuntimes,
  checkTools,
  VARIATION_KINDS,
  type VariationKind,
} from "../evidence/reproduction.ts";
import { buildToolchain } from "../evidence/toolchain.ts";
import { runChild } from "../io/child.ts";
import { compileExclusions } from "../io/exclusions.ts";
import {
  findRecordedTools,
  findUnstartableTools,
  type FoundTool,
  locateHelper,
} from "../io/tools.ts";
import { type Host, Interruption, type SignalWatch } from "../io/host.ts";
import { observeExpectedFiles, type Reading } from "../io/observe.ts";
import { resolveRoot, type Root } from "../io/paths.ts";
import { requireEnv } from "../io/permissions.ts";
import { checkRuntime, gatherPolicy, type PolicyFile } from "../io/policy_file.ts";
import { findRun, openRun } from "../io/run_files.ts";
import { type FoundRuntime, gatherRuntimes } from "../io/runtimes/runtimes.ts";
import { findTracer, type Tracer } from "../io/trace/tracer.ts";
import { findSandbox, gatherSettings, showPrograms } from "../io/sandbox.ts";
import { isPathInside, KeptFiles } from "../io/atomic_file.ts";
import { renderReproduceJson, renderReproduceText } from "../show/results.ts";
import { type Command, EXITS, type ParsedFlags } from "./command.ts";
import {
  readChoice,
  readEffort,
  readFormat,
  READING_FLAGS,
  readRunsHome,
  refuseFlags,
  ROOT_FLAG,
} from "./flags.ts";
import {
  type Again,
  type ComparedProduct,
  nameRepetition,
  type RecordedCall,
  runAgain,
} from "./run_again.ts";
import { checkRuntimes, requireProgram, toRuntimeVersion } from "./toolchain.ts";
import { gatherToolchainFacts } from "./write_run.ts";

/** `kprov reproduce`. */
export const REPRODUCE: Command = {
  usage: [
    "kprov reproduce RUN [--root DIR] [--anyway] [--isolate [--observe]] [--times N] [--vary WHAT]... [--keep DIR] " +
    "[--explain PROGRAM] [--format text|json] [--jobs N] [--quiet]",
  ],
  description: [
    "Reproducing runs the command of the evidence with all of your own rights. Reproduce only " +
    "the runs of people whose programs you would run, and read the command first: kprov report " +
    "shows it.",
    "First, the recorded inputs, tools, runtimes and packages are compared with the present " +
    "ones. If one differs, kprov reports it and runs nothing, unless --anyway is given and the " +
    "inputs are the same. Then the command runs in a scratch copy of the inputs, and every " +
    "product is compared with the recorded one, byte for byte. A run records neither whether a " +
    "product directory existed before the command, nor directories without a file: if the " +
    "comparison fails, the command runs once more in a copy that has the product directories, " +
    "and then those that exist in the inputs now.",
    "The copy holds only the inputs and the directories above the product paths. A script that " +
    "is not an input is not in it. Standard input comes from the " +
    "input with the recorded digest, through a pipe; without such an input, the run is refused. " +
    "Standard output is dropped, and standard error is passed on. The copy is in TMPDIR where " +
    "--allow-env=TMPDIR lets kprov read that, else in /tmp, and is removed at the end, also " +
    "after SIGINT, SIGTERM or SIGHUP. The original products are not touched. To protect them, " +
    "kprov refuses a run whose command names the root by its absolute path, or that has an input" +
    " link out of the copy, or a product at or behind an input link. Only --isolate keeps the " +
    "command from other absolute paths.",
    "With --isolate, the command runs in bubblewrap (bwrap, Linux). It can write to the copy, " +
    "and read the directories of the system and of the recorded tools and runtimes, nothing " +
    "else. Its home and /tmp are empty, there is no network and no other process, and the only " +
    "variables are PATH, HOME, PWD, LANG and those of --env. So a command with an undeclared " +
    "input fails, or makes something else. With --observe, kprov names the files that the " +
    "command looked for and did not find although they exist here.",
    "With --times, the command runs several times with nothing varied. With --vary, it runs once" +
    " more for each word: time is a clock 400 days ahead (faketime) and another time zone, " +
    "locale two other locales, cwd a deeper directory with another name, order directories " +
    "listed backwards (disorderfs), and cores a single core (taskset). A product that differs " +
    "from that of the first run is reported with what was varied. If a program for a variation " +
    "is missing, kprov says so before anything runs.",
    "For a product that differs, the result names the first difference, and says whether only " +
    "the order of its lines or only time stamps differ. The recorded version is compared if it " +
    "is still below the root, unchanged. docs/reproduce.md says more.",
  ],
  flags: [
    { ...ROOT_FLAG, summary: "Where the inputs are (default: the working directory)" },
    {
      name: "anyway",
      summary:
        "Run with other tools, runtimes and packages than the recorded ones; the differences are" +
        " notes",
    },
    {
      name: "isolate",
      summary: "Run with nothing but the inputs and the recorded programs, in bubblewrap (Linux)",
    },
    {
      name: "observe",
      summary: "With --isolate: name the files that the command misses (strace)",
    },
    {
      name: "times",
      value: "N",
      summary: "Run N times with nothing varied (default: 1)",
    },
    {
      name: "vary",
      value: "WHAT",
      choices: VARIATION_KINDS,
      isRepeatable: true,
      summary:
        "Run once more with another time, locale, cwd, order or cores; join several by commas",
    },
    {
      name: "keep",
      value: "DIR",
      summary: "Keep both versions of each product that differs in DIR, which is new or empty",
    },
    {
      name: "explain",
      value: "PROGRAM",
      summary: "Start PROGRAM with the paths of both versions, such as diffoscope",
    },
    ...READING_FLAGS,
  ],
  permissions: "--allow-read=RUN,ROOT,/tmp and the tools' files, --allow-write=/tmp, " +
    "--allow-run=COMMAND; where an input is a link, --allow-read --allow-write; where the program is in " +
    "the root, --allow-run. With --isolate, also --allow-run=bwrap --allow-env=PATH,LANG, and " +
    "--allow-read; with --observe, --allow-run=strace. With --vary, also --allow-run=faketime,env for time, locale, disorderfs or taskset for " +
    "the others. With --keep, also --allow-read --allow-write of the directory that DIR is in; with " +
    "--explain, also --allow-run=PROGRAM.",
  examples: [
    [
      "kprov reproduce runs/2026-02-15T20-13-00Z",
      "Run the command again (--allow-run=sh, where that is its program)",
    ],
    [
      "kprov reproduce latest --isolate --vary time,locale,cwd",
      "Run it with only its inputs, and see what its products depend on",
    ],
    [
      "kprov reproduce latest --keep versions --explain diffoscope",
      "Keep both versions of each product that differs, and explain them",
    ],
  ],
  exitCodes: [
    [0, "every product is the same to the byte"],
    [
      1,
      "a product, an input, a tool, a runtime, a package or the exit code differs; or the policy" +
      " does not allow a runtime",
    ],
    EXITS.usage,
    [
      65,
      "the run or the root is missing; or the run does not verify, records no command with products, or " +
      "could reach the originals",
    ],
    [73, "the scratch copy cannot be made, or DIR of --keep"],
    EXITS.writing,
    EXITS.permission,
    EXITS.rootPolicy,
    [126, "the command, or a program that a flag needs, cannot be started or does not work here"],
    [127, "a program that a flag needs cannot be found"],
  ],
  execute: reproduce,
};

async function reproduce(flags: ParsedFlags, host: Host): Promise<number> {
  const prepared = await prepare(flags, host);
  const { path, run, call, root, format, effort, wishes, place, sandbox, tracer } = prepared;
  const { settings, notes: limits } = prepared.variations;
  const kept = wishes.keep === null ? null : new KeptFiles(wishes.keep);
  const explainer = findExplainer(wishes.explain);
  const programs = await comparePrograms(run, call, {
    root,
    policy: prepared.policy,
    isAnyway: flags.has("anyway"),
  });
  const causes = [...await findCauses(run, call, { root, effort }), ...programs.differences];
  const tell = (again: Again | null): void => {
    const notes = [...programs.notes, ...limits];
    const result = describeReproduction(again, { path, run, wishes, causes }, notes);
    host.writeStdout(
      format === "json" ? renderReproduceJson(result) : renderReproduceText(result, host),
    );
  };
  if (causes.length > 0) {
    tell(null);
    return 1;
  }
  const { tools, standing } = programs;
  const isolated = sandbox === null ? null : showPrograms(sandbox, listShown(programs, tracer));
  const attempt = { run, call, tools, standing, root, effort, place, settings };
  const again = await runAgain(
    { ...attempt, sandbox: isolated, tracer, times: wishes.times },
    host,
    async (found, signals) => {
      const versions = kept === null ? found.compared : await keepVersions(kept, found, signals);
      tell(found);
      if (explainer === null) return;
      const stream = format === "json" ? "stderr" : "stdout";
      await explain(versions, explainer, { stream, host, signals });
    },
  );
  return again.findings.length === 0 ? 0 : 1;
}

/** Reads what is to be run again, and finds everything that the flags ask for. */
async function prepare(flags: ParsedFlags, host: Host) {
  const [given, ...more] = flags.positionals;
  if (given === undefined || more.length > 0 || flags.rest !== null) {
    throw new KprovError("usage", "Cannot reproduce: expected one run", {
      hint: "kprov reproduce RUN [--root DIR]",
    });
  }
  const format = readFormat(flags.value("format"));
  const effort = readEffort(flags, host);
  const wishes = readWishes(flags);
  const path = findRun(given, await readRunsHome([given]));
  const run = openRun(path);
  const root = resolveRoot(flags.value("root") ?? ".");
  const policy = await gatherPolicy(root);
  checkRuntime(policy);
  const call = readCall(run, path, root);
  requireProgram(call.argv[0], root);
  const place = findTemporaryPlace(host);
  const sandbox = wishes.isIsolated ? await findSandbox(root, call.env, host) : null;
  const tracer = wishes.isObserved ? await findTracer(root) : null;
  const isolatedEnv = sandbox?.env ?? null;
  const variations = await gatherSettings(wishes.kinds, { root, place, isolatedEnv });
  const how = { format, effort, wishes };
  return { path, run, call, root, policy, ...how, place, sandbox, tracer, variations };
}

/** The programs that would run now, and how they differ from the recorded ones. */
interface ComparedPrograms {
  readonly tools: readonly FoundTool[];
  readonly runtimes: readonly FoundRuntime[];
  /** The tools that are runtimes: they are started where they are, to find their environment. */
  readonly standing: ReadonlySet<FoundTool>;
  /** Differences that keep the command from being run. */
  readonly differences: readonly Finding[];
  readonly notes: readonly Finding[];
}

async function comparePrograms(
  run: Run,
  call: RecordedCall,
  { root, policy, isAnyway }: {
    readonly root: Root;
    readonly policy: PolicyFile | null;
    readonly isAnyway: boolean;
  },
): Promise<ComparedPrograms> {
  const { program, tools } = findRecordedTools(run, call.argv, root);
  const runtimes = await gatherRuntimes({ tools, root, wantsPackages: recordsPackages(run) });
  checkRuntimes(policy, runtimes.map(toRuntimeVersion));
  const found = [
    ...checkRecorder(run, buildToolchain(gatherToolchainFacts())),
    ...checkTools(run, tools, findUnstartableTools(run, root)),
    ...checkRecordedRuntimes(run, runtimes.map(({ recorded }) => recorded)),
  ];
  const standing = new Set(runtimes.map(({ tool }) => tool));
  // Another program in its place would be none of the command's.
  const isAbsent = program === null;
  if (isAbsent && found.every(({ level }) => level === "note")) {
    const message = `${quote(call.argv[0])} is recorded, but not found now`;
    found.push(makeFinding("tool.missing", message, { path: "toolchain.json" }));
  }
  const isNote = ({ level }: Finding): boolean => (isAnyway && !isAbsent) || level === "note";
  return {
    tools,
    runtimes,
    standing,
    differences: found.filter((finding) => !isNote(finding)),
    notes: found.filter(isNote).map((finding) => ({ ...finding, level: "note" })),
  };
}

/** The programs outside of the copy that an isolated command may see. */
function listShown({ tools, runtimes, standing }: ComparedPrograms, tracer: Tracer | null) {
  const own = tools.filter((tool) => tool.name.startsWith("./") && !standing.has(tool));
  return [
    ...tools.filter((tool) => !own.includes(tool)),
    ...runtimes.map(({ executable }) => executable),
    ...(tracer === null ? [] : [{ path: tracer.path, real: tracer.path }]),
  ];
}

/** What is told at the end, whether the command ran again or not. */
function describeReproduction(
  again: Again | null,
  { path, run, wishes, causes }: {
    readonly path: string;
    readonly run: Run;
    readonly wishes: Wishes;
    readonly causes: readonly Finding[];
  },
  notes: readonly Finding[],
): Parameters<typeof renderReproduceJson>[0] {
  return {
    run: path,
    notes: [...notes, ...noteNeeded(again), ...noteMissed(again)],
    isExecuted: again !== null,
    isIsolated: wishes.isIsolated,
    repetitions: again?.repetitions ?? [],
    compared: again?.compared ?? [],
    kept: again === null || again.compared.length === 0 ? null : wishes.keep,
    productCount: listProducts(run.documents["provenance.json"]).length,
    findings: again?.findings ?? causes,
  };
}

/** What is asked for beyond running the command once. */
interface Wishes {
  readonly isIsolated: boolean;
  readonly isObserved: boolean;
  readonly times: number;
  readonly kinds: readonly VariationKind[];
  readonly keep: string | null;
  readonly explain: string | null;
}

/** More repetitions than anyone waits for. */
const MOST_TIMES = 1000;

function readWishes(flags: ParsedFlags): Wishes {
  if (!flags.has("isolate")) refuseFlags(flags, ["observe"], "it needs --isolate");
  const times = flags.value("times") ?? "1";
  if (!/^[1-9][0-9]{0,3}$/.test(times) || Number(times) > MOST_TIMES) {
    throw new KprovError(
      "usage",
      `Cannot use --times ${quote(times)}: expected a whole number from 1 to ${MOST_TIMES}`,
    );
  }
  const words = flags.values("vary").flatMap((value) => value.split(","));
  const hint = "several are separated by commas, as in --vary time,locale";
  const kinds = words.map((word) => readChoice("vary", word, VARIATION_KINDS, { hint }));
  return {
    isIsolated: flags.has("isolate"),
    isObserved: flags.has("observe"),
    times: Number(times),
    kinds: [...new Set(kinds)],
    keep: flags.value("keep"),
    explain: flags.value("explain"),
  };
}

/** A program that explains differences. */
interface Explainer {
  readonly name: string;
  readonly path: string;
}

function findExplainer(name: string | null): Explainer | null {
  if (name === null) return null;
  const helper = { name, action: "Cannot explain differences", flag: "--explain", debian: null };
  return { name, path: locateHelper(helper, resolve(".")) };
}

/** Keeps both versions of each product that differs; returns where they are then. */
async function keepVersions(
  kept: KeptFiles,
  { compared, repetitions }: Again,
  signals: SignalWatch,
): Promise<ComparedProduct[]> {
  const nameRun = (number: number | null): string =>
    number === null ? "recorded" : nameRepetition(number, repetitions[number]?.variation ?? null);
  const versions = compared.map((product) => {
    const { path, since, repetition, before, after, beforePath, afterPath } = product;
    return {
      ...product,
      beforePath: beforePath === null || before === null
        ? null
        : kept.add(`${nameRun(since)}/${path}`, beforePath, before.kind),
      afterPath: afterPath === null || after === null
        ? null
        : kept.add(`${nameRun(repetition)}/${path}`, afterPath, after.kind),
    };
  });
  await kept.write(signals.stopped);
  return versions;
}

/** Hands both versions of each product that differs to a program, one pair after the other. */
async function explain(
  versions: readonly ComparedProduct[],
  { name, path }: Explainer,
  { stream, host, signals }: {
    readonly stream: "stdout" | "stderr";
    readonly host: Host;
    readonly signals: SignalWatch;
  },
): Promise<void> {
  for (const { beforePath, afterPath } of versions) {
    if (beforePath === null || afterPath === null) continue;
    await runChild({
      program: path,
      name,
      args: [beforePath, afterPath],
      directory: resolve("."),
      stdin: "null",
      output: {
        stdout: (bytes) => host.passOn(stream, bytes),
        stderr: (bytes) => host.passOn("stderr", bytes),
      },
      signals,
    });
    if (signals.received !== null) throw new Interruption(signals.received);
  }
}

function readCall(run: Run, path: string, root: Root): RecordedCall {
  const { buildDefinition } = run.documents["provenance.json"].predicate;
  const { command, products = [], exclude, links } = buildDefinition.externalParameters;
  const refuse = (reason: string, hint?: string): KprovError =>
    new KprovError("data", `Cannot reproduce run ${quote(path)}: ${reason}`, { hint });
  const [program, ...args] = command?.argv ?? [];
  if (command === undefined || program === undefined) throw refuse("it records no command");
  if (products.length === 0) throw refuse("it records no product to compare");
  if (command.argv.some((word) => isPathInside(word, root.path))) {
    throw refuse(
      "its command names the root by its absolute path, and would write over the original products",
      "record the command with paths relative to the root",
    );
  }
  const { redacted = [] } = command;
  if (redacted.length > 0) {
    const which = redacted.length === 1 ? "argument" : "arguments";
    throw refuse(`of ${which} ${redacted.join(", ")} of its command is recorded only as a digest`);
  }
  const stray = describeProductAtLink(run, products);
  if (stray !== null) {
    throw refuse(stray, "record the command with what the link leads to as the product");
  }
  const stdin = findStdin(run, command.stdin);
  if (stdin === undefined) {
    throw refuse(
      "its standard input is recorded by its digest alone, and no input has that",
      "record it again with a file on standard input that is an input too",
    );
  }
  compileExclusions(exclude);
  return {
    stdin,
    argv: [program, ...args],
    env: command.env ?? [],
    products,
    exclude,
    ...(links === undefined ? {} : { links }),
  };
}

/** The input that is what came on standard input; null where nothing did, undefined where none is. */
function findStdin(run: Run, stdin: RecordedStdin | undefined): string | null | undefined {
  if (stdin === undefined) return null;
  return listExpectedInputs(run).find(({ kind, sha256, size }) =>
    kind === "file" && sha256 === stdin.sha256 && size === stdin.size
  )?.name;
}

/** What the command writes there would land where the link leads, and only the link be compared. */
function describeProductAtLink(run: Run, products: readonly string[]): string | null {
  const inputs = listExpectedInputs(run).filter(({ kind }) => kind === "symlink");
  const links = new Set(inputs.map(({ name }) => name));
  for (const product of products) {
    const link = findCovering(product, links);
    if (link === null) continue;
    const how = product === link ? "is" : "lies behind";
    return `its product ${quote(product)} ${how} input link ${quote(link)}`;
  }
  return null;
}

function recordsPackages(run: Run): boolean {
  const { runtimes = [] } = run.documents["toolchain.json"];
  return !runtimes.some(({ packages_omitted }) => packages_omitted === true);
}

/** What goes in and is not as it was recorded, for which the command is not run. */
async function findCauses(
  run: Run,
  call: RecordedCall,
  reading: Reading,
): Promise<readonly Finding[]> {
  const inputs = listExpectedInputs(run);
  return [
    ...hintAtRoot(
      checkExpectedFiles(inputs, await observeExpectedFiles(inputs, reading, call.links)),
      inputs,
    ),
    ...call.env.flatMap(checkVariable),
  ];
}

function checkVariable(name: string): Finding[] {
  requireEnv(name, `Cannot look at variable ${quote(name)}`);
  if (Deno.env.has(name)) return [];
  return [makeFinding("env.missing", `the variable ${quote(name)} was set, and is not set now`)];
}

function noteNeeded(again: Again | null): Finding[] {
  const { products = [], inputs: [path, ...more] = [] } = again?.needed ?? {};
  const made = products.map((path) =>
    makeFinding(
      "product.directory",
      "it was made before the command was run, which fails without it",
      { level: "note", path },
    )
  );
  if (path === undefined) return made;
  const which = more.length === 0
    ? "this directory without a file"
    : `directories without a file, of which ${more.length + 1} are there`;
  const message = `the command needs ${which}, which the run does not record`;
  return [...made, makeFinding("input.directory", message, { level: "note", path })];
}

/** More paths than anyone reads; their number is told. */
const MOST_OUTSIDE = 20;

/** What an isolated command missed says why it failed; where it did not, it says nothing. */
function noteMissed(again: Again | null): Finding[] {
  if (again === null || again.missed === null || again.findings.length === 0) return [];
  const { names, outside } = again.missed;
  const details = { level: "note", hint: names.length === 0 ? null : HINT_MISSED } as const;
  const inside = names.map((path, i) =>
    makeFinding(
      "input.missed",
      "the isolated command looked for it; it exists here, and is not an input",
      {
        ...details,
        hint: i === names.length - 1 ? details.hint : null,
        path,
      },
    )
  );
  if (outside.length === 0) return inside;
  const shown = outside.slice(0, MOST_OUTSIDE).map((path) => quote(path)).join(", ");
  const rest = outside.length > MOST_OUTSIDE ? `, and ${outside.length - MOST_OUTSIDE} more` : "";
  const message = `the isolated command looked outside of the root for ${shown}${rest}`;
  return [...inside, makeFinding("input.missed", message, { level: "note" })];
}

const HINT_MISSED = "record the run again with what it needs of these as inputs";

function findTemporaryPlace(host: Host): string {
  if (Deno.build.os === "windows") return host.readEnv("TEMP") ?? "C:\\Windows\\Temp";
  return host.readEnv("TMPDIR") ?? "/tmp";
}
