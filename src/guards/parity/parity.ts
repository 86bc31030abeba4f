/**
 * The parity guard: CI checks what people check locally, on every version that the policy supports,
 * and nothing else. It reads the workflow that the policy names, with the local workflows and
 * composite actions that it calls; what other workflows do does not count. Nothing is executed, and no
 * script is interpreted: the proof is simple because the demand is.
 *
 * **A step is the command, and stands alone** (`parity.missing`): its `run` is exactly the command,
 * white space and comments aside, or another spelling of it (`npm t` is `npm test`). Inside a longer
 * script it does not count: what the rest of a script does to it, only a shell could tell.
 *
 * **The workflow starts** on push to the default branch and on pull requests to it (`parity.missing`),
 * and no filter lets a change pass (`parity.swallowed`). Git's own record tells which branch that is;
 * where it does not, main, master or trunk must be one that both events let through.
 *
 * **Nothing is on its way** (`parity.swallowed`) but what is known to be harmless. Conditions, and what
 * they depend on, are decided for a push, for a pull request from a fork and for one from the
 * repository, in every combination of the matrix; what only the run knows can skip the gate. A skipped
 * job skips those that need it. Findings are `continue-on-error`, a shell that is not bash, sh or pwsh
 * by name, variables such as PATH, BASH_ENV or NODE_OPTIONS, another directory, another checkout, and
 * settings that are not known here.
 *
 * **Every version is covered** (`parity.uncovered_version`): every minor version of Deno and Python and
 * every major version of Node inside the policy's range, for each runtime that the command uses:
 * `pytest` runs on Python, and `make` on all that the policy names. A version counts where a setup
 * action, `deno@…` from npm, the installer's script, uv or the job's container pins it, or holds it to
 * one such line. A range that has no last one cannot be covered.
 *
 * **It checks nothing else** (`parity.extra_gate`): no other step, in any job that can run, is a known
 * checker such as `deno lint` or `pytest`, or an action whose name says that it lints, tests, checks,
 * scans or audits. The command's own parts and the steps that the policy's `preflight` names are not
 * extra, nor is what cannot fail the workflow; `parity.checkers` adds to the list.
 *
 * What it is for is drift and accident: who may rewrite the workflow can defeat it, and against that
 * stand the lock guard and the owners of the code.
 *
 * @module
 */

import { type Finding, KprovError, makeFinding, sortFindings } from "../../base/error.ts";
import { escapeText, quote, showText } from "../../base/quote.ts";
import { compareUtf8 } from "../../base/text.ts";
import { resolveText } from "../actions/expression.ts";
import { listCommands, type Remark, resolveSetting, type Step } from "../actions/steps.ts";
import { known, makeContext, UNKNOWN, type Value } from "../actions/value.ts";
import {
  type ExpandedWorkflow,
  expandWorkflow,
  type Job,
  type JobSpec,
} from "../actions/workflow.ts";
import { getYamlValue, textOfScalar, type YamlNode } from "../actions/yaml.ts";
import type { Guard, RepositoryFacts } from "../guard.ts";
import type { ParityPolicy, Policy } from "../policy.ts";
import type { RuntimeName } from "../runtime/declaration.ts";
import { readVersionFiles } from "../runtime/runtime.ts";
import { sourcesOf } from "../runtime/sources.ts";
import type { VersionFiles } from "../runtime/workflow_runtime.ts";
import {
  canonicalCommand,
  type CheckerRules,
  isChecker,
  isCheckingAction,
  programOfAction,
} from "./commands.ts";
import { checkCoverage, type Demand, listDemands } from "./coverage.ts";
import {
  decideJob,
  findActionCommand,
  findEmbedded,
  findGateRuns,
  type Gate,
  isAtRoot,
  isGateScript,
  type JobOutcome,
  parseGate,
} from "./gate.ts";
import { readTriggers } from "./triggers.ts";

/**
 * The parity guard: CI runs the command that people run locally.
 *
 * @example A workflow that reads `on: [push]`, and runs nothing
 * ```ts
 * import { PARITY, type Policy, type YamlMap } from "@kprov/cli/guards";
 * import { assertEquals } from "@std/assert";
 *
 * const workflow = ".github/workflows/ci.yml";
 * const policy: Policy = {
 *   schema: "kprovengine.policy.v1",
 *   parity: { workflow, command: "make check" },
 * };
 * const node: YamlMap = {
 *   kind: "map",
 *   entries: [{
 *     key: "on",
 *     keyPosition: { line: 1, column: 1 },
 *     value: {
 *       kind: "seq",
 *       items: [{ kind: "scalar", value: "push", source: "push", position: { line: 1, column: 6 } }],
 *       position: { line: 1, column: 5 },
 *     },
 *   }],
 *   position: { line: 1, column: 1 },
 * };
 * const findings = PARITY.check({
 *   tracked: [{ path: workflow, kind: "file" }],
 *   contents: new Map(),
 *   yaml: new Map([[workflow, { ok: true, node }]]),
 *   hits: [],
 *   runningDeno: "2.9.6",
 *   governance: null,
 *   defaultBranch: "main",
 * }, policy);
 * assertEquals(new Set(findings.map(({ code }) => code)), new Set(["parity.missing"]));
 * ```
 */
export const PARITY: Guard = {
  name: "parity",
  isConfigured: (policy) => policy.parity !== undefined,
  wantsContent: isVersionFile,
  wantsYaml: (path, { parity }) => parity !== undefined && isCallable(path),
  check: (facts, policy) =>
    policy.parity === undefined ? [] : sortFindings(checkParity(facts, policy, policy.parity)),
};

/** Every path of a repository asks for the same. */
const usedRuntimes = new WeakMap<Policy, readonly RuntimeName[]>();

/** The runtimes on whose versions the command must run. */
function listRuntimes(policy: Policy, { command }: ParityPolicy): readonly RuntimeName[] {
  const remembered = usedRuntimes.get(policy);
  if (remembered !== undefined) return remembered;
  const runtimes = listDemands(parseGate(command), policy).map(({ runtime }) => runtime);
  usedRuntimes.set(policy, runtimes);
  return runtimes;
}

/** Whether setup actions can read a version of a runtime that counts from a file. */
function isVersionFile(path: string, policy: Policy): boolean {
  if (policy.parity === undefined) return false;
  return sourcesOf(path, policy, listRuntimes(policy, policy.parity))
    .some((source) => source.isVersionFile === true);
}

/** Workflows and actions that a workflow of the repository can call. */
function isCallable(path: string): boolean {
  return CALLABLE.test(path) && !/(?:^|\/)node_modules\//.test(path);
}

const CALLABLE = /^\.github\/workflows\/[^/]+\.ya?ml$|(?:^|\/)action\.ya?ml$/;

/** A way in which a change reaches the workflow: what is known of `github` then. */
interface Scenario {
  readonly event: "push" | "pull_request";
  readonly github: Value;
  /** Another way in which the same change reaches it: one of them is enough. */
  readonly otherwise: Scenario | null;
}

/** What decides which scenarios there are. */
interface ScenarioOptions {
  /** `https://github.com/owner/name` as the policy has it, or null. */
  readonly repository: string | null;
  /** The branch that everything is merged into, or null where that is not known. */
  readonly defaultBranch: string | null;
  /** Whether a push to any branch starts the workflow. */
  readonly isEveryPushGated: boolean;
  /** The types of pull request events that start it. */
  readonly types: readonly string[];
}

/**
 * Lists the ways in which a change reaches the workflow: by a push to the default branch, by a pull
 * request from a fork, and by one from the repository itself. The last needs no run of its own where
 * the push to its branch had one.
 */
function listScenarios(options: ScenarioOptions): Scenario[] {
  const { isEveryPushGated, defaultBranch } = options;
  const branchPush = makePush(options, { kind: "prefix", prefix: "refs/heads/" }, UNKNOWN);
  const ref: Value = defaultBranch === null
    ? { kind: "prefix", prefix: "refs/heads/" }
    : known(`refs/heads/${defaultBranch}`);
  return [
    makePush(options, ref, symbol("default branch", defaultBranch)),
    makePullRequest(options, true, null),
    makePullRequest(options, false, isEveryPushGated ? branchPush : null),
  ];
}

function symbol(name: string, text: string | null): Value {
  return { kind: "symbol", name, text };
}

/** What `github` and `github.event` hold in every case. */
function describeRepository({ repository, defaultBranch }: ScenarioOptions): {
  readonly github: Readonly<Record<string, Value>>;
  readonly event: Readonly<Record<string, Value>>;
  readonly fullName: Value;
  readonly owner: Value;
} {
  const match = /^https:\/\/[^/]+\/([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository ?? "");
  const [, owner = null, name = null] = match ?? [];
  const fullName = symbol("repository", owner && `${owner}/${name}`);
  const ownerName = symbol("owner", owner);
  return {
    github: { repository: fullName, repository_owner: ownerName, ref_type: known("branch") },
    event: {
      repository: makeContext({
        full_name: fullName,
        fork: known(false),
        default_branch: symbol("default branch", defaultBranch),
      }),
      schedule: known(null),
      inputs: known(null),
    },
    fullName,
    owner: ownerName,
  };
}

function makePush(options: ScenarioOptions, ref: Value, name: Value): Scenario {
  const { github, event } = describeRepository(options);
  return {
    event: "push",
    otherwise: null,
    github: makeContext({
      ...github,
      event_name: known("push"),
      ref,
      ref_name: name,
      head_ref: known(""),
      base_ref: known(""),
      event: makeContext({
        ...event,
        action: known(null),
        deleted: known(false),
        pull_request: known(null),
      }),
    }),
  };
}

function makePullRequest(
  options: ScenarioOptions,
  isFromFork: boolean,
  otherwise: Scenario | null,
): Scenario {
  const { github, event, fullName, owner } = describeRepository(options);
  const { types, defaultBranch } = options;
  const headOwner = isFromFork ? symbol("owner of the fork", null) : owner;
  const headName = isFromFork ? symbol("fork", null) : fullName;
  const base = symbol("default branch", defaultBranch);
  return {
    event: "pull_request",
    otherwise,
    github: makeContext({
      ...github,
      event_name: known("pull_request"),
      ref: { kind: "prefix", prefix: "refs/pull/" },
      base_ref: base,
      event: makeContext({
        ...event,
        action: { kind: "one_of", values: ["opened", "synchronize", "reopened"] },
        pull_request: makeContext({
          merged: known(false),
          // A draft cannot be merged, and is gated when it is made ready.
          draft: types.includes("ready_for_review") ? known(false) : UNKNOWN,
          base: makeContext({ ref: base, repo: makeContext({ full_name: fullName }) }),
          head: makeContext({
            label: isFromFork ? { kind: "foreign" } : UNKNOWN,
            user: makeContext({ login: headOwner }),
            repo: makeContext({
              full_name: headName,
              fork: known(isFromFork),
              owner: makeContext({ login: headOwner }),
            }),
          }),
        }),
      }),
    }),
  };
}

/** What one way of reaching the workflow is held against. */
interface Search {
  readonly facts: RepositoryFacts;
  readonly root: YamlNode;
  readonly parity: ParityPolicy;
  readonly gate: Gate;
  readonly demands: readonly Demand[];
  readonly files: VersionFiles;
  readonly rules: CheckerRules;
}

function checkParity(facts: RepositoryFacts, policy: Policy, parity: ParityPolicy): Finding[] {
  const root = readWorkflow(facts, parity);
  if ("code" in root) return [root];
  const defaultBranch = facts.defaultBranch ?? null;
  const triggers = readTriggers(parity.workflow, root, defaultBranch);
  const repository = policy.identity?.repository ?? null;
  const { isEveryPushGated, types, missing, present, swallowed } = triggers;
  const gated = present.length > 0 ? present : ["push", "pull_request"];
  const scenarios = listScenarios({ repository, defaultBranch, isEveryPushGated, types })
    .filter(({ event }) => gated.includes(event));
  const gate = parseGate(parity.command);
  if (gate.parts.size === 0) {
    const reason = `Cannot use the policy's command ${quote(parity.command)}: it runs nothing`;
    throw new KprovError("policy", reason, { hint: "name the command that people run" });
  }
  const search: Search = {
    facts,
    root,
    parity,
    gate,
    demands: listDemands(gate, policy),
    files: readVersionFiles(facts, policy, listRuntimes(policy, parity)),
    rules: readRules(gate, policy, parity),
  };
  return dropRepeated([
    ...missing.map((fault) => report("parity.missing", fault, HINT_TRIGGERS)),
    ...swallowed.map((fault) => report("parity.swallowed", fault, HINT_FILTERS)),
    ...scenarios.flatMap((scenario) => checkScenario(scenario, search)),
  ]);
}

function readRules(gate: Gate, policy: Policy, { checkers = [] }: ParityPolicy): CheckerRules {
  const steps = (policy.preflight?.steps ?? []).map(canonicalCommand);
  return {
    added: checkers.map(readChecker),
    allowed: new Set([...gate.parts, ...steps]),
    scripts: new Map(),
  };
}

function readChecker(checker: string): readonly string[] {
  const [only] = listCommands(checker);
  if (only !== undefined) return only.words;
  const reason = `Cannot use the policy's checker ${quote(checker)}: it names no command`;
  throw new KprovError("policy", reason, {
    hint: "name a program, with its first words if need be",
  });
}

const HINT_TRIGGERS = "write on: [push, pull_request]";
const HINT_FILTERS = "drop the filter, or let every change of the default branch through";
const HINT_EXTRA = "move the check into the command, so that people run it as well";

/** Where GitHub looks for workflows: in no directory below, and in no other place. */
const WORKFLOW = /^\.github\/workflows\/[^/]+\.ya?ml$/;

function readWorkflow(facts: RepositoryFacts, parity: ParityPolicy): YamlNode | Finding {
  if (!WORKFLOW.test(parity.workflow)) {
    return makeFinding("parity.missing", "GitHub runs no workflow at this path", {
      path: parity.workflow,
      hint: "name a .yml or .yaml file in .github/workflows",
    });
  }
  if ("code" in facts.tracked) return makeFinding(facts.tracked.code, facts.tracked.message);
  const isTracked = facts.tracked.some(({ path }) => path === parity.workflow);
  if (!isTracked) return reportMissing(parity, "the workflow is not tracked by git");
  const result = facts.yaml.get(parity.workflow);
  if (result === undefined) return reportMissing(parity, "the workflow was not gathered");
  if (result.ok) return result.node;
  const { message, line, column } = result;
  return { ...reportMissing(parity, `the workflow cannot be read: ${message}`), line, column };
}

function reportMissing({ workflow, command }: ParityPolicy, reason: string): Finding {
  return makeFinding("parity.missing", reason, {
    path: workflow,
    hint: `add a workflow that runs ${escapeText(command)} on push and pull_request`,
  });
}

/** One way in which a change is gated is enough, where there are two. */
function checkScenario(scenario: Scenario, search: Search): Finding[] {
  const { parity, root, facts, gate, rules } = search;
  const inputs: Value = { kind: "context", get: () => known(null) };
  const contexts = new Map([["github", scenario.github], ["inputs", inputs]]);
  const workflow = expandWorkflow(parity.workflow, root, facts.yaml, contexts);
  if (workflow.isReduced || workflow.isCut) {
    return [reportMissing(parity, "it has too many steps to be judged")];
  }
  const gates = checkGate(workflow, scenario.event, search);
  const { otherwise } = scenario;
  const other = gates.length > 0 && otherwise !== null ? checkScenario(otherwise, search) : null;
  return [
    ...(other?.every(({ code }) => code === "parity.extra_gate") ? [] : gates),
    ...findExtraGates(workflow.jobs, gate, rules).map(reportExtra),
  ];
}

function checkGate(workflow: ExpandedWorkflow, event: string, search: Search): Finding[] {
  const { gate, demands, files } = search;
  const runs = findGateRuns(workflow.jobs, gate, event);
  return runs.length === 0
    ? reportNoRun(workflow, search)
    : checkCoverage(runs, gate, demands, files);
}

function reportNoRun({ jobs, unfollowed }: ExpandedWorkflow, search: Search): Finding[] {
  const { gate, parity } = search;
  const step = `- run: ${escapeText(gate.text)}`;
  const embedded = findEmbedded(jobs, gate);
  if (embedded.length > 0) {
    return embedded.map((remark) =>
      report("parity.missing", remark, `give it a step of its own: ${step}`)
    );
  }
  const hint = `add a step of its own: ${step}`;
  const message = `no step runs ${quote(parity.command)}`;
  const [called] = unfollowed;
  if (called === undefined) {
    return [makeFinding("parity.missing", message, { path: parity.workflow, hint })];
  }
  const place = { ...called, message: `${message}, and ${called.message}` };
  return [report("parity.missing", place, hint)];
}

function reportExtra(remark: Remark): Finding {
  const message = `${remark.message} checks something that the command does not`;
  return report("parity.extra_gate", { ...remark, message }, HINT_EXTRA);
}

function report(code: string, { message, place }: Remark, hint: string | null): Finding {
  const { line, column } = place.position;
  return makeFinding(code, message, { path: place.path, line, column, hint });
}

/** Of what hides or doubles the gate, the first of a kind is told at each place. */
function dropRepeated(findings: readonly Finding[]): Finding[] {
  const kept = new Map<string, Finding>();
  for (const finding of findings.toSorted((a, b) => compareUtf8(a.message, b.message))) {
    const { code, path, line, column, message } = finding;
    const isOnePerPlace = code === "parity.swallowed" || code === "parity.extra_gate";
    const key = JSON.stringify([code, path, line, column, isOnePerPlace ? null : message]);
    if (!kept.has(key)) kept.set(key, finding);
  }
  return [...kept.values()];
}

/**
 * Finds checks that the workflow makes and the command does not: commands and actions that are known
 * to check. What cannot fail the workflow is no gate; the command's own parts and the steps of the
 * policy's preflight are none either, but in another directory they check something else. Of each
 * step the first counts, whatever its job's matrix makes of it.
 */
function findExtraGates(jobs: readonly Job[], gate: Gate, rules: CheckerRules): Remark[] {
  const found = new Map<string, Remark>();
  const decided = new Map<JobSpec, JobOutcome>();
  for (const job of jobs) {
    if (decideJob(job.spec, decided).outcome === "false") continue;
    if (job.continueOnError.outcome === "true") continue;
    for (const step of job.steps) {
      const { path, position } = step.place;
      const key = `${path} ${position.line} ${position.column}`;
      if (found.has(key) || !canFail(step)) continue;
      const what = findCheck(step, gate, rules);
      if (what !== null) found.set(key, { message: what, place: step.place });
    }
  }
  return [...found.values()];
}

function canFail({ conditions, continueOnError }: Step): boolean {
  return conditions.every(({ outcome }) => outcome !== "false") &&
    continueOnError.every(({ outcome }) => outcome !== "true");
}

/** Programs that read a script and are no shell: what they are given holds no commands. */
const NO_SHELL =
  /^(?:.*[\\/])?(?:python|pypy|node|deno|ruby|perl|php|julia|Rscript)[\d.]*(?:\.exe)?\b/;

function findCheck(step: Step, gate: Gate, rules: CheckerRules): string | null {
  if (step.uses !== null) {
    const uses = textOfScalar(step.uses);
    return findAction(step, uses, rules) ?? findGiven(step, uses, rules);
  }
  if (step.run === null || NO_SHELL.test(step.shell?.text ?? "")) return null;
  // What only the run knows stands in the script as it is written.
  const text = resolveText(step.run, step.scope).pieces.map((piece) => piece.text).join("");
  const isRoot = isAtRoot(step);
  const key = `${isRoot} ${text}`;
  const remembered = rules.scripts.get(key);
  if (remembered !== undefined) return remembered;
  const found = isRoot && isGateScript(text, gate) ? null : findCommand(text, isRoot, rules);
  const shown = found === null ? null : showText(found.join(" "));
  rules.scripts.set(key, shown);
  return shown;
}

/** A command that an action is given to run, as those that repeat a command are. */
function findGiven({ node, scope }: Step, uses: string, rules: CheckerRules): string | null {
  // What this one runs is JavaScript.
  if (/^actions\/github-script@/i.test(uses)) return null;
  const inputs = getYamlValue(node, "with");
  const read = (name: string): string =>
    resolveSetting(getYamlValue(inputs, name), scope)?.pieces.map((it) => it.text).join("") ?? "";
  const program = programOfAction(uses);
  for (const name of ["command", "run", "script", "cmd", "arguments"]) {
    const text = read(name);
    if (text === "") continue;
    const script = program === "" ? text : `${program} ${text} ${read("args")}`;
    const found = findCommand(script, true, rules);
    if (found !== null) return showText(found.join(" "));
  }
  return null;
}

function findCommand(text: string, isRoot: boolean, rules: CheckerRules): readonly string[] | null {
  const nothing = { ...rules, allowed: new Set<string>() };
  const found = listCommands(text).find(({ words, isLost, isElsewhere }) =>
    !isLost && isChecker(words, isRoot && !isElsewhere ? rules : nothing)
  );
  return found?.words ?? null;
}

function findAction(step: Step, uses: string, { allowed }: CheckerRules): string | null {
  const command = findActionCommand(step);
  if (command !== null && allowed.has(canonicalCommand(command))) return null;
  const runsTests = resolveSetting(
    getYamlValue(getYamlValue(step.node, "with"), "runTests"),
    step.scope,
  );
  // The action of Cypress only installs it then.
  if (runsTests?.text === "false") return null;
  return isCheckingAction(uses) ? showText(uses) : null;
}
