# Installs what the checks need and the machine lacks. Sourced by scripts/test.
# shellcheck shell=bash

CARGO_DENY_VERSION=0.20.2

# Debian packages, all at once and only when something is missing.
install_packages() {
    local packages=()
    command -v cc >/dev/null && command -v make >/dev/null || packages+=(build-essential)
    command -v chromium >/dev/null || packages+=(chromium)
    command -v curl >/dev/null || packages+=(curl)
    command -v h2load >/dev/null || packages+=(nghttp2-client)
    command -v node >/dev/null || packages+=(nodejs)
    command -v npm >/dev/null || packages+=(npm)
    command -v openssl >/dev/null || packages+=(openssl)
    command -v pebble >/dev/null && command -v pebble-challtestsrv >/dev/null || packages+=(pebble)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages+=(postgresql)
    command -v promtool >/dev/null || packages+=(prometheus)
    command -v etcd >/dev/null || packages+=(etcd-server)
    command -v etcdctl >/dev/null || packages+=(etcd-client)
    usable_python python3 || usable_python /usr/bin/python3 || packages+=(python3 python3-venv)
    if [ "${#packages[@]}" -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages; run: sudo apt-get install ${packages[*]}" >&2
        return 1
    fi
    apt-get update -qq
    if [[ " ${packages[*]} " == *" postgresql "* ]]; then
        # Tests run servers of their own, and need none that the package would set up and start.
        install_debian postgresql-common
        pg_conftool /etc/postgresql-common/createcluster.conf set create_main_cluster false
    fi
    if [[ " ${packages[*]} " == *" prometheus "* ]]; then
        # Of its package only promtool is needed, and no server.
        mkdir -p /etc/systemd/system
        ln -s /dev/null /etc/systemd/system/prometheus.service
    fi
    if [[ " ${packages[*]} " == *" etcd-server "* ]]; then
        mkdir -p /etc/systemd/system
        ln -sf /dev/null /etc/systemd/system/etcd.service
    fi
    install_debian "${packages[@]}"
}

# What the tests that take minutes need besides: a Debian that boots.
install_packages_of_long_tests() {
    command -v debootstrap >/dev/null && command -v systemd-nspawn >/dev/null && return
    install_debian debootstrap systemd-container
}

install_debian() {
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# Whether an interpreter is new enough and can make virtual environments: Debian's own cannot
# without python3-venv.
usable_python() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# The virtual environment of the front-door tests, made anew when the requirements have changed.
install_python_packages() {
    local python=python3 requirements=tests/front_door/requirements.txt
    usable_python "$python" || python=/usr/bin/python3
    if cmp -s "$requirements" .venv/installed-requirements.txt && .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    rm -rf .venv
    "$python" -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" .venv/installed-requirements.txt
}

install_npm_packages() {
    local folder=tests/front_door
    if cmp -s "$folder/package-lock.json" "$folder/node_modules/installed-package-lock.json"; then
        return
    fi
    npm ci --silent --no-audit --no-fund --prefix "$folder"
    cp "$folder/package-lock.json" "$folder/node_modules/installed-package-lock.json"
}

# Compiles for some minutes the first time, and is kept among cargo's own commands. It runs for a second, which its
# own optimizations, of several minutes more, do not change.
install_cargo_deny() {
    if ! cargo deny --version >/dev/null 2>&1; then
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
            cargo install --quiet --locked "cargo-deny@$CARGO_DENY_VERSION"
    fi
}
