#!/usr/bin/env bash
# Writes the comparison as a comment on the pull request, over its own earlier one. A job that may not comment
# (that of a fork) says so and goes on: the summary of the job has the same text.
# From the environment: COMMENT, MARKDOWN, NUMBER, GH_TOKEN, RUNNER_TEMP, GITHUB_*.
set -euo pipefail

[[ $COMMENT == true && $GITHUB_EVENT_NAME == pull_request* && -n $MARKDOWN && $NUMBER =~ ^[0-9]+$ ]] || exit 0

mark="<!-- costscan check: ${GITHUB_WORKFLOW:-} ${GITHUB_JOB:-} -->"
mark=${mark//[\"\\]/}
body=$RUNNER_TEMP/costscan-comment.md
{
  echo "$mark"
  cat -- "$MARKDOWN"
} >"$body"

comments=repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments
own=".[] | select(.user.type == \"Bot\" and (.body | startswith(\"$mark\"))) | .id"
if earlier=$(gh api --paginate "$comments" --jq "$own"); then
  earlier=${earlier%%$'\n'*}
  if [[ -n $earlier ]]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$earlier" -F "body=@$body" && exit 0
  else
    gh api --silent --method POST "$comments" -F "body=@$body" && exit 0
  fi
fi
echo "::warning title=costscan::no comment could be written: the job needs the permission pull-requests: write"
