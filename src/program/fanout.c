#include "program/fanout.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/tape/tape.h"

enum { CHUNK_SLOTS = 1022 }; /* 64 KiB with its head */

struct chunk {
    struct chunk *next;
    size_t n;      /* slots in use */
    unsigned left; /* cursors that still have to pass */
    struct event slot[CHUNK_SLOTS];
};

struct cursor {
    struct chunk *chunk; /* NULL before the first event */
    size_t at;
    uint64_t to_come; /* events of the lane that it has not returned */
};

struct member {
    uint16_t inst, as;
};

struct fanout_lane {
    struct fanout *f;
    struct cursor local, venue;
    bool venue_done; /* it has returned its last: it holds no chunk any more */
    struct chunk *tail;
    struct member *member; /* [0] is the lane's own instrument */
    size_t members;
    struct tape_reader *own; /* a sparse lane's; NULL = shares */
    uint64_t own_skip;       /* events that the shared reader gave before */
};

struct route { /* one way of an instrument's events */
    struct fanout_lane *lane;
    uint16_t as;
};

struct ways {
    struct route *way;
    size_t n;
};

struct fanout {
    const char **tape;
    size_t tapes, limit;
    struct tape_reader *reader;
    struct instrument *table;
    size_t instruments;
    struct fanout_facts *facts;
    struct ways *ways; /* by instrument */
    struct fanout_lane **lane;
    size_t lanes, apart;
    struct chunk *spare;
    size_t chunks, peak;
    uint64_t given; /* events that the shared reader gave */
    bool started;
    err_t failed;
    struct err_info why;
};

/* ---- opening and the survey ---- */

static err_t reader_of(const struct fanout *f, struct tape_reader **out, struct err_info *e) {
    struct tape_reader_options opt = {0};
    return f->tapes == 1 ? tape_reader_open(out, f->tape[0], &opt, e)
                         : tape_reader_open_merged(out, f->tape, f->tapes, &opt, e);
}

err_t fanout_reader(
    const struct fanout_lane *l, struct tape_reader **out, uint16_t *inst, struct err_info *e) {
    *inst = l->member[0].inst;
    return reader_of(l->f, out, e);
}

static void survey_event(struct fanout_facts *f, const struct event *ev) {
    if (f->events++ == 0) f->first_ns = ev->ts_local.ns;
    f->last_ns = ev->ts_local.ns;
    f->trades += ev->kind == EV_TRADE;
    f->agg_trades += ev->kind == EV_AGG_TRADE;
    f->klines += ev->kind == EV_KLINE;
    f->orders += ev->kind == EV_ORDER;
    f->books += ev->kind == EV_DEPTH || ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE;
    f->marks += ev->kind == EV_MARK;
    f->fundings += ev->kind == EV_FUNDING;
    if (ev->ts_venue.ns == TS_NONE_NS || (ev->flags & EVF_SUSPECT)) return;
    if (ev->kind == EV_TICKER) return; /* not what the exchange acts on */
    int64_t lag = ev->ts_local.ns - ev->ts_venue.ns;
    if (lag < f->offset_ns) f->offset_ns = lag;
}

static err_t survey(struct fanout *f, struct err_info *e) {
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    err_t code = reader_of(f, &r, e);
    if (code) return code;
    const struct instrument *table = tape_reader_instruments(r, &f->instruments);
    f->table = calloc(f->instruments + 1, sizeof *f->table);
    f->facts = calloc(f->instruments + 1, sizeof *f->facts);
    f->ways = calloc(f->instruments + 1, sizeof *f->ways);
    if (!f->table || !f->facts || !f->ways) code = err_set(e, ERR_RESOURCE, "out of memory");
    for (size_t i = 0; !code && i < f->instruments; i++) {
        f->table[i] = table[i];
        f->facts[i].offset_ns = INT64_MAX;
    }
    while (!code && !(code = tape_reader_next(r, &slots, &n, e))) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            CHECK(slots[i].inst < f->instruments);
            survey_event(&f->facts[slots[i].inst], &slots[i]);
        }
    }
    tape_reader_close(r);
    for (size_t i = 0; f->facts && i < f->instruments; i++) {
        if (f->facts[i].offset_ns == INT64_MAX) f->facts[i].offset_ns = 0;
    }
    return code == ERR_END ? ERR_OK : code;
}

err_t fanout_open(
    struct fanout **out, const char *const *tapes, size_t n, size_t limit, struct err_info *e) {
    CHECK(n > 0);
    struct fanout *f = calloc(1, sizeof *f);
    if (!f) return err_set(e, ERR_RESOURCE, "out of memory");
    f->tape = calloc(n, sizeof *f->tape);
    f->tapes = n;
    f->limit = limit ? limit : FANOUT_LIMIT_BYTES;
    err_t code = f->tape ? ERR_OK : err_set(e, ERR_RESOURCE, "out of memory");
    for (size_t i = 0; !code && i < n; i++) f->tape[i] = tapes[i];
    if (!code) code = survey(f, e);
    if (!code) code = reader_of(f, &f->reader, e);
    if (code) {
        fanout_close(f);
        return code;
    }
    *out = f;
    return ERR_OK;
}

static void free_chunks(struct chunk *c) {
    while (c) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
}

/* Every chunk hangs behind the cursor that is further back: the local one, but for a lane whose
 * venue cursor was not used. */
static void lane_free(struct fanout_lane *l) {
    if (l->own) tape_reader_close(l->own);
    struct chunk *c = l->local.chunk;
    for (struct chunk *v = l->venue.chunk; v; v = v->next) {
        if (v == l->local.chunk) c = l->venue.chunk;
    }
    free_chunks(c);
    free(l->member);
    free(l);
}

void fanout_close(struct fanout *f) {
    if (!f) return;
    for (size_t i = 0; i < f->lanes; i++) lane_free(f->lane[i]);
    for (size_t i = 0; f->ways && i < f->instruments; i++) free(f->ways[i].way);
    if (f->reader) tape_reader_close(f->reader);
    free_chunks(f->spare);
    free(f->lane);
    free(f->ways);
    free(f->facts);
    free(f->table);
    free(f->tape);
    free(f);
}

const struct instrument *fanout_instruments(const struct fanout *f, size_t *n) {
    *n = f->instruments;
    return f->table;
}

const struct fanout_facts *fanout_facts(const struct fanout *f, uint16_t inst) {
    CHECK(inst < f->instruments);
    return &f->facts[inst];
}

/* ---- lanes ---- */

static bool join(struct fanout_lane *l, uint16_t inst, uint16_t as) {
    struct fanout *f = l->f;
    CHECK(inst < f->instruments);
    CHECK(!f->started);
    struct ways *w = &f->ways[inst];
    struct route *way = realloc(w->way, (w->n + 1) * sizeof *way);
    if (way) w->way = way;
    struct member *member = realloc(l->member, (l->members + 1) * sizeof *member);
    if (member) l->member = member;
    if (!way || !member) return false;
    way[w->n++] = (struct route){l, as};
    member[l->members++] = (struct member){inst, as};
    l->local.to_come += f->facts[inst].events;
    return true;
}

struct fanout_lane *fanout_lane(struct fanout *f, uint16_t inst, uint16_t as) {
    struct fanout_lane *l = calloc(1, sizeof *l);
    struct fanout_lane **more = realloc(f->lane, (f->lanes + 1) * sizeof *more);
    if (more) f->lane = more;
    if (!l || !more) {
        free(l);
        return NULL;
    }
    f->lane[f->lanes++] = l;
    l->f = f;
    l->venue.to_come = fanout_facts(f, inst)->events;
    return join(l, inst, as) ? l : NULL;
}

bool fanout_also(struct fanout_lane *l, uint16_t inst, uint16_t as) {
    CHECK(inst != l->member[0].inst);
    return join(l, inst, as);
}

/* ---- queues ---- */

static bool fail(struct fanout *f, err_t code, const char *what) {
    if (!f->failed) f->failed = what ? err_set(&f->why, code, "%s", what) : code;
    return false;
}

static bool chunk_add(struct fanout_lane *l) {
    struct fanout *f = l->f;
    struct chunk *c = f->spare;
    if (c) {
        f->spare = c->next;
    } else {
        c = malloc(sizeof *c);
        if (!c) return fail(f, ERR_RESOURCE, "out of memory for events that wait");
    }
    c->next = NULL;
    c->n = 0;
    c->left = l->venue_done ? 1 : 2;
    f->chunks++;
    if (f->chunks > f->peak) f->peak = f->chunks;
    if (l->tail) {
        l->tail->next = c;
    } else {
        l->local.chunk = l->venue.chunk = c;
    }
    l->tail = c;
    return true;
}

static bool push(struct fanout_lane *l, const struct event *ev, uint16_t as) {
    size_t slots = event_slots(ev->kind);
    if (!l->tail || l->tail->n + slots > CHUNK_SLOTS) {
        if (!chunk_add(l)) return false;
    }
    struct event *to = &l->tail->slot[l->tail->n];
    to[0] = ev[0];
    if (slots > 1) to[1] = ev[1];
    to->inst = as;
    l->tail->n += slots;
    return true;
}

static bool lane_push(struct fanout_lane *l, const struct event *ev) {
    for (size_t i = 0; i < l->members; i++) {
        if (l->member[i].inst == ev->inst && !push(l, ev, l->member[i].as)) return false;
    }
    return true;
}

/* ---- reading ---- */

/* Another run of the shared reader into the queues. */
static bool read_shared(struct fanout *f) {
    const struct event *slots;
    size_t n;
    if (f->failed) return false;
    err_t code = tape_reader_next(f->reader, &slots, &n, &f->why);
    if (code) return code == ERR_END ? false : fail(f, code, NULL);
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind), f->given++) {
        const struct ways *w = &f->ways[slots[i].inst];
        for (size_t k = 0; k < w->n; k++) {
            if (w->way[k].lane->own) continue;
            if (!push(w->way[k].lane, &slots[i], w->way[k].as)) return false;
        }
    }
    return true;
}

/* The lane reads for itself from where the shared reader stands. */
static bool go_apart(struct fanout_lane *l) {
    struct fanout *f = l->f;
    err_t code = reader_of(f, &l->own, &f->why);
    if (!code && f->tapes == 1) {
        code = tape_reader_seek_event(l->own, f->given, &f->why);
    } else {
        l->own_skip = f->given;
    }
    f->apart++;
    return code ? fail(f, code, NULL) : true;
}

static bool read_own(struct fanout_lane *l) {
    const struct event *slots;
    size_t n;
    if (l->f->failed) return false;
    err_t code = tape_reader_next(l->own, &slots, &n, &l->f->why);
    if (code) return code == ERR_END ? false : fail(l->f, code, NULL);
    for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
        if (l->own_skip > 0) {
            l->own_skip--;
        } else if (!lane_push(l, &slots[i])) {
            return false;
        }
    }
    return true;
}

static bool read_more(struct fanout_lane *l) {
    struct fanout *f = l->f;
    f->started = true;
    if (l->own) return read_own(l);
    if (f->lanes > 1 && f->chunks * sizeof(struct chunk) > f->limit) {
        return go_apart(l) && read_own(l);
    }
    return read_shared(f);
}

static void leave(struct fanout *f, struct chunk *c) {
    if (--c->left > 0) return;
    c->next = f->spare;
    f->spare = c;
    f->chunks--;
}

static const struct event *next(struct fanout_lane *l, struct cursor *c) {
    for (;;) {
        struct chunk *at = c->chunk;
        if (at && c->at < at->n) {
            const struct event *ev = &at->slot[c->at];
            c->at += event_slots(ev->kind);
            return ev;
        }
        if (at && at->next) {
            c->chunk = at->next;
            c->at = 0;
            leave(l->f, at);
        } else if (c->to_come == 0 || !read_more(l)) {
            return NULL;
        }
    }
}

const struct event *fanout_local(void *ctx) {
    struct fanout_lane *l = ctx;
    const struct event *ev = next(l, &l->local);
    if (ev) l->local.to_come--;
    return ev;
}

const struct event *fanout_ahead(const struct fanout_lane *l, size_t slots) {
    const struct chunk *c = l->local.chunk;
    return c && l->local.at + slots < c->n ? &c->slot[l->local.at + slots] : NULL;
}

/* The venue cursor ended: the chunks wait for the local one only. */
static void let_go(struct fanout_lane *l) {
    if (l->venue_done) return;
    l->venue_done = true;
    for (struct chunk *c = l->venue.chunk, *after; c; c = after) {
        after = c->next;
        leave(l->f, c);
    }
    l->venue.chunk = NULL;
}

const struct event *fanout_venue(void *ctx) {
    struct fanout_lane *l = ctx;
    const struct event *ev;
    while (!l->venue_done && (ev = next(l, &l->venue)) != NULL) {
        if (ev->inst != l->member[0].as) continue;
        l->venue.to_come--;
        return ev;
    }
    let_go(l);
    return NULL;
}

err_t fanout_failed(const struct fanout *f, struct err_info *e) {
    if (f->failed) *e = f->why;
    return f->failed;
}

size_t fanout_peak(const struct fanout *f) { return f->peak * sizeof(struct chunk); }
size_t fanout_apart(const struct fanout *f) { return f->apart; }
