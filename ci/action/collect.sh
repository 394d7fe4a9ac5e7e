#!/usr/bin/env bash
# Gathers what the run bought, by its bill, and tells the steps that follow: path is
# what there is to keep, empty where nothing was bought; name is the artifact's; lost
# is 1 where something that was bought can't be kept, 6 where it holds a secret. Git is
# not asked: a tree of another user, an ignored folder or a link would hide it.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -e "$work/began" ] || exit 0 # nothing ran
lost=0
# In a variable: the disk may be full, and then no file says anything.
said=$(hsharness recordings collect --bill "$work/bill.json" --since "$(cat "$work/began")" "$work/bought" 2>&1) || lost=$?
printf '%s\n' "$said"
tab=$'\t'
named() { printf '%s\n' "$said" | sed -n "s/^$1$tab//p"; }
told=$(printf '%s\n' "$said" | grep -av "^[a-z]*$tab")
[ ! -s "$log" ] || [ -z "$told" ] || printf '%s\n' "$told" >>"$log" # run wrote a summary of its own
printf '%s\n' "$said" >"$work/collected"
printf '%s\n' "$told" >"$work/told"
named folder >"$work/folder"
named left >"$work/left"

# What could not be brought there, as on a full disk, is uploaded from where it is, if
# there is no secret beside it.
paths=
[ "$(find "$work/bought" -name '*.json' 2>/dev/null | head -n 1)" = '' ] || paths=$work/bought
gone=0
lines < <(named left)
for file in ${LINES[@]+"${LINES[@]}"}; do
  if [ -f "$file" ] && hsharness --quiet recordings scan "$(dirname "$(dirname "$file")")"; then
    paths=$paths${paths:+$'\n'}$file
  else
    gone=1
  fi
done
[ "$lost" != 1 ] || [ "${#LINES[@]}" = 0 ] || lost=$gone

{
  echo "lost=$lost"
  echo "name=hsharness-${GITHUB_JOB:-job}-${GITHUB_RUN_ATTEMPT:-1}-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')"
  echo 'path<<end of the paths'
  [ -z "$paths" ] || echo "$paths"
  echo 'end of the paths'
} >>"$GITHUB_OUTPUT"
