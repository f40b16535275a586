# What the scripts that measure have in common: they install nothing unless they are asked to, and measure
# the release build. Sourced after install.sh.
# shellcheck shell=bash

# The Debian packages that are missing, on one line. Reads the needed commands, each with its package, a
# line each. Debian starts the services of haproxy and nginx when it installs them; nothing here touches
# those.
missing_packages() {
    local packages=() command package
    while read -r command package; do
        command -v "$command" >/dev/null || packages+=("$package")
    done
    has_python_packages || usable_python python3 || usable_python /usr/bin/python3 ||
        packages+=(python3 python3-venv)
    echo "${packages[*]}"
}

has_python_packages() {
    .venv/bin/python -c 'import cryptography, jwt' 2>/dev/null
}

install_debian_packages() {
    [ "$#" -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages; run: sudo apt-get install $*" >&2
        exit 2
    fi
    apt-get update -qq
    install_debian "$@"
}

# Whether an argument is among others.
is_among() {
    local wanted="$1" argument
    for argument in "${@:2}"; do
        if [ "$argument" = "$wanted" ]; then return 0; fi
    done
    return 1
}

# Sets CLAIMGATE, the binary, and REVISION, what it was built from.
choose_binary() {
    if [ -z "${CLAIMGATE:-}" ]; then
        cargo build --quiet --release --locked
        CLAIMGATE="${CARGO_TARGET_DIR:-$PWD/target}/release/claimgate"
        # With `-dirty` when there are changes that are in no revision.
        REVISION="$(git describe --always --dirty)"
    fi
    export CLAIMGATE REVISION="${REVISION:-not known}"
}
