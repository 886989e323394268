#include "base/hist.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

void hist_init(struct hist *h) {
    memset(h, 0, sizeof *h);
    h->min = UINT64_MAX;
}

size_t hist_cell(uint64_t value) {
    if (value < 2 * HIST_SUB) return (size_t)value;
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    return (size_t)shift * HIST_SUB + (size_t)(value >> shift);
}

uint64_t hist_middle(size_t cell) {
    CHECK(cell < HIST_CELLS);
    if (cell < 2 * HIST_SUB) return cell;
    unsigned shift = (unsigned)(cell / HIST_SUB) - 1;
    uint64_t low = (uint64_t)(cell - (size_t)shift * HIST_SUB) << shift;
    return low + ((1ull << shift) >> 1);
}

void hist_add(struct hist *h, uint64_t value) {
    h->cell[hist_cell(value)]++;
    h->count++;
    h->sum += value;
    if (value > h->max) h->max = value;
    if (value < h->min) h->min = value;
}

void hist_merge(struct hist *into, const struct hist *from) {
    for (size_t i = 0; i < HIST_CELLS; i++) into->cell[i] += from->cell[i];
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max) into->max = from->max;
    if (from->min < into->min) into->min = from->min;
}

uint64_t hist_quantile(const struct hist *h, double q) {
    CHECK(q >= 0 && q <= 1);
    if (h->count == 0) return 0;
    /* the rank'th smallest, from 1 */
    uint64_t rank = (uint64_t)(q * (double)h->count);
    if ((double)rank < q * (double)h->count || rank == 0) rank++;
    if (rank >= h->count) return h->max;
    uint64_t seen = 0;
    size_t i = 0;
    for (; i < HIST_CELLS && seen < rank; i++) seen += h->cell[i];
    uint64_t v = hist_middle(i - 1);
    return v > h->max ? h->max : v < h->min ? h->min : v;
}

double hist_mean(const struct hist *h) {
    return h->count ? (double)h->sum / (double)h->count : 0.0;
}

size_t hist_text(const struct hist *h, char *out, size_t size) {
    int n = snprintf(out, size,
        "n=%" PRIu64 " p50=%" PRIu64 " p90=%" PRIu64 " p99=%" PRIu64 " p99.9=%" PRIu64
        " max=%" PRIu64,
        h->count, hist_quantile(h, 0.5), hist_quantile(h, 0.9), hist_quantile(h, 0.99),
        hist_quantile(h, 0.999), h->max);
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
