/* Faults S3, S4, S5, S13 on the reader: every flipped bit, every cut, every block in a wrong place
 * and every other version is seen; nothing is ever read that was not written. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "capture/tape/tape_codec.h"
#include "capture/tape/tape_testing.h"

/* A whole small file, to be damaged and put back. */
struct bytes {
    unsigned char *p;
    size_t n;
};

static void file_name(char file[128], const char *path, uint32_t number) {
    char name[TAPE_NAME_BYTES];
    tape_segment_name(number, name);
    snprintf(file, 128, "%.90s/%s", path, name);
}

static struct bytes file_take(const char *path, uint32_t number) {
    char file[128];
    struct stat st;
    file_name(file, path, number);
    assert_int_equal(stat(file, &st), 0);
    struct bytes b = {malloc((size_t)st.st_size), (size_t)st.st_size};
    FILE *f = fopen(file, "rb");
    assert_non_null(f);
    assert_int_equal(fread(b.p, 1, b.n, f), b.n);
    fclose(f);
    return b;
}

static void file_put(const char *path, uint32_t number, const unsigned char *p, size_t n) {
    char file[128];
    file_name(file, path, number);
    FILE *f = fopen(file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Groups of about 40 events, a sync behind each. */
static void write_groups(
    const char *path, const struct testing_events *ev, const struct tape_writer_options *opt) {
    struct err_info e;
    struct tape_writer *w = testing_writer(path, opt);
    for (size_t at = 0; at < ev->slots;) {
        size_t n = testing_whole(ev, at, 40);
        assert_int_equal(tape_writer_append(w, ev->slot + at, n, &e), ERR_OK);
        assert_int_equal(tape_writer_sync(w, &e), ERR_OK);
        at += n;
    }
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
}

/* Whatever the damage: what the reader hands out is what was written, in order, from the start. */
static uint64_t read_prefix(const char *path, const struct testing_events *ev, err_t *code) {
    struct tape_reader *r;
    struct tape_reader_options opt = {.torn_ok = true};
    struct err_info e;
    const struct event *got;
    size_t n, at = 0;
    *code = tape_reader_open(&r, path, &opt, &e);
    if (*code != ERR_OK) return 0;
    while ((*code = tape_reader_next(r, &got, &n, &e)) == ERR_OK) {
        assert_true(at + n <= ev->slots);
        assert_memory_equal(got, ev->slot + at, n * sizeof *got);
        at += n;
    }
    if (*code == ERR_END && at < ev->slots) assert_true(tape_reader_torn_bytes(r) > 0);
    tape_reader_close(r);
    return at;
}

static bool verify_says_valid(const char *path) {
    struct tape_verdict v;
    struct err_info e;
    if (tape_verify(path, &v, &e) != ERR_OK) return false;
    bool valid = v.valid;
    assert_true(valid || v.torn_bytes > 0 || v.damages > 0);
    tape_verdict_fini(&v);
    return valid;
}

/* Every byte; every thirteenth where the sanitizers make each step dear (FATHOM_SHORT). */
static size_t step(void) { return getenv("FATHOM_SHORT") ? 13 : 1; }

static void every_flipped_bit_is_seen(void **state) {
    (void)state;
    for (int raw = 0; raw < 2; raw++) {
        struct testing_events ev = testing_make(51, 90);
        struct tape_writer_options opt = {.raw = raw};
        char path[64];
        err_t code;
        testing_path(path, "flip");
        write_groups(path, &ev, &opt);
        struct bytes b = file_take(path, 0);
        for (size_t at = 0; at < b.n; at += step()) {
            unsigned char bit = (unsigned char)(1u << testing_random(at) % 8);
            b.p[at] ^= bit;
            file_put(path, 0, b.p, b.n);
            assert_false(verify_says_valid(path));
            if (at % 3 == 0) (void)read_prefix(path, &ev, &code);
            b.p[at] ^= bit;
        }
        file_put(path, 0, b.p, b.n);
        testing_expect_valid(path, ev.events);
        free(b.p);
        testing_remove(path);
        testing_free(&ev);
    }
}

static void flip_in_front_of_durable_data_is_damage_and_is_not_cut_off(void **state) {
    (void)state;
    struct testing_events ev = testing_make(52, 200);
    struct tape_writer_options opt = {.raw = true};
    struct err_info e;
    char path[64];
    err_t code;
    testing_path(path, "middle");
    write_groups(path, &ev, &opt);
    struct bytes b = file_take(path, 0);
    b.p[2000] ^= 16;
    for (int sealed = 0; sealed < 2; sealed++) { /* the proof is the seal, or a later block */
        size_t n = sealed ? b.n : b.n - 1000;
        file_put(path, 0, b.p, n);
        assert_true(read_prefix(path, &ev, &code) < ev.slots);
        assert_int_equal(code, ERR_INPUT);
        struct tape_writer *w;
        assert_int_equal(tape_writer_open(&w, path, &opt, NULL, &e), ERR_INPUT);
        struct bytes after = file_take(path, 0);
        assert_int_equal(after.n, n);
        assert_memory_equal(after.p, b.p, n);
        free(after.p);
    }
    free(b.p);
    testing_remove(path);
    testing_free(&ev);
}

static void quarantine_goes_past_damage_and_counts_what_is_lost(void **state) {
    (void)state;
    struct testing_events ev = testing_make(53, 3000);
    struct tape_writer_options opt = {.raw = true, .segment_bytes = 64 << 10};
    struct err_info e;
    char path[64];
    testing_path(path, "quarantine");
    write_groups(path, &ev, &opt);
    for (uint32_t k = 0; k < 3; k++) {
        struct bytes b = file_take(path, k);
        b.p[b.n / 2] ^= 1;
        file_put(path, k, b.p, b.n);
        free(b.p);
    }
    struct tape_reader *r;
    struct tape_reader_options ropt = {.quarantine = true};
    const struct event *got;
    size_t n;
    uint64_t events = 0, places, lost;
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_OK);
    err_t code;
    while ((code = tape_reader_next(r, &got, &n, &e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(got[i].kind)) events++;
    }
    assert_int_equal(code, ERR_END);
    tape_reader_quarantined(r, &places, &lost);
    assert_int_equal(places, 3);
    assert_int_equal(events + lost, ev.events);
    assert_true(lost > 0 && lost < ev.events / 4);
    tape_reader_close(r);
    testing_remove(path);
    testing_free(&ev);
}

static void cut_at_every_byte_is_torn_and_repaired_to_a_prefix(void **state) {
    (void)state;
    struct testing_events ev = testing_make(54, 130);
    struct tape_writer_options opt = {.segment_bytes = 64 << 10};
    struct err_info e;
    char path[64];
    testing_path(path, "cut");
    write_groups(path, &ev, &opt);
    struct bytes b = file_take(path, 0);
    for (size_t n = 0; n < b.n; n += step()) {
        err_t code;
        size_t torn = 0;
        struct tape_writer *w;
        file_put(path, 0, b.p, n);
        assert_false(verify_says_valid(path));
        size_t slots = read_prefix(path, &ev, &code);
        assert_int_equal(code, ERR_END);
        struct tape_reader *r;
        struct tape_reader_options strict = {0};
        assert_int_equal(tape_reader_open(&r, path, &strict, &e), ERR_INPUT);
        if (n % 5 != 0) continue; /* repair costs more; every fifth byte and all boundaries below */
        assert_int_equal(tape_writer_open(&w, path, &opt, &torn, &e), ERR_OK);
        assert_true(torn > 0);
        assert_int_equal(tape_writer_close(w, &e), ERR_OK);
        testing_expect(path, &ev, 0, slots);
        testing_expect_valid(path, testing_event_of(&ev, slots));
    }
    free(b.p);
    testing_remove(path);
    testing_free(&ev);
}

/* Offsets of all blocks. */
static size_t blocks_of(const struct bytes *b, size_t at[], size_t most) {
    size_t n = 0;
    for (size_t i = 0; i + TAPE_HEADER_BYTES <= b->n && n < most; n++) {
        struct tape_header h;
        memcpy(&h, b->p + i, sizeof h);
        assert_int_equal(h.magic, TAPE_MAGIC);
        at[n] = i;
        i += TAPE_HEADER_BYTES + tape_padded(h.payload_bytes);
    }
    return n;
}

static void valid_block_in_a_wrong_place_is_seen(void **state) {
    (void)state;
    struct testing_events ev = {.slot = calloc(400, sizeof *ev.slot), .slots = 400, .events = 400};
    struct tape_writer_options opt = {.raw = true, .segment_bytes = 16 << 10};
    char path[64], other[64];
    size_t at[32], n;
    for (size_t i = 0; i < 400; i++) {
        ev.slot[i] = (struct event){.kind = EV_TRADE, .flags = EVF_FIRST | EVF_LAST, .id = 1};
    }
    testing_path(path, "place");
    testing_path(other, "placeother");
    write_groups(path, &ev, &opt);
    write_groups(other, &ev, &opt);
    struct bytes b = file_take(path, 0), next = file_take(path, 1), strange = file_take(other, 0);
    n = blocks_of(&b, at, 32);
    assert_true(n > 4);
    size_t length = at[4] - at[3];
    assert_int_equal(at[3] - at[2], length);
    unsigned char *spare = malloc(b.n);
    size_t at_next[32];
    assert_true(blocks_of(&next, at_next, 32) > 2);
    const unsigned char *from[3] = {b.p + at[3], next.p + at_next[1], strange.p + at[2]};
    for (int i = 0; i < 3; i++) { /* of the same segment, of another segment, of another tape */
        struct tape_verdict v;
        struct err_info e;
        memcpy(spare, b.p, b.n);
        memcpy(spare + at[2], from[i], length);
        file_put(path, 0, spare, b.n);
        assert_int_equal(tape_verify(path, &v, &e), ERR_OK);
        assert_int_equal(v.damages, 1);
        assert_int_equal(v.damage[0].offset, at[2]);
        if (!strstr(v.damage[0].reason, "misdirected")) fail_msg("%s", v.damage[0].reason);
        tape_verdict_fini(&v);
    }
    free(spare);
    free(b.p);
    free(next.p);
    free(strange.p);
    testing_remove(path);
    testing_remove(other);
    testing_free(&ev);
}

static void another_version_is_refused_by_number_and_left_alone(void **state) {
    (void)state;
    struct testing_events ev = testing_make(55, 50);
    struct tape_writer_options opt = {0};
    struct err_info e;
    char path[64];
    testing_path(path, "version");
    write_groups(path, &ev, &opt);
    struct bytes b = file_take(path, 0);
    struct tape_header h;
    memcpy(&h, b.p, sizeof h);
    h.version = TAPE_VERSION + 1;
    h.header_crc = crc32c(0, (unsigned char *)&h + 8, sizeof h - 8);
    memcpy(b.p, &h, sizeof h);
    file_put(path, 0, b.p, b.n);
    struct tape_reader *r;
    struct tape_writer *w;
    struct tape_verdict v;
    struct tape_reader_options ropt = {.quarantine = true, .torn_ok = true};
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "format version 3"));
    assert_int_equal(tape_writer_open(&w, path, &opt, NULL, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "format version 3"));
    assert_int_equal(tape_verify(path, &v, &e), ERR_INPUT);
    struct bytes after = file_take(path, 0);
    assert_int_equal(after.n, b.n);
    assert_memory_equal(after.p, b.p, b.n);
    free(after.p);
    free(b.p);
    testing_remove(path);
    testing_free(&ev);
}

/* One file for every version that was ever released; the hash is that of the day it was written. */
static void tape_of_every_past_version_is_read(void **state) {
    (void)state;
    static const struct {
        const char *folder;
        uint64_t events, hash;
    } golden[] = {{FATHOM_ROOT "/test/golden/tape-v1", 45, UINT64_C(0x7eccee059fa32823)}};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        uint64_t hash;
        struct err_info e;
        testing_expect_valid(golden[i].folder, golden[i].events);
        assert_int_equal(tape_hash(golden[i].folder, &hash, &e), ERR_OK);
        assert_int_equal(hash, golden[i].hash);
    }
}

static void missing_segment_is_named(void **state) {
    (void)state;
    struct testing_events ev = testing_make(56, 1500);
    struct tape_writer_options opt = {.raw = true, .segment_bytes = 16 << 10};
    struct err_info e;
    char path[64], file[128];
    testing_path(path, "missing");
    write_groups(path, &ev, &opt);
    struct bytes second = file_take(path, 1);
    file_name(file, path, 1);
    assert_int_equal(unlink(file), 0);
    struct tape_reader *r;
    struct tape_reader_options ropt = {.torn_ok = true};
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_INPUT);
    assert_non_null(strstr(e.text, "00000001.tape is missing"));
    file_put(path, 1, second.p, second.n);
    testing_expect_valid(path, ev.events);
    free(second.p);
    testing_remove(path);
    testing_free(&ev);
}

static void last_segment_missing_is_torn_because_the_one_before_says_it_goes_on(void **state) {
    (void)state;
    struct testing_events ev = testing_make(57, 1500);
    struct tape_writer_options opt = {.raw = true, .segment_bytes = 16 << 10};
    char path[64], file[128];
    err_t code;
    uint32_t last = 0;
    testing_path(path, "lastmissing");
    write_groups(path, &ev, &opt);
    for (file_name(file, path, 0); access(file, F_OK) == 0; file_name(file, path, ++last)) {}
    file_name(file, path, last - 1);
    assert_int_equal(unlink(file), 0);
    assert_true(read_prefix(path, &ev, &code) < ev.slots);
    assert_int_equal(code, ERR_END);
    assert_false(verify_says_valid(path));
    testing_remove(path);
    testing_free(&ev);
}

/* Random edits of valid payloads: the decoder refuses or gives events, never more than it may. */
static void decoder_survives_any_payload(void **state) {
    (void)state;
    struct testing_events ev = testing_make(58, 600);
    size_t room = ev.slots * sizeof *ev.slot;
    unsigned char *good = malloc(room), *bad = malloc(room);
    struct event *out = malloc((ev.slots + 2) * sizeof *out);
    struct tape_encoder *enc = tape_encoder_new();
    struct tape_decoder *dec = tape_decoder_new();
    size_t n = tape_encode(enc, ev.slot, ev.slots, good, room), refused = 0;
    assert_true(n > 0 && n < room);
    assert_int_equal(tape_encode(enc, ev.slot, ev.slots, bad, n - 1), 0); /* does not fit */
    for (uint64_t k = 0; k < 4000; k++) {
        size_t length = k % 3 ? n : testing_random(k) % n;
        memcpy(bad, good, length);
        for (uint64_t i = 0; i < k % 4; i++) {
            if (length) bad[testing_random(k * 7 + i) % length] ^= (unsigned char)testing_random(k);
        }
        const char *reason = tape_decode_begin(
            dec, bad, length, (uint32_t)ev.events, (uint32_t)ev.slots, TESTING_ROWS);
        refused += reason != NULL;
        if (reason) continue;
        size_t got = 0, more;
        while ((more = tape_decode_next(dec, out + got, ev.slots + 2 - got)) > 0) got += more;
        assert_int_equal(got, ev.slots);
    }
    assert_true(refused > 1000);
    assert_null(
        tape_decode_begin(dec, good, n, (uint32_t)ev.events, (uint32_t)ev.slots, TESTING_ROWS));
    size_t got = 0, more;
    while ((more = tape_decode_next(dec, out + got, 2 + got % 7)) > 0) got += more;
    assert_int_equal(got, ev.slots);
    assert_memory_equal(out, ev.slot, got * sizeof *out);
    tape_encoder_free(enc);
    tape_decoder_free(dec);
    free(good);
    free(bad);
    free(out);
    testing_free(&ev);
}

static long anonymous_kib(void) {
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    }
    if (f) fclose(f);
    return kib;
}

static void reader_memory_does_not_grow_with_the_tape(void **state) {
    (void)state;
    struct testing_events ev = testing_make(59, 20000);
    struct tape_writer_options opt = {.segment_bytes = 1 << 20};
    struct err_info e;
    char path[64];
    testing_path(path, "memory");
    struct tape_writer *w = testing_writer(path, &opt);
    for (int k = 0; k < 20; k++) {
        assert_int_equal(tape_writer_append(w, ev.slot, ev.slots, &e), ERR_OK);
    }
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    struct tape_reader *r;
    struct tape_reader_options ropt = {0};
    const struct event *got;
    size_t n;
    uint64_t calls = 0;
    long early = 0;
    assert_int_equal(tape_reader_open(&r, path, &ropt, &e), ERR_OK);
    err_t code;
    while ((code = tape_reader_next(r, &got, &n, &e)) == ERR_OK) {
        if (++calls == 20) early = anonymous_kib();
    }
    assert_int_equal(code, ERR_END);
    assert_true(calls > 100 && early > 0);
    assert_true(anonymous_kib() - early < 256);
    tape_reader_close(r);
    testing_remove(path);
    testing_free(&ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(flip_in_front_of_durable_data_is_damage_and_is_not_cut_off),
        cmocka_unit_test(quarantine_goes_past_damage_and_counts_what_is_lost),
        cmocka_unit_test(cut_at_every_byte_is_torn_and_repaired_to_a_prefix),
        cmocka_unit_test(valid_block_in_a_wrong_place_is_seen),
        cmocka_unit_test(another_version_is_refused_by_number_and_left_alone),
        cmocka_unit_test(tape_of_every_past_version_is_read),
        cmocka_unit_test(missing_segment_is_named),
        cmocka_unit_test(last_segment_missing_is_torn_because_the_one_before_says_it_goes_on),
        cmocka_unit_test(decoder_survives_any_payload),
        cmocka_unit_test(reader_memory_does_not_grow_with_the_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
