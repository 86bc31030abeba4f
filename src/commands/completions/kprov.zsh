#compdef kprov kprov-run
# Completions of kprov for zsh: source <(kprov completions zsh), after compinit; or put them into a
# directory of fpath as _kprov.

_kprov_runs() {
  local -a runs
  local out=runs i
  for ((i = 2; i < CURRENT - 1; i++)); do
    [[ $words[i] == (--out|-o) ]] && out=$words[i+1]
  done
  runs=($out/*/provenance.json(N:h))
  if (( $#runs )); then
    compadd -f -- $runs
  else
    _path_files -/
  fi
}

_kprov() {
  local command=run
  local -a kprov_commands
  local -i dashes=${words[(i)--]}
  _kprov_list
  # The command behind -- is completed as if it stood by itself.
  if (( dashes < CURRENT )); then
    shift $dashes words
    (( CURRENT -= dashes ))
    _normal
    return
  fi
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t commands command kprov_commands
    _files
    return
  fi
  if (( ${kprov_commands[(I)${words[2]}:*]} )); then
    command=$words[2]
    shift words
    (( CURRENT-- ))
  fi
  _kprov_arguments
}

# @table: what follows is made from the table of commands.
_kprov_list() { kprov_commands=(); }
_kprov_arguments() { _arguments -S; }
# @end

compdef _kprov kprov kprov-run
# zsh calls a function that it loads from fpath; sourced, there is nothing to complete yet.
[[ $funcstack[1] == _kprov ]] && _kprov "$@"
true
