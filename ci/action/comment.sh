#!/usr/bin/env bash
# Says on the pull request what it costs. A job that may not comment, as a fork's, says
# so and goes on; so does one whose comment fails.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

hsharness comment --bill "$work/bill.json" --before "$RUNNER_TEMP/hsharness-price/bill.json" 2>"$work/uncommented"
code=$?
[ ! -s "$work/uncommented" ] || say notice hsharness "$(cat "$work/uncommented")"
exit "$code"
