import { decodeUtf8 } from "../../base/strict_json.ts";
import type { FileContent } from "../guard.ts";
import { type Claim, claimFloating, claimVersion } from "../runtime/declaration.ts";
import { claimImage } from "../runtime/dockerfile.ts";
import { readVersionFile, runtimesOfVersionFile } from "../runtime/manifests.ts";
import type { Outcome } from "../workflow/expression_value.ts";
import { type ResolvedText, resolveText } from "../workflow/workflow_expression.ts";
import { getYamlValue } from "../yaml_node.ts";
import { resolveNode } from "./resolve_settings.ts";
import type { JobInstance, StepInstance } from "./workflow_model.ts";

/** Contents of the repository's version files. */
export type Contents = ReadonlyMap<string, FileContent>;

/** Whether a file can declare a version of Deno that a setup action reads. */
export function isDenoVersionFile(path: string): boolean {
  return runtimesOfVersionFile(path.slice(path.lastIndexOf("/") + 1)).includes("deno");
}

/**
 * Tells which Deno a step finds: what the last step before it installs that surely runs, or what the
 * job's container brings.
 *
 * @param job The job
 * @param step The step, one of the job's
 * @param runs Tells whether a step runs
 * @param contents The version files
 * @returns Null where nothing installs any
 */
export function findInstalledDeno(
  job: JobInstance,
  step: StepInstance,
  runs: (step: StepInstance) => Outcome,
  contents: Contents,
): Claim | null {
  let claim = readContainer(job.container);
  for (const before of job.steps.slice(0, job.steps.indexOf(step) + 1)) {
    const installed = readSetup(before, contents) ?? readScript(before);
    if (installed === null) continue;
    const outcome = runs(before);
    if (outcome === "true") claim = installed;
    if (outcome === "unknown") claim = claimFloating("only the run knows whether it is installed");
  }
  return claim;
}

function readContainer(image: ResolvedText | null): Claim | null {
  if (image === null || image.undecided !== null) return null;
  const named = claimImage(image.text.trim());
  return named?.runtime === "deno" ? named.claim : null;
}

function readSetup({ uses, node, scope }: StepInstance, contents: Contents): Claim | null {
  if (uses?.split("@", 1)[0]?.trim().toLowerCase() !== "denoland/setup-deno") return null;
  const inputs = getYamlValue(node, "with");
  const version = resolveNode(getYamlValue(inputs, "deno-version"), scope);
  if (version !== null && version.text !== "") return claimText(version);
  const file = resolveNode(getYamlValue(inputs, "deno-version-file"), scope);
  if (file === null || file.text === "") return claimFloating("it names no version");
  if (file.undecided !== null) return claimFloating(file.undecided);
  return readFile(file.text.trim().replace(/^(?:\.\/+)+/, ""), contents);
}

function claimText({ text, undecided }: ResolvedText): Claim {
  return undecided === null ? claimVersion("deno", text) : claimFloating(undecided);
}

function readFile(path: string, contents: Contents): Claim {
  const content = contents.get(path);
  if (content?.ok !== true || content.bytes.length > 2 ** 16) {
    return claimFloating("its version file cannot be read");
  }
  try {
    const declarations = readVersionFile(path, decodeUtf8(content.bytes))
      .filter(({ runtime }) => runtime === "deno");
    return declarations[0]?.claim ?? claimFloating("its version file names no version");
  } catch {
    return claimFloating("its version file cannot be read");
  }
}

/** How scripts install Deno: from npm, by the installer's own script, and by Deno itself. */
const INSTALLERS: readonly RegExp[] = [
  /(?:^|[\s"'])deno@([\w.~^*-]+)/,
  /deno\.land\/(?:x\/install\/)?install\.sh.{0,60}?\s(v?\d+\.\d+\.\d+\S*)/,
  /(?:^|\s)deno upgrade(?: --version)?[ =](v?\d+\.\d+\.\d+\S*)/,
];

function readScript({ run, scope }: StepInstance): Claim | null {
  if (run === null) return null;
  const { text, undecided } = resolveText(run, scope);
  for (const installer of INSTALLERS) {
    const version = installer.exec(text)?.[1];
    if (version !== undefined) return claimVersion("deno", version);
    const isUndecided = undecided !== null && /(?:^|[\s"'])deno@/.test(run.source);
    if (isUndecided) return claimFloating(undecided);
  }
  return null;
}
