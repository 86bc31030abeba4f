import { type Command, completedOperandsOf, completedValueOf, type Flag } from "../command.ts";

const FIXED = `
function __kprov_is
    set -l tokens (commandline -opc)
    set -l name run
    if set -q tokens[2]; and contains -- $tokens[2] $__kprov_commands
        set name $tokens[2]
    end
    test $name = $argv[1]
end

function __kprov_first
    test (count (commandline -opc)) -eq 1
end

function __kprov_runs
    set -l tokens (commandline -opc)
    set -l out runs
    if set -l i (contains -i -- --out $tokens); and set -q tokens[(math $i + 1)]
        set out $tokens[(math $i + 1)]
    end
    set -l documents $out/*/provenance.json
    if set -q documents[1]
        string replace -r '/provenance\\.json$' '' -- $documents
    else
        __fish_complete_directories
    end
end

complete -c kprov-run -w kprov
`;

/**
 * The completions of fish.
 *
 * @param commands Every command
 */
export function renderFishCompletions(commands: readonly Command[]): string {
  return [
    "# Completions of kprov for fish: kprov completions fish | source",
    "",
    `set -g __kprov_commands ${commands.map(({ name }) => name).join(" ")}`,
    FIXED,
    "complete -c kprov -n __kprov_first -l version -d 'Show the version'",
    ...commands.map(({ name, summary }) =>
      `complete -c kprov -n __kprov_first -a ${name} -d ${quote(summary)}`
    ),
    ...commands.flatMap(renderCommand),
    "",
  ].join("\n");
}

function renderCommand(command: Command): string[] {
  const { name, flags } = command;
  const operands = completedOperandsOf(command);
  const start = `complete -c kprov -n '__kprov_is ${name}'`;
  return [
    "",
    ...flags.map((flag) =>
      `${start} -l ${flag.name}${renderValue(flag)} -d ${quote(flag.summary)}`
    ),
    `${start} -l help -d 'Show this help'`,
    ...operands === "files" ? [] : [`${start} -f`],
    ...operands === "runs" ? [`${start} -a '(__kprov_runs)'`] : [],
    ...typeof operands === "object" ? [`${start} -a '${operands.join(" ")}'`] : [],
  ];
}

function renderValue(flag: Flag): string {
  if (flag.value === undefined) return "";
  const what = completedValueOf(flag);
  switch (what) {
    case "files":
      return " -r -F";
    case "directories":
      return " -x -a '(__fish_complete_directories)'";
    case "runs":
      return " -x -a '(__kprov_runs)'";
    case "nothing":
      return " -x";
    default:
      return ` -x -a '${what.join(" ")}'`;
  }
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
