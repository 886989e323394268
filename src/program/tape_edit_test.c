/* Tapes with holes and spans of a tape: what is left is the recording, and the book comes back. */
#include "program/tape_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"

static const char *const shipped = FATHOM_ROOT "/examples/data/btcusdt-20240808.tape";
static char dir[64];

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/tape-edit-XXXXXX");
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state) {
    struct err_info e;
    (void)state;
    return file_remove_tree(dir, &e) == ERR_OK ? 0 : 1;
}

struct tape { /* all of a tape in memory, with the book's hash after each whole message */
    struct event *ev;
    size_t n;
    int64_t first, last;
};

static struct tape load(const char *path) {
    struct tape t = {0};
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    const struct event *slots;
    size_t n, cap = 0;
    assert_int_equal(tape_reader_open(&r, path, &opt, &e), ERR_OK);
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        while (t.n + n > cap) t.ev = realloc(t.ev, (cap = cap ? cap * 2 : 1 << 20) * sizeof *t.ev);
        assert_non_null(t.ev);
        memcpy(t.ev + t.n, slots, n * sizeof *slots);
        t.n += n;
    }
    tape_reader_close(r);
    assert_true(t.n > 0);
    t.first = t.ev[0].ts_local.ns;
    t.last = t.ev[t.n - 1].ts_local.ns;
    return t;
}

struct state {
    enum book_state state;
    uint64_t hash;
};

/* State of the book after every event up to `at` (included). */
static struct state book_at(const struct tape *t, int64_t at) {
    struct book_limits limits = {0};
    size_t size = book_mem_size(&limits);
    void *mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
    assert_non_null(mem);
    struct book *b = book_init(mem, &limits, VENUE_BINANCE_USDM);
    struct book_change c;
    for (size_t i = 0; i < t->n && t->ev[i].ts_local.ns <= at; i += event_slots(t->ev[i].kind))
        book_apply(b, &t->ev[i], &c);
    struct state s = {book_state(b), 0};
    if (s.state == BOOK_SYNCED) { /* levels only: the update id of a snapshot is the recorded one */
        for (int side = 0; side < 2; side++) {
            struct book_level l;
            for (bool more = book_best(b, side, &l); more; more = book_next(b, side, l.px, &l))
                s.hash = s.hash * 31 + (uint64_t)l.px.ticks * 1000003 + (uint64_t)l.qty.lots;
        }
    }
    free(mem);
    return s;
}

static void edit(const char *name, int64_t from, int64_t to, const struct tape_hole *hole, size_t n,
    struct tape *out, size_t *snapshots) {
    char path[128];
    struct err_info e;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    struct tape_edit t = {.from = shipped,
        .to = path,
        .inst = 0,
        .from_ns = from,
        .to_ns = to,
        .hole = hole,
        .holes = n};
    assert_int_equal(tape_edit(&t, snapshots, &e), ERR_OK);
    *out = load(path);
}

static void a_tape_without_holes_is_the_tape(void **state) {
    (void)state;
    struct tape a = load(shipped), b;
    size_t snapshots = 9;
    edit("whole", INT64_MIN, INT64_MAX, NULL, 0, &b, &snapshots);
    assert_int_equal(snapshots, 0);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.ev, b.ev, a.n * sizeof *a.ev);
    free(a.ev);
    free(b.ev);
}

static void a_span_opens_with_the_book_as_it_stood(void **state) {
    (void)state;
    struct tape a = load(shipped), b;
    int64_t from = a.first + 100 * NS_PER_S, to = from + 30 * NS_PER_S;
    size_t snapshots = 0;
    edit("span", from, to, NULL, 0, &b, &snapshots);
    assert_int_equal(snapshots, 1);
    assert_true(b.ev[0].flags & EVF_SNAPSHOT);
    assert_true(b.first >= from && b.last < to);
    for (int64_t at = from + NS_PER_S; at < to; at += 7 * NS_PER_S) {
        struct state x = book_at(&a, at), y = book_at(&b, at);
        assert_int_equal(y.state, BOOK_SYNCED);
        assert_true(x.hash == y.hash);
    }
    free(a.ev);
    free(b.ev);
}

static void trust_is_lost_in_a_hole_and_the_true_book_is_back_after_it(void **state) {
    (void)state;
    struct tape a = load(shipped), b;
    struct tape_hole hole[] = {{a.first + 40 * NS_PER_S, a.first + 45 * NS_PER_S, false},
        {a.first + 80 * NS_PER_S, a.first + 81 * NS_PER_S, true},
        {a.first + 200 * NS_PER_S, a.first + 260 * NS_PER_S, false}};
    size_t snapshots = 0, inside = 0, messages = 0;
    edit("holes", INT64_MIN, INT64_MAX, hole, 3, &b, &snapshots);
    assert_int_equal(snapshots, 3);
    for (size_t i = 0; i < b.n; i += event_slots(b.ev[i].kind)) {
        int64_t t = b.ev[i].ts_local.ns;
        for (int k = 0; k < 3; k += 2) {
            if (t < hole[k].from_ns + NS_PER_S / 2 || t >= hole[k].to_ns) continue;
            inside++;
        }
        for (int k = 0; k < 3; k += 2) {
            if (t < hole[k].from_ns || t >= hole[k].to_ns) continue;
            messages += b.ev[i].flags & EVF_LAST && b.ev[i].kind == EV_DEPTH;
        }
    }
    assert_int_equal(inside, 0);   /* silence is silent */
    assert_int_equal(messages, 2); /* but for the message that tells of each */
    for (int64_t at = a.first + 10 * NS_PER_S; at < a.last; at += 1300 * NS_PER_MS) {
        struct state x = book_at(&a, at), y = book_at(&b, at);
        bool lost = false, edge = false;
        for (int k = 0; k < 3; k++) {
            lost |= at >= hole[k].from_ns && at < hole[k].to_ns;
            edge |= (at > hole[k].from_ns - NS_PER_S / 4 && at < hole[k].from_ns + NS_PER_S / 4) ||
                    (at > hole[k].to_ns - NS_PER_S / 4 && at < hole[k].to_ns + NS_PER_S / 4);
        }
        if (edge) continue;
        assert_int_equal(y.state, lost ? BOOK_GAP : BOOK_SYNCED);
        if (!lost) assert_true(x.hash == y.hash);
    }
    free(a.ev);
    free(b.ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tape_without_holes_is_the_tape),
        cmocka_unit_test(a_span_opens_with_the_book_as_it_stood),
        cmocka_unit_test(trust_is_lost_in_a_hole_and_the_true_book_is_back_after_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
