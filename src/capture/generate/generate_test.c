/* The recording as a receiver sees it: every line decoded, the book rebuilt, faults where the truth
 * says they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/unit.h"
#include "capture/generate/generate.h"
#include "capture/venue/binance/binance.h"

#define GOLDEN 0x7f8f53345cab9df4ull

enum { LINE_MAX_BYTES = 1 << 18, TICKS = 1 << 20 };

static struct binance_message message;
static struct event slots[BINANCE_SLOTS_MAX];
static char folder[64];
static char out_path[128];

static int folder_make(void **state) {
    (void)state;
    strcpy(folder, "/tmp/fathom-generate-XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(out_path, sizeof out_path, "%s/market.gz", folder);
    return 0;
}

static int folder_remove(void **state) {
    (void)state;
    struct err_info e;
    return file_remove_tree(folder, &e) == ERR_OK ? 0 : -1;
}

static struct generate_options options(uint64_t seed, double hours) {
    struct generate_options o = generate_defaults();
    o.out = out_path;
    o.seed = seed;
    o.hours = hours;
    o.force = true;
    return o;
}

static struct generate_result write_one(struct generate_options *o) {
    struct generate_result r;
    struct err_info e = {0};
    if (generate_write(o, &r, &e)) fail_msg("%s", e.text);
    return r;
}

static void the_same_seed_gives_the_same_text(void **state) {
    (void)state;
    struct generate_options o = options(5, 0.05);
    struct generate_result a = write_one(&o), b = write_one(&o);
    assert_true(a.hash == b.hash && a.lines == b.lines && a.raw_bytes == b.raw_bytes);
    o.seed = 6;
    assert_true(write_one(&o).hash != a.hash);
    o.seed = 5;
    o.signal = 0.2;
    assert_true(write_one(&o).hash != a.hash);
}

/* Golden: the text of seed 1 may change only on purpose (another generator, another truth). */
static void the_text_of_seed_1_is_the_known_one(void **state) {
    (void)state;
    struct generate_options o = options(1, 0.1);
    struct generate_result r = write_one(&o);
    printf("hash %016llx\n", (unsigned long long)r.hash);
    assert_true(r.hash == GOLDEN);
}

/* What a receiver counts and rebuilds. */
struct seen {
    uint64_t lines, bad, first_bad_line, kind[BINANCE_KIND_COUNT], levels, non_market, breaks;
    uint64_t ticker_equal, ticker_other, crossed, backwards, before_event, id_repeats, id_skips,
        ahead;
    int64_t lots, buy_lots, last_u, last_local, last_trade;
    int64_t *qty[2]; /* by tick; the snapshot replaces */
    int64_t best[2], levels_now[2];
    bool synced, torn;
};

static void level_set(struct seen *s, int side, int64_t tick, int64_t qty) {
    assert_true(tick > 0 && tick < TICKS);
    s->qty[side][tick] = qty;
    int64_t out = side == 0 ? -1 : 1, *best = &s->best[side];
    if (qty > 0 && (*best == 0 || (side == 0 ? tick > *best : tick < *best))) *best = tick;
    while (*best > 0 && *best < TICKS && s->qty[side][*best] == 0) *best += out;
}

static void depth_see(struct seen *s, const struct instrument *in) {
    size_t n = 0;
    assert_int_equal(binance_events(&message, 0, in, (ts_t){1}, slots, &n, NULL), BINANCE_OK);
    bool snapshot = message.kind == BINANCE_SNAPSHOT;
    if (snapshot) {
        for (int side = 0; side < 2; side++) memset(s->qty[side], 0, TICKS * sizeof(int64_t));
        s->best[0] = s->best[1] = 0;
        s->synced = true;
    } else if (s->last_u && message.depth.prev_id != s->last_u) {
        s->breaks++;
        s->synced = false;
    }
    if (!snapshot) s->last_u = message.depth.last_id;
    if (!s->synced) return;
    for (size_t i = 0; i < n; i++)
        if (slots[i].kind == EV_DEPTH)
            level_set(s, slots[i].flags & EVF_BUY ? 0 : 1, slots[i].px.ticks, slots[i].qty.lots);
    if (s->best[0] >= s->best[1]) {
        s->crossed++;
        s->synced = false;
    }
}

static void ticker_see(struct seen *s) {
    const struct event *e = &slots[0];
    if (!s->synced || e->id != s->last_u) return;
    bool equal = e->px.ticks == s->best[0] && e->ask.px.ticks == s->best[1] &&
                 e->qty.lots == s->qty[0][s->best[0]] && e->ask.qty.lots == s->qty[1][s->best[1]];
    s->ticker_equal += equal;
    s->ticker_other += !equal;
}

static void trade_see(struct seen *s) {
    const struct event *e = &slots[0];
    if (s->last_trade && e->id == s->last_trade) s->id_repeats++;
    if (s->last_trade && e->id > s->last_trade + 1) s->id_skips++;
    s->last_trade = e->id;
    if (e->flags & EVF_NON_MARKET) {
        s->non_market++;
        return;
    }
    s->lots += e->qty.lots;
    if (e->flags & EVF_BUY) s->buy_lots += e->qty.lots;
}

static void line_see(struct seen *s, const char *line) {
    struct instrument in = {.px_mant = 1, .px_exp = 2, .qty_mant = 1, .qty_exp = 3, .venue = 1};
    char *text;
    int64_t local = strtoll(line, &text, 10);
    size_t n = 0, length = strcspn(++text, "\n");
    s->lines++;
    if (binance_decode(text, length, &message, NULL) != BINANCE_OK) {
        if (s->bad++ == 0) s->first_bad_line = s->lines;
        return;
    }
    s->kind[message.kind]++;
    if (local < s->last_local) s->backwards++;
    if (message.msg_ns && local < message.venue_ns) s->before_event++;
    s->last_local = local;
    s->ahead += message.msg_ns && local - message.msg_ns > 30 * NS_PER_S;
    if (message.kind == BINANCE_DEPTH || message.kind == BINANCE_SNAPSHOT) {
        depth_see(s, &in);
        if (message.kind == BINANCE_DEPTH) s->levels += message.depth.bids + message.depth.asks;
        return;
    }
    assert_int_equal(binance_events(&message, 0, &in, (ts_t){1}, slots, &n, NULL), BINANCE_OK);
    if (message.kind == BINANCE_TRADE) trade_see(s);
    if (message.kind == BINANCE_TICKER) ticker_see(s);
}

static void recording_see(struct seen *s) {
    char *line = malloc(LINE_MAX_BYTES);
    int error = 0;
    memset(s, 0, sizeof *s);
    for (int side = 0; side < 2; side++) s->qty[side] = calloc(TICKS, sizeof(int64_t));
    gzFile f = gzopen(out_path, "rb");
    assert_non_null(f);
    while (gzgets(f, line, LINE_MAX_BYTES))
        if (strchr(line, '\n')) line_see(s, line);
    (void)gzerror(f, &error);
    s->torn = (gzclose(f) != Z_OK) | (error == Z_BUF_ERROR);
    free(line);
}

static void seen_free(struct seen *s) {
    free(s->qty[0]);
    free(s->qty[1]);
}

static void a_receiver_counts_and_rebuilds_what_the_truth_says(void **state) {
    (void)state;
    struct generate_options o = options(9, 0.2);
    o.signal = 0.2;
    struct generate_result r = write_one(&o);
    struct seen s;
    recording_see(&s);
    assert_int_equal(s.lines, r.lines);
    assert_int_equal(s.bad + s.breaks + s.crossed + s.backwards + s.before_event, 0);
    assert_int_equal(s.kind[BINANCE_DEPTH], r.depth_messages);
    assert_int_equal(s.levels, r.depth_levels);
    assert_int_equal(s.kind[BINANCE_SNAPSHOT], r.snapshots);
    assert_int_equal(s.kind[BINANCE_TICKER], r.tickers);
    assert_int_equal(s.kind[BINANCE_TRADE], r.trades);
    assert_int_equal(s.kind[BINANCE_MARK], r.marks);
    assert_int_equal(s.lots, r.volume_lots);
    assert_int_equal(s.buy_lots, r.taker_buy_lots);
    assert_int_equal(s.last_local, r.last_local_ns);
    assert_int_equal(s.last_u, r.update_id);
    assert_int_equal(s.ticker_other + s.id_repeats + s.id_skips, 0);
    assert_true(s.ticker_equal > r.tickers * 9 / 10);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(s.best[side], r.best_tick[side]);
        assert_int_equal(s.qty[side][s.best[side]], r.best_lots[side]);
    }
    assert_true(r.trades > 1000 && r.marks == 719);
    seen_free(&s);
}

/* One fault; `line` is the text of the line the truth names. */
static struct seen faulty(enum generate_fault_kind kind, struct generate_fault *f,
    struct generate_result *r, char *line) {
    struct generate_options o = options(11, 0.05);
    o.fault[o.faults++] = (struct generate_fault){.kind = kind};
    *r = write_one(&o);
    *f = o.fault[0];
    assert_true(f->done);
    struct seen s;
    recording_see(&s);
    line[0] = 0;
    gzFile g = gzopen(out_path, "rb");
    for (uint64_t i = 0; i < f->line; i++)
        if (!gzgets(g, line, LINE_MAX_BYTES)) break;
    gzclose(g);
    return s;
}

static void each_fault_is_where_the_truth_says(void **state) {
    (void)state;
    char *line = malloc(LINE_MAX_BYTES);
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        struct generate_fault f;
        struct generate_result r;
        struct seen s = faulty((enum generate_fault_kind)kind, &f, &r, line);
        bool book = kind == FAULT_GAP || kind == FAULT_REORDER;
        assert_int_equal(s.breaks > 0, book);
        assert_int_equal(s.crossed, kind == FAULT_CROSSED);
        assert_int_equal(s.id_repeats, kind == FAULT_DUP);
        assert_int_equal(s.id_skips, kind == FAULT_ID_GAP);
        assert_int_equal(s.non_market, kind == FAULT_NONMARKET);
        assert_int_equal(s.bad, kind == FAULT_MALFORMED);
        assert_int_equal(s.torn, kind == FAULT_TORN);
        assert_int_equal(s.backwards, kind == FAULT_CLOCK_STEP);
        bool resync = book || kind == FAULT_CROSSED;
        if (kind != FAULT_TORN) {
            assert_int_equal(s.kind[BINANCE_SNAPSHOT], resync ? 2 : 1);
            assert_int_equal(s.kind[BINANCE_DEPTH], r.depth_messages);
            assert_true(s.synced);
            assert_int_equal(s.best[0], r.best_tick[0]);
        }
        if (kind == FAULT_MALFORMED) assert_int_equal(s.first_bad_line, f.line);
        if (kind == FAULT_NONMARKET) assert_non_null(strstr(line, "INSURANCE_FUND"));
        char id[40];
        snprintf(id, sizeof id, ":%lld,", (long long)f.id);
        bool named = kind == FAULT_DUP || kind == FAULT_NONMARKET || kind == FAULT_PRICE_JUMP ||
                     kind == FAULT_CROSSED || kind == FAULT_REORDER || kind == FAULT_ID_GAP;
        if (named) assert_non_null(strstr(line, id));
        if (kind == FAULT_CLOCK_STEP) {
            assert_int_equal(f.lines, s.ahead);
            assert_true(strtoll(line, NULL, 10) - f.local_ns > 50 * NS_PER_S);
        }
        seen_free(&s);
    }
    free(line);
}

static void truth_rows_are_consecutive_buckets(void **state) {
    (void)state;
    struct generate_options o = options(2, 0.05);
    o.bucket_s = 2;
    struct generate_result r = write_one(&o);
    FILE *f = fopen(r.csv_path, "r");
    char line[256];
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "bucket_start_ns,bucket_end_ns,latent,next_mid_return\n");
    uint64_t rows = 0;
    for (long long start, end, expected = GENERATE_START_NS; fgets(line, sizeof line, f); rows++) {
        double latent, ret;
        assert_int_equal(sscanf(line, "%lld,%lld,%lf,%lf", &start, &end, &latent, &ret), 4);
        assert_true(start == expected && end == start + 2 * NS_PER_S);
        assert_true(latent > -7 && latent < 7 && ret > -0.01 && ret < 0.01);
        expected = end;
    }
    fclose(f);
    assert_int_equal(rows, r.buckets);
    assert_true(rows == 88 || rows == 89); /* of 90: the last has no next, its end may be cut */
}

static bool stop_now(void) { return true; }

static void outputs_appear_whole_or_not_at_all(void **state) {
    (void)state;
    struct err_info e;
    struct generate_result r;
    struct generate_options o = options(1, 0.05);
    (void)unlink(out_path);
    o.stop = stop_now;
    assert_int_equal(generate_write(&o, &r, &e), ERR_INTERRUPTED);
    assert_false(file_exists(out_path));
    o.stop = NULL;
    (void)write_one(&o);
    o.force = false;
    assert_int_equal(generate_write(&o, &r, &e), ERR_USAGE);
    o.symbol = "bad symbol";
    assert_int_equal(generate_write(&o, &r, &e), ERR_USAGE);
    o.symbol = "SIMUSDT";
    o.out = "/nonexistent/market.gz";
    assert_int_equal(generate_write(&o, &r, &e), ERR_RESOURCE);
    enum generate_fault_kind kind;
    for (int i = 0; i < FAULT_KINDS; i++) {
        assert_true(generate_fault_find(generate_fault_name((enum generate_fault_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_false(generate_fault_find("gaps", &kind));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_text),
        cmocka_unit_test(the_text_of_seed_1_is_the_known_one),
        cmocka_unit_test(a_receiver_counts_and_rebuilds_what_the_truth_says),
        cmocka_unit_test(each_fault_is_where_the_truth_says),
        cmocka_unit_test(truth_rows_are_consecutive_buckets),
        cmocka_unit_test(outputs_appear_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
