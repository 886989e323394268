/* cmd_queue.c: `fathom queue fit TAPE`: which law of cancels a recording shows (queue_fit.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "base/rng.h"
#include "capture/tape/tape.h"
#include "derive/book/book.h"
#include "program/cli.h"
#include "program/pipeline.h"
#include "program/queue_file.h"
#include "program/queue_fit.h"

enum { MODELS = QUEUE_POWER3 + 1, PLACES = 9, BLOCK = 50, CANCELS_MIN = 100 };

struct score {
    struct queue_spec spec; /* fitted on the first half */
    double first, second;   /* mean log-likelihood */
};

struct job {
    struct cli_args args;
    struct instrument inst;
    struct queue_watch watch;
    struct book *book;
    void *book_mem;
    int64_t near; /* price units from the best */
    double until; /* share of the tape's events that is read */
    struct score score[MODELS];
    uint8_t best;
    struct queue_spec chosen; /* the best model, fitted on everything */
    double likelihood, low, high;
    double said[PLACES], found[PLACES]; /* second half: share of cancels before a place */
    int64_t repeats;
    uint64_t seed;
};

/* ---- reading ---- */

static bool is_near(const struct job *k, const struct event *ev) {
    int side = (ev->flags & EVF_SELL) ? 1 : 0;
    struct book_level best;
    if (book_state(k->book) != BOOK_SYNCED || !book_best(k->book, side, &best)) return false;
    int64_t d = ev->px.ticks - best.px.ticks;
    return (d < 0 ? -d : d) <= k->near;
}

static void see(struct job *k, const struct event *ev) {
    struct queue_watch *w = &k->watch;
    struct book_change c;
    if (ev->kind == EV_ORDER) {
        if (!w->per_order) queue_watch_reset(w);
        w->per_order = true;
        queue_watch_order(w, ev, is_near(k, ev));
        return;
    }
    bool near = ev->kind == EV_DEPTH && is_near(k, ev);
    bool print = (ev->kind == EV_TRADE || ev->kind == EV_AGG_TRADE) &&
                 !(ev->flags & EVF_NON_MARKET) && ev->qty.lots > 0;
    if (print) queue_watch_print(w, ev);
    book_apply(k->book, ev, &c);
    if (c.whole) queue_watch_reset(w);
    bool applied = ev->kind == EV_DEPTH && !c.whole && c.px.ticks == ev->px.ticks &&
                   book_state(k->book) == BOOK_SYNCED;
    if (applied) queue_watch_level(w, ev, c.before.lots, c.after.lots, near);
}

static err_t read_tape(struct job *k, struct err_info *e) {
    struct tape_reader_options opt = {0};
    struct tape_reader *r;
    bool bars;
    const char *symbol = cli_value(&k->args, "symbol"), *tape = k->args.argv[0];
    err_t code = pipeline_instrument(tape, symbol ? symbol : "", &k->inst, &bars, e);
    if (!code) code = tape_reader_open(&r, tape, &opt, e);
    if (code) return code;
    int64_t ticks = k->near;
    k->near = ticks * k->inst.tick_units;
    k->book_mem = aligned_alloc(64, (book_mem_size(NULL) + 63) & ~(size_t)63);
    if (!k->book_mem) {
        tape_reader_close(r);
        return err_set(e, ERR_RESOURCE, "out of memory for the book");
    }
    k->book = book_init(k->book_mem, NULL, k->inst.venue);
    queue_watch_init(&k->watch, instrument_qty_unit(&k->inst), false);
    const struct event *slots;
    size_t n;
    uint64_t end = (uint64_t)(k->until * (double)tape_reader_events(r)), at = 0;
    while (at < end && (code = tape_reader_next(r, &slots, &n, e)) == ERR_OK) {
        for (size_t i = 0; i < n && at < end; i += event_slots(slots[i].kind), at++) {
            if (slots[i].inst == k->inst.id) see(k, &slots[i]);
        }
    }
    tape_reader_close(r);
    queue_watch_end(&k->watch);
    if (code && code != ERR_END) return code;
    if (k->watch.n >= CANCELS_MIN) return ERR_OK;
    return err_set(e, ERR_NO,
        "%s: %zu of %llu cancels near the best show their place in the queue; at least %d are "
        "needed (more data, or --ticks)",
        tape, k->watch.n, (unsigned long long)k->watch.cancels, CANCELS_MIN);
}

/* ---- fit ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 90 % of the powers that resampled runs of neighbouring cancels give. */
static void band(struct job *k) {
    size_t n = k->watch.n, blocks = (n + BLOCK - 1) / BLOCK;
    size_t repeats = (size_t)k->repeats;
    double *power = mem_alloc(repeats * sizeof *power);
    struct queue_seen *sample = mem_alloc((n + BLOCK) * sizeof *sample);
    struct rng rng;
    rng_init(&rng, k->seed, 0);
    for (size_t b = 0; b < repeats; b++) {
        struct queue_spec s = k->chosen;
        size_t m = 0;
        while (m < n) {
            size_t from = rng_below(&rng, blocks) * BLOCK;
            for (size_t i = from; i < from + BLOCK && i < n; i++) sample[m++] = k->watch.seen[i];
        }
        (void)queue_best_power_in(&s, sample, n, k->chosen.power / 4, k->chosen.power * 4, 1e-3);
        power[b] = s.power;
    }
    qsort(power, repeats, sizeof *power, by_value);
    k->low = power[repeats / 20];
    k->high = power[repeats - 1 - repeats / 20];
    free(sample);
    free(power);
}

/* Of the second half's cancels: how many lie where the model puts the first p of them? Under the
 * model the mean is p, whatever the orders' sizes (Czado, Gneiting, Held 2009: the non-randomised
 * probability integral transform of counts). */
static void calibrate(struct job *k, const struct queue_spec *s, size_t half) {
    for (int p = 0; p < PLACES; p++) {
        double found = 0;
        k->said[p] = (p + 1) / 10.0;
        for (size_t i = half; i < k->watch.n; i++) {
            const struct queue_seen *o = &k->watch.seen[i];
            double u = queue_place_share(s, o->total, o->unknown);
            double lo = (queue_place_share(s, o->total, o->x0) - u) / (1 - u);
            double hi = (queue_place_share(s, o->total, o->x1) - u) / (1 - u);
            double below = hi > lo ? (k->said[p] - lo) / (hi - lo) : 0;
            found += below < 0 ? 0 : below > 1 ? 1 : below;
        }
        k->found[p] = found / (double)(k->watch.n - half);
    }
}

static void fit(struct job *k) {
    size_t half = k->watch.n / 2, rest = k->watch.n - half;
    const struct queue_seen *seen = k->watch.seen;
    for (uint8_t m = QUEUE_RISK; m < MODELS; m++) {
        struct score *s = &k->score[m];
        s->spec = (struct queue_spec){.model = m, .power = 2, .unit = k->watch.unit};
        s->first = queue_best_power(&s->spec, seen, half);
        s->second = queue_likelihood(&s->spec, seen + half, rest);
        if (s->second > k->score[k->best].second) k->best = m;
    }
    k->chosen = k->score[k->best].spec;
    k->likelihood = queue_best_power(&k->chosen, seen, k->watch.n);
    k->low = k->high = k->chosen.power;
    if (queue_has_power(k->best)) band(k);
    calibrate(k, &k->score[k->best].spec, half);
}

/* ---- report ---- */

static void print_report(const struct job *k, const char *to) {
    const struct queue_watch *w = &k->watch;
    printf("%s %s, %s: %llu cancels near the best, the place of %zu is known (%llu of no single "
           "order)\n",
        venue_name(k->inst.venue), k->inst.symbol, w->per_order ? "orders by id" : "level totals",
        (unsigned long long)w->cancels, w->n, (unsigned long long)w->unmatched);
    printf("  %-8s %8s %14s %14s\n", "model", "n", "first half", "second half");
    for (uint8_t m = QUEUE_RISK; m < MODELS; m++) {
        const struct score *s = &k->score[m];
        char n[16] = "";
        if (queue_has_power(m)) snprintf(n, sizeof n, "%.3f", s->spec.power);
        printf("  %-8s %8s %14.5f %14.5f%s\n", queue_name(m), n, s->first, s->second,
            m == k->best ? "  best" : "");
    }
    printf("mean log-likelihood a cancel; n from the first half; the second half decides\n");
    printf("%s", queue_name(k->best));
    if (queue_has_power(k->best))
        printf(", n = %.3f, 90 %% of %lld resamplings in %.3f .. %.3f", k->chosen.power,
            (long long)k->repeats, k->low, k->high);
    printf(
        "\nsecond half: share of cancels in the part of the queue (from the front) where the model "
        "of the first half puts that share\n ");
    for (int p = 0; p < PLACES; p++) printf(" %7.3f", k->said[p]);
    printf(" said\n ");
    for (int p = 0; p < PLACES; p++) printf(" %7.3f", k->found[p]);
    printf(" found\n");
    if (!w->per_order) {
        printf("Level totals show the place of a cancel only where its size is one order's alone: "
               "small and odd sizes near the\nback are over-represented, orders changed by several "
               "in one message are missed. When a virtual order would have\nfilled is not in such "
               "data at all.\n");
    }
    if (to) printf("written to %s\n", to);
}

static err_t print_json(const struct job *k, const char *to, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "symbol", k->inst.symbol);
    json_kbool(&j, "per_order", k->watch.per_order);
    json_kint(&j, "cancels", (int64_t)k->watch.cancels);
    json_kint(&j, "placed", (int64_t)k->watch.n);
    json_kint(&j, "unmatched", (int64_t)k->watch.unmatched);
    json_key(&j, "models");
    json_array(&j);
    for (uint8_t m = QUEUE_RISK; m < MODELS; m++) {
        json_object(&j);
        json_kstr(&j, "model", queue_name(m));
        json_kdouble(&j, "n", queue_has_power(m) ? k->score[m].spec.power : NAN);
        json_kdouble(&j, "log_likelihood_first_half", k->score[m].first);
        json_kdouble(&j, "log_likelihood_second_half", k->score[m].second);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_kstr(&j, "best", queue_name(k->best));
    json_kdouble(&j, "n", queue_has_power(k->best) ? k->chosen.power : NAN);
    json_kdouble(&j, "n_low", k->low);
    json_kdouble(&j, "n_high", k->high);
    json_key(&j, "calibration");
    json_array(&j);
    for (int p = 0; p < PLACES; p++) {
        json_object(&j);
        json_kdouble(&j, "said", k->said[p]);
        json_kdouble(&j, "found", k->found[p]);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_kint(&j, "seed", (int64_t)k->seed);
    if (to) json_kstr(&j, "to", to);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t run_fit(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (!code) code = cli_int(&k->args, "ticks", 0, 1000000, 10, &k->near, e);
    if (!code) code = cli_double(&k->args, "until", 0.01, 1, 1, &k->until, e);
    if (!code) code = cli_int(&k->args, "bootstrap", 20, 10000, 100, &k->repeats, e);
    k->seed = k->args.seed_given ? k->args.seed : 1;
    const char *to = code ? NULL : cli_value(&k->args, "to");
    if (!code) code = read_tape(k, e);
    if (!code) fit(k);
    if (!code && to)
        code = queue_file_write(to, &k->chosen, k->watch.n, k->likelihood, k->args.force, e);
    if (!code && k->args.json) {
        code = print_json(k, to, e);
    } else if (!code) {
        print_report(k, to);
    }
    queue_watch_free(&k->watch);
    free(k->book_mem);
    free(k);
    return code;
}

const struct cli_verb cmd_queue_fit = {
    .name = "queue fit",
    .usage = "TAPE [--to FILE.csv] [--ticks N]",
    .about = "fit the queue model: who in a queue cancels, by maximum likelihood",
    .help = "  --to FILE.csv    write the best model for sim.queue: calibrated\n"
            "  --ticks N        cancels up to N ticks from the best price (default 10)\n"
            "  --until SHARE    read only the first part of the tape's events (default 1)\n"
            "  --bootstrap N    resamplings of the band (default 100)\n"
            "  --symbol NAME    SYMBOL or VENUE:SYMBOL\n"
            "\n"
            "Exit 1 if fewer than 100 cancels show their place.\n"
            "\n"
            "Example:\n"
            "  fathom queue fit my.tape --to queue.csv\n",
    .options = "to= ticks= until= bootstrap= symbol=",
    .args_min = 1,
    .args_max = 1,
    .run = run_fit,
};
