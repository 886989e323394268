#include "capture/tape/import_spool.h"

#include "capture/tape/import_testing.h"

static uint64_t random_next(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 11;
}

/* Mostly small, sometimes as large as decimals get. */
static struct decimal any_decimal(uint64_t *seed) {
    uint64_t r = random_next(seed);
    int64_t mant = (int64_t)(r % (r % 7 ? 100000 : 1000000000000000000));
    return (struct decimal){r % 5 ? mant : -mant, (uint8_t)(random_next(seed) % 19)};
}

static int64_t any_int64(uint64_t *seed) {
    uint64_t r = random_next(seed);
    if (r % 97 == 0) return r & 128 ? INT64_MAX : INT64_MIN;
    return (int64_t)(r % 1000000) - 1000;
}

static void any_levels(uint64_t *seed, struct binance_level *l, uint32_t n, bool uniform) {
    for (uint32_t i = 0; i < n; i++) {
        l[i] = (struct binance_level){any_decimal(seed), any_decimal(seed)};
        if (uniform) l[i].px.exp = 2;
        if (uniform) l[i].qty.exp = 3;
    }
}

static void any_message(uint64_t *seed, struct binance_message *m) {
    static const uint8_t kinds[] = {BINANCE_TRADE, BINANCE_AGG_TRADE, BINANCE_DEPTH,
        BINANCE_PARTIAL_DEPTH, BINANCE_SNAPSHOT, BINANCE_TICKER};
    m->kind = kinds[random_next(seed) % 6];
    m->items = 1;
    m->venue_ns = any_int64(seed);
    m->msg_ns = any_int64(seed);
    if (m->kind == BINANCE_TICKER) {
        m->ticker = (struct binance_ticker){any_int64(seed), any_decimal(seed), any_decimal(seed),
            any_decimal(seed), any_decimal(seed)};
    } else if (m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE) {
        bool agg = m->kind == BINANCE_AGG_TRADE;
        m->trade = (struct binance_trade){any_int64(seed), agg ? any_int64(seed) : 0,
            agg ? any_int64(seed) : 0, any_decimal(seed), any_decimal(seed), random_next(seed) & 1,
            random_next(seed) & 1};
    } else {
        struct binance_depth *d = &m->depth;
        d->first_id = any_int64(seed);
        d->last_id = any_int64(seed);
        d->prev_id = any_int64(seed);
        d->has_prev = random_next(seed) & 1;
        uint64_t most = random_next(seed) % 300 == 0 ? BINANCE_LEVELS_MAX + 1 : 9;
        d->bids = (uint32_t)(random_next(seed) % most);
        d->asks = (uint32_t)(random_next(seed) % most);
        any_levels(seed, d->bid, d->bids, random_next(seed) & 1);
        any_levels(seed, d->ask, d->asks, random_next(seed) & 1);
    }
}

static void assert_decimals(struct decimal a, struct decimal b) {
    assert_int_equal(a.mant, b.mant);
    assert_int_equal(a.exp, b.exp);
}

static void assert_levels(
    const struct binance_level *a, const struct binance_level *b, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        assert_decimals(a[i].px, b[i].px);
        assert_decimals(a[i].qty, b[i].qty);
    }
}

static void assert_messages(const struct binance_message *a, const struct binance_message *b) {
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->items, b->items);
    assert_int_equal(a->venue_ns, b->venue_ns);
    assert_int_equal(a->msg_ns, b->msg_ns);
    if (a->kind == BINANCE_TICKER) {
        assert_int_equal(a->ticker.id, b->ticker.id);
        assert_decimals(a->ticker.bid_px, b->ticker.bid_px);
        assert_decimals(a->ticker.bid_qty, b->ticker.bid_qty);
        assert_decimals(a->ticker.ask_px, b->ticker.ask_px);
        assert_decimals(a->ticker.ask_qty, b->ticker.ask_qty);
    } else if (a->kind == BINANCE_TRADE || a->kind == BINANCE_AGG_TRADE) {
        assert_int_equal(a->trade.id, b->trade.id);
        assert_int_equal(a->trade.first_id, b->trade.first_id);
        assert_int_equal(a->trade.last_id, b->trade.last_id);
        assert_decimals(a->trade.px, b->trade.px);
        assert_decimals(a->trade.qty, b->trade.qty);
        assert_int_equal(a->trade.market, b->trade.market);
        assert_int_equal(a->trade.seller_aggressor, b->trade.seller_aggressor);
    } else {
        assert_int_equal(a->depth.first_id, b->depth.first_id);
        assert_int_equal(a->depth.last_id, b->depth.last_id);
        assert_int_equal(a->depth.prev_id, b->depth.prev_id);
        assert_int_equal(a->depth.has_prev, b->depth.has_prev);
        assert_int_equal(a->depth.bids, b->depth.bids);
        assert_int_equal(a->depth.asks, b->depth.asks);
        assert_levels(a->depth.bid, b->depth.bid, a->depth.bids);
        assert_levels(a->depth.ask, b->depth.ask, a->depth.asks);
    }
}

static void any_csv(uint64_t *seed, struct import_csv_row *r) {
    *r = (struct import_csv_row){.has = (uint32_t)random_next(seed)};
    for (unsigned role = 0; role < ROLE_DECIMALS; role++) {
        if (r->has >> role & 1u) r->d[role] = any_decimal(seed);
    }
    r->local_ns = any_int64(seed);
    r->event_ns = any_int64(seed);
    r->venue_ns = any_int64(seed);
    r->id = any_int64(seed);
    r->first_id = any_int64(seed);
    r->last_id = any_int64(seed);
    r->count = any_int64(seed);
    r->market = random_next(seed) & 1;
    r->seller_aggressor = random_next(seed) & 1;
}

/* One made-up row: the same for the same seed. */
static void any_row(uint64_t *seed, struct spool_row *what, struct import_row *row,
    struct binance_message *m, char *text) {
    *what = (struct spool_row){.what = (enum spool_what)(random_next(seed) % 4),
        .file = (uint32_t)(random_next(seed) % 4096),
        .symbol = (uint16_t)(random_next(seed) % 65536)};
    row->line = random_next(seed) % 1000000;
    row->at_ns = any_int64(seed);
    memset(row->symbol, 0, sizeof row->symbol);
    switch (what->what) {
    case SPOOL_BAD:
        row->reason = (enum import_reason)(random_next(seed) % IMPORT_REASON_COUNT);
        what->bad_kind = random_next(seed) & 1 ? EV_TRADE : 0;
        what->bad_id = what->bad_kind ? any_int64(seed) : 0;
        snprintf(row->why, sizeof row->why, "why %d", (int)(random_next(seed) % 1000));
        break;
    case SPOOL_TEXT:
        row->len = random_next(seed) % 400 == 0 ? BINANCE_MESSAGE_MAX : random_next(seed) % 300;
        memset(text, (int)('a' + random_next(seed) % 26), row->len);
        row->body = text;
        snprintf(row->symbol, sizeof row->symbol, "SYM%d", (int)(random_next(seed) % 100));
        break;
    case SPOOL_MESSAGE: any_message(seed, m); break;
    case SPOOL_CSV: any_csv(seed, &row->csv); break;
    }
}

struct pair {
    struct import_row row;
    struct binance_message m;
    char text[BINANCE_MESSAGE_MAX];
};

/* Unit and symbol text have done their work before. */
static void assert_csv(const struct import_csv_row *a, const struct import_csv_row *b) {
    assert_int_equal(a->has, b->has);
    for (unsigned role = 0; role < ROLE_DECIMALS; role++) assert_decimals(a->d[role], b->d[role]);
    assert_int_equal(a->local_ns, b->local_ns);
    assert_int_equal(a->event_ns, b->event_ns);
    assert_int_equal(a->venue_ns, b->venue_ns);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->first_id, b->first_id);
    assert_int_equal(a->last_id, b->last_id);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->market, b->market);
    assert_int_equal(a->seller_aggressor, b->seller_aggressor);
}

static void assert_rows(const struct spool_row *a, const struct spool_row *b, const struct pair *x,
    const struct pair *y) {
    assert_int_equal(a->what, b->what);
    assert_int_equal(a->file, b->file);
    assert_int_equal(a->symbol, b->symbol);
    assert_int_equal(x->row.line, y->row.line);
    assert_int_equal(x->row.at_ns, y->row.at_ns);
    switch (a->what) {
    case SPOOL_BAD:
        assert_int_equal(x->row.reason, y->row.reason);
        assert_int_equal(a->bad_kind, b->bad_kind);
        assert_int_equal(a->bad_id, b->bad_id);
        assert_string_equal(x->row.why, y->row.why);
        break;
    case SPOOL_TEXT:
        assert_int_equal(x->row.len, y->row.len);
        assert_memory_equal(x->row.body, y->row.body, x->row.len);
        assert_string_equal(x->row.symbol, y->row.symbol);
        break;
    case SPOOL_MESSAGE: assert_messages(&x->m, &y->m); break;
    case SPOOL_CSV: assert_csv(&x->row.csv, &y->row.csv); break;
    }
}

/* Puts `rows` made-up rows and gets them back; made anew from the seed for comparing. */
static void round_trip(struct fixture *f, uint64_t seed, int rows) {
    struct pair *x = calloc(1, sizeof *x), *y = calloc(1, sizeof *y);
    struct import_spool *s;
    struct spool_row a, b;
    struct err_info e;
    assert_int_equal(import_spool_open(&s, fixture_path(f, "tape"), &e), ERR_OK);
    uint64_t put = seed, get = seed;
    for (int i = 0; i < rows; i++) {
        any_row(&put, &a, &x->row, &x->m, x->text);
        if (import_spool_put(s, &a, &x->row, &x->m, &e)) fail_msg("%s", e.text);
    }
    assert_int_equal(import_spool_rewind(s, &e), ERR_OK);
    for (int i = 0; i < rows; i++) {
        any_row(&get, &a, &x->row, &x->m, x->text);
        if (import_spool_get(s, &b, &y->row, &y->m, &e)) fail_msg("row %d: %s", i, e.text);
        assert_rows(&a, &b, x, y);
    }
    assert_int_equal(import_spool_get(s, &b, &y->row, &y->m, &e), ERR_END);
    import_spool_close(s);
    free(x);
    free(y);
}

static void rows_come_back_as_they_went_in(void **state) {
    round_trip(*state, 1, 0);
    for (uint64_t seed = 1; seed < 40; seed++) round_trip(*state, seed, 50);
}

static void more_rows_than_the_buffer_holds_come_back_from_the_file(void **state) {
    printf("seed 77\n");
    round_trip(*state, 77, 20000);
}

static void no_file_is_left_in_the_folder_and_none_can_be_made_without_it(void **state) {
    struct fixture *f = *state;
    struct import_spool *s;
    struct err_info e;
    struct import_row row = {.body = calloc(1, BINANCE_MESSAGE_MAX), .len = BINANCE_MESSAGE_MAX};
    struct spool_row what = {.what = SPOOL_TEXT};
    char path[200];
    snprintf(path, sizeof path, "%s/no/such/folder/tape", f->dir);
    assert_int_equal(import_spool_open(&s, path, &e), ERR_OK);
    err_t err = ERR_OK;
    for (int i = 0; i < 4 && !err; i++) err = import_spool_put(s, &what, &row, NULL, &e);
    assert_int_equal(err, ERR_RESOURCE);
    assert_non_null(strstr(e.text, "no/such/folder"));
    import_spool_close(s);
    free((void *)(uintptr_t)row.body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_went_in),
        cmocka_unit_test(more_rows_than_the_buffer_holds_come_back_from_the_file),
        cmocka_unit_test(no_file_is_left_in_the_folder_and_none_can_be_made_without_it),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
