#!/usr/bin/env bash
# The tests beside the sources and the fuzz corpus under the address and undefined-behaviour sanitizers.
set -e
cmake --preset asan >/dev/null
mapfile -t tests < <(find src -name '*_test.c' -printf '%f\n' | sed 's/\.c$//' | sort -u)
cmake --build build-asan -j 2 --target "${tests[@]}" fuzz_targets >build-asan/log 2>&1 ||
    { grep -E "error|FAILED" build-asan/log | head -n 40; exit 1; }
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$PWD/tools/lsan.supp:print_suppressions=0
export FATHOM_SHORT=1
# A test that was removed or renamed may linger in the build folder.
find build-asan/tests -maxdepth 1 -type f -perm -u+x 2>/dev/null | while read -r program; do
    printf '%s\n' "${tests[@]}" | grep -qx "$(basename "$program")" || rm "$program"
done
tools/run-tests --build build-asan --programs --jobs 1 --limit 600 >build-asan/tests.log 2>&1 ||
    { cat build-asan/tests.log; exit 1; }
FATHOM_BUILD=build-asan test/fuzz_corpus.sh >build-asan/fuzz.log 2>&1 || { cat build-asan/fuzz.log; exit 1; }
echo "under address and undefined-behaviour sanitizers: $(tail -n 1 build-asan/tests.log)"
