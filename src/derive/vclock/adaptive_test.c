/* Adaptive cut, online width and reference clock: laws over random markets, against a recomputation
 * that keeps every trade and scans all of them for each question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "derive/vclock/vclock.h"

enum { EVENTS = 12000, BUCKETS = 12000, SEED = 20240808, SEEDS = 6, INST = 3, OTHER = 4 };
#define T0 ((int64_t)1723161255 * NS_PER_S + 777)
#define SLOT (30 * NS_PER_S)
#define MINUTES5 (300 * NS_PER_S)

static uint64_t next(uint64_t *rng) { /* splitmix64 */
    uint64_t z = (*rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static int64_t below(uint64_t *rng, int64_t n) { return (int64_t)(next(rng) % (uint64_t)n); }

static struct event ev[EVENTS + 200];
static size_t events;
static struct bucket got[BUCKETS], again[BUCKETS];

static struct event trade(int64_t t, int64_t lots) {
    return (struct event){.ts_local = {t},
        .kind = EV_TRADE,
        .inst = INST,
        .px = {1000},
        .qty = {lots},
        .flags = EVF_FIRST | EVF_LAST | EVF_BUY};
}

/* About 5 hours: the mean gap changes every 500 events, with bursts and silences. */
static void make(uint64_t seed) {
    uint64_t rng = seed;
    int64_t t = T0, gap_ms = 1000;
    for (events = 0; events < EVENTS; events++) {
        if (events % 500 == 0) gap_ms = 100 + below(&rng, 3000);
        if (below(&rng, 3000) == 0) t += below(&rng, 2000) * NS_PER_S;
        t += below(&rng, 2 * gap_ms) * NS_PER_MS;
        ev[events] = trade(t, 1 + below(&rng, 400));
        if (below(&rng, 4) == 0) ev[events].kind = EV_TICKER;
        if (below(&rng, 10) == 0) ev[events].ts_local.ns -= below(&rng, 400) * NS_PER_MS;
        if (below(&rng, 4000) == 0) ev[events].kind = EV_GAP;
    }
}

static struct bucket_spec spec_of(const char *text) {
    struct bucket_spec spec;
    const char *why = "";
    if (!bucket_spec_parse(text, 1, 0, &spec, &why)) fail_msg("%s: %s", text, why);
    return spec;
}

static const char *const specs[] = {"adaptive=6000,time=30,trades=20",
    "adaptive=900,time=45,trades=3", "adaptive=6000,time=30,trades=25,least=2000,most=30000",
    "volume=5000,time=30,least=1000,most=20000",
    "volume=5000,limit=60,time=20,least=2500,most=9000",
    "count=30,limit=90,time=30,least=8,most=200"};

enum { SPECS = sizeof specs / sizeof specs[0] };

static size_t feed(struct vclock *vc, const struct event *e, struct bucket *out, size_t n) {
    while (vclock_before(vc, e, &out[n])) assert_true(++n < BUCKETS);
    if (vclock_after(vc, e, &out[n])) assert_true(++n < BUCKETS);
    return n;
}

static size_t run(const struct bucket_spec *spec, struct bucket *out) {
    struct vclock vc;
    size_t n = 0;
    vclock_init(&vc, spec, INST);
    for (size_t i = 0; i < events; i++) n = feed(&vc, &ev[i], out, n);
    return n;
}

/* ---- the separate recomputation ---- */

struct naive {
    const struct bucket_spec *spec;
    int64_t t[EVENTS], amount[EVENTS];
    size_t n;
    int64_t start, gap, boundary, size_next, size;
    int64_t open, volume, trades;
};
static struct naive nv;

static int64_t sum_between(int64_t from, int64_t to) { /* [from, to) in time */
    int64_t sum = 0;
    for (size_t i = nv.n; i > 0 && nv.t[i - 1] >= from; i--)
        if (nv.t[i - 1] < to) sum += nv.amount[i - 1];
    return sum;
}

static int64_t history(int64_t now, int64_t most) { /* whole slots before now */
    int64_t n = now / SLOT - nv.start / SLOT - 1;
    return n < 0 ? 0 : n > most ? most : n;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi) { return v < lo ? lo : v > hi ? hi : v; }

static void naive_width(int64_t b) {
    int64_t n = history(b, 30), least = nv.spec->size_least, most = nv.spec->size_most;
    if (n < 10) return;
    int64_t recent = sum_between(b - MINUTES5, b), older = sum_between(b - n * SLOT, b - MINUTES5);
    double ratio =
        n >= 20 && older > 0 ? (double)recent / 10 / ((double)older / (double)(n - 10)) : 1;
    if (nv.gap >= b - 3 * MINUTES5 || recent == 0 || ratio > 8 || ratio < 0.125 ||
        (n >= 20 && older == 0)) {
        nv.size_next = nv.spec->size;
        return;
    }
    int64_t span = n * 30;
    int64_t raw = (2 * (nv.spec->target_ns / NS_PER_S) * (recent + older) + span) / (2 * span);
    int64_t to = clamp(raw, least, most), half = (nv.size_next + to) / 2;
    if (nv.size_next < to) half = (nv.size_next + to + 1) / 2;
    nv.size_next = clamp(half, least, most);
}

static void naive_boundaries(int64_t until) {
    for (; nv.spec->size_most > 0 && nv.boundary <= until; nv.boundary += MINUTES5)
        naive_width(nv.boundary);
}

static int64_t floor_ns(void) { return (nv.spec->target_ns * 4 + 4) / 5; }
static bool enough(void) {
    return nv.volume * 5 >= nv.size * 4 && nv.trades * 5 >= nv.spec->least_trades * 4;
}

static int64_t naive_end(void) {
    if (!nv.spec->adaptive)
        return nv.spec->time_limit_ns ? nv.open + nv.spec->time_limit_ns : INT64_MAX;
    int64_t n = history(nv.open, 10), slot = nv.open / SLOT * SLOT;
    int64_t sum = sum_between(slot - n * SLOT, slot), limit = nv.spec->target_ns * 3 / 2;
    if (n > 0) limit = sum ? 3 * nv.size * n * SLOT / (2 * sum) : 120 * NS_PER_S;
    limit = clamp(limit, 30 * NS_PER_S, 120 * NS_PER_S);
    if (limit < floor_ns()) limit = floor_ns();
    if (enough() && floor_ns() <= limit) limit = floor_ns();
    return nv.open + limit;
}

static void naive_open(int64_t t) {
    nv.open = t;
    nv.size = nv.size_next;
    nv.volume = nv.trades = 0;
}

static size_t naive_run(const struct bucket_spec *spec, struct bucket *out) {
    size_t n = 0;
    int64_t now = INT64_MIN;
    memset(&nv, 0, sizeof nv);
    nv.spec = spec;
    nv.size_next = spec->size;
    nv.gap = INT64_MIN;
    for (size_t i = 0; i < events; i++) {
        const struct event *e = &ev[i];
        if (now == INT64_MIN && e->kind == EV_GAP) continue;
        if (now == INT64_MIN) {
            nv.start = e->ts_local.ns;
            nv.boundary = nv.start / MINUTES5 * MINUTES5 + MINUTES5;
            naive_open(nv.start);
        }
        int64_t t = e->ts_local.ns > now ? e->ts_local.ns : now, end;
        while (naive_boundaries(t < (end = naive_end()) ? t : end), t >= end) {
            out[n++] =
                (struct bucket){.close_ts = {end}, .volume = {nv.volume}, .trades = nv.trades};
            now = end;
            naive_open(end);
        }
        if (e->kind == EV_GAP) nv.gap = now; /* known before the clock moves on to it */
        now = t;
        if (e->kind != EV_TRADE) continue;
        nv.volume += e->qty.lots;
        nv.trades++;
        nv.t[nv.n] = t;
        nv.amount[nv.n++] = spec->mode == BUCKET_COUNT ? 1 : e->qty.lots;
        bool full = spec->mode == BUCKET_COUNT ? nv.trades >= nv.size : nv.volume >= nv.size;
        if (spec->adaptive ? enough() && t - nv.open >= floor_ns() : full) {
            out[n++] = (struct bucket){.close_ts = {t}, .volume = {nv.volume}, .trades = nv.trades};
            naive_open(t);
        }
    }
    return n;
}

static void buckets_equal_a_recomputation_over_all_trades(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        for (size_t k = 0; k < SPECS; k++) {
            struct bucket_spec spec = spec_of(specs[k]);
            size_t n = run(&spec, got), m = naive_run(&spec, again);
            for (size_t i = 0; i < n && i < m; i++) {
                if (got[i].close_ts.ns == again[i].close_ts.ns &&
                    got[i].volume.lots == again[i].volume.lots && got[i].trades == again[i].trades)
                    continue;
                fail_msg("seed %llu, %s, bucket %zu of %zu (%s): closes %lld, volume %lld; "
                         "recomputed %lld, %lld",
                    (unsigned long long)seed, specs[k], i, n, bucket_trigger_name(got[i].trigger),
                    (long long)(got[i].close_ts.ns - T0), (long long)got[i].volume.lots,
                    (long long)(again[i].close_ts.ns - T0), (long long)again[i].volume.lots);
            }
            assert_int_equal(n, m);
            assert_true(n > 60);
        }
    }
}

static void an_adaptive_bucket_lasts_its_share_and_at_most_its_limit(void **state) {
    (void)state;
    size_t by[CUT_TRIGGERS] = {0};
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        for (size_t k = 0; k < 3; k++) {
            struct bucket_spec spec = spec_of(specs[k]);
            size_t n = run(&spec, got);
            for (size_t i = 0; i < n; i++) {
                int64_t d = bucket_duration_ns(&got[i]);
                assert_true(d >= spec.target_ns / 5 * 4);
                assert_true(d <= 120 * NS_PER_S);
                if (got[i].trigger == CUT_READY) assert_int_equal(d, spec.target_ns / 5 * 4);
                if (got[i].trigger == CUT_LIMIT) assert_true(d >= 30 * NS_PER_S);
                if (i > 0) assert_int_equal(got[i].id, got[i - 1].id + 1);
                by[got[i].trigger]++;
            }
        }
    }
    assert_true(by[CUT_QUALITY] > 100 && by[CUT_READY] > 100 && by[CUT_LIMIT] > 100);
    assert_int_equal(by[CUT_VOLUME], 0);
}

static void timers_and_restarts_anywhere_change_nothing(void **state) {
    (void)state;
    for (size_t k = 0; k < SPECS; k++) {
        struct bucket_spec spec = spec_of(specs[k]);
        uint64_t rng = SEED + k;
        make(SEED + k);
        size_t n = run(&spec, got), m = 0;
        struct vclock vc, saved;
        vclock_init(&vc, &spec, INST);
        int64_t now = T0 - NS_PER_S;
        for (size_t i = 0; i < events; i++) {
            struct event tick = {.kind = EV_TIMER, .inst = INST, .flags = EVF_FIRST | EVF_LAST};
            int64_t wait = ev[i].ts_local.ns - now;
            if (wait > 0 && below(&rng, 3) == 0) {
                tick.ts_local.ns = now + below(&rng, wait);
                while (vclock_before(&vc, &tick, &again[m])) m++;
            }
            if (below(&rng, 50) == 0) {
                memcpy(&saved, &vc, sizeof saved);
                memset(&vc, 0xa5, sizeof vc);
                memcpy(&vc, &saved, sizeof vc);
            }
            m = feed(&vc, &ev[i], again, m);
            if (wait > 0) now = ev[i].ts_local.ns;
        }
        assert_int_equal(n, m);
        assert_memory_equal(got, again, n * sizeof got[0]);
    }
}

/* ---- online width ---- */

static struct event taped[EVENTS * 2];

/* The stream with each decision written before the event that brought it about. */
static size_t record(const struct bucket_spec *spec) {
    struct vclock vc;
    struct bucket b;
    size_t n = 0;
    int64_t written = 0;
    vclock_init(&vc, spec, INST);
    for (size_t i = 0; i < events; i++) {
        while (vclock_before(&vc, &ev[i], &b)) {}
        while (written < vclock_widths(&vc))
            assert_true(vclock_width_event(&vc, ++written, &taped[n++]));
        taped[n++] = ev[i];
        (void)vclock_after(&vc, &ev[i], &b);
    }
    assert_true(written > 20);
    assert_false(vclock_width_event(&vc, written + 1, &taped[n]));
    assert_false(vclock_width_event(&vc, written - VCLOCK_WIDTHS_HELD, &taped[n]));
    return n;
}

static void decisions_on_the_tape_replay_to_the_same_buckets(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        for (size_t k = 2; k < SPECS; k++) {
            struct bucket_spec spec = spec_of(specs[k]);
            size_t n = run(&spec, got), m = 0, tape = record(&spec);
            struct vclock vc;
            struct vclock_status st;
            vclock_init(&vc, &spec, INST);
            for (size_t i = 0; i < tape; i++) m = feed(&vc, &taped[i], again, m);
            assert_int_equal(n, m);
            assert_memory_equal(got, again, n * sizeof got[0]);
            vclock_status(&vc, &st);
            assert_int_equal(st.widths_taken, 0); /* it came to the same decisions itself */
        }
    }
}

static void a_clock_that_starts_in_the_middle_obeys_the_decisions_on_the_tape(void **state) {
    (void)state;
    make(SEED);
    struct bucket_spec spec = spec_of(specs[3]);
    size_t tape = record(&spec), taken = 0;
    struct vclock whole, late;
    struct vclock_status a, b;
    struct bucket out;
    bool heard = false;
    vclock_init(&whole, &spec, INST);
    vclock_init(&late, &spec, INST);
    for (size_t i = 0; i < tape; i++) {
        feed(&whole, &taped[i], got, 0);
        if (i < tape / 3) continue;
        while (vclock_before(&late, &taped[i], &out)) {}
        (void)vclock_after(&late, &taped[i], &out);
        heard |= vclock_open(&late) && taped[i].kind == EV_CONFIG;
        vclock_status(&whole, &a);
        vclock_status(&late, &b);
        if (heard) assert_int_equal(a.widths, b.widths);
        taken = (size_t)b.widths_taken;
    }
    assert_true(heard && taken > 0);
    struct event last;
    assert_true(vclock_width_event(&late, vclock_widths(&late), &last));
    struct event same;
    assert_true(vclock_width_event(&whole, vclock_widths(&whole), &same));
    assert_memory_equal(&last, &same, sizeof last);
}

/* A trade of `lots` each second from second `from` to `to`; returns the size decided last. */
static int64_t steady(struct vclock *vc, int64_t from, int64_t to, int64_t lots) {
    struct vclock_status st;
    struct event cfg;
    for (int64_t s = from; s < to; s++) {
        struct event e = trade(1723161000 * NS_PER_S + s * NS_PER_S, lots); /* at a boundary */
        feed(vc, &e, got, 0);
    }
    vclock_status(vc, &st);
    return st.widths && vclock_width_event(vc, st.widths, &cfg) ? cfg.aux.a : 0;
}

static void the_width_goes_to_target_time_x_rate_in_halves_and_stays_in_its_bounds(void **state) {
    (void)state;
    struct bucket_spec spec = spec_of("volume=1000,time=30,least=400,most=5000");
    struct vclock vc;
    vclock_init(&vc, &spec, INST);
    assert_int_equal(steady(&vc, 0, 600, 100), 0); /* less than 5 whole minutes at the boundary */
    assert_int_equal(steady(&vc, 600, 602, 100), 2000);
    assert_int_equal(steady(&vc, 602, 902, 100), 2500);
    assert_int_equal(steady(&vc, 902, 6002, 100), 3000);
    assert_int_equal(steady(&vc, 6002, 9902, 300), 5000); /* 9,000 is above the most */
    vclock_init(&vc, &spec, INST);
    assert_int_equal(steady(&vc, 0, 6002, 2), 400); /* 60 is below the least */
}

static void a_crash_a_silence_and_a_gap_bring_the_calibrated_size_back(void **state) {
    (void)state;
    struct bucket_spec spec = spec_of("volume=1000,time=30,least=400,most=9000");
    struct vclock vc;
    for (int what = 0; what < 3; what++) {
        vclock_init(&vc, &spec, INST);
        assert_int_equal(steady(&vc, 0, 6002, 100), 3000);
        struct event gap = {.ts_local = {1723161000 * NS_PER_S + 6002 * NS_PER_S},
            .inst = INST,
            .kind = EV_GAP,
            .flags = EVF_FIRST | EVF_LAST};
        if (what == 0) assert_int_equal(steady(&vc, 6002, 6302, 2000), 1000);
        if (what == 1) assert_int_equal(steady(&vc, 6690, 6691, 100), 1000);
        if (what == 2) feed(&vc, &gap, got, 0);
        if (what == 2) assert_int_equal(steady(&vc, 6002, 6302, 100), 1000);
        if (what == 2) assert_int_equal(steady(&vc, 6302, 7302, 100), 2000); /* 15 min later */
    }
}

/* ---- reference ---- */

static void a_follower_cuts_where_the_reference_cuts_with_its_ids_and_loses_nothing(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        struct bucket_spec spec = spec_of(specs[0]), follow = spec_of("reference");
        struct vclock lead, vc;
        struct bucket ref;
        size_t n = 0, m = 0;
        int64_t volume = 0;
        uint64_t rng = seed;
        vclock_init(&lead, &spec, INST);
        vclock_init(&vc, &follow, OTHER);
        for (size_t i = 0; i < events; i++) {
            while (vclock_before(&lead, &ev[i], &ref)) {
                again[m++] = ref;
                n += vclock_follow(&vc, &ref, &got[n]);
            }
            if (vclock_after(&lead, &ev[i], &ref)) {
                again[m++] = ref;
                n += vclock_follow(&vc, &ref, &got[n]);
            }
            if (i < 2000 || below(&rng, 2)) continue; /* the follower starts later */
            struct event e = trade(ev[i].ts_local.ns, 7);
            e.inst = OTHER;
            volume += 7;
            assert_false(vclock_before(&vc, &e, &ref));
            assert_false(vclock_after(&vc, &e, &ref));
        }
        assert_true(n > 40 && m > n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(got[i].id, again[m - n + i].id);
            assert_int_equal(got[i].close_ts.ns, again[m - n + i].close_ts.ns);
            assert_int_equal(got[i].trigger, CUT_REFERENCE);
            assert_int_equal(got[i].inst, OTHER);
            volume -= got[i].volume.lots;
        }
        volume -= vclock_open(&vc)->volume.lots;
        assert_int_equal(volume, 0);
    }
}

static void contradictory_texts_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"adaptive=0", "adaptive=5,limit=60", "adaptive=5,trades=0",
        "adaptive=5,time=4000", "adaptive=5,least=3", "adaptive=5,least=6,most=9",
        "volume=5,time=30", "volume=5,trades=3", "volume=5,least=1,most=9",
        "volume=5,time=3,time=3", "volume=5,fallback=11", "time=1,fallback=1", "time=1,limit=3",
        "reference=1", "reference,limit=3", "volume=5,", "volume=5,x=1"};
    struct bucket_spec spec;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = "";
        if (bucket_spec_parse(bad[i], 1, 0, &spec, &why)) fail_msg("%s was taken", bad[i]);
        assert_true(strlen(why) > 10);
    }
    spec = spec_of("adaptive=50");
    assert_int_equal(spec.target_ns, 30 * NS_PER_S);
    assert_int_equal(spec.least_trades, 20);
}

int main(void) {
    print_message("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_equal_a_recomputation_over_all_trades),
        cmocka_unit_test(an_adaptive_bucket_lasts_its_share_and_at_most_its_limit),
        cmocka_unit_test(timers_and_restarts_anywhere_change_nothing),
        cmocka_unit_test(decisions_on_the_tape_replay_to_the_same_buckets),
        cmocka_unit_test(a_clock_that_starts_in_the_middle_obeys_the_decisions_on_the_tape),
        cmocka_unit_test(the_width_goes_to_target_time_x_rate_in_halves_and_stays_in_its_bounds),
        cmocka_unit_test(a_crash_a_silence_and_a_gap_bring_the_calibrated_size_back),
        cmocka_unit_test(a_follower_cuts_where_the_reference_cuts_with_its_ids_and_loses_nothing),
        cmocka_unit_test(contradictory_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
