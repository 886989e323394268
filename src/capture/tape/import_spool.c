#include "capture/tape/import_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

/* What the next row is written against: neighbours differ little. */
struct last {
    int64_t at, venue, trade_id, book_id;
    uint64_t line;
};

struct import_spool {
    char folder[4096];
    int fd; /* -1 until the buffer overflows */
    uint8_t *buf;
    size_t n, at; /* put: n bytes wait to be written; get: [at, n) waits to be read */
    uint64_t written, read;
    struct last last;
};

enum { HEAD = 4, CAP = SPOOL_BUFFER + SPOOL_ROW_MAX };

err_t import_spool_open(struct import_spool **out, const char *beside, struct err_info *e) {
    struct import_spool *s = calloc(1, sizeof *s);
    if (s) s->buf = malloc(CAP); /* what is never touched takes no memory */
    if (!s || !s->buf) {
        free(s);
        return err_set(e, ERR_RESOURCE, "no memory for the rows of an import");
    }
    s->fd = -1;
    size_t n = strlen(beside);
    while (n > 1 && beside[n - 1] == '/') n--;
    while (n > 0 && beside[n - 1] != '/') n--;
    if (n >= sizeof s->folder) n = 0;
    snprintf(s->folder, sizeof s->folder, "%.*s", n ? (int)n : 1, n ? beside : ".");
    *out = s;
    return ERR_OK;
}

void import_spool_close(struct import_spool *s) {
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    free(s->buf);
    free(s);
}

/* A file without a name; where the file system has none such, one that loses it at once. */
static err_t make_file(struct import_spool *s, struct err_info *e) {
    s->fd = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0) {
        char name[sizeof s->folder + 32];
        snprintf(name, sizeof name, "%s/.import-XXXXXX", s->folder);
        s->fd = mkostemp(name, O_CLOEXEC);
        if (s->fd >= 0) unlink(name);
    }
    if (s->fd >= 0) return ERR_OK;
    return err_set_errno(e, errno, "cannot make a temporary file in %s", s->folder);
}

static err_t spill(struct import_spool *s, struct err_info *e) {
    err_t err = s->fd < 0 ? make_file(s, e) : ERR_OK;
    for (size_t done = 0; !err && done < s->n;) {
        ssize_t n = write(s->fd, s->buf + done, s->n - done);
        if (n > 0) done += (size_t)n;
        if (n < 0 && errno != EINTR)
            err = err_set_errno(
                e, errno, "cannot write the rows of the import to a file in %s", s->folder);
    }
    s->written += s->n;
    s->n = 0;
    return err;
}

/* ---- numbers ---- */

static uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }
static int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

/* Differences wrap: any two int64 have one. */
static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static inline uint8_t *put_u(uint8_t *p, uint64_t v) {
    for (; v >= 0x80; v >>= 7) *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static inline uint8_t *put_i(uint8_t *p, int64_t v) { return put_u(p, zigzag(v)); }

static inline uint64_t get_u(const uint8_t **p) {
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        CHECK(shift < 64);
        uint8_t byte = *(*p)++;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return v;
    }
}

static inline int64_t get_i(const uint8_t **p) { return unzigzag(get_u(p)); }

static uint8_t *put_decimal(uint8_t *p, struct decimal d) {
    *p++ = d.exp;
    return put_i(p, d.mant);
}

static struct decimal get_decimal(const uint8_t **p) {
    struct decimal d;
    d.exp = *(*p)++;
    d.mant = get_i(p);
    return d;
}

static uint8_t *put_text(uint8_t *p, const char *text, size_t n) {
    p = put_u(p, n);
    memcpy(p, text, n);
    return p + n;
}

static const char *get_text(const uint8_t **p, size_t *n) {
    *n = get_u(p);
    const char *text = (const char *)*p;
    *p += *n;
    return text;
}

/* ---- levels: prices against their neighbour, decimals once where all agree ---- */

static bool uniform(const struct binance_level *l, uint32_t n) {
    for (uint32_t i = 1; i < n; i++) {
        if (l[i].px.exp != l[0].px.exp || l[i].qty.exp != l[0].qty.exp) return false;
    }
    return true;
}

static uint8_t *put_levels(uint8_t *p, const struct binance_level *l, uint32_t n) {
    bool same = uniform(l, n);
    p = put_u(p, (uint64_t)n << 1 | same);
    int64_t before = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || !same) {
            *p++ = l[i].px.exp;
            *p++ = l[i].qty.exp;
        }
        p = put_i(p, l[i].px.mant - before); /* both below 10^18 */
        p = put_i(p, l[i].qty.mant);
        before = l[i].px.mant;
    }
    return p;
}

static uint32_t get_levels(const uint8_t **from, struct binance_level *l) {
    const uint8_t *p = *from;
    uint64_t head = get_u(&p);
    bool same = head & 1;
    uint32_t n = (uint32_t)(head >> 1);
    CHECK(n <= BINANCE_LEVELS_MAX);
    int64_t before = 0;
    uint8_t px_exp = 0, qty_exp = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || !same) {
            px_exp = *p++;
            qty_exp = *p++;
        }
        before += get_i(&p);
        l[i].px = (struct decimal){before, px_exp};
        l[i].qty = (struct decimal){get_i(&p), qty_exp};
    }
    *from = p;
    return n;
}

/* ---- messages ---- */

bool import_spool_carries(const struct binance_message *m) {
    return m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE || m->kind == BINANCE_DEPTH ||
           m->kind == BINANCE_PARTIAL_DEPTH || m->kind == BINANCE_SNAPSHOT ||
           m->kind == BINANCE_TICKER;
}

enum { FLAG_PREV = 1, FLAG_SELLER = 2, FLAG_MARKET = 4 };

static uint8_t *put_trade(struct last *l, uint8_t *p, const struct binance_message *m) {
    const struct binance_trade *t = &m->trade;
    *p++ = (uint8_t)((t->seller_aggressor ? FLAG_SELLER : 0) | (t->market ? FLAG_MARKET : 0));
    p = put_i(p, minus(t->id, l->trade_id));
    l->trade_id = t->id;
    if (m->kind == BINANCE_AGG_TRADE) {
        p = put_i(p, t->first_id);
        p = put_i(p, minus(t->last_id, t->first_id));
    }
    p = put_decimal(p, t->px);
    return put_decimal(p, t->qty);
}

static void get_trade(struct last *l, const uint8_t **p, struct binance_message *m) {
    struct binance_trade *t = &m->trade;
    uint8_t flags = *(*p)++;
    *t = (struct binance_trade){
        .seller_aggressor = flags & FLAG_SELLER, .market = flags & FLAG_MARKET};
    t->id = l->trade_id = plus(l->trade_id, get_i(p));
    if (m->kind == BINANCE_AGG_TRADE) {
        t->first_id = get_i(p);
        t->last_id = plus(t->first_id, get_i(p));
    }
    t->px = get_decimal(p);
    t->qty = get_decimal(p);
}

static uint8_t *put_depth(struct last *l, uint8_t *p, const struct binance_depth *d) {
    *p++ = d->has_prev ? FLAG_PREV : 0;
    p = put_i(p, minus(d->last_id, l->book_id));
    p = put_i(p, minus(d->last_id, d->first_id));
    p = put_i(p, minus(d->last_id, d->prev_id));
    l->book_id = d->last_id;
    p = put_levels(p, d->bid, d->bids);
    return put_levels(p, d->ask, d->asks);
}

static void get_depth(struct last *l, const uint8_t **p, struct binance_depth *d) {
    d->has_prev = *(*p)++ & FLAG_PREV;
    d->last_id = l->book_id = plus(l->book_id, get_i(p));
    d->first_id = minus(d->last_id, get_i(p));
    d->prev_id = minus(d->last_id, get_i(p));
    d->bids = get_levels(p, d->bid);
    d->asks = get_levels(p, d->ask);
}

static uint8_t *put_message(struct last *l, uint8_t *p, const struct binance_message *m) {
    *p++ = m->kind; // cppcheck-suppress ctunullpointer ; a SPOOL_MESSAGE row always has one
    p = put_i(p, minus(m->venue_ns, l->venue));
    p = put_i(p, minus(m->msg_ns, m->venue_ns));
    l->venue = m->venue_ns;
    if (m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE) return put_trade(l, p, m);
    if (m->kind != BINANCE_TICKER) return put_depth(l, p, &m->depth);
    p = put_i(p, minus(m->ticker.id, l->book_id));
    l->book_id = m->ticker.id;
    p = put_decimal(p, m->ticker.bid_px);
    p = put_decimal(p, m->ticker.bid_qty);
    p = put_decimal(p, m->ticker.ask_px);
    return put_decimal(p, m->ticker.ask_qty);
}

static void get_message(struct last *l, const uint8_t **p, struct binance_message *m) {
    m->kind = *(*p)++;
    m->items = 1;
    m->venue_ns = l->venue = plus(l->venue, get_i(p));
    m->msg_ns = plus(m->venue_ns, get_i(p));
    if (m->kind == BINANCE_TRADE || m->kind == BINANCE_AGG_TRADE) {
        get_trade(l, p, m);
    } else if (m->kind == BINANCE_TICKER) {
        m->ticker.id = l->book_id = plus(l->book_id, get_i(p));
        m->ticker.bid_px = get_decimal(p);
        m->ticker.bid_qty = get_decimal(p);
        m->ticker.ask_px = get_decimal(p);
        m->ticker.ask_qty = get_decimal(p);
    } else {
        get_depth(l, p, &m->depth);
    }
}

/* ---- CSV rows ---- */

static uint8_t *put_csv(struct last *l, uint8_t *p, int64_t at_ns, const struct import_csv_row *r) {
    *p++ = (uint8_t)((r->seller_aggressor ? FLAG_SELLER : 0) | (r->market ? FLAG_MARKET : 0));
    p = put_u(p, r->has);
    for (unsigned role = 0; role < ROLE_DECIMALS; role++) {
        if (r->has >> role & 1u) p = put_decimal(p, r->d[role]);
    }
    p = put_i(p, minus(r->local_ns, at_ns));
    p = put_i(p, minus(r->venue_ns, l->venue));
    p = put_i(p, minus(r->event_ns, r->venue_ns));
    p = put_i(p, minus(r->id, l->trade_id));
    l->venue = r->venue_ns;
    l->trade_id = r->id;
    p = put_i(p, r->first_id);
    p = put_i(p, minus(r->last_id, r->first_id));
    return put_i(p, r->count);
}

static void get_csv(struct last *l, const uint8_t **p, int64_t at_ns, struct import_csv_row *r) {
    uint8_t flags = *(*p)++;
    *r = (struct import_csv_row){
        .seller_aggressor = flags & FLAG_SELLER, .market = flags & FLAG_MARKET};
    r->has = (uint32_t)get_u(p);
    for (unsigned role = 0; role < ROLE_DECIMALS; role++) {
        if (r->has >> role & 1u) r->d[role] = get_decimal(p);
    }
    r->local_ns = plus(at_ns, get_i(p));
    r->venue_ns = l->venue = plus(l->venue, get_i(p));
    r->event_ns = plus(r->venue_ns, get_i(p));
    r->id = l->trade_id = plus(l->trade_id, get_i(p));
    r->first_id = get_i(p);
    r->last_id = plus(r->first_id, get_i(p));
    r->count = get_i(p);
}

/* ---- rows ---- */

static uint8_t *put_bad(uint8_t *p, const struct spool_row *what, const struct import_row *row) {
    *p++ = (uint8_t)row->reason;
    *p++ = what->bad_kind;
    if (what->bad_kind) p = put_i(p, what->bad_id);
    return put_text(p, row->why, strlen(row->why));
}

static void get_bad(const uint8_t **p, struct spool_row *what, struct import_row *row) {
    uint8_t reason = *(*p)++;
    row->reason = (enum import_reason)reason;
    what->bad_kind = *(*p)++;
    what->bad_id = what->bad_kind ? get_i(p) : 0;
    size_t n;
    const char *why = get_text(p, &n);
    CHECK(n < sizeof row->why);
    memcpy(row->why, why, n);
    row->why[n] = 0;
}

err_t import_spool_put(struct import_spool *s, const struct spool_row *what,
    const struct import_row *row, const struct binance_message *m, struct err_info *e) {
    if (s->n >= SPOOL_BUFFER) {
        err_t err = spill(s, e);
        if (err) return err;
    }
    struct last *l = &s->last;
    uint8_t *start = s->buf + s->n, *p = start + HEAD;
    *p++ = (uint8_t)what->what;
    p = put_u(p, what->file);
    p = put_u(p, what->symbol);
    p = put_i(p, minus((int64_t)row->line, (int64_t)l->line));
    p = put_i(p, minus(row->at_ns, l->at));
    l->line = row->line;
    l->at = row->at_ns;
    switch (what->what) {
    case SPOOL_BAD: p = put_bad(p, what, row); break;
    case SPOOL_TEXT:
        CHECK(row->len <= BINANCE_MESSAGE_MAX);
        p = put_text(p, row->body, row->len);
        p = put_text(p, row->symbol, strnlen(row->symbol, SYMBOL_MAX));
        break;
    case SPOOL_MESSAGE: p = put_message(l, p, m); break;
    case SPOOL_CSV: p = put_csv(l, p, row->at_ns, &row->csv); break;
    }
    uint32_t n = (uint32_t)(p - start - HEAD);
    CHECK(n <= SPOOL_ROW_MAX - HEAD);
    memcpy(start, &n, HEAD);
    s->n += HEAD + n;
    return ERR_OK;
}

err_t import_spool_rewind(struct import_spool *s, struct err_info *e) {
    if (s->fd >= 0 && s->n > 0) {
        err_t err = spill(s, e);
        if (err) return err;
    }
    s->last = (struct last){0};
    s->at = 0;
    s->read = 0;
    return ERR_OK;
}

/* Has at least `want` unread bytes in the buffer, or tells that there are none. */
static err_t need(struct import_spool *s, size_t want, struct err_info *e) {
    if (s->n - s->at >= want) return ERR_OK;
    memmove(s->buf, s->buf + s->at, s->n - s->at);
    s->n -= s->at;
    s->at = 0;
    while (s->n < want && s->read < s->written) {
        size_t ask = want > SPOOL_BUFFER ? want : SPOOL_BUFFER;
        if (ask > s->written - s->read) ask = s->written - s->read;
        if (ask > CAP - s->n) ask = CAP - s->n;
        ssize_t n = pread(s->fd, s->buf + s->n, ask, (off_t)s->read);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return err_set_errno(e, n < 0 ? errno : EIO,
                "cannot read the rows of the import back from %s", s->folder);
        s->n += (size_t)n;
        s->read += (uint64_t)n;
    }
    return s->n >= want ? ERR_OK : ERR_END;
}

err_t import_spool_get(struct import_spool *s, struct spool_row *what, struct import_row *row,
    struct binance_message *m, struct err_info *e) {
    uint32_t n;
    err_t err = need(s, HEAD, e);
    if (err) return err;
    memcpy(&n, s->buf + s->at, HEAD);
    err = need(s, HEAD + n, e);
    CHECK(err != ERR_END);
    if (err) return err;
    const uint8_t *p = s->buf + s->at + HEAD, *end = p + n;
    struct last *l = &s->last;
    uint8_t kind = *p++;
    what->what = (enum spool_what)kind;
    what->file = (uint32_t)get_u(&p);
    what->symbol = (uint16_t)get_u(&p);
    row->line = l->line = (uint64_t)plus((int64_t)l->line, get_i(&p));
    row->at_ns = l->at = plus(l->at, get_i(&p));
    size_t len;
    switch (what->what) {
    case SPOOL_BAD: get_bad(&p, what, row); break;
    case SPOOL_TEXT:
        row->body = get_text(&p, &row->len);
        memset(row->symbol, 0, sizeof row->symbol);
        const char *symbol = get_text(&p, &len);
        memcpy(row->symbol, symbol, len);
        break;
    case SPOOL_MESSAGE: get_message(l, &p, m); break;
    case SPOOL_CSV: get_csv(l, &p, row->at_ns, &row->csv); break;
    }
    CHECK(p == end);
    s->at += HEAD + n;
    return ERR_OK;
}
