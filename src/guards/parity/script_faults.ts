import { quote } from "../../base/quote.ts";
import type {
  ShellCommand,
  ShellList,
  ShellPipeline,
  ShellScript,
} from "../workflow/shell_script.ts";
import { type GateCommand, isGate } from "./gate_command.ts";
import { endsWithFailure, isConstantSuccess, mayEndEarly } from "./script_exit.ts";
import { readShellOptions, type ShellKind, type ShellOptions } from "./shell_kind.ts";

/** What holds at a place in a script. */
interface State {
  errexit: boolean;
  pipefail: boolean;
  /** Why the command may not be reached or not be what it seems, from what stands before. */
  readonly before: string[];
}

type PosixShell = Extract<ShellKind, { kind: "posix" }>;

/**
 * Looks for the command in a script, and for what keeps its failure from failing the script.
 *
 * @param script The script
 * @param gate The command
 * @param shell How the script is run
 * @returns Null where the command is not in it; else, for each place where it is, what is wrong there
 */
export function findInScript(
  script: ShellScript,
  gate: GateCommand,
  shell: PosixShell,
): readonly (readonly string[])[] | null {
  const state: State = { errexit: shell.errexit, pipefail: shell.pipefail, before: [] };
  const found = walkScript(script, gate, state);
  return found.length === 0 ? null : found;
}

type Found = readonly string[];

function walkScript(script: ShellScript, gate: GateCommand, state: State): Found[] {
  return script.flatMap((list, index) => {
    const isLast = index === script.length - 1;
    const found = walkList(list, gate, state, isLast);
    if (found.length === 0) noteEffects(list, gate, state);
    // Errexit stops before it, but who writes it wants no failure, and the next shell may have none.
    const hidden = isConstantSuccess(script[index + 1])
      ? ["what follows it succeeds whatever happened"]
      : [];
    return found.map((faults) => [...faults, ...hidden]);
  });
}

function walkList(list: ShellList, gate: GateCommand, state: State, isLast: boolean): Found[] {
  return list.pipelines.flatMap((pipeline, index) => {
    const outer = [
      ...state.before,
      ...(list.isBackground ? ['it runs in the background by "&"'] : []),
      ...checkOperators(list, index, isLast),
    ];
    const isFinal = index === list.pipelines.length - 1 && !list.isBackground;
    const inner: State = {
      errexit: state.errexit && isFinal && !pipeline.isNegated,
      pipefail: state.pipefail,
      before: [],
    };
    const found = walkPipeline(pipeline, gate, inner);
    const lost = !state.errexit && !isLast
      ? ["the script goes on after its failure, without errexit"]
      : [];
    return found.map((faults) => [...faults, ...outer, ...lost]);
  });
}

/** What `&&` and `||` around a pipeline do to it. */
function checkOperators(list: ShellList, index: number, isLast: boolean): string[] {
  const before = list.operators.slice(0, index);
  const after = list.operators.slice(index);
  const faults: string[] = [];
  if (before.includes("||")) faults.push('it runs only where the command before "||" fails');
  const rescue = after.indexOf("||");
  if (rescue >= 0 && !endsWithFailure(list.pipelines[index + rescue + 1])) {
    faults.push('"||" behind it takes its failure away');
  }
  const hasAnd = before.includes("&&") || after.includes("&&");
  if (hasAnd && rescue < 0 && !isLast) {
    faults.push('the script goes on where a command joined by "&&" fails');
  }
  return faults;
}

function walkPipeline(pipeline: ShellPipeline, gate: GateCommand, state: State): Found[] {
  return pipeline.commands.flatMap((command, index) => {
    const isLast = index === pipeline.commands.length - 1;
    const faults = [
      ...(pipeline.isNegated ? ['"!" turns its result around'] : []),
      ...(isLast || state.pipefail ? [] : ['its failure is lost in the pipe, without "pipefail"']),
    ];
    return walkCommand(command, gate, state).map((found) => [...found, ...faults]);
  });
}

function walkCommand(command: ShellCommand, gate: GateCommand, state: State): Found[] {
  switch (command.kind) {
    case "simple":
      return isGate(command.words, gate) ? [[]] : [];
    case "group":
      return walkScript(command.body, gate, { ...state, before: [...state.before] });
    case "compound": {
      const fault = `it stands inside ${quote(command.keyword)}, which decides whether it counts`;
      const inner = { ...state, before: [] };
      return walkScript(command.body, gate, inner).map((found) => [...found, fault]);
    }
  }
}

/** What a list before the command does to everything after it. */
function noteEffects(list: ShellList, gate: GateCommand, state: State): void {
  if (mayEndEarly(list)) state.before.push("the script can end with success before it");
  for (const command of list.pipelines.flatMap((pipeline) => pipeline.commands)) {
    noteCommand(command, gate, state, false);
  }
}

function noteCommand(
  command: ShellCommand,
  gate: GateCommand,
  state: State,
  isNested: boolean,
): void {
  if (command.kind === "compound" && command.keyword === "function") {
    if (command.name === gate.words?.[0]) {
      state.before.push(`a function takes the place of ${quote(command.name ?? "")}`);
    }
    return;
  }
  if (command.kind !== "simple") {
    for (const { pipelines } of command.body) {
      for (const inner of pipelines.flatMap(({ commands }) => commands)) {
        noteCommand(inner, gate, state, true);
      }
    }
    return;
  }
  const [name, ...words] = command.words;
  if (name === "set") applyOptions(state, readShellOptions(words), isNested);
  if (name === "alias" && words.some((word) => word.startsWith(`${gate.words?.[0]}=`))) {
    state.before.push(`an alias takes the place of ${quote(gate.words?.[0] ?? "")}`);
  }
  if (name === "trap" && /\bexit\b/.test(words[0] ?? "")) {
    state.before.push('"trap" changes how the script ends');
  }
}

/** What a nested command switches on may not hold behind it; what it switches off may. */
function applyOptions(state: State, options: ShellOptions, isNested: boolean): void {
  for (const name of ["errexit", "pipefail"] as const) {
    const value = options[name];
    if (value === false || (value === true && !isNested)) state[name] = value;
  }
}
