#!/usr/bin/env bash
# Ten features by pandas, numba and fathom in one run: makes the peers' environment once (build/peers/features), then compare.py.
#   bench/peers/features/run.sh [--tape TAPE] [--repeats N] [--json]
# Exit codes: 0 equal values, 1 they differ, 4 the environment could not be made.
set -euo pipefail
top=$(cd "$(dirname "$0")/../../.." && pwd)
env=$top/build/peers/features
if ! "$env/bin/python" -c 'import numba, pandas' 2>/dev/null; then
    echo "peers: installing pandas and numba into $env" >&2
    python3 -m venv "$env" && "$env/bin/pip" install --quiet --disable-pip-version-check -r "$top/bench/peers/features/requirements.txt" || {
        echo "peers: pandas and numba could not be installed: is a package index reachable?" >&2
        exit 4
    }
fi
exec "$env/bin/python" "$top/bench/peers/features/compare.py" "$@"
