#!/bin/sh
# Sourced: installs system packages through the machine's own package manager.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "This machine has no apt-get. Please install by hand: $*" >&2
        return 1
    fi
    echo "Installing system packages: $*" >&2
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
