#include "capture/venue/binance/binance_internal.h"

#include "base/check.h"

typedef bool (*kind_read)(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m);

/* E, and T where the kind has it: the transaction time leads. */
static bool times_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    if (binance_has(o, KEY('E')) && !binance_stamp(r, o, KEY('E'), "E", &m->msg_ns)) return false;
    m->venue_ns = m->msg_ns;
    return !binance_has(o, KEY('T')) || binance_stamp(r, o, KEY('T'), "T", &m->venue_ns);
}

static bool head_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    if (!binance_has(o, KEY('E'))) return binance_fail(r, BINANCE_MISSING, r->s.end, "E");
    return times_read(r, o, m) && binance_word(r, o, KEY('s'), "s", m->symbol, sizeof m->symbol);
}

static bool trade_head_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    if (!binance_has(o, KEY('T'))) return binance_fail(r, BINANCE_MISSING, r->s.end, "T");
    return head_read(r, o, m);
}

/* 1 USD-M, 2 COIN-M, absent before 2026. */
static bool st_read(struct binance_reader *r, const struct binance_object *o, uint8_t *st) {
    int64_t v = 0;
    if (binance_has(o, KEY_ST)) {
        if (!binance_int(r, o, KEY_ST, "st", &v)) return false;
        if (v != 1 && v != 2) return binance_fail(r, BINANCE_VALUE, o->ref[KEY_ST].p, "st 1 or 2");
    }
    *st = (uint8_t)v;
    return true;
}

static bool word_is(const struct json_ref *ref, const char *word) {
    return ref->type == JSON_STRING && !ref->escaped && ref->n == strlen(word) &&
           memcmp(ref->p, word, ref->n) == 0;
}

static bool trade_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_trade *t = &m->trade;
    t->first_id = t->last_id = 0;
    t->market = true;
    if (!trade_head_read(r, o, m) || !binance_int(r, o, KEY('t'), "t", &t->id) ||
        !binance_dec(r, o, KEY('p'), "p", &t->px) || !binance_dec(r, o, KEY('q'), "q", &t->qty) ||
        !binance_flag(r, o, KEY('m'), "m", &t->seller_aggressor))
        return false;
    if (!binance_has(o, KEY('X'))) return true;
    if (o->ref[KEY('X')].type != JSON_STRING)
        return binance_fail(r, BINANCE_TYPE, o->ref[KEY('X')].p, "X");
    t->market = word_is(&o->ref[KEY('X')], "MARKET");
    return true;
}

static bool agg_trade_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_trade *t = &m->trade;
    t->market = true;
    return trade_head_read(r, o, m) && binance_int(r, o, KEY('a'), "a", &t->id) &&
           binance_int(r, o, KEY('f'), "f", &t->first_id) &&
           binance_int(r, o, KEY('l'), "l", &t->last_id) &&
           binance_dec(r, o, KEY('p'), "p", &t->px) && binance_dec(r, o, KEY('q'), "q", &t->qty) &&
           binance_flag(r, o, KEY('m'), "m", &t->seller_aggressor);
}

/* Both level arrays are there and hold levels (they are already in the message). */
static bool levels_check(
    struct binance_reader *r, const struct binance_object *o, unsigned bids, unsigned asks) {
    if (!binance_has(o, bids) || !binance_has(o, asks))
        return binance_fail(r, BINANCE_MISSING, r->s.end, "arrays of bids and asks");
    if (o->bad_levels.status != BINANCE_OK) {
        r->fault = o->bad_levels;
        return false;
    }
    if (o->ref[bids].type != JSON_ARRAY)
        return binance_fail(r, BINANCE_TYPE, o->ref[bids].p, "an array of levels");
    if (o->ref[asks].type != JSON_ARRAY)
        return binance_fail(r, BINANCE_TYPE, o->ref[asks].p, "an array of levels");
    return true;
}

static bool depth_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_depth *d = &m->depth;
    d->prev_id = 0;
    d->has_prev = binance_has(o, KEY_PU);
    return head_read(r, o, m) && binance_int(r, o, KEY('U'), "U", &d->first_id) &&
           binance_int(r, o, KEY('u'), "u", &d->last_id) &&
           (!d->has_prev || binance_int(r, o, KEY_PU, "pu", &d->prev_id)) &&
           levels_check(r, o, KEY('b'), KEY('a'));
}

/* REST depth; spot sends its partial books in the same form. */
static bool snapshot_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_depth *d = &m->depth;
    d->first_id = d->prev_id = 0;
    d->has_prev = false;
    if (binance_has(o, KEY_SYMBOL) &&
        !binance_word(r, o, KEY_SYMBOL, "symbol", m->symbol, sizeof m->symbol))
        return false;
    return times_read(r, o, m) &&
           binance_int(r, o, KEY_LAST_UPDATE_ID, "lastUpdateId", &d->last_id) &&
           levels_check(r, o, KEY_BIDS, KEY_ASKS);
}

/* Spot sends no `e` and no times here. */
static bool ticker_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_ticker *t = &m->ticker;
    return times_read(r, o, m) && binance_word(r, o, KEY('s'), "s", m->symbol, sizeof m->symbol) &&
           binance_int(r, o, KEY('u'), "u", &t->id) &&
           binance_dec(r, o, KEY('b'), "b", &t->bid_px) &&
           binance_dec(r, o, KEY('B'), "B", &t->bid_qty) &&
           binance_dec(r, o, KEY('a'), "a", &t->ask_px) &&
           binance_dec(r, o, KEY('A'), "A", &t->ask_qty);
}

static bool mark_row(
    struct binance_reader *r, const struct binance_object *o, struct binance_mark *k) {
    k->next_funding_ns = 0;
    if (binance_has(o, KEY('T')) && !binance_stamp(r, o, KEY('T'), "T", &k->next_funding_ns))
        return false;
    return binance_word(r, o, KEY('s'), "s", k->symbol, sizeof k->symbol) &&
           st_read(r, o, &k->st) && binance_stamp(r, o, KEY('E'), "E", &k->msg_ns) &&
           binance_dec(r, o, KEY('p'), "p", &k->mark) &&
           binance_dec_maybe(r, o, KEY('i'), &k->index, &k->has_index) &&
           binance_dec_maybe(r, o, KEY('P'), &k->settle, &k->has_settle) &&
           binance_dec_maybe(r, o, KEY_AP, &k->average, &k->has_average) &&
           binance_dec_maybe(r, o, KEY('r'), &k->rate, &k->has_rate);
}

static bool side_read(struct binance_reader *r, const struct binance_object *o, bool *buys) {
    if (!binance_has(o, KEY('S'))) return binance_fail(r, BINANCE_MISSING, r->s.end, "S");
    const struct json_ref *side = &o->ref[KEY('S')];
    *buys = word_is(side, "BUY");
    return *buys || word_is(side, "SELL") ||
           binance_fail(r, BINANCE_VALUE, side->p, "S \"BUY\" or \"SELL\"");
}

static bool liquidation_row(
    struct binance_reader *r, const struct binance_object *o, struct binance_liquidation *l) {
    struct binance_object in;
    if (!binance_has(o, KEY('o'))) return binance_fail(r, BINANCE_MISSING, r->s.end, "o");
    if (o->ref[KEY('o')].type != JSON_OBJECT)
        return binance_fail(r, BINANCE_TYPE, o->ref[KEY('o')].p, "o");
    return binance_stamp(r, o, KEY('E'), "E", &l->msg_ns) && st_read(r, o, &l->st) &&
           binance_inner(r, &o->ref[KEY('o')], &in) &&
           binance_word(r, &in, KEY('s'), "o.s", l->symbol, sizeof l->symbol) &&
           side_read(r, &in, &l->buys) && binance_dec(r, &in, KEY('p'), "o.p", &l->px) &&
           binance_dec(r, &in, KEY_AP, "o.ap", &l->average) &&
           binance_dec(r, &in, KEY('z'), "o.z", &l->filled) &&
           binance_stamp(r, &in, KEY('T'), "o.T", &l->venue_ns);
}

static bool stat24_row(
    struct binance_reader *r, const struct binance_object *o, struct binance_stat24 *t) {
    return binance_word(r, o, KEY('s'), "s", t->symbol, sizeof t->symbol) &&
           st_read(r, o, &t->st) && binance_stamp(r, o, KEY('E'), "E", &t->msg_ns) &&
           binance_stamp(r, o, KEY('O'), "O", &t->open_ns) &&
           binance_int(r, o, KEY('n'), "n", &t->count) &&
           binance_int(r, o, KEY('F'), "F", &t->first_id) &&
           binance_int(r, o, KEY('L'), "L", &t->last_id) &&
           binance_dec(r, o, KEY('c'), "c", &t->last) &&
           binance_dec(r, o, KEY('o'), "o", &t->open) &&
           binance_dec(r, o, KEY('h'), "h", &t->high) &&
           binance_dec(r, o, KEY('l'), "l", &t->low) &&
           binance_dec(r, o, KEY('v'), "v", &t->volume) &&
           binance_dec(r, o, KEY('q'), "q", &t->quote_volume);
}

static bool kline_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    struct binance_kline *k = &m->kline;
    struct binance_object in;
    if (!binance_has(o, KEY('k'))) return binance_fail(r, BINANCE_MISSING, r->s.end, "k");
    if (o->ref[KEY('k')].type != JSON_OBJECT)
        return binance_fail(r, BINANCE_TYPE, o->ref[KEY('k')].p, "k");
    return head_read(r, o, m) && binance_inner(r, &o->ref[KEY('k')], &in) &&
           binance_stamp(r, &in, KEY('t'), "k.t", &k->open_ns) &&
           binance_stamp(r, &in, KEY('T'), "k.T", &k->close_ns) &&
           binance_word(r, &in, KEY('i'), "k.i", k->interval, sizeof k->interval) &&
           binance_int(r, &in, KEY('n'), "k.n", &k->count) &&
           binance_dec(r, &in, KEY('o'), "k.o", &k->open) &&
           binance_dec(r, &in, KEY('c'), "k.c", &k->close) &&
           binance_dec(r, &in, KEY('h'), "k.h", &k->high) &&
           binance_dec(r, &in, KEY('l'), "k.l", &k->low) &&
           binance_dec(r, &in, KEY('v'), "k.v", &k->volume) &&
           binance_dec(r, &in, KEY('q'), "k.q", &k->quote_volume) &&
           binance_dec(r, &in, KEY('V'), "k.V", &k->taker_buy) &&
           binance_dec(r, &in, KEY('Q'), "k.Q", &k->taker_buy_quote) &&
           binance_flag(r, &in, KEY('x'), "k.x", &k->closed);
}

static bool open_interest_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    if (binance_has(o, KEY_TIME) && !binance_stamp(r, o, KEY_TIME, "time", &m->venue_ns))
        return false;
    m->msg_ns = m->venue_ns;
    return binance_word(r, o, KEY_SYMBOL, "symbol", m->symbol, sizeof m->symbol) &&
           binance_dec(r, o, KEY_OPEN_INTEREST, "openInterest", &m->open_interest.amount);
}

static bool row_read(struct binance_reader *r, const struct binance_object *o,
    struct binance_message *m, uint32_t row) {
    switch (m->kind) {
    case BINANCE_MARK: return mark_row(r, o, &m->mark[row]);
    case BINANCE_LIQUIDATION: return liquidation_row(r, o, &m->liquidation[row]);
    case BINANCE_STAT24: return stat24_row(r, o, &m->stat24[row]);
    default: return true;
    }
}

/* The first row's symbol and times stand for the message. */
static void head_from_row(struct binance_message *m) {
    if (m->items == 0) return;
    const char *symbol = m->symbol;
    switch (m->kind) {
    case BINANCE_MARK:
        symbol = m->mark[0].symbol;
        m->st = m->mark[0].st;
        m->venue_ns = m->msg_ns = m->mark[0].msg_ns;
        break;
    case BINANCE_LIQUIDATION:
        symbol = m->liquidation[0].symbol;
        m->st = m->liquidation[0].st;
        m->venue_ns = m->liquidation[0].venue_ns;
        m->msg_ns = m->liquidation[0].msg_ns;
        break;
    case BINANCE_STAT24:
        symbol = m->stat24[0].symbol;
        m->st = m->stat24[0].st;
        m->venue_ns = m->msg_ns = m->stat24[0].msg_ns;
        break;
    default: return;
    }
    memcpy(m->symbol, symbol, SYMBOL_MAX);
}

static bool rows_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    if (!row_read(r, o, m, 0)) return false;
    head_from_row(m);
    return true;
}

static uint8_t kind_of_event(const struct json_ref *e) {
    switch (e->n) {
    case 5:
        return word_is(e, "trade")   ? BINANCE_TRADE
               : word_is(e, "kline") ? BINANCE_KLINE
                                     : BINANCE_OTHER;
    case 8: return word_is(e, "aggTrade") ? BINANCE_AGG_TRADE : BINANCE_OTHER;
    case 10:
        if (word_is(e, "bookTicker")) return BINANCE_TICKER;
        if (word_is(e, "forceOrder")) return BINANCE_LIQUIDATION;
        return word_is(e, "24hrTicker") ? BINANCE_STAT24 : BINANCE_OTHER;
    case 11: return word_is(e, "depthUpdate") ? BINANCE_DEPTH : BINANCE_OTHER;
    case 14: return word_is(e, "serverShutdown") ? BINANCE_CONTROL : BINANCE_OTHER;
    case 15: return word_is(e, "markPriceUpdate") ? BINANCE_MARK : BINANCE_OTHER;
    default: return BINANCE_OTHER;
    }
}

/* The text after `mark` in the stream name, *n = its length; NULL if the mark is not there. */
static const char *stream_after(const struct binance_message *m, const char *mark, size_t *n) {
    if (!m->stream) return NULL;
    const char *p = memchr(m->stream, '@', m->stream_n);
    if (!p) return NULL;
    size_t left = m->stream_n - (size_t)(p - m->stream), length = strlen(mark);
    if (left < length || memcmp(p, mark, length) != 0) return NULL;
    *n = left - length;
    return p + length;
}

/* "btcusdt@depth20@100ms" is a partial book, "btcusdt@depth@100ms" are changes. */
static bool stream_is_partial(const struct binance_message *m) {
    size_t n;
    const char *p = stream_after(m, "@depth", &n);
    return p && n > 0 && *p >= '0' && *p <= '9';
}

/* A book of its own, with retail orders, in the same form as changes of the common book. */
static bool stream_is_rpi(const struct binance_message *m) {
    size_t n;
    return stream_after(m, "@rpiDepth", &n) != NULL;
}

static uint8_t kind_without_event(const struct binance_object *o, const struct binance_message *m) {
    if (binance_has(o, KEY_LAST_UPDATE_ID))
        return stream_is_partial(m) ? BINANCE_PARTIAL_DEPTH : BINANCE_SNAPSHOT;
    if (binance_has(o, KEY_SYMBOLS)) return BINANCE_EXCHANGE_INFO;
    if (binance_has(o, KEY_OPEN_INTEREST)) return BINANCE_OPEN_INTEREST;
    if (binance_has(o, KEY('u')) && binance_has(o, KEY('B')) && binance_has(o, KEY('A')))
        return BINANCE_TICKER;
    bool answer = binance_has(o, KEY_RESULT) || binance_has(o, KEY_ERROR) ||
                  binance_has(o, KEY_EVENT) ||
                  (binance_has(o, KEY_CODE) && binance_has(o, KEY_MSG));
    return answer ? BINANCE_CONTROL : BINANCE_OTHER;
}

static bool event_name(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    const struct json_ref *e = &o->ref[KEY('e')];
    if (e->type != JSON_STRING) return binance_fail(r, BINANCE_TYPE, e->p, "e");
    m->event_name = e->p;
    m->event_name_n = e->n;
    return true;
}

/* "_PERP" or "USD_" somewhere in the name; nearly every name has no '_' at all. */
static bool coin_margined(const char *symbol) {
    for (const char *at = strchr(symbol, '_'); at; at = strchr(at + 1, '_')) {
        if (strncmp(at, "_PERP", 5) == 0) return true;
        if (at - symbol >= 3 && memcmp(at - 3, "USD", 3) == 0) return true;
    }
    return false;
}

/* What the shape of the message says about the market it comes from. */
static uint8_t venue_of(const struct binance_object *o, const struct binance_message *m) {
    if (m->st) return m->st == 2 ? VENUE_BINANCE_COINM : VENUE_BINANCE_USDM;
    if (coin_margined(m->symbol)) return VENUE_BINANCE_COINM;
    bool spot = false;
    switch ((enum binance_kind)m->kind) {
    case BINANCE_TRADE:
    case BINANCE_AGG_TRADE: spot = binance_has(o, KEY('M')); break;
    case BINANCE_TICKER: spot = !m->event_name; break;
    case BINANCE_DEPTH: spot = !binance_has(o, KEY_PU); break;
    case BINANCE_SNAPSHOT:
    case BINANCE_PARTIAL_DEPTH: spot = m->msg_ns == 0; break;
    case BINANCE_STAT24: spot = binance_has(o, KEY('b')); break;
    case BINANCE_MARK:
    case BINANCE_LIQUIDATION:
    case BINANCE_OPEN_INTEREST: break;
    case BINANCE_NONE:
    case BINANCE_KLINE: /* the same in all markets */
    case BINANCE_EXCHANGE_INFO:
    case BINANCE_CONTROL:
    case BINANCE_OTHER:
    case BINANCE_KIND_COUNT: return VENUE_NONE;
    }
    return spot ? VENUE_BINANCE_SPOT : VENUE_BINANCE_USDM;
}

static const kind_read readers[BINANCE_KIND_COUNT] = {
    [BINANCE_TRADE] = trade_read,
    [BINANCE_AGG_TRADE] = agg_trade_read,
    [BINANCE_DEPTH] = depth_read,
    [BINANCE_PARTIAL_DEPTH] = snapshot_read,
    [BINANCE_SNAPSHOT] = snapshot_read,
    [BINANCE_TICKER] = ticker_read,
    [BINANCE_MARK] = rows_read,
    [BINANCE_LIQUIDATION] = rows_read,
    [BINANCE_KLINE] = kline_read,
    [BINANCE_STAT24] = rows_read,
    [BINANCE_OPEN_INTEREST] = open_interest_read,
};

static bool payload_read(
    struct binance_reader *r, const struct binance_object *o, struct binance_message *m) {
    m->items = 1;
    if (!st_read(r, o, &m->st)) return false;
    if (binance_has(o, KEY('e'))) {
        if (!event_name(r, o, m)) return false;
        m->kind = kind_of_event(&o->ref[KEY('e')]);
    } else {
        m->kind = kind_without_event(o, m);
    }
    if (m->kind == BINANCE_DEPTH && stream_is_rpi(m)) m->kind = BINANCE_OTHER;
    kind_read read = readers[m->kind];
    if (m->kind == BINANCE_DEPTH && stream_is_partial(m)) m->kind = BINANCE_PARTIAL_DEPTH;
    if (read && !read(r, o, m)) return false;
    m->venue = venue_of(o, m);
    return true;
}

/* Rows of an all-market array: every one an object of the same kind. */
static bool array_row(struct binance_reader *r, struct binance_message *m) {
    struct binance_object o;
    const char *at = r->s.p;
    if (!binance_object(r, 1, &o, NULL)) return false;
    const char *after = r->s.p;
    uint8_t kind = BINANCE_OTHER;
    if (binance_has(&o, KEY('e'))) {
        if (!event_name(r, &o, m)) return false;
        kind = kind_of_event(&o.ref[KEY('e')]);
    }
    bool known = kind == BINANCE_MARK || kind == BINANCE_LIQUIDATION || kind == BINANCE_STAT24;
    if (!known) kind = BINANCE_OTHER;
    if (m->items == 0) m->kind = kind;
    if (kind != m->kind) return binance_fail(r, BINANCE_VALUE, at, "rows of one kind");
    if (m->items == BINANCE_ITEMS_MAX)
        return binance_fail(r, BINANCE_ITEMS, at, "at most 2000 rows");
    if (known && !row_read(r, &o, m, m->items)) return false;
    m->items++;
    r->s.p = after;
    return true;
}

static bool array_read(struct binance_reader *r, const char *start, struct binance_message *m) {
    struct json_scan *s = &r->s;
    r->out = NULL;
    s->p = start + 1;
    m->kind = BINANCE_OTHER;
    m->items = 0;
    json_ws(s);
    if (s->p < s->end && *s->p == ']') {
        s->p++;
        return true;
    }
    for (;;) {
        json_ws(s);
        if (s->p < s->end && *s->p != '{') {
            struct json_ref other; /* a list of something else, e.g. REST klines */
            m->kind = BINANCE_OTHER;
            if (m->items > 0) return binance_fail(r, BINANCE_VALUE, s->p, "rows of one kind");
            s->p = start;
            return json_value(s, 1, &other);
        }
        if (!array_row(r, m)) return false;
        json_ws(s);
        if (s->p < s->end && *s->p == ']') break;
        if (!json_expect(s, ',', "',' or ']'")) return false;
    }
    s->p++;
    head_from_row(m);
    return true;
}

static bool wrapper_read(struct binance_reader *r, const struct binance_object *top,
    const struct binance_object *data, struct binance_message *m) {
    if (binance_has(top, KEY_STREAM)) {
        const struct json_ref *name = &top->ref[KEY_STREAM];
        if (name->type != JSON_STRING) return binance_fail(r, BINANCE_TYPE, name->p, "stream");
        m->stream = name->p;
        m->stream_n = name->n;
    }
    if (!binance_has(top, KEY_DATA)) return payload_read(r, top, m);
    if (top->levels) return binance_fail(r, BINANCE_DUPLICATE, r->s.end, "levels inside data only");
    const struct json_ref *ref = &top->ref[KEY_DATA];
    if (ref->type == JSON_OBJECT) return payload_read(r, data, m);
    if (ref->type == JSON_ARRAY) return array_read(r, ref->p, m);
    return binance_fail(r, BINANCE_TYPE, ref->p, "data");
}

enum binance_status binance_decode(
    const char *msg, size_t n, struct binance_message *out, struct binance_fault *fault) {
    struct binance_reader r = {.out = out};
    struct binance_object top, data;
    json_scan_init(&r.s, msg, n);
    memset(out, 0, offsetof(struct binance_message, trade));
    if (n > BINANCE_MESSAGE_MAX) {
        (void)binance_fail(&r, BINANCE_TOO_LONG, msg, "at most 1 MiB");
        return binance_result(&r, fault);
    }
    json_ws(&r.s);
    if (r.s.p < r.s.end && *r.s.p == '[') {
        if (array_read(&r, r.s.p, out)) (void)json_end(&r.s);
    } else if (binance_object(&r, 0, &top, &data) && json_end(&r.s)) {
        (void)wrapper_read(&r, &top, &data, out);
    }
    return binance_result(&r, fault);
}

const char *binance_symbol(const struct binance_message *m, size_t item) {
    CHECK(item < m->items);
    switch (m->kind) {
    case BINANCE_MARK: return m->mark[item].symbol;
    case BINANCE_LIQUIDATION: return m->liquidation[item].symbol;
    case BINANCE_STAT24: return m->stat24[item].symbol;
    default: return m->symbol;
    }
}

uint8_t binance_st(const struct binance_message *m, size_t item) {
    CHECK(item < m->items);
    switch (m->kind) {
    case BINANCE_MARK: return m->mark[item].st;
    case BINANCE_LIQUIDATION: return m->liquidation[item].st;
    case BINANCE_STAT24: return m->stat24[item].st;
    default: return m->st;
    }
}
