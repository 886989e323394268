#include "base/check.h"
#include "base/dmath.h"
#include "derive/model/model.h"

static double isotonic(const struct calibration *c, double score) {
    CHECK(c->points > 0 && c->points <= sizeof c->x / sizeof c->x[0]);
    size_t n = c->points;
    if (!(score > c->x[0])) return c->y[0];
    if (score >= c->x[n - 1]) return c->y[n - 1];
    size_t lo = 0, hi = n - 1; /* x[lo] < score < x[hi] */
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        if (c->x[mid] <= score)
            lo = mid;
        else
            hi = mid;
    }
    double w = (score - c->x[lo]) / (c->x[hi] - c->x[lo]);
    return c->y[lo] + w * (c->y[hi] - c->y[lo]);
}

double calibration_apply(const struct calibration *c, double score) {
    switch ((enum calibration_kind)c->kind) {
    case CALIBRATION_NONE: return 1 / (1 + dm_exp(-score));
    case CALIBRATION_PLATT: return 1 / (1 + dm_exp(c->a * score + c->b));
    case CALIBRATION_ISOTONIC: return isotonic(c, score);
    }
    CHECK(c->kind <= CALIBRATION_ISOTONIC);
    return 0;
}
