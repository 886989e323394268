/* A generated market on a tape: the live path (timers, twenty kills with the state on disk) against
 * one pass over the tape, and against the trades themselves. Two hours; FATHOM_HOURS=24 is the full
 * form.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "capture/generate/generate.h"
#include "capture/tape/import.h"
#include "capture/tape/tape.h"
#include "derive/vclock/vclock.h"

enum { SEED = 20240808, KILLS = 20, TEXT = 256 };

static char dir[] = "/tmp/fathom-vclock-day-XXXXXX", tape[TEXT], state_file[TEXT];
static int64_t total_lots, total_trades, first_ns, last_ns;
static uint64_t total_events;

static struct tape_reader *open_tape(uint64_t from) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    struct err_info e;
    if (tape_reader_open(&r, tape, &opt, &e)) fail_msg("%s", e.text);
    if (from > 0 && tape_reader_seek_event(r, from, &e)) fail_msg("%s", e.text);
    return r;
}

struct sink {
    struct bucket *b;
    size_t n, cap;
};

static void keep(struct sink *s, const struct bucket *b) {
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 1024;
        s->b = realloc(s->b, s->cap * sizeof *s->b);
        assert_non_null(s->b);
    }
    s->b[s->n++] = *b;
}

/* What a live process would keep on disk: clock and place on the tape, nothing else. */
struct saved {
    struct vclock clock;
    uint64_t next;
    int64_t now;
};

static void to_disk(const struct saved *s) {
    FILE *f = fopen(state_file, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(s, sizeof *s, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

static void from_disk(struct saved *s) {
    FILE *f = fopen(state_file, "rb");
    assert_non_null(f);
    memset(s, 0xa5, sizeof *s);
    assert_int_equal(fread(s, sizeof *s, 1, f), 1);
    assert_int_equal(fclose(f), 0);
}

/* A live loop looks at the clock each 250 ms between events. */
static void timers(struct saved *s, int64_t until, struct sink *out) {
    struct event tick = {.kind = EV_TIMER, .flags = EVF_FIRST | EVF_LAST};
    struct bucket b;
    for (; s->now > 0 && s->now < until; s->now += 250 * NS_PER_MS) {
        tick.ts_local.ns = s->now;
        while (vclock_before(&s->clock, &tick, &b)) keep(out, &b);
    }
    if (until > s->now) s->now = until;
}

static void step(struct saved *s, const struct event *ev, bool live, struct sink *out) {
    struct bucket b;
    if (live && (ev->flags & EVF_FIRST)) timers(s, ev->ts_local.ns, out);
    while (vclock_before(&s->clock, ev, &b)) keep(out, &b);
    if (vclock_after(&s->clock, ev, &b)) keep(out, &b);
    s->next++;
}

/* From s->next to `stop` (an event number). */
static void walk(struct saved *s, uint64_t stop, bool live, struct sink *out) {
    struct tape_reader *r = open_tape(s->next);
    const struct event *slots;
    struct err_info e;
    size_t n;
    while (s->next < stop && tape_reader_next(r, &slots, &n, &e) == ERR_OK)
        for (size_t i = 0; i < n && s->next < stop; i += event_slots(slots[i].kind))
            step(s, &slots[i], live, out);
    tape_reader_close(r);
}

static void spec_make(const char *form, struct bucket_spec *spec) {
    char text[TEXT];
    const char *why = "";
    int64_t seconds = (last_ns - first_ns) / NS_PER_S, size = 30 * total_lots / seconds;
    int64_t count = 30 * total_trades / seconds;
    if (strncmp(form, "count", 5) == 0) size = count;
    snprintf(text, sizeof text, form, size, size / 2, size * 2);
    if (!bucket_spec_parse(text, 1, 0, spec, &why)) fail_msg("%s: %s", text, why);
}

static const char *const forms[] = {"volume=%" PRId64, "volume=%" PRId64 ",limit=60,fallback=5",
    "volume=%" PRId64 ",time=30,least=%" PRId64 ",most=%" PRId64, "adaptive=%" PRId64 ",trades=200",
    "count=%" PRId64 ",limit=60"};

enum { FORMS = sizeof forms / sizeof forms[0] };

static void twenty_kills_and_timers_give_the_buckets_of_one_pass(void **state) {
    (void)state;
    uint64_t rng = SEED;
    for (size_t k = 0; k < FORMS; k++) {
        struct bucket_spec spec;
        static struct saved s;
        struct sink whole = {0}, live = {0};
        spec_make(forms[k], &spec);
        memset(&s, 0, sizeof s);
        vclock_init(&s.clock, &spec, 0);
        walk(&s, UINT64_MAX, false, &whole);
        memset(&s, 0, sizeof s);
        vclock_init(&s.clock, &spec, 0);
        for (int kill = 0; kill < KILLS; kill++) {
            rng = rng * 6364136223846793005ull + 1442695040888963407ull;
            uint64_t left = (total_events - s.next) / (uint64_t)(KILLS - kill);
            walk(&s, s.next + 1 + (rng >> 33) % (2 * left), true, &live);
            to_disk(&s);
            from_disk(&s);
        }
        walk(&s, UINT64_MAX, true, &live);
        assert_int_equal(s.next, total_events);
        assert_int_equal(live.n, whole.n);
        assert_memory_equal(live.b, whole.b, whole.n * sizeof *whole.b);
        int64_t lots = 0, trades = 0;
        for (size_t i = 0; i < live.n; i++) {
            if (i > 0) assert_true(live.b[i].id > live.b[i - 1].id);
            lots += live.b[i].volume.lots;
            trades += live.b[i].trades;
        }
        const struct bucket *open = vclock_open(&s.clock);
        assert_int_equal(lots + open->volume.lots, total_lots);
        assert_int_equal(trades + open->trades, total_trades);
        free(whole.b);
        free(live.b);
    }
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void durations_are_25_to_35_s_at_the_median_and_below_60_s_at_p90(void **state) {
    (void)state;
    for (size_t k = 0; k < FORMS; k++) {
        struct bucket_spec spec;
        static struct saved s;
        struct sink out = {0};
        spec_make(forms[k], &spec);
        memset(&s, 0, sizeof s);
        vclock_init(&s.clock, &spec, 0);
        walk(&s, UINT64_MAX, false, &out);
        int64_t *d = malloc(out.n * sizeof *d);
        assert_non_null(d);
        for (size_t i = 0; i < out.n; i++) d[i] = bucket_duration_ns(&out.b[i]);
        qsort(d, out.n, sizeof *d, by_value);
        double p50 = (double)d[(out.n + 1) / 2 - 1] / 1e9,
               p90 = (double)d[(9 * out.n + 9) / 10 - 1] / 1e9;
        print_message("%s: %zu buckets, p50 %.1f s, p90 %.1f s\n", forms[k], out.n, p50, p90);
        /* the adaptive clock is content with 0.8 of the target by its formula */
        assert_true(p50 >= (spec.adaptive ? 24 : 25) && p50 <= 35);
        assert_true(p90 < 60);
        free(d);
        free(out.b);
    }
}

static void count_tape(void) {
    struct tape_reader *r = open_tape(0);
    const struct event *slots;
    struct err_info e;
    size_t n;
    while (tape_reader_next(r, &slots, &n, &e) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind), total_events++) {
            if (total_events == 0) first_ns = slots[i].ts_local.ns;
            last_ns = slots[i].ts_local.ns;
            if (slots[i].kind != EV_TRADE || (slots[i].flags & EVF_NON_MARKET)) continue;
            total_lots += slots[i].qty.lots;
            total_trades++;
        }
    }
    tape_reader_close(r);
}

static int make(void **state) {
    (void)state;
    const char *hours = getenv("FATHOM_HOURS");
    struct generate_options g = generate_defaults();
    struct generate_result made;
    struct import_report report;
    struct err_info e;
    char raw[TEXT];
    if (!mkdtemp(dir)) return -1;
    snprintf(raw, sizeof raw, "%s/m.gz", dir);
    snprintf(tape, sizeof tape, "%s/tape", dir);
    snprintf(state_file, sizeof state_file, "%s/state", dir);
    g.out = raw;
    g.seed = SEED;
    g.hours = hours ? strtod(hours, NULL) : 2;
    const char *files[] = {raw};
    struct import_options opt = {.files = files,
        .n_files = 1,
        .to = tape,
        .jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS};
    if (generate_write(&g, &made, &e) || import_run(&opt, &report, &e)) return -1;
    import_report_fini(&report);
    count_tape();
    return 0;
}

static int drop(void **state) {
    struct err_info e;
    (void)state;
    return file_remove_tree(dir, &e) ? -1 : 0;
}

int main(void) {
    print_message("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_kills_and_timers_give_the_buckets_of_one_pass),
        cmocka_unit_test(durations_are_25_to_35_s_at_the_median_and_below_60_s_at_p90),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
