/* Real recordings end to end: file -> tape -> book and buckets, against the answers that are known
 * of them (README of the recorded data). Skipped where the data is absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../test/shared.h"
#include "base/decimal.h"
#include "base/file.h"
#include "capture/tape/import.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "derive/vclock/vclock.h"

enum { PATH_MAX_TEST = 1024 };

struct known {
    const char *files[2];
    int64_t update_id;
    const char *bid[2], *ask[2];                /* px, qty */
    size_t bids, asks;                          /* 0 = not known */
    uint64_t messages, levels, trades, tickers; /* 0 = not known */
    uint64_t checked, equal;
    const char *volume, *buys; /* NULL = not known */
};

static const struct known btc = {
    .files = {"data/raw/binance-usdm/btcusdt_20240808.gz"},
    .update_id = 5123135475514,
    .bid = {"61659.7", "1.486"},
    .ask = {"61659.8", "0.981"},
    .bids = 5018,
    .asks = 4578,
    .messages = 6551,
    .levels = 443521,
    .trades = 21313,
    .tickers = 66089,
    .checked = 6545,
    .equal = 6545,
    .volume = "2429.366",
    .buys = "1251.576",
};

static const struct known eth = {
    .files = {"data/raw/binance-usdm/ethusdt_20240808.gz"},
    .update_id = 5123135545737,
    .bid = {"2681.38", "8.486"},
    .ask = {"2681.39", "22.624"},
    .bids = 3181,
    .asks = 3013,
    .messages = 6586,
    .levels = 428662,
    .trades = 14076,
    .tickers = 53992,
    .checked = 6579,
    .equal = 6579,
    .volume = "9164.948",
};

static const struct known coinm = {
    .files = {"data/raw/binance-coinm/btcusd_perp_20240808.gz",
        "data/raw/binance-coinm/btcusd_perp_20240809.gz"},
    .update_id = 1007206781963,
    .bid = {"61600.0", "27"},
    .ask = {"61600.1", "1647"},
    .checked = 44770,
    .equal = 44770,
};

static const struct known spot = {
    .files = {"data/raw/binance-spot/btcusdt_20240808.gz",
        "data/raw/binance-spot/btcusdt_20240809.gz"},
    .update_id = 50093696318,
    .bid = {"61602.01", "1.67177"},
    .ask = {"61602.02", "2.66795"},
    .checked = 6492,
    .equal = 6490,
};

/* ---- a recording in memory ---- */

struct recording {
    struct event *slots;
    size_t n;
    struct instrument in;
};

static void recording_load(struct recording *r, const char *tape) {
    struct tape_reader *reader;
    struct tape_reader_options opt = {0};
    struct err_info e;
    const struct event *slots;
    size_t n, cap = 0;
    memset(r, 0, sizeof *r);
    assert_int_equal(tape_reader_open(&reader, tape, &opt, &e), ERR_OK);
    r->in = tape_reader_instruments(reader, &n)[0];
    assert_int_equal(n, 1);
    err_t code;
    while ((code = tape_reader_next(reader, &slots, &n, &e)) == ERR_OK) {
        if (r->n + n > cap) {
            cap = 2 * (r->n + n);
            r->slots = realloc(r->slots, cap * sizeof *r->slots);
            assert_non_null(r->slots);
        }
        memcpy(r->slots + r->n, slots, n * sizeof *slots);
        r->n += n;
    }
    assert_int_equal(code, ERR_END);
    tape_reader_close(reader);
}

/* False if a file of it is not beside this checkout. */
static bool recording_import(struct recording *r, const struct known *k) {
    static char paths[2][PATH_MAX_TEST];
    const char *files[2];
    size_t n = 0;
    for (size_t i = 0; i < 2 && k->files[i]; i++, n++) {
        snprintf(paths[i], sizeof paths[i], "%s/%s", FATHOM_SHARED, k->files[i]);
        files[i] = paths[i];
        if (access(paths[i], R_OK) == 0) continue;
        printf("skipped: %s is not beside this checkout\n", k->files[i]);
        return false;
    }
    char dir[] = "/tmp/fathom-recordings-XXXXXX", tape[64];
    assert_non_null(mkdtemp(dir));
    snprintf(tape, sizeof tape, "%s/tape", dir);
    struct import_options opt = {.files = files,
        .n_files = n,
        .to = tape,
        .jump_ppm = IMPORT_JUMP_PPM,
        .latency_ns = IMPORT_LATENCY_NS};
    struct import_report report;
    struct err_info e;
    assert_int_equal(import_run(&opt, &report, &e), ERR_OK);
    import_report_fini(&report);
    recording_load(r, tape);
    assert_int_equal(file_remove_tree(dir, &e), ERR_OK);
    return true;
}

static struct book *book_new(const struct recording *r) {
    void *mem = aligned_alloc(64, (book_mem_size(NULL) + 63) / 64 * 64);
    assert_non_null(mem);
    return book_init(mem, NULL, r->in.venue);
}

/* Quantities are compared as numbers: the unit of a recording decides the zeros that are printed.
 */
static void check_units(const char *want, int64_t got, int64_t unit_mant, uint8_t unit_exp) {
    struct decimal d;
    int64_t units;
    assert_true(decimal_parse(want, strlen(want), false, &d));
    assert_true(decimal_to_units(d, unit_mant, unit_exp, &units));
    assert_int_equal(got, units);
}

static void check_level(
    const struct recording *r, const struct book *b, int side, const char *const want[2]) {
    struct book_level best;
    assert_true(book_best(b, side, &best));
    check_units(want[0], best.px.ticks, r->in.px_mant, r->in.px_exp);
    check_units(want[1], best.qty.lots, r->in.qty_mant, r->in.qty_exp);
}

static void check_book(const struct known *k) {
    struct recording r;
    if (!recording_import(&r, k)) skip();
    struct book *b = book_new(&r);
    struct book_change change;
    for (size_t i = 0; i < r.n; i += event_slots(r.slots[i].kind))
        book_apply(b, &r.slots[i], &change);
    book_end(b);
    const struct book_counters *c = book_counters(b);
    assert_int_equal(book_state(b), BOOK_SYNCED);
    assert_int_equal(book_update_id(b), k->update_id);
    assert_int_equal(c->gaps + c->crossed + c->resyncs + c->dropped_pending + c->bad_levels, 0);
    check_level(&r, b, BOOK_BID, k->bid);
    check_level(&r, b, BOOK_ASK, k->ask);
    if (k->bids) assert_int_equal(book_count(b, BOOK_BID), k->bids);
    if (k->asks) assert_int_equal(book_count(b, BOOK_ASK), k->asks);
    if (k->messages) assert_int_equal(c->depth_messages, k->messages);
    if (k->levels) assert_int_equal(c->depth_levels, k->levels);
    if (k->trades) assert_int_equal(c->trades, k->trades);
    if (k->tickers) assert_int_equal(c->ticker_seen, k->tickers);
    assert_int_equal(c->ticker_checked, k->checked);
    assert_int_equal(c->ticker_equal, k->equal);
    free(b);
    free(r.slots);
}

static void bitcoin_futures_end_in_the_known_book(void **state) {
    (void)state;
    check_book(&btc);
}

static void ether_futures_end_in_the_known_book(void **state) {
    (void)state;
    check_book(&eth);
}

static void coin_margined_files_continue_over_midnight_without_a_gap(void **state) {
    (void)state;
    check_book(&coinm);
}

static void spot_files_continue_over_midnight_without_a_gap(void **state) {
    (void)state;
    check_book(&spot);
}

static void a_book_saved_and_loaded_on_the_way_has_the_same_hashes(void **state) {
    (void)state;
    struct recording r;
    if (!recording_import(&r, &btc)) skip();
    size_t size = (book_mem_size(NULL) + 63) / 64 * 64;
    struct book *whole = book_new(&r), *b = book_new(&r);
    void *spare = aligned_alloc(64, size);
    assert_non_null(spare);
    struct book_change change;
    uint64_t ha = 0, hb = 0;
    for (size_t i = 0; i < r.n; i += event_slots(r.slots[i].kind)) {
        book_apply(whole, &r.slots[i], &change);
        book_apply(b, &r.slots[i], &change);
        if (i % 9973 != 0) continue;
        ha = book_hash(whole, ha);
        hb = book_hash(b, hb);
        void *old = b;
        memcpy(spare, b, size);
        b = book_load(spare);
        assert_non_null(b);
        spare = old;
    }
    assert_true(ha == hb);
    assert_true(book_hash(whole, 0) == book_hash(b, 0));
    free(whole);
    free(b);
    free(spare);
    free(r.slots);
}

struct sums {
    int64_t volume, buys, trades, updates, last_id;
};

static void sums_add(struct sums *s, const struct bucket *b) {
    assert_int_equal(b->id, ++s->last_id);
    s->volume += b->volume.lots;
    s->buys += b->buy_volume.lots;
    s->trades += b->trades;
    s->updates += b->updates;
}

static struct sums cut_all(const struct recording *r, const char *text) {
    struct bucket_spec spec;
    struct bucket b;
    struct vclock vc;
    struct sums s = {0};
    const char *why;
    assert_true(bucket_spec_parse(text, r->in.qty_mant, r->in.qty_exp, &spec, &why));
    vclock_init(&vc, &spec, 0);
    for (size_t i = 0; i < r->n; i += event_slots(r->slots[i].kind)) {
        while (vclock_before(&vc, &r->slots[i], &b)) sums_add(&s, &b);
        if (vclock_after(&vc, &r->slots[i], &b)) sums_add(&s, &b);
    }
    if (vclock_end(&vc, &b)) sums_add(&s, &b);
    return s;
}

static void buckets_hold_the_known_volume_however_they_are_cut(void **state) {
    (void)state;
    static const char *const specs[] = {
        "time=1", "time=0.1", "volume=10", "volume=211,limit=45", "count=100", "update=50"};
    const struct known *all[] = {&btc, &eth};
    for (size_t a = 0; a < 2; a++) {
        struct recording r;
        if (!recording_import(&r, all[a])) skip();
        for (size_t k = 0; k < sizeof specs / sizeof specs[0]; k++) {
            struct sums s = cut_all(&r, specs[k]);
            check_units(all[a]->volume, s.volume, r.in.qty_mant, r.in.qty_exp);
            if (all[a]->buys) check_units(all[a]->buys, s.buys, r.in.qty_mant, r.in.qty_exp);
            assert_int_equal(s.trades, all[a]->trades);
            assert_int_equal(s.updates, all[a]->messages);
        }
        free(r.slots);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitcoin_futures_end_in_the_known_book),
        cmocka_unit_test(ether_futures_end_in_the_known_book),
        cmocka_unit_test(coin_margined_files_continue_over_midnight_without_a_gap),
        cmocka_unit_test(spot_files_continue_over_midnight_without_a_gap),
        cmocka_unit_test(a_book_saved_and_loaded_on_the_way_has_the_same_hashes),
        cmocka_unit_test(buckets_hold_the_known_volume_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
