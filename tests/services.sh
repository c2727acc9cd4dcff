#!/bin/sh
# Programs that some tests use for real: a PostgreSQL server and a browser. Installed where we may, named where we may not.
set -u

missing=""
[ -x "$(command -v chromium || command -v chromium-browser || command -v google-chrome)" ] || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing for the tests that use them."
    # shellcheck disable=SC2086 - one word per package
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing && exit 0
fi
echo "Not here:$missing. The tests that need them are skipped and say so; install the packages to run them."
