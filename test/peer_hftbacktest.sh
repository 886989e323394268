#!/usr/bin/env bash
# hftbacktest itself, where it is installed: orders, fills and money of its six queue models with and without latency equal ours,
# through prepared rows and through the program, on USD-M, COIN-M and spot recordings. Skipped where `make bench-peers` never ran.
set -uo pipefail
cd "${FATHOM_ROOT:-$(dirname "$0")/..}"
data=${FATHOM_SHARED:-../shared}/data/raw
if ! [ -x build/peers/hftbacktest/bin/python ] || ! [ -x build/bench/sim_bench ]; then
    echo "skipped: hftbacktest is not there (make bench-peers fetches it)"
    exit 77
fi
passed=0 failed=0 skipped=0
try() {
    if ! [ -e "$1" ]; then
        echo "skipped: $1 is not there"
        skipped=$((skipped + 1))
    elif bench/peers/hftbacktest/run.sh --recording "$@" --check; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}
all="--queues risk,log,log2,power:2,power2:2,power3:3 --latency 2,3;0,0 --cases quoter"
try "$data/binance-usdm/btcusdt_20240808.gz" $all
try "$data/binance-usdm/ethusdt_20240808.gz" --queues risk,power:2 --cases quoter,anchor_grid
try "$data/binance-coinm/btcusd_perp_20240808.gz" --queues risk,log2 --cases quoter,anchor_grid
try "$data/binance-spot/btcusdt_20240808.gz" --qty 0.001 --queues risk --cases quoter,anchor_grid
tail=""; [ $skipped -gt 0 ] && tail=", $skipped skipped"
echo "$passed passed, $failed failed$tail"
[ $failed = 0 ]
