import { parseShell, type ShellCommand, type ShellScript } from "../workflow/shell_script.ts";

/** The command that a policy names, in a form that is found in scripts. */
export interface GateCommand {
  /** As the policy has it. */
  readonly text: string;
  /** Its words, where it is one simple command. */
  readonly words: readonly string[] | null;
}

const ASSIGNMENT = /^[A-Za-z_]\w*=/;
/** Programs that run what follows and return its status. */
const WRAPPERS = new Set(["command", "env", "exec", "time"]);

/**
 * Makes a command findable.
 *
 * @param text As the policy has it
 */
export function parseGateCommand(text: string): GateCommand {
  const only = onlyCommand(parseShell(text));
  return { text: text.trim(), words: only?.kind === "simple" ? only.words : null };
}

function onlyCommand(script: ShellScript | null): ShellCommand | null {
  const [list, ...lists] = script ?? [];
  const [pipeline, ...pipelines] = list?.pipelines ?? [];
  const [command, ...commands] = pipeline?.commands ?? [];
  const isMore = lists.length + pipelines.length + commands.length > 0;
  if (isMore || list?.isBackground === true || pipeline?.isNegated === true) return null;
  return command ?? null;
}

/** Whether words are the command, with assignments and harmless wrappers before it. */
export function isGate(words: readonly string[], gate: GateCommand): boolean {
  if (gate.words === null) return false;
  return isSame(words, gate.words) || isSame(stripPrefix(words), gate.words);
}

/**
 * The words of a command without assignments and wrappers before it.
 *
 * @param words The words
 */
export function stripPrefix(words: readonly string[]): readonly string[] {
  let start = 0;
  while (ASSIGNMENT.test(words[start] ?? "") || WRAPPERS.has(words[start] ?? "")) start++;
  return words.slice(start);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word, index) => word === b[index]);
}
