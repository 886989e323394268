#include "execute/sim/latency.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "execute/sim/clock_map.h"
#include "execute/sim/sim_testing.h"

#define MS(x) ((int64_t)(x)*NS_PER_MS)
static const int64_t day = 1700000000 * NS_PER_S;

/* Four orders a second apart; the third was rejected after 200 ms. */
static struct latency_row rows[4], good[3];
static struct latency_config recorded(bool defects) {
    static const int64_t there[4] = {2, 4, 0, 3}, back[4] = {5, 6, 0, 7};
    for (int i = 0; i < 4; i++) {
        int64_t req = day + i * NS_PER_S, venue = there[i] ? req + MS(there[i]) : 0;
        rows[i] = (struct latency_row){req, venue, there[i] ? venue + MS(back[i]) : req + MS(200)};
    }
    good[0] = rows[0], good[1] = rows[1], good[2] = rows[3];
    return (struct latency_config){.kind = LATENCY_RECORDED,
        .defects = defects,
        .factor = {1, 1, 1, 1, 1},
        .rows = rows,
        .n_rows = 4,
        .by_req = good,
        .by_venue = good,
        .n_good = 3};
}

static int64_t back_at(const struct latency_config *c, int64_t ts) {
    struct latency_cursor at = {0};
    int64_t ns = -1;
    assert_true(latency_response(c, &at, LEG_ACK, 0, ts, &ns));
    return ns;
}

static struct latency_answer there_at(const struct latency_config *c, int64_t ts) {
    struct latency_cursor at = {0};
    return latency_entry(c, &at, LEG_NEW, 0, ts);
}

static void recorded_stamps_are_interpolated_and_held_outside(void **state) {
    (void)state;
    for (int defects = 0; defects < 2; defects++) {
        struct latency_config c = recorded(defects);
        assert_int_equal(there_at(&c, day - 5).ns, MS(2));
        assert_int_equal(there_at(&c, day).ns, MS(2));
        assert_int_equal(there_at(&c, day + NS_PER_S / 2).ns, MS(3));
        assert_int_equal(there_at(&c, day + 9 * NS_PER_S).ns, MS(3));
        assert_int_equal(there_at(&c, day + NS_PER_S / 2).fate, FATE_ARRIVES);
        assert_int_equal(back_at(&c, rows[3].venue_ns + 1), MS(7));
        assert_int_equal(back_at(&c, rows[0].venue_ns), MS(5));
    }
}

static void a_rejected_row_rejects_until_the_next_row(void **state) {
    (void)state;
    struct latency_config c = recorded(false);
    struct latency_answer a = there_at(&c, day + 2 * NS_PER_S + MS(500));
    assert_int_equal(a.fate, FATE_REJECTED);
    assert_int_equal(a.ns, MS(200));
    a = there_at(&c, day + NS_PER_S + MS(500)); /* not known yet; between the accepted 4 and 3 ms */
    assert_int_equal(a.fate, FATE_ARRIVES);
    assert_int_equal(a.ns, MS(4) - MS(1) / 4);
    assert_int_equal(there_at(&c, day + 3 * NS_PER_S).fate, FATE_ARRIVES);
}

static void the_anchor_rejects_on_both_sides_of_a_rejected_row(void **state) {
    (void)state;
    struct latency_config c = recorded(true);
    struct latency_answer a = there_at(&c, day + NS_PER_S + MS(500));
    assert_int_equal(a.fate, FATE_REJECTED);
    assert_int_equal(a.ns, (MS(10) + MS(200)) / 2); /* between the round trips 10 and 200 ms */
    assert_int_equal(there_at(&c, day + 2 * NS_PER_S + MS(500)).fate, FATE_REJECTED);
}

static void a_rejected_row_poisons_the_anchors_answers_and_not_ours(void **state) {
    (void)state;
    struct latency_config ours = recorded(false), anchor = recorded(true);
    int64_t ts = rows[3].venue_ns - MS(1500); /* between the second and the last accepted row */
    assert_in_range(back_at(&ours, ts), MS(6), MS(7));
    /* A line from (0, 2 s + 200 ms since 1970) to (venue 4, 7 ms): it gains 1 ns each ns. */
    int64_t poisoned = back_at(&anchor, ts);
    assert_true(llabs(poisoned - (MS(1500) + MS(7))) < MS(1));
}

static void a_negative_answer_of_the_anchor_is_refused_as_it_asserts(void **state) {
    (void)state;
    struct latency_config c = recorded(true);
    rows[0].resp_ns = rows[0].venue_ns - MS(1);
    rows[1].resp_ns = rows[1].venue_ns - MS(1);
    struct latency_cursor at = {0};
    int64_t ns = 77;
    assert_false(latency_response(&c, &at, LEG_FILL, 0, rows[0].venue_ns + 5, &ns));
    assert_int_equal(ns, 77);
}

/* ---- draws ---- */

static struct latency_fit two_bands(void) {
    struct latency_fit f = {.bands = {2, 1}};
    for (int i = 0; i < LATENCY_POINTS; i++) {
        f.band[WAY_ENTRY][0].q_ns[i] = (int64_t)(latency_p[i] * 1e6); /* uniform 0 .. 1 ms */
        f.band[WAY_ENTRY][1].q_ns[i] = MS(10) + i;
        f.band[WAY_RESPONSE][0].q_ns[i] = MS(3);
    }
    f.band[WAY_ENTRY][0].rate_to = 100;
    f.band[WAY_ENTRY][1].rate_to = 200;
    return f;
}

static void draws_follow_the_table_of_the_message_rate(void **state) {
    (void)state;
    struct latency_fit f = two_bands();
    struct latency_config c = {
        .kind = LATENCY_FITTED, .fit = &f, .seed = 9, .factor = {1, 2, 1, 1, 1}};
    struct latency_cursor at = {0};
    int n = 20000, below = 0;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        int64_t ns = latency_entry(&c, &at, LEG_NEW, 100, 0).ns;
        below += ns < 250000;
        sum += (double)ns;
    }
    assert_true(fabs(sum / n - 5e5) < 5 * 2.9e5 / sqrt(n)); /* 5 deviations of a uniform's mean */
    assert_true(abs(below - n / 4) < 5 * 62);
    assert_in_range(latency_entry(&c, &at, LEG_NEW, 100.5, 0).ns, MS(10), MS(10) + 18);
    assert_in_range(latency_entry(&c, &at, LEG_NEW, 1e6, 0).ns, MS(10), MS(10) + 18);
    assert_in_range(latency_entry(&c, &at, LEG_CANCEL, 1e6, 0).ns, MS(20), MS(20) + 36);
}

static void a_draw_depends_on_seed_and_order_count_only(void **state) {
    (void)state;
    struct latency_fit f = two_bands();
    struct latency_config c = {
        .kind = LATENCY_FITTED, .fit = &f, .seed = 5, .factor = {1, 1, 1, 1, 1}};
    struct latency_cursor a = {0}, b = {0};
    int64_t first[16], ns;
    for (int i = 0; i < 16; i++) first[i] = latency_entry(&c, &a, LEG_NEW, 1, 0).ns;
    for (int i = 0; i < 16; i++) {
        /* answers in between, another kind of request, another time: the same draws */
        assert_true(latency_response(&c, &b, LEG_FILL, 1, i, &ns));
        assert_int_equal(latency_entry(&c, &b, LEG_CANCEL, 2, i * 77).ns, first[i]);
    }
    c.seed = 6;
    b = (struct latency_cursor){0};
    int same = 0;
    for (int i = 0; i < 16; i++) same += latency_entry(&c, &b, LEG_NEW, 1, 0).ns == first[i];
    assert_true(same < 2);
}

static void rejects_and_losses_come_at_their_rates(void **state) {
    (void)state;
    struct latency_config c = {.kind = LATENCY_CONSTANT,
        .constant_ns = {10, 20, 30, 40, 50},
        .reject_rate = 0.2,
        .lost_rate = 0.1,
        .seed = 3};
    struct latency_cursor at = {0};
    int n = 20000, fate[3] = {0};
    for (int i = 0; i < n; i++) {
        struct latency_answer a = latency_entry(&c, &at, LEG_CANCEL, 0, 0);
        fate[a.fate]++;
        if (a.fate == FATE_ARRIVES) assert_int_equal(a.ns, 20);
        if (a.fate == FATE_REJECTED) assert_int_equal(a.ns, 60);
    }
    assert_true(abs(fate[FATE_LOST] - n / 10) < 5 * 43);
    assert_true(abs(fate[FATE_REJECTED] - n * 18 / 100) < 5 * 55);
}

static void the_rate_counts_the_messages_of_the_last_second(void **state) {
    (void)state;
    struct latency_rate r = {0};
    for (int i = 0; i < 50; i++) latency_rate_see(&r, day + i * MS(20));
    assert_true(latency_rate_at(&r, day + MS(980)) == 50);
    assert_true(latency_rate_at(&r, day + MS(1480)) == 25);
    assert_true(latency_rate_at(&r, day + MS(5000)) == 0);
    latency_rate_see(&r, day + MS(60000));
    assert_true(latency_rate_at(&r, day + MS(60000)) == 1);
    latency_rate_see(&r, day + MS(59000)); /* late: counted now */
    assert_true(latency_rate_at(&r, day + MS(60000)) == 2);
}

/* ---- clock ---- */

static void a_drifting_clock_is_followed_from_below(void **state) {
    (void)state;
    struct clock_map *m = malloc(sizeof *m);
    uint64_t seed = 11;
    clock_map_init(m, 10 * NS_PER_S);
    for (int64_t t = 0; t < 600; t++) {
        for (int k = 0; k < 50; k++) { /* -1.27 s, drift 20 ppm, noise of 0 .. 30 ms */
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int64_t venue = day + t * NS_PER_S + k * MS(20);
            int64_t noise = (int64_t)((seed >> 33) % 30000000) * (k % 3 != 0);
            clock_map_see(m, venue, venue - MS(1270) + t * 20000 + noise);
        }
    }
    assert_true(fabs(clock_map_drift_ppm(m) - 20) < 1);
    for (int64_t t = 5; t < 590; t += 13) {
        int64_t venue = day + t * NS_PER_S, truth = -MS(1270) + t * 20000;
        assert_true(llabs(clock_map_offset(m, venue) - truth) < 250000);
        int64_t axis = venue + clock_map_offset(m, venue);
        assert_true(llabs(clock_map_venue(m, axis) - venue) <= 1);
    }
    assert_true(m->n == 60);
    free(m);
}

static void windows_double_when_they_are_used_up_and_time_may_run_back(void **state) {
    (void)state;
    struct clock_map *m = malloc(sizeof *m);
    clock_map_init(m, NS_PER_S);
    int64_t n = 3 * CLOCK_KNOTS_MAX;
    for (int64_t i = 0; i < n; i++) {
        int64_t t = (i * 7919) % n; /* every second once, in disorder */
        clock_map_see(m, day + t * NS_PER_S, day + t * NS_PER_S + 1000 + t % 3);
    }
    assert_true(m->n <= CLOCK_KNOTS_MAX && m->n > CLOCK_KNOTS_MAX / 4);
    for (size_t i = 1; i < m->n; i++) assert_true(m->knot[i].venue_ns > m->knot[i - 1].venue_ns);
    assert_true(clock_map_range(m) <= 2);
    free(m);
}

/* ---- in the world ---- */

static void one_order(struct script_world *w, int64_t id, int64_t sent_ns, uint8_t kind) {
    struct order_port port = world_port(w->world, 0);
    struct order_request q = {
        .id = id, .px = {100}, .qty = {1}, .ts_sent = {sent_ns}, .kind = kind, .tif = TIF_GTC};
    assert_true(port.send(port.ctx, &q));
}

static struct script quiet_market(void) {
    static const struct script_level book[] = {{EVF_BUY, 100, 5}, {EVF_SELL, 101, 5}};
    struct script s = {0};
    script_message(&s, 1000, EVF_SNAPSHOT, book, 2);
    script_print(&s, 20000, EVF_SELL, 99, 9);
    script_print(&s, 90000, EVF_SELL, 90, 9);
    return s;
}

static void each_leg_has_its_own_latency_in_the_world(void **state) {
    (void)state;
    struct latency_config l = {.constant_ns = {MS(1), MS(2), MS(3), MS(4), MS(6)}};
    struct world_config cfg = {.latency = &l};
    struct script s = quiet_market();
    struct script_world *w = script_open(&s, &cfg);
    one_order(w, 1, MS(11), REQUEST_NEW);
    one_order(w, 9, MS(30), REQUEST_CANCEL);
    static const int64_t when[] = {11 + 1 + 4, 20 + 6, 30 + 2 + 4};
    const struct event *ev;
    uint32_t seat;
    size_t n = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT) continue;
        assert_true(n < 3);
        assert_int_equal(ev->ts_local.ns, MS(when[n++]));
    }
    assert_int_equal(n, 3);
    script_close(w);
}

static void a_refused_request_is_told_and_a_lost_one_is_silent(void **state) {
    (void)state;
    struct latency_config l = {.constant_ns = {MS(1), MS(1), MS(1), MS(1), MS(1)}};
    struct script s = quiet_market();
    for (int lost = 0; lost < 2; lost++) {
        l.reject_rate = lost ? 0 : 1;
        l.lost_rate = lost ? 1 : 0;
        struct world_config cfg = {.latency = &l};
        struct script_world *w = script_open(&s, &cfg);
        one_order(w, 1, MS(11), REQUEST_NEW);
        const struct event *ev;
        uint32_t seat;
        size_t n = 0;
        while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
            struct report r;
            if (ev->kind != EV_ORDER_REPORT) continue;
            report_decode(ev, &r);
            assert_int_equal(r.status, REPORT_REJECTED);
            assert_int_equal(r.why, WHY_WIRE);
            assert_int_equal(r.ts_venue.ns, TS_NONE_NS);
            assert_int_equal(r.ts_local.ns, MS(13));
            n++;
        }
        assert_int_equal(n, !lost);
        assert_int_equal(world_wire(w->world, 0)->lost, lost);
        assert_int_equal(world_wire(w->world, 0)->rejected, !lost);
        script_close(w);
    }
}

/* The buses are first in, first out whatever is drawn. */
static void drawn_latencies_never_reorder_a_bus(void **state) {
    (void)state;
    struct latency_fit f = two_bands();
    struct latency_config l = {
        .kind = LATENCY_FITTED, .fit = &f, .seed = 4, .factor = {30, 1, 1, 1, 1}};
    struct world_config cfg = {.latency = &l};
    struct script s = quiet_market();
    struct script_world *w = script_open(&s, &cfg);
    for (int64_t id = 1; id <= 60; id++) one_order(w, id, MS(5) + id, REQUEST_NEW);
    const struct event *ev;
    uint32_t seat;
    int64_t id = 0, ts = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        struct report r;
        if (ev->kind != EV_ORDER_REPORT) continue;
        report_decode(ev, &r);
        if (r.status == REPORT_ACK) assert_int_equal(r.order_id, ++id);
        assert_true(r.ts_local.ns >= ts);
        ts = r.ts_local.ns;
    }
    assert_int_equal(id, 60);
    script_close(w);
}

/* All reports of a seat; the other seats send something else in between. */
static size_t seat_reports(const struct script *s, const struct latency_config *l, uint32_t seats,
    uint32_t mine, int64_t *ts, size_t cap) {
    struct world_config cfg = {.latency = l, .seats = seats};
    struct script_world *w = script_open(s, &cfg);
    for (int64_t id = 1; id <= 40; id++) {
        for (uint32_t k = 0; k < seats; k++) {
            struct order_port port = world_port(w->world, k);
            struct order_request q = {.id = id,
                .px = {k == mine ? 95 : 90},
                .qty = {1},
                .ts_sent = {MS(2) + id * 300000},
                .kind = REQUEST_NEW,
                .tif = TIF_GTC};
            if (k == mine || id % 3 == 0) assert_true(port.send(port.ctx, &q));
        }
    }
    const struct event *ev;
    uint32_t seat;
    size_t n = 0;
    while (world_next(w->world, &ev, &seat) == WORLD_EVENT) {
        if (ev->kind != EV_ORDER_REPORT || seat != mine) continue;
        assert_true(n < cap);
        ts[n++] = ev->ts_local.ns;
    }
    script_close(w);
    return n;
}

static void a_seat_draws_what_it_draws_alone(void **state) {
    (void)state;
    struct latency_fit f = two_bands();
    struct latency_config l = {.kind = LATENCY_FITTED,
        .fit = &f,
        .seed = 8,
        .reject_rate = 0.1,
        .lost_rate = 0.1,
        .factor = {1, 1, 1, 1, 1}};
    struct script s = quiet_market();
    int64_t alone[200], among[200];
    size_t n = seat_reports(&s, &l, 1, 0, alone, 200);
    assert_true(n > 40);
    assert_int_equal(seat_reports(&s, &l, 5, 3, among, 200), n);
    assert_memory_equal(alone, among, n * sizeof alone[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_stamps_are_interpolated_and_held_outside),
        cmocka_unit_test(a_rejected_row_rejects_until_the_next_row),
        cmocka_unit_test(the_anchor_rejects_on_both_sides_of_a_rejected_row),
        cmocka_unit_test(a_rejected_row_poisons_the_anchors_answers_and_not_ours),
        cmocka_unit_test(a_negative_answer_of_the_anchor_is_refused_as_it_asserts),
        cmocka_unit_test(draws_follow_the_table_of_the_message_rate),
        cmocka_unit_test(a_draw_depends_on_seed_and_order_count_only),
        cmocka_unit_test(rejects_and_losses_come_at_their_rates),
        cmocka_unit_test(the_rate_counts_the_messages_of_the_last_second),
        cmocka_unit_test(a_drifting_clock_is_followed_from_below),
        cmocka_unit_test(windows_double_when_they_are_used_up_and_time_may_run_back),
        cmocka_unit_test(each_leg_has_its_own_latency_in_the_world),
        cmocka_unit_test(a_refused_request_is_told_and_a_lost_one_is_silent),
        cmocka_unit_test(drawn_latencies_never_reorder_a_bus),
        cmocka_unit_test(a_seat_draws_what_it_draws_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
