#!/usr/bin/env bash
# Brings Rack 3, which Debian 12 does not have, from Debian 13 into a folder beside this file. Without it
# test_models.py compares the models with all other libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
if [ -d .rack3 ]; then
    exit 0
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
repository="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | sed -n 1p)"
echo "deb $repository trixie main" >"$folder/sources.list"
options=(
    -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root
)
apt-get "${options[@]}" -qq update
(cd "$folder" && apt-get "${options[@]}" -qq download ruby-rack)
dpkg-deb --extract "$folder"/ruby-rack_*.deb "$folder/package"
mkdir .rack3
mv "$folder"/package/usr/share/rubygems-integration/all/gems/rack-*/lib .rack3
