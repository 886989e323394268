#include "capture/tape/import_rules.h"

#include "capture/tape/import_testing.h"

/* Rules fed with made events; what leaves is kept. */
struct bench {
    struct import_rules *r;
    struct import_tally tally;
    struct event out[512];
    size_t n;
    struct instrument in;
    int64_t local;
    uint64_t line;
    struct err_info e;
};

static err_t keep(void *to, const struct event *slots, size_t n, struct err_info *e) {
    (void)e;
    struct bench *b = to;
    assert_true(b->n + n <= 512);
    memcpy(b->out + b->n, slots, n * sizeof *slots);
    b->n += n;
    return ERR_OK;
}

static const struct instrument *one_instrument(void *to, uint16_t inst) {
    (void)inst;
    return &((struct bench *)to)->in;
}

static struct bench *bench_open(bool strict) {
    struct bench *b = calloc(1, sizeof *b);
    b->in = (struct instrument){.px_mant = 1, .qty_mant = 1, .symbol = "TEST"};
    b->local = 1000 * NS_PER_S;
    struct import_rules_options opt = {.jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS,
        .strict = strict,
        .sink = keep,
        .to = b,
        .instrument = one_instrument};
    assert_int_equal(import_rules_open(&b->r, &opt, &b->tally, &b->e), ERR_OK);
    return b;
}

static void bench_close(struct bench *b) {
    import_rules_close(b->r);
    free(b);
}

static err_t push_event(struct bench *b, struct event ev) {
    struct import_message m = {
        .slots = &ev, .n = 1, .file = "f", .line = ++b->line, .stamp_unit = 1, .received = true};
    return import_rules_push(b->r, &m, &b->e);
}

static struct event trade_at(struct bench *b, int64_t id, int64_t px) {
    b->local += NS_PER_MS;
    return (struct event){.ts_local.ns = b->local,
        .ts_venue.ns = b->local - NS_PER_MS,
        .kind = EV_TRADE,
        .flags = EVF_BUY | EVF_FIRST | EVF_LAST,
        .id = id,
        .px.ticks = px,
        .qty.lots = 1};
}

static void trade(struct bench *b, int64_t id, int64_t px) {
    assert_int_equal(push_event(b, trade_at(b, id, px)), ERR_OK);
}

static void flush(struct bench *b) { assert_int_equal(import_rules_flush(b->r, &b->e), ERR_OK); }

static void assert_ids(const struct bench *b, const int64_t *ids, size_t n) {
    assert_int_equal(b->n, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(b->out[i].id, ids[i]);
    assert_int_equal(b->tally.events, n);
}
#define IDS(b, ...)                                                                                \
    assert_ids(b, (const int64_t[]){__VA_ARGS__},                                                  \
        sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void a_lone_far_price_is_dropped_when_the_next_one_returns(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 1250);
    assert_int_equal(b->n, 1); /* waits for its successor */
    trade(b, 3, 1010);
    flush(b);
    IDS(b, 1, 3);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 1);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 0);
    assert_int_equal(b->tally.sample[IMPORT_PRICE_JUMP][0].line, 2);
    bench_close(b);
}

static void a_far_price_that_the_next_one_confirms_is_a_move_and_both_are_kept(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 500);
    trade(b, 3, 510);
    trade(b, 4, 505);
    flush(b);
    IDS(b, 1, 2, 3, 4);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 0);
    bench_close(b);
}

static void a_step_of_exactly_the_limit_is_no_jump(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 1200);
    assert_int_equal(b->n, 2);
    trade(b, 3, 1441); /* 20.08 % above 1200 */
    assert_int_equal(b->n, 2);
    trade(b, 4, 1200);
    IDS(b, 1, 2, 4);
    bench_close(b);
}

static void stairs_of_far_prices_are_a_move_step_by_step(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 1500);
    trade(b, 3, 2250);
    trade(b, 4, 3400);
    trade(b, 5, 3390);
    flush(b);
    IDS(b, 1, 2, 3, 4, 5);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 0);
    bench_close(b);
}

static void the_last_far_price_has_no_successor_and_is_kept_as_suspect(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 5000);
    flush(b);
    IDS(b, 1, 2);
    assert_int_equal(b->out[0].flags & EVF_SUSPECT, 0);
    assert_int_equal(b->out[1].flags & EVF_SUSPECT, EVF_SUSPECT);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 0);
    bench_close(b);
}

static void other_streams_pass_in_order_around_a_price_that_waits(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 9000);
    struct event other = trade_at(b, 70, 5);
    other.inst = 1;
    assert_int_equal(push_event(b, other), ERR_OK);
    struct event ticker = trade_at(b, 71, 1001);
    ticker.kind = EV_TICKER;
    assert_int_equal(push_event(b, ticker), ERR_OK);
    assert_int_equal(b->n, 1);
    trade(b, 3, 1001);
    IDS(b, 1, 70, 71, 3);
    bench_close(b);
}

static err_t count_only(void *to, const struct event *slots, size_t n, struct err_info *e) {
    (void)e;
    struct bench *b = to;
    memcpy(b->out, slots, (n < 2 ? n : 2) * sizeof *slots);
    b->n += n;
    return ERR_OK;
}

static void a_wait_without_end_is_bounded(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    struct import_rules_options opt = {.jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS,
        .sink = count_only,
        .to = b,
        .instrument = one_instrument};
    import_rules_close(b->r);
    assert_int_equal(import_rules_open(&b->r, &opt, &b->tally, &b->e), ERR_OK);
    trade(b, 1, 1000);
    trade(b, 2, 9000);
    for (int i = 1; i < IMPORT_HOLD_MAX; i++) {
        struct event ev = trade_at(b, i, 1);
        ev.kind = EV_TICKER;
        assert_int_equal(push_event(b, ev), ERR_OK);
    }
    assert_int_equal(b->n, 1);
    trade(b, 3, 9000); /* the hold is full: the price that waits is kept without a decision */
    assert_int_equal(b->n, IMPORT_HOLD_MAX + 2);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 0);
    bench_close(b);
}

static void a_price_that_is_not_positive_is_bad_unless_it_is_no_market_trade(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, -1);
    trade(b, 2, 1000);
    struct event none = trade_at(b, 3, 0);
    none.qty.lots = 0;
    none.flags |= EVF_NON_MARKET;
    assert_int_equal(push_event(b, none), ERR_OK);
    struct event empty = trade_at(b, 4, 1000);
    empty.qty.lots = 0;
    assert_int_equal(push_event(b, empty), ERR_OK);
    trade(b, 5, 1001);
    IDS(b, 2, 3, 5);
    assert_int_equal(b->tally.rejected[IMPORT_BAD_PRICE], 2);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 0); /* the rows were there */
    assert_int_equal(b->tally.non_market_trades, 1);
    bench_close(b);
}

static void a_duplicate_stands_for_the_id_that_is_missing_after_it(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 1000);
    trade(b, 2, 1000);
    trade(b, 4, 1000);
    IDS(b, 1, 2, 4);
    assert_int_equal(b->tally.rejected[IMPORT_DUPLICATE_ID], 1);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 0);
    trade(b, 4, 1000);
    trade(b, 5, 1000); /* nothing missing: the duplicate was one more row */
    trade(b, 7, 1000);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 1);
    assert_int_equal(b->tally.missing_ids, 1);
    bench_close(b);
}

static void missing_ids_are_counted_and_their_successor_is_suspect(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 10, 1000);
    trade(b, 15, 1000);
    trade(b, 12, 1000); /* came late: no duplicate */
    trade(b, 16, 1000);
    trade(b, 9, 1000); /* older than anything seen: a duplicate */
    IDS(b, 10, 15, 12, 16);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 1);
    assert_int_equal(b->tally.missing_ids, 4);
    assert_int_equal(b->tally.late_ids, 1);
    assert_int_equal(b->tally.rejected[IMPORT_DUPLICATE_ID], 1);
    assert_true(b->out[1].flags & EVF_SUSPECT);
    assert_false(b->out[3].flags & EVF_SUSPECT);
    bench_close(b);
}

static void trades_aggregates_and_instruments_count_their_ids_apart(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 5, 1000);
    struct event agg = trade_at(b, 5, 1000);
    agg.kind = EV_AGG_TRADE;
    assert_int_equal(push_event(b, agg), ERR_OK);
    struct event other = trade_at(b, 5, 10);
    other.inst = 3;
    assert_int_equal(push_event(b, other), ERR_OK);
    IDS(b, 5, 5, 5);
    bench_close(b);
}

static void one_row_may_fire_several_reasons(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    struct event ev = trade_at(b, 1, 3000); /* repeats the id, far price, received late */
    ev.ts_venue.ns = ev.ts_local.ns - 2 * NS_PER_S;
    assert_int_equal(push_event(b, ev), ERR_OK);
    trade(b, 3, 1001);
    flush(b);
    IDS(b, 1, 3);
    assert_int_equal(b->tally.rejected[IMPORT_DUPLICATE_ID], 1);
    assert_int_equal(b->tally.rejected[IMPORT_PRICE_JUMP], 1);
    assert_int_equal(b->tally.rejected[IMPORT_LATENCY_OUTLIER], 1);
    assert_int_equal(b->tally.rejected[IMPORT_ID_GAP], 0);
    bench_close(b);
}

/* One trade with that latency, in a file of that offset and stamp unit. */
static struct import_tally latency_case(
    int64_t latency_ns, int64_t offset_ns, int64_t unit, bool received, unsigned flags) {
    struct bench *b = bench_open(false);
    struct event ev = trade_at(b, 1, 1000);
    ev.ts_venue.ns = ev.ts_local.ns - latency_ns - 5 * NS_PER_MS;
    ev.msg_us = 5000; /* the message is younger than its trade */
    ev.flags = (uint8_t)(ev.flags | flags);
    struct import_message m = {.slots = &ev,
        .n = 1,
        .file = "f",
        .line = 1,
        .offset_ns = offset_ns,
        .stamp_unit = unit,
        .received = received};
    assert_int_equal(import_rules_push(b->r, &m, &b->e), ERR_OK);
    flush(b);
    bool soft =
        b->tally.rejected[IMPORT_LATENCY_OUTLIER] + b->tally.rejected[IMPORT_RECEIVE_BEFORE_EVENT] >
        0;
    assert_int_equal((b->out[0].flags & EVF_SUSPECT) != 0, soft);
    struct import_tally t = b->tally;
    bench_close(b);
    return t;
}

static void latency_is_judged_without_the_clock_offset_and_within_the_stamps_unit(void **state) {
    (void)state;
    static const struct {
        int64_t latency, offset, unit;
        bool received;
        unsigned flags;
        int outlier, before;
    } cases[] = {
        {NS_PER_MS, 0, 1, true, 0, 0, 0},
        {NS_PER_S, 0, 1, true, 0, 0, 0},
        {NS_PER_S + 1, 0, 1, true, 0, 1, 0},
        {-1, 0, 1, true, 0, 0, 1},
        {-1, 0, NS_PER_MS, true, 0, 0, 0},
        {-NS_PER_MS, 0, NS_PER_MS, true, 0, 0, 1},
        {-1270 * NS_PER_MS, -1272 * NS_PER_MS, 1, true, 0, 0, 0},
        {-1273 * NS_PER_MS, -1272 * NS_PER_MS, 1, true, 0, 0, 1},
        {-200 * NS_PER_MS, -1272 * NS_PER_MS, 1, true, 0, 1, 0},
        {9 * NS_PER_S, 0, 1, false, 0, 0, 0},
        {9 * NS_PER_S, 0, 1, true, EVF_SNAPSHOT, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct import_tally t = latency_case(
            cases[i].latency, cases[i].offset, cases[i].unit, cases[i].received, cases[i].flags);
        if (t.rejected[IMPORT_LATENCY_OUTLIER] != (uint64_t)cases[i].outlier ||
            t.rejected[IMPORT_RECEIVE_BEFORE_EVENT] != (uint64_t)cases[i].before)
            fail_msg("case %zu", i);
    }
}

static void a_stamp_that_goes_back_is_repaired_to_its_predecessor(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    trade(b, 2, 1000);
    int64_t before = b->local;
    b->local -= 10 * NS_PER_MS;
    trade(b, 3, 1000);
    trade(b, 4, 1000);
    b->local = before;
    trade(b, 5, 1000);
    IDS(b, 1, 2, 3, 4, 5);
    assert_int_equal(b->out[2].ts_local.ns, before);
    assert_int_equal(b->out[3].ts_local.ns, before);
    assert_true(b->out[4].ts_local.ns > before);
    assert_int_equal(b->tally.local_repaired, 2);
    bench_close(b);
}

static void an_outlier_that_runs_ahead_does_not_drag_the_others_along(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    int64_t first = b->local;
    struct event late = trade_at(b, 2, 1000);
    late.ts_local.ns += 86400 * NS_PER_S;
    assert_int_equal(push_event(b, late), ERR_OK);
    trade(b, 3, 1000);
    trade(b, 4, 1000);
    IDS(b, 1, 2, 3, 4);
    assert_int_equal(b->out[1].ts_local.ns, first); /* the next stamp proved it wrong */
    assert_int_equal(b->out[2].ts_local.ns, first + 2 * NS_PER_MS);
    assert_int_equal(b->tally.local_repaired, 1);
    assert_int_equal(b->tally.rejected[IMPORT_LATENCY_OUTLIER], 1);
    bench_close(b);
}

static void a_clock_that_steps_ahead_and_back_repairs_its_own_rows_only(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    int64_t first = b->local;
    for (int i = 2; i < 20; i++) {
        struct event ahead = trade_at(b, i, 1000);
        ahead.ts_local.ns += 60 * NS_PER_S;
        if (i % 3 == 0) ahead.ts_venue.ns = 0; /* some messages have no event time */
        assert_int_equal(push_event(b, ahead), ERR_OK);
    }
    for (int i = 20; i < 30; i++) trade(b, i, 1000);
    assert_int_equal(b->n, 29);
    for (size_t i = 1; i < 19; i++) assert_int_equal(b->out[i].ts_local.ns, first);
    for (int64_t i = 19; i < 29; i++)
        assert_int_equal(b->out[i].ts_local.ns, first + i * NS_PER_MS);
    assert_int_equal(b->tally.local_repaired, 18);
    bench_close(b);
}

static void a_stall_of_the_line_is_believed(void **state) {
    (void)state;
    struct bench *b = bench_open(false);
    trade(b, 1, 1000);
    for (int i = 2; i < 5; i++) {
        struct event late = trade_at(b, i, 1000);
        late.ts_local.ns += 3 * NS_PER_S;
        assert_int_equal(push_event(b, late), ERR_OK);
    }
    b->local += 3 * NS_PER_S;
    trade(b, 5, 1000);
    IDS(b, 1, 2, 3, 4, 5);
    assert_int_equal(b->tally.local_repaired, 0);
    assert_int_equal(b->tally.rejected[IMPORT_LATENCY_OUTLIER], 3);
    bench_close(b);
}

static void strict_stops_at_the_first_with_file_and_line(void **state) {
    (void)state;
    struct bench *b = bench_open(true);
    trade(b, 1, 1000);
    assert_int_equal(push_event(b, trade_at(b, 1, 1000)), ERR_INPUT);
    assert_non_null(strstr(b->e.text, "f:2: duplicate_id"));
    flush(b);
    IDS(b, 1);
    bench_close(b);
}

/* Any mixture of faults: what leaves is a subsequence of what came in, stamps in order, and every
 * message is either written or counted under a hard reason. */
static void order_and_number_hold_for_random_faults(void **state) {
    (void)state;
    uint64_t seed = 11;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 200; round++) {
        struct bench *b = bench_open(false);
        int64_t id = 1;
        uint64_t n = 0;
        for (; n < 300; n++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned dice = (unsigned)(seed >> 33) % 40;
            struct event ev = trade_at(b, id++, 1000 + (int64_t)(dice % 7));
            if (dice == 0) ev.px.ticks *= 2;
            if (dice == 1) ev.px.ticks = -ev.px.ticks;
            if (dice == 2) ev.id = id - 2;
            if (dice == 3) id += 2;
            if (dice == 4) ev.ts_local.ns += 5 * NS_PER_S;
            if (dice == 5) ev.ts_local.ns -= 5 * NS_PER_S;
            if (dice == 6) ev.inst = 1;
            ev.msg_us = (int32_t)n; /* the order of arrival */
            assert_int_equal(push_event(b, ev), ERR_OK);
        }
        flush(b);
        const uint64_t *hit = b->tally.rejected;
        assert_int_equal(b->n, b->tally.events);
        assert_true(
            b->n + hit[IMPORT_BAD_PRICE] + hit[IMPORT_DUPLICATE_ID] + hit[IMPORT_PRICE_JUMP] >= n);
        assert_true(b->n <= n);
        for (size_t i = 1; i < b->n; i++) {
            assert_true(b->out[i].msg_us > b->out[i - 1].msg_us);
            assert_true(b->out[i].ts_local.ns >= b->out[i - 1].ts_local.ns);
        }
        bench_close(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_far_price_is_dropped_when_the_next_one_returns),
        cmocka_unit_test(a_far_price_that_the_next_one_confirms_is_a_move_and_both_are_kept),
        cmocka_unit_test(a_step_of_exactly_the_limit_is_no_jump),
        cmocka_unit_test(stairs_of_far_prices_are_a_move_step_by_step),
        cmocka_unit_test(the_last_far_price_has_no_successor_and_is_kept_as_suspect),
        cmocka_unit_test(other_streams_pass_in_order_around_a_price_that_waits),
        cmocka_unit_test(a_wait_without_end_is_bounded),
        cmocka_unit_test(a_price_that_is_not_positive_is_bad_unless_it_is_no_market_trade),
        cmocka_unit_test(a_duplicate_stands_for_the_id_that_is_missing_after_it),
        cmocka_unit_test(missing_ids_are_counted_and_their_successor_is_suspect),
        cmocka_unit_test(trades_aggregates_and_instruments_count_their_ids_apart),
        cmocka_unit_test(one_row_may_fire_several_reasons),
        cmocka_unit_test(latency_is_judged_without_the_clock_offset_and_within_the_stamps_unit),
        cmocka_unit_test(a_stamp_that_goes_back_is_repaired_to_its_predecessor),
        cmocka_unit_test(an_outlier_that_runs_ahead_does_not_drag_the_others_along),
        cmocka_unit_test(a_clock_that_steps_ahead_and_back_repairs_its_own_rows_only),
        cmocka_unit_test(a_stall_of_the_line_is_believed),
        cmocka_unit_test(strict_stops_at_the_first_with_file_and_line),
        cmocka_unit_test(order_and_number_hold_for_random_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
