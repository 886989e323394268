/* blotter.h: the orders of one strategy instance: the live ones in id order, the last ended ones.
 *
 * Units      as order.h. Ownership: one open struct of plain bytes; save = memcpy. Threads: one.
 * Invariant  ids rise strictly; exposure counts every order that may still trade, UNKNOWN too, as
 *            if it filled completely (invariant I5 of the risk design).
 * Limits     BLOTTER_LIVE_MAX live orders; the BLOTTER_DONE_MAX last ended ones are kept so that
 *            late and repeated reports meet their order.
 */
#ifndef FATHOM_EXECUTE_ORDER_BLOTTER_H
#define FATHOM_EXECUTE_ORDER_BLOTTER_H

#include <stddef.h>

#include "execute/order/order.h"

enum { BLOTTER_LIVE_MAX = 256, BLOTTER_DONE_MAX = 64 };

struct blotter_counters {
    uint64_t sent, cancels_sent, acks, fills, canceled, expired, rejected, cancel_rejected;
    uint64_t amends_sent, modified, modify_rejected, triggered;
    uint64_t illegal, duplicates, external, unknown, not_sent;
};

struct blotter {
    uint32_t live_count, done_next;
    int64_t last_id;
    int64_t live_leaves[2]; /* sum of leaves of live orders a side */
    struct blotter_counters counters;
    struct order live[BLOTTER_LIVE_MAX];
    struct order done[BLOTTER_DONE_MAX];
};

void blotter_init(struct blotter *b, int64_t first_id);

/* Adds the order of a NEW request that was handed to the port (status NEW_SENT) and takes its id
 * from req->id. NULL: BLOTTER_LIVE_MAX reached. The id must be larger than any before. */
struct order *blotter_add(struct blotter *b, const struct order_request *req, price_t mid2);
struct order *blotter_find(struct blotter *b, int64_t id); /* live, then ended; NULL */
/* Takes back an order whose request the port refused to send. */
void blotter_unsend(struct blotter *b, int64_t id);

/* The request was sent; false if the state machine does not allow a cancel now. */
bool blotter_cancel_sent(struct blotter *b, int64_t id, ts_t now);

/* The amend was sent: px and the new total quantity; false if the state machine does not allow it
 * now. The larger of both quantities counts until the answer. */
bool blotter_amend_sent(struct blotter *b, int64_t id, price_t px, qty_t qty, ts_t now);

/* Applies a report; *out (may be NULL) is a copy of the order after it. Counted: illegal steps,
 * duplicates, reports of orders that are not ours (external). */
struct order_change blotter_report(
    struct blotter *b, const struct event *report, struct order *out);

/* Orders without an answer for `timeout_ns` become UNKNOWN; returns how many did. */
unsigned blotter_expire(struct blotter *b, ts_t now, int64_t timeout_ns);

/* Leaves of all live orders of a side. O(1). */
static inline qty_t blotter_exposure(const struct blotter *b, int side) {
    return (qty_t){b->live_leaves[side]};
}
qty_t blotter_exposure_slow(const struct blotter *b, int side); /* recomputed: tests */

#endif
