/* tape_testing.h: made-up events and checks shared by the tests of the tape (tests only).
 *
 * Functions are static inline so that this header needs no source file in the library. Include it
 * behind <cmocka.h>.
 */
#ifndef FATHOM_CAPTURE_TAPE_TAPE_TESTING_H
#define FATHOM_CAPTURE_TAPE_TAPE_TESTING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/tape/tape_internal.h"

enum { TESTING_ROWS = 3 };

struct testing_events {
    uint64_t seed;
    struct event *slot;
    size_t slots, events;
};

/* splitmix64 of the argument: the n-th number of a stream is testing_random(seed + n). */
static inline uint64_t testing_random(uint64_t x) {
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static inline struct instrument testing_instrument(size_t i) {
    struct instrument in = {.px_mant = 1, .qty_mant = 1, .tick_units = 1, .lot_units = 1};
    snprintf(in.symbol, sizeof in.symbol, "COIN%zuUSDT", i);
    snprintf(in.base, sizeof in.base, "COIN%zu", i % 10000);
    snprintf(in.quote, sizeof in.quote, "USDT");
    snprintf(in.settle, sizeof in.settle, "USDT");
    in.contract_e8 = 100000000;
    in.venue = VENUE_BINANCE_USDM;
    in.px_exp = 2;
    in.qty_exp = 3;
    return in;
}

/* Small numbers mostly, any 64 bits sometimes: both what markets send and what no one should. */
static inline int64_t testing_number(uint64_t r) {
    uint64_t v = testing_random(r ^ 0xABCDEF);
    switch (r % 8) {
    case 0: return (int64_t)v;
    case 1: return -(int64_t)(v % 1000);
    case 2: return INT64_MIN;
    case 3: return 0;
    default: return (int64_t)(v % 100000);
    }
}

static inline void testing_event(struct event *to, uint64_t r, int64_t *ts, uint8_t kind) {
    *ts += (int64_t)(testing_random(r) % 4) * 1000; /* ties happen */
    *to = (struct event){.ts_local = {*ts}, .kind = kind, .flags = EVF_FIRST | EVF_LAST};
    to->ts_venue.ns = *ts - (int64_t)(testing_random(r + 1) % 7) * NS_PER_MS;
    to->px.ticks = testing_number(testing_random(r + 2));
    to->qty.lots = testing_number(testing_random(r + 3));
    to->id = testing_number(testing_random(r + 4));
    to->inst = (uint16_t)(testing_random(r + 5) % TESTING_ROWS);
    to->msg_us = (int32_t)testing_number(testing_random(r + 6));
    to->aux.a = testing_number(testing_random(r + 7));
    to->aux.b = testing_number(testing_random(r + 8));
    to->flags |= testing_random(r + 9) & 1 ? EVF_BUY : EVF_SELL;
    if (testing_random(r + 10) % 16 == 0) to->flags = (uint8_t)testing_random(r + 11);
    if (event_slots(kind) == 1) return;
    struct event_cont c;
    for (uint64_t i = 0; i < 8; i++) c.w[i] = testing_number(testing_random(r + 12 + i));
    memcpy(to + 1, &c, sizeof c);
}

/* A depth message: levels share all but price, quantity and side; bids come first. */
static inline size_t testing_depth(struct event *to, uint64_t r, int64_t *ts) {
    struct event head;
    size_t n = 1 + testing_random(r + 30) % 40, bids = testing_random(r + 31) % (n + 1);
    testing_event(&head, r, ts, EV_DEPTH);
    for (size_t i = 0; i < n; i++) {
        to[i] = head;
        to[i].flags = i < bids ? EVF_BUY : EVF_SELL;
        if (i == 0) to[i].flags |= EVF_FIRST;
        if (i + 1 == n) to[i].flags |= EVF_LAST;
        to[i].px.ticks = 6000000 + (int64_t)(testing_random(r + 40 + i) % 5000);
        to[i].qty.lots = (int64_t)(testing_random(r + 90 + i) % 3000);
    }
    return n;
}

static inline struct testing_events testing_make(uint64_t seed, size_t events) {
    struct testing_events ev = {.seed = seed};
    int64_t ts = INT64_C(1723161255000000000);
    ev.slot = malloc((2 * events + 64) * sizeof *ev.slot);
    assert_non_null(ev.slot);
    for (uint64_t k = 0; ev.events < events; k++) {
        uint64_t r = testing_random(seed * 1000003 + k);
        uint8_t kind = (uint8_t)(1 + r % (EV_KIND_COUNT - 1));
        if (r % 3 == 0 && ev.events + 41 < events) {
            size_t n = testing_depth(ev.slot + ev.slots, r, &ts);
            ev.slots += n;
            ev.events += n;
            continue;
        }
        testing_event(ev.slot + ev.slots, r, &ts, kind);
        ev.slots += event_slots(kind);
        ev.events++;
    }
    return ev;
}

static inline void testing_free(struct testing_events *ev) { free(ev->slot); }

/* Slots of whole events from `at`, at least one event, at most about `most` slots. */
static inline size_t testing_whole(const struct testing_events *ev, size_t at, size_t most) {
    size_t end = at;
    do end += event_slots(ev->slot[end].kind);
    while (end < ev->slots && end - at < most);
    return end - at;
}

static inline size_t testing_slot_of(const struct testing_events *ev, uint64_t event) {
    size_t at = 0;
    while (event-- > 0) at += event_slots(ev->slot[at].kind);
    return at;
}

static inline uint64_t testing_event_of(const struct testing_events *ev, size_t slot) {
    uint64_t n = 0;
    for (size_t at = 0; at < slot; at += event_slots(ev->slot[at].kind)) n++;
    return n;
}

static inline size_t testing_first_at(const struct testing_events *ev, ts_t t) {
    size_t at = 0;
    while (ev->slot[at].ts_local.ns < t.ns) at += event_slots(ev->slot[at].kind);
    return at;
}

/* In memory where the system has such a folder: a test makes thousands of syncs. */
static inline void testing_path(char path[64], const char *name) {
    const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, 64, "%s/fathom-tape-%d-%s", dir, (int)getpid(), name);
}

static inline void testing_remove(const char *path) {
    char name[TAPE_NAME_BYTES], file[1100];
    for (uint32_t i = 0; i < 10000; i++) {
        tape_segment_name(i, name);
        snprintf(file, sizeof file, "%.1000s/%s", path, name);
        if (unlink(file) != 0) break;
    }
    assert_int_equal(rmdir(path), 0);
}

static inline void testing_instruments(struct tape_writer *w) {
    struct err_info e;
    for (size_t i = 0; i < TESTING_ROWS; i++) {
        struct instrument in = testing_instrument(i);
        assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
        assert_int_equal(in.id, i);
    }
}

static inline struct tape_writer *testing_writer(
    const char *path, const struct tape_writer_options *opt) {
    struct err_info e;
    struct tape_writer *w;
    struct tape_writer_options small = *opt; /* memory file systems fill what is preallocated */
    if (small.segment_bytes == 0) small.segment_bytes = 256 << 10;
    if (tape_writer_open(&w, path, &small, NULL, &e) != ERR_OK) fail_msg("%s", e.text);
    testing_instruments(w);
    return w;
}

/* The tape holds exactly slots [from, to) of ev. */
static inline void testing_expect(
    const char *path, const struct testing_events *ev, size_t from, size_t to) {
    struct tape_reader *r;
    struct tape_reader_options opt = {.torn_ok = true};
    struct err_info e;
    const struct event *got;
    size_t n, at = from;
    err_t code;
    if (tape_reader_open(&r, path, &opt, &e) != ERR_OK) fail_msg("%s", e.text);
    while ((code = tape_reader_next(r, &got, &n, &e)) == ERR_OK) {
        assert_true(n > 0 && n <= TAPE_NEXT_SLOTS && at + n <= to);
        assert_memory_equal(got, ev->slot + at, n * sizeof *got);
        at += n;
    }
    if (code != ERR_END) fail_msg("%s", e.text);
    assert_int_equal(at, to);
    tape_reader_close(r);
}

static inline void testing_expect_valid(const char *path, uint64_t events) {
    struct tape_verdict v;
    struct err_info e;
    assert_int_equal(tape_verify(path, &v, &e), ERR_OK);
    if (v.damages)
        fail_msg("%s %llu: %s", v.damage[0].file, (unsigned long long)v.damage[0].offset,
            v.damage[0].reason);
    assert_true(v.valid);
    assert_int_equal(v.events, events);
    tape_verdict_fini(&v);
}

#endif
