#!/usr/bin/env bash
# cppcheck with zero findings over sources, fuzz targets and benchmarks.
command -v cppcheck >/dev/null || { echo "skipped: cppcheck is not installed (tools/setup)"; exit 77; }
cache=$FATHOM_BUILD/cppcheck
mkdir -p "$cache"
dirs=(src fuzz)
[ -d bench ] && dirs+=(bench)
exec cppcheck --std=c11 --enable=warning,performance,portability --inline-suppr --quiet -j 1 \
    --error-exitcode=1 --cppcheck-build-dir="$cache" -Isrc -Iinclude -D__x86_64__ -D_GNU_SOURCE \
    --include=tools/cppcheck.h \
    '-DFATHOM_VERSION="0"' '-DFATHOM_ROOT="."' '-DFATHOM_SHARED="."' \
    --suppress=missingIncludeSystem --suppressions-list=tools/cppcheck.supp "${dirs[@]}"
