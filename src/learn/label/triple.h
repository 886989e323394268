/* triple.h: triple-barrier labels at chosen events, barriers scaled by volatility.
 *
 *   bars -> volatility over a span of time -> events (CUSUM) -> barriers target x pt, target x sl
 *
 * Units      volatility and targets are simple returns; times in ns; prices are bar closes.
 * Time       row i uses rows up to i for its volatility and event, later rows for its label only.
 * Sources    Lopez de Prado 2018, chapters 2.5 and 3; exponential weights as in the usual
 *            "adjusted, unbiased" form, span s: alpha = 2 / (s + 1).
 * Why        fixed barriers mean something else in calm and in wild markets.
 */
#ifndef FATHOM_LEARN_LABEL_TRIPLE_H
#define FATHOM_LEARN_LABEL_TRIPLE_H

#include "learn/label/label.h"

struct triple_spec {
    double cusum;        /* log return that makes an event */
    int64_t span_ns;     /* returns over this time make the volatility */
    double lookback;     /* span of the exponential weights, rows */
    double profit, stop; /* barriers in targets; 0 = none */
    double target_least; /* events with a smaller target are dropped */
    int64_t timeout_ns;
};

struct triple_event {
    size_t row;
    double target;
    struct label label; /* klass: barrier touched; missing if data ended first */
};

/* out[i] = standard deviation of returns over span_ns up to row i; NaN before two returns. */
void triple_volatility(
    const struct label_bar *bar, size_t n, int64_t span_ns, double lookback, double *out);
/* Rows at which the sum of log returns has moved by more than `threshold` since the last event,
 * either way; returns how many (at most n). */
size_t triple_cusum(const struct label_bar *bar, size_t n, double threshold, size_t *rows);
/* Events with their labels; `out` holds n entries. Returns how many. Heap inside. */
size_t triple_make(const struct triple_spec *spec, const struct label_bar *bar, size_t n,
    struct triple_event *out);

#endif
