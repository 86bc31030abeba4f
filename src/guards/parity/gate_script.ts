import { parseShell } from "../workflow/shell_script.ts";
import type { GateCommand } from "./gate_command.ts";
import { findInScript } from "./script_faults.ts";
import type { ShellKind } from "./shell_kind.ts";
import { findInWindowsScript } from "./windows_script.ts";

/**
 * Looks for the command in the script of a step.
 *
 * @param text The script, its expressions put in
 * @param gate The command
 * @param shell How the script is run
 * @returns Null where the command is not in it; else what keeps its failure from failing the script,
 * at the place where least does
 */
export function findGateFaults(
  text: string,
  gate: GateCommand,
  shell: ShellKind,
): readonly string[] | null {
  if (text.trim() === gate.text && shell.kind !== "other") return [];
  const found = findPlaces(text, gate, shell);
  if (found === null) return null;
  return found.toSorted((a, b) => a.length - b.length)[0] ?? null;
}

function findPlaces(
  text: string,
  gate: GateCommand,
  shell: ShellKind,
): readonly (readonly string[])[] | null {
  if (shell.kind === "other") return null;
  if (shell.kind === "windows") return findInWindowsScript(text, gate);
  const script = parseShell(text);
  if (script !== null) return findInScript(script, gate, shell);
  return text.includes(gate.text) ? [["its script cannot be read exactly"]] : null;
}
