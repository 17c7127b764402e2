#!/bin/sh
# Make sure that the programs of a PostgreSQL server are there; the tests start one of their own, on a private socket.
set -eu
. "$(dirname "$0")/system.sh"

for folder in /usr/lib/postgresql/*/bin; do
    if [ -x "$folder/initdb" ]; then exit 0; fi
done
if command -v initdb >/dev/null 2>&1; then exit 0; fi
# Debian would make and start a cluster of its own on installing; the tests need the programs only.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
install_packages postgresql
