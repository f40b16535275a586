#!/usr/bin/env bash
# Installs the frameworks that tests/frameworks runs: install.sh short|long. Quick when they are there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

case "${1:-}" in
    short | long) ;;
    *)
        echo "usage: install.sh short|long" >&2
        exit 2
        ;;
esac

# A virtual environment, made anew when its requirements have changed.
python_environment() {
    local folder=".venv-$1" requirements="requirements-$1.txt" python=python3
    if cmp -s "$requirements" "$folder/installed-requirements.txt" && "$folder/bin/python" -c '' 2>/dev/null; then
        return
    fi
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || python=/usr/bin/python3
    rm -rf "$folder"
    "$python" -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$folder/installed-requirements.txt"
}

python_environment current
python_environment werkzeug2
for script in install/*.sh; do
    "$script" "$1"
done
