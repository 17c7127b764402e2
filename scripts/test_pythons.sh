#!/bin/sh
# Run the tests on each Python that mbc supports and this machine has: on the path, or among those of pyenv.
# Each has an environment of its own, .venv-3.X.
set -eu

works() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null; }

interpreter() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/"python$1"; do
        if works "$candidate" "$1"; then echo "$candidate"; return; fi
    done
}

passed="" failed="" absent=""
for version in 3.11 3.12 3.13; do
    python=$(interpreter "$version")
    if [ -z "$python" ]; then
        absent="$absent $version"
        continue
    fi
    echo "== Python $version ($python)"
    if "${MAKE:-make}" --no-print-directory test PYTHON="$python" VENV=".venv-$version"; then
        passed="$passed $version"
    else
        failed="$failed $version"
    fi
done

echo "passed:${passed:- none}; failed:${failed:- none}; not on this machine:${absent:- none}"
[ -z "$failed" ] && [ -n "$passed" ]
