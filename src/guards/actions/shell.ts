/**
 * The commands of a script, as the shell parser `unbash` finds them. Nothing is interpreted: what a
 * variable holds, and what a command does, is not known here.
 *
 * @module
 */
import { type CommandNode, forEachChild, parse, type PipelineNode, type SyntaxNode } from "unbash";

/** A command of a script. */
export interface ShellCommand {
  /** Without assignments and redirections before it, quotation marks taken off. */
  readonly words: readonly string[];
  /** Whether `||` behind it takes its failure away. */
  readonly isLost: boolean;
  /** Whether `cd` or `pushd` may have left the directory before it. */
  readonly isElsewhere: boolean;
}

/** Longest script that is parsed, in UTF-16 code units; what is longer is read line by line. */
const MAX_LENGTH = 2 ** 17;

type Script = ReturnType<typeof parse>;

/** A script's tree; null where it is too long. What the tree cannot hold stands in its errors. */
function parseScript(text: string): Script | null {
  return text.length > MAX_LENGTH ? null : parse(text);
}

/**
 * Lists the commands of a script, in order, those in substitutions, blocks and functions included.
 * What is no script of a POSIX shell is read line by line as well.
 *
 * @param text The script
 */
export function listCommands(text: string): ShellCommand[] {
  const script = parseScript(text);
  const commands: ShellCommand[] = [];
  const lost = new Set<SyntaxNode>();
  let isElsewhere = false;
  const visit = (node: SyntaxNode, isLost: boolean): void => {
    const isLostHere = isLost || lost.has(node);
    if (node.type === "AndOr") { for (const one of listLost(node)) lost.add(one); }
    if (node.type === "Command") {
      const words = wordsOf(node);
      if (words.length > 0) commands.push({ words, isLost: isLostHere, isElsewhere });
      isElsewhere ||= words[0] === "cd" || words[0] === "pushd";
    }
    forEachChild(node, (child) => visit(child, isLostHere));
  };
  if (script !== null) visit(script, false);
  return script === null || hasErrors(script) ? [...commands, ...splitLines(text)] : commands;
}

function hasErrors({ errors }: Script): boolean {
  return errors !== undefined && errors.length > 0;
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
}

/**
 * Brings a script into a form that can be compared.
 *
 * @param text The script
 */
export function formScript(text: string): ScriptForm {
  const script = parseScript(text);
  if (script === null || hasErrors(script)) {
    return { key: text.trim(), statement: null, isExact: false };
  }
  const [only, ...more] = script.commands;
  const statement = only === undefined || more.length > 0 || only.background === true
    ? null
    : formNode(only.command);
  return { key: formNode(script), statement, isExact: true };
}

/** A tree without its positions: words stand as they are written. */
function formNode(node: SyntaxNode): string {
  return JSON.stringify(
    node,
    (key, value: unknown) => typeof value === "number" && /pos|end/i.test(key) ? undefined : value,
  );
}

/**
 * Whether a statement stands somewhere in a script.
 *
 * @param text The script
 * @param form The form of what is looked for
 */
export function containsStatement(text: string, { statement }: ScriptForm): boolean {
  const script = parseScript(text);
  if (script === null || statement === null) return false;
  let isFound = false;
  const visit = (node: SyntaxNode): void => {
    if (isFound) return;
    isFound = isCommand(node) && formNode(node) === statement;
    forEachChild(node, visit);
  };
  visit(script);
  return isFound;
}

function isCommand(node: SyntaxNode): node is CommandNode {
  return node.type === "Command" || node.type === "AndOr" || node.type === "Pipeline";
}
