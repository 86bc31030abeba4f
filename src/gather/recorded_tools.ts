import type { Run } from "../evidence/run.ts";
import { KprovError } from "../kprov_error.ts";
import type { Root } from "./input_path.ts";
import { type FoundTool, gatherProgram, gatherTool } from "./tools.ts";

/**
 * Finds, at hand, the tools that a run records: the program that its command starts, by the name that
 * the command gives it, and the others by the names that are recorded.
 *
 * @param run A run of a command that verifies
 * @param program The first word of its command
 * @param root Where the command is to run
 * @returns The program first, where it is there; each name once, those that are not there left out
 * @throws {KprovError} `io` or `permission` where one cannot be looked for or read
 */
export function findRecordedTools(run: Run, program: string, root: Root): FoundTool[] {
  const found = new Map<string, FoundTool>();
  const add = (tools: readonly FoundTool[]): void => {
    for (const tool of tools) if (!found.has(tool.name)) found.set(tool.name, tool);
  };
  add(gatherWhereThere(() => gatherProgram(program, root)));
  const { tools: recorded = [] } = run.documents["toolchain.json"];
  const others = recorded
    .filter(({ name }) => !found.has(name))
    .map(({ name }) => gatherWhereThere(() => gatherTool(name, root)));
  // An interpreter is the one that its script names, which need not be the one in PATH.
  for (const [, ...interpreters] of others) add(interpreters);
  for (const [tool] of others) add(tool === undefined ? [] : [tool]);
  return [...found.values()];
}

function gatherWhereThere(gather: () => readonly FoundTool[]): readonly FoundTool[] {
  try {
    return gather();
  } catch (error) {
    const isAbsent = error instanceof KprovError &&
      (error.code === "not_found" || error.code === "cannot_start" || error.code === "data");
    if (isAbsent) return [];
    throw error;
  }
}
