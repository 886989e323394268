#include "capture/generate/hawkes.h"

#include <string.h>

#include "base/check.h"
#include "base/dmath.h"

static const double share[FLOW_KINDS] = {0.08, 0.08, 0.23, 0.23, 0.19, 0.19};

/* Rows cause, columns effect; both sides mirror each other. Every row sums to less than 1. */
static const double children[FLOW_KINDS][FLOW_KINDS] = {
    /*               buy   sell  lbid  lask  cbid  cask */
    /* market buy  */ {0.30, 0.05, 0.10, 0.15, 0.00, 0.10},
    /* market sell */ {0.05, 0.30, 0.15, 0.10, 0.10, 0.00},
    /* limit bid   */ {0.00, 0.00, 0.25, 0.00, 0.15, 0.00},
    /* limit ask   */ {0.00, 0.00, 0.00, 0.25, 0.00, 0.15},
    /* cancel bid  */ {0.00, 0.00, 0.25, 0.00, 0.20, 0.05},
    /* cancel ask  */ {0.00, 0.00, 0.00, 0.25, 0.05, 0.20},
};

double hawkes_share(enum flow_kind kind) { return share[kind]; }
double hawkes_children(enum flow_kind cause, enum flow_kind effect) {
    return children[cause][effect];
}

void hawkes_init(struct hawkes *h, double rate) {
    CHECK(rate > 0);
    memset(h, 0, sizeof *h);
    h->decay = 5;
    for (int j = 0; j < FLOW_KINDS; j++) {
        double own = share[j];
        for (int i = 0; i < FLOW_KINDS; i++) {
            own -= share[i] * children[i][j];
            h->excited[i] = rate * share[i] / h->decay; /* start in the long-run mean */
        }
        CHECK(own > 0);
        h->base[j] = rate * own;
    }
}

static double intensities(const struct hawkes *h, double out[FLOW_KINDS]) {
    double total = 0;
    for (int j = 0; j < FLOW_KINDS; j++) {
        double v = h->base[j];
        for (int i = 0; i < FLOW_KINDS; i++) v += h->decay * h->excited[i] * children[i][j];
        out[j] = v;
        total += v;
    }
    return total;
}

double hawkes_next(struct hawkes *h, struct rng *r, enum flow_kind *kind) {
    double waited = 0, now[FLOW_KINDS];
    double bound = intensities(h, now); /* intensities only fall until the next event */
    for (;;) {
        double step = rng_exp(r) / bound, fade = dm_exp(-h->decay * step);
        waited += step;
        for (int i = 0; i < FLOW_KINDS; i++) h->excited[i] *= fade;
        double total = intensities(h, now), at = rng_unit(r) * bound;
        for (int j = 0; j < FLOW_KINDS; j++) {
            if (at < now[j]) {
                h->excited[j] += 1;
                *kind = (enum flow_kind)j;
                return waited;
            }
            at -= now[j];
        }
        bound = total;
    }
}
