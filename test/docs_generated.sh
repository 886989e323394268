#!/usr/bin/env bash
# The generated pages in docs/ are what the program would write now (tools/make-docs).
set -e
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
tools/make-docs "$fresh"
for page in "$fresh"/*; do
    diff -u "docs/$(basename "$page")" "$page" || { echo "run tools/make-docs"; exit 1; }
done
