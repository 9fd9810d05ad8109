#!/usr/bin/env bash
# Checks the logs and says what came of it in outputs; the job fails later, when the comment is written.
# From the environment: PYTHON, COSTSCAN, LOGS, BASELINE, REQUIRE_BASELINE, FAIL_ON, UNDECIDED, REPORT, GITHUB_*.
set -euo pipefail

markdown=costscan.md
none="There is no baseline yet, so nothing was compared. Keep the report as the baseline of the next check."

# What a check that passes but left out what needs a baseline is called.
verdict_of='
import json, sys
found = json.load(open(sys.argv[1], encoding="utf-8"))
left = "no-baseline" if found["limits"] else "nothing-checked"
print(left if found["unchecked"] and found["verdict"] == "passed" else found["verdict"])
'

refuse() {
  echo "::error title=costscan::$1"
  finish error 2
}

# Ends this step, which never fails: VERDICT EXIT_CODE.
finish() {
  if [[ $1 == error ]]; then
    REPORT='' markdown=''
  fi
  {
    echo "verdict=$1"
    echo "exit-code=$2"
    echo "report=$REPORT"
    echo "markdown=$markdown"
  } >>"$GITHUB_OUTPUT"
  exit 0
}

# Gives the lines of an input, without empty ones and the spaces around.
lines() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    [[ -z $line ]] || printf '%s\n' "$line"
  done <<<"$1"
}

# Makes the report alone.
record() {
  local code=0
  "$COSTSCAN" analyze "--output=$REPORT" "--output=$markdown" --output=costscan.sarif -- "${paths[@]}" || code=$?
  [[ $code -eq 0 ]] || finish error "$code"
  if [[ -n $BASELINE ]]; then
    echo "::notice title=costscan::$none"
    printf '%s\n\n%s\n' "$none" "$(<"$markdown")" >"$markdown.new"
    mv "$markdown.new" "$markdown"
  fi
  cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
  finish no-baseline 0
}

# Makes the report and the comparison. Returns where no limit could be checked, for there is no baseline.
check() {
  local code=0 verdict
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  [[ -z $BASELINE ]] || options+=("--baseline=$BASELINE" --missing-baseline=skip)
  GITHUB_STEP_SUMMARY='' "$COSTSCAN" check --github ${options[@]+"${options[@]}"} "--output=$markdown" --output=costscan.xml \
    --output=costscan.sarif "--output=$REPORT" "--output=$scratch/check.json" -- "${paths[@]}" || code=$?
  [[ -f $scratch/check.json ]] || finish error "$code"
  verdict=$("$PYTHON" -I -c "$verdict_of" "$scratch/check.json")
  [[ $verdict != nothing-checked ]] || return 0
  cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
  finish "$verdict" "$code"
}

if [[ $REPORT == *[[:cntrl:]]* || $BASELINE == *[[:cntrl:]]* ]]; then
  refuse "baseline and report are one path each"
fi
[[ $REPORT == *.parquet ]] || refuse "report: a baseline is a .parquet file"

case $REQUIRE_BASELINE in
  true) [[ -n $BASELINE && -e $BASELINE ]] || refuse "no baseline at '${BASELINE//%/%25}', and require-baseline is true" ;;
  false | "") ;;
  *) refuse "require-baseline is true or false" ;;
esac

paths=() options=()
while IFS= read -r line; do [[ -z $line ]] || paths+=("$line"); done <<<"$(lines "$LOGS")"
while IFS= read -r line; do [[ -z $line ]] || options+=("--fail-on=$line"); done <<<"$(lines "$FAIL_ON")"
[[ ${#paths[@]} -gt 0 ]] || refuse "logs: name files, folders or patterns, one a line"

case $UNDECIDED in
  pass | fail) options+=("--undecided=$UNDECIDED") ;;
  auto) [[ $GITHUB_EVENT_NAME != pull_request* ]] || options+=(--undecided=pass) ;;
  "") ;;
  *) refuse "undecided is pass, fail, auto or empty" ;;
esac

rm -f "$markdown" costscan.xml costscan.sarif
if [[ -n $BASELINE || -n $(lines "$FAIL_ON") ]]; then
  check
  rm -f "$markdown" costscan.xml costscan.sarif
fi
record
