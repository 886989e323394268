/* sim_trigger.c: orders that wait for a price, expiries, pairs, and reduce-only orders as the
 * position shrinks.
 *
 * Every reference price is an integer: the mark in 1e-10 quote, the last print in price units. A
 * trigger price is brought to its reference's units once, when the order is placed, rounded so that
 * "at or beyond" stays exact. Two fences a reference (the nearest price above and below at which
 * any waiting order would look) make the case without such orders two compares.
 */
#include <string.h>

#include "base/check.h"
#include "execute/sim/sim_internal.h"

#define E4_ONE INT64_C(100000000) /* 1 in bps x 1e4 */

/* ---- prices of a reference ---- */

static int64_t pow10_of(unsigned n) {
    int64_t v = 1;
    while (n-- > 0) v *= 10;
    return v;
}

/* A price in units of the mark: up = the least mark at or above it, else the largest at or below.
 * 0: out of range. */
static int64_t mark_units(const struct instrument *in, int64_t px, bool up) {
    int128 v = (int128)px * in->px_mant;
    if (in->px_exp <= 10) {
        v *= pow10_of(10u - in->px_exp);
    } else {
        int64_t by = pow10_of(in->px_exp - 10u);
        v = up ? (v + by - 1) / by : v / by;
    }
    return v > 0 && v < INT64_MAX / 2 ? (int64_t)v : 0;
}

static int64_t reference_units(const struct world *w, int by, int64_t px, bool up) {
    return by == TRIGGER_BY_MARK ? mark_units(w->cfg->inst, px, up) : px;
}

/* ---- fences ---- */

static void fence(struct world *w) {
    for (int by = 0; by < 2; by++) w->fence[by] = (struct sim_fence){INT64_MAX, INT64_MIN};
    for (uint32_t k = 0; k < w->seats; k++) {
        const struct sim_seat *s = &w->seat[k];
        for (uint32_t i = 0; i < s->triggers; i++) {
            const struct sim_trigger *t = &s->trigger[i];
            struct sim_fence *f = &w->fence[t->by];
            if (t->due) continue;
            if (t->up < f->up) f->up = t->up;
            if (t->down > f->down) f->down = t->down;
        }
    }
}

/* Where a trailing order looks again: at a new best price, or at the callback from it. */
static void trail(struct sim_trigger *t, int64_t px) {
    int64_t back = (int64_t)(((int128)px * t->callback_e4 + E4_ONE - 1) / E4_ONE);
    t->extreme = px;
    t->up = t->rises ? px + back : px + 1;
    t->down = t->rises ? px - 1 : px - back;
}

/* One look at a reference price; true: it fires now. */
static bool look(struct sim_trigger *t, int64_t px) {
    bool up = px >= t->up, down = px <= t->down;
    if (!up && !down) return false;
    if (t->kind != TRIGGER_TRAIL) return t->rises ? up : down;
    if (!t->active) {
        t->active = true;
        trail(t, px);
        return false;
    }
    if (t->rises ? up : down) return true;
    trail(t, px);
    return false;
}

/* ---- waiting ---- */

struct sim_trigger *sim_waiting(struct sim_seat *s, int64_t id, uint32_t *index) {
    for (uint32_t i = 0; i < s->triggers; i++) {
        if (s->trigger[i].order.id != id) continue;
        *index = i;
        return &s->trigger[i];
    }
    return NULL;
}

static void take_out(struct sim_seat *s, uint32_t i) {
    CHECK(i < s->triggers);
    s->world->held -= s->trigger[i].due;
    memmove(&s->trigger[i], &s->trigger[i + 1], (s->triggers - i - 1) * sizeof s->trigger[0]);
    s->triggers--;
}

void sim_unwait(struct sim_seat *s, uint32_t i) {
    struct sim_order o = s->trigger[i].order;
    take_out(s, i);
    if (o.flags & SIM_TIED) sim_untie(s, o.id);
    fence(s->world);
}

static enum report_why trail_fields(
    struct sim_trigger *t, const struct order_request *q, int64_t now, int64_t at) {
    if (q->callback_e4 <= 0 || q->callback_e4 >= E4_ONE || q->type != ORDER_MARKET) {
        return WHY_TRIGGER;
    }
    t->callback_e4 = q->callback_e4;
    bool there = at == 0 || (t->rises ? now <= at : now >= at);
    if (there) {
        t->active = true;
        trail(t, now);
        return WHY_NONE;
    }
    t->up = t->rises ? INT64_MAX : at;
    t->down = t->rises ? at : INT64_MIN;
    return WHY_NONE;
}

enum report_why sim_wait(
    struct sim_seat *s, const struct order_request *q, const struct sim_order *o) {
    struct world *w = s->world;
    const struct sim_rules_row *r = w->venue_rules;
    bool buy = q->side == SIDE_BUY, trailing = q->trigger == TRIGGER_TRAIL;
    struct sim_trigger t = {.order = *o, .kind = q->trigger, .by = q->trigger_by};
    int64_t now = w->reference[t.by], px = q->trigger_px.ticks;
    if (px < 0 || px > ORDER_UNITS_MAX || (px == 0 && !trailing)) return WHY_TRIGGER;
    if (px % w->cfg->inst->tick_units != 0) return WHY_TICK;
    if (s->triggers == SIM_TRIGGERS_MAX) return WHY_LIMIT;
    if (r->waiting_max > 0 && s->triggers >= r->waiting_max) return WHY_MAX_ORDERS;
    if (now == 0) return WHY_NO_REFERENCE;
    t.rises = trailing ? buy : (q->trigger == TRIGGER_STOP) == buy;
    /* A trailing order is activated on the way that its callback then comes back from. */
    bool up = trailing ? !t.rises : t.rises;
    int64_t at = px > 0 ? reference_units(w, t.by, px, up) : 0;
    if (px > 0 && at == 0) return WHY_TRIGGER;
    if (trailing) {
        enum report_why why = trail_fields(&t, q, now, at);
        if (why != WHY_NONE) return why;
    } else {
        if (t.rises ? now >= at : now <= at) return WHY_WOULD_TRIGGER;
        t.up = t.rises ? at : INT64_MAX;
        t.down = t.rises ? INT64_MIN : at;
    }
    s->trigger[s->triggers++] = t;
    fence(w);
    return WHY_NONE;
}

/* ---- firing ---- */

static void fire(struct sim_seat *s, uint32_t i, int64_t ts) {
    struct sim_order o = s->trigger[i].order;
    take_out(s, i); /* first of all: it fires once */
    s->world->counters.triggered++;
    sim_say(s, &o, REPORT_TRIGGERED, WHY_NONE, ts);
    sim_fire(s, &o, ts);
}

/* The first that fires at px, in order of placement. Firing may take others out, so the caller
 * begins again; looking twice at one price changes nothing. */
static bool fire_one(struct world *w, struct sim_seat *s, int by, int64_t px, int64_t ts) {
    bool known = book_state(w->book) == BOOK_SYNCED;
    for (uint32_t i = 0; i < s->triggers; i++) {
        struct sim_trigger *t = &s->trigger[i];
        if (t->by != by || t->due || !look(t, px)) continue;
        if (known) {
            fire(s, i, ts);
            return true;
        }
        t->due = true; /* the venue fires it now; what it met is known when the book is back */
        w->held++;
    }
    return false;
}

void sim_watch(struct world *w, int by, int64_t px, int64_t ts) {
    for (uint32_t k = 0; k < w->seats; k++) {
        while (fire_one(w, &w->seat[k], by, px, ts)) continue;
    }
    fence(w);
}

void sim_watch_held(struct world *w, int64_t ts) {
    for (uint32_t k = 0; k < w->seats && w->held > 0; k++) {
        struct sim_seat *s = &w->seat[k];
        for (uint32_t i = 0; i < s->triggers;) {
            if (!s->trigger[i].due) {
                i++;
                continue;
            }
            fire(s, i, ts);
            i = 0;
        }
    }
}

/* ---- expiries and pairs ---- */

static struct sim_tie *tie_of(struct sim_seat *s, int64_t id) {
    for (uint32_t i = 0; i < s->ties; i++) {
        if (s->tie[i].id == id) return &s->tie[i];
    }
    return NULL;
}

static void next_due(struct world *w) {
    w->due = INT64_MAX;
    for (uint32_t k = 0; k < w->seats; k++) {
        const struct sim_seat *s = &w->seat[k];
        for (uint32_t i = 0; i < s->ties; i++) {
            int64_t at = s->tie[i].expire;
            if (at > 0 && at < w->due) w->due = at;
        }
    }
}

/* The order o as it stands here: resting or waiting. */
static struct sim_order *standing(struct sim_seat *s, int64_t id) {
    uint32_t i;
    struct sim_order *o = sim_find(s, id, &i);
    if (o) return o->flags & SIM_DEAD ? NULL : o;
    struct sim_trigger *t = sim_waiting(s, id, &i);
    return t ? &t->order : NULL;
}

static struct sim_tie *tie_add(struct sim_seat *s, struct sim_order *o) {
    struct sim_tie *t = (o->flags & SIM_TIED) ? tie_of(s, o->id) : NULL;
    if (t) return t;
    if (s->ties == SIM_TIES_MAX) return NULL;
    o->flags |= SIM_TIED;
    t = &s->tie[s->ties++];
    *t = (struct sim_tie){.id = o->id};
    return t;
}

enum report_why sim_tie(
    struct sim_seat *s, const struct order_request *q, struct sim_order *o, int64_t ts) {
    struct world *w = s->world;
    int64_t expire = 0;
    struct sim_order *other = NULL;
    if (q->tif == TIF_GTD) {
        int64_t now = sim_venue_ns(w, ts);
        if (q->expire_ns <= now || q->expire_ns > INT64_MAX / 2) return WHY_GTD;
        if (q->expire_ns - now < w->venue_rules->gtd_least_ns) return WHY_GTD;
        expire = sim_axis_of(w, q->expire_ns);
    }
    if (q->oco != 0) {
        other = standing(s, q->oco);
        const struct sim_tie *has = other ? tie_of(s, other->id) : NULL;
        if (!other || (has && has->partner != 0)) return WHY_OCO;
    }
    if (expire == 0 && !other) return WHY_NONE;
    if (s->ties + 2 > SIM_TIES_MAX) return WHY_LIMIT;
    struct sim_tie *mine = tie_add(s, o);
    CHECK(mine);
    mine->expire = expire;
    if (other) {
        struct sim_tie *its = tie_add(s, other);
        CHECK(its);
        mine->partner = other->id;
        its->partner = o->id;
    }
    if (expire > 0 && expire < w->due) w->due = expire;
    return WHY_NONE;
}

void sim_untie(struct sim_seat *s, int64_t id) {
    struct sim_tie *t = tie_of(s, id);
    if (!t) return;
    bool timed = t->expire > 0;
    struct sim_tie *other = t->partner ? tie_of(s, t->partner) : NULL;
    if (other) other->partner = 0;
    *t = s->tie[--s->ties];
    if (timed) next_due(s->world);
}

/* Ends an order that stands here, with its report; a resting one leaves its list in sim_settle. */
static void end_standing(struct sim_seat *s, int64_t id, uint8_t status, uint8_t why, int64_t ts) {
    uint32_t i;
    struct sim_order *o = sim_find(s, id, &i);
    if (o) {
        if (o->flags & SIM_DEAD) return;
        o->flags |= SIM_DEAD;
        s->unsettled = s->world->unsettled = true;
        sim_say(s, o, status, why, ts);
        return;
    }
    struct sim_trigger *t = sim_waiting(s, id, &i);
    if (!t) return;
    sim_say(s, &t->order, status, why, ts);
    sim_unwait(s, i);
}

void sim_pair_end(struct sim_seat *s, int64_t id, int64_t ts) {
    struct sim_tie *t = tie_of(s, id);
    if (!t || t->partner == 0) return;
    int64_t other = t->partner;
    struct sim_tie *its = tie_of(s, other);
    t->partner = 0;
    if (its) its->partner = 0;
    end_standing(s, other, REPORT_CANCELED, WHY_OCO, ts);
}

/* Of those whose time is over the one with the lowest id; NULL: none. */
static struct sim_tie *over(struct sim_seat *s, int64_t ts) {
    struct sim_tie *first = NULL;
    for (uint32_t i = 0; i < s->ties; i++) {
        struct sim_tie *t = &s->tie[i];
        if (t->expire == 0 || t->expire > ts) continue;
        if (!first || t->id < first->id) first = t;
    }
    return first;
}

void sim_due(struct world *w, int64_t ts) {
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *s = &w->seat[k];
        for (struct sim_tie *t; (t = over(s, ts)) != NULL;) {
            t->expire = 0;
            end_standing(s, t->id, REPORT_EXPIRED, WHY_GTD, ts);
        }
    }
    next_due(w);
    sim_settle(w, ts);
}

/* ---- reduce-only ---- */

int64_t sim_room(const struct sim_seat *s, int side, bool resting) {
    int64_t position = sim_account(s)->position;
    int64_t room = side == SIDE_SELL ? position : -position;
    if (room <= 0) return 0;
    if (!resting) return room;
    for (uint32_t k = 0; k < s->world->seats; k++) {
        const struct sim_seat *t = &s->world->seat[k];
        if (t->account != s->account || t->reducing == 0) continue;
        for (uint32_t i = 0; i < t->count[side]; i++) {
            const struct sim_order *o = &t->orders[side][i];
            if ((o->flags & SIM_REDUCE) && !(o->flags & SIM_DEAD)) room -= o->leaves;
        }
    }
    return room > 0 ? room : 0;
}

void sim_moved(struct sim_seat *s) {
    struct world *w = s->world;
    if (!w->shared) {
        if (s->reducing > 0) s->unsettled = w->unsettled = true;
        return;
    }
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *t = &w->seat[k];
        if (t->account != s->account || t->reducing == 0) continue;
        t->unsettled = w->unsettled = true;
    }
}

/* Reduce-only orders beyond the position: cut, the ones of least priority first; to nothing: out.
 */
static int64_t trim(struct sim_seat *s, int side, int64_t room, int64_t ts) {
    for (uint32_t i = 0; i < s->count[side];) {
        struct sim_order *o = &s->orders[side][i];
        if (!(o->flags & SIM_REDUCE) || o->leaves <= room) {
            if (o->flags & SIM_REDUCE) room -= o->leaves;
            i++;
            continue;
        }
        if (room == 0) {
            sim_say(s, o, REPORT_EXPIRED, WHY_REDUCE_ONLY, ts);
            sim_remove(s, side, i);
            continue;
        }
        o->qty -= o->leaves - room;
        o->leaves = room;
        room = 0;
        sim_say(s, o, REPORT_MODIFIED, WHY_REDUCE_ONLY, ts);
        i++;
    }
    return room;
}

static void bury(struct sim_seat *s) {
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (uint32_t i = 0; i < s->count[side];) {
            if (s->orders[side][i].flags & SIM_DEAD) {
                sim_remove(s, side, i);
            } else {
                i++;
            }
        }
    }
}

/* Seats of one account: by seat, then priority. */
static void settle_account(struct world *w, uint8_t account, int64_t ts) {
    int64_t position = w->seat[account].position;
    int64_t room[2] = {position < 0 ? -position : 0, position > 0 ? position : 0};
    for (uint32_t k = 0; k < w->seats; k++) {
        struct sim_seat *s = &w->seat[k];
        if (s->account != account) continue;
        s->unsettled = false;
        for (int side = SIDE_BUY; side <= SIDE_SELL && s->reducing > 0; side++) {
            room[side] = trim(s, side, room[side], ts);
        }
    }
}

void sim_settle_now(struct world *w, int64_t ts) {
    w->unsettled = false;
    for (uint32_t k = 0; k < w->seats; k++) {
        if (w->seat[k].unsettled) bury(&w->seat[k]);
    }
    for (uint32_t k = 0; k < w->seats; k++) {
        if (w->seat[k].unsettled) settle_account(w, w->seat[k].account, ts);
    }
}
