/* queue.h: models of the market quantity ahead of an own resting order.
 *
 * Units      quantity units as double: an estimate, never money; what executes is rounded to whole
 *            units.
 * Ownership  open struct inside the order. Threads: one.
 * Invariant  ahead >= 0 in the strict rule set; it never grows by a level change.
 * Why        a price level tells how much stands there, not who left. Risk averse: every cancel was
 *            behind us (ahead = min(ahead, level)). Probability models split a fall of the level
 *            that prints do not explain, d, by p = P(ahead f, behind b):
 *              f' = f - (1 - p) d + min(b - p d, 0), then min(f', level).
 *            P: power b^n / (b^n + f^n), log ln(1+b) / (ln(1+b) + ln(1+f)), log2 ln(1+b) /
 *            ln(1+b+f), power2 b^n / (b+f)^n, power3 1 - (f / (f+b))^n. An infinite P counts as 1;
 *            0/0 leaves f = level. Source: the public formulas of hftbacktest's queue models.
 */
#ifndef FATHOM_EXECUTE_SIM_QUEUE_H
#define FATHOM_EXECUTE_SIM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

enum queue_model {
    QUEUE_RISK = 0,
    QUEUE_LOG,
    QUEUE_LOG2,
    QUEUE_POWER,
    QUEUE_POWER2,
    QUEUE_POWER3,
    QUEUE_FIFO, /* no model: per-order data say who left (sim_l3.h) */
    QUEUE_MODEL_COUNT
};
const char *queue_name(uint8_t model);
bool queue_find(const char *name, uint8_t *model); /* "risk", "log", ..., "fifo" */

struct queue_spec {
    double power; /* n of the power models */
    double unit;  /* 1 / (quantity units per base unit): the log models are not scale free */
    uint8_t model;
    uint8_t pad[7];
};

struct queue_pos {
    double ahead; /* f: quantity before us; below 0 only between a print and queue_executable */
    union {
        double printed;   /* c: printed at our price since the level last changed */
        uint64_t arrived; /* QUEUE_FIFO: the market's orders that came before, counted */
    };
};

/* P above: share of an unexplained fall that was behind us, of `ahead` and `behind` base units. */
double queue_behind_share(const struct queue_spec *s, double ahead, double behind);

void queue_place(struct queue_pos *q, int64_t level);
void queue_print(struct queue_pos *q, double qty);
void queue_level(const struct queue_spec *s, struct queue_pos *q, int64_t before, int64_t after);
/* Whole units (multiples of lot) that a print has reached beyond those ahead; resets ahead to 0
 * when there are any. */
int64_t queue_executable(struct queue_pos *q, int64_t lot);

#endif
