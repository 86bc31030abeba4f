import type { Combination, Scope } from "../workflow/workflow_expression.ts";
import { expandMatrix } from "../workflow/workflow_matrix.ts";
import { getYamlValue, textOfScalar, type YamlNode, type YamlScalar } from "../yaml_node.ts";
import { claimFloating, type Declaration } from "./declaration.ts";
import { claimImage } from "./dockerfile.ts";
import {
  type DeclaringFiles,
  readSetupStep,
  resolveEverywhere,
  type StepContext,
} from "./setup_action.ts";

/** Most steps of a job over all its combinations. */
const MAX_STEPS = 2 ** 17;

/**
 * Reads what a workflow or an action declares: setup actions with the versions that the matrix gives
 * them, and the images of containers, services and `uses: docker://…`.
 *
 * @param path The file's path
 * @param root Its content
 * @param files Which files declare which runtime, for inputs that name a file
 */
export function readWorkflow(
  path: string,
  root: YamlNode,
  files: DeclaringFiles,
): Declaration[] {
  const env = present(getYamlValue(root, "env"));
  const jobs = getYamlValue(root, "jobs");
  const runs = getYamlValue(root, "runs");
  // An action is called from jobs that this file does not know.
  const anywhere: Scope = { matrix: { kind: "undecided" }, env: [] };
  return [
    ...listValues(jobs).flatMap((job) => readJob(job, { path, files, env })),
    ...readSteps(getYamlValue(runs, "steps"), { path, files, scopes: [anywhere] }),
    ...readImage("runs.image", getYamlValue(runs, "image"), { path, files, scopes: [anywhere] }),
  ];
}

/** What a job inherits from its workflow. */
interface JobContext {
  readonly path: string;
  readonly files: DeclaringFiles;
  readonly env: readonly YamlNode[];
}

function present(node: YamlNode | null): YamlNode[] {
  return node === null || (node.kind === "scalar" && node.value === null) ? [] : [node];
}

function listValues(node: YamlNode | null): YamlNode[] {
  return node?.kind === "map" ? node.entries.map((entry) => entry.value) : [];
}

function readJob(job: YamlNode, { path, files, env }: JobContext): Declaration[] {
  const layers = [...present(getYamlValue(job, "env")), ...env];
  const scopes = listCombinations(job).map((matrix): Scope => ({ matrix, env: layers }));
  const context: StepContext = { path, files, scopes };
  const services = getYamlValue(job, "services");
  return [
    ...readContainer("container", getYamlValue(job, "container"), context),
    ...(services?.kind === "scalar"
      ? readImage("services", services, context)
      : listValues(services).flatMap((service) => readContainer("services", service, context))),
    ...readSteps(getYamlValue(job, "steps"), context),
  ];
}

/** The combinations of a job's matrix, as far as there are not too many of them for its steps. */
function listCombinations(job: YamlNode): readonly Combination[] {
  const combinations = expandMatrix(getYamlValue(getYamlValue(job, "strategy"), "matrix"));
  const steps = getYamlValue(job, "steps");
  const count = steps?.kind === "seq" ? steps.items.length : 0;
  return combinations.length * count > MAX_STEPS ? [{ kind: "undecided" }] : combinations;
}

/** `container: image` and `container: {image: …}` mean the same. */
function readContainer(
  source: string,
  container: YamlNode | null,
  context: StepContext,
): Declaration[] {
  if (container?.kind === "scalar") return readImage(source, container, context);
  return readImage(`${source}.image`, getYamlValue(container, "image"), context);
}

function readSteps(steps: YamlNode | null, context: StepContext): Declaration[] {
  if (steps?.kind !== "seq") return [];
  return steps.items.flatMap((step) => {
    const uses = getYamlValue(step, "uses");
    if (uses?.kind !== "scalar") return [];
    const own = present(getYamlValue(step, "env"));
    const scopes = context.scopes.map(({ matrix, env }) => ({ matrix, env: [...own, ...env] }));
    return textOfScalar(uses).startsWith("docker://")
      ? readImage("uses", uses, context)
      : readSetupStep(uses, step, { ...context, scopes });
  });
}

function readImage(
  source: string,
  image: YamlNode | null,
  { path, scopes }: StepContext,
): Declaration[] {
  if (image?.kind !== "scalar") return [];
  return resolveEverywhere(image, scopes).flatMap(({ text, undecided, origin }) => {
    const reference = text.trim().replace(/^docker:\/\//, "");
    // An empty image means no container; the file of a Docker action is read as what it is.
    if (reference === "" || isDockerfile(source, image)) return [];
    const named = claimImage(reference);
    if (named === null) return [];
    const isDecided = undecided === null || named.claim.kind !== "floating";
    const claim = isDecided ? named.claim : claimFloating(`${named.claim.reason}: ${undecided}`);
    return [{
      runtime: named.runtime,
      source,
      path,
      position: origin.position,
      text: undecided === null ? reference : origin.source,
      claim,
    }];
  });
}

/** The image of a Docker action is a file of the repository but where it says `docker://`. */
function isDockerfile(source: string, image: YamlScalar): boolean {
  return source === "runs.image" && !textOfScalar(image).startsWith("docker://");
}
