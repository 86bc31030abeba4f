import type { ShellCommand, ShellList, ShellPipeline } from "../workflow/shell_script.ts";

/** Whether a pipeline that runs after a failure fails itself: `exit 1`, `false`, `{ …; exit 1; }`. */
export function endsWithFailure(pipeline: ShellPipeline | undefined): boolean {
  const command = pipeline?.commands.at(-1);
  if (command === undefined || pipeline?.isNegated === true) return false;
  if (command.kind === "group") {
    const last = command.body.at(-1);
    if (last === undefined || last.isBackground || last.pipelines.length !== 1) return false;
    return endsWithFailure(last.pipelines[0]) && !isBareExit(last.pipelines[0], command);
  }
  if (command.kind !== "simple") return false;
  const [name = "", status] = command.words;
  if (name === "false") return true;
  // A bare `exit` straight behind `||` passes the failure on.
  return (name === "exit" || name === "return") &&
    (status === undefined || status === "$?" || isFailure(status));
}

/** In a group, a bare `exit` gives the status of the command before it, which is no longer ours. */
function isBareExit(pipeline: ShellPipeline | undefined, group: ShellCommand): boolean {
  const command = pipeline?.commands.at(-1);
  return group.kind === "group" && group.body.length > 1 && command?.kind === "simple" &&
    command.words[0] !== "false" && !isFailure(command.words[1] ?? "");
}

function isFailure(status: string): boolean {
  return /^[0-9]+$/.test(status) && Number(status) % 256 !== 0;
}

/** Whether a list has an `exit` or `return` in it that may end the script with success. */
export function mayEndEarly(list: ShellList): boolean {
  return list.pipelines.some((pipeline, index) => {
    // `cd x || exit` ends with the failure of what stands before it.
    const isRescue = list.operators[index - 1] === "||" && endsWithFailure(pipeline);
    return !isRescue && pipeline.commands.some(hasEarlyEnd);
  });
}

function hasEarlyEnd(command: ShellCommand): boolean {
  switch (command.kind) {
    case "simple": {
      const [name = "", status] = command.words;
      if (name === "exec") return command.words.length > 1;
      return (name === "exit" || name === "return") && !(status !== undefined && isFailure(status));
    }
    case "group":
      return command.body.some(mayEndEarly);
    case "compound":
      return command.keyword !== "function" && command.body.some(mayEndEarly);
  }
}

/** Whether a list is `true`, `:` or `exit 0` and nothing else. */
export function isConstantSuccess(list: ShellList | undefined): boolean {
  const [pipeline, ...others] = list?.pipelines ?? [];
  const [command, ...more] = pipeline?.commands ?? [];
  if (command?.kind !== "simple" || others.length + more.length > 0) return false;
  return ["true", ":", "exit 0"].includes(command.words.join(" "));
}
