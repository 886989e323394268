#include "program/tape_edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"

struct edit {
    const struct tape_edit *t;
    struct tape_reader *r;
    struct tape_writer *w;
    struct instrument inst; /* as in the new tape */
    void *book_mem;
    struct book *book;                  /* the recorded one, whatever is left out */
    size_t hole;                        /* the next or present one */
    enum { WHOLE, LOST, BROKEN } state; /* of the hole: one message left out; the next one told */
    bool begun;
    size_t snapshots;
};

static err_t put(struct edit *d, const struct event *ev, struct err_info *e) {
    struct event copy[8];
    size_t n = event_slots(ev->kind);
    memcpy(copy, ev, n * sizeof *ev);
    copy[0].inst = d->inst.id;
    return tape_writer_append(d->w, copy, n, e);
}

/* The book as it stands, as the snapshot message that a client would fetch just before `at`. */
static err_t snapshot(struct edit *d, const struct event *at, struct err_info *e) {
    if (book_state(d->book) != BOOK_SYNCED) return ERR_OK;
    size_t left = book_count(d->book, BOOK_BID) + book_count(d->book, BOOK_ASK);
    bool first = true;
    err_t code = ERR_OK;
    for (int side = BOOK_BID; side <= BOOK_ASK && !code; side++) {
        struct book_level l;
        bool more = book_best(d->book, side, &l);
        for (; more && !code; more = book_next(d->book, side, l.px, &l)) {
            struct event ev = {.ts_local = at->ts_local,
                .ts_venue = at->ts_venue,
                .px = l.px,
                .qty = l.qty,
                .id = book_update_id(d->book),
                .inst = d->inst.id,
                .kind = EV_DEPTH,
                .flags = EVF_SNAPSHOT | (side == BOOK_BID ? EVF_BUY : EVF_SELL)};
            if (first) ev.flags |= EVF_FIRST;
            if (--left == 0) ev.flags |= EVF_LAST;
            first = false;
            code = tape_writer_append(d->w, &ev, 1, e);
        }
    }
    d->snapshots += !first;
    return code;
}

static bool is_depth(const struct event *ev) {
    return ev->kind == EV_DEPTH || ev->kind == EV_DEPTH_END;
}

/* At the first event of a message: is it left out? The ends of holes write their snapshot. */
static err_t judge(struct edit *d, const struct event *ev, bool *out, struct err_info *e) {
    const struct tape_hole *h = d->hole < d->t->holes ? &d->t->hole[d->hole] : NULL;
    int64_t now = ev->ts_local.ns;
    err_t code = ERR_OK;
    *out = now < d->t->from_ns || now >= d->t->to_ns;
    if (*out) return ERR_OK;
    if (!d->begun) {
        d->begun = true;
        if (d->t->from_ns > INT64_MIN) code = snapshot(d, ev, e);
    }
    if (!h || code || now < h->from_ns) return code;
    if (now >= h->to_ns) {
        if (d->state != WHOLE) code = snapshot(d, ev, e);
        d->state = WHOLE;
        d->hole++;
        return code;
    }
    *out = d->state == WHOLE ? is_depth(ev) || !h->loss : d->state == BROKEN && !h->loss;
    if (is_depth(ev) && d->state != BROKEN) d->state = d->state == WHOLE ? LOST : BROKEN;
    return ERR_OK;
}

static err_t walk(struct edit *d, struct err_info *e) {
    const struct event *slots;
    struct book_change change;
    size_t n;
    bool inside = false, out = false;
    err_t code;
    while ((code = tape_reader_next(d->r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            const struct event *ev = &slots[i];
            if (ev->inst != d->t->inst && ev->kind != EV_GAP) continue;
            if (!inside) code = judge(d, ev, &out, e);
            if (!code && !out) code = put(d, ev, e);
            if (code) return code;
            inside = !(ev->flags & EVF_LAST);
            book_apply(d->book, ev, &change);
        }
    }
    return code == ERR_END ? ERR_OK : code;
}

static err_t open_all(struct edit *d, struct err_info *e) {
    struct tape_reader_options ropt = {0};
    struct tape_writer_options wopt = {.raw = true};
    struct book_limits limits = {0};
    size_t rows;
    err_t code = tape_reader_open(&d->r, d->t->from, &ropt, e);
    if (code) return code;
    const struct instrument *table = tape_reader_instruments(d->r, &rows);
    size_t at = 0;
    while (at < rows && table[at].id != d->t->inst) at++;
    if (at == rows) return err_set(e, ERR_INPUT, "%s has no instrument %u", d->t->from, d->t->inst);
    d->inst = table[at];
    code = tape_writer_open(&d->w, d->t->to, &wopt, NULL, e);
    if (!code) code = tape_writer_instrument(d->w, &d->inst, e);
    size_t size = book_mem_size(&limits);
    d->book_mem = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!code && !d->book_mem) code = err_set(e, ERR_RESOURCE, "out of memory for a book");
    if (!code) d->book = book_init(d->book_mem, &limits, d->inst.venue);
    return code;
}

err_t tape_edit(const struct tape_edit *t, size_t *snapshots, struct err_info *e) {
    struct edit d = {.t = t};
    struct err_info second;
    err_t code = open_all(&d, e);
    if (!code) code = walk(&d, e);
    if (d.w) {
        err_t closed = tape_writer_close(d.w, code ? &second : e);
        if (!code) code = closed;
    }
    if (d.r) tape_reader_close(d.r);
    free(d.book_mem);
    if (!code && snapshots) *snapshots = d.snapshots;
    return code;
}
