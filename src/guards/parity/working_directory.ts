import type { ResolvedText } from "../workflow/workflow_expression.ts";

const WORKSPACE = /^\s*\$\{\{\s*github\.workspace\s*\}\}/i;

/**
 * Whether a working directory lies outside the repository, or may.
 *
 * @param directory As the workflow has it
 */
export function leavesRepository({ text, undecided, origin }: ResolvedText): boolean {
  const isWorkspace = WORKSPACE.test(origin.source);
  const path = isWorkspace ? `.${origin.source.replace(WORKSPACE, "")}` : text.trim();
  if (isWorkspace ? path.includes("${{") : undecided !== null) return true;
  if (/^(?:[/\\~$]|[a-z]:)/i.test(path)) return true;
  let depth = 0;
  for (const part of path.split(/[/\\]+/)) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}
