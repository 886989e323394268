/* Tests of the volume clock: laws over random streams, against a recomputation over whole arrays.
 */
#include "derive/vclock/vclock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 4000, BUCKETS = 20000, SEED = 20240808, SEEDS = 12, INST = 3 };
#define T0 ((int64_t)1723161255 * NS_PER_S)

static uint64_t next(uint64_t *rng) { /* splitmix64 */
    uint64_t z = (*rng += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static int64_t below(uint64_t *rng, int64_t n) { return (int64_t)(next(rng) % (uint64_t)n); }

struct stream {
    struct event ev[EVENTS];
    size_t n;
};

struct buckets {
    struct bucket b[BUCKETS];
    size_t n;
};

/* Trades, prints that are none, depth messages of 1..5 levels, tickers; time stands still, jumps
 * and goes back a little. */
static void make_stream(struct stream *s, uint64_t seed) {
    uint64_t rng = seed;
    int64_t t = T0, update = 1000;
    s->n = 0;
    while (s->n + 6 < EVENTS) {
        int64_t how = below(&rng, 100);
        t += how < 30 ? 0 : how < 97 ? below(&rng, 40) * NS_PER_MS : below(&rng, 9) * NS_PER_S;
        int64_t local = below(&rng, 20) == 0 ? t - below(&rng, 50) * NS_PER_MS : t;
        struct event e = {.ts_local = {local}, .inst = INST, .flags = EVF_FIRST | EVF_LAST};
        int64_t kind = below(&rng, 10);
        if (kind < 6) {
            e.kind = EV_TRADE;
            e.px.ticks = 60000 + below(&rng, 100);
            e.qty.lots = 1 + below(&rng, 500);
            e.flags |= (uint8_t)(below(&rng, 2) ? EVF_BUY : EVF_SELL);
            if (below(&rng, 30) == 0) e.flags |= EVF_NON_MARKET;
            if (below(&rng, 50) == 0) e.px.ticks = 0;
            s->ev[s->n++] = e;
        } else if (kind < 7) {
            e.kind = EV_TICKER;
            s->ev[s->n++] = e;
        } else {
            int64_t levels = 1 + below(&rng, 5);
            e.id = ++update;
            for (int64_t i = 0; i < levels; i++) {
                e.kind = EV_DEPTH;
                e.flags = EVF_BUY;
                if (i == 0) e.flags |= EVF_FIRST;
                if (i == levels - 1) e.flags |= EVF_LAST;
                s->ev[s->n++] = e;
            }
        }
    }
}

static void feed(struct vclock *vc, const struct event *ev, struct buckets *out) {
    while (vclock_before(vc, ev, &out->b[out->n])) assert_true(++out->n < BUCKETS);
    if (vclock_after(vc, ev, &out->b[out->n])) assert_true(++out->n < BUCKETS);
}

static void run(const struct stream *s, const struct bucket_spec *spec, struct buckets *out) {
    struct vclock vc;
    vclock_init(&vc, spec, INST);
    out->n = 0;
    for (size_t i = 0; i < s->n; i++) feed(&vc, &s->ev[i], out);
    if (vclock_end(&vc, &out->b[out->n])) out->n++;
}

static bool counts(const struct event *e) {
    return e->kind == EV_TRADE && !(e->flags & EVF_NON_MARKET) && e->px.ticks > 0;
}

static const struct bucket_spec specs[] = {{.mode = BUCKET_TIME, .size = NS_PER_S},
    {.mode = BUCKET_TIME, .size = 100 * NS_PER_MS}, {.mode = BUCKET_VOLUME, .size = 3000},
    {.mode = BUCKET_VOLUME, .size = 9000, .time_limit_ns = NS_PER_S},
    {.mode = BUCKET_COUNT, .size = 17},
    {.mode = BUCKET_COUNT, .size = 50, .time_limit_ns = NS_PER_S / 2},
    {.mode = BUCKET_UPDATE, .size = 11, .first_id = 500}};

enum { SPECS = sizeof specs / sizeof specs[0] };

static struct stream stream;
static struct buckets got, again;

static void every_trade_is_in_exactly_one_bucket(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        int64_t volume = 0, buys = 0, trades = 0, updates = 0;
        int128 value = 0;
        for (size_t i = 0; i < stream.n; i++) {
            const struct event *e = &stream.ev[i];
            updates += e->kind == EV_DEPTH && (e->flags & EVF_LAST);
            if (!counts(e)) continue;
            trades++;
            volume += e->qty.lots;
            value += (int128)e->qty.lots * e->px.ticks;
            if (e->flags & EVF_BUY) buys += e->qty.lots;
        }
        for (size_t k = 0; k < SPECS; k++) {
            run(&stream, &specs[k], &got);
            for (size_t i = 0; i < got.n; i++) {
                volume -= got.b[i].volume.lots;
                buys -= got.b[i].buy_volume.lots;
                trades -= got.b[i].trades;
                updates -= got.b[i].updates;
                value -= bucket_value(&got.b[i]);
            }
            if (volume || buys || trades || updates || value != 0)
                print_error("seed %llu spec %zu\n", (unsigned long long)seed, k);
            assert_int_equal(volume, 0);
            assert_int_equal(buys, 0);
            assert_int_equal(trades, 0);
            assert_int_equal(updates, 0);
            assert_true(value == 0);
            for (size_t i = 0; i < got.n; i++) { /* back for the next spec */
                volume += got.b[i].volume.lots;
                buys += got.b[i].buy_volume.lots;
                trades += got.b[i].trades;
                updates += got.b[i].updates;
                value += bucket_value(&got.b[i]);
            }
        }
    }
}

static void ids_rise_by_one_and_buckets_touch_without_negative_durations(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        for (size_t k = 0; k < SPECS; k++) {
            run(&stream, &specs[k], &got);
            assert_true(got.n > 5);
            assert_int_equal(got.b[0].id, specs[k].first_id ? specs[k].first_id : 1);
            for (size_t i = 0; i < got.n; i++) {
                const struct bucket *b = &got.b[i];
                assert_true(bucket_duration_ns(b) >= 0);
                assert_true(b->trigger > CUT_NONE && b->trigger < CUT_TRIGGERS);
                assert_int_equal(b->trigger == CUT_END, i == got.n - 1 && b->trigger == CUT_END);
                if (i == 0) continue;
                assert_int_equal(b->id, got.b[i - 1].id + 1);
                assert_int_equal(b->open_ts.ns, got.b[i - 1].close_ts.ns);
            }
        }
    }
}

/* Whole-array recomputation of time buckets: sums by floor(local time so far / size). */
static void time_buckets_equal_sums_by_clock_interval(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        int64_t size = specs[1].size, now = 0;
        run(&stream, &specs[1], &got);
        int64_t first = got.b[0].open_ts.ns / size;
        static int64_t volume[BUCKETS], high[BUCKETS];
        memset(volume, 0, sizeof volume);
        memset(high, 0, sizeof high);
        for (size_t i = 0; i < stream.n; i++) {
            const struct event *e = &stream.ev[i];
            if (e->ts_local.ns > now) now = e->ts_local.ns;
            if (!counts(e)) continue;
            int64_t slot = now / size - first;
            volume[slot] += e->qty.lots;
            if (e->px.ticks > high[slot]) high[slot] = e->px.ticks;
        }
        for (size_t i = 0; i < got.n; i++) {
            assert_int_equal(got.b[i].volume.lots, volume[i]);
            assert_int_equal(got.b[i].high.ticks, high[i]);
            if (got.b[i].trigger == CUT_TIME)
                assert_int_equal(got.b[i].close_ts.ns, (first + (int64_t)i + 1) * size);
        }
    }
}

/* The same for volume buckets: cut behind the trade whose running sum reaches the size. */
static void volume_buckets_equal_running_sums(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        run(&stream, &specs[2], &got);
        size_t k = 0;
        int64_t sum = 0, trades = 0, last = 0;
        for (size_t i = 0; i < stream.n; i++) {
            const struct event *e = &stream.ev[i];
            if (!counts(e)) continue;
            sum += e->qty.lots;
            trades++;
            last = e->px.ticks;
            if (sum < specs[2].size) continue;
            assert_int_equal(got.b[k].volume.lots, sum);
            assert_int_equal(got.b[k].trades, trades);
            assert_int_equal(got.b[k].close.ticks, last);
            assert_int_equal(got.b[k].trigger, CUT_VOLUME);
            sum = trades = 0;
            k++;
        }
        assert_true(k > 10);
        assert_true(got.n == k || got.b[k].volume.lots == sum);
    }
}

static void time_limit_bounds_every_duration(void **state) {
    (void)state;
    bool seen = false;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        run(&stream, &specs[3], &got);
        for (size_t i = 0; i < got.n; i++) {
            assert_true(bucket_duration_ns(&got.b[i]) <= specs[3].time_limit_ns);
            if (got.b[i].trigger != CUT_LIMIT) continue;
            seen = true;
            assert_int_equal(bucket_duration_ns(&got.b[i]), specs[3].time_limit_ns);
        }
    }
    assert_true(seen);
}

static void saving_and_loading_anywhere_changes_nothing(void **state) {
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + SEEDS; seed++) {
        make_stream(&stream, seed);
        uint64_t rng = seed;
        for (size_t k = 0; k < SPECS; k++) {
            run(&stream, &specs[k], &got);
            struct vclock vc, saved;
            vclock_init(&vc, &specs[k], INST);
            again.n = 0;
            for (size_t i = 0; i < stream.n; i++) {
                if (below(&rng, 7) == 0) {
                    memcpy(&saved, &vc, sizeof saved);
                    memset(&vc, 0xa5, sizeof vc);
                    memcpy(&vc, &saved, sizeof vc);
                }
                feed(&vc, &stream.ev[i], &again);
            }
            if (vclock_end(&vc, &again.b[again.n])) again.n++;
            assert_int_equal(got.n, again.n);
            assert_memory_equal(got.b, again.b, got.n * sizeof got.b[0]);
            uint64_t a = 0, b = 0;
            for (size_t i = 0; i < got.n; i++) {
                a = bucket_hash(&got.b[i], a);
                b = bucket_hash(&again.b[i], b);
            }
            assert_true(a == b && a != 0);
        }
    }
}

static struct event trade_at(int64_t t, int64_t px, int64_t lots) {
    return (struct event){.ts_local = {t},
        .kind = EV_TRADE,
        .inst = INST,
        .px = {px},
        .qty = {lots},
        .flags = EVF_FIRST | EVF_LAST | EVF_BUY};
}

static void an_event_at_the_boundary_belongs_to_the_next_bucket(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    struct event a = trade_at(T0 + 5, 10, 1), b = trade_at(T0 + NS_PER_S, 11, 2);
    feed(&vc, &a, &got);
    assert_int_equal(got.n, 0);
    feed(&vc, &b, &got);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.b[0].volume.lots, 1);
    assert_int_equal(got.b[0].open_ts.ns, T0 + 5);
    assert_int_equal(got.b[0].close_ts.ns, T0 + NS_PER_S);
    assert_int_equal(vclock_open(&vc)->volume.lots, 2);
}

static void a_message_is_never_cut_in_the_middle(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    struct event e = {.ts_local = {T0 + 5}, .kind = EV_DEPTH, .inst = INST, .flags = EVF_FIRST};
    feed(&vc, &e, &got);
    e.flags = EVF_LAST;
    e.ts_local.ns = T0 + 3 * NS_PER_S;
    feed(&vc, &e, &got);
    assert_int_equal(got.n, 0);
    assert_int_equal(vclock_open(&vc)->updates, 1);
    assert_int_equal(vclock_open(&vc)->close_ts.ns, T0 + NS_PER_S); /* not beyond its end */
    e.flags = EVF_FIRST | EVF_LAST;
    feed(&vc, &e, &got);
    assert_int_equal(got.n, 3);
    assert_int_equal(got.b[0].updates, 1);
}

static void a_long_silence_closes_a_bounded_number_of_buckets_and_the_id_jumps(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    struct event a = trade_at(T0 + 5, 10, 1), b = trade_at(T0 + 100000 * NS_PER_S + 7, 11, 2);
    feed(&vc, &a, &got);
    feed(&vc, &b, &got);
    assert_int_equal(got.n, 1 + VCLOCK_EMPTY_MAX);
    assert_false(bucket_empty(&got.b[0]));
    assert_true(bucket_empty(&got.b[got.n - 1]));
    assert_int_equal(vclock_open(&vc)->id, 1 + 100000);
    assert_int_equal(vclock_open(&vc)->open_ts.ns, T0 + 100000 * NS_PER_S);
    assert_int_equal(vclock_open(&vc)->volume.lots, 2);
}

static void aggregate_trades_count_only_where_single_trades_are_absent(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    struct event t = trade_at(T0, 10, 1), agg = trade_at(T0, 10, 7);
    agg.kind = EV_AGG_TRADE;
    feed(&vc, &agg, &got);
    assert_int_equal(vclock_open(&vc)->volume.lots, 7);
    assert_true(vclock_takes(&vc, &agg));
    feed(&vc, &t, &got);
    feed(&vc, &agg, &got);
    assert_false(vclock_takes(&vc, &agg));
    assert_true(vclock_takes(&vc, &t));
    assert_int_equal(vclock_open(&vc)->volume.lots, 8);
}

static void bar_at(struct event out[2], int64_t open_s, int64_t bar_s, int64_t volume) {
    out[0] = (struct event){.kind = EV_KLINE,
        .inst = INST,
        .px = {105},
        .qty = {volume},
        .flags = EVF_FIRST | EVF_LAST | EVF_CLOSED};
    out[0].id = T0 + open_s * NS_PER_S;
    out[0].ts_local.ns = out[0].id + bar_s * NS_PER_S + 12345;
    struct event_cont c = {{[KLINE_OPEN_PX] = 100,
        [KLINE_HIGH_PX] = 110 + open_s,
        [KLINE_LOW_PX] = 90,
        [KLINE_QUOTE_VOLUME_E8] = volume * 250000000,
        [KLINE_TAKER_BUY_QTY] = volume / 2,
        [KLINE_TAKER_BUY_QUOTE_E8] = KLINE_UNKNOWN,
        [KLINE_COUNT] = 4,
        [KLINE_CLOSE_NS] = out[0].id + bar_s * NS_PER_S - NS_PER_MS}};
    memcpy(&out[1], &c, sizeof c);
}

static void bars_fill_the_buckets_of_their_open_time(void **state) {
    (void)state;
    struct vclock vc;
    struct bucket_spec spec = {.mode = BUCKET_TIME, .size = 15 * NS_PER_S};
    struct instrument in = {.px_mant = 5, .px_exp = 1, .qty_mant = 1, .qty_exp = 2};
    vclock_init(&vc, &spec, INST); /* T0 is a multiple of 15 s */
    vclock_units(&vc, &in);
    got.n = 0;
    struct event bar[2];
    static const int64_t opens[] = {0, 5, 10, 15, 20, 25, 25, 60, 75};
    for (size_t i = 0; i < sizeof opens / sizeof opens[0]; i++) {
        bar_at(bar, opens[i], 5, 10 * (int64_t)(i + 1)); /* the second 25 is a duplicate */
        feed(&vc, bar, &got);
    }
    if (vclock_end(&vc, &got.b[got.n])) got.n++;
    assert_int_equal(got.n, 6); /* 0, 15, empty 30 and 45, 60, and the open one of 75 */
    assert_int_equal(got.b[0].volume.lots, 60);
    assert_int_equal(got.b[0].buy_volume.lots, 30);
    assert_int_equal(got.b[0].trades, 12);
    assert_int_equal(got.b[0].high.ticks, 120);
    assert_int_equal(got.b[0].trigger, CUT_KLINE);
    assert_int_equal(got.b[0].close_ts.ns, T0 + 15 * NS_PER_S);
    assert_true(got.b[0].taker_known && got.b[0].from_kline && got.b[0].value_known);
    /* quote 60 x 2.5 = 150 in units of 0.5 x 0.01 */
    assert_int_equal((int64_t)bucket_value(&got.b[0]), 30000);
    assert_int_equal(got.b[1].volume.lots, 40 + 50 + 60);
    assert_true(bucket_empty(&got.b[2]) && bucket_empty(&got.b[3]));
    assert_int_equal(got.b[2].trigger, CUT_TIME);
    assert_int_equal(got.b[4].volume.lots, 80);
    assert_int_equal(got.b[4].trigger, CUT_TIME); /* its second and third bar never came */
    assert_int_equal(got.b[5].trigger, CUT_END);
}

static void bars_do_not_count_beside_trades(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    struct event bar[2], t = trade_at(T0, 10, 1);
    feed(&vc, &t, &got);
    bar_at(bar, 0, 1, 1000);
    feed(&vc, bar, &got);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.b[0].volume.lots, 1);
    assert_false(got.b[0].from_kline);
    bar_at(bar, 1, 1, 1000);
    assert_false(vclock_takes(&vc, bar));
}

static void bars_of_another_length_count_nowhere(void **state) {
    (void)state;
    struct vclock vc;
    struct bucket_spec spec = {.mode = BUCKET_TIME, .size = 15 * NS_PER_S};
    vclock_init(&vc, &spec, INST);
    got.n = 0;
    struct event bar[2];
    for (int64_t i = 0; i < 30; i += 5) {
        bar_at(bar, i, 5, 1);
        feed(&vc, bar, &got);
        bar_at(bar, i, 15, 100); /* the same time once more, in longer bars */
        feed(&vc, bar, &got);
    }
    assert_int_equal(got.n, 2);
    assert_int_equal(got.b[0].volume.lots, 3);
    assert_int_equal(got.b[1].volume.lots, 3);
}

static void a_gap_marks_its_bucket_only(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    vclock_gap(&vc); /* before the first event: it belongs to the first bucket */
    struct event t = trade_at(T0, 10, 1);
    feed(&vc, &t, &got);
    assert_true(vclock_open(&vc)->gapped);
    vclock_init(&vc, &specs[0], INST);
    struct event gap = {.ts_local = {T0 + 3},
        .kind = EV_GAP,
        .inst = INST,
        .flags = EVF_FIRST | EVF_LAST,
        .id = GAP_CONNECTION};
    feed(&vc, &t, &got);
    feed(&vc, &gap, &got);
    t.ts_local.ns += NS_PER_S;
    feed(&vc, &t, &got);
    t.ts_local.ns += NS_PER_S;
    feed(&vc, &t, &got);
    assert_int_equal(got.n, 2);
    assert_true(got.b[0].gapped);
    assert_false(got.b[1].gapped);
    vclock_gap(&vc);
    assert_true(vclock_open(&vc)->gapped);
}

static void hostile_sizes_saturate_instead_of_wrapping(void **state) {
    (void)state;
    struct vclock vc;
    vclock_init(&vc, &specs[0], INST);
    got.n = 0;
    for (int i = 0; i < 5; i++) {
        struct event t = trade_at(T0, INT64_MAX, INT64_MAX / 2);
        feed(&vc, &t, &got);
    }
    assert_true(vclock_end(&vc, &got.b[0]));
    assert_true(got.b[0].volume.lots == INT64_MAX && got.b[0].gapped);
    assert_true(bucket_value(&got.b[0]) > 0);
}

static void specs_are_read_exactly_or_refused_with_a_reason(void **state) {
    (void)state;
    struct bucket_spec s;
    const char *why = NULL;
    assert_true(bucket_spec_parse("time=0.5", 1, 3, &s, &why));
    assert_true(s.mode == BUCKET_TIME && s.size == NS_PER_S / 2 && s.time_limit_ns == 0);
    assert_true(bucket_spec_parse("volume=10.5,limit=60", 5, 1, &s, &why));
    assert_true(s.mode == BUCKET_VOLUME && s.size == 21 && s.time_limit_ns == 60 * NS_PER_S);
    assert_true(bucket_spec_parse("count=100", 1, 0, &s, &why) && s.mode == BUCKET_COUNT);
    assert_true(bucket_spec_parse("update=50,limit=0.1", 1, 0, &s, &why) && s.size == 50);
    static const char *const bad[] = {"", "time", "time=", "time=0", "time=-1", "time=1e3",
        "time=1,limit=5", "time=0.0000000001", "volume=0", "volume=0.07", "volume=x", "count=1.5",
        "count=0", "update=-3", "volume=10,limit=", "volume=10,limit=0", "volume=10,max=3",
        "volume=10,limit=5,limit=6", "tick=5", "=5", "time=99999999999", " time=1", ",limit=3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        why = NULL;
        struct bucket_spec before = s;
        if (bucket_spec_parse(bad[i], 5, 1, &s, &why)) fail_msg("'%s' was taken", bad[i]);
        assert_non_null(why);
        assert_memory_equal(&before, &s, sizeof s);
    }
}

static void a_bucket_finer_than_the_bar_is_refused(void **state) {
    (void)state;
    const char *why = NULL;
    struct bucket_spec s = {.mode = BUCKET_TIME, .size = 300 * NS_PER_S};
    assert_true(bucket_spec_fits_bar(&s, 60 * NS_PER_S, &why));
    assert_true(bucket_spec_fits_bar(&s, 300 * NS_PER_S, &why));
    assert_false(bucket_spec_fits_bar(&s, 900 * NS_PER_S, &why));
    assert_false(bucket_spec_fits_bar(&s, 120 * NS_PER_S, &why));
    assert_non_null(why);
    s.mode = BUCKET_UPDATE;
    assert_false(bucket_spec_fits_bar(&s, 60 * NS_PER_S, &why));
}

int main(void) {
    printf("seeds %d..%d\n", SEED, SEED + SEEDS - 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trade_is_in_exactly_one_bucket),
        cmocka_unit_test(ids_rise_by_one_and_buckets_touch_without_negative_durations),
        cmocka_unit_test(time_buckets_equal_sums_by_clock_interval),
        cmocka_unit_test(volume_buckets_equal_running_sums),
        cmocka_unit_test(time_limit_bounds_every_duration),
        cmocka_unit_test(saving_and_loading_anywhere_changes_nothing),
        cmocka_unit_test(an_event_at_the_boundary_belongs_to_the_next_bucket),
        cmocka_unit_test(a_message_is_never_cut_in_the_middle),
        cmocka_unit_test(a_long_silence_closes_a_bounded_number_of_buckets_and_the_id_jumps),
        cmocka_unit_test(aggregate_trades_count_only_where_single_trades_are_absent),
        cmocka_unit_test(bars_fill_the_buckets_of_their_open_time),
        cmocka_unit_test(bars_do_not_count_beside_trades),
        cmocka_unit_test(bars_of_another_length_count_nowhere),
        cmocka_unit_test(a_gap_marks_its_bucket_only),
        cmocka_unit_test(hostile_sizes_saturate_instead_of_wrapping),
        cmocka_unit_test(specs_are_read_exactly_or_refused_with_a_reason),
        cmocka_unit_test(a_bucket_finer_than_the_bar_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
