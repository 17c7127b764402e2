#!/bin/sh
# Print the Python to use: the newest of the given versions that this machine has (default: all that mbc supports).
#   sh scripts/python.sh [3.11 ...]
# Of two with the same version, the distribution's own comes first: it is compiled with profile-guided optimization,
# which pyenv leaves out, and the tests need a fifth less processor time. One that can make virtual environments comes
# before one that cannot yet.
set -eu
[ $# -gt 0 ] || set -- 3.13 3.12 3.11

is_version() { "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null; }
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

for condition in makes_environments true; do
    for version in "$@"; do
        for name in "/usr/bin/python$version" "python$version" python3; do
            python=$(command -v "$name") || continue
            if is_version "$python" "$version" && "$condition" "$python"; then
                echo "$python"
                exit
            fi
        done
    done
done
