#include "execute/intent/intent.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct instrument inst = {.px_mant = 1,
    .qty_mant = 1,
    .tick_units = 1,
    .lot_units = 5,
    .contract_e8 = 100000000,
    .venue = VENUE_OTHER};

static struct intent_config config(void) {
    return (struct intent_config){.confidence_min = 0.55,
        .edge_full_bps = 10,
        .move_bps = 100,
        .missing_max = 0.1,
        .taker_bps = 2,
        .position_max = 1000,
        .bars = true};
}

static struct prediction binary(double up) { return (struct prediction){.classes = 1, .p = {up}}; }

static struct decision decide(
    const struct intent_config *c, const struct prediction *p, struct intent_counters *n) {
    struct bucket b = {.id = 7};
    struct intent_input in = {
        .now = {5}, .p = p, .b = &b, .features = 20, .inst = &inst, .position = 3};
    return intent_decide(c, &in, n);
}

static void size_is_linear_in_the_edge_after_cost_and_capped(void **state) {
    (void)state;
    struct intent_config c = config();
    struct intent_counters n = {0};
    /* edge = |2 p - 1| x 100 - 4 bps */
    const struct {
        double up;
        int64_t want;
    } cases[] = {{0.58, 1000}, {0.66, 1000}, {0.42, -1000}};
    for (size_t i = 0; i < 3; i++) {
        struct prediction p = binary(cases[i].up);
        struct decision d = decide(&c, &p, &n);
        assert_int_equal(d.reason, INTENT_OK);
        assert_int_equal(d.wanted, cases[i].want);
        assert_int_equal(d.before, 3);
        assert_int_equal(d.bucket_id, 7);
    }
    c.edge_full_bps = 40;
    struct prediction p = binary(0.62); /* 24 - 4 = 20 of 40: half */
    struct decision d = decide(&c, &p, &n);
    assert_in_range(d.wanted, 495, 500);
    assert_int_equal(d.wanted % inst.lot_units, 0);
    assert_int_equal(n.decisions, 4);
    assert_int_equal(n.reason[INTENT_OK], 4);
}

static void more_edge_never_wants_less(void **state) {
    (void)state;
    struct intent_config c = config();
    struct intent_counters n = {0};
    c.edge_full_bps = 60;
    int64_t last = 0;
    for (double up = 0.5; up <= 1.0; up += 0.001) {
        struct prediction p = binary(up), mirror = binary(1.0 - up);
        int64_t wanted = decide(&c, &p, &n).wanted;
        assert_true(wanted >= last);
        int64_t other = decide(&c, &mirror, &n).wanted;
        assert_true(llabs(wanted + other) <= inst.lot_units); /* symmetric but for rounding */
        last = wanted;
    }
    assert_int_equal(last, 1000);
}

static void each_gate_refuses_with_its_own_reason(void **state) {
    (void)state;
    struct intent_config c = config();
    struct intent_counters n = {0};
    struct prediction p = binary(0.54);
    assert_int_equal(decide(&c, NULL, &n).reason, INTENT_NO_PREDICTION);
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_CONFIDENCE);
    p = binary(NAN);
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_NOT_FINITE);
    p = binary(INFINITY);
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_NOT_FINITE);
    p = binary(-0.01);
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_NOT_FINITE);
    p = binary(0.9);
    p.missing = 3; /* of 20 */
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_MISSING);
    p.missing = 2;
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_OK);
    c.move_bps = 4;
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_EDGE);
    c.move_bps = NAN;
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_EDGE);
    assert_int_equal(n.reason[INTENT_NOT_FINITE], 3);
    c = config();
    struct bucket gapped = {.id = 1, .gapped = 1};
    struct intent_input in = {.p = &p, .b = &gapped, .features = 20, .inst = &inst};
    struct decision d = intent_decide(&c, &in, &n);
    assert_int_equal(d.reason, INTENT_GAPPED);
    assert_int_equal(d.wanted, 0);
}

static void three_classes_trade_the_difference_of_up_and_down(void **state) {
    (void)state;
    struct intent_config c = config();
    struct intent_counters n = {0};
    struct prediction p = {.classes = 3, .p = {0.6, 0.3, 0.1}};
    struct decision d = decide(&c, &p, &n);
    assert_int_equal(d.reason, INTENT_OK);
    assert_int_equal(d.wanted, -1000);
    assert_true(fabs(d.edge_bps - 46.0) < 1e-9);
    p.classes = 2;
    assert_int_equal(decide(&c, &p, &n).reason, INTENT_NOT_FINITE);
}

static void the_book_gates_see_state_age_and_spread(void **state) {
    (void)state;
    struct intent_config c = config();
    c.bars = false;
    c.stale_ns = 1000;
    struct intent_counters n = {0};
    struct book_limits limits = {.levels_max = 64, .pending_max = 64};
    void *mem = aligned_alloc(64, (book_mem_size(&limits) + 63) & ~(size_t)63);
    struct book *book = book_init(mem, &limits, VENUE_OTHER);
    struct prediction p = binary(0.9);
    struct bucket b = {.id = 1};
    struct intent_input in = {
        .now = {100}, .p = &p, .b = &b, .features = 20, .book = book, .inst = &inst};
    assert_int_equal(intent_decide(&c, &in, &n).reason, INTENT_BOOK_STATE);
    struct book_change change;
    struct event ev[2] = {{.ts_local = {100},
                              .px = {9990},
                              .qty = {1},
                              .id = 1,
                              .kind = EV_DEPTH,
                              .flags = EVF_BUY | EVF_SNAPSHOT | EVF_FIRST},
        {.ts_local = {100},
            .px = {10010},
            .qty = {1},
            .id = 1,
            .kind = EV_DEPTH,
            .flags = (uint8_t)(EVF_SELL | EVF_SNAPSHOT | EVF_LAST)}};
    for (int i = 0; i < 2; i++) book_apply(book, &ev[i], &change);
    struct decision d = intent_decide(&c, &in, &n);
    assert_int_equal(d.reason, INTENT_OK);
    assert_true(fabs(d.cost_bps - 24.0) < 1e-9); /* two takers of 2 bps and the spread of 20 */
    in.now.ns = 1101;
    assert_int_equal(intent_decide(&c, &in, &n).reason, INTENT_STALE);
    free(mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_linear_in_the_edge_after_cost_and_capped),
        cmocka_unit_test(more_edge_never_wants_less),
        cmocka_unit_test(each_gate_refuses_with_its_own_reason),
        cmocka_unit_test(three_classes_trade_the_difference_of_up_and_down),
        cmocka_unit_test(the_book_gates_see_state_age_and_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
