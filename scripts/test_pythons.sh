#!/bin/sh
# Run the tests on each Python that mbc supports and this machine has: on the path, or among those of pyenv.
# Each has an environment of its own, .venv-3.X.
set -eu

interpreter() {
    path=$PATH
    for folder in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin; do path=$folder:$path; done
    PATH=$path sh scripts/python.sh "$1"
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
