#include "execute/order/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "execute/order/blotter.h"

static uint64_t seed = 20240808;
static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static struct order_request request(int64_t id, int64_t qty) {
    return (struct order_request){.id = id,
        .px = {100},
        .qty = {qty},
        .ts_sent = {1000},
        .kind = REQUEST_NEW,
        .tif = TIF_GTC};
}

static void say(struct event ev[2], int64_t id, uint8_t status, int64_t last, int64_t filled) {
    struct report r = {.order_id = id,
        .status = status,
        .px = {100},
        .qty = {10},
        .last_px = {100},
        .last_qty = {last},
        .filled = {filled},
        .queue_placed = -1,
        .queue_before = -1,
        .fee_e12 = REPORT_FEE_UNKNOWN};
    report_encode(&r, ev);
}

static struct order_change tell(struct order *o, uint8_t status, int64_t last, int64_t filled) {
    struct event ev[2];
    say(ev, o->id, status, last, filled);
    return order_report(o, ev);
}

static struct order sent(int64_t qty) {
    struct order o;
    struct order_request q = request(1, qty);
    order_init(&o, &q, (price_t){200});
    assert_true(order_step(&o, STEP_SUBMIT, q.ts_sent).legal);
    return o;
}

static void an_order_lives_from_new_through_partial_to_filled(void **state) {
    (void)state;
    struct order o = sent(10);
    assert_int_equal(o.status, ORDER_NEW_SENT);
    assert_true(tell(&o, REPORT_ACK, 0, 0).legal);
    assert_int_equal(o.status, ORDER_WORKING);
    assert_int_equal(tell(&o, REPORT_FILL, 3, 3).fill.lots, 3);
    assert_int_equal(o.status, ORDER_PARTIAL);
    struct order_change c = tell(&o, REPORT_FILL, 7, 10);
    assert_int_equal(c.fill.lots, 7);
    assert_true(c.ended);
    assert_int_equal(o.status, ORDER_FILLED);
}

static void a_timeout_makes_an_order_unknown_and_never_failed(void **state) {
    (void)state;
    struct order o = sent(10);
    struct order_change c = order_step(&o, STEP_TIMEOUT, (ts_t){2000});
    assert_true(c.legal && c.needs_query && !c.ended);
    assert_int_equal(o.status, ORDER_UNKNOWN);
    assert_true(order_live(o.status));
    assert_int_equal(order_leaves(&o).lots, 10);
    assert_true(order_step(&o, STEP_TIMEOUT, (ts_t){3000}).legal);
    assert_int_equal(o.status, ORDER_UNKNOWN);
    assert_int_equal(tell(&o, REPORT_FILL, 10, 10).fill.lots, 10); /* it had filled all the time */
    assert_int_equal(o.status, ORDER_FILLED);
}

static void an_unknown_order_is_resolved_by_a_query_that_does_not_find_it(void **state) {
    (void)state;
    struct order o = sent(10);
    assert_false(tell(&o, REPORT_NOT_FOUND, 0, 0).legal); /* nobody asked */
    (void)order_step(&o, STEP_TIMEOUT, (ts_t){2000});
    assert_true(tell(&o, REPORT_NOT_FOUND, 0, 0).ended);
    assert_int_equal(o.status, ORDER_REJECTED);
}

static void a_cancel_reject_of_an_unknown_order_asks_instead_of_assuming(void **state) {
    (void)state;
    struct order o = sent(10);
    struct event ev[2];
    (void)tell(&o, REPORT_ACK, 0, 0);
    assert_true(order_step(&o, STEP_CANCEL, (ts_t){2000}).legal);
    say(ev, 1, REPORT_CANCEL_REJECTED, 0, 0);
    ((struct event_cont *)(void *)(ev + 1))->w[REPORT_REASON] = WHY_UNKNOWN_ORDER;
    assert_true(order_report(&o, ev).needs_query);
    assert_int_equal(o.status, ORDER_UNKNOWN);
}

static void fills_count_once_in_whatever_order_they_come(void **state) {
    (void)state;
    /* Four fills of a 10-lot order in all 24 orders, each told twice. */
    static const int64_t last[4] = {1, 4, 2, 3}, cum[4] = {1, 5, 7, 10};
    for (int p = 0; p < 24; p++) {
        int left[4] = {0, 1, 2, 3}, n = 4, code = p;
        struct order o = sent(10);
        (void)tell(&o, REPORT_ACK, 0, 0);
        for (; n > 0; n--) {
            int pick = code % n, k = left[pick];
            code /= n;
            left[pick] = left[n - 1];
            assert_int_equal(tell(&o, REPORT_FILL, last[k], cum[k]).fill.lots, last[k]);
            struct order_change again = tell(&o, REPORT_FILL, last[k], cum[k]);
            assert_true(again.duplicate);
            assert_int_equal(again.fill.lots, 0);
        }
        assert_int_equal(o.status, ORDER_FILLED);
        assert_int_equal(o.filled.lots, 10);
    }
}

static void a_fill_that_arrives_after_the_cancel_still_counts(void **state) {
    (void)state;
    struct order o = sent(10);
    (void)tell(&o, REPORT_ACK, 0, 0);
    (void)order_step(&o, STEP_CANCEL, (ts_t){1});
    assert_true(tell(&o, REPORT_CANCELED, 0, 0).ended);
    assert_int_equal(tell(&o, REPORT_FILL, 4, 4).fill.lots, 4);
    assert_int_equal(o.status, ORDER_CANCELED);
}

static void a_report_that_contradicts_the_order_changes_nothing(void **state) {
    (void)state;
    static const int64_t bad[][2] = {{11, 11}, {3, 2}, {0, 5}, {-1, 5}, {2, 12}, {INT64_MAX, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct order o = sent(10);
        (void)tell(&o, REPORT_ACK, 0, 0);
        (void)tell(&o, REPORT_FILL, 1, 1);
        struct order before = o;
        struct order_change c = tell(&o, REPORT_FILL, bad[i][0], bad[i][1]);
        assert_int_equal(c.fill.lots, 0);
        assert_memory_equal(&before, &o, sizeof o);
    }
}

/* Slow model: quantity as a set of single lots. */
static void any_sequence_of_events_keeps_the_laws(void **state) {
    (void)state;
    printf("seed %llu\n", (unsigned long long)seed);
    for (int run = 0; run < 20000; run++) {
        struct order o = sent(8);
        bool lot[8] = {false}, ended = false;
        for (int step = 0; step < 24; step++) {
            uint8_t from = o.status;
            struct order_change c;
            if (rnd(4) == 0) {
                static const enum order_step local[] = {STEP_CANCEL, STEP_TIMEOUT, STEP_NOT_FOUND};
                enum order_step s = local[rnd(3)];
                c = order_step(&o, s, (ts_t){step});
                assert_int_equal(c.legal, order_next(from, s) != ORDER_STATUS_COUNT);
            } else {
                uint8_t status = (uint8_t)(1 + rnd(REPORT_STATUS_COUNT - 1));
                if (status == REPORT_MODIFIED) status = REPORT_ACK;
                int64_t last = (int64_t)rnd(10), cum = (int64_t)rnd(10);
                c = tell(&o, status, last, cum);
                for (int64_t i = cum - last; c.fill.lots > 0 && i < cum; i++) {
                    assert_false(lot[i]); /* never the same lot twice */
                    lot[i] = true;
                }
            }
            int64_t sum = 0;
            for (int i = 0; i < 8; i++) sum += lot[i];
            assert_int_equal(o.filled.lots, sum);
            if (!c.legal) assert_int_equal(o.status, from);
            assert_true(!ended || !order_live(o.status)); /* the dead stay dead */
            assert_int_equal(c.ended, order_live(from) && !order_live(o.status));
            assert_true(o.status != ORDER_PARTIAL || sum > 0);
            assert_true(o.status != ORDER_FILLED || sum == 8);
            ended |= c.ended;
        }
    }
}

static void exposure_equals_the_recomputed_sum_after_any_sequence(void **state) {
    (void)state;
    static struct blotter b;
    printf("seed %llu\n", (unsigned long long)seed);
    blotter_init(&b, 1);
    int64_t next = 1;
    for (int step = 0; step < 100000; step++) {
        struct event ev[2];
        if (rnd(3) == 0) {
            struct order_request q = request(next, 1 + (int64_t)rnd(9));
            q.side = (uint8_t)rnd(2);
            if (blotter_add(&b, &q, (price_t){200})) next++;
        } else if (rnd(8) == 0 && next > 1) {
            (void)blotter_cancel_sent(&b, 1 + (int64_t)rnd((uint64_t)next - 1), (ts_t){step});
        } else if (rnd(8) == 0 && next > 1) {
            (void)blotter_amend_sent(&b, next - (int64_t)rnd(60), (price_t){100},
                (qty_t){1 + (int64_t)rnd(20)}, (ts_t){step});
        } else if (rnd(50) == 0) {
            (void)blotter_expire(&b, (ts_t){step + 5000}, 1000);
        } else {
            int64_t id = next > 40 ? next - (int64_t)rnd(60) : 1 + (int64_t)rnd(40);
            say(ev, id, (uint8_t)(1 + rnd(REPORT_STATUS_COUNT - 1)), (int64_t)rnd(6),
                (int64_t)rnd(10));
            (void)blotter_report(&b, ev, NULL);
        }
        for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
            assert_int_equal(blotter_exposure(&b, side).lots, blotter_exposure_slow(&b, side).lots);
        }
    }
    assert_true(b.counters.fills > 100);
    assert_true(b.counters.illegal > 100);
    assert_true(b.counters.unknown > 10);
    assert_true(b.counters.amends_sent > 100);
    assert_true(b.counters.modified > 100);
}

static void a_fill_of_the_larger_order_may_come_before_the_amends_answer(void **state) {
    (void)state;
    struct order o = sent(10);
    (void)tell(&o, REPORT_ACK, 0, 0);
    assert_true(order_amend(&o, (price_t){101}, (qty_t){25}, (ts_t){5}).legal);
    assert_int_equal(o.status, ORDER_AMEND_SENT);
    assert_false(order_amend(&o, (price_t){101}, (qty_t){30}, (ts_t){6}).legal);
    assert_int_equal(order_leaves(&o).lots, 25);
    assert_int_equal(tell(&o, REPORT_FILL, 4, 4).fill.lots, 4);
    assert_int_equal(o.status, ORDER_AMEND_SENT);
    assert_int_equal(tell(&o, REPORT_FILL, 8, 12).fill.lots, 8); /* beyond the old quantity */
    assert_int_equal(o.filled.lots, 12);
    assert_false(tell(&o, REPORT_FILL, 20, 32).legal); /* beyond both */
}

static void an_amend_meets_every_end_of_an_order(void **state) {
    (void)state;
    static const struct {
        uint8_t status, want;
    } say_want[] = {{REPORT_MODIFIED, ORDER_WORKING}, {REPORT_MODIFY_REJECTED, ORDER_WORKING},
        {REPORT_CANCELED, ORDER_CANCELED}, {REPORT_EXPIRED, ORDER_EXPIRED},
        {REPORT_ACK, ORDER_AMEND_SENT}, {REPORT_TRIGGERED, ORDER_AMEND_SENT},
        {REPORT_CANCEL_REJECTED, ORDER_AMEND_SENT}};
    for (size_t i = 0; i < sizeof say_want / sizeof say_want[0]; i++) {
        struct order o = sent(10);
        (void)tell(&o, REPORT_ACK, 0, 0);
        (void)order_amend(&o, (price_t){101}, (qty_t){25}, (ts_t){5});
        assert_true(tell(&o, say_want[i].status, 0, 0).legal);
        assert_int_equal(o.status, say_want[i].want);
        bool answered = i < 2;
        assert_int_equal(o.amend_qty.lots, answered ? 0 : 25);
    }
    struct order o = sent(10);
    (void)tell(&o, REPORT_ACK, 0, 0);
    (void)order_amend(&o, (price_t){101}, (qty_t){25}, (ts_t){5});
    assert_true(order_step(&o, STEP_TIMEOUT, (ts_t){9}).needs_query);
    assert_int_equal(order_leaves(&o).lots, 25); /* in full, whichever it is */
    assert_true(tell(&o, REPORT_ACK, 0, 0).legal);
    assert_int_equal(o.status, ORDER_WORKING);
    assert_int_equal(order_leaves(&o).lots, 10); /* the answer says 10: it was never amended */
}

static void every_reason_has_its_own_word_and_stands_on_the_page_of_runs(void **state) {
    (void)state;
    static char page[1 << 16];
    FILE *f = fopen(FATHOM_ROOT "/docs/formats/run.md", "re");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = 0;
    fclose(f);
    for (int a = WHY_NONE + 1; a < WHY_COUNT; a++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", report_why_name(a));
        if (!strstr(page, quoted)) printf("docs/formats/run.md does not explain %s\n", quoted);
        assert_non_null(strstr(page, quoted));
        for (int b = WHY_NONE; b < a; b++) {
            assert_string_not_equal(report_why_name(a), report_why_name(b));
        }
    }
    assert_string_equal(report_why_name(WHY_COUNT), "invalid");
}

static void an_order_that_is_not_ours_is_counted_as_external(void **state) {
    (void)state;
    static struct blotter b;
    struct event ev[2];
    blotter_init(&b, 1);
    say(ev, 77, REPORT_FILL, 1, 1);
    assert_false(blotter_report(&b, ev, NULL).legal);
    assert_int_equal(b.counters.external, 1);
}

static void a_report_survives_its_two_slots(void **state) {
    (void)state;
    struct report r = {.order_id = 9,
        .ts_venue = {1},
        .ts_local = {2},
        .px = {3},
        .last_px = {4},
        .qty = {5},
        .last_qty = {6},
        .filled = {7},
        .fee_e12 = -8,
        .queue_placed = 10,
        .queue_before = 11,
        .inst = 12,
        .side = SIDE_SELL,
        .status = REPORT_FILL,
        .why = WHY_TICK,
        .maker = 1};
    struct event ev[2];
    struct report back;
    memset(&back, 0, sizeof back);
    report_encode(&r, ev);
    assert_int_equal(event_slots(ev[0].kind), 2);
    report_decode(ev, &back);
    assert_int_equal(back.order_id, 9);
    assert_int_equal(back.fee_e12, -8);
    assert_int_equal(back.filled.lots, 7);
    assert_int_equal(back.side, SIDE_SELL);
    assert_int_equal(back.queue_before, 11);
    assert_int_equal(back.maker, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_lives_from_new_through_partial_to_filled),
        cmocka_unit_test(a_timeout_makes_an_order_unknown_and_never_failed),
        cmocka_unit_test(an_unknown_order_is_resolved_by_a_query_that_does_not_find_it),
        cmocka_unit_test(a_cancel_reject_of_an_unknown_order_asks_instead_of_assuming),
        cmocka_unit_test(fills_count_once_in_whatever_order_they_come),
        cmocka_unit_test(a_fill_that_arrives_after_the_cancel_still_counts),
        cmocka_unit_test(a_report_that_contradicts_the_order_changes_nothing),
        cmocka_unit_test(any_sequence_of_events_keeps_the_laws),
        cmocka_unit_test(exposure_equals_the_recomputed_sum_after_any_sequence),
        cmocka_unit_test(a_fill_of_the_larger_order_may_come_before_the_amends_answer),
        cmocka_unit_test(an_amend_meets_every_end_of_an_order),
        cmocka_unit_test(every_reason_has_its_own_word_and_stands_on_the_page_of_runs),
        cmocka_unit_test(an_order_that_is_not_ours_is_counted_as_external),
        cmocka_unit_test(a_report_survives_its_two_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
