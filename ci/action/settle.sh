#!/usr/bin/env bash
# Says what became of what was bought, and fails the job where it could be neither
# pushed nor uploaded. NAME, PATHS and LOST are what collect.sh told; COLLECT, UPLOAD
# and PUSH are how those steps ended: success, failure or skipped.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

[ -e "$work/began" ] || exit 0 # nothing ran, so nothing was bought
if [ "$COLLECT" != success ]; then
  say error hsharness "what was bought could not be looked for; it is on this machine, in the recordings folder below $PWD"
  exit 1
fi
case "$LOST" in
  6) say error hsharness 'an answer that was bought holds a secret, and is kept on this machine alone: hsharness recordings scan' ;;
  1) say error hsharness "of what was bought this could not be kept; take it before this machine is gone: $(cat "$work/left")" ;;
  0) ;;
  *) say error hsharness "what was bought is not known: $(tail -n 1 "$work/told" | grep . || echo "is the disk of $work full?")" ;;
esac
[ -n "$PATHS" ] || exit "$LOST"

why=$(cat "$work/why" 2>/dev/null)
home="gh run download ${GITHUB_RUN_ID:-RUN} --name $NAME --dir bought
find bought -name '*.json' -exec hsharness recordings recover {} +"
case "$PUSH $UPLOAD" in
  'success success' | 'skipped success') ;;
  'success '*) say warning hsharness 'what was bought is pushed; it could not be uploaded' ;;
  *' success')
    say warning hsharness "what was bought could not be pushed: ${why:-git failed}
It is the artifact $NAME. Bring it home, and do not buy it again:
$home"
    ;;
  *)
    say error hsharness "what was bought could be neither pushed nor uploaded${why:+: $why}
Take it before this machine is gone, and do not buy it again: $PATHS"
    [ "$LOST" != 0 ] || LOST=1
    ;;
esac
exit "$LOST"
