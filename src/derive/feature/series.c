/* series.c: sums, moments and line fits over short windows; every order of addition is fixed. */
#include "derive/feature/feature_internal.h"

bool series_window(const struct series *s, size_t w, double *out) {
    CHECK(w > 0 && w <= SERIES_MAX);
    if (s->n < w) return false;
    for (size_t i = 0; i < w; i++) out[i] = s->v[(s->n - w + i) & SERIES_MASK];
    return true;
}

double series_sum(const struct series *s, size_t w) {
    CHECK(w > 0 && w <= SERIES_MAX);
    if (s->n < w) return MISSING;
    double sum = 0.0;
    for (size_t i = 0; i < w; i++) sum += s->v[(s->n - w + i) & SERIES_MASK];
    return sum;
}

double series_mean(const struct series *s, size_t w) { return series_sum(s, w) / (double)w; }

struct moments moments_of(const double *x, size_t n) {
    CHECK(n > 0);
    struct moments m = {0};
    for (size_t i = 0; i < n; i++) m.mean += x[i];
    m.mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = x[i] - m.mean, d2 = d * d;
        m.m2 += d2;
        m.m3 += d2 * d;
        m.m4 += d2 * d2;
    }
    m.m2 /= (double)n;
    m.m3 /= (double)n;
    m.m4 /= (double)n;
    return m;
}

bool moments_flat(const struct moments *m) { return !(m->m2 > 1e-18 * m->mean * m->mean); }

double zscore_of(double x, const double *window, size_t n) {
    struct moments m = moments_of(window, n);
    return moments_flat(&m) ? MISSING : ratio_of(x - m.mean, sqrt(m.m2));
}

struct line_fit line_fit(const double *x, const double *y, size_t n) {
    CHECK(n > 1);
    struct line_fit fit = {MISSING, MISSING, MISSING};
    double mx = 0.0, my = 0.0, sxx = 0.0, sxy = 0.0, syy = 0.0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i];
        my += y[i];
    }
    mx /= (double)n;
    my /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mx, dy = y[i] - my;
        sxx += dx * dx;
        sxy += dx * dy;
        syy += dy * dy;
    }
    if (!(sxx > 1e-18 * (double)n * mx * mx) || isnan(sxy)) return fit;
    fit.slope = sxy / sxx;
    fit.intercept = my - fit.slope * mx;
    if (syy > 1e-18 * (double)n * my * my) fit.r2 = sxy * sxy / (sxx * syy);
    return fit;
}

double bucket_quote(const struct feature_ctx *ctx, const struct bucket *b) {
    double volume = (double)b->volume.lots * ctx->qty_unit;
    if (ctx->inst->kind == INSTRUMENT_INVERSE) return quote_value(ctx->inst, 0.0, volume);
    if (!b->value_known) return MISSING;
    return (double)bucket_value(b) * ctx->px_unit * ctx->qty_unit *
           ((double)ctx->inst->contract_e8 / 1e8);
}

void bins_roll(struct bins *b, int64_t ns, int64_t width_ns) {
    CHECK(width_ns > 0);
    int64_t bin = ns / width_ns;
    if (!b->started) {
        b->started = true;
        b->first = b->now = bin;
    }
    int64_t passed = bin - b->now < BINS_MAX ? bin - b->now : BINS_MAX;
    for (int64_t i = 0; i < passed; i++)
        for (size_t f = 0; f < BINS_FIELDS; f++) b->v[f][(size_t)(bin - i) % BINS_MAX] = 0;
    if (bin > b->now) b->now = bin;
}

void bins_add(struct bins *b, size_t field, int64_t x) {
    CHECK(field < BINS_FIELDS && b->started);
    b->v[field][(size_t)b->now % BINS_MAX] += x;
}

double bins_sum(const struct bins *b, size_t field, size_t w) {
    CHECK(field < BINS_FIELDS && w <= BINS_MAX);
    if (!b->started || b->now - b->first < (int64_t)w) return MISSING;
    int64_t sum = 0;
    for (size_t i = 0; i < w; i++) sum += b->v[field][((size_t)b->now - i) % BINS_MAX];
    return (double)sum;
}
