/* stress_tape.c: the parts of a stress that replay other tapes, and the resampled histories. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "capture/tape/tape.h"
#include "learn/study/stats.h"
#include "program/stress.h"

static const char copy_name[] = "stress-tape";

/* The strategy as configured on a tape that tape_edit makes; the tape is removed again. */
static err_t replay_edited(struct stress *s, const struct tape_hole *hole, size_t holes,
    int64_t from, int64_t to, size_t *restored, struct sweep_row *row, struct err_info *e) {
    struct sweep *w = &s->worlds;
    char path[RUN_PATH_MAX];
    struct tape_edit edit = {.from = w->run.tape,
        .to = path,
        .inst = w->inst.id,
        .from_ns = from,
        .to_ns = to,
        .hole = hole,
        .holes = holes};
    struct pipeline_facts *facts = mem_alloc(sizeof *facts);
    struct run_result r;
    struct err_info why = {0};
    err_t code = run_folder_path(w->run.folder, copy_name, path, e);
    if (!code) code = tape_edit(&edit, restored, e);
    if (!code) code = run_result_init(&r, e);
    if (!code) {
        struct pipeline_options opt = {.cfg = w->cfg,
            .tape = path,
            .models = w->run.models_loaded ? &w->run.models : NULL,
            .quiet = true,
            .periods = SWEEP_PERIODS};
        err_t ran = pipeline_run(&opt, &r, facts, &why);
        memset(row, 0, sizeof *row);
        if (!ran) sweep_row_take(row, &r, (double)r.equity_start / 1e12);
        if (ran) snprintf(row->failed, sizeof row->failed, "%.*s", SWEEP_WHY_MAX - 1, why.text);
        if (ran == ERR_INTERRUPTED || ran == ERR_USAGE) code = err_set(e, ran, "%s", why.text);
        run_result_fini(&r);
    }
    free(facts);
    struct err_info second;
    err_t removed = file_remove_tree(path, code ? &second : e);
    return code ? code : removed;
}

/* ---- extreme spans ---- */

struct window {
    int64_t from_ns;
    double first, low, high;
    uint64_t messages;
};

struct look {
    struct window *at;
    size_t n, cap;
    int64_t length, first_ns;
};

static void note(struct look *l, int64_t now, double price, bool message) {
    if (l->n == 0) l->first_ns = now;
    size_t k = now > l->first_ns ? (size_t)((now - l->first_ns) / l->length) : 0;
    while (l->n <= k) {
        l->at = mem_array(l->at, l->n, &l->cap, sizeof *l->at);
        l->at[l->n] = (struct window){.from_ns = l->first_ns + (int64_t)l->n * l->length};
        l->n++;
    }
    struct window *w = &l->at[k];
    w->messages += message;
    if (!(price > 0)) return;
    if (w->first <= 0) w->first = w->low = w->high = price;
    w->low = fmin(w->low, price);
    w->high = fmax(w->high, price);
}

/* Prices that moves are measured by: market prints, or closes where there are only bars. */
static double price_of(const struct stress *s, const struct event *ev) {
    bool print = (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) &&
                 !(ev->flags & (EVF_NON_MARKET | EVF_SUSPECT));
    if (s->worlds.bars) print = ev->kind == EV_KLINE && (ev->flags & EVF_CLOSED);
    return print ? instrument_px(&s->worlds.inst, ev->px) : 0;
}

static err_t look_over(struct stress *s, struct look *l, struct err_info *e) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    const struct event *slots;
    size_t n;
    err_t code = tape_reader_open(&r, s->worlds.run.tape, &opt, e);
    if (code) return code;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            const struct event *ev = &slots[i];
            if (ev->inst != s->worlds.inst.id) continue;
            note(l, ev->ts_local.ns, price_of(s, ev), (ev->flags & EVF_LAST) != 0);
        }
    }
    tape_reader_close(r);
    return code == ERR_END ? ERR_OK : code;
}

static double move_bps(const struct window *w) {
    return w->first > 0 ? (w->high - w->low) / w->first * 1e4 : 0;
}

/* The largest by move, or by messages, that is not taken yet; n = none. */
static size_t largest(const struct look *l, const bool *taken, bool by_move) {
    size_t best = l->n;
    for (size_t i = 0; i < l->n; i++) {
        if (taken[i] || l->at[i].messages == 0) continue;
        bool more = best == l->n || (by_move ? move_bps(&l->at[i]) > move_bps(&l->at[best])
                                             : l->at[i].messages > l->at[best].messages);
        if (more) best = i;
    }
    return best;
}

err_t stress_extremes(struct stress *s, struct err_info *e) {
    const struct sweep_row *base = &s->worlds.row[0];
    size_t wanted = (size_t)config_int(s->worlds.cfg, "stress.spans");
    int64_t most = (base->last_ns - base->first_ns) / 5;
    struct look l = {.length = (int64_t)(config_double(s->worlds.cfg, "stress.span_s") * 1e9)};
    if (l.length > most) l.length = most > 0 ? most : 1;
    if (wanted == 0) return ERR_OK;
    err_t code = look_over(s, &l, e);
    bool *taken = mem_alloc(l.n + 1);
    for (size_t i = 0; !code && i < 2 * wanted; i++) {
        bool by_move = i < wanted;
        size_t k = largest(&l, taken, by_move);
        if (k == l.n) break;
        taken[k] = true;
        struct stress_extreme *x = &s->extreme[s->extremes++];
        snprintf(x->what, sizeof x->what, "%s", by_move ? "move" : "messages");
        x->from_ns = l.at[k].from_ns;
        x->to_ns = x->from_ns + l.length;
        x->move_bps = move_bps(&l.at[k]);
        x->messages = l.at[k].messages;
        int64_t from = k == 0 ? INT64_MIN : x->from_ns;
        code = replay_edited(s, NULL, 0, from, x->to_ns, NULL, &x->row, e);
    }
    free(taken);
    free(l.at);
    return code;
}

/* ---- holes ---- */

/* One in each of n equal parts of the data, at a place drawn by seed. */
static void draw_holes(const struct stress *s, struct tape_hole *hole, size_t n, bool loss) {
    const struct sweep_row *base = &s->worlds.row[0];
    int64_t part = (base->last_ns - base->first_ns) / (int64_t)n;
    int64_t length = (int64_t)(config_double(s->worlds.cfg, "stress.hole_s") * 1e9);
    if (length > part / 2) length = part / 2;
    struct rng g;
    rng_init(&g, (uint64_t)config_int(s->worlds.cfg, "seed"), loss ? 1000001 : 1000002);
    for (size_t i = 0; i < n; i++) {
        int64_t at = base->first_ns + (int64_t)i * part +
                     (int64_t)rng_below(&g, (uint64_t)(part - length) + 1);
        hole[i] = (struct tape_hole){at, at + length, loss};
    }
}

err_t stress_holes(struct stress *s, struct err_info *e) {
    static const char *const what[2] = {"lost messages", "lost connections"};
    size_t n = (size_t)config_int(s->worlds.cfg, "stress.holes");
    err_t code = ERR_OK;
    if (n == 0 || s->worlds.bars) return ERR_OK; /* bars have no book to lose */
    struct tape_hole *hole = mem_alloc(n * sizeof *hole);
    for (int k = 0; k < 2 && !code; k++) {
        struct stress_holes *h = &s->hole[k];
        draw_holes(s, hole, n, k == 0);
        h->what = what[k];
        h->holes = n;
        code = replay_edited(s, hole, n, INT64_MIN, INT64_MAX, &h->restored, &h->row, e);
    }
    free(hole);
    return code;
}

/* ---- histories ---- */

/* Sums of each UTC day; the caller frees. */
static double *by_day(const struct sweep_row *r, size_t *n) {
    int64_t step = r->period_ns * (int64_t)r->block, day = 86400 * NS_PER_S;
    int64_t first = r->first_ns / day, last = r->last_ns / day;
    double *sum = mem_alloc((size_t)(last - first + 1) * sizeof *sum);
    for (size_t i = 0; i < r->points; i++)
        sum[(r->first_ns + (int64_t)i * step) / day - first] += r->pnl[i];
    *n = (size_t)(last - first + 1);
    return sum;
}

static void describe(struct stress_histories *h, double *net, size_t n) {
    const size_t bins = sizeof h->bin / sizeof *h->bin;
    double up = 0;
    stats_sort(net, n);
    for (size_t i = 0; i < n; i++) up += net[i] > 0;
    h->profitable = up / (double)n;
    h->low = stats_quantile(net, n, 0.05);
    h->median = stats_quantile(net, n, 0.5);
    h->high = stats_quantile(net, n, 0.95);
    h->x0 = net[0];
    h->width = net[n - 1] > net[0] ? (net[n - 1] - net[0]) / (double)(bins - 1) : 1;
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)((net[i] - h->x0) / h->width);
        h->bin[at < bins ? at : bins - 1]++;
    }
}

void stress_histories(struct stress *s) {
    const struct sweep_row *r = &s->worlds.row[0];
    struct stress_histories *h = &s->histories;
    struct dice dice = {(uint64_t)config_int(s->worlds.cfg, "seed")};
    double *own = NULL, block = 1;
    const double *x = r->pnl;
    size_t n = r->points;
    h->days = r->last_ns - r->first_ns >= STRESS_DAYS_LEAST * 86400 * NS_PER_S;
    if (h->days) {
        x = own = by_day(r, &n);
        h->block_s = 86400;
    } else if (n >= 8) {
        block = stats_block_length(x, n).stationary;
        h->block_s = block * (double)r->period_ns / 1e9 * (double)r->block;
    }
    h->profitable = h->low = h->median = h->high = NAN;
    h->blocks = (size_t)((double)n / block);
    if (n >= 8) {
        h->repeats = (size_t)config_int(s->worlds.cfg, "stress.bootstrap");
        uint32_t *index = mem_alloc(n * sizeof *index);
        double *net = mem_alloc(h->repeats * sizeof *net);
        for (size_t b = 0; b < h->repeats; b++) {
            dice_blocks(&dice, block, n, index);
            for (size_t i = 0; i < n; i++) net[b] += x[index[i]];
        }
        describe(h, net, h->repeats);
        free(index);
        free(net);
    }
    free(own);
}
