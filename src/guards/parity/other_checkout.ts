import { showText } from "../../base/quote.ts";
import { getYamlValue, type YamlNode } from "../yaml_node.ts";
import { type Fault, placeOf } from "./place.ts";
import { resolveNode } from "./resolve_settings.ts";
import type { JobInstance, StepInstance } from "./workflow_model.ts";

/**
 * Finds checkouts before a step that put something else in the repository's place: a fixed ref, or
 * another repository. What is checked out into a directory of its own is something beside it.
 *
 * @param job The job
 * @param step The step, one of the job's
 */
export function findOtherCheckouts(job: JobInstance, step: StepInstance): Fault[] {
  return job.steps.slice(0, job.steps.indexOf(step)).flatMap((before) => {
    if (before.uses?.split("@", 1)[0]?.trim().toLowerCase() !== "actions/checkout") return [];
    const inputs = getYamlValue(before.node, "with");
    if (getYamlValue(inputs, "path") !== null) return [];
    return ["ref", "repository"].flatMap((name) => checkInput(getYamlValue(inputs, name), before));
  });
}

function checkInput(node: YamlNode | null, step: StepInstance): Fault[] {
  const value = resolveNode(node, step.scope);
  if (node === null || value === null || value.undecided !== null || value.text === "") return [];
  const message = `its job checks out ${showText(value.text)}, not what started the workflow`;
  return [{ message, place: placeOf(step.place.path, node) }];
}
