#include "execute/sim/anchor_sum.h"

#include "execute/order/order.h"

void anchor_sum_init(struct anchor_sum *a, const struct instrument *inst) {
    a->hash = 0xcbf29ce484222325u;
    a->fills = a->steps = a->overflow = 0;
    a->tick = inst->tick_units;
    a->lot = inst->lot_units;
    a->pending = 0;
}

/* Sorted by id as it grows: a step holds a few. */
void anchor_sum_fill(struct anchor_sum *a, const struct anchor_fill *f) {
    if (a->pending == ANCHOR_STEP_FILLS) {
        a->overflow++;
        return;
    }
    size_t i = a->pending++;
    for (; i > 0 && a->step[i - 1].id > f->id; i--) a->step[i] = a->step[i - 1];
    a->step[i] = *f;
}

static void word(uint64_t *h, int64_t v) {
    for (int i = 0; i < 8; i++) *h = (*h ^ (((uint64_t)v >> (8 * i)) & 255u)) * 0x100000001b3u;
}

void anchor_sum_end(struct anchor_sum *a) {
    for (size_t i = 0; i < a->pending; i++) {
        const struct anchor_fill *f = &a->step[i];
        word(&a->hash, f->venue_ns);
        word(&a->hash, f->side == SIDE_BUY ? 1 : -1);
        word(&a->hash, f->px.ticks / a->tick);
        word(&a->hash, f->qty.lots / a->lot);
    }
    a->fills += a->pending;
    a->pending = 0;
}

void anchor_sum_step(struct anchor_sum *a) {
    anchor_sum_end(a);
    a->steps++;
}
