#!/usr/bin/env bash
# Each gate is shown a small tree with one fault and must refuse it; without the fault it must agree.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r tools .clang-format "$work/"
cd "$work" || exit 1
passed=0 failed=0
check() { # NAME WANTED-EXIT TEXT COMMAND...
    local name=$1 code=$2 text=$3 out
    shift 3
    out=$("$@" 2>&1)
    local got=$?
    if [ $got = "$code" ] && grep -qE "$text" <<<"$out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name: exit $got, not $code, or no /$text/: $out"
    fi
}

# layers
mkdir -p src/base src/derive/book src/execute/risk
printf 'base:\nderive/book:\nexecute/risk: derive/book\n' >src/LAYERS
echo 'int base_x(void);' >src/base/x.h
printf '#include "base/x.h"\n' >src/derive/book/book.h
printf '#include "derive/book/book.h"\n' >src/execute/risk/risk.c
check "sound layers" 0 '3 files obey' tools/check-layers
printf '#include "execute/risk/risk.h"\n' >src/derive/book/book.c
check "upward include" 1 'derive/book/book.c:1: derive/book may not include execute/risk' tools/check-layers
printf '#include "book.h"\n' >src/derive/book/book.c
check "include not from src" 1 'is no file of a listed module' tools/check-layers
printf '#include "base/y_internal.h"\n' >src/derive/book/book.c
check "private header" 1 'is private to base' tools/check-layers
rm src/derive/book/book.c
mkdir src/observe && echo 'int o;' >src/observe/o.c
check "unlisted folder" 1 'not in src/LAYERS' tools/check-layers
rm -r src/observe
printf 'base:\nderive/book: execute/risk\nexecute/risk:\n' >src/LAYERS
check "a line that names one below" 1 'not above it' tools/check-layers

# style
rm -r src
mkdir -p src/base
git init -q . 2>/dev/null
good='int two(void);\nint two(void) { return 2; }\n'
# shellcheck disable=SC2059
put() { printf "$1" >src/base/a.c; }
put "$good"
check "sound style" 0 'C files are in shape' tools/check-style
put 'int  two( void );\n'
check "format" 1 'a.c:1:.* not formatted' tools/check-style
put "$good/* T""ODO more */\n"
check "mark" 1 'a.c:3: the word' tools/check-style
put "$good"
printf '%s HEAD\nall:\n' '<''<<<<<<' >Makefile
check "marks of a conflict" 1 'Makefile:1: the word' tools/check-style
rm Makefile
{ printf 'void f(int *x);\nvoid f(int *x) {\n'; for _ in $(seq 70); do echo '    x[0]++;'; done; echo '}'; } >src/base/a.c
check "long function" 1 'has 72 lines, 70 at most' tools/check-style
for i in $(seq 1000); do echo "extern int v$i;"; done >src/base/a.c
check "long file" 1 '1000 lines, 999 at most' tools/check-style

# purity
objects=build/CMakeFiles/fathom_core.dir/src/derive/book
mkdir -p "$objects" src/derive/book
compile() {
    printf '%s\n' "$1" >src/derive/book/b.c
    gcc -c -O1 src/derive/book/b.c -o "$objects/b.c.o"
}
compile '#include <string.h>
#include <math.h>
double f(double *a); double f(double *a) { memset(a, 0, 800); return fma(a[1], a[2], sqrt(a[3])); }'
check "sound purity" 0 '1 objects' tools/check-purity build
compile '#include <stdlib.h>
void *g(void); void *g(void) { return malloc(9); }'
check "heap" 1 'reaches malloc' tools/check-purity build
compile '#include <math.h>
double g(double x); double g(double x) { return exp(x); }'
check "libm" 1 'reaches exp' tools/check-purity build
compile '#include <time.h>
long g(void); long g(void) { return (long)time(0); }'
check "clock" 1 'reaches time' tools/check-purity build
compile 'int counter; int g(void); int g(void) { return counter++; }'
check "state of its own" 1 'counter is writable' tools/check-purity build
compile 'static const char *const name[2] = {"a", "b"}; const char *g(int i); const char *g(int i) { return name[i]; }'
check "constant table" 0 '1 objects' tools/check-purity build

# the runner itself
mkdir -p build/tests test
printf '#!/bin/sh\nexit 0\n' >test/yes.sh
printf '#!/bin/sh\necho "skipped: no reason to run"\nexit 77\n' >test/later.sh
printf '#!/bin/sh\necho "[  PASSED  ] 3 test(s)."\n' >build/tests/three
chmod +x test/*.sh build/tests/*
check "runner sums" 0 '^4 passed, 0 failed, 1 skipped$' tools/run-tests
check "runner gives the reason" 0 'skipped: no reason to run' tools/run-tests
printf '#!/bin/sh\necho "[  PASSED  ] 2 test(s)."\necho "[  FAILED  ] 1 test(s), listed below:"\nexit 1\n' >build/tests/three
check "runner counts failures" 1 '^3 passed, 1 failed, 1 skipped$' tools/run-tests
printf '#!/bin/sh\nkill -SEGV $$\n' >build/tests/three
check "runner counts a crash" 1 '^1 passed, 1 failed, 1 skipped$' tools/run-tests
printf '#!/bin/sh\nexit 0\n' >build/tests/three
check "a program without tests is no success" 1 '^1 passed, 1 failed, 1 skipped$' tools/run-tests
printf '#!/bin/sh\nsleep 60\n' >build/tests/three
check "runner stops what hangs" 1 'lasted longer' tools/run-tests --limit 1
echo "$passed passed, $failed failed"
[ $failed = 0 ]
