import { showText } from "../../base/quote.ts";
import { type ResolvedText, resolveText, type Scope } from "../workflow/workflow_expression.ts";
import {
  getYamlValue,
  type Position,
  textOfScalar,
  type YamlNode,
  type YamlScalar,
} from "../yaml_node.ts";
import {
  type Claim,
  claimFloating,
  claimVersion,
  type Declaration,
  type RuntimeName,
} from "./declaration.ts";

/** An action that installs a runtime, and the inputs that say which version. */
interface SetupAction {
  readonly name: string;
  readonly runtime: RuntimeName;
  readonly versionInput: string;
  readonly fileInput: string;
  /** The file that it reads where no input says anything. */
  readonly defaultFile: string | null;
}

const SETUP_ACTIONS: readonly SetupAction[] = [
  {
    name: "denoland/setup-deno",
    runtime: "deno",
    versionInput: "deno-version",
    fileInput: "deno-version-file",
    defaultFile: null,
  },
  {
    name: "actions/setup-node",
    runtime: "node",
    versionInput: "node-version",
    fileInput: "node-version-file",
    defaultFile: null,
  },
  {
    name: "actions/setup-python",
    runtime: "python",
    versionInput: "python-version",
    fileInput: "python-version-file",
    defaultFile: ".python-version",
  },
];

/** Which files of the repository declare which runtime; their own declarations are judged there. */
export interface DeclaringFiles {
  readonly has: (runtime: RuntimeName, path: string) => boolean;
}

/** Where a step stands and what it can refer to. */
export interface StepContext {
  readonly path: string;
  /** One scope for each combination of the job's matrix. */
  readonly scopes: readonly Scope[];
  readonly files: DeclaringFiles;
}

/**
 * Reads what a step with a setup action declares.
 *
 * @param uses The step's `uses`
 * @param step The step
 * @param context Where it stands
 */
export function readSetupStep(
  uses: YamlScalar,
  step: YamlNode,
  context: StepContext,
): Declaration[] {
  const name = textOfScalar(uses).split("@", 1)[0]?.trim().toLowerCase();
  const action = SETUP_ACTIONS.find((candidate) => candidate.name === name);
  // A matrix that leaves nothing over runs nothing.
  if (action === undefined || context.scopes.length === 0) return [];
  const inputs = getYamlValue(step, "with");
  const version = findInput(inputs, action.versionInput);
  const file = findInput(inputs, action.fileInput);
  const versions = readInput(version, context.scopes);
  const files = readInput(file, context.scopes);
  return [
    ...versions.filter(isGiven).flatMap((text) => declareVersions(action, text, context)),
    ...files.filter(isGiven).flatMap((text) => declareFile(action, text, context)),
    ...declareMissing(action, versions, files, context, (version ?? uses).position),
  ];
}

/** Input names are the same to GitHub in either case. */
function findInput(inputs: YamlNode | null, name: string): YamlNode | null {
  if (inputs?.kind !== "map") return null;
  return inputs.entries.find(({ key }) => key.toLowerCase() === name)?.value ?? null;
}

/** The texts that an input has over all combinations; a missing input has the empty text. */
function readInput(input: YamlNode | null, scopes: readonly Scope[]): ResolvedText[] {
  if (input === null) return [];
  if (input.kind !== "scalar") {
    const origin: YamlScalar = {
      kind: "scalar",
      value: "",
      source: "",
      position: input.position,
    };
    return [{ text: "", undecided: "it is not a text", origin }];
  }
  return resolveEverywhere(input, scopes);
}

/**
 * Resolves a value in every scope, each outcome once.
 *
 * @param scalar The value
 * @param scopes One for each combination of the matrix
 */
export function resolveEverywhere(
  scalar: YamlScalar,
  scopes: readonly Scope[],
): ResolvedText[] {
  const outcomes = new Map<string, ResolvedText>();
  for (const scope of scopes) {
    const resolved = resolveText(scalar, scope);
    const { line, column } = resolved.origin.position;
    outcomes.set(JSON.stringify([line, column, resolved.text, resolved.undecided]), resolved);
  }
  return [...outcomes.values()];
}

function isGiven({ text, undecided }: ResolvedText): boolean {
  return undecided !== null || text.trim() !== "";
}

function declareVersions(
  action: SetupAction,
  resolved: ResolvedText,
  context: StepContext,
): Declaration[] {
  const { text, undecided, origin } = resolved;
  if (undecided !== null) {
    return [declare(action, context.path, origin, claimFloating(undecided))];
  }
  // setup-python installs one version for each line.
  const versions = action.runtime === "python" ? text.split("\n") : [text];
  return versions.map((version) => version.trim()).filter((version) => version !== "")
    .map((version) => ({
      ...declare(action, context.path, origin, claimVersion(action.runtime, version)),
      text: version,
      ...explainNumber(origin, version),
    }));
}

function declareFile(
  action: SetupAction,
  { text, undecided, origin }: ResolvedText,
  { path, files }: StepContext,
): Declaration[] {
  if (undecided !== null) return [declare(action, path, origin, claimFloating(undecided))];
  const file = text.trim().replace(/^(?:\.\/+)+/, "");
  if (files.has(action.runtime, file)) return [];
  const reason = `the file ${showText(file)} is not tracked or declares no version of it`;
  return [{ ...declare(action, path, origin, claimFloating(reason)), text }];
}

function declareMissing(
  action: SetupAction,
  versions: readonly ResolvedText[],
  files: readonly ResolvedText[],
  context: StepContext,
  position: Position,
): Declaration[] {
  const isNamed = [versions, files].some((texts) => texts.length > 0 && texts.every(isGiven));
  const { name, runtime, defaultFile } = action;
  if (isNamed || (defaultFile !== null && context.files.has(runtime, defaultFile))) return [];
  const claim = claimFloating("it names no version");
  return [{ runtime, source: name, path: context.path, position, text: "", claim }];
}

function declare(
  { name, runtime }: SetupAction,
  path: string,
  origin: YamlScalar,
  claim: Claim,
): Declaration {
  return { runtime, source: name, path, position: origin.position, text: origin.source, claim };
}

/** A plain `3.10` is a number to YAML, and the action gets its shortest form. */
function explainNumber(origin: YamlScalar, text: string): { note?: string } {
  if (typeof origin.value !== "number" || origin.source === text) return {};
  return { note: `YAML reads the number ${showText(origin.source)} as ${text}` };
}
