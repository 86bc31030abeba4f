import { showText } from "../../base/quote.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type RuntimeName,
} from "../runtime/declaration.ts";
import { type ResolvedText, resolveText } from "./expression.ts";
import type { Step } from "./steps.ts";
import type { Origin } from "./value.ts";
import { getYamlValue, textOfScalar, type YamlNode, type YamlScalar } from "./yaml.ts";

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
  ...listOptional("python", "python-version", [
    "astral-sh/setup-uv",
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
  const name = textOfScalar(uses).split("@", 1)[0]?.trim().toLowerCase();
  const action = SETUP_ACTIONS.find((candidate) => candidate.name === name);
  if (action === undefined) return [];
  const inputs = getYamlValue(step.node, "with");
  const version = findInput(inputs, action.versionInput);
  const file = action.fileInput === null ? null : findInput(inputs, action.fileInput);
  const versions = listGiven(version, step).flatMap((text) => claimVersions(action, text));
  const read = listGiven(file, step).flatMap((text) => claimFile(action, text, files));
  if (versions.length + read.length > 0) return [...read, ...versions];
  const origin: Origin = { path: scope.path, scalar: version?.kind === "scalar" ? version : uses };
  return claimMissing(action, origin, files);
}

/** Input names are the same to GitHub in either case. */
function findInput(inputs: YamlNode | null, name: string): YamlNode | null {
  if (inputs?.kind !== "map") return null;
  return inputs.entries.find(({ key }) => key.toLowerCase() === name)?.value ?? null;
}

/** The text of an input, where it has one. */
function listGiven(input: YamlNode | null, { scope }: Step): ResolvedText[] {
  if (input === null) return [];
  if (input.kind !== "scalar") {
    const scalar: YamlScalar = { kind: "scalar", value: "", source: "", position: input.position };
    const reason = "it is not a text";
    return [{ text: null, pieces: [], reason, origin: { path: scope.path, scalar } }];
  }
  const resolved = resolveText(input, scope);
  return resolved.text === null || resolved.text.trim() !== "" ? [resolved] : [];
}

function claimVersions(action: SetupAction, { text, reason, origin }: ResolvedText): SetupClaim[] {
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
  { name, runtime }: SetupAction,
  origin: Origin,
  reason: string | null,
): SetupClaim {
  const claim = claimFloating(reason ?? "it cannot be decided");
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
  if (isOptional) return [];
  const base = { runtime, source: name, origin, text: "" };
  const claims = defaultFile === null ? [] : files(runtime, defaultFile);
  if (claims.length > 0) return claims.map((claim) => ({ ...base, claim, isFromFile: true }));
  return [{ ...base, claim: claimFloating("it names no version"), isFromFile: false }];
}

/** A plain `3.10` is a number to YAML, and the action gets its shortest form. */
function explainNumber(scalar: YamlScalar, text: string): { note?: string } {
  if (typeof scalar.value !== "number" || scalar.source === text) return {};
  return { note: `YAML reads the number ${showText(scalar.source)} as ${text}` };
}
