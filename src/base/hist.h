/* hist.h: a histogram of latencies: exact counts, quantiles within 1 %, fixed size.
 *
 * Units      whatever the caller counts, by habit nanoseconds (name it in the variable:
 * feed_lag_ns). Layout     values below 128 have a cell each; above, every power of two is cut into
 * 64 equal cells, so a cell is at most 1/64 of its value wide and its middle at most 1/128 off.
 * Invariant  count = sum of all cells; a quantile lies in the cell of the exact quantile.
 * Limits     every uint64 has a cell: nothing is clamped. 30 kB.
 * Why        adding is a shift and an increment; the error bound is that of HdrHistogram with two
 *            significant digits (its paper's log-linear cells).
 */
#ifndef FATHOM_BASE_HIST_H
#define FATHOM_BASE_HIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/unit.h"

enum {
    HIST_SUB_BITS = 6,
    HIST_SUB = 1 << HIST_SUB_BITS,
    HIST_CELLS = (64 - HIST_SUB_BITS + 1) * HIST_SUB
};

struct hist {
    uint64_t cell[HIST_CELLS];
    uint64_t count, max, min;
    uint128 sum;
};

void hist_init(struct hist *h);
void hist_add(struct hist *h, uint64_t value);
void hist_merge(struct hist *into, const struct hist *from);

/* Value below or at which q (0..1) of the additions lie, within 1 %; 0 if empty. q = 1 is the exact
 * maximum. */
uint64_t hist_quantile(const struct hist *h, double q);
double hist_mean(const struct hist *h);

/* "n=1000 p50=12 p90=15 p99=31 p99.9=52 max=97", cut to `size`; returns the length. */
size_t hist_text(const struct hist *h, char *out, size_t size);

/* The cell of a value and the middle of a cell. */
size_t hist_cell(uint64_t value);
uint64_t hist_middle(size_t cell);

#endif
