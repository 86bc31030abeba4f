#!/bin/sh
# A hook for machines with npm and nothing else; pre-commit starts it in the repository that is checked.
# Deno takes its configuration and its lockfile from beside cli.ts, and none from that repository.
set -eu
kprov="$(dirname "$0")/../../cli.ts"
command=$1
shift
case $command in
  guard)
    # git names the index of a commit that is being made in a variable.
    exec npx -y deno@2.9.6 run --quiet --no-prompt --allow-read --allow-env=GIT_INDEX_FILE \
      "$kprov" guard "$@"
    ;;
  preflight)
    exec npx -y deno@2.9.6 run --quiet --no-prompt --allow-read --allow-run --allow-env \
      "$kprov" preflight "$@"
    ;;
  *)
    echo "error: Cannot use hook $command: expected guard or preflight" >&2
    exit 64
    ;;
esac
