#!/usr/bin/env bash
# Ten features of the shipped recording equal pandas' and numba's; skipped where `make bench-peers-features` never ran.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! [ -x build/peers/features/bin/python ] || ! [ -x build/bench/feature_bench ]; then
    echo "skipped: pandas and numba are not there (make bench-peers-features fetches them)"
    exit 77
fi
bench/peers/features/run.sh --repeats 1
