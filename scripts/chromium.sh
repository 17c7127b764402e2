#!/bin/sh
# Make sure that a Chromium is there for the browser tests (Debian: chromium; Ubuntu without snap: chromium-browser).
set -eu
. "$(dirname "$0")/system.sh"

for name in chromium chromium-browser google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
install_packages chromium fonts-dejavu-core || install_packages chromium-browser fonts-dejavu-core
