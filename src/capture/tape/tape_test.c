/* Laws of the tape: what was appended comes back, whatever the way it was cut. */
#include "capture/tape/tape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tape/tape_testing.h"

static void write_all(
    const char *path, const struct tape_writer_options *opt, const struct testing_events *ev) {
    struct err_info e;
    struct tape_writer *w = testing_writer(path, opt);
    size_t at = 0;
    while (at < ev->slots) {
        size_t n = testing_whole(ev, at, 1 + testing_random(ev->seed + at) % 500);
        assert_int_equal(tape_writer_append(w, ev->slot + at, n, &e), ERR_OK);
        at += n;
    }
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
}

static void random_events_of_every_kind_come_back_bit_exact(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct testing_events ev = testing_make(seed, 9000);
        struct tape_writer_options opt = {.raw = seed % 2, .force = true, .segment_bytes = 200000};
        char path[64];
        testing_path(path, "roundtrip");
        write_all(path, &opt, &ev);
        testing_expect(path, &ev, 0, ev.slots);
        testing_expect_valid(path, ev.events);
        testing_remove(path);
        testing_free(&ev);
    }
}

static void hash_does_not_depend_on_blocks_segments_or_compression(void **state) {
    (void)state;
    struct testing_events ev = testing_make(7, 5000);
    uint64_t first = 0;
    for (int i = 0; i < 4; i++) {
        struct tape_writer_options opt = {
            .raw = i & 1, .force = true, .segment_bytes = i & 2 ? 40000 : 0};
        char path[64];
        uint64_t hash;
        struct err_info e;
        testing_path(path, "hash");
        write_all(path, &opt, &ev);
        assert_int_equal(tape_hash(path, &hash, &e), ERR_OK);
        if (i == 0) first = hash;
        assert_int_equal(hash, first);
        testing_remove(path);
    }
    ev.slot[100].px.ticks ^= 1;
    size_t rows = TESTING_ROWS;
    struct instrument table[TESTING_ROWS];
    for (size_t i = 0; i < rows; i++) table[i] = testing_instrument(i);
    assert_int_not_equal(tape_hash_events(0, ev.slot, ev.slots, table, rows), first);
    ev.slot[100].px.ticks ^= 1;
    assert_int_equal(tape_hash_events(0, ev.slot, ev.slots, table, rows), first);
    testing_free(&ev);
}

static void closed_tape_is_appended_to_and_stays_one_sequence(void **state) {
    (void)state;
    struct testing_events ev = testing_make(11, 6000);
    struct err_info e;
    char path[64];
    testing_path(path, "append");
    for (size_t at = 0; at < ev.slots;) {
        struct tape_writer_options opt = {.segment_bytes = 100000};
        struct tape_writer *w = testing_writer(path, &opt);
        size_t n = testing_whole(&ev, at, 1500);
        assert_int_equal(tape_writer_append(w, ev.slot + at, n, &e), ERR_OK);
        at += n;
        assert_int_equal(tape_writer_close(w, &e), ERR_OK);
        testing_expect(path, &ev, 0, at);
    }
    testing_expect_valid(path, ev.events);
    testing_remove(path);
    testing_free(&ev);
}

static void second_writer_is_refused(void **state) {
    (void)state;
    struct err_info e;
    char path[64];
    testing_path(path, "lock");
    struct tape_writer_options opt = {0};
    struct tape_writer *w = testing_writer(path, &opt), *second = NULL;
    assert_int_equal(tape_writer_open(&second, path, &opt, NULL, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "another process"));
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    w = testing_writer(path, &opt);
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    testing_remove(path);
}

static void seek_everywhere(bool raw) {
    struct testing_events ev = testing_make(5, 9000);
    struct err_info e;
    char path[64];
    testing_path(path, "seek");
    struct tape_writer_options opt = {.segment_bytes = 60000, .raw = raw};
    write_all(path, &opt, &ev);
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_OK);
    for (uint64_t k = 0; k < 200; k++) {
        const struct event *got;
        size_t n, at = testing_slot_of(&ev, testing_random(k) % ev.events);
        assert_int_equal(tape_reader_seek_event(r, testing_event_of(&ev, at), &e), ERR_OK);
        assert_int_equal(tape_reader_next(r, &got, &n, &e), ERR_OK);
        assert_memory_equal(got, ev.slot + at, sizeof *got);
        ts_t t = ev.slot[at].ts_local;
        assert_int_equal(tape_reader_seek(r, t, &e), ERR_OK);
        bool found = false;
        while (!found && tape_reader_next(r, &got, &n, &e) == ERR_OK) {
            for (size_t i = 0; i < n && !found; i += event_slots(got[i].kind)) {
                if (got[i].ts_local.ns >= t.ns) {
                    size_t first = testing_first_at(&ev, t);
                    assert_memory_equal(got + i, ev.slot + first, sizeof *got);
                    found = true;
                }
            }
        }
        assert_true(found);
    }
    ts_t never = {INT64_MAX};
    const struct event *got;
    size_t n;
    assert_int_equal(tape_reader_seek(r, never, &e), ERR_OK);
    assert_int_equal(tape_reader_next(r, &got, &n, &e), ERR_END);
    tape_reader_close(r);
    testing_remove(path);
    testing_free(&ev);
}

static void seek_by_time_and_by_number_finds_the_first_event(void **state) {
    (void)state;
    seek_everywhere(false);
    seek_everywhere(true);
}

static void merge_is_ordered_by_local_time_and_stable(void **state) {
    (void)state;
    struct testing_events ev[3];
    struct err_info e;
    char path[3][64];
    const char *paths[3];
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "merge%d", i);
        ev[i] = testing_make(20 + (uint64_t)i, 3000);
        testing_path(path[i], name);
        paths[i] = path[i];
        struct tape_writer_options opt = {.raw = i == 1};
        write_all(path[i], &opt, &ev[i]);
    }
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    const struct event *got;
    size_t n, at[3] = {0};
    assert_int_equal(tape_reader_open_merged(&r, paths, 3, &ropt, &e), ERR_OK);
    assert_int_equal(tape_reader_events(r), ev[0].events + ev[1].events + ev[2].events);
    bool inside = false;
    size_t from = 0;
    err_t code;
    while ((code = tape_reader_next(r, &got, &n, &e)) == ERR_OK) {
        for (size_t i = 0; i < n;) { /* the naive merge: message by message */
            if (!inside) {
                from = SIZE_MAX;
                for (size_t k = 0; k < 3; k++) {
                    if (at[k] == ev[k].slots) continue;
                    if (from == SIZE_MAX ||
                        ev[k].slot[at[k]].ts_local.ns < ev[from].slot[at[from]].ts_local.ns) {
                        from = k;
                    }
                }
            }
            size_t k = event_slots(got[i].kind);
            assert_memory_equal(got + i, ev[from].slot + at[from], k * sizeof *got);
            inside = !(got[i].flags & EVF_LAST) && at[from] + k < ev[from].slots;
            at[from] += k;
            i += k;
        }
    }
    assert_int_equal(code, ERR_END);
    for (int i = 0; i < 3; i++) assert_int_equal(at[i], ev[i].slots);
    tape_reader_close(r);
    for (int i = 0; i < 3; i++) testing_remove(path[i]), testing_free(&ev[i]);
}

static void merge_renumbers_instruments_and_keeps_the_hash(void **state) {
    (void)state;
    struct testing_events ev = testing_make(31, 2000);
    struct err_info e;
    char path[64], other[64];
    struct tape_writer_options opt = {0};
    testing_path(path, "number");
    testing_path(other, "numberother");
    write_all(path, &opt, &ev);
    struct tape_writer *w; /* the same instruments in reverse order, and no events */
    assert_int_equal(tape_writer_open(&w, other, &opt, NULL, &e), ERR_OK);
    for (size_t i = TESTING_ROWS; i-- > 0;) {
        struct instrument in = testing_instrument(i);
        assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
        assert_int_equal(in.id, TESTING_ROWS - 1 - i);
    }
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    const char *paths[2] = {other, path};
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    assert_int_equal(tape_reader_open_merged(&r, paths, 2, &ropt, &e), ERR_OK);
    const struct event *got;
    size_t n, rows;
    const struct instrument *table = tape_reader_instruments(r, &rows);
    assert_int_equal(rows, TESTING_ROWS);
    uint64_t hash = 0, want;
    size_t at = 0;
    while (tape_reader_next(r, &got, &n, &e) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(got[i].kind)) {
            assert_int_equal(got[i].inst, TESTING_ROWS - 1 - ev.slot[at + i].inst);
        }
        at += n;
        hash = tape_hash_events(hash, got, n, table, rows);
    }
    assert_int_equal(tape_hash(path, &want, &e), ERR_OK);
    assert_int_equal(hash, want);
    assert_int_equal(at, ev.slots);
    tape_reader_close(r);
    testing_remove(path);
    testing_remove(other);
    testing_free(&ev);
}

static void revision_of_order_rules_keeps_the_row_and_of_units_makes_one(void **state) {
    (void)state;
    struct err_info e;
    char path[64];
    testing_path(path, "revision");
    struct tape_writer_options opt = {0};
    struct tape_writer *w = testing_writer(path, &opt);
    struct instrument in = testing_instrument(1);
    assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
    assert_int_equal(in.id, 1);
    assert_int_equal(in.revision, 0);
    in.tick_units *= 2;
    assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
    assert_int_equal(in.id, 1);
    assert_int_equal(in.revision, 1);
    in.px_exp++;
    assert_int_equal(tape_writer_instrument(w, &in, &e), ERR_OK);
    assert_int_equal(in.id, TESTING_ROWS);
    assert_int_equal(in.revision, 2);
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_OK);
    size_t rows;
    const struct instrument *table = tape_reader_instruments(r, &rows);
    assert_int_equal(rows, TESTING_ROWS + 1);
    assert_int_equal(table[1].revision, 1);
    assert_memory_equal(&table[TESTING_ROWS], &in, sizeof in);
    tape_reader_close(r);
    testing_expect_valid(path, 0);
    testing_remove(path);
}

static void event_of_an_unknown_kind_or_instrument_is_refused(void **state) {
    (void)state;
    struct err_info e;
    char path[64];
    testing_path(path, "refuse");
    struct tape_writer_options opt = {0};
    struct tape_writer *w = testing_writer(path, &opt);
    struct event ev[2] = {{.kind = EV_TRADE, .inst = TESTING_ROWS}};
    assert_int_equal(tape_writer_append(w, ev, 1, &e), ERR_BUG);
    ev[0] = (struct event){.kind = EV_KIND_COUNT};
    assert_int_equal(tape_writer_append(w, ev, 1, &e), ERR_BUG);
    ev[0] = (struct event){.kind = EV_MARK};
    assert_int_equal(tape_writer_append(w, ev, 1, &e), ERR_BUG);
    assert_int_equal(tape_writer_events(w), 0);
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    testing_expect_valid(path, 0);
    testing_remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_events_of_every_kind_come_back_bit_exact),
        cmocka_unit_test(hash_does_not_depend_on_blocks_segments_or_compression),
        cmocka_unit_test(closed_tape_is_appended_to_and_stays_one_sequence),
        cmocka_unit_test(second_writer_is_refused),
        cmocka_unit_test(seek_by_time_and_by_number_finds_the_first_event),
        cmocka_unit_test(merge_is_ordered_by_local_time_and_stable),
        cmocka_unit_test(merge_renumbers_instruments_and_keeps_the_hash),
        cmocka_unit_test(revision_of_order_rules_keeps_the_row_and_of_units_makes_one),
        cmocka_unit_test(event_of_an_unknown_kind_or_instrument_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
