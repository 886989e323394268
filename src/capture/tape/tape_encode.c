/* Encoder of COLUMNS blocks. See tape_codec.h and docs/formats/tape.md. */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/check.h"
#include "capture/tape/tape_codec.h"

/* Level 1: planes have next to no repeats, higher levels gained under 2 % (docs/decisions). */
enum { ZSTD_LEVEL = 1, ZSTD_LEAST = 64 };
/* A plane stays raw unless zstd takes off a sixteenth: what it saves must pay for decoding. */
enum { ZSTD_GAIN = 16 };

struct run {
    uint32_t from; /* slot */
    uint32_t length;
    uint32_t type;
    uint32_t context;
};

/* Last values of one (kind, instrument). */
struct context {
    int64_t v[FIELD_COUNT];
    int64_t first_px[2]; /* EV_DEPTH: first price of the last bid and ask run */
};

enum { TYPE_TABLE = 4 * TAPE_RUNS_MAX }; /* open addressing, at most a quarter full */

struct tape_encoder {
    ZSTD_CCtx *zstd;
    const struct event *slot;
    size_t runs, types, contexts;
    struct run run[TAPE_RUNS_MAX];
    struct tape_run_type type[TAPE_RUNS_MAX];
    uint32_t type_context[TAPE_RUNS_MAX];
    uint32_t type_at[TYPE_TABLE];    /* 1 + index into type; zero between two blocks */
    uint32_t context_at[TYPE_TABLE]; /* 1 + context number; zero between two blocks */
    uint32_t type_used[TAPE_RUNS_MAX], context_used[TAPE_RUNS_MAX]; /* what to zero again */
    uint32_t context_key[TAPE_RUNS_MAX];
    struct context context[TAPE_RUNS_MAX];
    int64_t column[TAPE_BLOCK_SLOTS];
    uint64_t unsign[TAPE_BLOCK_SLOTS];
    unsigned char plane[TAPE_BLOCK_SLOTS];
    unsigned char *to; /* output */
    size_t room, len;
    bool full;
};

struct tape_encoder *tape_encoder_new(void) {
    struct tape_encoder *c = malloc(sizeof *c); /* megabytes: zeros only where they are needed */
    if (!c) return NULL;
    memset(c->type_at, 0, sizeof c->type_at);
    memset(c->context_at, 0, sizeof c->context_at);
    c->types = c->contexts = 0;
    c->zstd = ZSTD_createCCtx();
    if (!c->zstd) {
        free(c);
        return NULL;
    }
    /* No checksum and no size: the block's header has both. */
    (void)ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    (void)ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_contentSizeFlag, 0);
    (void)ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 0);
    return c;
}

void tape_encoder_free(struct tape_encoder *c) {
    if (!c) return;
    ZSTD_freeCCtx(c->zstd);
    free(c);
}

/* --- output ---------------------------------------------------------------------------------- */

static void put_byte(struct tape_encoder *c, unsigned char b) {
    if (c->len == c->room) {
        c->full = true;
        return;
    }
    c->to[c->len++] = b;
}

static void put_varint(struct tape_encoder *c, uint64_t v) {
    for (; v >= 128; v >>= 7) put_byte(c, (unsigned char)(v | 128));
    put_byte(c, (unsigned char)v);
}

static uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }

static uint64_t magnitude(int64_t v) { return v < 0 ? 0 - (uint64_t)v : (uint64_t)v; }

static uint64_t gcd(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static uint64_t column_divisor(const int64_t *v, size_t n) {
    uint64_t g = 0;
    for (size_t i = 0; i < n && g != 1; i++) {
        uint64_t m = magnitude(v[i]);
        if (m != 0 && (g == 0 || m % g != 0)) g = gcd(m, g);
    }
    return g ? g : 1;
}

static void put_plane(struct tape_encoder *c, const unsigned char *p, size_t n) {
    size_t same = 1;
    while (same < n && p[same] == p[0]) same++;
    if (same == n) {
        put_varint(c, PLANE_CONSTANT);
        put_byte(c, p[0]);
        return;
    }
    size_t before = c->len;
    if (n >= ZSTD_LEAST && c->room - c->len > n) {
        size_t most = n - n / ZSTD_GAIN; /* longer output is not wanted: zstd gives up early */
        size_t got = ZSTD_compress2(c->zstd, c->to + c->len + 4, most, p, n);
        if (!ZSTD_isError(got)) {
            put_varint(c, got << 2 | PLANE_ZSTD);
            memmove(c->to + c->len, c->to + before + 4, got);
            c->len += got;
            return;
        }
    }
    put_varint(c, PLANE_RAW);
    if (c->room - c->len < n) {
        c->full = true;
        return;
    }
    memcpy(c->to + c->len, p, n);
    c->len += n;
}

/* Writes c->column[0..n). */
static void put_column(struct tape_encoder *c, size_t n, enum tape_predictor predictor) {
    int64_t *v = c->column;
    uint64_t any = 0;
    bool negative = false, constant = true;
    for (size_t i = 0; i < n; i++) {
        negative |= v[i] < 0;
        constant &= v[i] == v[0];
    }
    if (constant) {
        put_byte(c, (unsigned char)predictor);
        put_varint(c, n ? zigzag(v[0]) : 0);
        return;
    }
    uint64_t g = column_divisor(v, n);
    for (size_t i = 0; i < n; i++) {
        int64_t r = g == 1     ? v[i]
                    : v[i] < 0 ? (int64_t)(0 - magnitude(v[i]) / g)
                               : (int64_t)((uint64_t)v[i] / g);
        c->unsign[i] = negative ? zigzag(r) : (uint64_t)r;
        any |= c->unsign[i];
    }
    unsigned planes = (64u - (unsigned)__builtin_clzll(any) + 7) / 8; /* not constant: any > 0 */
    put_byte(c, (unsigned char)((unsigned)predictor | (negative ? COLUMN_ZIGZAG : 0u) |
                                (g > 1 ? COLUMN_SCALED : 0u) | planes << COLUMN_PLANES_SHIFT));
    if (g > 1) put_varint(c, g);
    for (unsigned k = 0; k < planes && !c->full; k++) {
        for (size_t i = 0; i < n; i++) c->plane[i] = (unsigned char)(c->unsign[i] >> (8 * k));
        put_plane(c, c->plane, n);
    }
}

/* --- runs ------------------------------------------------------------------------------------ */

static bool same_head(const struct event *a, const struct event *b) {
    return a->kind == b->kind && a->inst == b->inst && a->ts_local.ns == b->ts_local.ns &&
           a->ts_venue.ns == b->ts_venue.ns && a->id == b->id && a->msg_us == b->msg_us &&
           a->aux.a == b->aux.a && a->aux.b == b->aux.b;
}

static uint32_t type_hash(const struct tape_run_type *t) {
    uint64_t v = (uint64_t)t->inst | (uint64_t)t->kind << 16 | (uint64_t)t->same_message << 24 |
                 (uint64_t)t->first << 32 | (uint64_t)t->middle << 40 | (uint64_t)t->last << 48;
    return (uint32_t)((v * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % TYPE_TABLE;
}

static bool type_same(const struct tape_run_type *a, const struct tape_run_type *b) {
    return a->inst == b->inst && a->kind == b->kind && a->same_message == b->same_message &&
           a->first == b->first && a->middle == b->middle && a->last == b->last;
}

static uint32_t context_of(struct tape_encoder *c, const struct tape_run_type *t) {
    uint32_t key = (uint32_t)t->inst << 8 | t->kind;
    uint32_t at = key * UINT32_C(0x9E3779B1) >> 12;
    for (at %= TYPE_TABLE;; at = (at + 1) % TYPE_TABLE) {
        if (c->context_at[at] == 0) break;
        if (c->context_key[c->context_at[at] - 1] == key) return c->context_at[at] - 1;
    }
    c->context_key[c->contexts] = key;
    c->context_used[c->contexts] = at;
    c->context_at[at] = (uint32_t)++c->contexts;
    return (uint32_t)c->contexts - 1;
}

static uint32_t type_of(struct tape_encoder *c, const struct tape_run_type *t) {
    for (uint32_t at = type_hash(t);; at = (at + 1) % TYPE_TABLE) {
        if (c->type_at[at] == 0) {
            c->type[c->types] = *t;
            c->type_context[c->types] = context_of(c, t);
            c->type_used[c->types] = at;
            c->type_at[at] = (uint32_t)++c->types;
            return (uint32_t)c->types - 1;
        }
        if (type_same(&c->type[c->type_at[at] - 1], t)) return c->type_at[at] - 1;
    }
}

/* Levels that follow `at` with the same head, the same flags and at most a LAST on the end. */
static size_t run_length(const struct event *slot, size_t at, size_t n, struct tape_run_type *t) {
    const struct event *e = slot + at;
    size_t end = at + 1;
    *t = (struct tape_run_type){e->inst, e->kind, 0, e->flags, e->flags, e->flags};
    if (e->kind != EV_DEPTH || (e->flags & EVF_LAST)) return 1;
    uint8_t middle = e->flags & (uint8_t)~EVF_FIRST;
    uint8_t last = middle;
    for (; end < n && last == middle && same_head(e, slot + end); end++) {
        if (slot[end].flags == (middle | EVF_LAST))
            last = slot[end].flags;
        else if (slot[end].flags != middle)
            break;
    }
    if (end - at == 1) return 1;
    t->middle = middle;
    t->last = last;
    return end - at;
}

static void runs_find(struct tape_encoder *c, size_t n) {
    for (size_t i = 0; i < c->types; i++) c->type_at[c->type_used[i]] = 0;
    for (size_t i = 0; i < c->contexts; i++) c->context_at[c->context_used[i]] = 0;
    c->runs = c->types = c->contexts = 0;
    for (size_t at = 0; at < n;) {
        struct tape_run_type t;
        size_t length = run_length(c->slot, at, n, &t);
        if (c->runs > 0 && t.kind == EV_DEPTH) {
            t.same_message = same_head(c->slot + c->run[c->runs - 1].from, c->slot + at);
        }
        uint32_t type = type_of(c, &t);
        c->run[c->runs++] =
            (struct run){(uint32_t)at, (uint32_t)length, type, c->type_context[type]};
        at += length == 1 ? event_slots(t.kind) : length;
    }
}

/* --- fields ---------------------------------------------------------------------------------- */

static int64_t field(const struct event *e, unsigned f) {
    switch (f) {
    case FIELD_TS_VENUE: return e->ts_venue.ns;
    case FIELD_MSG_US: return e->msg_us;
    case FIELD_PX: return e->px.ticks;
    case FIELD_QTY: return e->qty.lots;
    case FIELD_ID: return e->id;
    case FIELD_A: return e->aux.a;
    case FIELD_B: return e->aux.b;
    default: return event_words(e)[f - FIELD_W0];
    }
}

static int64_t minus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }

static int64_t predicted(
    const struct context *x, const struct event *e, unsigned f, enum tape_predictor p) {
    switch (p) {
    case PREDICT_ZERO: return 0;
    case PREDICT_SAME: return x->v[f];
    case PREDICT_PREVIOUS_ID: return x->v[FIELD_ID];
    case PREDICT_ID: return e->id;
    case PREDICT_COUNT: break;
    }
    return 0;
}

static unsigned bits(int64_t v) {
    uint64_t u = zigzag(v);
    return u ? 64u - (unsigned)__builtin_clzll(u) : 0;
}

static void context_take(struct context *x, const struct event *e, unsigned fields) {
    for (unsigned f = 0; f < fields; f++) x->v[f] = field(e, f);
}

/* True for the runs whose own heads are in the columns of `kind`. */
static bool run_heads(const struct tape_encoder *c, const struct run *r, uint8_t kind) {
    return c->type[r->type].kind == kind && !c->type[r->type].same_message;
}

static bool predictor_fits(unsigned f, unsigned p) { return p != PREDICT_ID || f > FIELD_ID; }

/* The predictor of each field that needs the fewest bits over all runs of the kind. */
static void predictors_choose(
    struct tape_encoder *c, uint8_t kind, enum tape_predictor best[FIELD_COUNT]) {
    uint64_t cost[FIELD_COUNT][PREDICT_COUNT] = {{0}};
    unsigned fields = tape_fields(kind);
    memset(c->context, 0, c->contexts * sizeof *c->context);
    for (size_t i = 0; i < c->runs; i++) {
        if (!run_heads(c, &c->run[i], kind)) continue;
        const struct event *e = c->slot + c->run[i].from;
        struct context *x = &c->context[c->run[i].context];
        for (unsigned f = 0; f < fields; f++) {
            int64_t v = field(e, f);
            for (unsigned p = 0; p < PREDICT_COUNT; p++) {
                cost[f][p] += bits(minus(v, predicted(x, e, f, (enum tape_predictor)p)));
            }
        }
        context_take(x, e, fields);
    }
    for (unsigned f = 0; f < fields; f++) {
        best[f] = PREDICT_ZERO;
        for (unsigned p = 1; p < PREDICT_COUNT; p++) {
            if (predictor_fits(f, p) && cost[f][p] < cost[f][best[f]]) {
                best[f] = (enum tape_predictor)p;
            }
        }
    }
}

static void put_field(
    struct tape_encoder *c, uint8_t kind, unsigned f, enum tape_predictor predictor) {
    size_t n = 0;
    memset(c->context, 0, c->contexts * sizeof *c->context);
    for (size_t i = 0; i < c->runs; i++) {
        if (!run_heads(c, &c->run[i], kind)) continue;
        const struct event *e = c->slot + c->run[i].from;
        struct context *x = &c->context[c->run[i].context];
        int64_t v = field(e, f);
        c->column[n++] = minus(v, predicted(x, e, f, predictor));
        x->v[f] = v;
        x->v[FIELD_ID] = e->id;
    }
    put_column(c, n, predictor);
}

/* Prices of levels: the first of a run against the first of the last run of its side, each other
 * against the one before it. Quantities as they are. */
static void put_levels(struct tape_encoder *c) {
    size_t n = 0;
    memset(c->context, 0, c->contexts * sizeof *c->context);
    for (size_t i = 0; i < c->runs; i++) {
        const struct run *r = &c->run[i];
        if (c->type[r->type].kind != EV_DEPTH) continue;
        const struct event *e = c->slot + r->from;
        int64_t *last = &c->context[r->context].first_px[(e->flags & EVF_SELL) != 0];
        c->column[n++] = minus(e->px.ticks, *last);
        *last = e->px.ticks;
    }
    put_column(c, n, PREDICT_ZERO);
    n = 0;
    for (size_t i = 0; i < c->runs; i++) {
        const struct run *r = &c->run[i];
        const struct event *e = c->slot + r->from;
        if (c->type[r->type].kind != EV_DEPTH) continue;
        for (size_t k = 1; k < r->length; k++) {
            c->column[n++] = minus(e[k].px.ticks, e[k - 1].px.ticks);
        }
    }
    put_column(c, n, PREDICT_ZERO);
    n = 0;
    for (size_t i = 0; i < c->runs; i++) {
        const struct run *r = &c->run[i];
        if (c->type[r->type].kind != EV_DEPTH) continue;
        for (size_t k = 0; k < r->length; k++) c->column[n++] = c->slot[r->from + k].qty.lots;
    }
    put_column(c, n, PREDICT_ZERO);
}

static void put_types(struct tape_encoder *c) {
    put_varint(c, c->runs);
    put_varint(c, c->types);
    for (size_t i = 0; i < c->types; i++) {
        const struct tape_run_type *t = &c->type[i];
        put_byte(c, (unsigned char)(t->kind | t->same_message << 7));
        put_byte(c, t->first);
        put_byte(c, t->middle);
        put_byte(c, t->last);
        put_varint(c, t->inst);
    }
}

static void put_run_columns(struct tape_encoder *c) {
    size_t n = 0;
    int64_t before = 0;
    for (size_t i = 0; i < c->runs; i++) c->column[i] = c->run[i].type;
    put_column(c, c->runs, PREDICT_ZERO);
    for (size_t i = 0; i < c->runs; i++) {
        if (c->type[c->run[i].type].kind == EV_DEPTH) c->column[n++] = c->run[i].length - 1;
    }
    put_column(c, n, PREDICT_ZERO);
    n = 0;
    for (size_t i = 0; i < c->runs; i++) {
        if (c->type[c->run[i].type].same_message) continue;
        int64_t ts = c->slot[c->run[i].from].ts_local.ns;
        c->column[n++] = minus(ts, before);
        before = ts;
    }
    put_column(c, n, PREDICT_ZERO);
}

size_t tape_encode(struct tape_encoder *c, const struct event *slots, size_t n_slots,
    unsigned char *to, size_t room) {
    CHECK(n_slots > 0 && n_slots <= TAPE_BLOCK_SLOTS);
    uint32_t kinds = 0;
    c->slot = slots;
    c->to = to;
    c->room = room;
    c->len = 0;
    c->full = false;
    runs_find(c, n_slots);
    put_types(c);
    put_run_columns(c);
    for (size_t i = 0; i < c->types; i++) kinds |= UINT32_C(1) << c->type[i].kind;
    for (uint8_t kind = 1; kind < EV_KIND_COUNT && !c->full; kind++) {
        if (!(kinds >> kind & 1)) continue;
        enum tape_predictor best[FIELD_COUNT];
        predictors_choose(c, kind, best);
        for (unsigned f = 0; f < tape_fields(kind) && !c->full; f++) {
            if (kind == EV_DEPTH && (f == FIELD_PX || f == FIELD_QTY)) continue;
            put_field(c, kind, f, best[f]);
        }
        if (kind == EV_DEPTH) put_levels(c);
    }
    return c->full ? 0 : c->len;
}
