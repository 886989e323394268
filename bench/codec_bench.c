/* codec_bench.c: nanoseconds from Binance's bytes to events.
 *
 *   codec_bench [RECORDING.gz [STAGE]]   lines `<stamp> <message>`; "-" or none: seeded messages in
 *                                        the recorded form (the 40-level depth always is)
 *   STAGE: trade, depth, depth40 or decimal only
 *
 * Prints input and its hash, the result hash (equal in every slice, else exit 1), the least of the
 * slices of about 1 ms in thread-CPU time, heap bytes taken while running, peak memory, compiler.
 * One line of JSON a stage at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "capture/venue/binance/binance.h"

enum { SLICES = 200, POOL_MAX = 2000, BYTES_MAX = 8 << 20, LEVELS_A_SIDE = 20, SEED = 20240808 };

/* Messages of one kind, back to back; every slice decodes all of them. */
struct pool {
    const char *name, *unit;
    char *bytes;
    size_t n, at[POOL_MAX + 1];
    uint64_t levels, hash;
    uint64_t units; /* messages decoded so far */
};

static struct binance_message message;
static struct event slots[BINANCE_SLOTS_MAX];
static const struct instrument btc = {
    .px_mant = 1, .px_exp = 1, .qty_mant = 1, .qty_exp = 3, .venue = VENUE_BINANCE_USDM};

static void pool_init(struct pool *p, const char *name, const char *unit) {
    memset(p, 0, sizeof *p);
    p->name = name;
    p->unit = unit;
    p->bytes = mem_alloc(BYTES_MAX);
}

static void pool_add(struct pool *p, const char *text, size_t n) {
    if (p->n == POOL_MAX || p->at[p->n] + n > BYTES_MAX) return;
    memcpy(p->bytes + p->at[p->n], text, n);
    p->at[p->n + 1] = p->at[p->n] + n;
    p->n++;
    p->hash = hash64(p->hash, text, n);
}

static int px(struct rng *r) { return 6000000 + (int)rng_below(r, 200000); }

static void trades_make(struct pool *p, struct rng *r) {
    char text[512];
    for (int i = 0; i < POOL_MAX; i++) {
        int v = px(r) / 10 * 10;
        size_t n = (size_t)snprintf(text, sizeof text,
            "{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\",\"E\":%lld,\"T\":%lld,\"s\":"
            "\"BTCUSDT\",\"t\":%d,\"p\":\"%d.%02d\",\"q\":\"%d.%03d\",\"X\":\"MARKET\",\"m\":%s}}",
            1723161256322LL + i, 1723161256320LL + i, 1266583935 + i, v / 100, v % 100,
            (int)rng_below(r, 3), (int)rng_below(r, 1000), rng_below(r, 2) ? "true" : "false");
        pool_add(p, text, n);
    }
}

static size_t side_make(char *text, size_t cap, struct rng *r) {
    size_t n = 0;
    for (int i = 0; i < LEVELS_A_SIDE; i++) {
        int v = px(r) / 10 * 10;
        n += (size_t)snprintf(text + n, cap - n, "%s[\"%d.%02d\",\"%d.%03d\"]", i ? "," : "",
            v / 100, v % 100, (int)rng_below(r, 20), (int)rng_below(r, 1000));
    }
    return n;
}

static void depth_make(struct pool *p, struct rng *r) {
    char text[4096], bids[1024], asks[1024];
    for (int i = 0; i < POOL_MAX / 4; i++) {
        side_make(bids, sizeof bids, r);
        side_make(asks, sizeof asks, r);
        size_t n = (size_t)snprintf(text, sizeof text,
            "{\"stream\":\"btcusdt@depth@0ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":%lld,\"T\":%"
            "lld,"
            "\"s\":\"BTCUSDT\",\"U\":5123107832006,\"u\":5123107837557,\"pu\":5123107831937,\"b\":["
            "%s],\"a\":[%s]}}",
            1723161256322LL + i, 1723161256320LL + i, bids, asks);
        pool_add(p, text, n);
    }
}

static void decimals_make(struct pool *p, struct rng *r) {
    char text[64];
    for (int i = 0; i < POOL_MAX; i++) {
        int v = px(r);
        size_t n = (size_t)snprintf(text, sizeof text, "\"%d.%02d\"", v / 100, v % 100);
        if (i % 2) n = (size_t)snprintf(text, sizeof text, "\"%d.%03d\"", v % 40, v % 1000);
        pool_add(p, text, n);
    }
}

/* The first messages of each kind of a recording. */
static bool recording_read(const char *path, struct pool *trades, struct pool *depth) {
    gzFile f = gzopen(path, "rb");
    if (!f) return false;
    char *line = mem_alloc(BINANCE_MESSAGE_MAX);
    while (gzgets(f, line, BINANCE_MESSAGE_MAX)) {
        const char *text = strchr(line, ' ');
        size_t n = text ? strcspn(++text, "\r\n") : 0;
        if (!text || binance_decode(text, n, &message, NULL) != BINANCE_OK) continue;
        if (message.kind == BINANCE_TRADE) pool_add(trades, text, n);
        if (message.kind == BINANCE_DEPTH && depth->n < POOL_MAX / 4) pool_add(depth, text, n);
    }
    free(line);
    gzclose(f);
    return true;
}

/* One slice over the pool: the hash covers every slot. Apart from its caller for callgrind. */
__attribute__((noinline)) static uint64_t messages_pass(struct pool *p, bool hashed) {
    uint64_t hash = 0, levels = 0, slots_all = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t n = 0;
        enum binance_status s =
            binance_decode(p->bytes + p->at[i], p->at[i + 1] - p->at[i], &message, NULL);
        if (s == BINANCE_OK) s = binance_events(&message, 0, &btc, (ts_t){1}, slots, &n, NULL);
        CHECK(s == BINANCE_OK);
        levels += n;
        slots_all += (uint64_t)slots[n - 1].px.ticks;
        if (hashed) hash = hash64(hash, slots, n * sizeof slots[0]);
    }
    p->levels = levels;
    p->units += p->n;
    return hashed ? hash : slots_all;
}

__attribute__((noinline)) static uint64_t decimals_pass(struct pool *p, bool hashed) {
    struct json_scan s;
    uint64_t sum = 0;
    json_scan_init(&s, p->bytes, p->at[p->n]);
    for (size_t i = 0; i < p->n; i++) {
        struct decimal d = {0, 0};
        int64_t units;
        CHECK(json_decimal(&s, &d) && decimal_to_scale(d, 3, &units));
        sum = hashed ? hash64(sum, &units, sizeof units) : sum + (uint64_t)units;
    }
    p->levels = p->n;
    p->units += p->n;
    return sum;
}

/* Least time of a slice; a slice repeats the pool until it lasts about 1 ms. */
static bool measure(struct pool *p, uint64_t (*pass)(struct pool *, bool)) {
    struct bench_slices slices;
    uint64_t result = pass(p, true), sum = pass(p, false);
    double t = bench_cpu_ns();
    (void)pass(p, false);
    t = bench_cpu_ns() - t;
    int repeat = bench_small() || t > 5e5 ? 1 : (int)(1e6 / t) + 1, n = bench_passes(SLICES);
    bench_slices_init(&slices);
    unsigned long heap = bench_heap_calls();
    bool same = true;
    for (int i = 0; i < n; i++) {
        bench_slices_begin(&slices);
        t = bench_cpu_ns();
        for (int k = 0; k < repeat; k++) same &= pass(p, false) == sum;
        bench_slices_add(&slices, bench_cpu_ns() - t);
    }
    heap = bench_heap_calls() - heap;
    same &= pass(p, true) == result;
    double least = bench_slices_sum(&slices), each = least / repeat / (double)p->n;
    printf(
        "%-10s %8.1f ns a %s, %.2f ns a slot (%zu of them, %.0f bytes and %.1f slots each; least "
        "of %d slices, A/A %.3f)\n",
        p->name, each, p->unit, least / repeat / (double)p->levels, p->n,
        (double)p->at[p->n] / (double)p->n, (double)p->levels / (double)p->n, n,
        bench_slices_noise(&slices));
    printf("           input %016llx, result %016llx, heap %lu calls%s\n",
        (unsigned long long)p->hash, (unsigned long long)result, heap, same ? "" : " WRONG");
    printf(
        "{\"stage\":\"%s\",\"ns\":%.2f,\"units\":%llu,\"input\":\"%016llx\",\"result\":\"%016llx\","
        "\"heap\":%lu}\n",
        p->name, each, (unsigned long long)p->units, (unsigned long long)p->hash,
        (unsigned long long)result, heap);
    bench_slices_free(&slices);
    return same && heap == 0;
}

int main(int argc, char **argv) {
    struct pool *pool = mem_alloc(4 * sizeof *pool);
    struct rng r;
    bool seeded = argc < 2 || strcmp(argv[1], "-") == 0, good = true;
    rng_init(&r, SEED, 1);
    pool_init(&pool[0], "trade", "message");
    pool_init(&pool[1], "depth", "message");
    pool_init(&pool[2], "depth40", "message");
    pool_init(&pool[3], "decimal", "decimal");
    if (!seeded && !recording_read(argv[1], &pool[0], &pool[1])) {
        fprintf(stderr, "codec_bench: %s cannot be read\n", argv[1]);
        return 4;
    }
    if (seeded) trades_make(&pool[0], &r);
    depth_make(&pool[2], &r);
    decimals_make(&pool[3], &r);
    printf("input      %s\n", seeded ? "seeded messages in the recorded form" : argv[1]);
    for (int i = 0; i < 4; i++) {
        bool wanted = argc < 3 || strcmp(argv[2], pool[i].name) == 0;
        if (wanted && pool[i].n > 0)
            good &= measure(&pool[i], i == 3 ? decimals_pass : messages_pass);
        free(pool[i].bytes);
    }
    bench_footer();
    free(pool);
    return good ? 0 : 1;
}
