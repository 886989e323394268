#include "capture/tape/import_lobster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capture/tape/import_source.h"
#include "capture/tape/tape.h"

enum { CELLS_MAX = 4 * LOBSTER_LEVELS_MAX, MESSAGE_CELLS = 6, EVENTS_MAX = 4096 };
#define QTY_MAX INT64_C(1000000000000)
#define NO_PRICE INT64_C(9999999999) /* an empty level: this price, or its negative, and size 0 */

struct level {
    int64_t px, qty;
};

struct side {
    struct level *level; /* best first */
    size_t n, cap;
};

struct row { /* of the order book file */
    size_t n;
    struct level level[2][LOBSTER_LEVELS_MAX]; /* [0] bids */
    size_t count[2];
};

struct message {
    int64_t ts, id, qty, px;
    int type, side;
};

struct session {
    const struct import_options *opt;
    struct import_report *report;
    struct tape_writer *tape;
    const struct instrument *table;
    size_t table_rows;
    struct import_source *source[2]; /* message, order book */
    const char *path[2];
    uint64_t line;
    int64_t midnight; /* of the file's day, ns UTC */
    struct instrument inst;
    struct side book[2];
    struct row row, before; /* before.n 0: none */
    struct event ev[EVENTS_MAX];
    size_t n, depth_from; /* events of this message; where its levels begin */
};

static int better(int side, int64_t a, int64_t b) { return side == 0 ? a > b : a < b; }

/* ---- names ---- */

static bool is_book(const char *path) { return strstr(path, "_orderbook_") != NULL; }
static bool is_message(const char *path) { return strstr(path, "_message_") != NULL; }

bool import_lobster_is(const struct import_options *opt) {
    if (opt->format && strcmp(opt->format, "lobster") == 0) return true;
    if (opt->format && strcmp(opt->format, "auto") != 0) return false;
    return is_book(opt->files[0]) || is_message(opt->files[0]);
}

/* Days since 1970 of a Gregorian date (Howard Hinnant's days_from_civil). */
static int64_t days_of(int64_t y, int64_t m, int64_t d) {
    y -= m <= 2;
    int64_t era = y / 400, year = y - era * 400,
            day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

/* The n-th Sunday of a month: 1970-01-01 was a Thursday. */
static int64_t sunday(int64_t y, int64_t m, int64_t nth) {
    int64_t first = days_of(y, m, 1);
    return first + (10 - first % 7) % 7 + 7 * (nth - 1);
}

/* "AAPL_2012-06-21_34200000_57600000_message_10.csv" -> symbol and midnight. */
static err_t name_of(struct session *s, const char *path, struct err_info *e) {
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *bar = strchr(name, '_');
    int y, m, d;
    bool good = bar && bar > name && (size_t)(bar - name) < SYMBOL_MAX &&
                sscanf(bar, "_%4d-%2d-%2d_", &y, &m, &d) == 3 && y >= 2007 && y < 2100 && m >= 1 &&
                m <= 12 && d >= 1 && d <= 31;
    if (!good) {
        return err_set(e, ERR_INPUT,
            "%s: not named SYMBOL_YYYY-MM-DD_FROM_TO_message_LEVELS.csv (2007 or later): symbol "
            "and day of a LOBSTER file stand in its name only",
            path);
    }
    int64_t day = days_of(y, m, d);
    bool summer = day >= sunday(y, 3, 2) && day < sunday(y, 11, 1);
    s->midnight = (day * 24 + (summer ? 4 : 5)) * 3600 * NS_PER_S;
    s->inst = (struct instrument){.quote = "USD",
        .settle = "USD",
        .px_mant = 1,
        .qty_mant = 1,
        .tick_units = 100,
        .lot_units = 1,
        .contract_e8 = 100000000,
        .venue = s->opt->venue ? s->opt->venue : VENUE_OTHER,
        .kind = INSTRUMENT_SPOT,
        .px_exp = 4,
        .unit_source = UNIT_DECLARED};
    memcpy(s->inst.symbol, name, (size_t)(bar - name));
    memcpy(s->inst.base, name, (size_t)(bar - name) < ASSET_MAX ? (size_t)(bar - name) : 0);
    return ERR_OK;
}

/* ---- rows ---- */

static err_t bad_row(const struct session *s, int file, const char *what, struct err_info *e) {
    return err_set(e, ERR_INPUT, "%s:%" PRIu64 ": %s", s->path[file], s->line, what);
}

static bool whole(const char **at, const char *end, int64_t *out) {
    char text[24];
    size_t n = 0;
    const char *p = *at;
    while (p + n < end && p[n] != ',' && n < sizeof text - 1) {
        text[n] = p[n];
        n++;
    }
    text[n] = 0;
    char *stop;
    *out = strtoll(text, &stop, 10);
    if (n == 0 || *stop != 0) return false;
    *at = p + n < end ? p + n + 1 : end;
    return true;
}

/* "34200.004241176": seconds with up to nine decimals. */
static bool seconds(const char **at, const char *end, int64_t *ns) {
    int64_t whole_s = 0, part = 0, scale = NS_PER_S;
    const char *p = *at;
    bool any = p < end && *p >= '0' && *p <= '9';
    for (; p < end && *p >= '0' && *p <= '9' && whole_s < 100000; p++)
        whole_s = whole_s * 10 + (*p - '0');
    if (p < end && *p == '.') p++;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        if (scale >= 10) {
            scale /= 10;
            part += (*p - '0') * scale;
        }
    }
    if (!any || p >= end || *p != ',' || whole_s > 86400) return false;
    *at = p + 1;
    *ns = whole_s * NS_PER_S + part;
    return true;
}

static err_t message_of(
    const struct session *s, const struct import_line *l, struct message *m, struct err_info *e) {
    const char *at = l->text, *end = l->text + l->len;
    int64_t type, direction;
    bool good = seconds(&at, end, &m->ts) && whole(&at, end, &type) && whole(&at, end, &m->id) &&
                whole(&at, end, &m->qty) && whole(&at, end, &m->px) &&
                whole(&at, end, &direction) && at == end;
    if (!good) return bad_row(s, 0, "not time,type,order id,size,price,direction", e);
    m->ts += s->midnight;
    m->type = (int)type;
    m->side = direction == 1 ? 0 : 1;
    if (type < 1 || type > 7 || (direction != 1 && direction != -1 && type != 7))
        return bad_row(s, 0, "type is not 1..7 or direction not 1, -1", e);
    if (type < 7 && (m->qty <= 0 || m->qty > QTY_MAX || m->px <= 0 || m->px >= NO_PRICE))
        return bad_row(s, 0, "a size or price that is not positive, or too large", e);
    return ERR_OK;
}

static err_t row_of(
    const struct session *s, const struct import_line *l, struct row *r, struct err_info *e) {
    const char *at = l->text, *end = l->text + l->len;
    r->n = r->count[0] = r->count[1] = 0;
    for (; at < end; r->n++) {
        if (r->n == LOBSTER_LEVELS_MAX) return bad_row(s, 1, "more than 200 levels", e);
        for (int side = 1; side >= 0; side--) { /* ask first */
            struct level v;
            if (!whole(&at, end, &v.px) || !whole(&at, end, &v.qty))
                return bad_row(s, 1, "not ask,size,bid,size for each level", e);
            if (v.px == NO_PRICE || v.px == -NO_PRICE || v.qty == 0) continue;
            size_t i = r->count[side];
            bool order =
                v.qty > 0 && v.px > 0 && (i == 0 || better(side, r->level[side][i - 1].px, v.px));
            if (!order) return bad_row(s, 1, "levels that are not sorted or not positive", e);
            r->level[side][r->count[side]++] = v;
        }
    }
    return r->n > 0 ? ERR_OK : bad_row(s, 1, "no level", e);
}

/* ---- the book ---- */

static size_t place(const struct side *b, int side, int64_t px) {
    size_t lo = 0, hi = b->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (better(side, b->level[mid].px, px)) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static int64_t book_at(const struct side *b, int side, int64_t px) {
    size_t i = place(b, side, px);
    return i < b->n && b->level[i].px == px ? b->level[i].qty : 0;
}

static void book_set(struct side *b, int side, int64_t px, int64_t qty) {
    size_t i = place(b, side, px);
    bool there = i < b->n && b->level[i].px == px;
    if (there && qty > 0) {
        b->level[i].qty = qty;
    } else if (there) {
        memmove(&b->level[i], &b->level[i + 1], (b->n - i - 1) * sizeof b->level[0]);
        b->n--;
    } else if (qty > 0) {
        b->level = mem_array(b->level, b->n, &b->cap, sizeof b->level[0]);
        memmove(&b->level[i + 1], &b->level[i], (b->n - i) * sizeof b->level[0]);
        b->level[i] = (struct level){px, qty};
        b->n++;
    }
}

/* ---- events ---- */

static struct event *push(
    struct session *s, uint8_t kind, int side, int64_t px, int64_t qty, int64_t ts) {
    if (s->n == EVENTS_MAX) return NULL;
    struct event *ev = &s->ev[s->n++];
    *ev = (struct event){.ts_venue = {ts},
        .ts_local = {ts},
        .px = {px},
        .qty = {qty},
        .kind = kind,
        .flags = (uint8_t)(side == 0 ? EVF_BUY : EVF_SELL)};
    return ev;
}

static bool push_order(struct session *s, const struct message *m, int side, int64_t id, int64_t px,
    int64_t qty, enum order_action action) {
    struct event *ev = push(s, EV_ORDER, side, px, qty, m->ts);
    if (!ev) return false;
    ev->id = id;
    ev->aux.a = action;
    ev->flags |= EVF_FIRST | EVF_LAST;
    return true;
}

/* A level that the row shows and the messages do not explain: the row is right. */
static err_t settle(struct session *s, const struct message *m, int side, int64_t px, int64_t qty,
    struct err_info *e) {
    int64_t have = book_at(&s->book[side], side, px);
    const struct row *b = &s->before;
    size_t shown = b->count[side];
    bool in_range = b->n > 0 && (shown < b->n || !better(side, b->level[side][shown - 1].px, px));
    struct import_report *r = s->report;
    if (in_range) {
        r->levels_wrong++;
        if (s->opt->strict) {
            return err_set(e, ERR_INPUT,
                "%s:%" PRIu64 ": price %" PRId64 " shows %" PRId64
                ", the messages make it %" PRId64,
                s->path[1], s->line, px, qty, have);
        }
    } else {
        r->levels_revealed += have == 0;
        r->levels_stale += have != 0;
    }
    enum order_action action = qty > have ? ACTION_ADD : ACTION_REDUCE;
    book_set(&s->book[side], side, px, qty);
    if (push_order(s, m, side, 0, px, qty > have ? qty - have : have - qty, action)) return ERR_OK;
    return err_set(e, ERR_RESOURCE, "%s:%" PRIu64 ": one message changes more than %d levels",
        s->path[1], s->line, EVENTS_MAX / 2);
}

/* The book against its row; changed prices are appended to `px`. */
static err_t compare(struct session *s, const struct message *m, int side, int64_t *px, size_t *n,
    struct err_info *e) {
    const struct row *r = &s->row;
    size_t count = r->count[side];
    err_t code = ERR_OK;
    for (size_t i = 0; i < count && !code; i++) {
        struct level v = r->level[side][i];
        if (book_at(&s->book[side], side, v.px) == v.qty) continue;
        code = settle(s, m, side, v.px, v.qty, e);
        px[(*n)++] = v.px;
    }
    for (size_t i = 0, k = 0; i < s->book[side].n && !code;) { /* ours that the row lacks */
        int64_t at = s->book[side].level[i].px;
        bool beyond = count == r->n && better(side, r->level[side][count - 1].px, at);
        if (beyond) break;
        while (k < count && better(side, r->level[side][k].px, at)) k++;
        if (k < count && r->level[side][k].px == at) {
            i++;
            continue;
        }
        code = settle(s, m, side, at, 0, e);
        if (*n < LOBSTER_LEVELS_MAX * 2) px[(*n)++] = at;
    }
    return code;
}

static bool push_depth(struct session *s, const struct message *m, int side, int64_t px) {
    struct event *ev = push(s, EV_DEPTH, side, px, book_at(&s->book[side], side, px), m->ts);
    if (!ev) return false;
    ev->id = (int64_t)s->line;
    return true;
}

/* What the message itself does: order, print, its level. */
static void apply(struct session *s, const struct message *m, int64_t *px, size_t *n) {
    static const uint8_t action[] = {0, ACTION_ADD, ACTION_REDUCE, ACTION_DELETE, ACTION_EXECUTE,
        ACTION_HIDDEN, ACTION_CROSS, ACTION_HALT};
    int side = m->side;
    (void)push_order(s, m, side, m->id, m->px, m->qty, (enum order_action)action[m->type]);
    if (m->type >= 4 && m->type <= 6) {
        struct event *ev = push(s, EV_TRADE, side ^ 1, m->px, m->qty, m->ts);
        ev->id = (int64_t)s->line;
        ev->flags |= EVF_FIRST | EVF_LAST;
        if (m->type > 4) ev->flags |= EVF_NON_MARKET;
        s->report->tally.non_market_trades += m->type > 4;
    }
    if (m->type > 4) return;
    int64_t left = book_at(&s->book[side], side, m->px) + (m->type == 1 ? m->qty : -m->qty);
    book_set(&s->book[side], side, m->px, left > 0 ? left : 0);
    px[(*n)++] = m->px;
}

static err_t flush(struct session *s, struct err_info *e) {
    for (size_t i = 0; i < s->n; i++) s->ev[i].inst = s->inst.id;
    s->report->hash = tape_hash_events(s->report->hash, s->ev, s->n, s->table, s->table_rows);
    s->report->tally.events += s->n;
    err_t code = s->n > 0 ? tape_writer_append(s->tape, s->ev, s->n, e) : ERR_OK;
    s->n = 0;
    return code;
}

static void end_depth(struct session *s, int flags) {
    for (size_t i = s->depth_from; i < s->n; i++) s->ev[i].flags |= (uint8_t)flags;
    if (s->n == s->depth_from) return;
    s->ev[s->depth_from].flags |= EVF_FIRST;
    s->ev[s->n - 1].flags |= EVF_LAST;
}

/* Before the first message: row 1 with that message taken back. */
static err_t snapshot(struct session *s, const struct message *m, struct err_info *e) {
    s->book[0].n = s->book[1].n = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < s->row.count[side]; i++) {
            book_set(&s->book[side], side, s->row.level[side][i].px, s->row.level[side][i].qty);
        }
    }
    if (m->type <= 4) {
        int64_t was =
            book_at(&s->book[m->side], m->side, m->px) + (m->type == 1 ? -m->qty : m->qty);
        book_set(&s->book[m->side], m->side, m->px, was > 0 ? was : 0);
    }
    s->depth_from = s->n;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < s->book[side].n; i++) {
            (void)push_depth(s, m, side, s->book[side].level[i].px);
        }
    }
    /* numbered before the message, which is a change of its own */
    for (size_t i = s->depth_from; i < s->n; i++) s->ev[i].id = (int64_t)s->line - 1;
    end_depth(s, EVF_SNAPSHOT);
    return flush(s, e);
}

static err_t step(struct session *s, const struct message *m, struct err_info *e) {
    int64_t px[2][1 + 2 * LOBSTER_LEVELS_MAX];
    size_t n[2] = {0, 0};
    err_t code = s->before.n == 0 ? snapshot(s, m, e) : ERR_OK;
    if (code) return code;
    apply(s, m, px[m->side], &n[m->side]);
    for (int side = 0; side < 2 && !code; side++) code = compare(s, m, side, px[side], &n[side], e);
    s->depth_from = s->n;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n[side]; i++) {
            if (i > 0 && px[side][i] == px[side][0]) continue; /* the message's own, corrected */
            if (!push_depth(s, m, side, px[side][i]))
                return err_set(e, ERR_RESOURCE, "too many levels in one message");
        }
    }
    end_depth(s, 0);
    s->before = s->row;
    return code ? code : flush(s, e);
}

/* ---- files ---- */

static err_t next_line(struct session *s, int file, struct import_line *l, struct err_info *e) {
    err_t code;
    do { code = import_source_line(s->source[file], l, e); } while (!code && l->len == 0);
    return code;
}

static err_t pair_rows(struct session *s, struct err_info *e) {
    struct import_line l;
    struct message m;
    int64_t last = 0;
    s->before.n = 0;
    for (s->line = 1;; s->line++) {
        err_t code = next_line(s, 0, &l, e);
        if (code == ERR_END) break;
        if (!code) code = message_of(s, &l, &m, e);
        if (!code && m.ts < last) code = bad_row(s, 0, "time runs backwards", e);
        if (code) return code;
        last = m.ts;
        code = next_line(s, 1, &l, e);
        if (code == ERR_END) return bad_row(s, 1, "fewer rows than the message file", e);
        if (!code) code = row_of(s, &l, &s->row, e);
        if (!code) code = step(s, &m, e);
        if (code) return code;
        s->report->lines += 2;
        if (s->opt->interrupted && s->opt->interrupted())
            return err_set(e, ERR_INTERRUPTED,
                "interrupted: %s holds what came before that; run "
                "the import again with --force",
                s->opt->to);
    }
    if (next_line(s, 1, &l, e) != ERR_END)
        return bad_row(s, 1, "more rows than the message file", e);
    return ERR_OK;
}

static err_t pair(struct session *s, struct err_info *e) {
    err_t code = name_of(s, s->path[0], e);
    struct tape_writer_options opt = {.force = s->opt->force};
    if (!code && s->opt->symbol) {
        memset(s->inst.symbol, 0, sizeof s->inst.symbol);
        memcpy(s->inst.symbol, s->opt->symbol, strnlen(s->opt->symbol, SYMBOL_MAX - 1));
    }
    for (int i = 0; i < 2 && !code; i++) code = import_source_open(&s->source[i], s->path[i], e);
    if (!code && !s->tape) code = tape_writer_open(&s->tape, s->opt->to, &opt, NULL, e);
    if (!code) code = tape_writer_instrument(s->tape, &s->inst, e);
    if (!code) {
        s->report->tape_written = true;
        s->table = tape_writer_instruments(s->tape, &s->table_rows);
        code = pair_rows(s, e);
    }
    for (int i = 0; i < 2; i++) {
        if (s->source[i]) import_source_close(s->source[i]);
        s->source[i] = NULL;
    }
    return code;
}

/* The order book file of a message file: the same name but for that word. */
static const char *partner(const struct import_options *opt, const char *message) {
    size_t head = (size_t)(strstr(message, "_message_") - message);
    for (size_t i = 0; i < opt->n_files; i++) {
        const char *book = strstr(opt->files[i], "_orderbook_");
        if (!book || (size_t)(book - opt->files[i]) != head) continue;
        if (strncmp(opt->files[i], message, head) == 0 &&
            strcmp(book + strlen("_orderbook_"), message + head + strlen("_message_")) == 0)
            return opt->files[i];
    }
    return NULL;
}

static void fill_report(struct session *s) {
    struct import_report *r = s->report;
    r->local_unit = "ns";
    r->file = mem_alloc((s->opt->n_files + 1) * sizeof *r->file);
    r->n_files = s->opt->n_files;
    for (size_t i = 0; i < s->opt->n_files; i++) {
        r->file[i] = (struct import_file_report){.path = s->opt->files[i],
            .format = "lobster",
            .venue = s->inst.venue,
            .unit_ns = 1,
            .lines = r->lines / 2};
    }
    r->instrument = mem_alloc((s->table_rows + 1) * sizeof *r->instrument);
    r->n_instruments = s->table_rows;
    memcpy(r->instrument, s->table, s->table_rows * sizeof *r->instrument);
}

err_t import_lobster_run(
    const struct import_options *opt, struct import_report *report, struct err_info *e) {
    struct session *s = mem_alloc(sizeof *s);
    struct err_info late;
    err_t code = ERR_OK;
    size_t books = 0, messages = 0;
    s->opt = opt;
    s->report = report;
    for (size_t i = 0; i < opt->n_files; i++) {
        books += is_book(opt->files[i]);
        messages += is_message(opt->files[i]);
    }
    if (messages == 0 || books != messages || books + messages != opt->n_files)
        code = err_set(e, ERR_USAGE,
            "LOBSTER files come in pairs: ..._message_L.csv and "
            "..._orderbook_L.csv of the same day");
    for (size_t i = 0; i < opt->n_files && !code; i++) {
        if (!is_message(opt->files[i])) continue;
        s->path[0] = opt->files[i];
        s->path[1] = partner(opt, opt->files[i]);
        if (!s->path[1]) {
            code = err_set(
                e, ERR_USAGE, "%s: its order book file is not among the inputs", opt->files[i]);
        } else {
            code = pair(s, e);
        }
    }
    if (s->tape) {
        err_t kept = code && code != ERR_RESOURCE ? flush(s, &late) : ERR_OK;
        fill_report(s);
        err_t closed = tape_writer_close(s->tape, &late);
        if (!code && (kept || closed)) {
            *e = late;
            code = kept ? kept : closed;
        }
    }
    free(s->book[0].level);
    free(s->book[1].level);
    free(s);
    return code;
}
