#!/usr/bin/env bash
# Pushes what was bought to the branch that is checked out. The commit is made on what
# the branch is at the remote now, in a tree of its own: nothing else of the job gets
# into it, and where somebody bought the same meanwhile the recording has the takes of
# both. It fails where that can't be done; what was bought stays where it is.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

give_up() {
  echo "$1" >"$work/why"
  echo "what was bought is not pushed: $1"
  exit 1
}

# The job's tree may be another user's, which git takes for an attack.
config="$work/gitconfig"
rm -f "$config"
git config --file "$config" --add include.path "${XDG_CONFIG_HOME:-${HOME:-}/.config}/git/config" &&
  git config --file "$config" --add include.path "${GIT_CONFIG_GLOBAL:-${HOME:-}/.gitconfig}" &&
  git config --file "$config" --add safe.directory '*' || give_up 'git does not work here'
export GIT_CONFIG_GLOBAL=$config
export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1 # nobody is here to type a password

files=()
while IFS= read -r file; do
  files+=("$file")
done < <(find "$work/bought" -name '*.json' 2>/dev/null)
lines < <(cat "$work/left" 2>/dev/null)
for file in ${LINES[@]+"${LINES[@]}"}; do
  [ ! -f "$file" ] || files+=("$file")
done
[ "${#files[@]}" != 0 ] || give_up 'there is nothing'

folder=$(cat "$work/folder")
mkdir -p "$folder" # where all of it is in copies
below=$(git -C "$folder" rev-parse --show-prefix 2>&1) || give_up "$folder is in no git repository: $below"
root=$(git -C "$folder" rev-parse --show-toplevel) || give_up "$folder is in no tree of a git repository"
branch=$(git -C "$root" symbolic-ref -q --short HEAD) ||
  give_up 'no branch is checked out, as in a pull request or at a tag: there is none to push to'
remote=$(git -C "$root" config "branch.$branch.remote") || remote=origin
ref=$(git -C "$root" config "branch.$branch.merge") || ref=refs/heads/$branch

tree=$work/tree
clear() {
  git -C "$root" worktree remove --force "$tree" 2>/dev/null
  rm -rf "$tree"
  git -C "$root" worktree prune
}
trap clear EXIT

# attempt makes the commit on the branch as it is now, and pushes it.
attempt() {
  git -C "$root" fetch -q --no-tags "$remote" "$ref" || return
  tip=$(git -C "$root" rev-parse FETCH_HEAD) || return
  clear
  git -C "$root" worktree add -q --detach "$tree" "$tip" || return
  hsharness recordings recover --into "$tree/$below" "${files[@]}" || return
  # Each folder by itself: one may be a link to elsewhere in the repository. Forced,
  # for they may be ignored.
  for operation in "$tree/$below"*/; do
    git -C "$operation" add -f -A -- . || return
  done
  if git -C "$tree" diff --cached --quiet; then
    echo 'somebody pushed the same'
    return 0
  fi
  git -C "$tree" -c user.name=hsharness -c user.email=hsharness@users.noreply.github.com -c commit.gpgsign=false \
    commit -q -m "recordings: bought by ${GITHUB_WORKFLOW:-CI} ${GITHUB_RUN_ID:-}" || return
  git -C "$root" push -q "$remote" "$(git -C "$tree" rev-parse HEAD):$ref"
}

# Whoever pushed in between makes the next attempt begin with theirs. Where nobody did,
# the remote refuses, and goes on to.
tip='' same=0
for pause in ${HSHARNESS_PUSH_PAUSES:-1 2 4 8 16 0}; do
  before=$tip
  if attempt >"$work/push" 2>&1; then
    cat "$work/push"
    echo "pushed to $remote $ref, recordings: ${#files[@]}"
    exit 0
  fi
  cat "$work/push"
  [ "$tip" != "$before" ] || same=$((same + 1))
  [ "$same" -lt 2 ] || break
  sleep "$pause"
done
give_up "$(grep -aE '^(remote: |fatal: |error: | ! |hsharness: )' "$work/push" | head -n 5)"
