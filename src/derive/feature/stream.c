/* stream.c: steps vclock, book and feature engine of one instrument, hashing what passes.
 *
 * Block: head | row | book | books of others | feature engine, each 64-byte aligned.
 */
#include "derive/feature/stream.h"

#include "base/hash.h"
#include "derive/feature/feature_internal.h"

#define STREAM_MAGIC 0x324d414552545346ull

struct stream {
    uint64_t magic;
    uint64_t size;
    uint64_t row_at, book_at, engine_at;
    uint64_t other_at[STREAM_OTHERS_MAX]; /* 0 = no book */
    uint64_t buckets;
    struct stream_hashes hashes;
    struct stream_spec spec;
    uint64_t joined[INST_MAX / 64]; /* bit a row of the table */
    uint64_t waiting;               /* slots of `outside` that wait for the market's next event */
    struct event outside[STREAM_OUTSIDE_SLOTS];
    struct vclock clock;
    struct vclock reference_clock; /* of spec.other[clock_other] */
    uint64_t clock_other;          /* spec.others = none */
    struct book *book;             /* addresses of this process: cleared when saved */
    struct feature_engine *engine;
    struct book *other[STREAM_OTHERS_MAX];
};

static size_t align64(size_t n) { return (n + 63u) & ~(size_t)63u; }

static size_t stream_layout(struct stream *s, const struct feature_registry *r,
    const struct stream_spec *spec, const struct feature_set *set) {
    s->row_at = align64(sizeof *s);
    s->book_at = s->row_at + align64(set->count * sizeof(float));
    s->engine_at = s->book_at + align64(book_mem_size(&spec->limits));
    for (size_t i = 0; i < STREAM_OTHERS_MAX; i++) s->other_at[i] = 0;
    for (size_t i = 0; i < spec->others; i++) {
        if (!(spec->other[i].roles & (OTHER_PEER | OTHER_CLOCK))) continue;
        s->other_at[i] = s->engine_at;
        s->engine_at += align64(book_mem_size(&spec->limits));
    }
    return s->engine_at + align64(registry_mem_size(r, set));
}

size_t registry_stream_mem_size(const struct feature_registry *r, const struct stream_spec *spec,
    const struct feature_set *set) {
    struct stream head;
    return stream_layout(&head, r, spec, set);
}

size_t stream_mem_size(const struct stream_spec *spec, const struct feature_set *set) {
    return registry_stream_mem_size(NULL, spec, set);
}

static struct feature_ctx stream_ctx(const struct stream *s) {
    struct feature_ctx ctx;
    memset(&ctx, 0, sizeof ctx);
    ctx.inst = &s->spec.inst;
    ctx.book = s->book;
    ctx.px_unit = instrument_px_unit(&s->spec.inst);
    ctx.qty_unit = instrument_qty_unit(&s->spec.inst);
    ctx.spec = s->spec.bucket;
    for (size_t i = 0; i < s->spec.others; i++) {
        const struct stream_other *o = &s->spec.other[i];
        if (!(o->roles & OTHER_PEER)) continue;
        CHECK(ctx.peers < FEATURE_PEERS_MAX);
        ctx.peer[ctx.peers++] = (struct feature_peer){
            &o->inst, s->other[i], instrument_px_unit(&o->inst), instrument_qty_unit(&o->inst)};
    }
    return ctx;
}

static void others_init(struct stream *s, unsigned char *block) {
    const struct stream_spec *spec = &s->spec;
    s->clock_other = spec->others;
    for (size_t i = 0; i < spec->others; i++) {
        const struct stream_other *o = &spec->other[i];
        CHECK(o->inst.id != spec->inst.id && o->roles != 0);
        if (s->other_at[i])
            s->other[i] = book_init(block + s->other_at[i], &spec->limits, o->inst.venue);
        if (!(o->roles & OTHER_CLOCK)) continue;
        CHECK(s->clock_other == spec->others && spec->bucket.mode == BUCKET_REFERENCE);
        s->clock_other = i;
        vclock_init(&s->reference_clock, &spec->clock, o->inst.id);
        vclock_units(&s->reference_clock, &o->inst);
    }
}

struct stream *registry_stream_init(const struct feature_registry *r, void *mem,
    const struct stream_spec *spec, const struct feature_set *set) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    CHECK(spec->others <= STREAM_OTHERS_MAX);
    unsigned char *block = mem;
    struct stream *s = mem;
    memset(s, 0, sizeof *s);
    size_t size = stream_layout(s, r, spec, set);
    memset(block + sizeof *s, 0, s->book_at - sizeof *s);
    s->magic = STREAM_MAGIC;
    s->size = size;
    memcpy(&s->spec, spec, sizeof *spec);
    s->book = book_init(block + s->book_at, &spec->limits, spec->inst.venue);
    vclock_init(&s->clock, &spec->bucket, spec->inst.id);
    vclock_units(&s->clock, &s->spec.inst);
    others_init(s, block);
    struct feature_ctx ctx = stream_ctx(s);
    s->engine = registry_engine_init(r, block + s->engine_at, set, &ctx);
    return s;
}

struct stream *stream_init(
    void *mem, const struct stream_spec *spec, const struct feature_set *set) {
    return registry_stream_init(NULL, mem, spec, set);
}

/* What a reader of the book could see at a close; the whole book would cost more than the row. */
static uint64_t hash_book(const struct book *book, uint64_t h) {
    struct book_level top[FEATURE_LEVELS];
    int64_t head[2] = {(int64_t)book_state(book), book_update_id(book)};
    h = hash64(h, head, sizeof head);
    for (int side = 0; side < 2; side++) {
        size_t n = book_top(book, side, FEATURE_LEVELS, top);
        h = hash64(h, top, n * sizeof top[0]);
    }
    return h;
}

static void stream_close(struct stream *s, const struct bucket *b, stream_row_fn *fn, void *user) {
    float *row = (float *)(void *)((unsigned char *)s + s->row_at);
    feature_on_bucket(s->engine, b, row);
    s->hashes.books = hash_book(s->book, s->hashes.books);
    s->hashes.buckets = hash64(s->hashes.buckets, b, sizeof *b);
    s->hashes.features =
        hash64(s->hashes.features, row, feature_engine_set(s->engine)->count * sizeof *row);
    s->buckets++;
    if (fn) fn(user, s, b, row);
}

/* A bucket of the reference closed: the open one ends with it. */
static size_t stream_follow(
    struct stream *s, const struct bucket *reference, stream_row_fn *fn, void *user) {
    struct bucket bucket;
    if (!vclock_follow(&s->clock, reference, &bucket)) return 0;
    stream_close(s, &bucket, fn, user);
    return 1;
}

static void hash_event(struct stream *s, const struct event *ev) {
    if (s->spec.hash_events)
        s->hashes.events = hash64(s->hashes.events, ev, sizeof *ev * event_slots(ev->kind));
}

/* Buckets that end by `now`; a message that has begun is never cut. */
static size_t close_until(struct stream *s, ts_t now, stream_row_fn *fn, void *user) {
    struct event tick = {
        .ts_local = now, .inst = s->spec.inst.id, .kind = EV_TIMER, .flags = EVF_FIRST | EVF_LAST};
    struct bucket bucket;
    size_t rows = 0;
    if (s->clock_other < s->spec.others && book_between_messages(s->other[s->clock_other])) {
        while (vclock_before(&s->reference_clock, &tick, &bucket))
            rows += stream_follow(s, &bucket, fn, user);
    }
    for (; vclock_before(&s->clock, &tick, &bucket); rows++) stream_close(s, &bucket, fn, user);
    return rows;
}

/* What was published since the market's last event, each after the buckets that ended before. */
static size_t take_waiting(struct stream *s, stream_row_fn *fn, void *user) {
    struct book_change change = {0};
    size_t rows = 0;
    for (size_t i = 0; i < s->waiting; i += event_slots(s->outside[i].kind)) {
        const struct event *ev = &s->outside[i];
        if (ev->flags & EVF_FIRST) rows += close_until(s, ev->ts_local, fn, user);
        hash_event(s, ev);
        feature_on_event(s->engine, ev, &change);
    }
    s->waiting = 0;
    return rows;
}

size_t stream_time(struct stream *s, ts_t now, stream_row_fn *fn, void *user) {
    if (!book_between_messages(s->book)) return 0;
    size_t rows = take_waiting(s, fn, user);
    return rows + close_until(s, now, fn, user);
}

static bool is_outside(const struct event *ev) {
    return ev->kind == EV_EXTERNAL || ev->kind == EV_OPTION;
}

void stream_join(struct stream *s, const struct instrument *row) {
    CHECK(row->id < INST_MAX);
    if (instrument_concerns(row, &s->spec.inst))
        s->joined[row->id / 64] |= UINT64_C(1) << (row->id % 64);
}

void stream_join_table(struct stream *s, const struct instrument *table, size_t rows) {
    for (size_t i = 0; i < rows; i++) stream_join(s, &table[i]);
}

static void reference_price(struct stream *s, const struct instrument *in, const struct event *ev) {
    bool traded = ((1u << ev->kind) & KINDS_TRADE) && is_market_trade(ev);
    bool bar = ev->kind == EV_KLINE && (ev->flags & EVF_CLOSED) && ev->px.ticks > 0;
    if (traded || bar) feature_reference(s->engine, ev->ts_local, instrument_px(in, ev->px));
}

size_t stream_event(struct stream *s, const struct event *ev, stream_row_fn *fn, void *user) {
    struct bucket bucket;
    struct book_change change = {0};
    size_t rows = 0;
    if (ev->flags & EVF_FIRST) { /* never in the middle of a message */
        if (s->waiting) rows += take_waiting(s, fn, user);
        if (s->clock_other < s->spec.others) rows += stream_time(s, ev->ts_local, fn, user);
        for (; vclock_before(&s->clock, ev, &bucket); rows++) stream_close(s, &bucket, fn, user);
    }
    hash_event(s, ev);
    book_apply(s->book, ev, &change);
    if (book_state(s->book) == BOOK_GAP) vclock_gap(&s->clock);
    if (s->spec.own_reference) reference_price(s, &s->spec.inst, ev);
    /* aggregate trades beside trades are the same trades again */
    bool trade = ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE;
    if (!trade || vclock_counts(&s->clock, ev->kind)) feature_on_event(s->engine, ev, &change);
    if (vclock_after(&s->clock, ev, &bucket)) {
        stream_close(s, &bucket, fn, user);
        rows++;
    }
    return rows;
}

/* ---- other instruments ---- */

static size_t peer_number(const struct stream_spec *spec, size_t other) {
    size_t peer = 0;
    for (size_t i = 0; i < other; i++) peer += (spec->other[i].roles & OTHER_PEER) != 0;
    return peer;
}

size_t stream_other(
    struct stream *s, size_t other, const struct event *ev, stream_row_fn *fn, void *user) {
    CHECK(other < s->spec.others);
    const struct stream_other *o = &s->spec.other[other];
    struct book *book = s->other[other];
    struct book_change change = {0};
    struct bucket bucket;
    bool clock = other == s->clock_other;
    size_t rows = 0;
    if (ev->flags & EVF_FIRST) {
        rows = stream_time(s, ev->ts_local, fn, user);
        while (clock && vclock_before(&s->reference_clock, ev, &bucket))
            rows += stream_follow(s, &bucket, fn, user);
    }
    hash_event(s, ev);
    if (book) book_apply(book, ev, &change);
    if (o->roles & OTHER_REFERENCE) reference_price(s, &o->inst, ev);
    if (o->roles & OTHER_PEER)
        feature_on_peer(s->engine, peer_number(&s->spec, other), ev, &change);
    if (!clock) return rows;
    if (book_state(book) == BOOK_GAP) vclock_gap(&s->reference_clock);
    if (vclock_after(&s->reference_clock, ev, &bucket)) rows += stream_follow(s, &bucket, fn, user);
    return rows;
}

size_t stream_reference(struct stream *s, ts_t ts, double px, stream_row_fn *fn, void *user) {
    size_t rows = stream_time(s, ts, fn, user);
    feature_reference(s->engine, ts, px);
    return rows;
}

/* A series or a chain of options. It waits until time goes on (stream_time) or the market does: so
 * values that are published after the market's last event make no rows of a market that is over. */
static size_t stream_outside(
    struct stream *s, const struct event *ev, stream_row_fn *fn, void *user) {
    size_t slots = event_slots(ev->kind), rows = 0;
    bool joined = ev->inst < INST_MAX && (s->joined[ev->inst / 64] >> (ev->inst % 64) & 1u);
    if (!joined) return 0;
    if (s->waiting + slots > STREAM_OUTSIDE_SLOTS) rows = take_waiting(s, fn, user);
    memcpy(&s->outside[s->waiting], ev, slots * sizeof *ev);
    s->waiting += slots;
    return rows;
}

size_t stream_route(struct stream *s, const struct event *ev, stream_row_fn *fn, void *user) {
    if (is_outside(ev)) return stream_outside(s, ev, fn, user);
    if (ev->inst == s->spec.inst.id) return stream_event(s, ev, fn, user);
    for (size_t i = 0; i < s->spec.others; i++)
        if (ev->inst == s->spec.other[i].inst.id) return stream_other(s, i, ev, fn, user);
    return 0;
}

size_t stream_events(
    struct stream *s, const struct event *slots, size_t n_slots, stream_row_fn *fn, void *user) {
    size_t rows = 0;
    for (size_t i = 0; i < n_slots; i += event_slots(slots[i].kind)) {
        CHECK(i + event_slots(slots[i].kind) <= n_slots);
        bool own = slots[i].inst == s->spec.inst.id && !is_outside(&slots[i]); /* most are */
        rows += own ? stream_event(s, &slots[i], fn, user) : stream_route(s, &slots[i], fn, user);
    }
    return rows;
}

void stream_finish(struct stream *s) { book_end(s->book); }

size_t stream_end(struct stream *s, stream_row_fn *fn, void *user) {
    struct bucket bucket;
    if (!vclock_end(&s->clock, &bucket)) return 0;
    stream_close(s, &bucket, fn, user);
    return 1;
}

size_t stream_size(const struct stream *s) { return s->size; }

void stream_save(const struct stream *s, void *out) {
    memcpy(out, s, s->size);
    struct stream *copy = out;
    copy->book = NULL;
    copy->engine = NULL;
    memset(copy->other, 0, sizeof copy->other);
    feature_engine_save(s->engine, (unsigned char *)out + s->engine_at);
}

struct stream *registry_stream_load(const struct feature_registry *r, void *mem, size_t n) {
    CHECK(((uintptr_t)mem & 63u) == 0);
    unsigned char *block = mem;
    struct stream *s = mem;
    if (n < sizeof *s || s->magic != STREAM_MAGIC || s->size != n) return NULL;
    if (s->row_at >= n || s->book_at >= n || s->engine_at >= n) return NULL;
    s->book = book_load(block + s->book_at);
    if (!s->book || s->spec.others > STREAM_OTHERS_MAX) return NULL;
    for (size_t i = 0; i < s->spec.others; i++) {
        if (s->other_at[i] >= n) return NULL;
        s->other[i] = s->other_at[i] ? book_load(block + s->other_at[i]) : NULL;
        if (s->other_at[i] && !s->other[i]) return NULL;
    }
    struct feature_ctx ctx = stream_ctx(s);
    s->engine = registry_engine_load(r, block + s->engine_at, &ctx);
    return s->engine ? s : NULL;
}

struct stream *stream_load(void *mem, size_t n) {
    return registry_stream_load(NULL, mem, n);
}

const struct book *stream_book(const struct stream *s) { return s->book; }
const struct feature_engine *stream_features(const struct stream *s) { return s->engine; }
const struct book *stream_other_book(const struct stream *s, size_t other) {
    CHECK(other < s->spec.others);
    return s->other[other];
}
const struct instrument *stream_instrument(const struct stream *s) { return &s->spec.inst; }
struct stream_hashes stream_hashes(const struct stream *s) {
    return s->hashes;
}
uint64_t stream_buckets(const struct stream *s) { return s->buckets; }
bool stream_counts(const struct stream *s, uint8_t kind) { return vclock_counts(&s->clock, kind); }
