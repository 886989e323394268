/* The numbering rules: whatever is dropped, doubled or reordered, a SYNCED book is the true one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "derive/book/book_test.h"

enum { SEED = 20240808, SEEDS = 40, PENDING = 512, LEVELS = 512 };

static const struct book_limits limits = {.levels_max = LEVELS, .pending_max = PENDING};
static const uint8_t venues[] = {VENUE_BINANCE_USDM, VENUE_BINANCE_SPOT};
static struct true_market market;
static struct event message[2 * TRUE_LEVELS];

static struct book *book_new(uint8_t venue) {
    void *mem = aligned_alloc(64, (book_mem_size(&limits) + 63) / 64 * 64);
    assert_non_null(mem);
    return book_init(mem, &limits, venue);
}

static void apply(struct book *b, const struct event *ev, size_t n) {
    struct book_change change;
    for (size_t i = 0; i < n; i++) book_apply(b, &ev[i], &change);
}

static void give_diff(struct book *b, size_t i) {
    apply(b, message, events_of_diff(&market.m[i], market.venue, (int64_t)i + 1, message));
}

static void give_snapshot(struct book *b, size_t i, int64_t id) {
    apply(b, message, events_of_snapshot(&market.m[i].after, id, (int64_t)i + 1, message));
}

/* The law: SYNCED at update id u means equal to the truth after the last message up to u. */
static void check_law(const struct book *b, uint64_t seed) {
    if (book_state(b) != BOOK_SYNCED) {
        assert_int_equal(book_count(b, BOOK_BID) + book_count(b, BOOK_ASK), 0);
        return;
    }
    size_t i = 0;
    while (i + 1 < market.n && market.m[i + 1].last <= book_update_id(b)) i++;
    if (!book_equals(b, &market.m[i].after)) {
        print_error("seed %llu update %lld message %zu\n", (unsigned long long)seed,
            (long long)book_update_id(b), i);
    }
    assert_true(book_equals(b, &market.m[i].after));
}

static void a_faultless_stream_is_followed_exactly_without_a_gap(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
            market_make(&market, venues[v], seed);
            struct book *b = book_new(venues[v]);
            uint64_t rng = seed;
            size_t snap = (size_t)rng_below(&rng, 50), at = snap + (size_t)rng_below(&rng, 20);
            for (size_t i = 0; i < market.n; i++) {
                give_diff(b, i);
                if (i == at) give_snapshot(b, snap, market.m[snap].last);
                check_law(b, seed);
                assert_int_equal(book_state(b), i < at ? BOOK_EMPTY : BOOK_SYNCED);
            }
            assert_int_equal(book_update_id(b), market.m[market.n - 1].last);
            assert_int_equal(book_counters(b)->gaps, 0);
            assert_int_equal(book_counters(b)->resyncs, 0);
            assert_int_equal(book_counters(b)->crossed, 0);
            assert_int_equal(book_counters(b)->depth_messages, market.n);
            free(b);
        }
    }
}

/* A delivery order with messages lost, doubled and late; now and then a snapshot of the present. */
static void deliver_with_faults(struct book *b, uint64_t seed, uint64_t *lost) {
    uint64_t rng = seed * 77;
    size_t late = SIZE_MAX, late_at = 0;
    *lost = 0;
    for (size_t i = 0; i < market.n; i++) {
        int64_t how = rng_below(&rng, 60);
        if (how == 0) {
            ++*lost;
        } else if (how == 1 && late == SIZE_MAX) {
            late = i;
            late_at = i + 1 + (size_t)rng_below(&rng, 6);
        } else {
            give_diff(b, i);
            check_law(b, seed);
        }
        if (how == 2 && i > 0) give_diff(b, i - (size_t)rng_below(&rng, (int64_t)i));
        if (late != SIZE_MAX && late_at <= i) {
            give_diff(b, late);
            late = SIZE_MAX;
        }
        check_law(b, seed);
        if (rng_below(&rng, 40) != 0) continue;
        size_t back = (size_t)rng_below(&rng, 12), of = i > back ? i - back : 0;
        give_snapshot(b, of, market.m[of].last);
        check_law(b, seed);
    }
}

static void a_synced_book_is_the_true_one_whatever_happens_to_the_stream(void **state) {
    (void)state;
    uint64_t gaps = 0, resyncs = 0, all_lost = 0;
    for (size_t v = 0; v < 2; v++) {
        for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
            market_make(&market, venues[v], seed);
            struct book *b = book_new(venues[v]);
            uint64_t lost;
            deliver_with_faults(b, seed, &lost);
            size_t last = market.n - 1; /* faults stop: one snapshot and it is back */
            give_snapshot(b, last, market.m[last].last);
            assert_int_equal(book_state(b), BOOK_SYNCED);
            assert_true(book_equals(b, &market.m[last].after));
            gaps += book_counters(b)->gaps;
            resyncs += book_counters(b)->resyncs;
            all_lost += lost;
            free(b);
        }
    }
    assert_true(gaps > 100 && resyncs > 100 && all_lost > 100);
}

static void late_messages_alone_end_in_the_book_of_the_ordered_run(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
            market_make(&market, venues[v], seed);
            struct book *ordered = book_new(venues[v]), *mixed = book_new(venues[v]);
            uint64_t rng = seed;
            size_t order[TRUE_MESSAGES];
            for (size_t i = 0; i < market.n; i++) order[i] = i;
            for (size_t i = 10; i + 8 < market.n; i += 8) { /* reversed and swapped blocks */
                size_t a = i + (size_t)rng_below(&rng, 4), c = i + 4 + (size_t)rng_below(&rng, 4);
                size_t t = order[a];
                order[a] = order[c];
                order[c] = t;
            }
            for (size_t i = 0; i < market.n; i++) {
                if (i == 5) give_snapshot(ordered, 2, market.m[2].last);
                if (i == 5) give_snapshot(mixed, 2, market.m[2].last);
                give_diff(ordered, i);
                give_diff(mixed, order[i]);
                check_law(mixed, seed);
            }
            assert_int_equal(book_state(mixed), BOOK_SYNCED);
            assert_true(book_hash(mixed, 1) == book_hash(ordered, 1));
            assert_true(book_counters(mixed)->resyncs > 0);
            assert_int_equal(book_counters(mixed)->resyncs, book_counters(mixed)->gaps);
            assert_int_equal(book_counters(ordered)->gaps, 0);
            free(ordered);
            free(mixed);
        }
    }
}

static void doubled_messages_and_old_snapshots_change_nothing(void **state) {
    (void)state;
    market_make(&market, VENUE_BINANCE_USDM, SEED);
    struct book *b = book_new(market.venue);
    give_diff(b, 0);
    give_snapshot(b, 0, market.m[0].last);
    for (size_t i = 1; i < market.n; i++) {
        give_diff(b, i);
        uint64_t h = book_hash(b, 0);
        give_diff(b, i);
        give_diff(b, i / 2);
        give_snapshot(b, i / 2, market.m[i / 2].last);
        give_snapshot(b, i, market.m[i].last);
        assert_true(book_hash(b, 0) == h);
    }
    assert_int_equal(book_counters(b)->gaps, 0);
    assert_int_equal(book_counters(b)->stale_messages, 2 * (market.n - 1));
    assert_int_equal(book_counters(b)->snapshots_refused, 2 * (market.n - 1));
    free(b);
}

static void a_newer_snapshot_replaces_the_book_without_a_false_gap(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
            market_make(&market, venues[v], seed);
            struct book *b = book_new(venues[v]);
            uint64_t rng = seed;
            give_snapshot(b, 0, market.m[0].last);
            for (size_t i = 1; i < market.n; i++) {
                if (rng_below(&rng, 10) == 0) { /* ahead of the diffs */
                    size_t of = i + (size_t)rng_below(&rng, 5);
                    if (of < market.n) give_snapshot(b, of, market.m[of].last);
                }
                give_diff(b, i);
                check_law(b, seed);
                assert_int_equal(book_state(b), BOOK_SYNCED);
            }
            assert_int_equal(book_counters(b)->gaps, 0);
            assert_int_equal(book_update_id(b), market.m[market.n - 1].last);
            free(b);
        }
    }
}

static void a_snapshot_between_two_diffs_connects(void **state) {
    (void)state;
    market_make(&market, VENUE_BINANCE_USDM, SEED);
    for (size_t i = 1; i + 1 < market.n; i++) {
        int64_t id = market.m[i + 1].first - 1; /* u of i <= id < U of i + 1 */
        struct book *b = book_new(market.venue);
        give_diff(b, i - 1);
        give_diff(b, i);
        give_snapshot(b, i, id);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        give_diff(b, i + 1);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        assert_true(book_equals(b, &market.m[i + 1].after));
        free(b);
        /* without having seen diff i it cannot be known, unless the ids touch */
        b = book_new(market.venue);
        give_snapshot(b, i, id);
        give_diff(b, i + 1);
        assert_int_equal(book_state(b), id == market.m[i].last ? BOOK_SYNCED : BOOK_GAP);
        free(b);
    }
}

/* The snapshot's id lies within the ids of a diff: it holds a part of that diff's changes. */
static void a_snapshot_inside_or_at_the_end_of_a_diff_connects(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        market_make(&market, venues[v], SEED);
        for (size_t i = 1; i + 1 < market.n; i++) {
            const struct true_message *m = &market.m[i];
            struct true_book part = market.m[i - 1].after;
            for (size_t k = 0; k < m->n / 2; k++)
                true_set(&part.side[m->side[k]], m->level[k].px, m->level[k].qty);
            if (m->first == m->last) continue;
            struct book *b = book_new(market.venue);
            give_diff(b, i);
            apply(b, message, events_of_snapshot(&part, m->first, 1, message));
            assert_int_equal(book_state(b), BOOK_SYNCED);
            assert_int_equal(book_update_id(b), m->last);
            assert_true(book_equals(b, &m->after));
            free(b);
            b = book_new(market.venue);
            give_snapshot(b, i, m->last);
            give_diff(b, i); /* u == L: applied on futures, old on spot, harmless on both */
            assert_true(book_equals(b, &m->after));
            give_diff(b, i + 1);
            assert_int_equal(book_counters(b)->gaps, 0);
            assert_true(book_equals(b, &market.m[i + 1].after));
            free(b);
        }
    }
}

static void an_old_diff_seen_after_the_snapshot_proves_the_next_one(void **state) {
    (void)state;
    market_make(&market, VENUE_BINANCE_USDM, SEED);
    size_t tried = 0;
    for (size_t i = 1; i + 1 < market.n; i++) {
        int64_t id = market.m[i + 1].first - 1;
        if (id == market.m[i].last) continue;
        struct book *b = book_new(market.venue);
        give_snapshot(b, i, id);
        give_diff(b, i);
        give_diff(b, i + 1);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        assert_int_equal(book_counters(b)->stale_messages, 1);
        free(b);
        tried++;
    }
    assert_true(tried > 100);
}

static void a_snapshot_older_than_the_kept_diffs_leaves_a_gap(void **state) {
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        market_make(&market, venues[v], SEED);
        struct book *b = book_new(venues[v]);
        give_diff(b, 10);
        give_diff(b, 11);
        give_snapshot(b, 5, market.m[5].last);
        assert_int_equal(book_state(b), BOOK_GAP);
        assert_int_equal(book_counters(b)->gaps, 1);
        give_snapshot(b, 6, market.m[6].last); /* still too old, ten times */
        for (int i = 0; i < 9; i++) give_snapshot(b, 6, market.m[6].last);
        assert_int_equal(book_state(b), BOOK_GAP);
        assert_int_equal(book_counters(b)->gaps, 1);
        assert_int_equal(book_counters(b)->resyncs, 0);
        assert_true(book_counters(b)->snapshots_refused >= 10);
        give_snapshot(b, 10, market.m[10].last);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        assert_int_equal(book_counters(b)->resyncs, 1);
        assert_int_equal(book_update_id(b), market.m[11].last);
        assert_true(book_equals(b, &market.m[11].after));
        free(b);
    }
}

static void a_missing_message_is_a_gap_until_a_snapshot_and_loses_nothing_kept(void **state) {
    (void)state;
    market_make(&market, VENUE_BINANCE_USDM, SEED);
    struct book *b = book_new(market.venue);
    give_snapshot(b, 0, market.m[0].last);
    for (size_t i = 1; i < 20; i++) give_diff(b, i);
    for (size_t i = 21; i < 30; i++) {
        give_diff(b, i);
        assert_int_equal(book_state(b), BOOK_GAP);
        assert_int_equal(book_count(b, BOOK_BID), 0);
        assert_int_equal(book_update_id(b), market.m[19].last);
    }
    assert_int_equal(book_counters(b)->gaps, 1);
    give_snapshot(b, 24, market.m[24].last);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), market.m[29].last);
    assert_true(book_equals(b, &market.m[29].after));
    assert_int_equal(book_counters(b)->resyncs, 1);
    free(b);
}

static void kept_diffs_are_bounded_and_the_oldest_go_first(void **state) {
    (void)state;
    market_make(&market, VENUE_BINANCE_USDM, SEED);
    struct book *b = book_new(market.venue);
    size_t events = 0;
    for (size_t i = 0; i < market.n; i++) {
        give_diff(b, i);
        events += market.m[i].n > 0 ? market.m[i].n : 1;
    }
    assert_true(events > PENDING + 100);
    uint64_t dropped = book_counters(b)->dropped_pending;
    assert_true(dropped >= events - PENDING && dropped < events - PENDING + MESSAGE_LEVELS);
    size_t of = market.n - 4;
    give_snapshot(b, of, market.m[of].last);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_true(book_equals(b, &market.m[market.n - 1].after));
    free(b);
}

static struct event level(int64_t u, uint8_t flags, int64_t px, int64_t lots) {
    struct event e = {.id = u, .kind = EV_DEPTH, .flags = flags, .px = {px}, .qty = {lots}};
    e.depth.first_id = u;
    e.depth.prev_id = u - 1;
    return e;
}

enum { WHOLE = EVF_FIRST | EVF_LAST, SNAP = EVF_SNAPSHOT };

static struct book *small_book(void) { /* 100 x 5 / 102 x 7 at u = 10 */
    struct book *b = book_new(VENUE_BINANCE_USDM);
    struct event s[2] = {level(10, EVF_BUY | EVF_FIRST | SNAP, 100, 5),
        level(10, EVF_SELL | EVF_LAST | SNAP, 102, 7)};
    apply(b, s, 2);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    return b;
}

static void crossed_and_locked_books_and_bad_levels_lose_trust(void **state) {
    (void)state;
    const struct {
        struct event ev;
        bool crossed;
    } cases[] = {{level(11, EVF_BUY | WHOLE, 103, 1), true},
        {level(11, EVF_BUY | WHOLE, 102, 1), true}, {level(11, EVF_SELL | WHOLE, 99, 1), true},
        {level(11, EVF_BUY | WHOLE, 0, 1), false}, {level(11, EVF_BUY | WHOLE, -5, 1), false},
        {level(11, EVF_BUY | WHOLE, 99, -1), false},
        {level(11, EVF_BUY | WHOLE, INT64_MIN, 1), false},
        {level(11, EVF_SELL | WHOLE, BOOK_PX_MAX + 1, 1), false},
        {level(11, EVF_SELL | WHOLE, 110, BOOK_LOTS_MAX + 1), false},
        {level(11, EVF_SELL | EVF_BUY | WHOLE, 110, 1), false}, {level(11, WHOLE, 110, 1), false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct book *b = small_book();
        apply(b, &cases[i].ev, 1);
        assert_int_equal(book_state(b), BOOK_GAP);
        assert_int_equal(book_counters(b)->gaps, 1);
        assert_int_equal(book_counters(b)->crossed, cases[i].crossed);
        assert_int_equal(book_counters(b)->bad_levels, !cases[i].crossed);
        struct event after = level(12, EVF_BUY | WHOLE, 98, 3); /* kept; the book stays lost */
        apply(b, &after, 1);
        assert_int_equal(book_state(b), BOOK_GAP);
        struct event s[2] = {level(11, EVF_BUY | EVF_FIRST | SNAP, 97, 2),
            level(11, EVF_SELL | EVF_LAST | SNAP, 104, 3)};
        apply(b, s, 2);
        assert_int_equal(book_state(b), cases[i].crossed ? BOOK_GAP : BOOK_SYNCED);
        s[0].id = s[1].id = 12;
        apply(b, s, 2);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        assert_int_equal(book_counters(b)->resyncs, 1);
        free(b);
    }
}

static void a_book_that_crosses_only_inside_a_message_is_fine(void **state) {
    (void)state;
    struct book *b = small_book();
    struct event m[2] = {
        level(11, EVF_BUY | EVF_FIRST, 103, 1), level(11, EVF_SELL | EVF_LAST, 102, 0)};
    apply(b, m, 1);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), 10);
    assert_false(book_between_messages(b));
    apply(b, m + 1, 1);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), 11);
    assert_true(book_between_messages(b));
    assert_int_equal(book_count(b, BOOK_ASK), 0);
    free(b);
}

static void messages_without_beginning_or_end_lose_trust(void **state) {
    (void)state;
    struct book *b = small_book();
    struct event m[2] = {level(11, EVF_BUY | EVF_FIRST, 99, 1), level(12, EVF_BUY | WHOLE, 98, 1)};
    apply(b, m, 2); /* 11 never ends */
    assert_int_equal(book_state(b), BOOK_GAP);
    assert_int_equal(book_counters(b)->torn_messages, 1);
    free(b);
    b = small_book();
    struct event tail = level(11, EVF_BUY | EVF_LAST, 99, 1); /* its beginning is missing */
    apply(b, &tail, 1);
    assert_int_equal(book_state(b), BOOK_SYNCED); /* nothing of it was applied ... */
    struct event after = level(12, EVF_BUY | WHOLE, 98, 1);
    apply(b, &after, 1);
    assert_int_equal(book_state(b), BOOK_GAP); /* ... and the numbering shows it */
    free(b);
    b = small_book();
    struct event mix[2] = {
        level(11, EVF_BUY | EVF_FIRST, 99, 1), level(13, EVF_BUY | EVF_LAST, 98, 1)};
    apply(b, mix, 2);
    assert_int_equal(book_state(b), BOOK_GAP);
    free(b);
    b = small_book();
    struct event half = level(20, EVF_BUY | EVF_FIRST | SNAP, 97, 2); /* half a snapshot */
    apply(b, &half, 1);
    assert_int_equal(book_count(b, BOOK_BID), 0);
    apply(b, &after, 1);
    assert_int_equal(book_state(b), BOOK_GAP);
    free(b);
}

static void half_a_message_is_not_kept_for_the_snapshot(void **state) {
    (void)state;
    struct book *b = book_new(VENUE_BINANCE_USDM);
    struct event m[2] = {level(11, EVF_BUY | EVF_FIRST, 99, 1), level(12, EVF_BUY | WHOLE, 98, 1)};
    apply(b, m, 2); /* both wait; 11 never ends */
    struct event s[2] = {level(10, EVF_BUY | EVF_FIRST | SNAP, 97, 2),
        level(10, EVF_SELL | EVF_LAST | SNAP, 104, 3)};
    apply(b, s, 2);
    assert_int_equal(book_state(b), BOOK_GAP); /* 11 is missing */
    assert_int_equal(book_counters(b)->torn_messages, 1);
    m[0].flags |= EVF_LAST;
    apply(b, m, 1); /* and here it is */
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), 12);
    assert_int_equal(book_count(b, BOOK_BID), 3);
    free(b);
}

static void a_bad_message_among_the_kept_ones_stops_there_and_the_rest_stays(void **state) {
    (void)state;
    struct book *b = book_new(VENUE_BINANCE_USDM);
    struct event m[3] = {level(11, EVF_BUY | WHOLE, 98, 1), level(12, EVF_BUY | WHOLE, 98, -1),
        level(13, EVF_BUY | WHOLE, 96, 4)};
    apply(b, m, 3);
    struct event s[2] = {level(10, EVF_BUY | EVF_FIRST | SNAP, 97, 2),
        level(10, EVF_SELL | EVF_LAST | SNAP, 104, 3)};
    apply(b, s, 2);
    assert_int_equal(book_state(b), BOOK_GAP);
    assert_int_equal(book_counters(b)->bad_levels, 1);
    assert_int_equal(book_update_id(b), 11);
    s[0].id = s[1].id = 12;
    apply(b, s, 2);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), 13);
    assert_int_equal(book_qty_at(b, BOOK_BID, (price_t){96}).lots, 4);
    free(b);
}

static void many_doubled_messages_between_good_ones_are_no_new_numbering(void **state) {
    (void)state;
    struct book *b = small_book();
    for (int64_t u = 11; u < 6000; u++) {
        struct event e = level(u, EVF_BUY | WHOLE, 98, u), old = level(10, EVF_BUY | WHOLE, 98, 1);
        apply(b, &e, 1);
        apply(b, &old, 1);
    }
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_counters(b)->stale_messages, 6000 - 11);
    assert_int_equal(book_counters(b)->gaps, 0);
    free(b);
}

static void a_side_beyond_its_limit_loses_trust(void **state) {
    (void)state;
    struct book *b = small_book();
    int64_t u = 10;
    for (int64_t i = 1; i < LEVELS; i++) {
        struct event e = level(++u, EVF_SELL | WHOLE, 102 + i * 1000, 1);
        apply(b, &e, 1);
        assert_int_equal(book_state(b), BOOK_SYNCED);
    }
    assert_int_equal(book_count(b, BOOK_ASK), LEVELS);
    struct event e = level(++u, EVF_SELL | WHOLE, 103, 1);
    apply(b, &e, 1);
    assert_int_equal(book_state(b), BOOK_GAP);
    assert_int_equal(book_counters(b)->full, 1);
    assert_int_equal(book_counters(b)->bad_levels, 0);
    free(b);
}

static void a_venue_that_numbers_anew_is_noticed_and_a_snapshot_helps(void **state) {
    (void)state;
    struct book *b = small_book();
    struct event far = level(11, EVF_BUY | WHOLE, 99, 1);
    far.id = 1000000000; /* one absurd id, then the old numbering */
    apply(b, &far, 1);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    int64_t u = 11;
    for (int i = 0; i < 5000; i++) {
        struct event e = level(++u, EVF_BUY | WHOLE, 98, 1 + i);
        apply(b, &e, 1);
    }
    assert_int_equal(book_state(b), BOOK_GAP);
    struct event s[2] = {
        level(u, EVF_BUY | EVF_FIRST | SNAP, 97, 2), level(u, EVF_SELL | EVF_LAST | SNAP, 104, 3)};
    apply(b, s, 2);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    struct event e = level(u + 1, EVF_BUY | WHOLE, 98, 9);
    apply(b, &e, 1);
    assert_int_equal(book_update_id(b), u + 1);
    assert_int_equal(book_qty_at(b, BOOK_BID, (price_t){98}).lots, 9);
    free(b);
}

int main(void) {
    printf("seeds %d..%d\n", SEED, SEED + SEEDS - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faultless_stream_is_followed_exactly_without_a_gap),
        cmocka_unit_test(a_synced_book_is_the_true_one_whatever_happens_to_the_stream),
        cmocka_unit_test(late_messages_alone_end_in_the_book_of_the_ordered_run),
        cmocka_unit_test(doubled_messages_and_old_snapshots_change_nothing),
        cmocka_unit_test(a_newer_snapshot_replaces_the_book_without_a_false_gap),
        cmocka_unit_test(a_snapshot_between_two_diffs_connects),
        cmocka_unit_test(a_snapshot_inside_or_at_the_end_of_a_diff_connects),
        cmocka_unit_test(an_old_diff_seen_after_the_snapshot_proves_the_next_one),
        cmocka_unit_test(a_snapshot_older_than_the_kept_diffs_leaves_a_gap),
        cmocka_unit_test(a_missing_message_is_a_gap_until_a_snapshot_and_loses_nothing_kept),
        cmocka_unit_test(kept_diffs_are_bounded_and_the_oldest_go_first),
        cmocka_unit_test(crossed_and_locked_books_and_bad_levels_lose_trust),
        cmocka_unit_test(a_book_that_crosses_only_inside_a_message_is_fine),
        cmocka_unit_test(messages_without_beginning_or_end_lose_trust),
        cmocka_unit_test(half_a_message_is_not_kept_for_the_snapshot),
        cmocka_unit_test(a_bad_message_among_the_kept_ones_stops_there_and_the_rest_stays),
        cmocka_unit_test(many_doubled_messages_between_good_ones_are_no_new_numbering),
        cmocka_unit_test(a_side_beyond_its_limit_loses_trust),
        cmocka_unit_test(a_venue_that_numbers_anew_is_noticed_and_a_snapshot_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
