# Completions of kprov for bash, from 3.2 on: source <(kprov completions bash)
# shellcheck shell=bash

# @table: what follows is made from the table of commands.
_kprov_commands=
_kprov_forms() { :; }
_kprov_flags() { :; }
_kprov_operands() { :; }
_kprov_value() { :; }
# @end

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
  for run in "${out%/}"/*/; do
    run=${run%/}
    [[ -e $run/provenance.json && $run == "$cur"* ]] && COMPREPLY+=("$run")
  done
  [[ ${#COMPREPLY[@]} -gt 0 ]] || _kprov_add -d
}

# Completes the command behind --, with its own completion where bash-completion knows it.
_kprov_wrapped() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)) && [[ $cur != */* ]]; then
    _kprov_add -c
  else
    _kprov_paths -f
  fi
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
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=run first=1 out=runs value forms i
  COMPREPLY=()
  # --flag=value comes as three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      _kprov_wrapped "$((i + 1))"
      return
    fi
    if [[ ${COMP_WORDS[i]} == --out || ${COMP_WORDS[i]} == -o ]] && ((i + 1 < COMP_CWORD)); then
      out=${COMP_WORDS[i + 1]}
      [[ $out == = ]] && out=${COMP_WORDS[i + 2]}
    fi
  done
  if ((COMP_CWORD > 1)) && [[ " $_kprov_commands " == *" ${COMP_WORDS[1]} "* ]]; then
    command=${COMP_WORDS[1]}
    first=2
  fi
  value=$(_kprov_value "$command $previous")
  forms=$(_kprov_forms "$command")
  if [[ -n $value ]]; then
    _kprov_complete "$value"
  elif [[ $cur == -* ]]; then
    _kprov_add -W "$(_kprov_flags "$command")"
    ((COMP_CWORD == 1)) && _kprov_add -W --version
  elif ((COMP_CWORD == first)) && [[ -n $forms ]]; then
    _kprov_add -W "$forms"
  else
    ((COMP_CWORD == 1)) && _kprov_add -W "$_kprov_commands"
    _kprov_complete "$(_kprov_operands "$command")"
  fi
}

complete -F _kprov kprov kprov-run
