#!/usr/bin/env bash
# Runs the suite, the scenarios or the sample, with a bill that the steps that follow
# read. Its exit code is the run's.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

spend=()
[ -z "$MAX_SPEND" ] || spend=(--max-spend "$MAX_SPEND")
date -u +%Y-%m-%dT%H:%M:%SZ >"$work/began" || exit
if [ -n "$SAMPLE" ]; then
  : >"$work/sample"
  hsharness recordings verify --bill "$work/bill.json" --sample "$SAMPLE" ${spend[@]+"${spend[@]}"} 2>&1 | tee "$log"
elif [ -n "$COMMAND" ]; then
  hsharness exec --bill "$work/bill.json" --mode "$MODE" ${spend[@]+"${spend[@]}"} -- bash -euo pipefail -c "$COMMAND" 2>&1 | tee "$log"
else
  : >"$log" # run writes its own summary and annotations
  hsharness run --summary --json "$work/bill.json" --html "$work/report.html" --mode "$MODE" ${spend[@]+"${spend[@]}"}
fi
code=${PIPESTATUS[0]}
echo "$code" >"$work/code"
[ "$code" = 0 ] || say error "hsharness, exit code $code" "$(grep -a '^hsharness: ' "$log" | tail -n 1)"
exit "$code"
