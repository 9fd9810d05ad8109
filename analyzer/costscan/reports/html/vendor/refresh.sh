#!/usr/bin/env bash
# Takes the chart library and its licences from their packages again, in the versions of versions.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
: >"$here/LICENSES.txt"
while read -r package version file; do
  tar xzf "$(npm pack --silent "$package@$version")"
  cp "package/$file" "$here/"
  { echo "$package $version"; echo; cat package/LICENSE; echo; } >>"$here/LICENSES.txt"
  rm -r package
done <"$here/versions.txt"
