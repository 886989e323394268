#!/usr/bin/env bash
# hftbacktest and fathom on one recording, in turns: makes the peer's environment once (build/peers/hftbacktest), then compare.py.
#   bench/peers/hftbacktest/run.sh [--recording FILE] [--rounds N] [--check] [--json] ...   (--help lists the rest)
# Exit codes: 0 equal fills, 1 they differ, 4 the environment could not be made, 77 nothing to compare on (said why).
set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd)
env=$top/build/peers/hftbacktest
if ! "$env/bin/python" -c 'import hftbacktest' 2>/dev/null; then
    echo "peers: installing hftbacktest into $env" >&2
    python3 -m venv "$env" && "$env/bin/pip" install --quiet --disable-pip-version-check -r "$top/bench/peers/hftbacktest/requirements.txt" || {
        echo "peers: hftbacktest could not be installed: is a package index reachable?" >&2
        exit 4
    }
fi
exec "$env/bin/python" "$top/bench/peers/hftbacktest/compare.py" "$@"
