import { type ResolvedText, resolveText, type Scope } from "../actions/expression.ts";
import { readDefaultInputs, type Step } from "../actions/steps.ts";
import { readSetupStep, type VersionFiles } from "../actions/setup_action.ts";
import { type ExpandedWorkflow, expandWorkflow, type Job } from "../actions/workflow.ts";
import {
  getYamlValue,
  textOfScalar,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "../actions/yaml.ts";
import { type Claim, claimFloating, claimVersion, type Declaration } from "./declaration.ts";
import { claimImage } from "./image.ts";
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
    declarations: read.flatMap((it) => readExpanded(it.path, it.node, it.workflow.jobs, files)),
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
  jobs: readonly Job[],
  files: VersionFiles,
): Declaration[] {
  const runs = getYamlValue(root, "runs");
  const found = [
    ...readUsing(path, getYamlValue(runs, "using")),
    ...readDockerAction(path, getYamlValue(runs, "image")),
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
  return [...readAction(step, files), ...readScript(step), ...readUvVariable(step)];
}

function readScript({ run, scope }: Step): Declaration[] {
  if (run === null) return [];
  const { pieces } = resolveText(run, scope);
  const script = pieces.map(({ text, isKnown }) => isKnown ? text : "$UNKNOWN").join("");
  const { path } = scope;
  return readInstallCommands(script).map((it) => ({ ...it, path, position: run.position }));
}

/** uv takes the Python that this variable names, whatever else is installed. */
function readUvVariable({ env, scope }: Step): Declaration[] {
  return env.flatMap(({ path, node }) => {
    const value = getYamlValue(node, "UV_PYTHON");
    if (value?.kind !== "scalar") return [];
    const { text, reason, origin } = resolveText(value, { ...scope, path });
    const claim: Claim = text === null
      ? claimFloating(reason ?? "it cannot be decided")
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
  return readSetupStep(step, files).filter(({ isFromFile }) => !isFromFile)
    .map(({ runtime, source, origin, text, claim, note }) => ({
      runtime,
      source,
      path: origin.path,
      position: origin.scalar.position,
      text,
      claim,
      ...(note === undefined ? {} : { note }),
    }));
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
