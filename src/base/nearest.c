#include "base/nearest.h"

#include <stdbool.h>
#include <string.h>

#include "base/check.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t edit_distance(const char *a, const char *b) {
    size_t n = strlen(a), m = strlen(b);
    CHECK(n <= NEAREST_WORD_MAX && m <= NEAREST_WORD_MAX);
    size_t rows[3][NEAREST_WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) last[j] = before[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(last[j], row[j - 1]) + 1);
            bool swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            row[j] = swap ? least(best, before[j - 2] + 1) : best;
        }
        size_t *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

const char *nearest(const char *word, const char *const *known, size_t n) {
    size_t len = strlen(word), best = NEAREST_DISTANCE_MAX + 1;
    const char *near = NULL;
    if (len > NEAREST_WORD_MAX) return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t m = strlen(known[i]);
        if (m > NEAREST_WORD_MAX) continue;
        size_t d = edit_distance(word, known[i]);
        if (d < best && d < len && d < m) {
            best = d;
            near = known[i];
        }
    }
    return near;
}
