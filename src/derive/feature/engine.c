/* engine.c: steps the families of a feature set and gathers their values into one row.
 *
 * Block: head | missing counters | values | family outputs | family states | scaler, each 64-byte
 * aligned.
 */
#include "derive/feature/feature_internal.h"
#include "derive/feature/scale.h"

#define ENGINE_MAGIC 0x32454e49474e4546ull /* "FENGINE2" backwards in memory */

#define REFERENCE_AGE_MAX (60 * NS_PER_S)

struct family_slot {
    uint64_t offset; /* of the state in the block */
    uint64_t bytes;
    uint32_t kinds;
    uint16_t family; /* in the registry */
    uint16_t out;    /* first of its values among all outputs */
    uint8_t levels;
    uint8_t pad[7];
};

struct feature_engine {
    uint64_t magic, signature;
    uint64_t size, rows;
    uint64_t missing_at, values_at, outputs_at;
    uint64_t scaler_at; /* 0: the set is not scaled */
    uint32_t kinds, slots;
    uint8_t any_levels, depth_seen;
    uint8_t pad[6];
    double px_before; /* reference price at the last close */
    double other_px;  /* of the reference instrument, since other_ns; 0 = none */
    int64_t other_ns;
    price_t last_close;
    const struct feature_registry *registry; /* this process's addresses: cleared when saved */
    struct feature_ctx ctx;
    struct family_slot slot[FEATURE_FAMILIES_MAX];
    uint16_t column[FEATURE_MAX]; /* output of each column */
    uint32_t warmup[FEATURE_MAX]; /* rows at the start whose value is missing, of each column */
    struct feature_set set;
};

static size_t align64(size_t n) { return (n + 63u) & ~(size_t)63u; }

static unsigned char *bytes_of(struct feature_engine *fe) { return (unsigned char *)fe; }
static void *state_of(struct feature_engine *fe, const struct family_slot *s) {
    return bytes_of(fe) + s->offset;
}
static double *values_of(struct feature_engine *fe) {
    return (double *)(void *)(bytes_of(fe) + fe->values_at);
}
static uint64_t *missing_of(struct feature_engine *fe) {
    return (uint64_t *)(void *)(bytes_of(fe) + fe->missing_at);
}

static struct family_slot *slot_of(struct feature_engine *fe, size_t family) {
    for (size_t i = 0; i < fe->slots; i++)
        if (fe->slot[i].family == family) return &fe->slot[i];
    return NULL;
}

/* Adds the families that the set touches, in registry order, and maps columns to outputs. */
static size_t engine_families(
    struct feature_engine *fe, const struct feature_registry *r, const struct feature_set *set) {
    size_t outputs = 0;
    bool used[FEATURE_FAMILIES_MAX] = {false};
    for (size_t i = 0; i < set->count; i++) {
        size_t f = 0;
        (void)registry_get(r, set->index[i], &f, NULL);
        used[f] = true;
    }
    for (size_t f = 0; f < r->count; f++) {
        if (!used[f]) continue;
        struct family_slot *s = &fe->slot[fe->slots++];
        s->family = (uint16_t)f;
        s->kinds = r->families[f]->on_event ? r->families[f]->kinds : 0;
        s->levels = r->families[f]->levels;
        s->out = (uint16_t)outputs;
        outputs += r->families[f]->count;
        fe->kinds |= s->kinds;
        fe->any_levels |= s->levels;
    }
    for (size_t i = 0; i < set->count; i++) {
        size_t f = 0, row = 0;
        const struct feature_def *d = registry_get(r, set->index[i], &f, &row);
        fe->column[i] = (uint16_t)(slot_of(fe, f)->out + row);
        fe->warmup[i] = d->clock == CLOCK_BUCKET ? d->warmup : 0;
    }
    return outputs;
}

/* Fills the head for this registry and set; returns the block's size. */
static size_t engine_layout(
    struct feature_engine *fe, const struct feature_registry *r, const struct feature_set *set) {
    CHECK(r->count <= FEATURE_FAMILIES_MAX);
    CHECK(set->count > 0 && set->count <= FEATURE_MAX);
    memset(fe, 0, sizeof *fe);
    size_t outputs = engine_families(fe, r, set);
    size_t at = align64(sizeof *fe);
    fe->missing_at = at;
    at += align64(set->count * sizeof(uint64_t));
    fe->values_at = at;
    at += align64(set->count * sizeof(double));
    fe->outputs_at = at;
    at += align64(outputs * sizeof(double));
    for (size_t i = 0; i < fe->slots; i++) {
        struct family_slot *s = &fe->slot[i];
        s->offset = at;
        s->bytes = r->families[s->family]->state_size();
        at += align64(s->bytes);
    }
    if (set->scale.kind != SCALE_NONE) {
        fe->scaler_at = at;
        at += align64(scaler_mem_size(&set->scale, set->count));
    }
    return at;
}

/* The registry behind a possibly NULL one, as the program's own table. */
static struct feature_registry registry_view(
    const struct feature_registry *r, const struct feature_family *own[FEATURE_FAMILIES_MAX]) {
    if (r) return *r;
    size_t n = feature_family_count();
    CHECK(n <= FEATURE_FAMILIES_MAX);
    for (size_t i = 0; i < n; i++) own[i] = feature_family(i);
    return (struct feature_registry){own, n};
}

size_t registry_mem_size(const struct feature_registry *r, const struct feature_set *set) {
    const struct feature_family *own[FEATURE_FAMILIES_MAX];
    struct feature_registry view = registry_view(r, own);
    struct feature_engine head;
    return engine_layout(&head, &view, set);
}

static const struct feature_family *family_of(
    const struct feature_engine *fe, const struct family_slot *s) {
    return fe->registry ? fe->registry->families[s->family] : feature_family(s->family);
}

/* Families that compare venues have nothing to do: no event is offered to them. */
static void engine_without_peers(struct feature_engine *fe) {
    fe->kinds = 0;
    for (size_t i = 0; i < fe->slots; i++) {
        if (family_of(fe, &fe->slot[i])->on_peer) fe->slot[i].kinds = 0;
        fe->kinds |= fe->slot[i].kinds;
    }
}

struct feature_engine *registry_engine_init(const struct feature_registry *r, void *mem,
    const struct feature_set *set, const struct feature_ctx *ctx) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    const struct feature_family *own[FEATURE_FAMILIES_MAX];
    struct feature_registry view = registry_view(r, own);
    struct feature_engine *fe = mem;
    size_t size = engine_layout(fe, &view, set);
    memset(bytes_of(fe) + sizeof *fe, 0, size - sizeof *fe);
    fe->magic = ENGINE_MAGIC;
    fe->signature = registry_signature(r, set);
    fe->size = size;
    fe->px_before = MISSING;
    fe->registry = r;
    memcpy(&fe->ctx, ctx, sizeof *ctx);
    memcpy(&fe->set, set, sizeof *set);
    if (ctx->peers == 0) engine_without_peers(fe);
    for (size_t i = 0; i < fe->slots; i++) {
        const struct feature_family *f = family_of(fe, &fe->slot[i]);
        if (f->init) f->init(state_of(fe, &fe->slot[i]), &fe->ctx);
    }
    if (fe->scaler_at) (void)scaler_init(bytes_of(fe) + fe->scaler_at, &set->scale, set->count);
    return fe;
}

size_t feature_engine_mem_size(const struct feature_set *set) {
    return registry_mem_size(NULL, set);
}

struct feature_engine *feature_engine_init(
    void *mem, const struct feature_set *set, const struct feature_ctx *ctx) {
    return registry_engine_init(NULL, mem, set, ctx);
}

void feature_engine_save(const struct feature_engine *fe, void *out) {
    memcpy(out, fe, fe->size);
    struct feature_engine *copy = out;
    copy->registry = NULL;
    copy->ctx.inst = NULL;
    copy->ctx.book = NULL;
    for (size_t i = 0; i < FEATURE_PEERS_MAX; i++) {
        copy->ctx.peer[i].inst = NULL;
        copy->ctx.peer[i].book = NULL;
    }
}

struct feature_engine *registry_engine_load(
    const struct feature_registry *r, void *mem, const struct feature_ctx *ctx) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    struct feature_engine *fe = mem;
    if (fe->magic != ENGINE_MAGIC || fe->set.count == 0 || fe->set.count > FEATURE_MAX) return NULL;
    for (size_t i = 0; i < fe->set.count; i++)
        if (fe->set.index[i] >= registry_count(r)) return NULL;
    if (fe->signature != registry_signature(r, &fe->set)) return NULL;
    const struct feature_scale *scale = &fe->set.scale;
    bool scaled = scale->kind == SCALE_Z || scale->kind == SCALE_QUANTILE;
    if (scale->kind != SCALE_NONE &&
        (!scaled || scale->window < SCALE_WINDOW_MIN || scale->window > SCALE_WINDOW_MAX))
        return NULL;
    if (fe->size != registry_mem_size(r, &fe->set)) return NULL;
    fe->registry = r;
    memcpy(&fe->ctx, ctx, sizeof *ctx);
    return fe;
}

struct feature_engine *feature_engine_load(void *mem, const struct feature_ctx *ctx) {
    return registry_engine_load(NULL, mem, ctx);
}

void feature_on_event(
    struct feature_engine *fe, const struct event *ev, const struct book_change *change) {
    if (ev->kind == EV_DEPTH) {
        fe->depth_seen = 1;
        if (!fe->any_levels && !(ev->flags & EVF_LAST)) return;
    }
    if (!(fe->kinds >> ev->kind & 1u)) return;
    for (size_t i = 0; i < fe->slots; i++) {
        const struct family_slot *s = &fe->slot[i];
        if (!(s->kinds >> ev->kind & 1u)) continue;
        if (ev->kind == EV_DEPTH && !s->levels && !(ev->flags & EVF_LAST)) continue;
        family_of(fe, s)->on_event(state_of(fe, s), &fe->ctx, ev, change);
    }
}

void feature_on_peer(struct feature_engine *fe, size_t peer, const struct event *ev,
    const struct book_change *change) {
    CHECK(peer < fe->ctx.peers);
    if (ev->kind == EV_DEPTH && !(ev->flags & EVF_LAST)) return;
    for (size_t i = 0; i < fe->slots; i++) {
        const struct feature_family *f = family_of(fe, &fe->slot[i]);
        if (f->on_peer) f->on_peer(state_of(fe, &fe->slot[i]), &fe->ctx, peer, ev, change);
    }
}

/* The reference price: mid where the instrument has a book, else the last trade or bar close. */
static void reference_px(
    struct feature_engine *fe, const struct bucket *b, struct feature_view *view) {
    if (b->close.ticks != 0) fe->last_close = b->close;
    view->px2 = fe->depth_seen ? view->mid2 : 2 * fe->last_close.ticks;
    view->px = view->px2 != 0 ? 0.5 * (double)view->px2 * fe->ctx.px_unit : MISSING;
}

static void engine_view(
    struct feature_engine *fe, const struct bucket *b, struct feature_view *view) {
    const struct book *book = fe->ctx.book;
    memset(view, 0, sizeof *view);
    view->mid = MISSING;
    if (book && book_state(book) == BOOK_SYNCED) {
        for (int side = 0; side < 2; side++)
            view->levels[side] = book_top(book, side, FEATURE_LEVELS, view->top[side]);
        view->book_ok = view->levels[BOOK_BID] > 0 && view->levels[BOOK_ASK] > 0;
    }
    if (view->book_ok) {
        view->mid2 = view->top[BOOK_BID][0].px.ticks + view->top[BOOK_ASK][0].px.ticks;
        view->mid = 0.5 * (double)view->mid2 * fe->ctx.px_unit;
    } else {
        view->levels[BOOK_BID] = view->levels[BOOK_ASK] = 0;
    }
    reference_px(fe, b, view);
    bool known = fe->other_px > 0.0 && b->close_ts.ns - fe->other_ns <= REFERENCE_AGE_MAX;
    view->reference = known ? fe->other_px : MISSING;
    double ratio = ratio_of(view->px, fe->px_before);
    view->ret = ratio > 0.0 ? BPS * dm_log(ratio) : MISSING;
    fe->px_before = view->px;
}

void feature_reference(struct feature_engine *fe, ts_t ts, double px) {
    CHECK(px > 0.0);
    fe->other_px = px;
    if (ts.ns > fe->other_ns) fe->other_ns = ts.ns; /* receive stamps may go back */
}

/* The one cast: what float32 cannot hold is missing, every missing value has the same bits. */
static float value_cast(double v) {
    float f = (float)v;
    return isfinite(f) ? f : (float)NAN;
}

void feature_on_bucket(struct feature_engine *fe, const struct bucket *b, float *row) {
    struct feature_view view;
    double *outputs = (double *)(void *)(bytes_of(fe) + fe->outputs_at);
    double *values = values_of(fe);
    uint64_t *missing = missing_of(fe);
    engine_view(fe, b, &view);
    for (size_t i = 0; i < fe->slots; i++) {
        const struct family_slot *s = &fe->slot[i];
        family_of(fe, s)->on_bucket(state_of(fe, s), &fe->ctx, &view, b, outputs + s->out);
    }
    for (size_t i = 0; i < fe->set.count; i++) {
        double v = outputs[fe->column[i]];
        values[i] = isfinite(v) && fe->rows >= fe->warmup[i] ? v : MISSING;
    }
    if (fe->scaler_at) {
        struct scaler *scaler = (struct scaler *)(void *)(bytes_of(fe) + fe->scaler_at);
        scaler_row(scaler, (size_t)feature_session(b->close_ts), values);
    }
    for (size_t i = 0; i < fe->set.count; i++) {
        if (isnan(values[i])) missing[i]++;
        if (row) row[i] = value_cast(values[i]);
    }
    fe->rows++;
}

const double *feature_values(const struct feature_engine *fe) {
    return (const double *)(const void *)((const unsigned char *)fe + fe->values_at);
}

const struct feature_set *feature_engine_set(const struct feature_engine *fe) { return &fe->set; }

const uint64_t *feature_missing(const struct feature_engine *fe) {
    return (const uint64_t *)(const void *)((const unsigned char *)fe + fe->missing_at);
}

uint64_t feature_rows(const struct feature_engine *fe) { return fe->rows; }
