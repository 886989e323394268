#!/usr/bin/env bash
# make install gives a program that runs, headers and a library that a foreign program can be built with.
set -e
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --build "$FATHOM_BUILD" --target fathom_share fathom_core >/dev/null
cmake --install "$FATHOM_BUILD" --prefix "$prefix" >/dev/null
"$prefix/bin/fathom" --version
"$prefix/bin/fathom" doctor >/dev/null
grep -q 'fathom tape info' "$prefix/share/man/man1/fathom.1"
bash -n "$prefix/share/bash-completion/completions/fathom"
words=$(bash -c 'source "$1"; COMP_WORDS=(fathom tape ve); COMP_CWORD=2; _fathom; echo "${COMPREPLY[@]}"
    COMP_WORDS=(fathom ta); COMP_CWORD=1; _fathom; echo "${COMPREPLY[@]}"
    COMP_WORDS=(fathom import x --st); COMP_CWORD=3; _fathom; echo "${COMPREPLY[@]}"' - \
    "$prefix/share/bash-completion/completions/fathom")
[ "$words" = "verify
tape
--strict" ] || { echo "completion gives: $words"; exit 1; }
cat >"$prefix/embed.c" <<'C'
#include "fathom/fathom.h"
#include <stdio.h>

int main(void) {
    struct decimal d;
    char text[DECIMAL_TEXT_MAX];
    if (!decimal_parse("61659.70", 8, false, &d)) return 1;
    decimal_text(d.mant, d.exp, true, text);
    puts(text);
    return event_slots(EV_MARK) == 2 ? 0 : 1;
}
C
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
# shellcheck disable=SC2046
gcc -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE "$prefix/embed.c" -o "$prefix/embed" \
    $(pkg-config --cflags --libs --static fathom)
[ "$("$prefix/embed")" = 61659.7 ]
# every installed header stands alone
find "$prefix/include/fathom" -name '*.h' | while read -r header; do
    gcc -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE -fsyntax-only -x c "$header" \
        $(pkg-config --cflags fathom) -I"$prefix/include" 2>&1 | grep -v 'pragma once' | sed "s|^|$header: |"
done | grep . && exit 1
exit 0
