/* The numbering rules: which message may follow which, and what waits for a snapshot.
 *
 * L = id of the last snapshot, U..u = ids a diff covers, pu = u of the diff before it.
 *   futures (RULE_PREV)  old: u < L;  first after a snapshot: U <= L <= u;  then pu == previous u.
 *                        Ids are shared over the venue's engine, so U says nothing of continuity.
 *   spot    (RULE_NEXT)  old: u <= L; first: U <= L + 1 <= u;  then U <= previous u + 1 (a diff
 * that overlaps is harmless, quantities are absolute). others  (RULE_NONE)  no numbering to check:
 * whatever is newer follows. A snapshot between two diffs (pu <= L < U, and the diff pu was seen or
 * pu == L) misses nothing, so the next diff is taken: the strict first rule would ask for another
 * snapshot in vain.
 *
 * A snapshot while SYNCED is loaded only if L > update id (the recorder had a reason to ask), an
 * older or equal one would lose levels and ids: it is refused and counted. In GAP the levels of the
 * last good update id are kept, so that a message that was only late repairs the book.
 * Source: the venue's public rules for keeping a local order book (USD-M, COIN-M, spot).
 */
#include <string.h>

#include "derive/book/book_internal.h"

/* ---- kept diffs: a ring of whole events ---- */

static struct event *pending(const struct book *b, size_t i) {
    struct event *ring = (struct event *)(void *)((unsigned char *)(uintptr_t)b + b->pending_at);
    size_t at = b->pending_head + i;
    return &ring[at >= b->pending_max ? at - b->pending_max : at];
}

static size_t pending_message_len(const struct book *b, size_t from) {
    size_t n = 1;
    while (from + n < b->pending_count && !(pending(b, from + n - 1)->flags & EVF_LAST)) n++;
    return n;
}

static void pending_drop(struct book *b, size_t n) {
    b->pending_head = (b->pending_head + n) % b->pending_max;
    b->pending_count -= n;
}

/* Takes the unfinished message back out. */
static void pending_abort(struct book *b) {
    b->pending_count -= b->pending_open;
    b->pending_open = 0;
}

void sync_keep(struct book *b, const struct event *ev) {
    while (b->pending_count == b->pending_max && b->pending_count > b->pending_open) {
        size_t n = pending_message_len(b, 0); /* the oldest are the least likely to be needed */
        b->counters.dropped_pending += n;
        pending_drop(b, n);
    }
    if (b->pending_count == b->pending_max) { /* one message larger than the limit */
        b->counters.dropped_pending += b->pending_open + 1;
        pending_abort(b);
        b->mode = MODE_SKIP;
        return;
    }
    *pending(b, b->pending_count++) = *ev;
    b->pending_open++;
}

/* ---- the rules ---- */

static bool is_old(const struct book *b, const struct event *ev) {
    if (b->fresh && b->rule == RULE_PREV) return ev->id < b->update_id;
    return ev->id <= b->update_id;
}

static bool connects(const struct book *b, const struct event *ev) {
    int64_t last = b->update_id, first = ev->depth.first_id, prev = ev->depth.prev_id;
    if (b->rule == RULE_NONE) return true;
    if (b->rule == RULE_NEXT) return first <= last + 1;
    if (prev == last) return true;
    return b->fresh && (first <= last || (prev == b->chain_id && prev < last));
}

/* ---- loss of trust ---- */

static void lose(struct book *b, struct book_change *change) {
    if (b->state != BOOK_GAP) b->counters.gaps++;
    b->state = BOOK_GAP;
    change->any = false;
    change->whole = true;
}

/* The levels themselves are wrong: only a newer snapshot helps. */
static void lose_levels(struct book *b, struct book_change *change) {
    b->exact = false;
    b->fresh = false;
    lose(b, change);
}

void sync_bad_level(struct book *b, struct book_change *change, bool full) {
    if (full) b->counters.full++;
    if (!full) b->counters.bad_levels++;
    lose_levels(b, change);
    b->mode = MODE_SKIP;
}

/* The open message has no end, or an event has no beginning. */
void sync_torn(struct book *b, struct book_change *change) {
    b->counters.torn_messages++;
    if (b->mode == MODE_KEEP) pending_abort(b);
    if (b->mode == MODE_APPLY || b->mode == MODE_LOAD) lose_levels(b, change);
    b->mode = MODE_NONE;
}

/* ---- diffs ---- */

static void diff_begin(struct book *b, const struct event *ev, struct book_change *change) {
    if (b->state == BOOK_EMPTY) {
        b->mode = MODE_KEEP;
        return;
    }
    if (is_old(b, ev)) {
        b->counters.stale_messages++;
        if (b->fresh) b->chain_id = ev->id;
        b->mode = MODE_SKIP;
        if (++b->stale_run <= STALE_RUN_MAX) return;
        lose(b, change);
        b->mode = MODE_KEEP;
        return;
    }
    b->stale_run = 0;
    if (b->exact && connects(b, ev)) {
        b->mode = MODE_APPLY;
        return;
    }
    lose(b, change);
    b->mode = MODE_KEEP;
}

static void replay(struct book *b, struct book_change *change);

static void diff_end(struct book *b, const struct event *ev, struct book_change *change) {
    b->update_id = ev->id;
    b->fresh = false;
    if (ev->ts_local.ns > b->update_ts.ns) b->update_ts = ev->ts_local;
    if (book_crossed(b)) {
        b->counters.crossed++;
        lose_levels(b, change);
    } else if (b->replaying) {
        return;
    } else if (b->state == BOOK_GAP) { /* the message that was missing came late */
        b->state = BOOK_SYNCED;
        b->counters.resyncs++;
        replay(b, change);
    } else {
        check_depth(b);
    }
}

/* ---- snapshots ---- */

static void snapshot_begin(struct book *b, const struct event *ev) {
    b->counters.snapshots++;
    bool anew = b->stale_run > STALE_RUN_MAX;
    if (b->state != BOOK_EMPTY && ev->id <= b->update_id && !anew) {
        b->counters.snapshots_refused++;
        b->mode = MODE_SKIP;
        return;
    }
    b->chain_id = b->state != BOOK_EMPTY && b->exact && !anew ? b->update_id : BOOK_NO_ID;
    b->mode = MODE_LOAD;
    side_clear(&b->side[BOOK_BID]);
    side_clear(&b->side[BOOK_ASK]);
}

static void snapshot_end(struct book *b, const struct event *ev, struct book_change *change) {
    bool was_gap = b->state == BOOK_GAP;
    b->update_id = ev->id;
    b->stale_run = 0;
    b->fresh = b->exact = true;
    if (ev->ts_local.ns > b->update_ts.ns) b->update_ts = ev->ts_local;
    if (book_crossed(b)) {
        b->counters.crossed++;
        lose_levels(b, change);
        return;
    }
    b->state = BOOK_SYNCED;
    uint64_t gaps = b->counters.gaps;
    replay(b, change);
    if (b->state == BOOK_SYNCED) {
        if (was_gap) b->counters.resyncs++;
    } else if (was_gap && b->counters.gaps == gaps + 1) {
        b->counters.gaps = gaps; /* it never came back */
    }
    if (b->state == BOOK_GAP && b->fresh) b->counters.snapshots_refused++;
}

/* Applies the kept message at `from` (n events); false if it broke the book. */
static bool replay_message(struct book *b, size_t from, size_t n, struct book_change *change) {
    for (size_t i = 0; i < n; i++) {
        const struct event *ev = pending(b, from + i);
        change->any = false;
        if (ev->kind == EV_DEPTH && !book_set_level(b, ev, change)) {
            sync_bad_level(b, change, change->any);
            b->mode = MODE_NONE;
            return false;
        }
    }
    diff_end(b, pending(b, from), change);
    return b->state == BOOK_SYNCED;
}

/* One pass over the kept messages in order of arrival: old ones go, those that connect are applied,
 * the others stay in order. Returns true if something was applied. */
static bool replay_pass(struct book *b, struct book_change *change) {
    size_t total = b->pending_count, kept = 0;
    bool applied = false, alive = true;
    for (size_t from = 0, n; from < total; from += n) {
        const struct event *ev = pending(b, from);
        n = pending_message_len(b, from);
        if (alive && is_old(b, ev)) {
            b->counters.stale_messages++;
            if (b->fresh) b->chain_id = ev->id;
        } else if (alive && connects(b, ev)) {
            alive = replay_message(b, from, n, change);
            applied = true;
        } else {
            for (size_t i = 0; i < n; i++) *pending(b, kept++) = *pending(b, from + i);
        }
    }
    b->pending_count = kept;
    return applied;
}

/* Applies what was kept; what is left over means that a message is missing. */
static void replay(struct book *b, struct book_change *change) {
    CHECK(b->pending_open == 0);
    b->replaying = true;
    for (int pass = 0; pass < REORDER_MAX && b->pending_count > 0; pass++) {
        if (!replay_pass(b, change) || b->state != BOOK_SYNCED) break;
    }
    b->replaying = false;
    if (b->pending_count > 0 && b->state == BOOK_SYNCED) lose(b, change);
    change->any = false;
    change->whole = true;
}

/* ---- messages ---- */

void sync_begin(struct book *b, const struct event *ev, struct book_change *change) {
    if (b->mode != MODE_NONE) sync_torn(b, change);
    b->message_id = ev->id;
    if (ev->flags & EVF_SNAPSHOT) {
        snapshot_begin(b, ev);
    } else {
        b->counters.depth_messages++;
        diff_begin(b, ev, change);
    }
    CHECK(b->mode != MODE_NONE);
}

void sync_end(struct book *b, const struct event *ev, struct book_change *change) {
    enum book_mode mode = (enum book_mode)b->mode;
    b->mode = MODE_NONE;
    b->pending_open = 0;
    b->counters.recentres = b->side[BOOK_BID].recentres + b->side[BOOK_ASK].recentres;
    switch (mode) {
    case MODE_APPLY: diff_end(b, ev, change); break;
    case MODE_LOAD:
        snapshot_end(b, ev, change);
        change->any = false;
        change->whole = true;
        break;
    case MODE_NONE:
    case MODE_KEEP:
    case MODE_SKIP: break;
    }
}
