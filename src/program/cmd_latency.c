/* cmd_latency.c: `fathom latency fit TAPE|STAMPS.csv`: a latency model from recorded stamps.
 *
 * A tape gives the feed's latency by message rate; order legs are made from it as a * feed + b.
 * Recorded order stamps give both order legs themselves, in one band.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/mem.h"
#include "program/cli.h"
#include "program/latency_file.h"
#include "program/latency_fit.h"
#include "program/pipeline.h"

struct leg { /* what the report tells of a distribution */
    const char *name;
    uint32_t bands;
    struct latency_band band[LATENCY_BANDS_MAX];
    struct latency_distance held[LATENCY_BANDS_MAX]; /* second half against a fit of the first */
};

struct job {
    struct cli_args args;
    struct instrument inst;
    struct latency_survey survey;
    struct latency_rows rows;
    struct latency_fit fit;
    struct leg leg[2];
    size_t legs;
    double a[2], b_ms[2];
    uint32_t bands;
    bool tape;
};

/* ---- fit ---- */

/* The leg from samples in time order: first half -> KS on the second half, then all -> the fit. */
static void fit_leg(
    struct leg *l, const char *name, struct latency_sample *s, size_t n, uint32_t want) {
    struct latency_band first[LATENCY_BANDS_MAX];
    size_t half = n / 2;
    l->name = name;
    for (int k = 0; k < LATENCY_BANDS_MAX; k++) {
        l->held[k] = (struct latency_distance){NAN, NAN};
    }
    uint32_t bands = half > 0 ? latency_bands(s, half, want, first) : 0;
    for (uint32_t k = 0; k < bands; k++) {
        l->held[k] = latency_distance(s + half, n - half, first, bands, k);
    }
    l->bands = latency_bands(s, n, want, l->band);
}

static err_t fit_tape(struct job *k, struct err_info *e) {
    bool bars;
    const char *symbol = cli_value(&k->args, "symbol");
    double window_s;
    err_t code = cli_double(&k->args, "window", 1, 1e7, 60, &window_s, e);
    if (!code)
        code = pipeline_instrument(k->args.argv[0], symbol ? symbol : "", &k->inst, &bars, e);
    if (!code)
        code = latency_survey_tape(
            k->args.argv[0], k->inst.id, (int64_t)(window_s * 1e9), &k->survey, e);
    if (code) return code;
    fit_leg(&k->leg[0], "feed", k->survey.sample, k->survey.n, k->bands);
    k->legs = 1;
    for (int way = 0; way < 2; way++) {
        k->fit.bands[way] = k->leg[0].bands;
        latency_affine(
            k->leg[0].band, k->leg[0].bands, k->a[way], k->b_ms[way] * 1e6, k->fit.band[way]);
    }
    return ERR_OK;
}

static err_t fit_stamps(struct job *k, struct err_info *e) {
    err_t code = latency_rows_read(k->args.argv[0], false, &k->rows, e);
    if (code) return code;
    size_t n = k->rows.n_good;
    struct latency_sample *s = mem_alloc(n * sizeof *s);
    for (int way = 0; way < 2; way++) {
        for (size_t i = 0; i < n; i++) {
            const struct latency_row *r = &k->rows.by_req[i];
            s[i] = (struct latency_sample){
                .ns = way == WAY_ENTRY ? r->venue_ns - r->req_ns : r->resp_ns - r->venue_ns};
        }
        fit_leg(&k->leg[way], way == WAY_ENTRY ? "entry" : "response", s, n, 1);
        k->fit.bands[way] = k->leg[way].bands;
        memcpy(k->fit.band[way], k->leg[way].band, sizeof k->fit.band[way]);
    }
    k->legs = 2;
    free(s);
    return ERR_OK;
}

/* ---- report ---- */

static const int shown[] = {0, 5, 9, 13, 16, 17, 18}; /* min, p10, p50, p90, p99, p99.9, max */

static void print_leg(const struct leg *l) {
    printf("%s latency, ms, by messages a second:\n", l->name);
    printf("  %10s %9s %9s %9s %9s %9s %9s %9s %9s %8s %8s\n", "rate to", "samples", "min", "p10",
        "p50", "p90", "p99", "p99.9", "max", "KS table", "KS logn");
    for (uint32_t i = 0; i < l->bands; i++) {
        const struct latency_band *b = &l->band[i];
        printf("  %10.0f %9llu", b->rate_to, (unsigned long long)b->samples);
        for (size_t q = 0; q < sizeof shown / sizeof shown[0]; q++) {
            printf(" %9.3f", (double)b->q_ns[shown[q]] / 1e6);
        }
        printf(" %8.3f %8.3f\n", l->held[i].table, l->held[i].lognormal);
    }
}

static void print_report(const struct job *k, const char *to) {
    if (k->tape) {
        const struct clock_map *m = &k->survey.clock;
        printf("%s %s: %llu messages, every %llu. kept\n", venue_name(k->inst.venue),
            k->inst.symbol, (unsigned long long)k->survey.messages,
            (unsigned long long)k->survey.stride);
        printf("clock: our stamps less the venue's, fastest message: %.6f s in %zu window%s; "
               "range %.3f ms, drift %.3f ppm; %llu messages faster than the envelope\n",
            (double)m->knot[0].offset_ns / 1e9, m->n, m->n == 1 ? "" : "s",
            (double)clock_map_range(m) / 1e6, clock_map_drift_ppm(m),
            (unsigned long long)k->survey.clipped);
    } else {
        printf("%s: %zu orders, %zu rejected before the matching engine; clock offset %.6f s "
               "removed (half of the fastest ways' difference)\n",
            k->args.argv[0], k->rows.n, k->rows.n - k->rows.n_good,
            (double)k->rows.offset_ns / 1e9);
    }
    for (size_t i = 0; i < k->legs; i++) print_leg(&k->leg[i]);
    if (k->tape) {
        printf("order legs: entry = %g feed + %g ms, response = %g feed + %g ms (the base delay of "
               "the wire is in the clock offset and cannot be told from it)\n",
            k->a[0], k->b_ms[0], k->a[1], k->b_ms[1]);
    }
    printf("KS: distance of the second half of the data from a fit of the first half, and from a "
           "lognormal\n");
    if (to) printf("written to %s\n", to);
}

static void json_legs(const struct job *k, struct json_out *j) {
    json_key(j, "legs");
    json_array(j);
    for (size_t i = 0; i < k->legs; i++) {
        const struct leg *l = &k->leg[i];
        for (uint32_t b = 0; b < l->bands; b++) {
            json_object(j);
            json_kstr(j, "leg", l->name);
            json_kdouble(j, "rate_to", l->band[b].rate_to);
            json_key(j, "samples");
            json_uint(j, l->band[b].samples);
            json_kdouble(j, "ks_table", l->held[b].table);
            json_kdouble(j, "ks_lognormal", l->held[b].lognormal);
            json_key(j, "quantiles_ns");
            json_array(j);
            for (int q = 0; q < LATENCY_POINTS; q++) json_int(j, l->band[b].q_ns[q]);
            json_array_end(j);
            json_object_end(j);
        }
    }
    json_array_end(j);
}

static err_t print_json(const struct job *k, const char *to, struct err_info *e) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    if (k->tape) {
        json_kstr(&j, "symbol", k->inst.symbol);
        json_kint(&j, "messages", (int64_t)k->survey.messages);
        json_kint(&j, "clock_offset_ns", k->survey.clock.knot[0].offset_ns);
        json_kint(&j, "clock_windows", (int64_t)k->survey.clock.n);
        json_kint(&j, "clock_range_ns", clock_map_range(&k->survey.clock));
        json_kdouble(&j, "clock_drift_ppm", clock_map_drift_ppm(&k->survey.clock));
        json_kint(&j, "faster_than_envelope", (int64_t)k->survey.clipped);
    } else {
        json_kint(&j, "orders", (int64_t)k->rows.n);
        json_kint(&j, "rejected", (int64_t)(k->rows.n - k->rows.n_good));
        json_kint(&j, "clock_offset_ns", k->rows.offset_ns);
    }
    json_key(&j, "probabilities");
    json_array(&j);
    for (int q = 0; q < LATENCY_POINTS; q++) json_double(&j, latency_p[q]);
    json_array_end(&j);
    json_legs(k, &j);
    if (to) json_kstr(&j, "to", to);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

/* "A,B": latency = A * feed + B ms. */
static err_t affine(struct job *k, const char *name, int way, struct err_info *e) {
    static const double plain[2] = {2, 3}; /* as sim.entry_ms, sim.response_ms */
    const char *text = cli_value(&k->args, name);
    char *end;
    k->a[way] = 1;
    k->b_ms[way] = plain[way];
    if (!text) return ERR_OK;
    k->a[way] = strtod(text, &end);
    bool good = end != text && *end == ',';
    if (good) k->b_ms[way] = strtod(end + 1, &end);
    good = good && *end == 0 && k->a[way] >= 0 && k->a[way] <= 1000 && k->b_ms[way] >= 0 &&
           k->b_ms[way] <= 60000;
    if (good) return ERR_OK;
    return err_set(e, ERR_USAGE,
        "--%s %s: expected A,B with 0 <= A <= 1000 and 0 <= B <= 60000 (latency = A x feed + B "
        "ms)",
        name, text);
}

static err_t run_fit(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    int64_t bands = 0;
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (!code) code = cli_int(&k->args, "bands", 1, LATENCY_BANDS_MAX, 10, &bands, e);
    if (!code) code = affine(k, "entry", WAY_ENTRY, e);
    if (!code) code = affine(k, "response", WAY_RESPONSE, e);
    k->bands = (uint32_t)bands;
    const char *to = code ? NULL : cli_value(&k->args, "to");
    if (!code) {
        const char *name = k->args.argv[0], *dot = strrchr(name, '.');
        k->tape = !dot || strcmp(dot, ".csv") != 0;
        code = k->tape ? fit_tape(k, e) : fit_stamps(k, e);
    }
    if (!code && to) code = latency_fit_write(to, &k->fit, k->args.force, e);
    if (!code && k->args.json) {
        code = print_json(k, to, e);
    } else if (!code) {
        print_report(k, to);
    }
    latency_survey_free(&k->survey);
    latency_rows_free(&k->rows);
    free(k);
    return code;
}

const struct cli_verb cmd_latency_fit = {
    .name = "latency fit",
    .usage = "TAPE|STAMPS.csv [--to FILE.csv] [--entry A,B] [--response A,B]",
    .about = "fit a latency model: quantiles by message rate, clock offset and drift",
    .help = "  --to FILE.csv    write the model for sim.latency.file\n"
            "  --entry A,B      tape: latency to the venue = A x feed + B ms (default 1,2)\n"
            "  --response A,B   tape: latency back = A x feed + B ms (default 1,3)\n"
            "  --bands N        tape: at most N bands of message rate (default 10)\n"
            "  --window S       tape: one clock offset each S seconds (default 60)\n"
            "  --symbol NAME    tape: SYMBOL or VENUE:SYMBOL\n"
            "\n"
            "A file that ends in .csv holds recorded orders: req_ns,venue_ns,resp_ns.\n"
            "\n"
            "Example:\n"
            "  fathom latency fit my.tape --to latency.csv\n",
    .options = "to= entry= response= bands= window= symbol=",
    .args_min = 1,
    .args_max = 1,
    .run = run_fit,
};
