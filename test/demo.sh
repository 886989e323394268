#!/usr/bin/env bash
# The demonstration as a newcomer runs it, with a shorter market: both reports and the page that links them.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x build/fathom ] || { echo "build/fathom is missing: make build"; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
HOURS=0.5 tools/demo >"$log" 2>&1 || { cat "$log"; exit 1; }
for f in demo/index.html demo/real/report.html demo/known-truth/report.html; do
    [ -s "$f" ] || { cat "$log"; echo "$f was not made"; exit 1; }
done
grep -q 'href="real/report.html"' demo/index.html && grep -q 'href="known-truth/report.html"' demo/index.html ||
    { echo "the index does not link both reports"; exit 1; }
grep -q 'Found beside planted' demo/known-truth/report.html || { echo "the planted truth is not shown"; exit 1; }
grep -q 'demo/index.html' "$log" || { echo "the demo does not say where its page is"; exit 1; }
