/* cmd_estimate.c: `fathom estimate NAME TABLE`: the textbook estimators behind the features, on a
 * table of one's own. What runs here is what the features and the tests call.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dmath.h"
#include "base/json_out.h"
#include "base/mem.h"
#include "derive/feature/dbscan.h"
#include "derive/feature/estimators.h"
#include "derive/feature/estimators_cross.h"
#include "derive/feature/garch.h"
#include "derive/feature/pin.h"
#include "program/cli.h"
#include "program/columns.h"

enum { FIGURES_MAX = 12 };

struct figure {
    const char *name;
    double value;
};

struct job {
    struct cli_args args;
    struct columns in;
    int64_t window, lags, least;
    double eps;
    struct figure figure[FIGURES_MAX];
    size_t figures;
};

static void figure(struct job *k, const char *name, double value) {
    k->figure[k->figures++] = (struct figure){name, value};
}

/* ---- over windows: last, mean and largest of all values that are numbers ---- */

struct over {
    double last, sum, most;
    size_t n;
};

static void over_take(struct over *o, double x) {
    if (isnan(x)) return;
    o->last = x;
    o->sum += x;
    o->most = o->n == 0 || x > o->most ? x : o->most;
    o->n++;
}

static void over_figures(struct job *k, const struct over *o) {
    bool any = o->n > 0;
    figure(k, "last", any ? o->last : (double)NAN);
    figure(k, "mean", any ? o->sum / (double)o->n : (double)NAN);
    figure(k, "max", any ? o->most : (double)NAN);
    figure(k, "windows", (double)o->n);
}

static double *difference_of(const double *x, size_t n, bool logs) {
    double *d = mem_alloc(n * sizeof *d);
    d[0] = (double)NAN;
    for (size_t i = 1; i < n; i++) d[i] = logs ? dm_log(x[i] / x[i - 1]) : x[i] - x[i - 1];
    return d;
}

/* Sign of each change; that of the last one before it where it is nil. */
static int8_t *signs_of(const double *change, size_t n) {
    int8_t *s = mem_alloc(n);
    for (size_t i = 1; i < n; i++) { s[i] = change[i] > 0.0 ? 1 : change[i] < 0.0 ? -1 : s[i - 1]; }
    return s;
}

static void run_roll(struct job *k) {
    struct over o = {0};
    size_t w = (size_t)k->window;
    double *d = difference_of(k->in.value[0], k->in.rows, false);
    for (size_t i = w + 1; i < k->in.rows; i++) {
        over_take(&o, 2.0 * sqrt(fabs(lag_covariance(&d[i - w], w + 1))));
    }
    over_figures(k, &o);
    free(d);
}

/* beta: mean over `window` pairs of bars; gamma: of the last pair. */
static void run_corwin_schultz(struct job *k) {
    struct over o = {0};
    const double *high = k->in.value[0], *low = k->in.value[1];
    size_t n = k->in.rows, w = (size_t)k->window;
    double *beta = mem_alloc(n * sizeof *beta);
    for (size_t i = 1; i < n; i++) {
        double now = dm_log(high[i] / low[i]), before = dm_log(high[i - 1] / low[i - 1]);
        double both = dm_log(fmax(high[i], high[i - 1]) / fmin(low[i], low[i - 1])), mean = 0.0;
        beta[i] = now * now + before * before;
        if (i < w) continue;
        for (size_t j = i + 1 - w; j <= i; j++) mean += beta[j] / (double)w;
        over_take(&o, corwin_schultz_spread(mean, both * both));
    }
    over_figures(k, &o);
    free(beta);
}

static void run_impact(struct job *k, bool kyle) {
    struct over o = {0};
    size_t w = (size_t)k->window;
    double *move = difference_of(k->in.value[0], k->in.rows, !kyle);
    int8_t *sign = signs_of(move, k->in.rows);
    for (size_t i = w; i < k->in.rows; i++) {
        size_t at = i + 1 - w;
        over_take(&o, kyle ? bar_kyle(&move[at], &k->in.value[1][at], &sign[at], w)
                           : bar_hasbrouck(&move[at], &k->in.value[1][at], &sign[at], w));
    }
    over_figures(k, &o);
    free(move);
    free(sign);
}

static void run_kyle(struct job *k) { run_impact(k, true); }
static void run_hasbrouck(struct job *k) { run_impact(k, false); }

static void run_amihud(struct job *k) {
    struct over o = {0};
    size_t w = (size_t)k->window;
    double *move = difference_of(k->in.value[0], k->in.rows, true);
    for (size_t i = w; i < k->in.rows; i++) {
        over_take(&o, bar_amihud(&move[i + 1 - w], &k->in.value[1][i + 1 - w], w));
    }
    over_figures(k, &o);
    free(move);
}

static double sample_deviation(const double *x, size_t n) {
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++) mean += x[i] / (double)n;
    for (size_t i = 0; i < n; i++) square += (x[i] - mean) * (x[i] - mean);
    return sqrt(square / (double)(n - 1));
}

/* Sigma over `window` changes, VPIN over `least` bars. */
static void run_vpin(struct job *k) {
    struct over o = {0};
    size_t w = (size_t)k->window, bars = (size_t)k->least;
    double *move = difference_of(k->in.value[0], k->in.rows, false);
    double *share = mem_alloc(k->in.rows * sizeof *share);
    for (size_t i = w; i < k->in.rows; i++) {
        share[i] = bulk_buy_share(move[i], sample_deviation(&move[i + 1 - w], w));
        if (i + 1 < w + bars) continue;
        over_take(&o, bulk_vpin(&share[i + 1 - bars], &k->in.value[1][i + 1 - bars], bars));
    }
    over_figures(k, &o);
    free(move);
    free(share);
}

/* ---- over the whole table ---- */

static void run_jumps(struct job *k) {
    size_t n = k->in.rows - 1;
    double *r = difference_of(k->in.value[0], k->in.rows, true), rv = 0.0;
    for (size_t i = 1; i <= n; i++) rv += r[i] * r[i];
    double statistic = lee_mykland(&r[1], n);
    figure(k, "realised_variance", rv);
    figure(k, "bipower_variance", bipower_variance(&r[1], n));
    figure(k, "med_rv", med_rv(&r[1], n));
    figure(k, "min_rv", min_rv(&r[1], n));
    figure(k, "jiang_oomen", jiang_oomen(k->in.value[0], k->in.rows));
    figure(k, "lee_mykland_last", statistic);
    figure(k, "lee_mykland_critical_1pct", lee_mykland_critical((double)n, 0.01));
    free(r);
}

static void run_garch(struct job *k) {
    struct garch g;
    if (!garch_fit(k->in.value[0], k->in.rows, &g)) return;
    figure(k, "mu", g.mu);
    figure(k, "omega", g.omega);
    figure(k, "alpha", g.alpha);
    figure(k, "beta", g.beta);
    figure(k, "log_likelihood", g.log_likelihood);
    figure(k, "next_variance", g.next_variance);
}

static void run_pin(struct job *k) {
    struct pin p;
    if (!pin_fit(k->in.value[0], k->in.value[1], k->in.rows, &p)) return;
    figure(k, "alpha", p.alpha);
    figure(k, "delta", p.delta);
    figure(k, "mu", p.mu);
    figure(k, "eps_buy", p.eps_buy);
    figure(k, "eps_sell", p.eps_sell);
    figure(k, "pin", p.pin);
    figure(k, "log_likelihood", p.log_likelihood);
}

static void run_granger(struct job *k) {
    struct granger g;
    if (!granger_test(k->in.value[0], k->in.value[1], k->in.rows, (size_t)k->lags, &g)) return;
    figure(k, "f", g.f);
    figure(k, "p", g.p);
    figure(k, "df_num", g.df_num);
    figure(k, "df_den", g.df_den);
}

static void run_information_share(struct job *k) {
    struct price_discovery d;
    if (!price_discovery_estimate(k->in.value[0], k->in.value[1], k->in.rows, (size_t)k->lags, &d))
        return;
    figure(k, "beta", d.beta);
    figure(k, "alpha_1", d.alpha[0]);
    figure(k, "alpha_2", d.alpha[1]);
    figure(k, "share_1_first", d.share_first);
    figure(k, "share_1_last", d.share_last);
    figure(k, "component_share_1", d.component);
}

static void run_dbscan(struct job *k) {
    size_t n = k->in.rows, noise = 0;
    double *x = mem_alloc(2 * n * sizeof *x);
    int32_t *label = mem_alloc(n * sizeof *label);
    uint32_t *scratch = mem_alloc(n * sizeof *scratch);
    for (size_t i = 0; i < n; i++) {
        x[2 * i] = k->in.value[0][i];
        x[2 * i + 1] = k->in.value[1][i];
    }
    size_t clusters = dbscan(x, n, 2, k->eps, (size_t)k->least, label, scratch);
    for (size_t i = 0; i < n; i++) noise += label[i] == DBSCAN_NOISE;
    figure(k, "clusters", (double)clusters);
    figure(k, "noise", (double)noise);
    free(x);
    free(label);
    free(scratch);
}

/* ---- the table ---- */

static const struct estimator {
    const char *name, *columns;
    size_t needs; /* columns */
    int64_t window, lags, least;
    void (*run)(struct job *k);
} estimators[] = {
    {"amihud", "price,value", 2, 20, 0, 0, run_amihud},
    {"corwin-schultz", "high,low", 2, 20, 0, 0, run_corwin_schultz},
    {"dbscan", "x,y", 2, 0, 0, 5, run_dbscan},
    {"garch", "return", 1, 0, 0, 0, run_garch},
    {"granger", "cause,effect", 2, 0, 1, 0, run_granger},
    {"hasbrouck", "price,value", 2, 20, 0, 0, run_hasbrouck},
    {"information-share", "price 1,price 2", 2, 0, 5, 0, run_information_share},
    {"jumps", "price", 1, 0, 0, 0, run_jumps},
    {"kyle", "price,volume", 2, 20, 0, 0, run_kyle},
    {"pin", "buys,sells", 2, 0, 0, 0, run_pin},
    {"roll", "price", 1, 20, 0, 0, run_roll},
    {"vpin", "price,volume", 2, 20, 0, 1, run_vpin},
};

enum { ESTIMATORS = sizeof estimators / sizeof estimators[0], ROWS_LEAST = 10 };

static err_t find(const char *name, const struct estimator **out, struct err_info *e) {
    const char *known[ESTIMATORS];
    for (size_t i = 0; i < ESTIMATORS; i++) {
        known[i] = estimators[i].name;
        if (strcmp(name, known[i]) != 0) continue;
        *out = &estimators[i];
        return ERR_OK;
    }
    const char *near = cli_nearest(name, known, ESTIMATORS);
    return err_set(e, ERR_USAGE, "no estimator %s%s%s (fathom estimate --help lists them)", name,
        near ? "; did you mean " : "", near ? near : "");
}

static err_t transform(struct job *k, struct err_info *e) {
    const char *how = cli_value(&k->args, "transform");
    if (!how) return ERR_OK;
    bool difference = strcmp(how, "difference") == 0;
    bool log_difference = strcmp(how, "log-difference") == 0, logs = strcmp(how, "log") == 0;
    if (!difference && !log_difference && !logs) {
        return err_set(
            e, ERR_USAGE, "--transform %s: log, difference or log-difference is wanted", how);
    }
    for (size_t c = 0; c < k->in.count; c++) {
        double *x = k->in.value[c];
        for (size_t i = 0; i < k->in.rows && (logs || log_difference); i++) {
            if (!(x[i] > 0.0)) {
                return err_set(e, ERR_INPUT,
                    "row %zu: %g has no logarithm: another --transform, or remove the row", i + 1,
                    x[i]);
            }
        }
        if (logs) {
            for (size_t i = 0; i < k->in.rows; i++) x[i] = dm_log(x[i]);
            continue;
        }
        double *d = difference_of(x, k->in.rows, log_difference);
        memcpy(x, d + 1, (k->in.rows - 1) * sizeof *x);
        free(d);
    }
    if (!logs) k->in.rows--;
    return ERR_OK;
}

static err_t options_of(struct job *k, const struct estimator *est, struct err_info *e) {
    err_t code = cli_int(&k->args, "window", est->run == run_corwin_schultz ? 1 : 3, 1000000,
        est->window, &k->window, e);
    if (!code) code = cli_int(&k->args, "lags", 1, CROSS_LAGS_MAX, est->lags, &k->lags, e);
    if (!code) code = cli_int(&k->args, "least", 1, 100000, est->least, &k->least, e);
    if (!code) code = cli_double(&k->args, "eps", 1e-300, 1e300, 1.0, &k->eps, e);
    return code;
}

static err_t print(const struct job *k, const struct estimator *est, struct err_info *e) {
    if (!k->args.json) {
        printf("%s of %zu rows of %s\n", est->name, k->in.rows, k->args.argv[1]);
        for (size_t i = 0; i < k->figures; i++) {
            printf("  %-26s %.12g\n", k->figure[i].name, k->figure[i].value);
        }
        return ERR_OK;
    }
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "estimator", est->name);
    json_kint(&j, "rows", (int64_t)k->in.rows);
    for (size_t i = 0; i < k->figures; i++) json_kdouble(&j, k->figure[i].name, k->figure[i].value);
    json_object_end(&j);
    err_t code = cli_print_json(&j, e);
    json_fini(&j);
    return code;
}

static err_t estimate(struct job *k, struct err_info *e) {
    const struct estimator *est = NULL;
    struct columns_spec spec = {
        .names = cli_value(&k->args, "columns"), .header = cli_flag(&k->args, "header")};
    err_t code = find(k->args.argv[0], &est, e);
    if (!code) code = options_of(k, est, e);
    if (!code) code = columns_read(k->args.argv[1], &spec, &k->in, e);
    if (!code && k->in.count != est->needs) {
        return err_set(e, ERR_USAGE, "%s takes %zu column%s: --columns %s", est->name, est->needs,
            est->needs > 1 ? "s" : "", est->columns);
    }
    if (!code) code = transform(k, e);
    if (code) return code;
    int64_t need = k->window + (est->window > 0 ? 2 : ROWS_LEAST);
    if ((int64_t)k->in.rows < need) {
        return err_set(e, ERR_INPUT, "%zu rows: %s needs at least %lld", k->in.rows, est->name,
            (long long)need);
    }
    est->run(k);
    if (k->figures == 0) {
        return err_set(e, ERR_INPUT,
            "%s found no answer: a column that never moves, columns that depend on each other, "
            "too few rows, or a limit of the method is reached",
            est->name);
    }
    return print(k, est, e);
}

static err_t run(const struct cli_verb *verb, int argc, char **argv, struct err_info *e) {
    struct job *k = mem_alloc(sizeof *k);
    err_t code = cli_parse(verb, argc, argv, &k->args, e);
    if (!code) code = estimate(k, e);
    columns_free(&k->in);
    free(k);
    return code;
}

const struct cli_verb cmd_estimate = {
    .name = "estimate",
    .usage = "NAME TABLE.csv[.gz] [--columns A,B] [--window N] [--transform HOW]",
    .about = "textbook estimators (GARCH, Granger, Roll, VPIN, jumps ...) on a table",
    .help =
        "  NAME              columns it takes, and its own options\n"
        "    amihud            price,value; --window bars (20)\n"
        "    corwin-schultz    high,low; --window pairs of bars of beta (20; 1: each pair)\n"
        "    dbscan            x,y; --eps radius, --least points (5)\n"
        "    garch             return: GARCH(1,1) with a constant mean\n"
        "    granger           cause,effect; --lags 1 to 8 (1)\n"
        "    hasbrouck         price,value; --window bars (20)\n"
        "    information-share price 1,price 2; --lags 1 to 8 (5)\n"
        "    jumps             price: bipower, MedRV, MinRV, Jiang-Oomen, Lee-Mykland\n"
        "    kyle              price,volume; --window bars (20)\n"
        "    pin               buys,sells of a day each: probability of informed trading\n"
        "    roll              price; --window changes (20)\n"
        "    vpin              price,volume of bars; --window changes of sigma (20),\n"
        "                      --least bars of the mean (1)\n"
        "  --columns A,B     names of the header or numbers from 1 (default: 1)\n"
        "  --header          the first line is a header even if it reads like numbers\n"
        "  --transform HOW   log, difference or log-difference of every column first\n"
        "  --window N, --lags N, --least N, --eps X\n"
        "\n"
        "Formulas and their sources: src/derive/feature/estimators.h, estimators_cross.h, "
        "garch.h, pin.h.\n"
        "\n"
        "Example:\n"
        "  fathom estimate granger macro.csv --columns realgdp,realcons --transform log-difference "
        "--lags 2\n",
    .options = "columns= header transform= window= lags= least= eps=",
    .args_min = 2,
    .args_max = 2,
    .run = run,
};
