/* The book's public face: reading, changes, hash, save and load, the ticker cross-check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "derive/book/book_test.h"

enum { SEED = 99, SEEDS = 20, STREAM_MAX = TRUE_MESSAGES * 80 };

static const struct book_limits limits = {.levels_max = 512, .pending_max = 2048};
static struct true_market market;
static struct event stream[STREAM_MAX];
static size_t stream_n;

static struct book *book_new(const struct book_limits *l, uint8_t venue) {
    void *mem = aligned_alloc(64, (book_mem_size(l) + 63) / 64 * 64);
    assert_non_null(mem);
    return book_init(mem, l, venue);
}

/* Diffs with a snapshot, one gap and its repair; messages whole. */
static void make_stream(uint8_t venue, uint64_t seed) {
    market_make(&market, venue, seed);
    stream_n = 0;
    for (size_t i = 0; i < market.n; i++) {
        assert_true(stream_n + 4 * TRUE_LEVELS < STREAM_MAX);
        if (i != 100)
            stream_n += events_of_diff(&market.m[i], venue, (int64_t)i, stream + stream_n);
        if (i != 20 && i != 130) continue;
        size_t of = i - 5;
        stream_n += events_of_snapshot(
            &market.m[of].after, market.m[of].last, (int64_t)i, stream + stream_n);
    }
}

static void saving_and_loading_anywhere_gives_the_same_hashes(void **state) {
    (void)state;
    size_t size = (book_mem_size(&limits) + 63) / 64 * 64;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(seed % 2 ? VENUE_BINANCE_SPOT : VENUE_BINANCE_USDM, seed);
        struct book *whole = book_new(&limits, market.venue), *b = book_new(&limits, market.venue);
        struct book_change change, cut_change;
        uint64_t rng = seed, ha = 0, hb = 0;
        for (size_t i = 0; i < stream_n; i++) {
            book_apply(whole, &stream[i], &change);
            book_apply(b, &stream[i], &cut_change);
            assert_memory_equal(&change, &cut_change, sizeof change);
            if (stream[i].flags & EVF_LAST) {
                ha = book_hash(whole, ha);
                hb = book_hash(b, hb);
            }
            if (rng_below(&rng, 50) != 0) continue;
            void *elsewhere = aligned_alloc(64, size);
            assert_non_null(elsewhere);
            memcpy(elsewhere, b, book_mem_size(&limits));
            memset((void *)b, 0x5a, book_mem_size(&limits));
            free(b);
            b = book_load(elsewhere);
            assert_non_null(b);
        }
        assert_true(ha == hb);
        assert_int_equal(book_state(b), BOOK_SYNCED);
        assert_int_equal(book_counters(b)->gaps, 1);
        assert_memory_equal(whole, b, book_mem_size(&limits));
        free(whole);
        free(b);
    }
}

static void a_block_that_is_no_book_is_refused(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    assert_ptr_equal(book_load(b), b);
    unsigned char *raw = (unsigned char *)b;
    raw[3] ^= 1;
    assert_null(book_load(b));
    raw[3] ^= 1;
    raw[8] ^= 0x40; /* the size it was made with */
    assert_null(book_load(b));
    assert_null(book_load(NULL));
    free(b);
}

/* Applying the reported changes to a plain copy gives the book: features may live on them. */
static void changes_tell_all_that_happens_to_the_visible_book(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(VENUE_BINANCE_USDM, seed);
        struct book *b = book_new(&limits, market.venue);
        struct true_book copy = {0};
        struct book_change c;
        size_t levels = 0, wholes = 0;
        for (size_t i = 0; i < stream_n; i++) {
            book_apply(b, &stream[i], &c);
            assert_false(c.any && c.whole);
            if (c.any) {
                assert_true(c.before.lots != c.after.lots);
                true_set(&copy.side[c.side], c.px, c.after);
                assert_int_equal(book_qty_at(b, c.side, c.px).lots, c.after.lots);
                levels++;
            }
            if (c.whole) { /* take it over as it is */
                memset(&copy, 0, sizeof copy);
                wholes++;
                struct book_level at;
                for (int side = 0; side < 2; side++)
                    for (bool more = book_best(b, side, &at); more;
                         more = book_next(b, side, at.px, &at))
                        true_set(&copy.side[side], at.px, at.qty);
            }
            if ((stream[i].flags & EVF_LAST) && book_state(b) == BOOK_SYNCED)
                assert_true(book_equals(b, &copy));
        }
        assert_true(levels > 500 && wholes >= 3);
        free(b);
    }
}

static void top_and_next_walk_from_the_best_outward(void **state) {
    (void)state;
    make_stream(VENUE_BINANCE_USDM, SEED);
    struct book *b = book_new(&limits, market.venue);
    struct book_change change;
    for (size_t i = 0; i < stream_n; i++) book_apply(b, &stream[i], &change);
    for (int side = 0; side < 2; side++) {
        struct book_level top[BOOK_TOP_MAX], best, at;
        size_t n = book_top(b, side, BOOK_TOP_MAX, top);
        assert_true(n > 10 && n <= book_count(b, side));
        assert_true(book_best(b, side, &best));
        assert_memory_equal(&best, &top[0], sizeof best);
        for (size_t i = 1; i < n; i++) {
            assert_true(side == BOOK_BID ? top[i].px.ticks < top[i - 1].px.ticks
                                         : top[i].px.ticks > top[i - 1].px.ticks);
            assert_true(book_next(b, side, top[i - 1].px, &at));
            assert_memory_equal(&at, &top[i], sizeof at);
            assert_int_equal(book_qty_at(b, side, at.px).lots, at.qty.lots);
        }
        assert_int_equal(book_top(b, side, 3, top), 3);
        assert_int_equal(book_top(b, side, 0, top), 0);
        /* from outside the book: from the other end, and past the last level */
        price_t ahead = {side == BOOK_BID ? INT64_MAX : INT64_MIN};
        price_t behind = {side == BOOK_BID ? INT64_MIN : INT64_MAX};
        assert_true(book_next(b, side, ahead, &at));
        assert_memory_equal(&at, &best, sizeof at);
        assert_false(book_next(b, side, behind, &at));
        assert_int_equal(book_qty_at(b, side, behind).lots, 0);
    }
    free(b);
}

static void the_hash_sees_every_level_the_update_id_and_the_state(void **state) {
    (void)state;
    make_stream(VENUE_BINANCE_USDM, SEED);
    struct book *a = book_new(&limits, market.venue), *b = book_new(&limits, market.venue);
    struct book_change change;
    struct event s[TRUE_LEVELS * 2];
    size_t n = events_of_snapshot(&market.m[200].after, 500, 1, s);
    assert_true(book_hash(a, 0) == book_hash(b, 0));
    for (size_t i = 0; i < n; i++) book_apply(a, &s[i], &change);
    assert_true(book_hash(a, 0) != book_hash(b, 0));
    for (size_t k = 0; k < n; k += 7) { /* one lot more anywhere */
        b = book_init(b, &limits, market.venue);
        for (size_t i = 0; i < n; i++) {
            struct event e = s[i];
            e.qty.lots += i == k;
            book_apply(b, &e, &change);
        }
        assert_true(book_hash(a, 0) != book_hash(b, 0));
    }
    assert_true(book_hash(a, 0) != book_hash(a, 1));
    free(a);
    free(b);
}

static void an_empty_book_reads_as_nothing(void **state) {
    (void)state;
    struct book *b = book_new(NULL, VENUE_BINANCE_USDM);
    struct book_level at;
    assert_int_equal(book_state(b), BOOK_EMPTY);
    assert_false(book_best(b, BOOK_BID, &at) || book_next(b, BOOK_ASK, (price_t){5}, &at));
    assert_int_equal(book_top(b, BOOK_ASK, 5, &at), 0);
    assert_int_equal(book_count(b, BOOK_BID), 0);
    assert_string_equal(book_state_name(book_state(b)), "EMPTY");
    free(b);
}

/* ---- ticker ---- */

static void depth_at(struct book *b, int64_t u, int64_t bid_lots, int64_t ask_lots) {
    struct book_change change;
    struct event e = {.id = u, .kind = EV_DEPTH, .px = {100}, .qty = {bid_lots}};
    e.flags = EVF_BUY | EVF_FIRST;
    e.depth.first_id = u;
    e.depth.prev_id = book_update_id(b);
    if (book_state(b) == BOOK_EMPTY) e.flags |= EVF_SNAPSHOT;
    book_apply(b, &e, &change);
    e.px.ticks = 101;
    e.qty.lots = ask_lots;
    e.flags = (uint8_t)(EVF_SELL | EVF_LAST | (e.flags & EVF_SNAPSHOT));
    book_apply(b, &e, &change);
}

static void ticker_at(struct book *b, int64_t u, int64_t bid_lots, int64_t ask_lots) {
    struct book_change change;
    struct event e = {
        .id = u, .kind = EV_TICKER, .px = {100}, .qty = {bid_lots}, .flags = EVF_FIRST | EVF_LAST};
    e.ask.px.ticks = 101;
    e.ask.qty.lots = ask_lots;
    book_apply(b, &e, &change);
}

static void check_tickers(const struct book *b, uint64_t checked, uint64_t equal) {
    assert_int_equal(book_counters(b)->ticker_checked, checked);
    assert_int_equal(book_counters(b)->ticker_equal, equal);
}

static void a_depth_message_is_judged_when_a_later_ticker_has_come(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    ticker_at(b, 9, 1, 1);
    depth_at(b, 10, 5, 5); /* snapshot: not judged */
    depth_at(b, 20, 6, 6);
    ticker_at(b, 15, 7, 7); /* older: replaced by the next one */
    ticker_at(b, 20, 6, 6); /* what the message must equal */
    check_tickers(b, 0, 0);
    ticker_at(b, 21, 8, 8); /* only now nothing older can come */
    check_tickers(b, 1, 1);
    depth_at(b, 30, 3, 3);
    ticker_at(b, 28, 3, 4); /* differs */
    ticker_at(b, 35, 9, 9);
    check_tickers(b, 2, 1);
    free(b);
}

static void a_depth_message_that_comes_late_is_judged_at_once(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    depth_at(b, 10, 5, 5);
    ticker_at(b, 12, 5, 6);
    ticker_at(b, 14, 5, 7);
    ticker_at(b, 16, 5, 8);
    depth_at(b, 14, 5, 7);
    check_tickers(b, 1, 1);
    depth_at(b, 15, 5, 9); /* the last ticker with id <= 15 is 14's */
    check_tickers(b, 2, 1);
    free(b);
}

static void what_waits_at_the_end_counts_only_if_it_is_equal(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    depth_at(b, 10, 5, 5);
    ticker_at(b, 20, 6, 6);
    depth_at(b, 21, 6, 6);
    depth_at(b, 22, 6, 7); /* its ticker has not come */
    check_tickers(b, 0, 0);
    book_end(b);
    check_tickers(b, 1, 1);
    assert_int_equal(book_counters(b)->ticker_unjudged, 1);
    free(b);
}

static void a_ticker_older_than_the_last_one_is_ignored(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    depth_at(b, 10, 5, 5);
    ticker_at(b, 20, 6, 6);
    ticker_at(b, 15, 9, 9);
    depth_at(b, 21, 6, 6);
    ticker_at(b, 30, 7, 7);
    check_tickers(b, 1, 1);
    ticker_at(b, 30, 8, 8); /* the same id again: the newer one holds */
    depth_at(b, 30, 8, 8);
    ticker_at(b, 31, 1, 1);
    check_tickers(b, 2, 2);
    free(b);
}

static void a_book_in_a_gap_is_not_compared_but_what_it_was_before_is(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    struct book_change change;
    depth_at(b, 10, 5, 5);
    ticker_at(b, 10, 5, 5);
    depth_at(b, 11, 5, 5);
    struct event e = {.id = 30, .kind = EV_DEPTH_END, .flags = EVF_FIRST | EVF_LAST};
    e.depth.first_id = 25;
    e.depth.prev_id = 24;
    book_apply(b, &e, &change);
    assert_true(change.whole);
    assert_int_equal(book_state(b), BOOK_GAP);
    check_tickers(b, 0, 0);
    ticker_at(b, 40, 5, 5);
    book_end(b);
    check_tickers(b, 1, 1); /* message 11; not message 30 */
    free(b);
}

static void trades_are_counted_and_prints_that_are_none_apart(void **state) {
    (void)state;
    struct book *b = book_new(&limits, VENUE_BINANCE_USDM);
    struct book_change change;
    struct event e = {.kind = EV_TRADE, .flags = EVF_FIRST | EVF_LAST};
    book_apply(b, &e, &change);
    e.flags |= EVF_NON_MARKET;
    book_apply(b, &e, &change);
    book_apply(b, &e, &change);
    assert_int_equal(book_counters(b)->trades, 1);
    assert_int_equal(book_counters(b)->non_market, 2);
    assert_false(change.any || change.whole);
    free(b);
}

int main(void) {
    printf("seeds %d..%d\n", SEED, SEED + SEEDS - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saving_and_loading_anywhere_gives_the_same_hashes),
        cmocka_unit_test(a_block_that_is_no_book_is_refused),
        cmocka_unit_test(changes_tell_all_that_happens_to_the_visible_book),
        cmocka_unit_test(top_and_next_walk_from_the_best_outward),
        cmocka_unit_test(the_hash_sees_every_level_the_update_id_and_the_state),
        cmocka_unit_test(an_empty_book_reads_as_nothing),
        cmocka_unit_test(a_depth_message_is_judged_when_a_later_ticker_has_come),
        cmocka_unit_test(a_depth_message_that_comes_late_is_judged_at_once),
        cmocka_unit_test(what_waits_at_the_end_counts_only_if_it_is_equal),
        cmocka_unit_test(a_ticker_older_than_the_last_one_is_ignored),
        cmocka_unit_test(a_book_in_a_gap_is_not_compared_but_what_it_was_before_is),
        cmocka_unit_test(trades_are_counted_and_prints_that_are_none_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
