#include "capture/tape/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "capture/tape/import_internal.h"
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

    bool writing;             /* second pass */
    uint64_t rows, stop_rows; /* an interrupted survey: the second pass ends there too */
    uint64_t bytes_done, bytes_all;
    bool interrupted;

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
    if (err != ERR_END) return err;
    stop_file(s, f);
    return ERR_OK;
}

/* Opens files until none that is still closed can hold the next row. */
static err_t start_files(struct session *s, struct err_info *e) {
    while (s->n_started < s->n_files) {
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

typedef err_t row_fn(struct session *s, struct import_file *f, struct err_info *e);

/* Calls `each` for every row of all files in order of time. */
static err_t walk(struct session *s, row_fn *each, struct err_info *e) {
    s->n_active = s->n_started = 0;
    s->rows = 0;
    err_t err = ERR_OK;
    while (!err) {
        err = start_files(s, e);
        if (err || s->n_active == 0 || s->interrupted || s->rows == s->stop_rows) break;
        struct import_file *f = earliest(s);
        err = each(s, f, e);
        s->rows++;
        if (!err) err = advance(s, f, e);
        if (s->rows % PROGRESS_ROWS == 0) tell_progress(s);
    }
    while (s->n_active > 0) stop_file(s, s->active[0]);
    return err;
}

/* ---- first pass: units, clock offsets ---- */

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

static struct import_symbol *symbol_of(
    struct session *s, const struct import_file *f, const char *name) {
    if (!name[0]) name = f->row.symbol;
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

/* The newest exchangeInfo of a symbol replaces an older one. */
static err_t declare(struct session *s, const struct import_file *f, struct err_info *e) {
    struct import_units *u = &s->units;
    struct instrument *fresh = import_units_declare(u, INST_MAX);
    if (!fresh) return err_set(e, ERR_RESOURCE, "no memory for an exchangeInfo");
    size_t n = 0;
    if (binance_instruments(f->row.body, f->row.len, fresh, INST_MAX, &n, NULL) != BINANCE_OK)
        return ERR_OK; /* the second pass counts it as malformed */
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

static err_t survey_message(struct session *s, struct import_file *f, struct err_info *e) {
    struct binance_message *m = s->message;
    enum binance_status status = binance_decode(f->row.body, f->row.len, m, NULL);
    if (status == BINANCE_TOO_LONG && looks_like_info(f->row.body, f->row.len))
        return declare(s, f, e);
    if (status != BINANCE_OK) return ERR_OK;
    if (m->kind == BINANCE_EXCHANGE_INFO) return declare(s, f, e);
    if (m->kind == BINANCE_CONTROL || m->kind == BINANCE_OTHER) return ERR_OK;
    for (size_t i = 0; i < m->items; i++) {
        struct import_symbol *y = symbol_of(s, f, binance_symbol(m, i));
        if (y) add_item(y, m, i);
    }
    int64_t sent = m->msg_ns ? m->msg_ns : m->venue_ns;
    bool answer = m->kind == BINANCE_SNAPSHOT || m->kind == BINANCE_OPEN_INTEREST;
    if (sent == 0 || answer) return ERR_OK;
    return latency_add(&f->latency, f->row.at_ns - sent, e);
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
    if (!f->received) return ERR_OK;
    int64_t sent = r->event_ns ? r->event_ns : r->venue_ns;
    return latency_add(&f->latency, r->local_ns - sent, e);
}

static err_t survey_row(struct session *s, struct import_file *f, struct err_info *e) {
    switch (f->row.kind) {
    case ROW_MESSAGE: return survey_message(s, f, e);
    case ROW_INFO: return declare(s, f, e);
    case ROW_CSV: return survey_csv(s, f, e);
    case ROW_BAD:
    case ROW_NONE: return ERR_OK;
    }
    CHECK(false);
    return ERR_BUG;
}

/* ---- second pass: rules, tape ---- */

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
        .line = f->row.line,
        .offset_ns = f->offset_ns,
        .stamp_unit = f->unit_ns,
        .received = f->received};
    return import_rules_push(s->rules, &m, e);
}

static err_t reject(struct session *s, const struct import_file *f, enum import_reason reason,
    const char *why, struct err_info *e) {
    return import_rules_note(s->rules, reason, f->path, f->row.line, why, e);
}

/* A message that the codec refused, with the place in the line and the bytes around it. */
static err_t reject_fault(struct session *s, const struct import_file *f,
    const struct binance_fault *fault, enum import_reason reason, struct err_info *e) {
    char text[BINANCE_FAULT_TEXT_MAX], why[IMPORT_SAMPLE_MAX];
    binance_fault_text(fault, text);
    size_t at = fault->offset < f->row.len ? fault->offset : f->row.len;
    size_t from = at > 24 ? at - 24 : 0, to = at + 24 < f->row.len ? at + 24 : f->row.len;
    char near[64];
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        char c = f->row.body[i];
        near[n++] = c >= ' ' && c <= '~' ? c : '?';
    }
    near[n] = 0;
    snprintf(why, sizeof why, "%s, near '%s'", text, near);
    return reject(s, f, reason, why, e);
}

static enum import_reason reason_of(const struct binance_message *m, enum binance_status status) {
    bool print = m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE;
    bool unit = status == BINANCE_FINER || status == BINANCE_RANGE;
    return status == BINANCE_BAD_PRICE || (print && unit) ? IMPORT_BAD_PRICE : IMPORT_MALFORMED;
}

static err_t write_item(struct session *s, struct import_file *f, size_t item, struct err_info *e) {
    struct binance_message *m = s->message;
    struct binance_fault fault = {0};
    struct import_symbol *y = symbol_of(s, f, binance_symbol(m, item));
    if (!y) {
        return reject(s, f, IMPORT_MALFORMED,
            "it names no symbol, one too long, or more than 4096 instruments are there", e);
    }
    if (f->venue == VENUE_NONE && m->st == 0) {
        return err_set(e, ERR_INPUT,
            "%s:%" PRIu64 ": cannot tell which Binance market this is; give --venue binance-usdm, "
            "binance-coinm or binance-spot",
            f->path, f->row.line);
    }
    size_t n = 0;
    enum binance_status status =
        binance_events(m, item, &y->in, (ts_t){f->row.at_ns}, s->slots, &n, &fault);
    bool print = m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE;
    if (status != BINANCE_OK) {
        uint8_t kind = m->kind == BINANCE_TRADE ? EV_TRADE : EV_AGG_TRADE;
        if (print) import_rules_seen(s->rules, y->in.id, kind, m->trade.id);
        return reject_fault(s, f, &fault, reason_of(m, status), e);
    }
    if (print && m->trade.market) /* a market print at price 0 is for the rules to judge */
        s->slots->flags = (uint8_t)(s->slots->flags & ~(unsigned)EVF_NON_MARKET);
    return n > 0 ? push(s, f, n, e) : ERR_OK;
}

static err_t write_info(struct session *s, struct import_file *f, struct err_info *e) {
    struct binance_fault fault = {0};
    struct instrument *scratch = import_units_declare(&s->units, INST_MAX);
    if (!scratch) return err_set(e, ERR_RESOURCE, "no memory for an exchangeInfo");
    size_t n;
    if (binance_instruments(f->row.body, f->row.len, scratch, INST_MAX, &n, &fault) == BINANCE_OK)
        return ERR_OK;
    return reject_fault(s, f, &fault, IMPORT_MALFORMED, e);
}

static err_t write_message(struct session *s, struct import_file *f, struct err_info *e) {
    struct binance_message *m = s->message;
    struct binance_fault fault = {0};
    m->kind = BINANCE_NONE;
    enum binance_status status = binance_decode(f->row.body, f->row.len, m, &fault);
    if (status == BINANCE_TOO_LONG && looks_like_info(f->row.body, f->row.len))
        return write_info(s, f, e);
    if (status != BINANCE_OK) return reject_fault(s, f, &fault, reason_of(m, status), e);
    if (m->kind == BINANCE_EXCHANGE_INFO) return write_info(s, f, e);
    if (m->kind == BINANCE_CONTROL || m->kind == BINANCE_OTHER) {
        s->report->other_messages++;
        return ERR_OK;
    }
    err_t err = ERR_OK;
    for (size_t i = 0; i < m->items && !err; i++) err = write_item(s, f, i, e);
    return err;
}

static err_t write_csv(struct session *s, struct import_file *f, struct err_info *e) {
    struct import_symbol *y = csv_symbol(s, f);
    if (!y) {
        return reject(s, f, IMPORT_MALFORMED,
            "it names no symbol, one too long, or more than 4096 instruments are there", e);
    }
    size_t n = 0;
    enum import_reason reason;
    const char *why = import_csv_event(f, &f->row.csv, f->row.at_ns, &y->in, s->slots, &n, &reason);
    if (why) {
        bool agg = f->csv.kind == IMPORT_CSV_AGG_TRADES;
        if (agg || f->csv.kind == IMPORT_CSV_TRADES) {
            uint8_t kind = agg ? EV_AGG_TRADE : EV_TRADE;
            import_rules_seen(s->rules, y->in.id, kind, f->row.csv.id);
        }
        return reject(s, f, reason, why, e);
    }
    return push(s, f, n, e);
}

/* A row that could not be read. Where it was a trade, its id was there all the same. */
static err_t write_bad(struct session *s, struct import_file *f, struct err_info *e) {
    const struct import_csv_row *r = &f->row.csv;
    bool agg = f->csv.kind == IMPORT_CSV_AGG_TRADES;
    bool print = f->shape == SHAPE_CSV && (agg || f->csv.kind == IMPORT_CSV_TRADES);
    if (print && f->row.reason == IMPORT_BAD_PRICE && import_has(r->has, ROLE_ID)) {
        struct import_symbol *y = csv_symbol(s, f);
        if (y) import_rules_seen(s->rules, y->in.id, agg ? EV_AGG_TRADE : EV_TRADE, r->id);
    }
    return reject(s, f, f->row.reason, f->row.why, e);
}

static err_t write_row(struct session *s, struct import_file *f, struct err_info *e) {
    switch (f->row.kind) {
    case ROW_MESSAGE: return write_message(s, f, e);
    case ROW_INFO: return write_info(s, f, e);
    case ROW_CSV: return write_csv(s, f, e);
    case ROW_BAD: return write_bad(s, f, e);
    case ROW_NONE: return ERR_OK;
    }
    CHECK(false);
    return ERR_BUG;
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
    if (!s->file || !s->by_start || !s->active || !s->message || !s->slots)
        return err_set(e, ERR_RESOURCE, "no memory for an import of %zu files", opt->n_files);
    for (size_t i = 0; i < opt->n_files; i++) {
        struct import_file *f = s->by_start[i] = &s->file[i];
        f->path = opt->files[i];
        err = import_file_probe(f, opt, s->message, e);
        if (err) return err;
        s->bytes_all += 2 * f->size;
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
    import_units_fini(&s->units);
    free(s->file);
    free(s->by_start);
    free(s->active);
    free(s->message);
    free(s->slots);
}

static err_t survey(struct session *s, struct err_info *e) {
    s->stop_rows = UINT64_MAX;
    err_t err = walk(s, survey_row, e);
    if (err == ERR_INPUT) err = ERR_OK; /* torn: the second pass stops at the same row */
    if (err) return err;
    if (s->interrupted) s->stop_rows = s->rows;
    s->interrupted = false;
    import_units_settle(&s->units);
    for (size_t i = 0; i < s->n_files; i++) offset_settle(&s->file[i], s->opt->latency_ns);
    return ERR_OK;
}

/* The second pass. The tape is closed whatever happens; the first failure is the answer. */
static err_t write_tape(struct session *s, struct err_info *e) {
    struct import_rules_options opt = {.jump_ppm = s->opt->jump_ppm,
        .latency_ns = s->opt->latency_ns,
        .strict = s->opt->strict,
        .sink = to_tape,
        .to = s,
        .instrument = instrument_of};
    err_t err = import_rules_open(&s->rules, &opt, &s->report->tally, e);
    if (err) return err;
    err = walk(s, write_row, e);
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
    if (s->interrupted || s->stop_rows != UINT64_MAX) {
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
