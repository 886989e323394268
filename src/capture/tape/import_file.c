/* One input file: what it is, and its rows one after another. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/import_internal.h"

enum { PROBE_LINES = 1024 };

/* ---- names ---- */

static const struct {
    const char *word;
    uint8_t venue;
} path_words[] = {
    {"usdm", VENUE_BINANCE_USDM},
    {"usd_m", VENUE_BINANCE_USDM},
    {"usd-m", VENUE_BINANCE_USDM},
    {"/um/", VENUE_BINANCE_USDM},
    {"fapi.binance", VENUE_BINANCE_USDM},
    {"fstream.binance", VENUE_BINANCE_USDM},
    {"binance_futures", VENUE_BINANCE_USDM},
    {"coinm", VENUE_BINANCE_COINM},
    {"coin_m", VENUE_BINANCE_COINM},
    {"coin-m", VENUE_BINANCE_COINM},
    {"/cm/", VENUE_BINANCE_COINM},
    {"dapi.binance", VENUE_BINANCE_COINM},
    {"dstream.binance", VENUE_BINANCE_COINM},
    {"binance_delivery", VENUE_BINANCE_COINM},
    {"spot", VENUE_BINANCE_SPOT},
    {"//api.binance", VENUE_BINANCE_SPOT},
    {"//stream.binance", VENUE_BINANCE_SPOT},
    {"okx", VENUE_OKX},
    {"okex", VENUE_OKX},
    {"bybit", VENUE_BYBIT},
    {"deribit", VENUE_DERIBIT},
};

/* The word of `path_words` that lies furthest to the right of s[0..n). */
static uint8_t venue_of_text(const char *s, size_t n) {
    uint8_t venue = VENUE_NONE;
    size_t best = 0;
    for (size_t w = 0; w < sizeof path_words / sizeof path_words[0]; w++) {
        size_t len = strlen(path_words[w].word);
        for (size_t at = n >= len ? n - len + 1 : 0; at-- > 0;) {
            if (strncasecmp(s + at, path_words[w].word, len) != 0) continue;
            if (at + 1 > best) venue = path_words[w].venue;
            if (at + 1 > best) best = at + 1;
            break;
        }
    }
    return venue;
}

uint8_t import_venue_of_path(const char *path) { return venue_of_text(path, strlen(path)); }

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool import_symbol_of_path(const char *path, char out[SYMBOL_MAX], bool *futures) {
    const char *name = base_name(path);
    size_t len = strcspn(name, "-");
    *futures = false;
    if (name[len] != '-' || len == 0 || len >= SYMBOL_MAX) return false;
    char word[SYMBOL_MAX] = {0};
    bool letter = false;
    for (size_t i = 0; i < len; i++) {
        letter = letter || isupper((unsigned char)name[i]);
        if (!isupper((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
            return false;
        word[i] = name[i];
    }
    if (!letter) return false;
    char *first = strchr(word, '_'), *second = first ? strchr(first + 1, '_') : NULL;
    if (second) { /* BASE_QUOTE_SETTLE: a perpetual as ccxt and freqtrade name it */
        if (strchr(second + 1, '_')) return false;
        *second = 0;
        memmove(first, first + 1, strlen(first + 1) + 1);
        *futures = true;
    } else if (first && strcmp(first + 1, "PERP") != 0 && !isdigit((unsigned char)first[1])) {
        memmove(first, first + 1, strlen(first + 1) + 1); /* BASE_QUOTE */
    }
    memset(out, 0, SYMBOL_MAX);
    memcpy(out, word, strlen(word));
    return true;
}

/* The bar length among the words of a file name; 0 if none. */
static int64_t interval_of_path(const char *path) {
    const char *s = base_name(path);
    while (*s) {
        size_t n = strcspn(s, "-_.");
        int64_t v = import_interval(s, n);
        if (v) return v;
        s += n + (s[n] != 0);
    }
    return 0;
}

static enum import_csv_kind kind_of_path(const char *path) {
    const char *s = base_name(path);
    while (*s) {
        size_t n = strcspn(s, "-_.");
        enum import_csv_kind k = import_csv_kind_from(s, n);
        if (k) return k;
        s += n + (s[n] != 0);
    }
    return interval_of_path(path) ? IMPORT_CSV_KLINES : IMPORT_CSV_NONE;
}

/* ---- raw lines ---- */

static size_t digits(const char *s, size_t n) {
    size_t i = 0;
    while (i < n && s[i] >= '0' && s[i] <= '9') i++;
    return i;
}

/* "1626992741.06217" (10 digits, up to 9 decimals) at s; *used = its length. */
static bool seconds(const char *s, size_t n, int64_t *ns, size_t *used) {
    size_t whole = digits(s, n), all = whole;
    if (whole != 10) return false;
    if (all < n && s[all] == '.') all += 1 + digits(s + all + 1, n - all - 1);
    struct decimal d;
    if (!decimal_parse(s, all, false, &d) || !decimal_to_scale(d, 9, ns)) return false;
    *used = all;
    return *ns > 0;
}

static bool starts(const char *s, size_t n, const char *with) {
    size_t len = strlen(with);
    return n >= len && memcmp(s, with, len) == 0;
}

static bool is_control(const char *s, size_t n) {
    return starts(s, n, "http") || starts(s, n, "ws:") || starts(s, n, "wss:") ||
           starts(s, n, "configuration:");
}

enum import_shape import_raw_shape(const char *text, size_t len) {
    if (is_control(text, len)) return SHAPE_FEED;
    size_t n = digits(text, len);
    if (n >= 10 && n <= 19 && n + 1 < len && text[n] == ' ' &&
        (text[n + 1] == '{' || text[n + 1] == '['))
        return SHAPE_STAMP;
    int64_t ns;
    size_t used;
    if (seconds(text, len, &ns, &used) && used < len && text[used] == ':') return SHAPE_FEED;
    return SHAPE_NONE;
}

static void bad(struct import_row *row, const char *why) {
    row->kind = ROW_BAD;
    row->reason = IMPORT_MALFORMED;
    snprintf(row->why, sizeof row->why, "%s", why);
}

/* Value of `symbol=` in a URL. */
static void symbol_of_url(const char *url, size_t n, struct import_row *row) {
    static const char key[] = "symbol=";
    const char *p = memmem(url, n, key, sizeof key - 1);
    if (!p) return;
    p += sizeof key - 1;
    size_t len = 0, room = n - (size_t)(p - url);
    while (len < room && (isalnum((unsigned char)p[len]) || p[len] == '_')) len++;
    if (len < SYMBOL_MAX) memcpy(row->symbol, p, len);
}

/* "URL -> <seconds>: <answer>"; all other control lines carry no data. */
static void control_split(const char *s, size_t n, struct import_row *row) {
    row->kind = ROW_NONE;
    const char *arrow = starts(s, n, "http") ? memmem(s, n, " -> ", 4) : NULL;
    if (!arrow) return;
    size_t url = (size_t)(arrow - s), used;
    const char *stamp = arrow + 4;
    size_t rest = n - url - 4;
    if (!seconds(stamp, rest, &row->at_ns, &used) || rest - used < 3 || stamp[used] != ':') {
        bad(row, "expected '-> seconds: answer' after the address");
        return;
    }
    row->body = stamp + used + 2;
    row->len = rest - used - 2;
    row->kind = memmem(s, url, "/exchangeInfo", 13) ? ROW_INFO : ROW_MESSAGE;
    symbol_of_url(s, url, row);
}

void import_raw_split(enum import_shape shape, const char *text, size_t len, struct import_row *row,
    int64_t *unit_ns) {
    row->kind = ROW_MESSAGE;
    row->symbol[0] = 0;
    memset(row->symbol, 0, sizeof row->symbol);
    if (shape == SHAPE_FEED) {
        *unit_ns = NS_PER_S;
        size_t used;
        if (is_control(text, len)) {
            control_split(text, len, row);
        } else if (!seconds(text, len, &row->at_ns, &used) || used + 2 > len || text[used] != ':') {
            bad(row, "expected 'seconds: message'");
        } else {
            used += text[used + 1] == ' ' ? 2 : 1;
            row->body = text + used;
            row->len = len - used;
        }
        return;
    }
    size_t n = digits(text, len);
    if (n == len || text[n] != ' ' || !import_stamp(text, n, &row->at_ns, unit_ns)) {
        bad(row, "expected a receive stamp of 10, 13, 16 or 19 digits and a space");
        return;
    }
    row->body = text + n + 1;
    row->len = len - n - 1;
}

/* ---- reading ---- */

err_t import_file_open(struct import_file *f, struct err_info *e) {
    err_t err = import_source_open(&f->source, f->path, e);
    if (err) return err;
    f->size = import_source_bytes(f->source);
    f->lines = f->control_lines = f->open_line = 0;
    f->last_ns = 0;
    f->done = false;
    return ERR_OK;
}

void import_file_close(struct import_file *f) {
    if (f->source) f->bytes = import_source_offset(f->source);
    import_source_close(f->source);
    f->source = NULL;
}

/* When a row of a history is known: trades when they happened, bars when they close. */
static int64_t known_at(const struct import_file *f, const struct import_csv_row *r) {
    if (r->local_ns) return r->local_ns;
    bool bar = f->csv.kind == IMPORT_CSV_KLINES || f->csv.kind == IMPORT_CSV_MARK;
    return bar ? r->venue_ns + f->interval_ns : r->venue_ns;
}

static void csv_row(struct import_file *f, const struct import_line *line, struct import_row *row) {
    const char *why = "";
    enum import_csv_fault fault = import_csv_row(&f->csv, line->text, line->len, &row->csv, &why);
    row->kind = ROW_CSV;
    if (row->csv.venue_ns) row->at_ns = known_at(f, &row->csv);
    if (fault == IMPORT_CSV_OK) return;
    row->kind = ROW_BAD;
    row->reason = fault == IMPORT_CSV_BAD_DECIMAL ? IMPORT_BAD_PRICE : IMPORT_MALFORMED;
    snprintf(row->why, sizeof row->why, "expected %s in '%.*s'", why,
        (int)(line->len < 160 ? line->len : 160), line->text);
}

static void split(struct import_file *f, const struct import_line *line) {
    struct import_row *row = &f->row;
    row->line = line->number;
    row->at_ns = f->last_ns;
    row->why[0] = 0;
    if (line->cut) {
        bad(row, "the line is longer than 6 MiB");
    } else if (line->len == 0) {
        row->kind = ROW_NONE;
    } else if (f->shape == SHAPE_CSV) {
        if (f->csv.header && line->number == 1) {
            row->kind = ROW_NONE;
        } else {
            csv_row(f, line, row);
        }
    } else {
        int64_t unit = f->unit_ns;
        import_raw_split(f->shape, line->text, line->len, row, &unit);
        if (row->kind != ROW_BAD && f->unit_ns && unit != f->unit_ns)
            bad(row, "its receive stamp has another unit than those before it");
    }
}

err_t import_file_next(struct import_file *f, struct err_info *e) {
    for (;;) {
        struct import_line line;
        err_t err = import_source_line(f->source, &line, e);
        if (err) {
            f->done = true;
            return err;
        }
        f->lines++;
        split(f, &line);
        if (f->row.kind == ROW_NONE) {
            f->control_lines++;
            continue;
        }
        if (f->shape == SHAPE_CSV && line.open) f->open_line = line.number;
        if (f->row.kind == ROW_BAD) f->row.at_ns = f->last_ns;
        if (f->row.at_ns > f->last_ns) f->last_ns = f->row.at_ns;
        return ERR_OK;
    }
}

/* ---- what is it? ---- */

/* What the first lines of a raw recording say. */
struct evidence {
    uint32_t good, other, broken; /* messages decoded, of no kind we read, refused */
    uint8_t by_url, by_message, foreign;
};

static void weigh_message(struct evidence *ev, struct import_file *f, const struct import_row *row,
    struct binance_message *m) {
    static const char *const marks[] = {"\"jsonrpc\"", "\"instId\"", "\"topic\""};
    static const uint8_t venues[] = {VENUE_DERIBIT, VENUE_OKX, VENUE_BYBIT};
    struct binance_fault fault;
    if (binance_decode(row->body, row->len, m, &fault) != BINANCE_OK) {
        ev->broken++;
        return;
    }
    if (m->kind == BINANCE_OTHER || m->kind == BINANCE_CONTROL) {
        ev->other++;
        for (size_t i = 0; i < 3; i++) {
            if (memmem(row->body, row->len, marks[i], strlen(marks[i]))) ev->foreign = venues[i];
        }
        return;
    }
    ev->good++;
    import_hints_see(&f->hints, m);
    if (m->st == 1 || m->st == 2)
        ev->by_message = m->st == 1 ? VENUE_BINANCE_USDM : VENUE_BINANCE_COINM;
    if (!ev->by_message) ev->by_message = m->venue;
    if (!f->symbol[0] && m->items > 0) {
        const char *name = row->symbol[0] ? row->symbol : binance_symbol(m, 0);
        memcpy(f->symbol, name, strnlen(name, SYMBOL_MAX - 1));
    }
}

static void weigh_line(struct evidence *ev, struct import_file *f, const struct import_line *line,
    struct binance_message *m) {
    struct import_row *row = &f->row;
    size_t url = line->len < 200 ? line->len : 200;
    if (is_control(line->text, line->len)) {
        const char *end = memchr(line->text, ' ', url);
        uint8_t venue = venue_of_text(line->text, end ? (size_t)(end - line->text) : url);
        if (venue) ev->by_url = venue;
    }
    int64_t unit = 0;
    import_raw_split(f->shape, line->text, line->len, row, &unit);
    if (row->kind == ROW_BAD) ev->broken++;
    if (row->kind == ROW_BAD || row->kind == ROW_NONE) return;
    if (!f->unit_ns) f->unit_ns = unit;
    if (row->kind == ROW_MESSAGE) weigh_message(ev, f, row, m);
}

static err_t foreign_venue(const struct import_file *f, uint8_t venue, struct err_info *e) {
    return err_set(e, ERR_INPUT,
        "%s: this is a recording of %s; this venue's format is not supported yet (supported: "
        "Binance USD-M, COIN-M and spot)",
        f->path, venue_name(venue));
}

static err_t judge_raw(struct import_file *f, const struct evidence *ev,
    const struct import_options *opt, struct err_info *e) {
    uint8_t by_path = import_venue_of_path(f->path);
    uint8_t venue = opt->venue ? opt->venue : ev->by_url;
    if (!venue && ev->good == 0) venue = ev->foreign;
    if (!venue) venue = ev->by_message ? ev->by_message : by_path;
    if (venue >= VENUE_OKX && venue != VENUE_OTHER) return foreign_venue(f, venue, e);
    if (venue == VENUE_NONE && ev->good > 0) {
        return err_set(e, ERR_INPUT,
            "%s: its messages fit several Binance markets; give --venue binance-usdm, "
            "binance-coinm or binance-spot",
            f->path);
    }
    if (ev->good == 0 && ev->other > 0 && ev->by_url == VENUE_NONE) {
        return err_set(e, ERR_INPUT,
            "%s: none of its first %d messages is a Binance market message; this format is not "
            "supported",
            f->path, PROBE_LINES);
    }
    f->venue = venue;
    f->received = true;
    return ERR_OK;
}

static err_t unknown_format(const struct import_file *f, const char *why, struct err_info *e) {
    return err_set(e, ERR_INPUT,
        "%s: %s; known are raw recordings ('<stamp> <json>', '<seconds>: <json>') and CSV of "
        "trades, aggTrades, klines, mark, bookTicker, fundingRate, metrics (--format names one)",
        f->path, why);
}

/* Venue and symbol of a CSV file from options, path and columns. */
static err_t judge_csv(
    struct import_file *f, const struct import_options *opt, struct err_info *e) {
    bool futures = false;
    f->shape = SHAPE_CSV;
    import_symbol_of_path(f->path, f->symbol, &futures);
    f->venue = opt->venue ? opt->venue : import_venue_of_path(f->path);
    if (f->venue >= VENUE_OKX && f->venue != VENUE_OTHER && !opt->venue) f->venue = VENUE_NONE;
    if (!f->venue && strstr(f->symbol, "USD_")) f->venue = VENUE_BINANCE_COINM;
    if (!f->venue && futures) f->venue = VENUE_BINANCE_USDM;
    bool only_futures = f->csv.kind == IMPORT_CSV_FUNDING || f->csv.kind == IMPORT_CSV_METRICS;
    if (!f->venue) f->venue = only_futures ? VENUE_BINANCE_USDM : VENUE_OTHER;
    f->received = import_has(f->csv.has, ROLE_LOCAL);
    f->rank = f->csv.kind == IMPORT_CSV_MARK ? 0 : f->csv.kind == IMPORT_CSV_FUNDING ? 1 : 2;
    if (!f->symbol[0] && !import_has(f->csv.has, ROLE_SYMBOL) && !opt->symbol) {
        return err_set(e, ERR_USAGE,
            "%s: neither its name nor its columns say which instrument it is; give --symbol",
            f->path);
    }
    return ERR_OK;
}

static err_t csv_layout(struct import_file *f, const struct import_line *line,
    const struct import_options *opt, struct err_info *e) {
    const char *format = opt->format ? opt->format : "auto";
    enum import_csv_kind want = import_csv_kind_from(format, strlen(format)), kind = want;
    const char *why;
    if (import_csv_header(line->text, line->len, &f->csv, &why)) {
        if (!want || want == f->csv.kind) return judge_csv(f, opt, e);
        return err_set(e, ERR_INPUT, "%s: its header makes it %s, not %s", f->path,
            import_csv_kind_name(f->csv.kind), format);
    }
    if (why) return unknown_format(f, why, e);
    if (!kind) kind = kind_of_path(f->path);
    size_t fields = import_csv_fields(line->text, line->len);
    if (!kind && fields == 12) kind = IMPORT_CSV_KLINES;
    if (!kind) return unknown_format(f, "a table without header and of unknown kind", e);
    if (import_csv_headless(kind, fields, &f->csv)) return judge_csv(f, opt, e);
    char text[96];
    snprintf(text, sizeof text, "%s have no %zu columns", import_csv_kind_name(kind), fields);
    return unknown_format(f, text, e);
}

/* Shape from the first line that has one. */
static err_t find_shape(struct import_file *f, const struct import_line *line,
    const struct import_options *opt, struct err_info *e) {
    const char *format = opt->format ? opt->format : "auto";
    bool raw_wanted = strcmp(format, "raw") == 0, any = strcmp(format, "auto") == 0;
    if (any || raw_wanted) f->shape = import_raw_shape(line->text, line->len);
    if (f->shape || raw_wanted) return ERR_OK;
    if (line->len > 0 && (line->text[0] == '{' || line->text[0] == '[')) {
        uint8_t venue = import_venue_of_path(f->path);
        if (!venue && memmem(line->text, line->len, "\"BYBIT\"", 7)) venue = VENUE_BYBIT;
        if (venue >= VENUE_OKX && venue != VENUE_OTHER) return foreign_venue(f, venue, e);
        return unknown_format(f, "JSON lines without a receive stamp", e);
    }
    if (!memchr(line->text, ',', line->len)) return ERR_OK; /* the next line may tell */
    return csv_layout(f, line, opt, e);
}

/* Reads the first lines: shape, then for raw recordings venue, symbol and stamp unit. */
static err_t probe_lines(struct import_file *f, const struct import_options *opt,
    struct binance_message *m, struct err_info *e) {
    struct evidence ev = {0};
    err_t err = ERR_OK;
    for (int i = 0; i < PROBE_LINES && !err; i++) {
        struct import_line line;
        err = import_source_line(f->source, &line, e);
        if (err || line.len == 0) continue;
        if (!f->shape) err = find_shape(f, &line, opt, e);
        if (!err && f->shape == SHAPE_CSV) return ERR_OK;
        if (!err && f->shape) weigh_line(&ev, f, &line, m);
    }
    if (err && (err != ERR_END && (err != ERR_INPUT || !f->shape))) return err;
    if (!f->shape) return unknown_format(f, "no line of a known shape", e);
    return judge_raw(f, &ev, opt, e);
}

/* Bars without a length in their name: the spacing of the first two rows. */
static err_t find_interval(
    struct import_file *f, const struct import_options *opt, struct err_info *e) {
    f->interval_ns = opt->interval_ns ? opt->interval_ns : interval_of_path(f->path);
    if (f->interval_ns) return ERR_OK;
    int64_t before = 0;
    err_t err = import_file_open(f, e);
    while (!err && f->interval_ns == 0) {
        err = import_file_next(f, e);
        if (err || f->row.kind != ROW_CSV) continue;
        if (before && f->row.at_ns > before) f->interval_ns = f->row.at_ns - before;
        before = f->row.at_ns;
    }
    import_file_close(f);
    if (f->interval_ns) return ERR_OK;
    if (err && err != ERR_END) return err;
    return err_set(e, ERR_USAGE,
        "%s: its name does not say how long its bars are; give --interval (5m, 1h, ...)", f->path);
}

/* Time of the first good row, unit of its stamp. */
static err_t find_first(struct import_file *f, struct err_info *e) {
    err_t err = import_file_open(f, e);
    if (err) return err;
    f->first_ns = INT64_MIN;
    do { err = import_file_next(f, e); } while (!err && f->row.kind == ROW_BAD);
    if (!err) {
        f->first_ns = f->row.at_ns;
        if (f->shape == SHAPE_CSV) f->unit_ns = f->row.csv.unit_ns;
    }
    import_file_close(f);
    return ERR_OK; /* what stopped it here stops the pass, after what comes before */
}

err_t import_file_probe(struct import_file *f, const struct import_options *opt,
    struct binance_message *m, struct err_info *e) {
    err_t err = import_file_open(f, e);
    if (!err) err = probe_lines(f, opt, m, e);
    import_file_close(f);
    if (err) return err;
    bool bars = f->shape == SHAPE_CSV &&
                (f->csv.kind == IMPORT_CSV_KLINES || f->csv.kind == IMPORT_CSV_MARK);
    if (bars) err = find_interval(f, opt, e);
    if (!err) err = find_first(f, e);
    if (!err && opt->symbol) {
        memset(f->symbol, 0, sizeof f->symbol);
        memcpy(f->symbol, opt->symbol, strnlen(opt->symbol, SYMBOL_MAX - 1));
    }
    return err;
}
