import { quote, showText } from "../../base/quote.ts";
import { isReference, type ResolvedText, resolveText } from "../actions/expression.ts";
import {
  containsStatement,
  formScript,
  listCommands,
  listWritten,
  placeOf,
  type Remark,
  resolveSetting,
  type ScriptForm,
  type Step,
} from "../actions/steps.ts";
import { compare, known, type Outcome, UNKNOWN } from "../actions/value.ts";
import type { Job, JobSpec } from "../actions/workflow.ts";
import { getYamlValue, textOfScalar, type YamlNode, type YamlScalar } from "../actions/yaml.ts";
import { canonicalCommand, commandOfAction } from "./commands.ts";

/** The command that a policy names, in forms that are found in workflows. */
export interface Gate {
  /** As the policy has it. */
  readonly text: string;
  readonly form: ScriptForm;
  /** The commands in it, each in its one spelling. */
  readonly parts: ReadonlySet<string>;
  /** Its words, where it is one simple command. */
  readonly words: readonly string[] | null;
  /** Which scripts were found to be it: every combination and every way of reaching it asks again. */
  readonly scripts: Map<string, boolean>;
}

/** A step that is the command, in one combination of its job's matrix. */
export interface GateRun {
  readonly job: Job;
  readonly step: Step;
  /** What can skip it or take its failure away. */
  readonly faults: readonly Remark[];
}

/**
 * Makes a command findable.
 *
 * @param text As the policy has it
 */
export function parseGate(text: string): Gate {
  const commands = listCommands(text);
  const [only] = commands;
  const form = formScript(text);
  // A command with assignments or redirections has another form than its words alone.
  const isSimple = commands.length === 1 && only !== undefined &&
    formScript(only.words.join(" ")).key === form.key;
  return {
    text: text.trim(),
    form,
    parts: new Set(commands.map(({ words }) => canonicalCommand(words))),
    words: isSimple ? only.words : null,
    scripts: new Map(),
  };
}

/** Whether a script is the command: white space, comments and other spellings of it aside. */
export function isGateScript(text: string, gate: Gate): boolean {
  const remembered = gate.scripts.get(text);
  if (remembered !== undefined) return remembered;
  const isGate = compareScripts(text, gate);
  gate.scripts.set(text, isGate);
  return isGate;
}

function compareScripts(text: string, gate: Gate): boolean {
  const form = formScript(text);
  if (form.key === gate.form.key) return true;
  const other = parseGate(text);
  return gate.words !== null && other.words !== null && isSpelling(other.words, gate.words);
}

/** `npm t`, `npm test` and `npm run test` are one command. */
function isSpelling([program = "", ...words]: readonly string[], gate: readonly string[]): boolean {
  const isManager = /^(?:npm|pnpm|yarn|bun)$/.test(program);
  return isManager && canonicalCommand([program, ...words]) === canonicalCommand(gate);
}

/** Whether a step is the command, by its script or by an action that is it. */
function isGateStep(step: Step, gate: Gate): boolean {
  if (step.run !== null) {
    const { text } = resolveText(step.run, step.scope);
    return text !== null && isGateScript(text, gate);
  }
  const words = findActionCommand(step);
  return words !== null && gate.words !== null &&
    canonicalCommand(words) === canonicalCommand(gate.words);
}

/** The command that a step's action is, where it is one. */
export function findActionCommand({ uses, node, scope }: Step): readonly string[] | null {
  if (uses === null) return null;
  const inputs = getYamlValue(node, "with");
  const extra = getYamlValue(inputs, "extra_args") ?? getYamlValue(inputs, "extra-args");
  const resolved = resolveSetting(extra, scope);
  return commandOfAction(textOfScalar(uses), resolved === null ? null : resolved.text ?? "?");
}

/**
 * Finds the steps that are the command and stand alone, with what stands in their way.
 *
 * @param jobs The workflow's jobs, as they are in one way of reaching it
 * @param gate The command
 * @param event What starts the workflow
 */
export function findGateRuns(jobs: readonly Job[], gate: Gate, event: string): GateRun[] {
  const decided = new Map<JobSpec, JobOutcome>();
  return jobs.flatMap((job) =>
    job.steps.filter((step) => isGateStep(step, gate))
      .map((step) => ({ job, step, faults: listFaults(job, step, gate, event, decided) }))
  );
}

function listFaults(
  job: Job,
  step: Step,
  gate: Gate,
  event: string,
  decided: Map<JobSpec, JobOutcome>,
): Remark[] {
  return [
    ...checkConditions(job, step, event, decided),
    ...checkShell(job, step, gate),
    ...checkDirectory(step),
    ...checkEnvironment(step),
    ...findExports(job, step),
    ...checkKeys(
      step.node,
      step.run === null ? CALL_STEP_KEYS : STEP_KEYS,
      "step",
      step.place.path,
    ),
    ...checkKeys(job.node, JOB_KEYS, "job", job.path),
    ...checkKeys(getYamlValue(job.node, "strategy"), STRATEGY_KEYS, "job", job.path),
    ...checkCallers(job.spec),
    ...checkDefaults(job),
    ...checkContainer(job),
    ...findOtherCheckouts(job, step),
  ];
}

function checkConditions(
  job: Job,
  step: Step,
  event: string,
  decided: Map<JobSpec, JobOutcome>,
): Remark[] {
  const continued = [...step.continueOnError, job.continueOnError]
    .filter(({ outcome }) => outcome !== "false")
    .map(({ place }) => ({ message: '"continue-on-error" takes its failure away', place }));
  const skipped = step.conditions.filter(({ outcome }) => outcome !== "true")
    .map(({ outcome, place }) => ({
      message: `its "if" ${describeOutcome(outcome)} on ${event}`,
      place,
    }));
  const excluded = job.isCertain ? [] : [{
    message: "which combinations its matrix leaves out is known only when it runs",
    place: placeOf(job.path, job.node),
  }];
  return [...continued, ...skipped, ...excluded, ...checkJob(job, event, decided)];
}

function checkJob({ spec }: Job, event: string, decided: Map<JobSpec, JobOutcome>): Remark[] {
  const { outcome, because } = decideJob(spec, decided);
  if (because === null) return [];
  const what = because === spec
    ? 'the "if" of its job'
    : `the job ${quote(because.id)} that it needs`;
  return [{
    message: `${what} ${describeOutcome(outcome)} on ${event}`,
    place: because.condition.place,
  }];
}

function describeOutcome(outcome: Outcome): string {
  return outcome === "false" ? "keeps it from running" : "can keep it from running";
}

/** Whether a job runs, and the job whose condition keeps it from it. */
export interface JobOutcome {
  readonly outcome: Outcome;
  readonly because: JobSpec | null;
}

/** Longest chain of jobs that need each other. */
const MAX_CHAIN = 64;

/**
 * Tells whether a job runs: its own condition, those of the jobs that it needs, and those of the job
 * that calls its workflow.
 *
 * @param spec The job
 * @param decided What was found before
 * @param depth How many jobs led here
 */
export function decideJob(
  spec: JobSpec,
  decided: Map<JobSpec, JobOutcome>,
  depth = 0,
): JobOutcome {
  const remembered = decided.get(spec);
  if (remembered !== undefined) return remembered;
  const unknown: JobOutcome = { outcome: "unknown", because: spec };
  if (depth > MAX_CHAIN) return unknown;
  // Jobs that need each other in a circle meet this answer.
  decided.set(spec, unknown);
  const outcome = decideChain(spec, decided, depth);
  decided.set(spec, outcome);
  return outcome;
}

function decideChain(
  spec: JobSpec,
  decided: Map<JobSpec, JobOutcome>,
  depth: number,
): JobOutcome {
  const { outcome, survivesSkips } = spec.condition;
  if (outcome !== "true") return { outcome, because: spec };
  const skip = survivesSkips ? null : findSkip(spec, decided, depth, new Set());
  if (skip !== null) return skip;
  return spec.caller === null
    ? { outcome: "true", because: null }
    : decideJob(spec.caller, decided, depth + 1);
}

/**
 * The job that skips those behind it: any in the chain of what a job needs, even where one between
 * them runs all the same, by `always()`.
 */
function findSkip(
  spec: JobSpec,
  decided: Map<JobSpec, JobOutcome>,
  depth: number,
  seen: Set<JobSpec>,
): JobOutcome | null {
  if (depth > MAX_CHAIN) return { outcome: "unknown", because: spec };
  for (const needed of spec.needs()) {
    if (needed === null) return { outcome: "unknown", because: spec };
    if (seen.has(needed)) continue;
    seen.add(needed);
    const before = decideJob(needed, decided, depth + 1);
    if (before.outcome !== "true") return before;
    // What runs by the usual condition has none in its chain that does not.
    const further = needed.condition.survivesSkips
      ? findSkip(needed, decided, depth + 1, seen)
      : null;
    if (further !== null) return further;
  }
  return null;
}

/** GitHub runs these by name so that a failure of the command fails the step. */
const SHELLS = ["bash", "sh", "pwsh"];

function checkShell(job: Job, { shell, run, place }: Step, gate: Gate): Remark[] {
  if (run === null) return [];
  const name = shell === null ? null : shell.text;
  if (shell !== null && (name === null || !SHELLS.includes(name))) {
    const { scalar, path } = shell.origin;
    const message = `its shell is not bash, sh or pwsh by name, but ${showText(scalar.source)}`;
    return [{ message, place: placeOf(path, scalar), hint: "write shell: bash, or no shell" }];
  }
  if (name === null ? !mayBeWindows(job) : name !== "pwsh") return [];
  // PowerShell goes on behind a program that fails, and no backslash joins two of its lines.
  const isOne = gate.form.statement !== null && !/\\\r?\n/.test(run.source);
  const message = "PowerShell continues after a failed command";
  return isOne ? [] : [{ message, place, hint: "write shell: bash" }];
}

/** Whether PowerShell may be the shell where none is named: on Windows, outside of containers. */
function mayBeWindows({ runsOn, container }: Job): boolean {
  return container === null &&
    !runsOn.some((label) => label !== null && /^(?:ubuntu|macos|linux$)/i.test(label));
}

/** Whether a step surely runs at the root of the repository. */
export function isAtRoot({ workingDirectory }: Step): boolean {
  return workingDirectory === null || isRootPath(workingDirectory);
}

function isRootPath(written: ResolvedText): boolean {
  const path = readPath(written);
  return path !== null && /^(?:\.(?:[/\\]+\.?)*)?$/.test(path);
}

/** A path below the workspace; null where only the run knows it. */
function readPath({ pieces: written }: ResolvedText): string | null {
  const [first, ...rest] = written;
  const isWorkspace = first !== undefined && isReference(first.text, "github.workspace");
  const pieces = isWorkspace ? [{ text: ".", isKnown: true }, ...rest] : written;
  if (!pieces.every(({ isKnown }) => isKnown)) return null;
  return pieces.map(({ text }) => text).join("").trim();
}

/** Whether a path surely leads to a directory other than the root. */
function isElsewhere(written: ResolvedText): boolean {
  const parts = readPath(written)?.split(/[/\\]+/) ?? [];
  return parts.some((part) => part !== "" && part !== ".") && !parts.includes("..");
}

function checkDirectory(step: Step): Remark[] {
  if (isAtRoot(step) || step.workingDirectory === null) return [];
  const { scalar, path } = step.workingDirectory.origin;
  const message = `it may not run at the root of the repository, but in ` +
    showText(scalar.source);
  return [{
    message,
    place: placeOf(path, scalar),
    hint: "remove working-directory, or set it to .",
  }];
}

/** Variables that decide which program runs, or what else runs before and in it. */
const STEERING = new RegExp(
  `^(?:${
    [
      "PATH|PATHEXT|ENV|IFS|CDPATH|COMSPEC|PSMODULEPATH|PROMPT_COMMAND",
      "BASH_ENV|BASH_FUNC_.*|BASHOPTS|SHELLOPTS|GLOBIGNORE|ZDOTDIR|LD_.*|DYLD_.*",
      "GIT_DIR|GIT_WORK_TREE|GIT_INDEX_FILE|GIT_EXEC_PATH",
      "NODE_OPTIONS|NODE_PATH|BUN_OPTIONS|NPM_CONFIG_(?:SCRIPT_SHELL|IGNORE_SCRIPTS|NODE_OPTIONS)",
      "NPM_CONFIG_(?:USERCONFIG|GLOBALCONFIG|IF_PRESENT|WORKSPACES?)",
      // Without Python's assertions a test passes that asserts.
      "PYTHONPATH|PYTHONHOME|PYTHONUSERBASE|PYTHONSTARTUP|PYTHONINSPECT|PYTHONOPTIMIZE|PYTEST_ADDOPTS|PYTEST_PLUGINS",
      "TOX_SKIP_ENV|TOX_OVERRIDE|TOXENV|NOXSESSION|NOXPYTHON|INVOKE_RUN_.*|UV_PROJECT|UV_WORKING_DIR(?:ECTORY)?",
      "SKIP|PREK_SKIP|LEFTHOOK|LEFTHOOK_EXCLUDE|PRE_COMMIT_ALLOW_NO_CONFIG|GTEST_FILTER|DENO_V8_FLAGS",
      "RUBYOPT|RUBYLIB|PERL5OPT|PERL5LIB|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|MAVEN_ARGS",
      "R_PROFILE(?:_USER)?|R_ENVIRON(?:_USER)?|LUA_INIT.*|PHPRC|PHP_INI_SCAN_DIR|DOTNET_STARTUP_HOOKS",
      "JUST_JUSTFILE|JUST_DRY_RUN",
      "JUST_WORKING_DIRECTORY|MAKEFLAGS|GNUMAKEFLAGS|MFLAGS|MAKEFILES|GOFLAGS|RUSTC|RUSTC_(?:WORKSPACE_)?WRAPPER",
      "CARGO_ALIAS_.*|CARGO_TARGET_.*_RUNNER|CARGO_BUILD_RUSTC(?:_WRAPPER)?",
    ].join("|")
  })$`,
  "i",
);

function checkEnvironment({ env }: Step): Remark[] {
  return env.flatMap(({ path, node }) => {
    if (node.kind === "map") {
      return node.entries.filter(({ key, value }) => STEERING.test(key) || value.kind !== "scalar")
        .map(({ key, keyPosition }) => ({
          message: `the variable ${showText(key)} can change what it runs`,
          place: { path, position: keyPosition },
          hint: "set it inside the command, so that people have it as well",
        }));
    }
    if (node.kind === "scalar" && node.value === null) return [];
    return [{ message: "its variables are known only when it runs", place: placeOf(path, node) }];
  });
}

/** The file that takes variables for the steps that follow. */
const ENV_FILE = /GITHUB_ENV\b/;
/** What writes a variable in PowerShell and cmd: `echo "NAME=…"`, and a text by itself. */
const WRITTEN =
  /(?:(?:\b(?:echo|Write-Output)|-Value)\s+(?:-\w+\s+)*["']?|^\s*["'])([A-Za-z_]\w*)(?:=|<<)/gi;

/** The variables that a script sets for the steps behind it. */
function listExports(script: string): string[] {
  const isShell = !/\$env:|%GITHUB_ENV%|\b(?:Out-File|Add-Content)\b/i.test(script);
  const written = isShell ? listWritten(script, ENV_FILE) : null;
  if (written !== null) {
    return written.flatMap((line) => /^\s*([A-Za-z_]\w*)(?:=|<<)/.exec(line)?.[1] ?? []);
  }
  return script.split("\n").filter((line) =>
    ENV_FILE.test(line) && /(?:>|Out-File|Add-Content|\btee\b)/i.test(line)
  ).flatMap((line) => [...line.matchAll(WRITTEN)].map(([, name = ""]) => name));
}

/** A script as a shell gets it, with a word in place of what only the run knows. */
function readScript(run: YamlScalar, scope: Step["scope"]): string {
  return resolveText(run, scope).pieces.map(({ text, isKnown }) => {
    if (isKnown) return text;
    return isReference(text, "github.env") ? "$GITHUB_ENV" : "x";
  }).join("");
}

/** Steps before it that set such a variable for all that follow. */
function findExports(job: Job, step: Step): Remark[] {
  return job.steps.slice(0, job.steps.indexOf(step)).flatMap(
    ({ run, scope, conditions, place }) => {
      if (run === null || !/GITHUB_ENV|github\.env/i.test(run.source)) return [];
      if (conditions.some(({ outcome }) => outcome === "false")) return [];
      return listExports(readScript(run, scope)).flatMap((name) =>
        STEERING.test(name)
          ? [{
            message: `the variable ${showText(name)}, set before it, can change what it runs`,
            place,
          }]
          : []
      );
    },
  );
}

const STEP_KEYS = "name id if run shell working-directory env continue-on-error timeout-minutes"
  .split(" ");
const CALL_STEP_KEYS = "name id if uses with env continue-on-error timeout-minutes".split(" ");
const JOB_KEYS =
  ("name runs-on needs if permissions environment concurrency outputs env defaults steps strategy " +
    "timeout-minutes continue-on-error container services uses with secrets snapshot").split(" ");

const STRATEGY_KEYS = ["matrix", "fail-fast", "max-parallel"];
/** Those of a job that calls a workflow. */
const CALLER_KEYS = "name uses with secrets strategy needs if permissions concurrency".split(" ");

/** The jobs that call the workflow in which the command stands. */
function checkCallers({ caller }: JobSpec): Remark[] {
  if (caller === null) return [];
  const { node, path } = caller;
  return [
    ...checkKeys(node, CALLER_KEYS, "job", path),
    ...checkKeys(getYamlValue(node, "strategy"), STRATEGY_KEYS, "job", path),
    ...checkCallers(caller),
  ];
}

function checkDefaults({ node, path }: Job): Remark[] {
  const defaults = getYamlValue(node, "defaults");
  return [defaults, getYamlValue(defaults, "run")].flatMap((it) =>
    it?.kind === "scalar" && it.value !== null
      ? [{ message: "its defaults are known only when it runs", place: placeOf(path, it) }]
      : []
  );
}

/** What is not known may do anything. */
function checkKeys(
  node: YamlNode | null,
  keys: readonly string[],
  what: string,
  path: string,
): Remark[] {
  if (node?.kind !== "map") return [];
  return node.entries.filter(({ key }) => !keys.includes(key)).map(({ key, keyPosition }) => ({
    message: `what ${showText(key)} does to its ${what} is not known`,
    place: { path, position: keyPosition },
  }));
}

function checkContainer({ node, path }: Job): Remark[] {
  const options = getYamlValue(getYamlValue(node, "container"), "options");
  if (options?.kind !== "scalar") return [];
  const text = textOfScalar(options);
  // `-te NAME=x` and `-eNAME=x` are short forms.
  if (!/(?:^|\s)(?:-[diqtP]*e|--(?:env|env-file|entrypoint)(?:[\s=]|$))|\$\{\{/.test(text)) {
    return [];
  }
  const message = "the options of its container can change what it runs";
  return [{ message, place: placeOf(path, options) }];
}

/** What names the change that started the workflow, or is nothing on push and pull_request. */
const OF_THE_CHANGE = new RegExp(
  "^github\\.(?:sha|ref|ref_name|ref_type|head_ref|event_name|repository|event\\.(?:after|number|action|" +
    "head_commit\\..*|repository\\.full_name|pull_request(?:\\.(?:number|merge_commit_sha|head\\..*))?|" +
    "(?:workflow_run|release|merge_group|client_payload)(?:\\..*)?))$",
);
/** References of expressions, with their parts; what is in quotation marks is skipped. */
const REFERENCES = /'[^']*'|[a-z_][\w-]*(?:\.[a-z_*][\w-]*)+/gi;

/** Checkouts before it that put something else in the repository's place. */
function findOtherCheckouts(job: Job, step: Step): Remark[] {
  return job.steps.slice(0, job.steps.indexOf(step)).flatMap((before) => {
    const uses = before.uses === null ? "" : textOfScalar(before.uses);
    if (uses.split("@", 1)[0]?.trim().toLowerCase() !== "actions/checkout") return [];
    const inputs = getYamlValue(before.node, "with");
    // What is checked out into a directory of its own is something beside it.
    const directory = resolveSetting(getYamlValue(inputs, "path"), before.scope);
    if (directory !== null && isElsewhere(directory)) return [];
    return [
      ...["ref", "repository"].flatMap((name) => checkInput(getYamlValue(inputs, name), before)),
      ...checkSparse(getYamlValue(inputs, "sparse-checkout"), before),
    ];
  });
}

function checkSparse(node: YamlNode | null, { scope }: Step): Remark[] {
  const resolved = resolveSetting(node, scope);
  if (node === null || resolved === null || resolved.text?.trim() === "") return [];
  return [{
    message: "its job checks out a part of the repository only",
    place: placeOf(scope.path, node),
  }];
}

function checkInput(node: YamlNode | null, { scope }: Step): Remark[] {
  const resolved = resolveSetting(node, scope);
  if (node?.kind !== "scalar" || resolved === null || resolved.text === "") return [];
  const tell = (reference: string): string | null =>
    resolveText({ ...node, value: `\${{ ${reference} }}` }, scope).text;
  if (resolved.text === null) {
    const { scalar } = resolved.origin;
    const references = listReferences(scalar);
    const isOwn = references.every((reference) =>
      OF_THE_CHANGE.test(reference) || tell(reference) !== null
    );
    // `github['base_ref']` is a reference as well.
    if (isOwn && references.length > 0 && !scalar.source.includes("[")) return [];
  } else if (isOwnName(resolved.text, scope, tell)) return [];
  const message = resolved.text === null
    ? `what its job checks out, ${showText(node.source)}, is not surely what started the workflow`
    : `its job checks out ${showText(resolved.text)}, not what started the workflow`;
  return [{ message, place: placeOf(scope.path, node) }];
}

function listReferences({ source }: YamlScalar): string[] {
  return (source.match(REFERENCES) ?? []).filter((it) => !it.startsWith("'"))
    .map((it) => it.toLowerCase());
}

/** The repository's own name, and the branch that was pushed: of a pull request no ref is known. */
function isOwnName(
  text: string,
  { contexts }: Step["scope"],
  tell: (reference: string) => string | null,
): boolean {
  const github = contexts.get("github");
  const repository = github?.kind === "context" ? github.get("repository") : UNKNOWN;
  if (compare(repository, known(text)) === "true") return true;
  const ref = tell("github.ref");
  return text === ref || `refs/heads/${text}` === ref;
}

/**
 * Finds the command inside longer scripts, where only a shell could tell whether it counts.
 *
 * @param jobs The workflow's jobs
 * @param gate The command
 */
export function findEmbedded(jobs: readonly Job[], gate: Gate): Remark[] {
  const places = new Map<string, Remark>();
  for (const { run, scope, place } of jobs.flatMap(({ steps }) => steps)) {
    const key = `${place.path} ${place.position.line} ${place.position.column}`;
    if (run === null || places.has(key)) continue;
    const text = resolveText(run, scope).text ?? run.source;
    if (!holdsGate(text, gate)) continue;
    places.set(key, { message: `${quote(gate.text)} is part of a longer script`, place });
  }
  return [...places.values()];
}

function holdsGate(text: string, gate: Gate): boolean {
  if (containsStatement(text, gate.form)) return true;
  if (!formScript(text).isExact && text.includes(gate.text)) return true;
  if (gate.words === null) return false;
  const wanted = canonicalCommand(gate.words);
  return listCommands(text).some(({ words }) => canonicalCommand(words) === wanted);
}
