/**
 * The commands of a script, as the shell parser `unbash` finds them. Nothing is interpreted: what a
 * variable holds, and what a command does, is not known here.
 *
 * @module
 */

import { forEachChild, parse, type PipelineNode, type SyntaxNode } from "unbash";

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
    const { errors = [] } = script;
    return { script, isExact: errors.length === 0 && isShallow(script) };
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

/** Whether all of a tree can be followed, and no substitution in it is broken. */
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
  const parsed = parseScript(text);
  const commands = parsed === null ? [] : collectCommands(parsed.script);
  return parsed?.isExact === true ? commands : [...commands, ...splitLines(text)];
}

function collectCommands(script: Script): ShellCommand[] {
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
      isElsewhere ||= words[0] === "cd" || words[0] === "pushd";
    }
    forEachChild(node, (child) => visit(child, isLostHere, depth + 1));
  };
  visit(script, false, 0);
  return commands;
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
  return rescue < 0 ? [] : commands.slice(0, rescue + 1);
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
    const words = line.trim().split(/\s+/).filter((word) => word !== "");
    return words.length === 0 ? [] : [{ words, isLost: false, isElsewhere: false }];
  });
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
  const parsed = parseScript(text);
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
    let isFound = isSmall && isStatement(node) && formNode(node) === statement;
    forEachChild(node, (child) => {
      isFound = isFound || visit(child, depth + 1);
    });
    return isFound;
  };
  return visit(parsed.script, 0);
}

function isStatement({ type }: SyntaxNode): boolean {
  return type === "Command" || type === "AndOr" || type === "Pipeline";
}
