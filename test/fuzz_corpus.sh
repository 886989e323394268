#!/usr/bin/env bash
# Every committed fuzz input runs through its target without a finding.
set -u
passed=0 failed=0
for target in "$FATHOM_BUILD"/fuzz/*; do
    [ -x "$target" ] && [ -f "$target" ] || continue
    name=$(basename "$target")
    mapfile -t inputs < <(find "fuzz/corpus/$name" -type f 2>/dev/null | sort)
    if [ ${#inputs[@]} -eq 0 ]; then
        echo "$name: no corpus in fuzz/corpus/$name"
        failed=$((failed + 1))
    elif out=$("$target" "${inputs[@]}" 2>&1); then
        echo "$name: ${out##*$'\n'}"
        passed=$((passed + 1))
    else
        echo "$name: exit $?"
        echo "$out" | tail -n 20
        failed=$((failed + 1))
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "no fuzz target was built"; failed=1; }
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
