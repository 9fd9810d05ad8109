#!/usr/bin/env bash
# Runs the tests with each Python that is here, and with the newest and the lowest Polars that pyproject.toml allows.
# What is said to this script is said to pytest: `ci/matrix/run.sh tests/prices`. PYTHONS names other interpreters.
set -euo pipefail
cd "$(dirname "$0")/../.."

lowest=$(sed -n 's/^ *"polars>=\([0-9.]*\).*/\1/p' pyproject.toml)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
told=()
failed=0

polars() {
  "$scratch/venv/bin/python" -c 'import polars; print(polars.__version__)'
}

tests() {
  local what
  what="$("$scratch/venv/bin/python" --version), Polars $(polars)"
  echo "+ $what"
  if "$scratch/venv/bin/pytest" -n auto --dist worksteal "$@"; then
    told+=("passed  $what")
  else
    told+=("failed  $what")
    failed=1
  fi
}

for python in ${PYTHONS:-python3.11 python3.12 python3.13 python3.14}; do
  if ! "$python" -c '' 2>/dev/null; then
    told+=("absent  $python")
    continue
  fi
  rm -rf "$scratch/venv"
  "$python" -m venv "$scratch/venv"
  "$scratch/venv/bin/pip" install -q -e '.[dev]'
  newest=$(polars)
  tests "$@"
  "$scratch/venv/bin/pip" install -q "polars==$lowest"
  [ "$(polars)" = "$newest" ] || tests "$@"
done
printf '%s\n' "${told[@]}"
exit $failed
