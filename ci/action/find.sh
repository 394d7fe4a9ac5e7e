#!/usr/bin/env bash
# Looks for the binary of the release that the action was taken from, and tells the
# steps that follow: have is true where it is here, key is what names a build of this
# very tree in the cache. REF is the tag or branch of the action, and REPOSITORY where
# it is from; a tag such as v1 is the release that the tree's changelog begins with.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

bin="$RUNNER_TEMP/hsharness-bin"
mkdir -p "$bin"
echo "$bin" >>"$GITHUB_PATH"

digest() {
  if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

case "${RUNNER_OS:-}" in
  Linux) os=linux suffix=tar.gz ;;
  macOS) os=darwin suffix=tar.gz ;;
  Windows) os=windows suffix=zip ;;
  *) os='' suffix='' ;;
esac
case "${RUNNER_ARCH:-}" in
  X64) arch=amd64 ;;
  ARM64) arch=arm64 ;;
  *) arch='' ;;
esac

version=
if [[ ${REF:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
  version=${REF#v}
elif [[ ${REF:-} =~ ^v[0-9]+$ ]]; then
  version=$(sed -n 's/^## \[\([0-9][0-9.]*\)\].*/\1/p' "$GITHUB_ACTION_PATH/CHANGELOG.md" | head -n 1)
fi

# download takes the archive of the release and compares it with the release's list.
download() {
  local archive="hsharness_${version}_${os}_${arch}.$suffix" dir="$RUNNER_TEMP/hsharness-release" want
  local from="${GITHUB_SERVER_URL:-https://github.com}/$REPOSITORY/releases/download/v$version"
  rm -rf "$dir" && mkdir -p "$dir" || return
  curl -fsSL --retry 3 --max-time 120 -o "$dir/$archive" "$from/$archive" &&
    curl -fsSL --retry 3 --max-time 60 -o "$dir/checksums.txt" "$from/checksums.txt" || return
  want=$(awk -v name="$archive" '$2 == name { print $1 }' "$dir/checksums.txt")
  if [ -z "$want" ] || [ "$want" != "$(digest "$dir/$archive" | cut -d ' ' -f 1)" ]; then
    say warning hsharness "$archive of the release v$version is not what its list of checksums says, and is not used"
    return 1
  fi
  case "$suffix" in
    zip) unzip -q -o "$dir/$archive" hsharness.exe -d "$bin" ;;
    *) tar -xzf "$dir/$archive" -C "$bin" hsharness ;;
  esac
}

have=false
if [ -n "$version" ] && [ -n "$os" ] && [ -n "$arch" ] && [ -n "${REPOSITORY:-}" ] && download; then
  have=true
  echo "hsharness $version, as released"
fi
{
  echo "have=$have"
  printf 'key=hsharness-bin:%s-%s:' "${RUNNER_OS:-}" "${RUNNER_ARCH:-}"
  (cd "$GITHUB_ACTION_PATH" && find . -type f -not -path './.git/*' -print0 | LC_ALL=C sort -z | xargs -0 cat | digest | cut -d ' ' -f 1)
} >>"$GITHUB_OUTPUT"
