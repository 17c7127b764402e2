#!/bin/sh
# Playwright and pyright bring a Node.js that needs libatomic, which a minimal Debian does not have.
set -eu
. "$(dirname "$0")/system.sh"

if ls /lib/*/libatomic.so.1 /usr/lib/*/libatomic.so.1 /usr/lib64/libatomic.so.1 >/dev/null 2>&1; then exit 0; fi
for folder in /lib /usr/lib; do
    if find "$folder" -maxdepth 2 -name 'libatomic.so.1' 2>/dev/null | grep -q .; then exit 0; fi
done
install_packages libatomic1
