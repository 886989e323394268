#!/usr/bin/env bash
# Everything compiles warn-free with clang too.
command -v clang >/dev/null || { echo "skipped: clang is not installed (tools/setup)"; exit 77; }
cmake --preset clang >/dev/null && cmake --build build-clang -j 2 >build-clang/log 2>&1 && exit 0
grep -E "error|warning|FAILED" build-clang/log | head -n 60
exit 1
