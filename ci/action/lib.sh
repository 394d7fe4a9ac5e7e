# shellcheck shell=bash
# What the action's scripts share. Each of them is one step of action.yml, which gives
# it the inputs in its environment: an input in a line of shell would be code.

# Where a job of the action keeps what its steps tell each other:
#   began      when it started the run; no file, no run
#   code       the run's exit code; a run that was killed has none
#   bill.json  the run's bill, in its last line
#   sample     there where a sample was bought again, and no suite ran
#   report.html  the results of scenarios, for people
#   bought/    the recordings that it bought
#   left       the names of those that could not be brought there
#   folder     the folder that they belong into
#   why        why they could not be pushed
work="${RUNNER_TEMP:?}/hsharness"
# What the run printed.
log="$RUNNER_TEMP/hsharness.log"

# say LEVEL TITLE TEXT makes an annotation. The text may have several lines.
say() {
  local text=$3
  text=${text//'%'/'%25'}
  text=${text//$'\r'/'%0D'}
  text=${text//$'\n'/'%0A'}
  printf '::%s title=%s::%s\n' "$1" "$2" "$text"
}

# lines puts the lines of its standard input into the array LINES.
lines() {
  LINES=()
  local line
  while IFS= read -r line || [ -n "$line" ]; do
    [ -z "$line" ] || LINES+=("$line")
  done
}
