/* What a lane sees is the tape without the others' events, whoever pulls when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tape/tape.h"
#include "program/fanout.h"

enum { KINDS = 5, EVENTS = 20000 };

static uint64_t seed = 20260809;

static uint64_t rnd(uint64_t n) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static char dir[] = "/tmp/fanout-test-XXXXXX";

static struct instrument instrument(size_t i) {
    struct instrument in = {.px_mant = 1,
        .qty_mant = 1,
        .tick_units = 1,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = VENUE_BINANCE_USDM,
        .px_exp = 1,
        .qty_exp = 3};
    snprintf(in.symbol, sizeof in.symbol, "C%zuUSDT", i);
    return in;
}

/* A tape of `n` instruments; instrument 1 is silent but for its first and last event. */
static void write_tape(const char *path, size_t first, size_t n, size_t events) {
    struct tape_writer *w;
    struct tape_writer_options opt = {.force = true};
    struct err_info e;
    uint16_t id[KINDS];
    assert_int_equal(tape_writer_open(&w, path, &opt, NULL, &e), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        struct instrument in = instrument(first + i);
        assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
        id[i] = in.id;
    }
    int64_t ts = NS_PER_S;
    for (size_t k = 0; k < events; k++) {
        struct event ev[2];
        memset(ev, 0, sizeof ev);
        size_t i = rnd(n);
        if (n > 1 && i == 1 && k > 50 && k + 50 < events) i = 0;
        ts += (int64_t)rnd(3);
        ev[0] = (struct event){.ts_venue = {ts - 5},
            .ts_local = {ts},
            .px = {100},
            .qty = {1},
            .id = (int64_t)k,
            .inst = id[i],
            .kind = rnd(4) ? EV_TRADE : EV_MARK,
            .flags = EVF_BUY | EVF_FIRST | EVF_LAST};
        if (ev[0].kind == EV_MARK) ((struct event_cont *)(void *)&ev[1])->w[0] = (int64_t)k;
        assert_int_equal(tape_writer_append(w, ev, event_slots(ev[0].kind), &e), ERR_OK);
    }
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
}

/* The naive model: the whole tape in memory, filtered by hand. */
struct copy {
    struct event *ev;
    size_t n;
};

static struct copy filtered(const char *const *tapes, size_t n, uint16_t a, uint16_t b) {
    struct tape_reader *r;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t count;
    struct copy c = {calloc(2 * EVENTS * n, sizeof *c.ev), 0};
    err_t code = n == 1 ? tape_reader_open(&r, tapes[0], &opt, &e)
                        : tape_reader_open_merged(&r, tapes, n, &opt, &e);
    assert_int_equal(code, ERR_OK);
    while (tape_reader_next(r, &slots, &count, &e) == ERR_OK) {
        for (size_t i = 0; i < count; i += event_slots(slots[i].kind)) {
            if (slots[i].inst != a && slots[i].inst != b) continue;
            memcpy(&c.ev[c.n], &slots[i], event_slots(slots[i].kind) * sizeof *slots);
            c.n += event_slots(slots[i].kind);
        }
    }
    tape_reader_close(r);
    return c;
}

static size_t compare(const struct event *got, const struct copy *want, size_t at) {
    if (!got) {
        assert_int_equal(at, want->n);
        return at;
    }
    assert_true(at < want->n);
    size_t slots = event_slots(want->ev[at].kind);
    assert_memory_equal(got, &want->ev[at], slots * sizeof *got);
    return at + slots;
}

/* Random pulls on every cursor until all have ended. */
static void pull_all(const char *const *tapes, size_t n, size_t limit, size_t *apart) {
    struct fanout *f;
    struct err_info e;
    struct fanout_lane *lane[2 * KINDS];
    struct copy want[2 * KINDS];
    size_t at[4 * KINDS] = {0}, count;
    bool ended[4 * KINDS] = {false};
    assert_int_equal(fanout_open(&f, tapes, n, limit, &e), ERR_OK);
    (void)fanout_instruments(f, &count);
    for (uint16_t i = 0; i < count; i++) {
        lane[i] = fanout_lane(f, i, i);
        want[i] = filtered(tapes, n, i, i);
        assert_true(want[i].n > 0);
    }
    for (size_t open = 2 * count; open > 0;) {
        size_t k = rnd(2 * count), i = k / 2;
        for (size_t run = rnd(k % 2 ? 400 : 200); run > 0 && !ended[k]; run--) {
            if (k % 2 == 0 && at[k] >= at[k + 1] && !ended[k + 1]) break; /* venue runs ahead */
            const struct event *ev = k % 2 ? fanout_venue(lane[i]) : fanout_local(lane[i]);
            at[k] = compare(ev, &want[i], at[k]);
            ended[k] = !ev;
            open -= ended[k];
        }
    }
    assert_int_equal(fanout_failed(f, &e), ERR_OK);
    *apart = fanout_apart(f);
    for (size_t i = 0; i < count; i++) free(want[i].ev);
    fanout_close(f);
}

static void each_lane_gets_its_own_events_in_tape_order(void **state) {
    (void)state;
    char path[64];
    size_t apart;
    snprintf(path, sizeof path, "%s/one", dir);
    const char *tape = path;
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t n = 1; n <= KINDS; n++) {
        write_tape(path, 0, n, EVENTS);
        pull_all(&tape, 1, 0, &apart);
        assert_int_equal(apart, 0);
    }
}

static void a_lane_too_sparse_to_share_reads_for_itself_and_sees_the_same(void **state) {
    (void)state;
    char a[64], b[64];
    size_t apart;
    snprintf(a, sizeof a, "%s/one", dir);
    snprintf(b, sizeof b, "%s/two", dir);
    const char *tapes[2] = {a, b};
    write_tape(a, 0, 3, EVENTS);
    write_tape(b, 3, 2, EVENTS);
    pull_all(tapes, 1, 300 << 10, &apart);
    assert_true(apart > 0);
    pull_all(tapes, 2, 300 << 10, &apart);
    assert_true(apart > 0);
}

static void separate_tapes_are_one_in_order_of_receipt(void **state) {
    (void)state;
    char a[64], b[64];
    size_t apart;
    snprintf(a, sizeof a, "%s/one", dir);
    snprintf(b, sizeof b, "%s/two", dir);
    const char *tapes[2] = {a, b};
    write_tape(a, 0, 2, EVENTS);
    write_tape(b, 2, 3, EVENTS / 2);
    pull_all(tapes, 2, 0, &apart);
}

static void a_reference_is_seen_by_the_local_cursor_only(void **state) {
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/one", dir);
    const char *tape = path;
    struct fanout *f;
    struct err_info e;
    write_tape(path, 0, 3, EVENTS);
    assert_int_equal(fanout_open(&f, &tape, 1, 0, &e), ERR_OK);
    struct fanout_lane *l = fanout_lane(f, 2, 2);
    assert_true(fanout_also(l, 0, 0));
    struct copy own = filtered(&tape, 1, 2, 2), both = filtered(&tape, 1, 0, 2);
    size_t at = 0, local_at = 0;
    for (const struct event *ev = own.ev; ev;) {
        ev = fanout_venue(l);
        at = compare(ev, &own, at);
    }
    for (const struct event *ev = own.ev; ev;) {
        ev = fanout_local(l);
        local_at = compare(ev, &both, local_at);
    }
    assert_true(at < local_at);
    free(own.ev);
    free(both.ev);
    fanout_close(f);
}

static void memory_does_not_grow_when_a_lane_has_ended(void **state) {
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/one", dir);
    const char *tape = path;
    struct fanout *f;
    struct err_info e;
    write_tape(path, 0, 2, EVENTS);
    assert_int_equal(fanout_open(&f, &tape, 1, 0, &e), ERR_OK);
    struct fanout_lane *l = fanout_lane(f, 0, 0);
    while (fanout_venue(l)) (void)fanout_local(l);
    assert_true(fanout_peak(f) < (size_t)1 << 20);
    fanout_close(f);
}

static int make_dir(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    return system(cmd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_lane_gets_its_own_events_in_tape_order),
        cmocka_unit_test(a_lane_too_sparse_to_share_reads_for_itself_and_sees_the_same),
        cmocka_unit_test(separate_tapes_are_one_in_order_of_receipt),
        cmocka_unit_test(a_reference_is_seen_by_the_local_cursor_only),
        cmocka_unit_test(memory_does_not_grow_when_a_lane_has_ended),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
