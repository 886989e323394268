/* Health and fallback: thresholds at their edges, quantiles against a sort, the switch against a
 * recomputation that keeps everything.
 */
#include "derive/vclock/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 9000, BUCKETS = 60000, SEED = 20240808, SEEDS = 8, INST = 3 };
#define T0 ((int64_t)1723161255 * NS_PER_S + 777)

static uint64_t next(uint64_t *rng) { /* splitmix64 */
    uint64_t z = (*rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static int64_t below(uint64_t *rng, int64_t n) { return (int64_t)(next(rng) % (uint64_t)n); }

static struct bucket bucket_of(int64_t id, int64_t open_ns, int64_t ns) {
    return (struct bucket){
        .id = id, .open_ts = {open_ns}, .close_ts = {open_ns + ns}, .trades = 1, .volume = {5}};
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void quantiles_and_levels_equal_a_sort_of_the_last_hour(void **state) {
    (void)state;
    static struct bucket all[2000];
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        static struct vclock_health h;
        uint64_t rng = seed;
        int64_t t = T0, longest = 10 + below(&rng, 200), alarms = 0;
        uint8_t before = HEALTH_OK;
        health_init(&h);
        for (size_t n = 1; n <= 2000; n++) {
            if (n % 100 == 0) longest = 5 + below(&rng, 200);
            int64_t d = below(&rng, longest * 1000) * NS_PER_MS;
            all[n - 1] = bucket_of((int64_t)n, t, d);
            health_bucket(&h, &all[n - 1]);
            t += d;
            int64_t sorted[2000] = {0};
            size_t k = 0, over90 = 0;
            for (size_t i = n > HEALTH_BUCKETS ? n - HEALTH_BUCKETS : 0; i < n; i++)
                if (all[i].close_ts.ns > t - 3600 * NS_PER_S)
                    sorted[k++] = bucket_duration_ns(&all[i]);
            qsort(sorted, k, sizeof *sorted, by_value);
            for (size_t i = 0; i < k; i++) over90 += sorted[i] > 90 * NS_PER_S;
            struct health_view v;
            health_see(&h, t, &v);
            int64_t p90 = sorted[(9 * k + 9) / 10 - 1];
            assert_int_equal(v.count, k);
            assert_int_equal(v.p50_ns, sorted[(k + 1) / 2 - 1]);
            assert_int_equal(v.p90_ns, p90);
            assert_int_equal(v.slow, over90);
            uint8_t want = p90 > 120 * NS_PER_S                ? HEALTH_DEGRADE
                           : p90 > 90 * NS_PER_S || over90 > 5 ? HEALTH_WARN
                                                               : HEALTH_OK;
            assert_int_equal(h.slow_level, want);
            alarms += want >= HEALTH_WARN && before < HEALTH_WARN;
            before = want;
        }
        assert_int_equal(h.slow_alarms, alarms);
        assert_int_equal(h.disorder, 0);
    }
}

static void lag_warns_above_60_s_and_degrades_above_300_s(void **state) {
    (void)state;
    static struct vclock_health h;
    health_init(&h);
    struct bucket b = bucket_of(1, T0, NS_PER_S), hollow = {.id = 2, .open_ts = {T0 + NS_PER_S}};
    health_bucket(&h, &b);
    int64_t end = T0 + NS_PER_S;
    health_time(&h, end + 60 * NS_PER_S);
    assert_int_equal(health_level(&h), HEALTH_OK);
    hollow.close_ts.ns = end + 61 * NS_PER_S; /* an empty bucket is no news */
    health_bucket(&h, &hollow);
    assert_int_equal(health_level(&h), HEALTH_WARN);
    health_time(&h, end + 300 * NS_PER_S);
    assert_int_equal(health_level(&h), HEALTH_WARN);
    health_time(&h, end + 300 * NS_PER_S + 1);
    assert_int_equal(health_level(&h), HEALTH_DEGRADE);
    assert_int_equal(h.lag_alarms, 1);
    assert_int_equal(h.lag_degrades, 1);
    b = bucket_of(3, end + 300 * NS_PER_S, NS_PER_S);
    health_bucket(&h, &b);
    assert_int_equal(health_level(&h), HEALTH_OK);
    assert_int_equal(h.lag_max_ns, 301 * NS_PER_S);
}

static void ids_out_of_order_are_counted_and_left_as_they_are(void **state) {
    (void)state;
    static struct vclock_health h;
    static const int64_t ids[] = {5, 6, 6, 4, 5, 9};
    health_init(&h);
    for (int64_t i = 0; i < 6; i++) {
        struct bucket b = bucket_of(ids[i], T0 + i * NS_PER_S, NS_PER_S), copy = b;
        health_bucket(&h, &b);
        assert_memory_equal(&b, &copy, sizeof b);
    }
    assert_int_equal(h.disorder, 2);
    assert_int_equal(h.last_id, 9);
}

/* ---- the fallback inside the clock ---- */

static struct event ev[EVENTS];
static struct bucket got[BUCKETS];

static struct event trade(int64_t t, int64_t lots) {
    return (struct event){.ts_local = {t},
        .kind = EV_TRADE,
        .inst = INST,
        .px = {1000},
        .qty = {lots},
        .flags = EVF_FIRST | EVF_LAST | EVF_BUY};
}

/* Stretches of dense, of thin and of no trading. */
static void make(uint64_t seed) {
    uint64_t rng = seed;
    int64_t t = T0, gap_ms = 1000;
    for (size_t i = 0; i < EVENTS; i++) {
        if (i % 300 == 0) gap_ms = below(&rng, 4) == 0 ? 9000 : 50 + below(&rng, 900);
        if (below(&rng, 1500) == 0) t += below(&rng, 1500) * NS_PER_S;
        t += below(&rng, 2 * gap_ms) * NS_PER_MS;
        ev[i] = trade(t, 1 + below(&rng, 20));
    }
}

static size_t feed(struct vclock *vc, const struct event *e, struct bucket *out, size_t n) {
    while (vclock_before(vc, e, &out[n])) assert_true(++n < BUCKETS);
    if (vclock_after(vc, e, &out[n])) assert_true(++n < BUCKETS);
    return n;
}

static struct bucket_spec spec_of(const char *text) {
    struct bucket_spec spec;
    const char *why = "";
    if (!bucket_spec_parse(text, 1, 0, &spec, &why)) fail_msg("%s: %s", text, why);
    return spec;
}

/* The recomputation: durations of own buckets in one long list, everything else in plain words. */
struct naive {
    int64_t size, limit, step;
    int64_t open, volume, last_full;
    bool degraded, back;
    int64_t s_open, s_volume, s_trades, s_good;
    int64_t own_close[EVENTS], own_ns[EVENTS];
    size_t own, from, switches, returns;
};
static struct naive nv;
static int64_t want_close[BUCKETS], want_volume[BUCKETS];

static bool own_is_slow(int64_t now) {
    static int64_t d[EVENTS];
    size_t n = 0;
    for (size_t i = nv.own > HEALTH_BUCKETS ? nv.own - HEALTH_BUCKETS : 0; i < nv.own; i++)
        if (i >= nv.from && nv.own_close[i] > now - 3600 * NS_PER_S) d[n++] = nv.own_ns[i];
    qsort(d, n, sizeof *d, by_value);
    return n > 0 && d[(9 * n + 9) / 10 - 1] > 120 * NS_PER_S;
}

static int64_t up(int64_t t) { return (t / nv.step + 1) * nv.step; }

static void fall(int64_t t) {
    nv.degraded = true;
    nv.back = false;
    nv.s_open = t;
    nv.s_volume = nv.s_trades = nv.s_good = 0;
    nv.switches++;
}

static void naive_close(int64_t t, bool lag, size_t *n) {
    want_close[*n] = t;
    want_volume[(*n)++] = nv.volume;
    if (nv.degraded) {
        if (nv.back) {
            nv.degraded = nv.back = false;
            nv.from = nv.own;
            nv.last_full = t;
            nv.returns++;
        }
    } else {
        nv.own_close[nv.own] = t;
        nv.own_ns[nv.own++] = t - nv.open;
        if (nv.volume > 0) nv.last_full = t;
        if (lag || own_is_slow(t)) fall(t);
    }
    nv.open = t;
    nv.volume = 0;
}

static void shadow_ends(int64_t t) {
    bool complete = nv.s_trades > 0 && t - nv.s_open <= 90 * NS_PER_S;
    nv.s_good = complete ? nv.s_good + 1 : 0;
    if (nv.s_good >= 10) nv.back = true;
    nv.s_open = t;
    nv.s_volume = nv.s_trades = 0;
}

static size_t naive_run(const struct bucket_spec *spec) {
    size_t n = 0;
    memset(&nv, 0, sizeof nv);
    nv.size = spec->size;
    nv.limit = spec->time_limit_ns ? spec->time_limit_ns : INT64_MAX / 4;
    nv.step = spec->fallback_ns;
    nv.open = nv.last_full = ev[0].ts_local.ns;
    for (size_t i = 0; i < EVENTS; i++) {
        int64_t t = ev[i].ts_local.ns;
        for (;;) {
            int64_t dead = nv.degraded ? INT64_MAX : up(nv.last_full + 300 * NS_PER_S);
            int64_t end = nv.degraded ? up(nv.open) : nv.open + nv.limit;
            if (t < (dead <= end ? dead : end)) break;
            naive_close(dead <= end ? dead : end, dead <= end, &n);
        }
        if (nv.degraded && !nv.back && t >= nv.s_open + nv.limit) {
            shadow_ends(nv.s_open + nv.limit);
            if (!nv.back && t >= nv.s_open + nv.limit) {
                nv.s_good = 0;
                nv.s_open = t;
            }
        }
        nv.volume += ev[i].qty.lots;
        if (nv.degraded && !nv.back) {
            nv.s_volume += ev[i].qty.lots;
            nv.s_trades++;
            if (nv.s_volume >= nv.size) shadow_ends(t);
        }
        if (!nv.degraded && nv.volume >= nv.size) naive_close(t, false, &n);
    }
    return n;
}

static const char *const specs[] = {
    "volume=300,fallback=1", "volume=300,limit=60,fallback=10", "volume=4000,fallback=5"};

static void the_switch_equals_a_recomputation(void **state) {
    (void)state;
    size_t switches = 0, returns = 0;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        for (size_t k = 0; k < 3; k++) {
            struct bucket_spec spec = spec_of(specs[k]);
            static struct vclock vc;
            struct vclock_status st;
            size_t n = 0, m = naive_run(&spec);
            vclock_init(&vc, &spec, INST);
            for (size_t i = 0; i < EVENTS; i++) n = feed(&vc, &ev[i], got, n);
            for (size_t i = 0; i < n && i < m; i++)
                if (got[i].close_ts.ns != want_close[i] || got[i].volume.lots != want_volume[i])
                    fail_msg("seed %llu %s bucket %zu (%s) closes %.3f, recomputed %.3f",
                        (unsigned long long)seed, specs[k], i, bucket_trigger_name(got[i].trigger),
                        (double)(got[i].close_ts.ns - T0) / 1e9,
                        (double)(want_close[i] - T0) / 1e9);
            assert_int_equal(n, m);
            vclock_status(&vc, &st);
            assert_int_equal(st.switches, nv.switches);
            assert_int_equal(st.returns, nv.returns);
            assert_int_equal(st.degraded, nv.degraded);
            switches += nv.switches;
            returns += nv.returns;
        }
    }
    assert_true(switches > 20 && returns > 10);
}

static void ids_rise_and_no_trade_is_lost_over_switches_and_random_kills(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make(seed);
        for (size_t k = 0; k < 3; k++) {
            struct bucket_spec spec = spec_of(specs[k]);
            static struct vclock vc, saved;
            uint64_t rng = seed;
            size_t n = 0;
            int64_t volume = 0;
            vclock_init(&vc, &spec, INST);
            for (size_t i = 0; i < EVENTS; i++) {
                if (below(&rng, EVENTS / 20) == 0) {
                    memcpy(&saved, &vc, sizeof saved);
                    memset(&vc, 0xa5, sizeof vc);
                    memcpy(&vc, &saved, sizeof vc);
                }
                volume += ev[i].qty.lots;
                n = feed(&vc, &ev[i], got, n);
            }
            n += vclock_end(&vc, &got[n]);
            for (size_t i = 0; i < n; i++) {
                volume -= got[i].volume.lots;
                if (i == 0) continue;
                assert_true(got[i].id > got[i - 1].id);
                assert_int_equal(got[i].open_ts.ns, got[i - 1].close_ts.ns);
            }
            assert_int_equal(volume, 0);
        }
    }
}

static void a_silence_of_300_s_is_answered_within_10_s_and_left_after_10_buckets(void **state) {
    (void)state;
    static struct vclock vc;
    struct vclock_status st;
    struct bucket_spec spec = spec_of("volume=10,fallback=10");
    struct event tick = {.kind = EV_TIMER, .inst = INST, .flags = EVF_FIRST | EVF_LAST};
    size_t n = 0;
    vclock_init(&vc, &spec, INST);
    struct event e = trade(T0, 10);
    n = feed(&vc, &e, got, n);
    for (int64_t s = 1; s <= 300; s++) {
        tick.ts_local.ns = T0 + s * NS_PER_S;
        assert_false(vclock_before(&vc, &tick, &got[n]));
    }
    tick.ts_local.ns = T0 + 310 * NS_PER_S;
    assert_true(vclock_before(&vc, &tick, &got[n]));
    assert_int_equal(got[n].trigger, CUT_SWITCH);
    assert_true(got[n].close_ts.ns > T0 + 300 * NS_PER_S);
    vclock_status(&vc, &st);
    assert_true(st.degraded && st.reason == FALLBACK_LAG);
    for (int64_t k = 1; k <= 10; k++) {
        vclock_status(&vc, &st);
        assert_true(st.degraded && st.complete == k - 1);
        e = trade(T0 + (310 + k) * NS_PER_S, 10);
        n = feed(&vc, &e, got, n);
        if (k == 5) { /* a trade alone is no complete bucket of volume: the count waits */
            e = trade(e.ts_local.ns + 1, 3);
            n = feed(&vc, &e, got, n);
            vclock_status(&vc, &st);
            assert_int_equal(st.complete, 5);
        }
    }
    tick.ts_local.ns = T0 + 330 * NS_PER_S;
    while (vclock_before(&vc, &tick, &got[n])) n++;
    vclock_status(&vc, &st);
    assert_false(st.degraded);
    assert_int_equal(st.returns, 1);
    e = trade(T0 + 331 * NS_PER_S, 10);
    n = feed(&vc, &e, got, 0);
    assert_int_equal(got[n - 1].trigger, CUT_VOLUME);
}

static void a_gap_makes_buckets_incomplete(void **state) {
    (void)state;
    static struct vclock vc;
    struct vclock_status st;
    struct bucket_spec spec = spec_of("volume=10,fallback=1");
    vclock_init(&vc, &spec, INST);
    struct event e = trade(T0, 3);
    feed(&vc, &e, got, 0);
    for (int64_t k = 0; k < 9; k++) {
        e = trade(T0 + (385 + k) * NS_PER_S, 10);
        feed(&vc, &e, got, 0);
    }
    vclock_status(&vc, &st);
    assert_int_equal(st.complete, 9);
    vclock_gap(&vc);
    e = trade(T0 + 395 * NS_PER_S, 10);
    feed(&vc, &e, got, 0);
    vclock_status(&vc, &st);
    assert_int_equal(st.complete, 0);
    assert_true(st.degraded);
}

int main(void) {
    print_message("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_and_levels_equal_a_sort_of_the_last_hour),
        cmocka_unit_test(lag_warns_above_60_s_and_degrades_above_300_s),
        cmocka_unit_test(ids_out_of_order_are_counted_and_left_as_they_are),
        cmocka_unit_test(the_switch_equals_a_recomputation),
        cmocka_unit_test(ids_rise_and_no_trade_is_lost_over_switches_and_random_kills),
        cmocka_unit_test(a_silence_of_300_s_is_answered_within_10_s_and_left_after_10_buckets),
        cmocka_unit_test(a_gap_makes_buckets_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
