#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/study/stats.h"
#include "program/run.h"

/* Pairs of the same out-of-sample rows: latent, forecast, what came. */
struct pairs {
    size_t n, cap;
    double *latent, *score, *move;
};

static err_t pairs_room(struct pairs *p, size_t cap, struct err_info *e) {
    p->cap = cap;
    p->latent = calloc(cap + 1, sizeof(double));
    p->score = calloc(cap + 1, sizeof(double));
    p->move = calloc(cap + 1, sizeof(double));
    if (p->latent && p->score && p->move) return ERR_OK;
    return err_set(e, ERR_RESOURCE, "out of memory for %zu rows of the truth", cap);
}

static void pairs_free(struct pairs *p) {
    free(p->latent);
    free(p->score);
    free(p->move);
}

/* Both are sorted by time: one merge. */
static err_t match(
    FILE *f, const char *path, const struct study_result *s, struct pairs *p, struct err_info *e) {
    char line[256];
    size_t at = 0;
    if (!fgets(line, sizeof line, f) ||
        strncmp(line, "bucket_start_ns,bucket_end_ns,latent,", 37) != 0) {
        return err_set(e, ERR_INPUT, "%s: line 1: not a truth file of fathom generate", path);
    }
    for (size_t n = 2; fgets(line, sizeof line, f); n++) {
        long long from, to;
        double latent;
        if (sscanf(line, "%lld,%lld,%lf", &from, &to, &latent) != 3) {
            return err_set(e, ERR_INPUT, "%s: line %zu: expected three numbers", path, n);
        }
        while (at < s->predictions && s->prediction[at].close_ns < to) at++;
        if (at == s->predictions) break;
        const struct study_prediction *q = &s->prediction[at];
        if (q->close_ns != to || !isfinite(q->move) || !isfinite(q->score)) continue;
        p->latent[p->n] = latent;
        p->score[p->n] = q->score;
        p->move[p->n++] = q->move;
    }
    return ERR_OK;
}

static struct run_truth_row *row(struct run_doc *d, const char *what) {
    struct run_truth_row *r = &d->truth[d->truths++];
    snprintf(r->what, sizeof r->what, "%s", what);
    return r;
}

static void write_rows(struct run *run, const struct pairs *p) {
    struct run_doc *d = &run->doc;
    double planted = stats_pearson(p->latent, p->move, p->n);
    double found = stats_pearson(p->score, p->move, p->n);
    double seen = stats_pearson(p->score, p->latent, p->n);
    double error = 1 / sqrt((double)p->n);
    snprintf(d->truth_note, sizeof d->truth_note,
        "The generator wrote down what drove the price. Both columns are measured on the same %zu "
        "out-of-sample rows; one standard "
        "error of a correlation is about %.4f.",
        p->n, error);
    struct run_truth_row *r = row(d, "IC of the next bucket's return");
    snprintf(r->planted, sizeof r->planted, "%.4f", planted);
    snprintf(r->found, sizeof r->found, "%.4f", found);
    if (fabs(planted) < 3 * error) {
        snprintf(r->note, sizeof r->note, "%s",
            fabs(found) < 3 * error
                ? "Nothing was planted that reaches these rows, and nothing is claimed."
                : "Nothing was planted, yet the forecast correlates: look for a leak.");
        return;
    }
    snprintf(r->note, sizeof r->note,
        "planted = what a reader of the hidden driver could attain; %.1f %% of it was recovered.",
        100 * found / planted);
    r = row(d, "correlation of the forecast with the hidden driver");
    snprintf(r->planted, sizeof r->planted, "1");
    snprintf(r->found, sizeof r->found, "%.4f", seen);
    snprintf(r->note, sizeof r->note, "The model never saw the driver, only book and trades.");
}

err_t run_truth(struct run *run, struct err_info *e) {
    const char *path = config_string(run->cfg, "data.truth");
    if (!*path || !run->study.done) return ERR_OK;
    FILE *f = fopen(path, "re");
    if (!f) return err_set_errno(e, errno, "cannot read data.truth = %s", path);
    struct pairs p = {0};
    err_t code = pairs_room(&p, run->study.result.predictions, e);
    if (!code) code = match(f, path, &run->study.result, &p, e);
    fclose(f);
    if (!code && p.n < 30) {
        code = err_set(e, ERR_INPUT,
            "%s covers only %zu of the out-of-sample rows: is it the truth of this market?", path,
            p.n);
    }
    if (!code) write_rows(run, &p);
    pairs_free(&p);
    return code;
}
