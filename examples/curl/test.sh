#!/bin/sh
# Checks classify.sh: two products, each with a code of its heading.
set -eu
cd "$(dirname "$0")"

check() {
  answer=$(sh classify.sh "$1" US)
  case "$answer" in
  *'"hsCode":"'"$2"*) echo "ok: $1" ;;
  *) echo "$1: no code of heading $2 in: $answer" >&2 && exit 1 ;;
  esac
}

check "men's cotton t-shirt" 6109
check "laptop computer" 8471
