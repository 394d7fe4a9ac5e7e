#!/usr/bin/env bash
# Looks at the inputs, and asks the ledger whether enough is left, before anything is
# sent.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

rm -rf "$work" "$log" # of the action's step before, in the same job
mkdir -p "$work"
case "$KEEP" in
  commit | upload) ;;
  *)
    say error hsharness 'keep is neither commit nor upload: what is bought would be lost'
    exit 2
    ;;
esac
if [ -n "$REQUIRE" ]; then
  hsharness quota status --require "$REQUIRE"
fi
