#!/usr/bin/env bash
# Installs costscan in an environment of its own, beside whatever the job uses.
# From the environment: PYTHON, VERSION (empty: the checkout of this action), RUNNER_TEMP, GITHUB_ACTION_PATH.
set -euo pipefail

if [[ -z $VERSION ]]; then
  what=$GITHUB_ACTION_PATH
elif [[ $VERSION =~ ^[0-9][0-9A-Za-z.]*$ ]]; then
  what=costscan==$VERSION
else
  echo "::error title=costscan::version is not a version number, like 0.1.0"
  exit 2
fi

# With -I nothing is taken from the folder of the job, which a pull request can write to.
environment=$RUNNER_TEMP/costscan
"$PYTHON" -I -m venv "$environment"
"$environment/bin/python" -I -m pip install --quiet --disable-pip-version-check "$what"
{
  echo "python=$environment/bin/python"
  echo "costscan=$environment/bin/costscan"
} >>"$GITHUB_OUTPUT"
