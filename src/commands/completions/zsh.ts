import {
  type Command,
  completedOperandsOf,
  type CompletedValue,
  completedValueOf,
  type Flag,
} from "../command.ts";

const RUNS = `
_kprov_runs() {
  local -a runs
  local out=runs i
  for ((i = 2; i < CURRENT - 1; i++)); do
    [[ $words[i] == --out ]] && out=$words[i+1]
  done
  runs=($out/*/provenance.json(N:h))
  if (( $#runs )); then
    compadd -f -- $runs
  else
    _path_files -/
  fi
}
`;

/**
 * The completions of zsh, to be sourced after compinit or put into a directory of fpath as `_kprov`.
 *
 * @param commands Every command
 */
export function renderZshCompletions(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name);
  return [
    "#compdef kprov kprov-run",
    "# Completions of kprov for zsh: source <(kprov completions zsh), after compinit",
    RUNS,
    "_kprov() {",
    "  local command=run",
    "  local -a commands",
    "  commands=(",
    ...commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`),
    "  )",
    "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then",
    "    _describe -t commands command commands",
    "    _files",
    "    return",
    "  fi",
    "  case $words[2] in",
    `    ${names.join("|")}) command=$words[2]; shift words; (( CURRENT-- )) ;;`,
    "  esac",
    "  case $command in",
    ...commands.flatMap(renderCommand),
    "  esac",
    "}",
    "",
    "compdef _kprov kprov kprov-run",
    "# zsh calls a function that it loads from fpath; sourced, there is nothing to complete yet.",
    '[[ $funcstack[1] == _kprov ]] && _kprov "$@"',
    "true",
    "",
  ].join("\n");
}

function renderCommand(command: Command): string[] {
  const { name, flags } = command;
  const operands = completedOperandsOf(command);
  const specs = [
    ...flags.map(renderFlag),
    "'--help[Show this help]'",
    ...name === "run" ? ["'--version[Show the version]'"] : [],
    ...operands === "nothing" ? [] : [quote(`*:${name}:${renderAction(operands)}`)],
  ];
  return [
    `    ${name})`,
    "      _arguments -S \\",
    ...specs.map((spec, i) => `        ${spec}${i < specs.length - 1 ? " \\" : ""}`),
    "      ;;",
  ];
}

function renderFlag(flag: Flag): string {
  const summary = flag.summary.replace(/[[\]\\:]/g, "\\$&");
  const many = flag.isRepeatable ? "*" : "";
  const value = flag.value === undefined
    ? ""
    : `:${flag.value}:${renderAction(completedValueOf(flag))}`;
  return quote(`${many}--${flag.name}${value === "" ? "" : "="}[${summary}]${value}`);
}

function renderAction(what: CompletedValue): string {
  switch (what) {
    case "files":
      return "_files";
    case "directories":
      return "_path_files -/";
    case "runs":
      return "_kprov_runs";
    case "nothing":
      return " ";
    default:
      return `(${what.join(" ")})`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
