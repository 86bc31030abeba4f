import {
  type Command,
  completedOperandsOf,
  type CompletedValue,
  completedValueOf,
  type Flag,
} from "../command.ts";

/** What is the same for every command; what differs stands in three functions before it. */
const FIXED = `
# Adds the candidates that start with what is typed: words, or the lines of compgen.
_kprov_add() {
  local candidate
  while IFS= read -r candidate; do
    [[ -n $candidate ]] && COMPREPLY+=("$candidate")
  done < <(compgen "$@" -- "$cur")
}

_kprov_paths() {
  compopt -o filenames 2>/dev/null
  _kprov_add "$@"
}

_kprov_runs() {
  local run
  compopt -o filenames 2>/dev/null
  for run in "\${out%/}"/*/; do
    run=\${run%/}
    [[ -e $run/provenance.json && $run == "$cur"* ]] && COMPREPLY+=("$run")
  done
  [[ \${#COMPREPLY[@]} -gt 0 ]] || _kprov_add -d
}

_kprov_complete() {
  case $1 in
    files) _kprov_paths -f ;;
    directories) _kprov_paths -d ;;
    runs) _kprov_runs ;;
    nothing) ;;
    *) _kprov_add -W "$1" ;;
  esac
}

_kprov() {
  local cur=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command=run out=runs value i
  COMPREPLY=()
  # --flag=value comes as three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      _kprov_paths -c -f
      return
    fi
    if [[ \${COMP_WORDS[i]} == --out && i+1 -lt COMP_CWORD ]]; then
      out=\${COMP_WORDS[i + 1]}
      [[ $out == = ]] && out=\${COMP_WORDS[i + 2]}
    fi
  done
  if ((COMP_CWORD > 1)) && [[ " $_kprov_commands " == *" \${COMP_WORDS[1]} "* ]]; then
    command=\${COMP_WORDS[1]}
  fi
  value=$(_kprov_value "$command $previous")
  if [[ -n $value ]]; then
    _kprov_complete "$value"
  elif [[ $cur == -* ]]; then
    _kprov_add -W "$(_kprov_flags "$command")"
    ((COMP_CWORD == 1)) && _kprov_add -W --version
  else
    ((COMP_CWORD == 1)) && _kprov_add -W "$_kprov_commands"
    _kprov_complete "$(_kprov_operands "$command")"
  fi
}

complete -F _kprov kprov kprov-run
`;

/**
 * The completions of bash, from 3.2 on.
 *
 * @param commands Every command
 */
export function renderBashCompletions(commands: readonly Command[]): string {
  return [
    "# Completions of kprov for bash: source <(kprov completions bash)",
    "",
    `_kprov_commands='${commands.map(({ name }) => name).join(" ")}'`,
    "",
    ...renderSwitch("_kprov_flags", commands.map((command) => [command.name, listFlags(command)])),
    "",
    ...renderSwitch(
      "_kprov_operands",
      commands.map((command) => [command.name, toWord(completedOperandsOf(command))]),
    ),
    "",
    ...renderSwitch("_kprov_value", commands.flatMap(listValues)),
  ].join("\n") + `\n${FIXED}`;
}

function renderSwitch(name: string, rows: readonly (readonly [string, string])[]): string[] {
  return [
    `${name}() {`,
    "  case $1 in",
    ...rows.map(([pattern, words]) => `    '${pattern}') echo '${words}' ;;`),
    "  esac",
    "}",
  ];
}

function listFlags({ flags }: Command): string {
  return [...flags.map(({ name }) => `--${name}`), "--help"].join(" ");
}

function listValues({ name, flags }: Command): (readonly [string, string])[] {
  return flags.filter(({ value }) => value !== undefined).map((flag: Flag) => [
    `${name} --${flag.name}`,
    toWord(completedValueOf(flag)),
  ]);
}

function toWord(what: CompletedValue): string {
  return typeof what === "string" ? what : what.join(" ");
}
