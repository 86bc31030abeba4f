import { type Finding, makeFinding } from "../../base/error.ts";
import { quote } from "../../base/quote.ts";
import { SUPPORTED_DENO } from "../../base/std.ts";
import { resolveText } from "../actions/expression.ts";
import { listCommands, type Step } from "../actions/steps.ts";
import { getPart, known, textOf, UNKNOWN } from "../actions/value.ts";
import type { Job } from "../actions/workflow.ts";
import { textOfScalar } from "../actions/yaml.ts";
import type { Policy } from "../policy.ts";
import { claimImage } from "../runtime/container_files.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  coversLine,
  parsePolicyRange,
  type RuntimeName,
  RUNTIMES,
} from "../runtime/declaration.ts";
import { readInstallCommands } from "../runtime/install_command.ts";
import { type LinesResult, listLines, type VersionRange } from "../runtime/version_range.ts";
import { readSetupStep, type VersionFiles } from "../runtime/workflow_runtime.ts";
import { unwrapCommand } from "./commands.ts";
import type { Gate, GateRun } from "./gate.ts";

/** A runtime on whose every version the command must run. */
export interface Demand {
  readonly runtime: RuntimeName;
  /** The range as it is written. */
  readonly text: string;
  readonly range: VersionRange;
  readonly lines: LinesResult;
}

const NAMES = { deno: "Deno", node: "Node", python: "Python" } as const;

/** The runtime that a program runs on; `null` for programs that run on none of them. */
const RUNTIME_OF_PROGRAM: Readonly<Record<string, RuntimeName | null>> = Object.fromEntries([
  ...rows("deno", "deno"),
  ...rows("node", "node npm npx pnpm pnpx yarn corepack tsc eslint prettier jest vitest mocha"),
  ...rows("python", "python pytest tox nox pip uv uvx pipx poetry pdm pipenv hatch rye"),
  ...rows("python", "flake8 pylint mypy black isort coverage pre-commit dbt sqlfluff snakemake"),
  ...rows(null, "bun bunx cargo rustc go gofmt dotnet mvn mvnw gradle gradlew bundle rake rspec"),
  ...rows(null, "composer phpunit mix swift flutter dart terraform tofu helm"),
]);

function rows(runtime: RuntimeName | null, programs: string): [string, RuntimeName | null][] {
  return programs.split(" ").map((program) => [program, runtime]);
}

/**
 * Lists the runtimes of the policy that the command uses: those that its programs are known to run
 * on, and all of them where a program such as `make` does not say.
 */
export function listDemands(gate: Gate, policy: Policy): Demand[] {
  const named = usedRuntimes(gate);
  const ranges = policy.runtime ?? {};
  // A Deno that no policy names must still be one that kprov runs on.
  const deno = ranges.deno ?? (named?.includes("deno") ? SUPPORTED_DENO : undefined);
  const all: Partial<Record<RuntimeName, string | undefined>> = { ...ranges, deno };
  return RUNTIMES.flatMap((runtime) => {
    const text = all[runtime];
    if (text === undefined || named?.includes(runtime) === false) return [];
    const parsed = parsePolicyRange(runtime, text);
    if (!parsed.ok) return [];
    const { range } = parsed;
    const lines = listLines(range, runtime === "node" ? "major" : "minor");
    return [{ runtime, text, range, lines }];
  });
}

/** Null where a program may run on any of them. */
function usedRuntimes(gate: Gate): RuntimeName[] | null {
  const used: RuntimeName[] = [];
  for (const { words } of listCommands(gate.text)) {
    const programs = unwrapCommand(words).flat().map(([word = ""]) => nameOf(word));
    const known = programs.filter((program) => Object.hasOwn(RUNTIME_OF_PROGRAM, program));
    if (known.length === 0) return null;
    used.push(...known.flatMap((program) => RUNTIME_OF_PROGRAM[program] ?? []));
  }
  return used;
}

function nameOf(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1).replace(/^(python|pip)\d[\d.]*$/, "$1");
}

/** How scripts install Deno: from npm, by the installer's own script, and by Deno itself. */
const INSTALLERS: readonly RegExp[] = [
  /(?:^|[\s"'])deno@([\w.~^*-]+)/,
  /deno\.land\/(?:x\/install\/)?install\.sh.{0,60}?\s(v?\d+\.\d+\.\d+\S*)/,
  /(?:^|\s)deno upgrade(?: --version)?[ =](v?\d+\.\d+\.\d+\S*)/,
];
/** Commands that choose the Python that uv runs afterwards. */
const UV_CHOICES = ["uv python pin", "uv python install", "uv sync", "uv venv"];
/** What uv reads of the project, whichever Python is on the PATH. */
const UV_FILE = ".python-version";

/**
 * Tells which version of a runtime a step finds: what the last step before it sets up that surely
 * runs, or what the job's container brings; null where nothing does.
 */
function findInstalled(
  runtime: RuntimeName,
  { job, step }: GateRun,
  files: VersionFiles,
): Claim | null {
  // uv prefers the project's file to what other actions set up.
  const pinned = runsUv(step) ? files(runtime, UV_FILE) : [];
  let claim = pinned.length > 0 ? joinClaims(pinned) : readContainer(runtime, job);
  for (const before of job.steps.slice(0, job.steps.indexOf(step))) {
    if (pinned.length > 0 && !isUvStep(before)) continue;
    const setups = readSetupStep(before, files).filter((it) => it.runtime === runtime);
    const installed = setups.at(-1)?.claim ?? readScript(runtime, before);
    if (installed === null) continue;
    const outcomes = before.conditions.map(({ outcome }) => outcome);
    if (outcomes.includes("false")) continue;
    claim = outcomes.includes("unknown")
      ? claimFloating("whether it is installed is known only at run time")
      : installed;
  }
  return (runtime === "python" ? readUvChoice(step) : null) ?? claim;
}

function runsUv({ run }: Step): boolean {
  return run !== null && /\buv run\b/.test(run.source);
}

/** Whether a step says more to uv than the project's file does. */
function isUvStep({ uses, run }: Step): boolean {
  const action = uses === null ? "" : textOfScalar(uses).toLowerCase();
  return action.startsWith("astral-sh/setup-uv@") ||
    (run !== null && /\buv (?:python pin|sync|venv)\b/.test(run.source));
}

function joinClaims(claims: readonly Claim[]): Claim | null {
  const [first = null, ...others] = claims;
  const isOne = others.every((it) => JSON.stringify(it) === JSON.stringify(first));
  return isOne ? first : claimFloating("several versions are chosen");
}

function readContainer(runtime: RuntimeName, { container }: Job): Claim | null {
  if (container === null) return null;
  return claimImage(container.pieces).find((it) => it.runtime === runtime)?.claim ?? null;
}

function readScript(runtime: RuntimeName, { run, scope }: Step): Claim | null {
  if (run === null || runtime === "node") return null;
  const { text, reason } = resolveText(run, scope);
  if (text === null) {
    const names = runtime === "deno"
      ? /(?:^|[\s"'])deno@/
      : /(?:^|\s)uv (?:python (?:pin|install) |(?:sync|venv) .*--python)/;
    return names.test(run.source) ? claimFloating(reason ?? "") : null;
  }
  if (runtime === "python") {
    const chosen = readInstallCommands(text).filter(({ source }) => UV_CHOICES.includes(source));
    const pin = chosen.findLast(({ source }) => source === "uv python pin");
    return pin?.claim ?? joinClaims(chosen.map(({ claim }) => claim));
  }
  for (const installer of INSTALLERS) {
    const version = installer.exec(text)?.[1];
    if (version !== undefined) return claimVersion(runtime, version);
  }
  return null;
}

/** uv takes the Python that its option or this variable names, whatever else is installed. */
function readUvChoice({ scope, run }: Step): Claim | null {
  if (run === null || !/\buvx?\b/.test(run.source)) return null;
  const [option] = readInstallCommands(run.source).filter(({ source }) => source === "uv run");
  if (option !== undefined) return option.claim;
  const text = textOf(getPart(scope.contexts.get("env") ?? UNKNOWN, known("UV_PYTHON")));
  return text === null || text === "" ? null : claimVersion("python", text);
}

const HINT = "remove everything that can hide the command's failure";

/**
 * Checks that the command runs, with nothing in its way, on every version of every runtime that it
 * uses.
 *
 * @param runs The steps that are the command, in one way of reaching the workflow; at least one
 */
export function checkCoverage(
  runs: readonly GateRun[],
  gate: Gate,
  demands: readonly Demand[],
  files: VersionFiles,
): Finding[] {
  if (demands.length === 0) return checkRuns(runs);
  return demands.flatMap((demand) => {
    const { lines, runtime, range } = demand;
    if (!lines.ok) return [reportUnlistable(demand, lines.reason, runs), ...checkRuns(runs)];
    const claims = runs.map((run) => ({ run, claim: findInstalled(runtime, run, files) }));
    const covering = lines.lines.map((line) => ({
      line,
      runs: claims.filter(({ claim }) => claim !== null && coversLine(claim, line, range))
        .map(({ run }) => run),
    }));
    const missing = covering.filter((it) => it.runs.length === 0).map(({ line }) => line.name);
    return [
      ...(missing.length === 0 ? [] : [reportUncovered(missing, demand, gate, runs)]),
      ...covering.flatMap((it) => checkRuns(it.runs)),
    ];
  });
}

/** What keeps all of some runs from being a gate; one without any fault is enough. */
function checkRuns(runs: readonly GateRun[]): Finding[] {
  if (runs.some(({ faults }) => faults.length === 0)) return [];
  return runs.flatMap(({ faults }) => faults).map(({ message, place, hint = HINT }) => {
    const { line, column } = place.position;
    return makeFinding("parity.swallowed", message, { path: place.path, line, column, hint });
  });
}

function reportUncovered(
  missing: readonly string[],
  { runtime, text }: Demand,
  { text: command }: Gate,
  runs: readonly GateRun[],
): Finding {
  const message = `${quote(command)} runs on no ${NAMES[runtime]} that is surely ` +
    `${missing.join(" or ")}, which ${quote(text)} supports`;
  const shown = missing.map((name) => `${name}.x`).join(" and ");
  const hint = `add ${shown} to the versions that the job sets up, such as in its matrix`;
  return reportVersions(message, hint, runs);
}

function reportUnlistable(
  { runtime, text }: Demand,
  reason: string,
  runs: readonly GateRun[],
): Finding {
  const message = `no list of versions covers the range ${quote(text)}: ${reason}`;
  const example = { deno: ">=2.8.2 <2.10.0", node: ">=20 <25", python: ">=3.11 <3.14" }[runtime];
  const hint = `give the policy's runtime.${runtime} an upper bound, such as ${example}`;
  return reportVersions(message, hint, runs);
}

function reportVersions(message: string, hint: string, [run]: readonly GateRun[]): Finding {
  const place = run?.step.place;
  return makeFinding("parity.uncovered_version", message, {
    path: place?.path ?? null,
    line: place?.position.line ?? null,
    column: place?.position.column ?? null,
    hint,
  });
}
