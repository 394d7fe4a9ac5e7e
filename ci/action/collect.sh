#!/usr/bin/env bash
# Gathers what the run bought, by its bill, and tells the steps that follow: path is
# what there is to keep, empty where nothing was bought; name is the artifact's; lost
# is 1 where something that was bought can't be kept, 6 where it holds a secret. Git is
# not asked: a tree of another user, an ignored folder or a link would hide it.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -e "$work/began" ] || exit 0 # nothing ran
lost=0
hsharness recordings collect --bill "$work/bill.json" --since "$(cat "$work/began")" "$work/bought" \
  >"$work/collected" 2>"$work/told" || lost=$?
cat "$work/collected" "$work/told"
[ ! -s "$log" ] || cat "$work/told" >>"$log" # run wrote a summary of its own
tab=$'\t'
sed -n "s/^folder$tab//p" "$work/collected" >"$work/folder"
sed -n "s/^left$tab//p" "$work/collected" >"$work/left"

# What could not be brought there, as on a full disk, is uploaded from where it is, if
# there is no secret beside it.
paths=
[ "$(find "$work/bought" -name '*.json' 2>/dev/null | head -n 1)" = '' ] || paths=$work/bought
gone=0
lines "$work/left"
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
