#!/usr/bin/env bash
# The demonstration as a newcomer runs it, with a shorter market: both reports and the page that links them.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x build/fathom ] || { echo "build/fathom is missing: make build"; exit 1; }
out=$(mktemp -d)
log=$out/log
trap 'rm -rf "$out"' EXIT
HOURS=0.5 OUT=$out tools/demo >"$log" 2>&1 || { cat "$log"; exit 1; }
for f in index.html real/report.html known-truth/report.html; do
    [ -s "$out/$f" ] || { cat "$log"; echo "$f was not made"; exit 1; }
done
grep -q 'href="real/report.html"' "$out/index.html" && grep -q 'href="known-truth/report.html"' "$out/index.html" ||
    { echo "the index does not link both reports"; exit 1; }
grep -q 'Found beside planted' "$out/known-truth/report.html" || { echo "the planted truth is not shown"; exit 1; }
grep -q "$out/index.html" "$log" || { echo "the demo does not say where its page is"; exit 1; }
