/* Decoder of COLUMNS blocks. Everything is unpacked and counted in tape_decode_begin; from there on
 * nothing can run out, so the loops that make events check nothing. */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/check.h"
#include "capture/tape/tape_codec.h"

/* One column while it is read: planes are joined COLUMN_BUFFER values at a time, so that what the
 * loops touch stays in the first-level cache. */
struct column {
    const unsigned char *plane[COLUMN_PLANES_MAX];
    uint64_t scale;
    uint64_t constant;
    uint32_t left; /* values not joined yet */
    uint8_t planes, zigzag, predictor;
    unsigned at, held;
    uint64_t value[COLUMN_BUFFER];
};

struct context {
    int64_t v[FIELD_COUNT];
    int64_t first_px[2];
};

enum { LEVEL_FIRST_PX, LEVEL_PX, LEVEL_QTY, LEVEL_COLUMNS };

/* All planes of a block: each slot gives at most a run of 2-byte type, 4-byte length and 8-byte
 * time, and eight bytes for each of its fields; a level gives prices and quantity. */
enum { ARENA_PER_SLOT = 2 + 4 + 8 + 8 * FIELD_W0 + 8 * LEVEL_COLUMNS };
/* Loops over a plane run to a whole COLUMN_BUFFER: behind the last plane there is room for it. */
enum { ARENA_SLACK = COLUMN_BUFFER };

struct tape_decoder {
    ZSTD_DCtx *zstd;
    unsigned char *arena; /* grows with the longest block seen: small tapes take little */
    size_t room, used;
    const unsigned char *p, *end; /* input */
    const char *bad;
    size_t runs, types, contexts;
    uint32_t kinds;
    struct tape_run_type type[TAPE_RUNS_MAX];
    uint32_t type_context[TAPE_RUNS_MAX];
    uint16_t run_type[TAPE_RUNS_MAX];
    uint32_t run_length[TAPE_RUNS_MAX];
    uint32_t context_of[EV_KIND_COUNT][INST_MAX]; /* 1 + number; cleared through `type` */
    struct context *context;
    size_t context_room;
    struct column ts_local;
    struct column field[EV_KIND_COUNT][FIELD_COUNT];
    struct column level[LEVEL_COLUMNS];
    /* where the event loop is */
    size_t run;
    uint32_t inside;   /* levels of this run handed out */
    int64_t before;    /* ts_local */
    int64_t px;        /* of the last level */
    struct event head; /* of the last depth run */
};

struct tape_decoder *tape_decoder_new(void) {
    struct tape_decoder *d = malloc(sizeof *d); /* megabytes: zeros only where they are needed */
    if (!d) return NULL;
    memset(d->context_of, 0, sizeof d->context_of);
    memset(&d->head, 0, sizeof d->head);
    d->runs = d->run = d->types = d->contexts = 0;
    d->zstd = ZSTD_createDCtx();
    d->arena = NULL;
    d->context = NULL;
    d->room = d->context_room = 0;
    if (d->zstd) return d;
    tape_decoder_free(d);
    return NULL;
}

void tape_decoder_free(struct tape_decoder *d) {
    if (!d) return;
    ZSTD_freeDCtx(d->zstd);
    free(d->arena);
    free(d->context);
    free(d);
}

/* --- input ----------------------------------------------------------------------------------- */

static void bad(struct tape_decoder *d, const char *reason) {
    if (!d->bad) d->bad = reason;
    d->p = d->end;
}

static unsigned char get_byte(struct tape_decoder *d) {
    if (d->p == d->end) {
        bad(d, "columns end too early");
        return 0;
    }
    return *d->p++;
}

static uint64_t get_varint(struct tape_decoder *d) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char b = get_byte(d);
        if (shift == 63 && b > 1) break;
        v |= (uint64_t)(b & 127) << shift;
        if (b < 128) return v;
    }
    bad(d, "number in the columns is too long");
    return 0;
}

static const unsigned char *get_plane(struct tape_decoder *d, size_t n) {
    uint64_t token = get_varint(d);
    if (n > d->room - d->used) bad(d, "columns are longer than a block can be");
    if (d->bad) return d->arena;
    unsigned char *to = d->arena + d->used;
    size_t have = (size_t)(d->end - d->p);
    d->used += n;
    if (token == PLANE_CONSTANT) {
        memset(to, get_byte(d), n);
    } else if (token == PLANE_RAW) {
        if (have < n) bad(d, "columns end too early");
        if (d->bad) return to;
        memcpy(to, d->p, n);
        d->p += n;
    } else if ((token & 3) == PLANE_ZSTD && token >> 2 <= have) {
        size_t got = ZSTD_decompressDCtx(d->zstd, to, n, d->p, (size_t)(token >> 2));
        if (got != n) bad(d, "compressed plane cannot be unpacked");
        if (!d->bad) d->p += token >> 2;
    } else {
        bad(d, "unknown coding of a plane");
    }
    return to;
}

static int64_t unzigzag(uint64_t u) { return (int64_t)((u >> 1) ^ (0 - (u & 1))); }

static void get_column(struct tape_decoder *d, struct column *c, size_t n) {
    unsigned char desc = get_byte(d);
    c->predictor = desc & COLUMN_PREDICTOR_MASK;
    c->zigzag = (desc & COLUMN_ZIGZAG) != 0;
    c->planes = (uint8_t)(desc >> COLUMN_PLANES_SHIFT);
    c->scale = 1;
    c->left = (uint32_t)n;
    c->at = c->held = 0;
    if (c->planes > COLUMN_PLANES_MAX) bad(d, "column has too many planes");
    if (c->planes == 0) {
        if (desc & (COLUMN_ZIGZAG | COLUMN_SCALED)) bad(d, "constant column with a scale");
        c->constant = (uint64_t)unzigzag(get_varint(d));
        return;
    }
    if (desc & COLUMN_SCALED) c->scale = get_varint(d);
    for (unsigned k = 0; k < c->planes && !d->bad; k++) c->plane[k] = get_plane(d, n);
}

/* --- values ---------------------------------------------------------------------------------- */

/* All loops go over the whole buffer, whatever is held: a fixed count is what compilers unroll into
 * vector instructions. */
static void join_narrow(const struct column *c, uint64_t to[COLUMN_BUFFER]) {
    uint32_t u[COLUMN_BUFFER];
    const unsigned char *p = c->plane[0];
    for (unsigned i = 0; i < COLUMN_BUFFER; i++) u[i] = p[i];
    for (unsigned k = 1; k < c->planes; k++) {
        p = c->plane[k];
        for (unsigned i = 0; i < COLUMN_BUFFER; i++) u[i] |= (uint32_t)p[i] << (8 * k);
    }
    for (unsigned i = 0; i < COLUMN_BUFFER; i++) to[i] = u[i];
}

static void join_wide(const struct column *c, uint64_t to[COLUMN_BUFFER]) {
    const unsigned char *p = c->plane[0];
    for (unsigned i = 0; i < COLUMN_BUFFER; i++) to[i] = p[i];
    for (unsigned k = 1; k < c->planes; k++) {
        p = c->plane[k];
        for (unsigned i = 0; i < COLUMN_BUFFER; i++) to[i] |= (uint64_t)p[i] << (8 * k);
    }
}

static void refill(struct column *c) {
    unsigned n = c->left < COLUMN_BUFFER ? c->left : COLUMN_BUFFER;
    uint64_t *u = c->value;
    if (c->planes == 0) {
        for (unsigned i = 0; i < COLUMN_BUFFER; i++) u[i] = c->constant;
    } else {
        if (c->planes <= 4)
            join_narrow(c, u);
        else
            join_wide(c, u);
        if (c->zigzag) {
            for (unsigned i = 0; i < COLUMN_BUFFER; i++) u[i] = (u[i] >> 1) ^ (0 - (u[i] & 1));
        }
        if (c->scale != 1) {
            for (unsigned i = 0; i < COLUMN_BUFFER; i++) u[i] *= c->scale;
        }
        for (unsigned k = 0; k < c->planes; k++) c->plane[k] += n;
    }
    c->left -= n;
    c->held = n;
    c->at = 0;
}

static inline int64_t next_value(struct column *c) {
    if (c->at == c->held) refill(c);
    return (int64_t)c->value[c->at++];
}

static inline int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* --- begin ----------------------------------------------------------------------------------- */

static bool inst_free(uint8_t kind) {
    return kind == EV_GAP || kind == EV_TIMER || kind == EV_CONFIG;
}

static void types_forget(struct tape_decoder *d) {
    for (size_t i = 0; i < d->types; i++) d->context_of[d->type[i].kind][d->type[i].inst] = 0;
    d->types = d->contexts = 0;
    d->kinds = 0;
}

static void get_type(struct tape_decoder *d, size_t rows) {
    struct tape_run_type t = {0};
    unsigned char kind = get_byte(d);
    t.kind = kind & 127;
    t.same_message = kind >> 7;
    t.first = get_byte(d);
    t.middle = get_byte(d);
    t.last = get_byte(d);
    uint64_t inst = get_varint(d);
    if (d->bad) return;
    if (t.kind == EV_NONE || t.kind >= EV_KIND_COUNT) {
        bad(d, "unknown kind of event");
    } else if (inst >= INST_MAX || (inst >= rows && !(inst == 0 && inst_free(t.kind)))) {
        bad(d, "event of an unknown instrument");
    } else if (t.same_message && t.kind != EV_DEPTH) {
        bad(d, "only depth runs share a message");
    }
    if (d->bad) return;
    t.inst = (uint16_t)inst;
    uint32_t *number = &d->context_of[t.kind][t.inst];
    if (*number == 0) *number = (uint32_t)++d->contexts;
    d->kinds |= UINT32_C(1) << t.kind;
    d->type_context[d->types] = *number - 1;
    d->type[d->types++] = t;
}

struct counts {
    size_t heads[EV_KIND_COUNT]; /* runs that have their own head, by kind */
    size_t depth_runs, own_times, levels, events, slots;
};

/* Types and lengths of all runs; what they add up to. */
static void get_runs(struct tape_decoder *d, struct counts *n) {
    struct column c;
    get_column(d, &c, d->runs);
    for (size_t i = 0; i < d->runs && !d->bad; i++) {
        uint64_t type = (uint64_t)next_value(&c);
        if (type >= d->types) {
            bad(d, "run of an unknown type");
            return;
        }
        const struct tape_run_type *t = &d->type[type];
        d->run_type[i] = (uint16_t)type;
        d->run_length[i] = 1;
        if (t->kind == EV_DEPTH) n->depth_runs++;
        if (!t->same_message) {
            n->heads[t->kind]++;
            n->own_times++;
        } else if (i == 0 || d->type[d->run_type[i - 1]].kind != EV_DEPTH ||
                   d->type[d->run_type[i - 1]].inst != t->inst) {
            bad(d, "run goes on with no message");
        }
    }
    get_column(d, &c, n->depth_runs);
    for (size_t i = 0; i < d->runs && !d->bad; i++) {
        uint8_t kind = d->type[d->run_type[i]].kind;
        if (kind == EV_DEPTH) {
            uint64_t more = (uint64_t)next_value(&c);
            if (more >= TAPE_BLOCK_SLOTS) bad(d, "run is longer than a block");
            d->run_length[i] = (uint32_t)more + 1;
            n->levels += d->run_length[i];
        }
        n->events += d->run_length[i];
        n->slots += d->run_length[i] * (size_t)event_slots(kind);
        if (n->slots > TAPE_BLOCK_SLOTS) bad(d, "more events than a block can hold");
    }
}

static void get_fields(struct tape_decoder *d, const struct counts *n) {
    get_column(d, &d->ts_local, n->own_times);
    for (uint8_t kind = 1; kind < EV_KIND_COUNT && !d->bad; kind++) {
        if (!(d->kinds >> kind & 1)) continue;
        for (unsigned f = 0; f < tape_fields(kind) && !d->bad; f++) {
            if (kind == EV_DEPTH && (f == FIELD_PX || f == FIELD_QTY)) continue;
            struct column *c = &d->field[kind][f];
            get_column(d, c, n->heads[kind]);
            if (c->predictor == PREDICT_ID && f <= FIELD_ID) bad(d, "predictor without a value");
        }
        if (kind != EV_DEPTH) continue;
        get_column(d, &d->level[LEVEL_FIRST_PX], n->depth_runs);
        get_column(d, &d->level[LEVEL_PX], n->levels - n->depth_runs);
        get_column(d, &d->level[LEVEL_QTY], n->levels);
    }
}

static bool arena_ready(struct tape_decoder *d, size_t slots) {
    size_t need = slots * ARENA_PER_SLOT;
    if (need <= d->room) return true;
    free(d->arena);
    d->room = 0;
    d->arena = calloc(1, need + ARENA_SLACK);
    if (d->arena) d->room = need;
    return d->arena != NULL;
}

static bool contexts_ready(struct tape_decoder *d) {
    if (d->contexts > d->context_room) {
        free(d->context);
        d->context_room = 0;
        d->context = malloc(d->contexts * sizeof *d->context);
        if (!d->context) return false;
        d->context_room = d->contexts;
    }
    memset(d->context, 0, d->contexts * sizeof *d->context);
    return true;
}

const char *tape_decode_begin(struct tape_decoder *d, const unsigned char *payload, size_t bytes,
    uint32_t events, uint32_t slots, size_t rows) {
    struct counts n = {0};
    types_forget(d);
    d->p = payload;
    d->end = payload + bytes;
    d->bad = NULL;
    d->used = d->run = d->inside = 0;
    d->before = 0;
    d->runs = 0;
    if (slots > TAPE_BLOCK_SLOTS) return "more events than a block can hold";
    if (!arena_ready(d, slots)) return "out of memory for its columns";
    uint64_t runs = get_varint(d), types = get_varint(d);
    if (runs == 0 || runs > slots || types > runs) bad(d, "impossible count of runs");
    if (d->bad) return d->bad;
    for (size_t i = 0; i < types && !d->bad; i++) get_type(d, rows);
    d->runs = (size_t)runs;
    get_runs(d, &n);
    if (!d->bad && (n.events != events || n.slots != slots)) {
        bad(d, "block holds another number of events than it says");
    }
    if (!d->bad) get_fields(d, &n);
    if (!d->bad && d->p != d->end) bad(d, "bytes behind the last column");
    if (!d->bad && !contexts_ready(d)) bad(d, "out of memory for its columns");
    if (d->bad) {
        d->runs = 0;
        return d->bad;
    }
    return NULL;
}

/* --- events ---------------------------------------------------------------------------------- */

static inline int64_t next_field(struct column *c, struct context *x, unsigned f, int64_t id) {
    int64_t v = next_value(c);
    switch ((enum tape_predictor)c->predictor) {
    case PREDICT_ZERO: break;
    case PREDICT_SAME: v = plus(v, x->v[f]); break;
    case PREDICT_PREVIOUS_ID: v = plus(v, x->v[FIELD_ID]); break;
    case PREDICT_ID: v = plus(v, id); break;
    case PREDICT_COUNT: break;
    }
    return v;
}

/* Everything of an event but flags and, for a level, price and quantity. */
static inline void make_head(
    struct tape_decoder *d, const struct tape_run_type *t, struct context *x, struct event *e) {
    struct column *c = d->field[t->kind];
    d->before = plus(d->before, next_value(&d->ts_local));
    e->ts_local.ns = d->before;
    int64_t ts = next_field(c + FIELD_TS_VENUE, x, FIELD_TS_VENUE, 0);
    int64_t msg = next_field(c + FIELD_MSG_US, x, FIELD_MSG_US, 0);
    if (t->kind != EV_DEPTH) {
        int64_t px = next_field(c + FIELD_PX, x, FIELD_PX, 0);
        int64_t qty = next_field(c + FIELD_QTY, x, FIELD_QTY, 0);
        x->v[FIELD_PX] = e->px.ticks = px;
        x->v[FIELD_QTY] = e->qty.lots = qty;
    }
    int64_t id = next_field(c + FIELD_ID, x, FIELD_ID, 0);
    int64_t a = next_field(c + FIELD_A, x, FIELD_A, id);
    int64_t b = next_field(c + FIELD_B, x, FIELD_B, id);
    x->v[FIELD_TS_VENUE] = e->ts_venue.ns = ts;
    x->v[FIELD_MSG_US] = msg;
    x->v[FIELD_A] = e->aux.a = a;
    x->v[FIELD_B] = e->aux.b = b;
    e->id = id;
    e->inst = t->inst;
    e->kind = t->kind;
    e->msg_us = (int32_t)msg;
}

static void make_words(struct tape_decoder *d, const struct tape_run_type *t, struct context *x,
    int64_t id, struct event *to) {
    struct event_cont cont;
    for (unsigned f = FIELD_W0; f < FIELD_COUNT; f++) {
        x->v[f] = next_field(&d->field[t->kind][f], x, f, id);
        cont.w[f - FIELD_W0] = x->v[f];
    }
    memcpy(to, &cont, sizeof cont);
}

static inline unsigned buffered(struct column *c) {
    if (c->at == c->held) refill(c);
    return c->held - c->at;
}

/* n levels behind one another; prices go on from *px. */
static void copy_levels(
    struct tape_decoder *d, const struct event *head, int64_t *px, struct event *to, size_t n) {
    struct column *dpx = &d->level[LEVEL_PX], *qty = &d->level[LEVEL_QTY];
    const struct event level = *head; /* stays in registers */
    uint64_t at = (uint64_t)*px;
    while (n > 0) {
        size_t k = buffered(dpx), m = buffered(qty);
        k = k < m ? k : m;
        k = k < n ? k : n;
        const uint64_t *p = dpx->value + dpx->at, *q = qty->value + qty->at;
        for (size_t i = 0; i < k; i++) {
            at += p[i];
            to[i] = level;
            to[i].px.ticks = (int64_t)at;
            to[i].qty.lots = (int64_t)q[i];
        }
        dpx->at += (unsigned)k;
        qty->at += (unsigned)k;
        to += k;
        n -= k;
    }
    *px = (int64_t)at;
}

/* Levels of the run d->run from d->inside on, at most `room`. */
static size_t make_levels(struct tape_decoder *d, const struct tape_run_type *t, struct context *x,
    struct event *to, size_t room) {
    uint32_t length = d->run_length[d->run];
    size_t n = length - d->inside < room ? length - d->inside : room, first = 0;
    if (d->inside == 0) {
        int64_t *last = &x->first_px[(t->first & EVF_SELL) != 0];
        *last = plus(*last, next_value(&d->level[LEVEL_FIRST_PX]));
        d->px = *last;
        to[0] = d->head;
        to[0].px.ticks = d->px;
        to[0].qty.lots = next_value(&d->level[LEVEL_QTY]);
        to[0].flags = t->first;
        d->head.flags = t->middle;
        first = 1;
    }
    copy_levels(d, &d->head, &d->px, to + first, n - first);
    d->inside += (uint32_t)n;
    if (d->inside < length) return n;
    if (length > 1) to[n - 1].flags = t->last;
    d->inside = 0;
    d->run++;
    return n;
}

size_t tape_decode_next(struct tape_decoder *d, struct event *to, size_t room) {
    size_t n = 0;
    CHECK(room >= 2);
    while (d->run < d->runs) {
        uint32_t type = d->run_type[d->run];
        const struct tape_run_type *t = &d->type[type];
        struct context *x = &d->context[d->type_context[type]];
        unsigned k = event_slots(t->kind);
        if (room - n < k) break;
        if (t->kind == EV_DEPTH) {
            if (d->inside == 0 && !t->same_message) make_head(d, t, x, &d->head);
            x->v[FIELD_ID] = d->head.id;
            n += make_levels(d, t, x, to + n, room - n);
            continue;
        }
        make_head(d, t, x, to + n);
        to[n].flags = t->first;
        if (k == 2) make_words(d, t, x, to[n].id, to + n + 1);
        x->v[FIELD_ID] = to[n].id;
        n += k;
        d->run++;
    }
    return n;
}
