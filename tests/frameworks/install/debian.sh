#!/usr/bin/env bash
# Installs the frameworks that come from Debian, and compiles the functions that need it: debian.sh short|long.
set -euo pipefail
frameworks="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
functions="$frameworks/functions"
target="$frameworks/../../target/frameworks"

# Pairs of a file and the package that brings it.
wanted=(
    /usr/bin/php php-cli
    /usr/bin/ruby ruby
    /usr/bin/puma puma
    /usr/share/rubygems-integration/all/gems/sinatra-3.0.5 ruby-sinatra
    /usr/sbin/lighttpd lighttpd
    /usr/share/perl5/CGI.pm libcgi-pm-perl
    /usr/share/perl5/CGI/Fast.pm libcgi-fast-perl
    /usr/bin/go golang-go
    /usr/sbin/nginx nginx-light
)
if [ "${1:-short}" = long ]; then
    wanted+=(
        /usr/bin/php-cgi php-cgi
        /usr/share/java/tomcat10-catalina.jar libtomcat10-java
        /usr/share/java/jetty9-server.jar libjetty9-java
    )
    command -v javac >/dev/null || wanted+=(/usr/bin/javac default-jdk-headless)
fi

packages=()
for ((i = 0; i < ${#wanted[@]}; i += 2)); do
    [ -e "${wanted[i]}" ] || packages+=("${wanted[i + 1]}")
done
if [ "${#packages[@]}" -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages; run: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    # At this run level Debian does not start the services of what it installs.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
fi

mkdir -p "$target"
(
    cd "$functions/go"
    # Nothing is fetched: the functions use Go's own packages only.
    export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local
    /usr/bin/go build -o "$target/go-function" .
    /usr/bin/go build -o "$target/go-paths" ./paths
)
if [ "${1:-short}" = long ] && [ -n "$(find "$functions/java" -newer "$target/java/compiled" 2>/dev/null || echo new)" ]; then
    "$functions/java/compile" "$target/java"
    touch "$target/java/compiled"
fi
