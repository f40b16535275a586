#!/usr/bin/env bash
# Installs the frameworks of Node, the same ones for short|long.
set -euo pipefail
folder="$(dirname "${BASH_SOURCE[0]}")/../functions/node"
if [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
    exit 0
fi
npm ci --silent --no-audit --no-fund --prefix "$folder"
