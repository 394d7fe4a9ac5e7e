#!/usr/bin/env bash
# Writes the end of the log, and what is left, into the job's summary. GitHub drops one
# above 1 MiB as a whole, and what the log says is text: no fence in it ends the block,
# and no escape code gets through.
set -euo pipefail
export LC_ALL=C

# harmless is the end of a file, in short lines, without what commands a terminal.
harmless() {
  tail -n 60 "$1" | tail -c 4000000 | sed $'s/\033\\[[0-9;:?]*[ -\\/]*[@-~]//g' | tr -d '\000-\010\013-\037\177' |
    cut -b 1-500 | iconv -c -f UTF-8 -t UTF-8 || true # -c leaves out the half of a character, and says so
}

block() {
  local text fence='```'
  text=$(harmless "$1")
  while [[ $text == *"$fence"* ]]; do fence+='`'; done
  printf '%stext\n%s\n%s\n' "$fence" "$text" "$fence"
}

. "$(dirname "$0")/lib.sh"
{
  if [ ! -e "$log" ]; then
    echo 'hsharness: nothing ran'
  elif [ -s "$log" ]; then
    echo '### hsharness'
    block "$log"
  fi
  if hsharness quota status >"$RUNNER_TEMP/hsharness.status" 2>/dev/null; then
    echo
    block "$RUNNER_TEMP/hsharness.status"
  fi
} >>"$GITHUB_STEP_SUMMARY"
