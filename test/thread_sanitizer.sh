#!/usr/bin/env bash
# What is shared between threads, under the thread sanitizer.
set -e
cmake --preset tsan >/dev/null
cmake --build build-tsan -j 2 --target ring_test counters_test >build-tsan/log 2>&1 ||
    { grep -E "error|FAILED" build-tsan/log | head -n 40; exit 1; }
tools/run-tests --build build-tsan --programs --jobs 1 ring_test counters_test
