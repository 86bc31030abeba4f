import { forEachChild, parse, type PipelineNode, type SyntaxNode } from "unbash";
import {
  type Condition,
  evaluateNode,
  evaluateScalar,
  readCondition,
  type ResolvedText,
  resolveText,
  type Scope,
  withContext,
} from "./expression.ts";
import { known, textOf, UNKNOWN, type Value } from "./value.ts";
import {
  getYamlValue,
  type Position,
  textOfScalar,
  type YamlMap,
  type YamlNode,
  type YamlResult,
  type YamlScalar,
} from "./yaml.ts";

/** A command of a script. */
interface ShellCommand {
  /** Without assignments and redirections before it, quotation marks taken off. */
  readonly words: readonly string[];
  /** Whether `||` behind it, or an `if` that asks for it, takes its failure away. */
  readonly isLost: boolean;
  /** Whether `cd` or `pushd` may have left the directory before it. */
  readonly isElsewhere: boolean;
}

/** Longest script that is parsed, in UTF-16 code units; what is longer is read line by line. */
const MAX_LENGTH = 2 ** 16;
/** Deepest nesting that is followed. */
const MAX_SCRIPT_DEPTH = 200;

type Script = ReturnType<typeof parse>;

/** A script's tree, and whether all of it could be read. */
interface ParsedScript {
  readonly script: Script;
  readonly isExact: boolean;
}

/** A script's tree; null where it is too long or nests too deep. */
function parseScript(text: string): ParsedScript | null {
  if (text.length > MAX_LENGTH) return null;
  return withinStack(() => {
    const script = parse(text);
    return { script, isExact: isShallow(script) };
  });
}

/** The parser calls itself, and ends with a `RangeError` where a script nests too deep for that. */
function withinStack<T>(run: () => T): T | null {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Whether all of a tree can be followed, and nothing in it is broken. */
function isShallow(node: SyntaxNode, depth = 0): boolean {
  if (depth > MAX_SCRIPT_DEPTH) return false;
  let isFine = !("errors" in node && (node.errors?.length ?? 0) > 0);
  forEachChild(node, (child) => {
    isFine = isFine && isShallow(child, depth + 1);
  });
  return isFine;
}

/**
 * Lists the commands of a script, in order, those in substitutions, blocks and functions included.
 * What is no script of a POSIX shell is read line by line as well.
 *
 * @param text The script
 */
export function listCommands(text: string): ShellCommand[] {
  return readCommands(text, 0);
}

/** Most scripts in here-documents of each other; more are no accident. */
const MAX_DOCUMENTS = 4;

function readCommands(text: string, documents: number): ShellCommand[] {
  const parsed = parseScript(text);
  const commands = parsed === null ? [] : collectCommands(parsed.script, text, documents);
  return parsed?.isExact === true ? commands : [...commands, ...splitLines(text)];
}

/** A shell that reads its script from a here-document. */
const READING_SHELL = /^(?:.*\/)?(?:ba|da|z|k)?sh$/;

function collectCommands(script: Script, text: string, documents: number): ShellCommand[] {
  const commands: ShellCommand[] = [];
  const lost = new Set<SyntaxNode>();
  let isElsewhere = false;
  const visit = (node: SyntaxNode, isLost: boolean, depth: number): void => {
    if (depth > MAX_SCRIPT_DEPTH) return;
    const isLostHere = isLost || lost.has(node);
    if (node.type === "AndOr") { for (const one of listLost(node)) lost.add(one); }
    if (node.type === "If") { for (const one of listAsked(node)) lost.add(one); }
    if (node.type === "Command") {
      const words = wordsOf(node);
      if (words.length > 0) commands.push({ words, isLost: isLostHere, isElsewhere });
      for (const document of documents < MAX_DOCUMENTS ? listDocuments(node, text) : []) {
        const inner = readCommands(document, documents + 1);
        commands.push(...inner.map((it) => ({ ...it, isLost: it.isLost || isLostHere })));
      }
      isElsewhere ||= words[0] === "cd" || words[0] === "pushd";
    }
    forEachChild(node, (child) => visit(child, isLostHere, depth + 1));
  };
  visit(script, false, 0);
  return commands;
}

/** The scripts that a shell reads from here-documents. */
function listDocuments(node: Extract<SyntaxNode, { type: "Command" }>, text: string): string[] {
  const [program = "", ...options] = wordsOf(node);
  if (!READING_SHELL.test(program) || !options.every((it) => it.startsWith("-"))) return [];
  return node.redirects.flatMap((it) =>
    it.type === "HereDoc" ? [text.slice(it.body.pos, it.body.end)] : []
  );
}

function wordsOf({ name, args }: Extract<SyntaxNode, { type: "Command" }>): string[] {
  if (name === undefined) return [];
  return [name.value, ...args.map((word) => word.type === "Word" ? word.value : word.text)];
}

/** What stands before an `||` that does not fail itself. */
function listLost({ commands, operators }: Extract<SyntaxNode, { type: "AndOr" }>): SyntaxNode[] {
  const rescue = operators.findLastIndex((operator, index) =>
    operator === "||" && !endsWithFailure(commands[index + 1])
  );
  return commands.slice(0, rescue + 1);
}

/** The conditions of an `if` of which no branch fails. */
function listAsked(node: Extract<SyntaxNode, { type: "If" }>): SyntaxNode[] {
  const branches = [node.then, ...node.elif.map(({ then }) => then), node.else];
  const isFailing = branches.some((branch) => branch !== undefined && holdsFailure(branch));
  return isFailing ? [] : [node.clause, ...node.elif.map(({ clause }) => clause)];
}

/** What ends a script with a failure, functions that are usually called so included. */
const FAILING = /^(?:false|die|fail|error|abort)$/;

function holdsFailure(node: SyntaxNode, depth = 0): boolean {
  if (depth > MAX_SCRIPT_DEPTH) return true;
  if (node.type === "Command") {
    const [name = "", status] = wordsOf(node);
    if (FAILING.test(name)) return true;
    if (name === "exit" || name === "return") return Number(status) % 256 !== 0;
  }
  let isFound = false;
  forEachChild(node, (child) => {
    isFound = isFound || holdsFailure(child, depth + 1);
  });
  return isFound;
}

/** Whether what runs after a failure fails itself: `exit 1`, `false`, `{ …; exit 1; }`. */
function endsWithFailure(node: PipelineNode | undefined, isAlone = true): boolean {
  if (node?.type === "BraceGroup" || node?.type === "Subshell") {
    const { commands } = node.body;
    const last = commands.at(-1)?.command;
    return last !== undefined && last.type !== "AndOr" &&
      endsWithFailure(last, isAlone && commands.length === 1);
  }
  if (node?.type !== "Command") return false;
  const [name = "", status] = wordsOf(node);
  if (name === "false") return true;
  if (name !== "exit" && name !== "return") return false;
  // A bare `exit` straight behind `||` passes the failure on.
  return status === undefined || status === "$?" ? isAlone : Number(status) % 256 !== 0;
}

function splitLines(text: string): ShellCommand[] {
  return text.split(/[\r\n;|&(){}]+/).flatMap((line) => {
    const words = line.split(/\s+/).filter((word) => word !== "");
    return words.length === 0 ? [] : [{ words, isLost: false, isElsewhere: false }];
  });
}

/**
 * Lists the lines that a script's `echo`, `printf` and here-documents write into a file, in groups,
 * loops and pipes to `tee` as well.
 *
 * @param text The script
 * @param file What the file's name contains
 * @returns Null where the script cannot be read
 */
export function listWritten(text: string, file: RegExp): string[] | null {
  const parsed = parseScript(text);
  if (parsed?.isExact !== true) return null;
  const texts: string[] = [];
  const visit = (node: SyntaxNode, isInside: boolean): void => {
    const isWriting = isInside || writesInto(node, file);
    if (isWriting && node.type === "HereDoc") texts.push(text.slice(node.body.pos, node.body.end));
    if (isWriting && node.type === "Command") {
      const [name = "", ...words] = wordsOf(node);
      if (/^(?:echo|printf)$/.test(name)) texts.push(...words);
    }
    forEachChild(node, (child) => visit(child, isWriting));
  };
  visit(parsed.script, false);
  return texts.flatMap((it) => it.split(/\n|\\n/));
}

function writesInto(node: SyntaxNode, file: RegExp): boolean {
  if (node.type === "Pipeline") {
    return node.commands.some((it) => it.type === "Command" && isTee(wordsOf(it), file));
  }
  if (node.type !== "Command" && node.type !== "Redirected") return false;
  if (node.type === "Command" && isTee(wordsOf(node), file)) return true;
  return node.redirects.some((it) =>
    it.type === "Redirect" && it.operator.includes(">") && file.test(it.target?.text ?? "")
  );
}

function isTee([name, ...words]: readonly string[], file: RegExp): boolean {
  return name === "tee" && words.some((word) => file.test(word));
}

/** A script in a form that knows neither white space nor comments; what is in quotes stays. */
export interface ScriptForm {
  /** Equal for equal scripts. */
  readonly key: string;
  /** The form of its only statement, or null where it has none or several. */
  readonly statement: string | null;
  /** Whether all of it could be read. */
  readonly isExact: boolean;
  /** The script's length, in UTF-16 code units. */
  readonly length: number;
}

/**
 * Brings a script into a form that can be compared.
 *
 * @param text The script
 */
export function formScript(text: string): ScriptForm {
  // A first line such as `#!/bin/sh` is a comment to the shell that reads the script.
  const parsed = parseScript(text.replace(/^#!.*/, "#"));
  const { length } = text;
  if (parsed?.isExact !== true) {
    return { key: text.trim(), statement: null, isExact: false, length };
  }
  const [only, ...more] = parsed.script.commands;
  const statement = only === undefined || more.length > 0 || only.background === true
    ? null
    : formNode(only.command);
  return { key: formNode(parsed.script), statement, isExact: true, length };
}

/** A tree without its positions: words stand as they are written. */
function formNode(node: SyntaxNode): string {
  return JSON.stringify(
    node,
    (key, value: unknown) => typeof value === "number" && /pos|end/i.test(key) ? undefined : value,
  );
}

/** How much longer a statement may be than what it is held against, by white space and comments. */
const MAX_GROWTH = 1024;

/**
 * Whether a statement stands somewhere in a script.
 *
 * @param text The script
 * @param form The form of what is looked for
 */
export function containsStatement(text: string, { statement, length }: ScriptForm): boolean {
  const parsed = parseScript(text);
  if (parsed === null || statement === null) return false;
  const visit = (node: SyntaxNode, depth: number): boolean => {
    if (depth > MAX_SCRIPT_DEPTH) return false;
    const isSmall = node.end - node.pos <= length + MAX_GROWTH;
    let isFound = isSmall && formNode(node) === statement;
    forEachChild(node, (child) => {
      isFound = isFound || visit(child, depth + 1);
    });
    return isFound;
  };
  return visit(parsed.script, 0);
}

/** A place in a file. */
interface Place {
  readonly path: string;
  readonly position: Position;
}

/** A condition with the place where it is written. */
export interface PlacedCondition extends Condition {
  readonly place: Place;
}

/** A mapping of `env`, or what stands in its place, with its file. */
interface EnvLayer {
  readonly path: string;
  readonly node: YamlNode;
}

/** A step in one combination of its job's matrix; steps of composite actions stand in their place. */
export interface Step {
  readonly node: YamlMap;
  readonly place: Place;
  readonly scope: Scope;
  /** Its own `if`, and those of the steps that lead to it. */
  readonly conditions: readonly PlacedCondition[];
  /** Likewise for `continue-on-error`. */
  readonly continueOnError: readonly PlacedCondition[];
  /** The `env` of the workflow, the container, the job and the steps that lead to it, and its own. */
  readonly env: readonly EnvLayer[];
  readonly run: YamlScalar | null;
  readonly uses: YamlScalar | null;
  readonly shell: ResolvedText | null;
  readonly workingDirectory: ResolvedText | null;
}

/** Something in a file that is told in a finding. */
export interface Remark {
  /** Without a final period, already safe to show. */
  readonly message: string;
  readonly place: Place;
  /** How to write it, where that is more than taking it away. */
  readonly hint?: string;
}

/** A call of another repository's workflow, in one combination of the caller's matrix. */
export interface ForeignCall {
  readonly uses: YamlScalar;
  readonly node: YamlNode;
  readonly scope: Scope;
}

/** What the files of a workflow share while it is expanded. */
export interface Shared {
  readonly yaml: ReadonlyMap<string, YamlResult>;
  readonly unfollowed: Remark[];
  readonly foreign: ForeignCall[];
  readonly called: Set<string>;
  stepsLeft: number;
  isReduced: boolean;
}

/** Most workflows and actions that call each other, one inside the other. */
export const MAX_DEPTH = 5;

/**
 * Reads a condition of a job or step.
 *
 * @param key Which
 * @param node The job or step
 * @param scope What its expression can refer to
 */
export function placeCondition(
  key: "if" | "continue-on-error",
  node: YamlNode,
  scope: Scope,
): PlacedCondition {
  const value = getYamlValue(node, key);
  const place = placeOf(scope.path, value ?? node);
  return { ...readCondition(value, scope, key === "if"), place };
}

/** Where a node of a file stands. */
export function placeOf(path: string, node: YamlNode): Place {
  return { path, position: node.position };
}

/** A scope with the variables of an `env` mapping before those that it has. */
export function addEnv(scope: Scope, env: YamlNode | null): Scope {
  if (env === null) return scope;
  if (env.kind !== "map") {
    return isEmpty(env) ? scope : withContext(scope, "env", UNKNOWN);
  }
  const outer = scope.contexts.get("env");
  const get = (name: string): Value => {
    const own = env.entries.find(({ key }) => key === name)?.value;
    if (own === undefined) return outer?.kind === "context" ? outer.get(name) : UNKNOWN;
    return own.kind === "scalar" ? toText(evaluateScalar(own, scope)) : UNKNOWN;
  };
  return withContext(scope, "env", { kind: "context", get });
}

function isEmpty(node: YamlNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** Variables and the inputs of actions are texts. */
function toText(value: Value): Value {
  return value.kind === "known" ? { ...value, value: textOf(value) } : value;
}

/** Where a list of steps stands, and what leads to it. */
export interface StepList {
  readonly shared: Shared;
  readonly scope: Scope;
  /** `defaults.run` of the job and of the workflow. */
  readonly defaults: readonly (YamlNode | null)[];
  readonly conditions: readonly PlacedCondition[];
  readonly continueOnError: readonly PlacedCondition[];
  readonly env: readonly EnvLayer[];
  readonly depth: number;
}

/**
 * Lists the steps of a job or an action, those of the composite actions that they call in their place.
 *
 * @param steps Its `steps`
 * @param list Where they stand
 */
export function readSteps(steps: YamlNode | null, list: StepList): Step[] {
  if (steps?.kind !== "seq") return [];
  return steps.items.flatMap((node) => {
    if (--list.shared.stepsLeft < 0 || node.kind !== "map") return [];
    return readStep(node, list);
  });
}

function readStep(node: YamlMap, list: StepList): Step[] {
  const env = getYamlValue(node, "env");
  const scope = addEnv(list.scope, env);
  const inner: StepList = {
    ...list,
    scope,
    conditions: [...list.conditions, placeCondition("if", node, scope)],
    continueOnError: [...list.continueOnError, placeCondition("continue-on-error", node, scope)],
    env: env === null ? list.env : [...list.env, { path: scope.path, node: env }],
  };
  return callAction(node, inner) ?? [makeStep(node, inner)];
}

function makeStep(node: YamlMap, list: StepList): Step {
  const { scope, conditions, continueOnError, env } = list;
  const run = getYamlValue(node, "run");
  const uses = getYamlValue(node, "uses");
  return {
    node,
    place: placeOf(scope.path, run ?? uses ?? node),
    scope,
    conditions,
    continueOnError,
    env,
    run: run?.kind === "scalar" ? run : null,
    uses: uses?.kind === "scalar" ? uses : null,
    shell: resolveSetting(findSetting(node, list, "shell"), scope),
    workingDirectory: resolveSetting(findSetting(node, list, "working-directory"), scope),
  };
}

function findSetting(node: YamlMap, { defaults }: StepList, key: string): YamlNode | null {
  return [node, ...defaults].map((layer) => getYamlValue(layer, key))
    .find((value) => value !== null) ?? null;
}

/**
 * Resolves a setting that is a text.
 *
 * @param node The setting, or null where it is not made
 * @param scope What its expressions can refer to
 */
export function resolveSetting(node: YamlNode | null, scope: Scope): ResolvedText | null {
  return node?.kind === "scalar" && node.value !== null ? resolveText(node, scope) : null;
}

/** The steps of a composite action of this repository; null where the step calls none. */
function callAction(node: YamlMap, list: StepList): Step[] | null {
  const uses = getYamlValue(node, "uses");
  const called = uses?.kind === "scalar" ? textOfScalar(uses) : "";
  if (!called.startsWith("./") || list.depth >= MAX_DEPTH) return null;
  const directory = called.slice(2).replace(/\/+$/, "");
  const { shared } = list;
  for (const name of ["action.yml", "action.yaml"]) {
    const path = directory === "" ? name : `${directory}/${name}`;
    const result = shared.yaml.get(path);
    if (result?.ok !== true) continue;
    const runs = getYamlValue(result.node, "runs");
    const using = getYamlValue(runs, "using");
    const steps = getYamlValue(runs, "steps");
    // Steps of another kind of action are never run.
    if (using?.kind !== "scalar" || textOfScalar(using) !== "composite") return null;
    shared.called.add(path);
    const callee: Callee = { kind: "action", path, root: result.node };
    const inputs = readInputs(callee, getYamlValue(node, "with"), list.scope);
    const scope = { ...withContext(list.scope, "inputs", inputs), path };
    return readSteps(steps, { ...list, scope, depth: list.depth + 1, defaults: [] });
  }
  return null;
}

/** Something that declares inputs. */
interface Callee {
  readonly kind: "workflow" | "action";
  readonly path: string;
  readonly root: YamlNode;
}

function findInputs({ kind, root }: Callee): YamlNode | null {
  if (kind === "action") return getYamlValue(root, "inputs");
  const on = getYamlValue(root, "on");
  return getYamlValue(getYamlValue(on, "workflow_call"), "inputs") ??
    getYamlValue(getYamlValue(on, "workflow_dispatch"), "inputs");
}

/**
 * The inputs of what is called: what the caller gives, and the defaults of the rest.
 *
 * @param callee What declares them
 * @param given The caller's `with`
 * @param scope What that can refer to
 */
export function readInputs(callee: Callee, given: YamlNode | null, scope: Scope): Value {
  const declared = findInputs(callee);
  const get = (name: string): Value => {
    const declaration = findIgnoringCase(declared, name);
    const own = findIgnoringCase(given, name);
    if (own !== null) return convertInput(callee, declaration, evaluateNode(own, scope));
    return readDefault(callee, declaration) ?? convertInput(callee, declaration, known(null));
  };
  return { kind: "context", get };
}

function readDefault(callee: Callee, declaration: YamlNode | null): Value | null {
  const fallback = getYamlValue(declaration, "default");
  if (fallback === null) return null;
  const outside: Scope = { path: callee.path, contexts: new Map() };
  return convertInput(callee, declaration, evaluateNode(fallback, outside));
}

/**
 * The inputs of a workflow or an action that nobody in the repository calls: their defaults.
 *
 * @param path Its path
 * @param root Its content
 */
export function readDefaultInputs(path: string, root: YamlNode): Value {
  const kind = getYamlValue(root, "runs") === null ? "workflow" : "action";
  const declared = findInputs({ kind, path, root });
  const get = (name: string): Value =>
    readDefault({ kind, path, root }, findIgnoringCase(declared, name)) ?? UNKNOWN;
  return { kind: "context", get };
}

function findIgnoringCase(node: YamlNode | null, name: string): YamlNode | null {
  if (node?.kind !== "map") return null;
  const key = name.toLowerCase();
  return node.entries.find((entry) => entry.key.toLowerCase() === key)?.value ?? null;
}

/** An action's inputs are texts; a workflow's are of the type that it declares. */
function convertInput({ kind }: Callee, declaration: YamlNode | null, value: Value): Value {
  const text = textOf(value);
  if (value.kind !== "known" || text === null) return value;
  const type = getYamlValue(declaration, "type");
  const name = kind === "action" || type?.kind !== "scalar" ? "string" : textOfScalar(type);
  if (name === "boolean") return { ...value, value: text.toLowerCase() === "true" };
  if (name === "number") return { ...value, value: Number(text) };
  return { ...value, value: text };
}
