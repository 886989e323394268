/* queue_fit.h: who in a queue cancels: what the data reveal, and which model says it best.
 *
 *   events -> queue_watch -> one queue_seen a cancel whose place is known -> likelihood -> model, n
 *
 * A queue model says which share P(f, b) of a cancel was behind a position with f before and b
 * behind it; so 1 - P is the distribution function G of a cancel's place in the queue, from 0
 * (front) to 1 (back). A cancel of the order between places x0 and x1 has the likelihood
 * G(x1) - G(x0), given that it is not in the part [0, unknown) of the queue in which no order is
 * known: divided by 1 - G(unknown).
 *
 * Places    per-order data (EV_ORDER): exact; a cancel of an order from before the data lies
 *           somewhere in the unknown part: x0 = 0, x1 = unknown. Level data: a rise of a level is
 *           one order; a fall that prints do not explain and that equals exactly one of them is its
 *           cancel. A fall that equals none leaves the unknown part, where that is larger; else,
 * and where several orders have that size, the level starts again as unknown. A fall that a print
 * explains within QUEUE_LATE_NS is taken back. Units      quantities in units; places as shares of
 * the level; total in base units. Limits     QUEUE_PIECES_MAX orders a level are told apart; the
 * oldest become unknown. Why        only the position law can be fitted from level data, and only
 * on orders whose size is theirs alone: docs/simulator.md says what stays unknown.
 */
#ifndef FATHOM_PROGRAM_QUEUE_FIT_H
#define FATHOM_PROGRAM_QUEUE_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/event.h"
#include "execute/sim/queue.h"

enum { QUEUE_PIECES_MAX = 512 };
#define QUEUE_LATE_NS (200 * NS_PER_MS)

struct queue_seen {
    double x0, x1, unknown; /* 0 <= x0 < x1 <= 1; unknown 0: not conditioned */
    double total;
    int64_t ts;
    bool taken_back;
};

struct queue_level; /* one price */
struct queue_watch {
    double unit;    /* base units a quantity unit */
    bool per_order; /* from EV_ORDER; level changes are then not looked at */
    struct queue_level *level;
    size_t levels, levels_cap;
    struct queue_seen *seen;
    size_t n, cap;
    uint64_t cancels, unmatched; /* falls that no print explains; those of no single order */
};

void queue_watch_init(struct queue_watch *w, double unit, bool per_order);
void queue_watch_free(struct queue_watch *w);
/* All places known are forgotten: snapshot, gap. */
void queue_watch_reset(struct queue_watch *w);
void queue_watch_order(struct queue_watch *w, const struct event *ev, bool count);
void queue_watch_print(struct queue_watch *w, const struct event *ev);
/* `count`: is the level near enough to be of interest? */
void queue_watch_level(
    struct queue_watch *w, const struct event *ev, int64_t before, int64_t after, bool count);
/* Drops what was taken back. */
void queue_watch_end(struct queue_watch *w);

/* G above, at place q of a queue of `total` base units. */
double queue_place_share(const struct queue_spec *s, double total, double q);
/* Mean log-likelihood of a cancel; -infinity where the model forbids one. */
double queue_likelihood(const struct queue_spec *s, const struct queue_seen *seen, size_t n);
/* The power of the largest likelihood in [0.05, 50] (golden section on its logarithm), for the
 * models that have one; returns that likelihood. */
double queue_best_power(struct queue_spec *s, const struct queue_seen *seen, size_t n);
/* The same in [lo, hi], to the relative tolerance. */
double queue_best_power_in(struct queue_spec *s, const struct queue_seen *seen, size_t n, double lo,
    double hi, double tolerance);
bool queue_has_power(uint8_t model);

#endif
