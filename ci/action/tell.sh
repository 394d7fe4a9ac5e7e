#!/usr/bin/env bash
# Tells the figures of the run's bill: the action's outputs, and priced, which is true
# where the price of the suite is known. After a push a copy of the bill is kept, which
# pull requests to that branch are compared with.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -s "$work/bill.json" ] || exit 0 # nothing ran, or it was killed
bill=$(tail -n 1 "$work/bill.json")

# member prints a number or a word of the bill. A quote within a text is escaped, so
# none looks like a member.
member() {
  printf '%s\n' "$bill" | sed -nE 's/.*[{,]"'"$1"'":"?([a-z0-9-]*).*/\1/p' | sed 's/^null$//'
}

priced=false
if [ ! -e "$work/sample" ] && [ "$(member verdict)" != usage ]; then
  priced=true
  rm -rf "$RUNNER_TEMP/hsharness-price"
  if [ "${GITHUB_EVENT_NAME:-}" = push ]; then
    mkdir "$RUNNER_TEMP/hsharness-price" && printf '%s\n' "$bill" >"$RUNNER_TEMP/hsharness-price/bill.json" || priced=false
  fi
fi
report="$work/report.html"
[ -s "$report" ] || report="$work/bill.json"
{
  echo "spent=$(member spent)"
  echo "would-have-spent=$(member would_have_spent)"
  echo "left=$(member left)"
  echo "recorded=$(grep -c "^\(collected\|left\|secret\)$(printf '\t')" "$work/collected" 2>/dev/null)"
  echo "verdict=$(member verdict)"
  echo "report=$report"
  echo "priced=$priced"
} >>"$GITHUB_OUTPUT"
