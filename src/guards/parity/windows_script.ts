import { type GateCommand, isGate } from "./gate_command.ts";

/**
 * Looks for the command in a script of PowerShell or cmd, where only the last program's exit status
 * counts, unless PowerShell is told to stop at every failure.
 *
 * @param text The script
 * @param gate The command
 * @returns Null where the command is not in it; else, for each place where it is, what is wrong there
 */
export function findInWindowsScript(
  text: string,
  gate: GateCommand,
): readonly (readonly string[])[] | null {
  const lines = text.split(/[\r\n;]+/).map((line) => line.trim())
    .filter((line) => line !== "" && !/^(?:#|::|rem\b)/i.test(line));
  let depth = 0;
  let stops = false;
  const found: string[][] = [];
  for (const [index, line] of lines.entries()) {
    if (isGate(line.replace(/^(?:&|call|@?call)\s+/i, "").split(/\s+/), gate)) {
      const isLast = lines.slice(index + 1).every((rest) => rest === "}");
      found.push([
        ...(depth > 0 ? ["it stands inside a block, which decides whether it counts"] : []),
        ...(isLast || stops ? [] : ["the script goes on after its failure, in a Windows shell"]),
        ...(lines.slice(0, index).some((before) => /\bexit\b(?!\s+[1-9])/i.test(before))
          ? ["the script can end with success before it"]
          : []),
      ]);
    }
    stops ||= /^\$PSNativeCommandUseErrorActionPreference\s*=\s*\$true$/i.test(line);
    depth += countOf(line, "{") + countOf(line, "(") - countOf(line, "}") - countOf(line, ")");
  }
  return found.length === 0 ? null : found;
}

function countOf(line: string, sign: string): number {
  return line.split(sign).length - 1;
}
