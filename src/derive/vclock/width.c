#include "derive/vclock/width.h"

#include <string.h>

#include "base/check.h"

void rate_init(struct rate_ring *r) {
    memset(r, 0, sizeof *r);
    r->first = r->newest = -1;
}

static int64_t slot_of(int64_t t_ns) { return t_ns < 0 ? 0 : t_ns / RATE_SLOT_NS; }

void rate_add(struct rate_ring *r, int64_t t_ns, int64_t amount) {
    int64_t slot = slot_of(t_ns);
    if (r->newest < 0) r->first = r->newest = slot;
    if (slot - r->newest >= RATE_SLOTS) {
        memset(r->sum, 0, sizeof r->sum);
        r->newest = slot;
    }
    while (r->newest < slot) r->sum[++r->newest % RATE_SLOTS] = 0;
    int64_t *sum = &r->sum[r->newest % RATE_SLOTS];
    if (__builtin_add_overflow(*sum, amount, sum)) *sum = INT64_MAX;
}

int64_t rate_sum(const struct rate_ring *r, int64_t from, int64_t to) {
    int64_t total = 0, oldest = r->newest - RATE_SLOTS + 1;
    if (r->newest < 0) return 0;
    if (from < oldest) from = oldest;
    if (from < r->first) from = r->first;
    if (to > r->newest + 1) to = r->newest + 1;
    for (int64_t k = from; k < to; k++)
        if (__builtin_add_overflow(total, r->sum[k % RATE_SLOTS], &total)) return INT64_MAX;
    return total;
}

int64_t rate_whole(const struct rate_ring *r, int64_t t_ns, int64_t most) {
    if (r->newest < 0) return 0;
    int64_t whole = slot_of(t_ns) - r->first - 1; /* the first slot began somewhere inside */
    return whole < 0 ? 0 : whole < most ? whole : most;
}

static int64_t clip(int128 v, int64_t least, int64_t most) {
    return v < least ? least : v > most ? most : (int64_t)v;
}

uint8_t width_at(
    const struct rate_ring *r, const struct width_ask *ask, int64_t at_ns, int64_t *size) {
    CHECK(at_ns % WIDTH_PERIOD_NS == 0);
    CHECK(ask->least > 0 && ask->most >= ask->least && ask->now > 0);
    int64_t end = slot_of(at_ns), whole = rate_whole(r, at_ns, RATE_LONG);
    if (whole < RATE_SHORT) return 0;
    int64_t recent = rate_sum(r, end - RATE_SHORT, end), before = whole - RATE_SHORT;
    int64_t older = rate_sum(r, end - whole, end - RATE_SHORT);
    *size = ask->calibrated;
    bool gap = ask->gap_ns != INT64_MIN && ask->gap_ns >= at_ns - RATE_LONG * RATE_SLOT_NS;
    if (gap || recent == 0) return WIDTH_OUTAGE;
    int128 a = (int128)recent * before, b = (int128)older * RATE_SHORT;
    if (before >= RATE_SHORT && (a > WIDTH_JUMP * b || b > WIDTH_JUMP * a)) return WIDTH_CRASH;
    int128 span = (int128)whole * RATE_SLOT_NS;
    int128 raw = ((int128)ask->target_ns * ((int128)recent + older) + span / 2) / span;
    int64_t way = clip(raw, ask->least, ask->most) - ask->now;
    *size = clip((int128)ask->now + (way + (way > 0) - (way < 0)) / 2, ask->least, ask->most);
    return WIDTH_RATE;
}
