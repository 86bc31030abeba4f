# Completions of kprov for fish: kprov completions fish | source

# Whether what is typed stands in the command behind --.
function __kprov_wraps
    contains -- -- (commandline -opc)
end

# Completes that command as if it stood by itself.
function __kprov_wrapped
    set -l tokens (commandline -opc)
    set -l i (contains -i -- -- $tokens); or return
    set -e tokens[1..$i]
    set -l words (string escape -- $tokens) (commandline -ct)
    complete -C (string join ' ' -- $words)
end

function __kprov_is
    __kprov_wraps; and return 1
    set -l tokens (commandline -opc)
    set -l name run
    if set -q tokens[2]; and contains -- $tokens[2] $__kprov_commands
        set name $tokens[2]
    end
    test $name = $argv[1]
end

# Whether the word that is typed is the first of a command's arguments.
function __kprov_is_form
    __kprov_is $argv[1]; and test (count (commandline -opc)) -eq 2
end

function __kprov_first
    test (count (commandline -opc)) -eq 1
end

function __kprov_runs
    set -l tokens (commandline -opc)
    set -l out runs
    if set -l i (contains -i -- --out $tokens; or contains -i -- -o $tokens); and set -q tokens[(math $i + 1)]
        set out $tokens[(math $i + 1)]
    end
    set -l documents $out/*/provenance.json
    if set -q documents[1]
        string replace -r '/provenance\.json$' '' -- $documents
    else
        __fish_complete_directories
    end
end

complete -c kprov-run -w kprov
complete -c kprov -n __kprov_first -l version -d 'Show the version'
complete -c kprov -n __kprov_wraps -f -a '(__kprov_wrapped)'

# @table: what follows is made from the table of commands.
set -g __kprov_commands
# @end
