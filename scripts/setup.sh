#!/bin/sh
# Make the virtual environment from a hashed lock. Called by make with PYTHON and VENV set, and one word:
#   run    requirements.lock: what mbc needs to run
#   dev    requirements-dev.lock: the same versions, and the tools of the tests and checks
# Copies of the files that were installed are kept in the environment, so that nothing is installed twice.
set -eu
. "$(dirname "$0")/system.sh"

case "${1:-}" in
    run) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "Usage: PYTHON=python3 VENV=.venv sh scripts/setup.sh run|dev" >&2; exit 2 ;;
esac

same() { cmp -s "$1" "$VENV/.$1"; }
install() { "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }

usable() {
    [ -x "$VENV/bin/python" ] && same requirements.lock || return 1
    [ ! -e "$VENV/.requirements-dev.lock" ] || same requirements-dev.lock
}

make_environment() {
    if [ -z "${PYTHON:-}" ]; then
        echo "mbc needs Python 3.11, 3.12 or 3.13; none was found. Install python3 (Debian 12, Ubuntu 24.04), or name one: make PYTHON=/path/to/python3.12" >&2
        exit 1
    fi
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        install_packages "python$version-venv" || install_packages python3-venv
    fi
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
}

usable || make_environment
if ! same "$lock"; then
    echo "Installing the pinned dependencies of $lock (a few minutes the first time) ..."
    install --require-hashes -r "$lock"
    cp requirements.lock "$VENV/.requirements.lock"  # the development lock holds all of it
    cp "$lock" "$VENV/.$lock"
fi
if ! same pyproject.toml; then
    install --no-deps --no-build-isolation --editable .
    cp pyproject.toml "$VENV/.pyproject.toml"
fi
