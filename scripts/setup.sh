#!/bin/sh
# Make the virtual environment from the hashed lock, once. Called by make with PYTHON and VENV set.
set -eu
. "$(dirname "$0")/system.sh"

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
echo "Installing the pinned dependencies (a few minutes the first time) ..."
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
