/* cmd_queue_compare.c: `fathom queue compare TAPE`: queue models against the truth.
 *
 * On per-order data it is known who stands before a new order. At each depth message one lot is
 * placed at the best price of both sides; it fills by what the orders do (truth) and, on the same
 * prints and level totals, by each queue model. What matters is the share that fills, and when.
 * A lot is placed only where the data go on for a whole horizon: one that counted if it filled
 * before their end, and did not if it would have filled later, would make every share too large.
 * Neighbouring lots share their fate: the counts are no independent trials.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "execute/sim/sim_l3.h"
#include "program/cli.h"
#include "program/pipeline.h"
#include "program/queue_file.h"

enum { MODELS = QUEUE_FIFO + 1, CALIBRATED = QUEUE_FIFO, LIVE_MAX = 1 << 16 };

struct probe { /* one virtual lot */
    int64_t px, placed_ns;
    int side;
    uint64_t arrived;
    double truth;                 /* quantity before it, exactly */
    struct queue_pos pos[MODELS]; /* [CALIBRATED]: of --queue-file */
    int64_t at[MODELS], truth_at; /* 0 = not yet */
};

struct tally {
    uint64_t filled, both, early, late;
    double delay; /* sum of model less truth, where both fill */
};

struct job {
    struct cli_args args;
    struct instrument inst;
    struct queue_spec spec[MODELS];
    bool calibrated, placing;
    double after;                /* share of the tape's events before the first lot */
    int64_t horizon_ns, last_ns; /* last_ns: of the data, venue time */
    struct book *book;
    struct l3_book *orders;
    void *book_mem;
    struct probe *live;
    size_t n, cap;
    uint64_t probes, truth_filled;
    struct tally tally[MODELS];
};

static int models(const struct job *k) { return k->calibrated ? MODELS : CALIBRATED; }

/* ---- a lot's life ---- */

static void settle(struct job *k, const struct probe *p) {
    k->probes++;
    k->truth_filled += p->truth_at > 0;
    for (int m = 0; m < models(k); m++) {
        struct tally *t = &k->tally[m];
        t->filled += p->at[m] > 0;
        t->early += p->at[m] > 0 && p->truth_at == 0;
        t->late += p->at[m] == 0 && p->truth_at > 0;
        if (p->at[m] == 0 || p->truth_at == 0) continue;
        t->both++;
        t->delay += (double)(p->at[m] - p->truth_at);
    }
}

static bool over(const struct job *k, const struct probe *p, int64_t now) {
    if (now - p->placed_ns >= k->horizon_ns) return true;
    if (p->truth_at == 0) return false;
    for (int m = 0; m < models(k); m++) {
        if (p->at[m] == 0) return false;
    }
    return true;
}

static void expire(struct job *k, int64_t now) {
    for (size_t i = 0; i < k->n;) {
        if (!over(k, &k->live[i], now)) {
            i++;
            continue;
        }
        settle(k, &k->live[i]);
        k->live[i] = k->live[--k->n];
    }
}

/* A print at a better price for the aggressor's victim fills whoever was passed; at the own price
 * it eats the queue. */
static void on_print(struct job *k, const struct event *ev) {
    int side = (ev->flags & EVF_BUY) ? 1 : 0;
    double qty = (double)ev->qty.lots, lot = (double)k->inst.lot_units;
    for (size_t i = 0; i < k->n; i++) {
        struct probe *p = &k->live[i];
        if (p->side != side) continue;
        int64_t d = side == 0 ? ev->px.ticks - p->px : p->px - ev->px.ticks;
        if (d > 0) continue;
        p->truth -= d == 0 ? qty : INFINITY;
        if (p->truth <= -lot && p->truth_at == 0) p->truth_at = ev->ts_venue.ns;
        for (int m = 0; m < models(k); m++) {
            if (d == 0) queue_print(&p->pos[m], qty);
            bool fills = d < 0 || queue_executable(&p->pos[m], k->inst.lot_units) > 0;
            if (fills && p->at[m] == 0) p->at[m] = ev->ts_venue.ns;
        }
    }
}

static void on_order(struct job *k, const struct event *ev) {
    struct l3_change c;
    int side = (ev->flags & EVF_SELL) ? 1 : 0;
    if (!l3_apply(k->orders, ev, &c) || ev->aux.a == ACTION_EXECUTE || c.lots == 0) return;
    for (size_t i = 0; i < k->n; i++) {
        struct probe *p = &k->live[i];
        if (p->side != side || p->px != ev->px.ticks || p->truth_at > 0) continue;
        if (ev->aux.a == ACTION_ADD) {
            if (ev->id == 0) p->truth += (double)c.lots;
        } else if (ev->id != 0 && c.number <= p->arrived) {
            p->truth = p->truth > (double)c.lots ? p->truth - (double)c.lots : 0;
        }
    }
}

static void on_level(struct job *k, const struct book_change *c) {
    for (size_t i = 0; i < k->n; i++) {
        struct probe *p = &k->live[i];
        if (p->side != c->side || p->px != c->px.ticks) continue;
        if ((double)c->after.lots < p->truth) p->truth = (double)c->after.lots; /* seen afresh */
        for (int m = 0; m < models(k); m++) {
            queue_level(&k->spec[m], &p->pos[m], c->before.lots, c->after.lots);
            if (p->pos[m].ahead < 0) p->pos[m].ahead = 0;
        }
    }
}

static void place(struct job *k, int64_t now) {
    if (now > k->last_ns - k->horizon_ns) return;
    for (int side = 0; side < 2; side++) {
        struct book_level best;
        if (k->n == LIVE_MAX || !book_best(k->book, side, &best)) continue;
        k->live = mem_array(k->live, k->n, &k->cap, sizeof *k->live);
        struct probe *p = &k->live[k->n++];
        *p = (struct probe){.px = best.px.ticks,
            .placed_ns = now,
            .side = side,
            .arrived = k->orders->added,
            .truth = (double)best.qty.lots};
        for (int m = 0; m < MODELS; m++) queue_place(&p->pos[m], best.qty.lots);
    }
}

static void see(struct job *k, const struct event *ev) {
    struct book_change c;
    bool print = ev->kind == EV_TRADE && !(ev->flags & EVF_NON_MARKET);
    if (ev->kind == EV_ORDER) {
        on_order(k, ev);
        return;
    }
    if (print) on_print(k, ev);
    book_apply(k->book, ev, &c);
    if (c.any && !c.whole) on_level(k, &c);
    if (ev->kind != EV_DEPTH || !(ev->flags & EVF_LAST)) return;
    expire(k, ev->ts_venue.ns);
    if (k->placing && book_state(k->book) == BOOK_SYNCED) place(k, ev->ts_venue.ns);
}

/* When the exchange's last whole depth message was. */
static err_t last_of(struct job *k, struct tape_reader *r, struct err_info *e) {
    const struct event *slots;
    size_t n;
    err_t code;
    k->last_ns = INT64_MIN / 2;
    while ((code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            const struct event *ev = &slots[i];
            bool whole = ev->kind == EV_DEPTH && (ev->flags & EVF_LAST) != 0;
            if (ev->inst == k->inst.id && whole && ev->ts_venue.ns > k->last_ns)
                k->last_ns = ev->ts_venue.ns;
        }
    }
    return code == ERR_END ? ERR_OK : code;
}

static err_t read_tape(struct job *k, struct err_info *e) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    bool bars, any = false;
    const char *symbol = cli_value(&k->args, "symbol"), *tape = k->args.argv[0];
    err_t code = pipeline_instrument(tape, symbol ? symbol : "", &k->inst, &bars, e);
    if (!code) code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    k->book_mem = aligned_alloc(64, (book_mem_size(NULL) + 63) & ~(size_t)63);
    k->orders = malloc(l3_book_size());
    if (!k->book_mem || !k->orders) {
        tape_reader_close(r);
        return err_set(e, ERR_RESOURCE, "out of memory for the books");
    }
    l3_book_init(k->orders);
    k->book = book_init(k->book_mem, NULL, k->inst.venue);
    for (int m = 0; m < CALIBRATED; m++) k->spec[m].unit = instrument_qty_unit(&k->inst);
    k->spec[CALIBRATED].unit = instrument_qty_unit(&k->inst);
    code = last_of(k, r, e);
    if (!code) code = tape_reader_seek_event(r, 0, e);
    const struct event *slots;
    size_t n;
    uint64_t first = (uint64_t)(k->after * (double)tape_reader_events(r)), at = 0;
    while (!code && (code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n; i += event_slots(slots[i].kind)) {
            k->placing = at++ >= first;
            if (slots[i].inst != k->inst.id) continue;
            any |= slots[i].kind == EV_ORDER;
            see(k, &slots[i]);
        }
    }
    tape_reader_close(r);
    if (code != ERR_END) return code;
    for (size_t i = 0; i < k->n; i++) settle(k, &k->live[i]);
    if (any && k->probes > 0) return ERR_OK;
    return err_set(e, ERR_INPUT,
        any ? "%s: too short: no lot saw its horizon; give a shorter --horizon"
            : "%s holds no orders of the market: only such data (LOBSTER) know the truth",
        tape);
}

/* ---- report ---- */

static const char *name_of(int m) {
    return m == CALIBRATED ? "calibrated" : queue_name((uint8_t)m);
}

static double share(uint64_t a, uint64_t n) { return n > 0 ? (double)a / (double)n : NAN; }

static void print_report(const struct job *k) {
    printf("%s %s: %llu lots at the best prices, horizon %g s; %.2f %% fill in truth\n",
        venue_name(k->inst.venue), k->inst.symbol, (unsigned long long)k->probes,
        (double)k->horizon_ns / 1e9, 100 * share(k->truth_filled, k->probes));
    printf("  %-10s %6s %9s %9s %12s %12s %12s\n", "model", "n", "fill %", "bias %", "only model %",
        "only truth %", "delay, ms");
    for (int m = 0; m < models(k); m++) {
        const struct tally *t = &k->tally[m];
        char n[16] = "";
        bool power = k->spec[m].model == QUEUE_POWER || k->spec[m].model == QUEUE_POWER2 ||
                     k->spec[m].model == QUEUE_POWER3;
        if (power) snprintf(n, sizeof n, "%.2f", k->spec[m].power);
        printf("  %-10s %6s %9.2f %+9.2f %12.2f %12.2f %+12.1f\n", name_of(m), n,
            100 * share(t->filled, k->probes),
            100 * (share(t->filled, k->probes) - share(k->truth_filled, k->probes)),
            100 * share(t->early, k->probes), 100 * share(t->late, k->probes),
            t->both > 0 ? t->delay / (double)t->both / 1e6 : NAN);
    }
}

static err_t print_json(const struct job *k, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "symbol", k->inst.symbol);
    json_kint(&j, "lots", (int64_t)k->probes);
    json_kint(&j, "horizon_ns", k->horizon_ns);
    json_kdouble(&j, "truth_fill_share", share(k->truth_filled, k->probes));
    json_key(&j, "models");
    json_array(&j);
    for (int m = 0; m < models(k); m++) {
        const struct tally *t = &k->tally[m];
        json_object(&j);
        json_kstr(&j, "model", name_of(m));
        json_kdouble(&j, "n", k->spec[m].power);
        json_kdouble(&j, "fill_share", share(t->filled, k->probes));
        json_kdouble(&j, "bias", share(t->filled, k->probes) - share(k->truth_filled, k->probes));
        json_kdouble(&j, "only_model", share(t->early, k->probes));
        json_kdouble(&j, "only_truth", share(t->late, k->probes));
        json_kdouble(&j, "mean_delay_ns", t->both > 0 ? t->delay / (double)t->both : NAN);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run_compare(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    double horizon = 0, power = 0;
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (!code) code = cli_double(&k->args, "horizon", 0.001, 86400, 1, &horizon, e);
    if (!code) code = cli_double(&k->args, "after", 0, 0.99, 0, &k->after, e);
    if (!code) code = cli_double(&k->args, "power", 0.01, 100, 2, &power, e);
    const char *file = code ? NULL : cli_value(&k->args, "queue-file");
    k->horizon_ns = (int64_t)(horizon * 1e9);
    k->calibrated = file != NULL;
    for (uint8_t m = 0; m < CALIBRATED; m++) {
        k->spec[m] = (struct queue_spec){.model = m, .power = power};
    }
    if (!code && file) code = queue_file_read(file, &k->spec[CALIBRATED], e);
    if (!code) code = read_tape(k, e);
    if (!code && k->args.json) {
        code = print_json(k, e);
    } else if (!code) {
        print_report(k);
    }
    free(k->book_mem);
    free(k->orders);
    free(k->live);
    free(k);
    return code;
}

const struct cli_verb cmd_queue_compare = {
    .name = "queue compare",
    .usage = "TAPE [--horizon S] [--queue-file FILE.csv]",
    .about = "queue models against the truth of per-order data",
    .help = "  --horizon S         how long a lot waits (default 1)\n"
            "  --after SHARE       lots only after this part of the tape's events (default 0)\n"
            "  --power N           n of the power models (default 2)\n"
            "  --queue-file FILE   a fitted model beside the six (fathom queue fit)\n"
            "  --symbol NAME       SYMBOL or VENUE:SYMBOL\n"
            "\n"
            "Example:\n"
            "  fathom queue compare aapl.tape --horizon 1\n",
    .options = "horizon= after= power= queue-file= symbol=",
    .args_min = 1,
    .args_max = 1,
    .run = run_compare,
};
