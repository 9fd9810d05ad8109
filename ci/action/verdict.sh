#!/usr/bin/env bash
# Ends the job as the check did. From the environment: EXIT_CODE.
set -euo pipefail

[[ $EXIT_CODE =~ ^[0-9]+$ ]] || EXIT_CODE=2
exit "$EXIT_CODE"
