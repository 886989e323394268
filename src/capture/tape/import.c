#include "capture/tape/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "capture/tape/import_lobster.h"
#include "capture/tape/import_spool.h"
#include "capture/tape/import_units.h"
#include "capture/tape/tape.h"

enum { PROGRESS_ROWS = 4096 };

struct session {
    const struct import_options *opt;
    struct import_report *report;
    struct import_units units;
    struct import_file *file; /* as given */
    size_t n_files;
    struct import_file **by_start; /* by time of the first row */
    struct import_file **active;   /* open now */
    size_t n_active, n_started;
    struct binance_message *message;
    struct event *slots;

    bool writing; /* second pass */
    uint64_t bytes_done, bytes_all;
    bool interrupted;
    err_t torn; /* packed input that ends in mid-stream: what came before is imported */
    struct err_info torn_info;

    struct import_spool *spool;
    struct import_row row; /* out of the spool */

    struct import_rules *rules;
    struct tape_writer *tape;
    const struct instrument *table;
    size_t table_rows;
};

/* ---- merge of the files by time ---- */

static bool earlier(const struct import_file *a, const struct import_file *b) {
    if (a->row.at_ns != b->row.at_ns) return a->row.at_ns < b->row.at_ns;
    if (a->rank != b->rank) return a->rank < b->rank;
    return a < b;
}

static struct import_file *earliest(const struct session *s) {
    struct import_file *f = s->active[0];
    for (size_t i = 1; i < s->n_active; i++) {
        if (earlier(s->active[i], f)) f = s->active[i];
    }
    return f;
}

static void stop_file(struct session *s, struct import_file *f) {
    size_t i = 0;
    while (s->active[i] != f) i++;
    s->active[i] = s->active[--s->n_active];
    import_file_close(f);
    s->bytes_done += f->bytes;
}

static err_t advance(struct session *s, struct import_file *f, struct err_info *e) {
    err_t err = import_file_next(f, e);
    if (err == ERR_INPUT) {
        s->torn = err;
        s->torn_info = *e;
    }
    if (err == ERR_END) stop_file(s, f);
    return err == ERR_END || err == ERR_INPUT ? ERR_OK : err;
}

/* Opens files until none that is still closed can hold the next row. */
static err_t start_files(struct session *s, struct err_info *e) {
    while (s->n_started < s->n_files && !s->torn) {
        struct import_file *f = s->by_start[s->n_started];
        if (s->n_active > 0 && f->first_ns > earliest(s)->row.at_ns) break;
        err_t err = import_file_open(f, e);
        if (err) return err;
        s->n_started++;
        s->active[s->n_active++] = f;
        err = advance(s, f, e);
        if (err) return err;
    }
    return ERR_OK;
}

static void tell_progress(struct session *s) {
    if (s->opt->interrupted && s->opt->interrupted()) s->interrupted = true;
    if (!s->opt->progress) return;
    uint64_t open = 0;
    for (size_t i = 0; i < s->n_active; i++) open += import_source_offset(s->active[i]->source);
    s->opt->progress(s->opt->ctx, s->bytes_done + open, s->bytes_all);
}

static err_t survey_row(struct session *s, struct import_file *f, struct err_info *e);

/* Every row of all files in order of time. */
static err_t walk(struct session *s, struct err_info *e) {
    err_t err = start_files(s, e);
    for (uint64_t rows = 1; !err && !s->torn && s->n_active > 0 && !s->interrupted; rows++) {
        struct import_file *f = earliest(s);
        err = survey_row(s, f, e);
        if (!err) err = advance(s, f, e);
        if (!err) err = start_files(s, e);
        if (rows % PROGRESS_ROWS == 0) tell_progress(s);
    }
    while (s->n_active > 0) stop_file(s, s->active[0]);
    return err;
}

/* ---- survey: units, clock offsets, rows into the spool ---- */

static int compare_ns(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Median of the sample, then the least latency less than a second below it. */
static void latency_settle(struct import_latency *l) {
    if (l->settled || l->n == 0) return;
    qsort(l->sample, l->n, sizeof *l->sample, compare_ns);
    l->median = l->sample[l->n / 2];
    size_t i = 0;
    while (l->sample[i] < l->median - NS_PER_S) i++;
    l->least = l->sample[i];
    l->settled = true;
}

static err_t latency_add(struct import_latency *l, int64_t ns, struct err_info *e) {
    if (l->settled) {
        if (ns < l->least && ns >= l->median - NS_PER_S) l->least = ns;
        return ERR_OK;
    }
    if (!l->sample) l->sample = malloc(LATENCY_SAMPLE * sizeof *l->sample);
    if (!l->sample) return err_set(e, ERR_RESOURCE, "no memory for the latency statistics");
    l->sample[l->n++] = ns;
    if (l->n == LATENCY_SAMPLE) latency_settle(l);
    return ERR_OK;
}

/* The recorder's clock offset is removed where it shows: the typical message cannot arrive before
 * it was sent, nor later than the limit that makes a latency an outlier. */
static void offset_settle(struct import_file *f, int64_t limit_ns) {
    struct import_latency *l = &f->latency;
    latency_settle(l);
    f->offset_ns = l->n > 0 && (l->median < 0 || l->median > limit_ns) ? l->least : 0;
    free(l->sample);
    l->sample = NULL;
}

static struct import_symbol *symbol_of(struct session *s, const struct import_file *f,
    const struct import_row *row, const char *name) {
    if (!name[0]) name = row->symbol;
    if (!name[0]) name = f->symbol;
    uint8_t venue = f->venue;
    if (f->shape != SHAPE_CSV && !s->opt->venue) {
        const struct binance_message *m = s->message;
        if (m->st == 1) venue = VENUE_BINANCE_USDM;
        if (m->st == 2) venue = VENUE_BINANCE_COINM;
    }
    return import_units_symbol(&s->units, venue, name, strnlen(name, SYMBOL_MAX));
}

static void add_levels(struct import_symbol *y, const struct binance_level *level, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        import_step_add(&y->px, level[i].px);
        import_step_add(&y->qty, level[i].qty);
    }
}

/* Every decimal of row `item` that counts units. */
static void add_item(struct import_symbol *y, const struct binance_message *m, size_t item) {
    switch ((enum binance_kind)m->kind) {
    case BINANCE_TRADE:
    case BINANCE_AGG_TRADE:
        import_step_add(&y->px, m->trade.px);
        import_step_add(&y->qty, m->trade.qty);
        break;
    case BINANCE_DEPTH:
    case BINANCE_PARTIAL_DEPTH:
    case BINANCE_SNAPSHOT:
        add_levels(y, m->depth.bid, m->depth.bids);
        add_levels(y, m->depth.ask, m->depth.asks);
        break;
    case BINANCE_TICKER:
        import_step_add(&y->px, m->ticker.bid_px);
        import_step_add(&y->qty, m->ticker.bid_qty);
        import_step_add(&y->px, m->ticker.ask_px);
        import_step_add(&y->qty, m->ticker.ask_qty);
        break;
    case BINANCE_LIQUIDATION:
        import_step_add(&y->px, m->liquidation[item].px);
        import_step_add(&y->qty, m->liquidation[item].filled);
        break;
    case BINANCE_KLINE:
        import_step_add(&y->px, m->kline.open);
        import_step_add(&y->px, m->kline.high);
        import_step_add(&y->px, m->kline.low);
        import_step_add(&y->px, m->kline.close);
        import_step_add(&y->qty, m->kline.volume);
        import_step_add(&y->qty, m->kline.taker_buy);
        break;
    case BINANCE_STAT24:
        import_step_add(&y->px, m->stat24[item].last);
        import_step_add(&y->px, m->stat24[item].open);
        import_step_add(&y->px, m->stat24[item].high);
        import_step_add(&y->px, m->stat24[item].low);
        import_step_add(&y->qty, m->stat24[item].volume);
        break;
    case BINANCE_NONE:
    case BINANCE_MARK:
    case BINANCE_OPEN_INTEREST:
    case BINANCE_EXCHANGE_INFO:
    case BINANCE_CONTROL:
    case BINANCE_OTHER:
    case BINANCE_KIND_COUNT: break;
    }
}

/* An exchangeInfo too long for binance_decode, by its first keys. */
static bool looks_like_info(const char *body, size_t n) {
    size_t head = n < (64 << 10) ? n : (64 << 10);
    return memmem(body, head, "\"symbols\"", 9) && memmem(body, head, "\"rateLimits\"", 12);
}

static err_t keep(struct session *s, const struct import_file *f, enum spool_what what,
    const struct import_symbol *y, const struct binance_message *m, struct err_info *e) {
    struct spool_row row = {
        .what = what, .file = (uint32_t)(f - s->file), .symbol = y ? y->in.id : SPOOL_NO_SYMBOL};
    return import_spool_put(s->spool, &row, &f->row, m, e);
}

static err_t keep_bad(
    struct session *s, struct import_file *f, const char *why, struct err_info *e) {
    f->row.reason = IMPORT_MALFORMED;
    snprintf(f->row.why, sizeof f->row.why, "%s", why);
    return keep(s, f, SPOOL_BAD, NULL, NULL, e);
}

/* What the codec refused: the reason, its place, and the bytes around it. */
static void fault_text(
    const struct import_row *row, const struct binance_fault *fault, char why[IMPORT_SAMPLE_MAX]) {
    char text[BINANCE_FAULT_TEXT_MAX], near[64];
    binance_fault_text(fault, text);
    size_t at = fault->offset < row->len ? fault->offset : row->len;
    size_t from = at > 24 ? at - 24 : 0, to = at + 24 < row->len ? at + 24 : row->len, n = 0;
    for (size_t i = from; i < to; i++) {
        char c = row->body[i];
        near[n++] = c >= ' ' && c <= '~' ? c : '?';
    }
    near[n] = 0;
    snprintf(why, IMPORT_SAMPLE_MAX, "%s, near '%s'", text, near);
}

static err_t keep_fault(struct session *s, struct import_file *f, const struct binance_fault *fault,
    struct err_info *e) {
    char why[IMPORT_SAMPLE_MAX];
    fault_text(&f->row, fault, why);
    return keep_bad(s, f, why, e);
}

/* The newest exchangeInfo of a symbol replaces an older one. */
static err_t declare(struct session *s, struct import_file *f, struct err_info *e) {
    struct import_units *u = &s->units;
    struct instrument *fresh = import_units_declare(u, INST_MAX);
    if (!fresh) return err_set(e, ERR_RESOURCE, "no memory for an exchangeInfo");
    size_t n = 0;
    struct binance_fault fault = {0};
    if (binance_instruments(f->row.body, f->row.len, fresh, INST_MAX, &n, &fault) != BINANCE_OK)
        return keep_fault(s, f, &fault, e);
    for (size_t i = 0; i < n; i++) {
        if (fresh[i].venue == VENUE_NONE) fresh[i].venue = f->venue;
        size_t old = 0;
        while (old < u->n_declared && (strcmp(u->declared[old].symbol, fresh[i].symbol) != 0 ||
                                          u->declared[old].venue != fresh[i].venue))
            old++;
        u->declared[old] = fresh[i]; /* old <= n_declared <= place of fresh[i] */
        u->n_declared += old == u->n_declared;
    }
    return ERR_OK;
}

static const char no_symbol[] =
    "it names no symbol, one too long, or more than 4096 instruments are there";

static const char whose_snapshot[] =
    "a depth snapshot without a symbol in a recording of several: it cannot be told whose it is "
    "(record the address beside the answer, or one file a symbol)";

/* Gives a snapshot that names no symbol the one it must belong to; false: it cannot be told. */
static bool name_snapshot(const struct session *s, struct import_file *f) {
    struct binance_message *m = s->message;
    if (m->symbol[0]) {
        import_hints_see(&f->hints, m);
        return true;
    }
    if (m->kind != BINANCE_SNAPSHOT || f->row.symbol[0] || s->opt->symbol) return true;
    const char *name = import_hints_whose(&f->hints, m);
    if (name) memcpy(m->symbol, name, strnlen(name, SYMBOL_MAX - 1));
    return name != NULL;
}

/* A message that carries events: its decimals, its latency, and itself. */
static err_t survey_events(struct session *s, struct import_file *f, struct err_info *e) {
    struct binance_message *m = s->message;
    if (f->venue == VENUE_NONE && m->st == 0) {
        return err_set(e, ERR_INPUT,
            "%s:%" PRIu64 ": cannot tell which Binance market this is; give --venue binance-usdm, "
            "binance-coinm or binance-spot",
            f->path, f->row.line);
    }
    struct import_symbol *y = NULL;
    if (!name_snapshot(s, f)) return keep_bad(s, f, whose_snapshot, e);
    for (size_t i = 0; i < m->items; i++) {
        y = symbol_of(s, f, &f->row, binance_symbol(m, i));
        if (y) add_item(y, m, i);
    }
    int64_t sent = m->msg_ns ? m->msg_ns : m->venue_ns;
    bool answer = m->kind == BINANCE_SNAPSHOT || m->kind == BINANCE_OPEN_INTEREST;
    err_t err = ERR_OK;
    if (sent != 0 && !answer) err = latency_add(&f->latency, f->row.at_ns - sent, e);
    if (err) return err;
    if (!import_spool_carries(m)) return keep(s, f, SPOOL_TEXT, NULL, NULL, e);
    return y ? keep(s, f, SPOOL_MESSAGE, y, m, e) : keep_bad(s, f, no_symbol, e);
}

static err_t survey_message(struct session *s, struct import_file *f, struct err_info *e) {
    struct binance_message *m = s->message;
    struct binance_fault fault = {0};
    enum binance_status status = binance_decode(f->row.body, f->row.len, m, &fault);
    if (status == BINANCE_TOO_LONG && looks_like_info(f->row.body, f->row.len))
        return declare(s, f, e);
    if (status != BINANCE_OK) return keep_fault(s, f, &fault, e);
    if (m->kind == BINANCE_EXCHANGE_INFO) return declare(s, f, e);
    if (m->kind != BINANCE_CONTROL && m->kind != BINANCE_OTHER) return survey_events(s, f, e);
    s->report->other_messages++;
    return ERR_OK;
}

static struct import_symbol *csv_symbol(struct session *s, const struct import_file *f) {
    const struct import_csv_row *r = &f->row.csv;
    if (r->symbol_len > 0 && !s->opt->symbol)
        return import_units_symbol(&s->units, f->venue, r->symbol, r->symbol_len);
    return import_units_symbol(&s->units, f->venue, f->symbol, strnlen(f->symbol, SYMBOL_MAX));
}

static err_t survey_csv(struct session *s, struct import_file *f, struct err_info *e) {
    static const uint8_t px[] = {
        ROLE_PX, ROLE_OPEN, ROLE_HIGH, ROLE_LOW, ROLE_CLOSE, ROLE_BID_PX, ROLE_ASK_PX};
    static const uint8_t qty[] = {
        ROLE_QTY, ROLE_VOLUME, ROLE_TAKER_QTY, ROLE_BID_QTY, ROLE_ASK_QTY};
    const struct import_csv_row *r = &f->row.csv;
    struct import_symbol *y = csv_symbol(s, f);
    bool counts = y && f->csv.kind != IMPORT_CSV_MARK; /* mark prices are no order prices */
    for (size_t i = 0; counts && i < sizeof px; i++) {
        if (import_has(r->has, px[i])) import_step_add(&y->px, r->d[px[i]]);
    }
    for (size_t i = 0; counts && i < sizeof qty; i++) {
        if (import_has(r->has, qty[i])) import_step_add(&y->qty, r->d[qty[i]]);
    }
    int64_t sent = r->event_ns ? r->event_ns : r->venue_ns;
    err_t err = f->received ? latency_add(&f->latency, r->local_ns - sent, e) : ERR_OK;
    if (err) return err;
    return y ? keep(s, f, SPOOL_CSV, y, NULL, e) : keep_bad(s, f, no_symbol, e);
}

/* The event kind of a table of trades; 0 of another. */
static uint8_t print_kind(const struct import_file *f) {
    if (f->shape != SHAPE_CSV) return 0;
    return f->csv.kind == IMPORT_CSV_TRADES       ? EV_TRADE
           : f->csv.kind == IMPORT_CSV_AGG_TRADES ? EV_AGG_TRADE
                                                  : 0;
}

/* A row that could not be read. Where it was a trade, its id was there all the same. */
static err_t survey_bad(struct session *s, struct import_file *f, struct err_info *e) {
    struct spool_row row = {
        .what = SPOOL_BAD, .file = (uint32_t)(f - s->file), .symbol = SPOOL_NO_SYMBOL};
    const struct import_csv_row *r = &f->row.csv;
    if (print_kind(f) && f->row.reason == IMPORT_BAD_PRICE && import_has(r->has, ROLE_ID)) {
        struct import_symbol *y = csv_symbol(s, f);
        row.bad_kind = y ? print_kind(f) : 0;
        row.bad_id = r->id;
        if (y) row.symbol = y->in.id;
    }
    return import_spool_put(s->spool, &row, &f->row, NULL, e);
}

static err_t survey_row(struct session *s, struct import_file *f, struct err_info *e) {
    switch (f->row.kind) {
    case ROW_MESSAGE: return survey_message(s, f, e);
    case ROW_INFO: return declare(s, f, e);
    case ROW_CSV: return survey_csv(s, f, e);
    case ROW_BAD: return survey_bad(s, f, e);
    case ROW_NONE: return ERR_OK;
    }
    CHECK(false);
    return ERR_BUG;
}

/* ---- rows out of the spool: rules, tape ---- */

static const struct instrument *instrument_of(void *to, uint16_t inst) {
    const struct session *s = to;
    CHECK(inst < s->units.n);
    return &s->units.symbol[inst].in;
}

/* The tape is made at the first event: an input without any leaves nothing behind. */
static err_t tape_begin(struct session *s, struct err_info *e) {
    struct tape_writer_options opt = {.force = s->opt->force};
    err_t err = tape_writer_open(&s->tape, s->opt->to, &opt, NULL, e);
    for (size_t i = 0; i < s->units.n && !err; i++) {
        struct instrument in = s->units.symbol[i].in;
        err = tape_writer_instrument(s->tape, &in, e);
        CHECK(err || in.id == i);
    }
    if (err) return err;
    s->report->tape_written = true;
    s->table = tape_writer_instruments(s->tape, &s->table_rows);
    return ERR_OK;
}

static err_t to_tape(void *to, const struct event *slots, size_t n, struct err_info *e) {
    struct session *s = to;
    if (!s->tape) {
        err_t err = tape_begin(s, e);
        if (err) return err;
    }
    s->report->hash = tape_hash_events(s->report->hash, slots, n, s->table, s->table_rows);
    return tape_writer_append(s->tape, slots, n, e);
}

static err_t push(struct session *s, const struct import_file *f, size_t n, struct err_info *e) {
    struct import_message m = {.slots = s->slots,
        .n = n,
        .file = f->path,
        .line = s->row.line,
        .offset_ns = f->offset_ns,
        .stamp_unit = f->unit_ns,
        .received = f->received};
    return import_rules_push(s->rules, &m, e);
}

static err_t reject(struct session *s, const struct import_file *f, enum import_reason reason,
    const char *why, struct err_info *e) {
    return import_rules_note(s->rules, reason, f->path, s->row.line, why, e);
}

static err_t write_item(struct session *s, const struct import_file *f,
    const struct import_symbol *y, size_t item, struct err_info *e) {
    struct binance_message *m = s->message;
    struct binance_fault fault = {0};
    if (!y) return reject(s, f, IMPORT_MALFORMED, no_symbol, e);
    size_t n = 0;
    enum binance_status status =
        binance_events(m, item, &y->in, (ts_t){s->row.at_ns}, s->slots, &n, &fault);
    bool print = m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE;
    if (status != BINANCE_OK) {
        char text[BINANCE_FAULT_TEXT_MAX];
        binance_fault_text(&fault, text);
        uint8_t kind = m->kind == BINANCE_TRADE ? EV_TRADE : EV_AGG_TRADE;
        if (print) import_rules_seen(s->rules, y->in.id, kind, m->trade.id);
        bool price = print || status == BINANCE_BAD_PRICE;
        return reject(s, f, price ? IMPORT_BAD_PRICE : IMPORT_MALFORMED, text, e);
    }
    if (print && m->trade.market) /* a market print at price 0 is for the rules to judge */
        s->slots->flags = (uint8_t)(s->slots->flags & ~(unsigned)EVF_NON_MARKET);
    return n > 0 ? push(s, f, n, e) : ERR_OK;
}

/* A message of a rare kind: its text once more, now that units are known. */
static err_t write_text(struct session *s, const struct import_file *f, struct err_info *e) {
    struct binance_message *m = s->message;
    enum binance_status status = binance_decode(s->row.body, s->row.len, m, NULL);
    CHECK(status == BINANCE_OK); /* it was once */
    err_t err = ERR_OK;
    for (size_t i = 0; i < m->items && !err; i++)
        err = write_item(s, f, symbol_of(s, f, &s->row, binance_symbol(m, i)), i, e);
    return err;
}

static err_t write_csv(struct session *s, const struct import_file *f,
    const struct import_symbol *y, struct err_info *e) {
    size_t n = 0;
    enum import_reason reason;
    const struct import_csv_row *r = &s->row.csv;
    const char *why = import_csv_event(f, r, s->row.at_ns, &y->in, s->slots, &n, &reason);
    if (!why) return push(s, f, n, e);
    if (print_kind(f)) import_rules_seen(s->rules, y->in.id, print_kind(f), r->id);
    return reject(s, f, reason, why, e);
}

static err_t write_row(struct session *s, const struct spool_row *what, struct err_info *e) {
    const struct import_file *f = &s->file[what->file];
    bool named = what->symbol != SPOOL_NO_SYMBOL;
    const struct import_symbol *y = named ? &s->units.symbol[what->symbol] : NULL;
    switch (what->what) {
    case SPOOL_BAD:
        if (what->bad_kind) import_rules_seen(s->rules, what->symbol, what->bad_kind, what->bad_id);
        return reject(s, f, s->row.reason, s->row.why, e);
    case SPOOL_TEXT: return write_text(s, f, e);
    case SPOOL_MESSAGE: return write_item(s, f, y, 0, e);
    case SPOOL_CSV: return write_csv(s, f, y, e);
    }
    CHECK(false);
    return ERR_BUG;
}

/* An interrupted survey is written to its end; an interruption here ends the writing. */
static err_t drain(struct session *s, struct err_info *e) {
    bool watch = !s->interrupted;
    err_t err = import_spool_rewind(s->spool, e);
    for (uint64_t rows = 1; !err; rows++) {
        struct spool_row what;
        err = import_spool_get(s->spool, &what, &s->row, s->message, e);
        if (!err) err = write_row(s, &what, e);
        if (rows % PROGRESS_ROWS == 0) tell_progress(s);
        if (watch && s->interrupted) break;
    }
    return err == ERR_END ? ERR_OK : err;
}

/* ---- one import ---- */

/* Bars of two lengths of one instrument would be two clocks in one stream. */
static err_t check_bars(const struct session *s, struct err_info *e) {
    const struct import_file *first = NULL;
    for (size_t i = 0; i < s->n_files; i++) {
        const struct import_file *f = &s->file[i];
        if (f->shape != SHAPE_CSV || f->csv.kind != IMPORT_CSV_KLINES) continue;
        if (!first) first = f;
        if (f->interval_ns == first->interval_ns) continue;
        return err_set(e, ERR_USAGE,
            "%s and %s hold bars of two lengths; import one length into a tape", first->path,
            f->path);
    }
    return ERR_OK;
}

static int compare_start(const void *a, const void *b) {
    const struct import_file *x = *(struct import_file *const *)a;
    const struct import_file *y = *(struct import_file *const *)b;
    if (x->first_ns != y->first_ns) return x->first_ns < y->first_ns ? -1 : 1;
    return (x > y) - (x < y);
}

static err_t session_open(struct session *s, struct err_info *e) {
    const struct import_options *opt = s->opt;
    if (!opt->force && file_exists(opt->to)) {
        return err_set(
            e, ERR_USAGE, "%s exists; give --force to replace it, or another --to", opt->to);
    }
    if (opt->n_files == 0 || opt->n_files > IMPORT_FILES_MAX)
        return err_set(e, ERR_USAGE, "an import takes 1 to %d files", IMPORT_FILES_MAX);
    err_t err = import_units_init(&s->units, e);
    if (!err && opt->instruments) err = import_units_load(&s->units, opt->instruments, e);
    if (err) return err;
    s->file = calloc(opt->n_files, sizeof *s->file);
    s->by_start = calloc(opt->n_files, sizeof *s->by_start);
    s->active = calloc(opt->n_files, sizeof *s->active);
    s->message = calloc(1, sizeof *s->message);
    s->slots = malloc(BINANCE_SLOTS_MAX * sizeof *s->slots);
    err = import_spool_open(&s->spool, opt->to, e);
    if (err) return err;
    if (!s->file || !s->by_start || !s->active || !s->message || !s->slots)
        return err_set(e, ERR_RESOURCE, "no memory for an import of %zu files", opt->n_files);
    for (size_t i = 0; i < opt->n_files; i++) {
        struct import_file *f = s->by_start[i] = &s->file[i];
        f->path = opt->files[i];
        err = import_file_probe(f, opt, s->message, e);
        if (err) return err;
        s->bytes_all += f->size;
        s->n_files++;
    }
    qsort(s->by_start, s->n_files, sizeof *s->by_start, compare_start);
    return check_bars(s, e);
}

static void session_close(struct session *s) {
    for (size_t i = 0; i < s->n_files; i++) {
        import_file_close(&s->file[i]);
        free(s->file[i].latency.sample);
    }
    import_rules_close(s->rules);
    import_spool_close(s->spool);
    import_units_fini(&s->units);
    free(s->file);
    free(s->by_start);
    free(s->active);
    free(s->message);
    free(s->slots);
}

static err_t survey(struct session *s, struct err_info *e) {
    err_t err = walk(s, e);
    if (err) return err;
    import_units_settle(&s->units);
    for (size_t i = 0; i < s->n_files; i++) offset_settle(&s->file[i], s->opt->latency_ns);
    return ERR_OK;
}

/* The tape is closed whatever happens; the first failure is the answer. */
static err_t write_tape(struct session *s, struct err_info *e) {
    struct import_rules_options opt = {.jump_ppm = s->opt->jump_ppm,
        .latency_ns = s->opt->latency_ns,
        .strict = s->opt->strict,
        .sink = to_tape,
        .to = s,
        .instrument = instrument_of};
    err_t err = import_rules_open(&s->rules, &opt, &s->report->tally, e);
    if (err) return err;
    err = drain(s, e);
    struct err_info late;
    err_t flushed = err == ERR_RESOURCE ? ERR_OK : import_rules_flush(s->rules, &late);
    if (s->tape) {
        err_t closed = tape_writer_close(s->tape, flushed ? NULL : &late);
        if (!flushed) flushed = closed;
    }
    if (err || !flushed) return err;
    *e = late;
    return flushed;
}

static const char *unit_name(int64_t ns) {
    return ns == 1 ? "ns" : ns == NS_PER_US ? "us" : ns == NS_PER_MS ? "ms" : "s";
}

static err_t fill_report(struct session *s, struct err_info *e) {
    struct import_report *r = s->report;
    r->file = calloc(s->n_files + 1, sizeof *r->file);
    r->instrument = calloc(s->units.n + 1, sizeof *r->instrument);
    if (!r->file || !r->instrument)
        return err_set(e, ERR_RESOURCE, "no memory for the report of an import");
    for (size_t i = 0; i < s->n_files; i++) {
        const struct import_file *f = &s->file[i];
        bool csv = f->shape == SHAPE_CSV;
        r->file[i] = (struct import_file_report){.path = f->path,
            .format = csv ? import_csv_kind_name((enum import_csv_kind)f->csv.kind) : "raw",
            .venue = f->venue,
            .unit_ns = f->unit_ns,
            .received = f->received,
            .lines = f->lines,
            .control_lines = f->control_lines,
            .open_line = f->open_line,
            .latency_median_ns = f->latency.median,
            .clock_offset_ns = f->offset_ns};
        r->lines += f->lines;
        r->control_lines += f->control_lines;
        if (r->clock_offset_ns == 0) r->clock_offset_ns = f->offset_ns;
        const char *unit = unit_name(f->unit_ns);
        r->local_unit = !r->local_unit || strcmp(r->local_unit, unit) == 0 ? unit : "mixed";
    }
    r->n_files = s->n_files;
    for (size_t i = 0; i < s->units.n; i++) r->instrument[i] = s->units.symbol[i].in;
    r->n_instruments = s->units.n;
    return ERR_OK;
}

/* What the whole comes to when both passes went well. */
static err_t verdict(const struct session *s, struct err_info *e) {
    const struct import_report *r = s->report;
    if (s->torn) {
        *e = s->torn_info;
        return s->torn;
    }
    if (s->interrupted) {
        return err_set(e, ERR_INTERRUPTED,
            "interrupted: %s holds the %" PRIu64 " events before that; run the import again with "
            "--force for the whole input",
            s->opt->to, r->tally.events);
    }
    if (r->tally.events == 0) {
        return err_set(e, ERR_INPUT,
            "no event in %" PRIu64 " lines of %s%s: nothing was written to %s", r->lines,
            s->opt->files[0], s->n_files > 1 ? " and the other files" : "", s->opt->to);
    }
    return ERR_OK;
}

err_t import_run(
    const struct import_options *opt, struct import_report *report, struct err_info *e) {
    *report = (struct import_report){.local_unit = NULL};
    if (import_lobster_is(opt)) return import_lobster_run(opt, report, e);
    struct session s = {.opt = opt, .report = report};
    err_t err = session_open(&s, e);
    if (!err) err = survey(&s, e);
    if (!err) {
        err = write_tape(&s, e);
        struct err_info ignored;
        err_t reported = fill_report(&s, err ? &ignored : e);
        if (!err) err = reported;
        if (!err) err = verdict(&s, e);
    }
    session_close(&s);
    return err;
}

void import_report_fini(struct import_report *report) {
    free(report->file);
    free(report->instrument);
    *report = (struct import_report){.local_unit = NULL};
}
