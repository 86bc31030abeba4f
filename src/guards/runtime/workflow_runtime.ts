import { showText } from "../../base/quote.ts";
import { type ResolvedText, resolveText, type Scope } from "../actions/expression.ts";
import { type ForeignCall, readDefaultInputs, type Step } from "../actions/steps.ts";
import { getPart, known, type Origin, textOf, UNKNOWN } from "../actions/value.ts";
import { type ExpandedWorkflow, expandWorkflow, type Job } from "../actions/workflow.ts";
import {
  getYamlValue,
  textOfScalar,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "../actions/yaml.ts";
import { claimImage } from "./container_files.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";
import { readInstallCommands } from "./install_command.ts";

/** What the repository's workflows and actions declare, and which have too many steps to tell. */
interface WorkflowDeclarations {
  readonly declarations: readonly Declaration[];
  /** Files that have more steps than are read. */
  readonly cut: readonly string[];
}

/**
 * Reads what workflows and actions declare: setup actions with the versions that matrices and callers
 * give them, and the images of containers, services and `uses: docker://…`. What a workflow of the
 * repository calls is read with what it is given; what none calls, with the defaults of its inputs.
 *
 * @param paths The workflows and actions
 * @param yaml Their content
 * @param files What version files declare, for inputs that name a file
 */
export function readWorkflows(
  paths: readonly string[],
  yaml: ReadonlyMap<string, YamlResult>,
  files: VersionFiles,
): WorkflowDeclarations {
  const expanded = paths.flatMap((path) => {
    const result = yaml.get(path);
    if (result?.ok !== true) return [];
    const { node } = result;
    const contexts = new Map([["inputs", readDefaultInputs(path, node)]]);
    return [{ path, node, workflow: expandWorkflow(path, node, yaml, contexts) }];
  });
  const called = listCalled(expanded);
  const roots = expanded.filter(({ path, node }) => !called.has(path) || startsByItself(node));
  const reached = listCalled(roots);
  // What only calls itself, in a circle, is read as well.
  const read = expanded.filter((it) => roots.includes(it) || !reached.has(it.path));
  return {
    declarations: read.flatMap((it) => readExpanded(it.path, it.node, it.workflow, files)),
    cut: read.filter(({ workflow }) => workflow.isCut).map(({ path }) => path),
  };
}

function listCalled(
  expanded: readonly { readonly path: string; readonly workflow: ExpandedWorkflow }[],
): Set<string> {
  return new Set(
    expanded.flatMap(({ path, workflow }) => [...workflow.called].filter((it) => it !== path)),
  );
}

/** Whether a workflow starts by anything but a call. */
function startsByItself(root: YamlNode): boolean {
  const on = getYamlValue(root, "on");
  const events = on?.kind === "map"
    ? on.entries.map(({ key }) => key)
    : (on?.kind === "seq" ? on.items : on === null ? [] : [on]).map((item) =>
      item.kind === "scalar" ? item.source : ""
    );
  return events.some((event) => event !== "workflow_call");
}

function readExpanded(
  path: string,
  root: YamlNode,
  { jobs, foreign }: ExpandedWorkflow,
  files: VersionFiles,
): Declaration[] {
  const runs = getYamlValue(root, "runs");
  const found = [
    ...readUsing(path, getYamlValue(runs, "using")),
    ...readDockerAction(path, getYamlValue(runs, "image")),
    ...foreign.flatMap((call) => readGiven(nameOfAction(call.uses), call).map(toDeclaration)),
    ...jobs.flatMap((job) => [
      ...readContainers(job),
      ...job.steps.flatMap((step) => readStep(step, files)),
    ]),
  ];
  // Every combination of a matrix brings the same up.
  return [...new Map(found.map((it) => [describe(it), it])).values()];
}

function describe({ runtime, source, path, position, text, claim, note }: Declaration): string {
  const reason = claim.kind === "floating" ? claim.reason : "";
  return JSON.stringify([runtime, source, path, position, text, reason, note]);
}

function readContainers({ node, scope }: Job): Declaration[] {
  const services = getYamlValue(node, "services");
  return [
    ...readContainer("container", getYamlValue(node, "container"), scope),
    ...(services?.kind === "scalar"
      ? readImage("services", services, scope)
      : (services?.kind === "map" ? services.entries : []).flatMap(({ value }) =>
        readContainer("services", value, scope)
      )),
  ];
}

/** `container: image` and `container: {image: …}` mean the same. */
function readContainer(source: string, container: YamlNode | null, scope: Scope): Declaration[] {
  if (container?.kind === "scalar") return readImage(source, container, scope);
  return readImage(`${source}.image`, getYamlValue(container, "image"), scope);
}

/** An action in JavaScript runs on the Node that it names: `node20`. */
function readUsing(path: string, using: YamlNode | null): Declaration[] {
  const text = using?.kind === "scalar" ? textOfScalar(using) : "";
  const [, version] = /^node(\d+)$/i.exec(text) ?? [];
  if (using === null || version === undefined) return [];
  const { position } = using;
  const claim = claimVersion("node", version);
  return [{ runtime: "node", source: "runs.using", path, position, text, claim }];
}

function readStep(step: Step, files: VersionFiles): Declaration[] {
  return [
    ...readAction(step, files),
    ...readCondaInput(step),
    ...readScript(step),
    ...readUvVariable(step),
  ];
}

function readScript({ run, scope }: Step): Declaration[] {
  if (run === null) return [];
  const { pieces } = resolveText(run, scope);
  const script = pieces.map(({ text, isKnown }) => isKnown ? text : "$UNKNOWN").join("");
  const { path } = scope;
  const env = scope.contexts.get("env") ?? UNKNOWN;
  const findVariable = (name: string): string | null => textOf(getPart(env, known(name))) || null;
  return readInstallCommands(script, findVariable)
    .map((it) => ({ ...it, path, position: run.position }));
}

/** uv takes the Python that this variable names, whatever else is installed. */
function readUvVariable({ env, scope }: Step): Declaration[] {
  return env.flatMap(({ path, node }) => {
    const value = getYamlValue(node, "UV_PYTHON");
    if (value?.kind !== "scalar") return [];
    const { text, reason, origin } = resolveText(value, { ...scope, path });
    const claim: Claim = text === null
      ? claimFloating(reason ?? "it cannot be determined")
      : claimVersion("python", text);
    return [{
      runtime: "python",
      source: "UV_PYTHON",
      path: origin.path,
      position: origin.scalar.position,
      text: text ?? value.source,
      claim,
    }];
  });
}

function readAction(step: Step, files: VersionFiles): Declaration[] {
  if (step.uses !== null && textOfScalar(step.uses).startsWith("docker://")) {
    return readImage("uses", step.uses, step.scope);
  }
  // What a version file says is judged where it stands.
  return [...readSetupStep(step, files), ...readOtherAction(step)]
    .filter(({ isFromFile }) => !isFromFile)
    .map(toDeclaration);
}

function toDeclaration(
  { runtime, source, origin, text, claim, note }: SetupClaim,
): Declaration {
  return {
    runtime,
    source,
    path: origin.path,
    position: origin.scalar.position,
    text,
    claim,
    ...(note === undefined ? {} : { note }),
  };
}

/** Inputs by which actions that are not known are told a version, and of what. */
export const TELLING_INPUTS: Readonly<Record<string, RuntimeName>> = {
  "deno-version": "deno",
  "node-version": "node",
  "node_version": "node",
  "python-version": "python",
  "python_version": "python",
};

/** The specs of conda packages that an action is given. */
function readCondaInput(step: Step): Declaration[] {
  const name = step.uses === null ? "" : nameOfAction(step.uses);
  const input = name === "mamba-org/setup-micromamba"
    ? findInput(getYamlValue(step.node, "with"), "create-args")
    : null;
  return listGiven(input, step).flatMap(({ pieces, origin }) => {
    const words = pieces.map(({ text, isKnown }) => isKnown ? text : "$UNKNOWN").join("");
    return readInstallCommands(`micromamba create ${words.replaceAll(/\s+/g, " ")}`)
      .map((it) => ({
        ...it,
        source: "create-args",
        path: origin.path,
        position: origin.scalar.position,
      }));
  });
}

/** Of an action that is not known only a version counts: what else it may be told, nobody knows. */
function readOtherAction(step: Step): SetupClaim[] {
  const name = step.uses === null ? null : nameOfAction(step.uses);
  if (name === null || name.startsWith("./") || findSetupAction(name) !== undefined) return [];
  return readGiven(name, step);
}

/** The versions in what an action, or a workflow of another repository, is given. */
function readGiven(name: string, caller: Pick<ForeignCall, "node" | "scope">): SetupClaim[] {
  const inputs = getYamlValue(caller.node, "with");
  return Object.entries(TELLING_INPUTS).flatMap(([input, runtime]) =>
    listGiven(findInput(inputs, input), caller).filter(({ text }) => text !== null)
      .flatMap((given) => claimVersions({ name, runtime }, given))
      .filter(({ claim }) => claim.kind !== "floating")
  );
}

/** The image of a Docker action is a file of the repository but where it says `docker://`. */
function readDockerAction(path: string, image: YamlNode | null): Declaration[] {
  if (image?.kind !== "scalar" || !textOfScalar(image).startsWith("docker://")) return [];
  return readImage("runs.image", image, { path, contexts: new Map() });
}

function readImage(source: string, image: YamlNode | null, scope: Scope): Declaration[] {
  return image?.kind === "scalar" ? claimResolved(source, image, resolveText(image, scope)) : [];
}

function claimResolved(
  source: string,
  image: YamlScalar,
  { text, pieces, reason, origin }: ResolvedText,
): Declaration[] {
  // An empty image means no container.
  const reference = text?.trim().replace(/^docker:\/\//, "");
  if (reference === "") return [];
  const { scalar, path } = origin;
  const written = reference ?? (scalar.source === "" ? image.source : scalar.source);
  return claimImage(pieces).map(({ runtime, claim }) => ({
    runtime,
    source,
    path,
    position: scalar.position,
    text: written,
    claim: reason === null || claim.kind !== "floating"
      ? claim
      : claimFloating(`${claim.reason}: ${reason}`),
  }));
}

/** An action that installs a runtime, and the inputs that say which version. */
interface SetupAction {
  readonly name: string;
  readonly runtime: RuntimeName;
  readonly versionInput: string;
  readonly fileInput: string | null;
  /** The file that it reads where no input says anything. */
  readonly defaultFile: string | null;
  /** Whether it is used without naming a version as well, as tools of another purpose are. */
  readonly isOptional: boolean;
}

/** An action, and the runtime that one of its inputs is about. */
type NamedAction = Pick<SetupAction, "name" | "runtime">;

/** The actions that are known; docs/governance.md names them. */
export const SETUP_ACTIONS: readonly SetupAction[] = [
  {
    name: "denoland/setup-deno",
    runtime: "deno",
    versionInput: "deno-version",
    fileInput: "deno-version-file",
    defaultFile: null,
    isOptional: false,
  },
  {
    name: "actions/setup-node",
    runtime: "node",
    versionInput: "node-version",
    fileInput: "node-version-file",
    defaultFile: null,
    isOptional: false,
  },
  {
    name: "actions/setup-python",
    runtime: "python",
    versionInput: "python-version",
    fileInput: "python-version-file",
    defaultFile: ".python-version",
    isOptional: false,
  },
  {
    name: "astral-sh/setup-uv",
    runtime: "python",
    versionInput: "python-version",
    fileInput: null,
    // uv itself reads it.
    defaultFile: ".python-version",
    isOptional: true,
  },
  ...listOptional("python", "python-version", [
    "conda-incubator/setup-miniconda",
    "deadsnakes/action",
    "pdm-project/setup-pdm",
  ]),
  ...listOptional("node", "node-version", ["volta-cli/action"]),
];

/** Actions of another purpose, which bring a runtime where they are told to. */
function listOptional(
  runtime: RuntimeName,
  versionInput: string,
  names: readonly string[],
): SetupAction[] {
  return names.map((name) => ({
    name,
    runtime,
    versionInput,
    fileInput: null,
    defaultFile: null,
    isOptional: true,
  }));
}

/** Gives what a version file of the repository declares of a runtime; none where it is no such file. */
export type VersionFiles = (runtime: RuntimeName, path: string) => readonly Claim[];

/** What a step says of a runtime that it sets up. */
interface SetupClaim {
  readonly runtime: RuntimeName;
  /** The action. */
  readonly source: string;
  /** Where it is written. */
  readonly origin: Origin;
  /** What is written there; empty where nothing is. */
  readonly text: string;
  readonly claim: Claim;
  /** What else explains it, without a final period, already safe to show. */
  readonly note?: string;
  /** Whether a file of the repository says it, whose own declarations are judged as well. */
  readonly isFromFile: boolean;
}

/**
 * Reads what a step with a setup action declares, in one combination of its job's matrix.
 *
 * @param step The step
 * @param files What the repository's version files declare
 * @returns In the order in which they are set up: the last is the one that is found first
 */
export function readSetupStep(step: Step, files: VersionFiles): SetupClaim[] {
  const { uses, scope } = step;
  if (uses === null) return [];
  const action = findSetupAction(nameOfAction(uses));
  if (action === undefined) return [];
  const inputs = getYamlValue(step.node, "with");
  const version = findInput(inputs, action.versionInput);
  const file = action.fileInput === null ? null : findInput(inputs, action.fileInput);
  const versions = listGiven(version, step).flatMap((text) => claimVersions(action, text));
  // A version counts more than a file that is named beside it.
  if (versions.length > 0) return versions;
  const read = listGiven(file, step).flatMap((text) => claimFile(action, text, files));
  if (read.length > 0) return read;
  const origin: Origin = { path: scope.path, scalar: version?.kind === "scalar" ? version : uses };
  return claimMissing(action, origin, files);
}

function nameOfAction(uses: YamlScalar): string {
  return (textOfScalar(uses).split("@", 1)[0] ?? "").trim().toLowerCase();
}

function findSetupAction(name: string): SetupAction | undefined {
  return SETUP_ACTIONS.find((candidate) => candidate.name === name);
}

/** Input names are the same to GitHub in either case. */
function findInput(inputs: YamlNode | null, name: string): YamlNode | null {
  if (inputs?.kind !== "map") return null;
  return inputs.entries.find(({ key }) => key.toLowerCase() === name)?.value ?? null;
}

/** The text of an input, where it has one. */
function listGiven(
  input: YamlNode | null,
  { scope }: Pick<ForeignCall, "scope">,
): ResolvedText[] {
  if (input === null) return [];
  if (input.kind !== "scalar") {
    const scalar: YamlScalar = { kind: "scalar", value: "", source: "", position: input.position };
    const reason = "it is not a text";
    return [{ text: null, pieces: [], reason, origin: { path: scope.path, scalar } }];
  }
  const resolved = resolveText(input, scope);
  return resolved.text === null || resolved.text.trim() !== "" ? [resolved] : [];
}

function claimVersions(action: NamedAction, { text, reason, origin }: ResolvedText): SetupClaim[] {
  const { name, runtime } = action;
  if (text === null) return [claimUndecided(action, origin, reason)];
  // setup-python installs one version for each line.
  const versions = runtime === "python" ? text.split("\n") : [text];
  return versions.map((version) => version.trim()).filter((version) => version !== "")
    .map((version) => ({
      runtime,
      source: name,
      origin,
      text: version,
      claim: claimVersion(runtime, version),
      isFromFile: false,
      ...explainNumber(origin.scalar, version),
    }));
}

function claimUndecided(
  { name, runtime }: NamedAction,
  origin: Origin,
  reason: string | null,
): SetupClaim {
  const claim = claimFloating(reason ?? "it cannot be determined");
  return { runtime, source: name, origin, text: origin.scalar.source, claim, isFromFile: false };
}

function claimFile(
  action: SetupAction,
  { text, reason, origin }: ResolvedText,
  files: VersionFiles,
): SetupClaim[] {
  if (text === null) return [claimUndecided(action, origin, reason)];
  const { name, runtime } = action;
  const file = text.trim().replace(/^(?:\.\/+)+/, "");
  const base = { runtime, source: name, origin, text };
  const claims = files(runtime, file);
  if (claims.length > 0) return claims.map((claim) => ({ ...base, claim, isFromFile: true }));
  const missing = `the file ${showText(file)} is not tracked or declares no version of it`;
  return [{ ...base, claim: claimFloating(missing), isFromFile: false }];
}

function claimMissing(action: SetupAction, origin: Origin, files: VersionFiles): SetupClaim[] {
  const { name, runtime, defaultFile, isOptional } = action;
  const base = { runtime, source: name, origin, text: "" };
  const claims = defaultFile === null ? [] : files(runtime, defaultFile);
  if (claims.length > 0) return claims.map((claim) => ({ ...base, claim, isFromFile: true }));
  return isOptional
    ? []
    : [{ ...base, claim: claimFloating("it names no version"), isFromFile: false }];
}

/** A plain `3.10` is a number to YAML, and the action gets its shortest form. */
function explainNumber(scalar: YamlScalar, text: string): { note?: string } {
  if (typeof scalar.value !== "number" || scalar.source === text) return {};
  return { note: `YAML reads the number ${showText(scalar.source)} as ${text}` };
}
