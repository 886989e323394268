#!/usr/bin/env bash
# What threads share (ring, counters), under the thread sanitizer. Built by hand: base needs no other part.
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in ring counters; do
    gcc -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=thread -Isrc "src/base/${name}_test.c" "src/base/$name.c" \
        src/base/{check,crc32c,err,file,dir,mem}.c -lcmocka -pthread -o "$work/$name"
    TSAN_OPTIONS=halt_on_error=1 "$work/$name" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    tail -n 1 "$work/log"
done
