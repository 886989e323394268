/* Closed bars of one, five and sixty minutes from the plain arrays, and which are known when. */
#include "feature_laws/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const int64_t widths[WORLD_WIDTHS] = {60 * NS_PER_S, 300 * NS_PER_S, 3600 * NS_PER_S};
static const char *const tags[WORLD_WIDTHS] = {"_m1_n", "_m5_n", "_h1_n"};

static void bars_push(struct world_bars *b, int64_t end, const double px[4], double volume) {
    double **columns[] = {&b->o, &b->h, &b->l, &b->c};
    if ((b->n & (b->n - 1)) == 0) {
        size_t cap = b->n ? 2 * b->n : 1;
        for (int i = 0; i < 4; i++) *columns[i] = realloc(*columns[i], cap * sizeof(double));
        b->v = realloc(b->v, cap * sizeof(double));
        b->end_ns = realloc(b->end_ns, cap * sizeof(int64_t));
        CHECK(b->o && b->h && b->l && b->c && b->v && b->end_ns);
    }
    for (int i = 0; i < 4; i++) (*columns[i])[b->n] = px[i];
    b->v[b->n] = volume;
    b->end_ns[b->n++] = end;
}

/* Bars that follow the one of the first trade, up to the last bucket's close. */
static void bars_of_trades(struct world *w, struct world_bars *b, int64_t width) {
    int64_t last_close = w->buckets ? w->bucket[w->buckets - 1].b.close_ts.ns : 0;
    int64_t from = w->trade[0].ns / width + 1;
    size_t t = 0;
    double last = NAN;
    for (int64_t bin = from - 1; (bin + 1) * width <= last_close; bin++) {
        double px[4] = {last, last, last, last}, volume = 0.0;
        for (size_t first = t; t < w->trades && w->trade[t].ns / width == bin; t++) {
            double p = (double)w->trade[t].px;
            px[0] = t == first ? p : px[0];
            px[1] = t == first ? p : fmax(px[1], p);
            px[2] = t == first ? p : fmin(px[2], p);
            px[3] = last = p;
            volume += (double)w->trade[t].lots;
        }
        if (bin >= from) bars_push(b, (bin + 1) * width, px, volume);
    }
}

/* A width's bar from the venue's bars that open in it; only whole ones. */
static void bars_of_klines(struct world *w, struct world_bars *b, int64_t width) {
    double last = NAN;
    if (width % (w->kline[0].end_ns - w->kline[0].open_ns) != 0) return;
    int64_t from = (w->kline[0].open_ns + width - 1) / width;
    size_t k = 0;
    int64_t end = w->kline[w->klines - 1].end_ns;
    for (int64_t bin = w->kline[0].open_ns / width; (bin + 1) * width <= end; bin++) {
        double px[4], volume = 0.0;
        bool traded = false;
        for (; k < w->klines && w->kline[k].open_ns / width == bin; k++) {
            const struct world_kline *x = &w->kline[k];
            if (isnan(last)) last = x->c;
            if (x->v == 0.0) continue;
            px[0] = traded ? px[0] : x->o;
            px[1] = traded ? fmax(px[1], x->h) : x->h;
            px[2] = traded ? fmin(px[2], x->l) : x->l;
            px[3] = last = x->c;
            volume += x->v;
            traded = true;
        }
        if (!traded) px[0] = px[1] = px[2] = px[3] = last;
        if (bin >= from) bars_push(b, (bin + 1) * width, px, volume);
    }
}

void world_bars_make(struct world *w) {
    for (int i = 0; i < WORLD_WIDTHS; i++) {
        if (w->trades)
            bars_of_trades(w, &w->bars[i], widths[i]);
        else if (w->klines)
            bars_of_klines(w, &w->bars[i], widths[i]);
    }
}

void world_bars_free(struct world *w) {
    for (int i = 0; i < WORLD_WIDTHS; i++) {
        struct world_bars *b = &w->bars[i];
        free(b->o);
        free(b->h);
        free(b->l);
        free(b->c);
        free(b->v);
        free(b->end_ns);
    }
}

/* Bars over at bucket k: by its close; of the venue's bars, by those that came before it. */
static size_t bars_known(const struct world *w, const struct world_bars *b, size_t k) {
    int64_t now = w->bucket[k].b.close_ts.ns;
    if (w->trades) {
        now = w->bucket[k].trades > 0 ? now : 0;
    } else {
        now = 0;
        for (size_t i = 0; i < w->klines && w->kline[i].bucket <= k; i++) now = w->kline[i].end_ns;
    }
    size_t n = 0;
    while (n < b->n && b->end_ns[n] <= now) n++;
    return n;
}

static const struct bar_row *row_of(const char *what, size_t len, int n) {
    const struct bar_row *tables[] = {naive_bar_trend, naive_bar_other, naive_bar_levels};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct bar_row *r = tables[t]; r->what; r++)
            if (strlen(r->what) == len && memcmp(r->what, what, len) == 0 && r->n == n) return r;
    return NULL;
}

bool naive_bar_value(const struct world *w, const char *name, size_t k, double *out) {
    for (int i = 0; i < WORLD_WIDTHS; i++) {
        const char *tag = strstr(name, tags[i]);
        if (!tag || strncmp(name, "ta_", 3) != 0) continue;
        const struct bar_row *r = row_of(name + 3, (size_t)(tag - name) - 3, atoi(tag + 5));
        if (!r) return false;
        const struct world_bars *b = &w->bars[i];
        size_t n = bars_known(w, b, k);
        struct bar_slice s = {b->o + n, b->h + n, b->l + n, b->c + n, b->v + n, r->need};
        *out = n >= (size_t)r->need ? r->fn(&s, r->n) : NAN;
        return true;
    }
    return false;
}

/* y[from + n - 1] = plain mean of n, then the new value has `weight`. Returns the last. */
double bar_ema(const double *x, int from, int n, double weight, double *y, int len) {
    double sum = 0.0;
    for (int i = from; i < from + n; i++) sum += x[i];
    y[from + n - 1] = sum / n;
    for (int i = from + n; i < len; i++) y[i] = weight * x[i] + (1.0 - weight) * y[i - 1];
    return y[len - 1];
}

/* Wilder's mean of true ranges, for all bars of the slice. */
void bar_atr(const struct bar_slice *s, int n, double *y) {
    double range[128] = {0};
    const double *h = s->h - s->n, *l = s->l - s->n, *c = s->c - s->n;
    for (int i = 1; i < s->n; i++)
        range[i] = fmax(h[i] - l[i], fmax(fabs(h[i] - c[i - 1]), fabs(l[i] - c[i - 1])));
    (void)bar_ema(range, 1, n, 1.0 / n, y, s->n);
}
