#!/usr/bin/env bash
# Builds hsharness from the action's own tree, for the steps that follow.
set -euo pipefail

go -C "$GITHUB_ACTION_PATH" build -trimpath -tags=nopgxregisterdefaulttypes -ldflags '-s -w' -o "$RUNNER_TEMP/hsharness-bin/" ./cmd/hsharness
