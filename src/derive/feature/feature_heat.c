/* feature_heat.c: the heat map of trades: volume by time and price over the last five minutes.
 *
 *   columns  30 slices of ten seconds of wall time, the last one up to the close
 *   rows     price bins of one basis point on a fixed grid: floor(1e4 ln price)
 *
 * A cell holds what was bought and what was sold. A slice that meets more than 64 bins (a jump of
 * more than 0.6 % within ten seconds, traded at every step) is not kept in part: the rows are
 * missing until it has left the window.
 */
#include "derive/feature/feature_internal.h"

enum heat_row {
    H_COM_BUY,
    H_COM_SELL,
    H_COM_GAP,
    H_AGE_BUY,
    H_AGE_SELL,
    H_ENTROPY,
    H_PEAK,
    H_CELLS,
    H_SWEEP_TIME,
    H_SWEEP_PRICE,
    H_DRIFT,
    H_ROWS
};

enum { SLICES = 30, CELLS = 64, WARM = 320 };
#define SLICE_NS (10 * NS_PER_S)
#define SLICE_S 10.0

#define SRC "source document S3 (price-time density of trades)"
#define FEW "before 300 s; no trade in the window; a slice of more than 64 bins"
#define ROW(N, U, ABOUT, MISS)                                                                     \
    FEATURE_ROW_APART(N, U, "s300", WARM, NEED_TRADE, "FEA9", SRC, ABOUT, MISS, CLOCK_TIME)

static const struct feature_def defs[H_ROWS] = {
    [H_COM_BUY] =
        ROW("heat_com_buy_s300", "bps", "1e4 (mean price of bought volume / reference price - 1)",
            FEW "; nothing bought; no price"),
    [H_COM_SELL] = ROW("heat_com_sell_s300", "bps",
        "1e4 (mean price of sold volume / reference price - 1)", FEW "; nothing sold; no price"),
    [H_COM_GAP] = ROW("heat_com_gap_s300", "bps",
        "1e4 (mean price of bought volume / that of sold volume - 1)", FEW "; one side empty"),
    [H_AGE_BUY] = ROW("heat_age_buy_s300", "s",
        "mean age of bought volume, in slices of 10 s before that of the close",
        FEW "; nothing bought"),
    [H_AGE_SELL] = ROW("heat_age_sell_s300", "s",
        "mean age of sold volume, in slices of 10 s before that of the close",
        FEW "; nothing sold"),
    [H_ENTROPY] = ROW("heat_entropy_s300", "nats",
        "- sum of p ln p over the cells, p = share of the volume in a slice and bin", FEW),
    [H_PEAK] = ROW("heat_peak_share_s300", "1", "volume of the largest cell / volume", FEW),
    [H_CELLS] = ROW("heat_cells_s300", "cells", "cells with trades", FEW),
    [H_SWEEP_TIME] = ROW("heat_sweep_time_s300", "1",
        "least-squares slope of (bought - sold) over the 30 slices / mean volume of a slice", FEW),
    [H_SWEEP_PRICE] = ROW("heat_sweep_price_s300", "1",
        "(bought - sold above the mean price - bought + sold below it) / volume, by bins; the bin "
        "of"
        " the mean counts for neither",
        FEW),
    [H_DRIFT] = ROW("heat_drift_s300", "bps/s",
        "slope of the slices' mean prices over time, by volume, in bps of the mean price",
        FEW "; all in one slice"),
};

struct heat_cell {
    int64_t bin, buy, sell; /* quantity units */
};

struct heat_slice {
    int64_t number; /* since 1970; of what it holds */
    int64_t buy, sell;
    int128 buy_value, sell_value; /* price units x quantity units */
    double log_sum;               /* sum of v ln v over the cells, when known */
    uint32_t n;
    bool full, logged;
    uint8_t pad[10];
    struct heat_cell cell[CELLS];
};

struct heat_state {
    int64_t first; /* slice in which the stream began */
    bool started;
    uint8_t pad[7];
    struct heat_slice slice[SLICES];
};

static size_t heat_state_size(void) { return sizeof(struct heat_state); }

static void heat_start(struct heat_state *s, int64_t ns) {
    if (s->started) return;
    s->started = true;
    s->first = ns / SLICE_NS;
    for (size_t i = 0; i < SLICES; i++) s->slice[i].number = -1;
}

static struct heat_slice *slice_at(struct heat_state *s, int64_t number) {
    struct heat_slice *p = &s->slice[(size_t)number % SLICES];
    if (p->number == number) return p;
    memset(p, 0, offsetof(struct heat_slice, cell));
    p->number = number;
    return p;
}

static void heat_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct heat_state *s = state;
    (void)change;
    heat_start(s, ev->ts_local.ns);
    if (!is_market_trade(ev)) return;
    struct heat_slice *p = slice_at(s, ev->ts_local.ns / SLICE_NS);
    int64_t q = ev->qty.lots, bin = (int64_t)floor(BPS * dm_log(instrument_px(ctx->inst, ev->px)));
    bool buy = ev->flags & EVF_BUY;
    uint32_t i = p->n;
    while (i > 0 && p->cell[i - 1].bin != bin) i--;
    if (i == 0) {
        p->full |= p->n == CELLS;
        if (p->full) return;
        p->cell[p->n++] = (struct heat_cell){bin, 0, 0};
        i = p->n;
    }
    struct heat_cell *c = &p->cell[i - 1];
    *(buy ? &c->buy : &c->sell) += q;
    *(buy ? &p->buy : &p->sell) += q;
    *(buy ? &p->buy_value : &p->sell_value) += (int128)ev->px.ticks * q;
    p->logged = false;
}

/* Sum of v ln v over the slice's cells; kept until the slice changes. */
static double slice_logs(struct heat_slice *p) {
    if (p->logged) return p->log_sum;
    p->log_sum = 0.0;
    for (uint32_t i = 0; i < p->n; i++) {
        double v = (double)(p->cell[i].buy + p->cell[i].sell);
        p->log_sum += v * dm_log(v);
    }
    p->logged = true;
    return p->log_sum;
}

/* Sums over the window. */
struct heat_sum {
    int64_t buy, sell, cells, peak;
    int128 buy_value, sell_value;
    double age[2], logs, net_time; /* ages: sell, buy; net_time: sum of net x (slice - middle) */
    bool full;
};

static void sum_slice(struct heat_sum *t, struct heat_slice *p, int64_t back) {
    t->full |= p->full;
    t->buy += p->buy;
    t->sell += p->sell;
    t->buy_value += p->buy_value;
    t->sell_value += p->sell_value;
    t->age[1] += (double)p->buy * (double)back;
    t->age[0] += (double)p->sell * (double)back;
    t->net_time += (double)(p->buy - p->sell) * (0.5 * (SLICES - 1) - (double)back);
    t->cells += p->n;
    t->logs += slice_logs(p);
    for (uint32_t i = 0; i < p->n; i++) {
        int64_t v = p->cell[i].buy + p->cell[i].sell;
        if (v > t->peak) t->peak = v;
    }
}

static double sweep_price(struct heat_state *s, int64_t now, double mean_px, double volume) {
    int64_t middle = (int64_t)floor(BPS * dm_log(mean_px)), net = 0;
    for (int64_t back = 0; back < SLICES; back++) {
        const struct heat_slice *p = slice_at(s, now - back);
        for (uint32_t i = 0; i < p->n; i++) {
            int64_t delta = p->cell[i].buy - p->cell[i].sell, bin = p->cell[i].bin;
            net += bin > middle ? delta : bin < middle ? -delta : 0;
        }
    }
    return (double)net / volume;
}

/* Slope of the slices' mean prices (relative to the mean of all) over time, weighted by volume. */
static double drift(struct heat_state *s, int64_t now, double mean_px, double volume) {
    double mean = 0.0, across = 0.0, square = 0.0;
    for (int64_t back = SLICES; back-- > 0;) {
        const struct heat_slice *p = slice_at(s, now - back);
        mean -= (double)(p->buy + p->sell) * (double)back * SLICE_S / volume;
    }
    for (int64_t back = SLICES; back-- > 0;) {
        const struct heat_slice *p = slice_at(s, now - back);
        double v = (double)(p->buy + p->sell), at = -(double)back * SLICE_S - mean;
        if (v == 0.0) continue;
        across += at * ((double)(p->buy_value + p->sell_value) / mean_px - v);
        square += at * at * v;
    }
    return BPS * ratio_of(across, square);
}

static void heat_report(struct heat_state *s, const struct heat_sum *t, int64_t now,
    const struct feature_ctx *ctx, double px, double *out) {
    double volume = (double)(t->buy + t->sell);
    double buy = ratio_of((double)t->buy_value, (double)t->buy);
    double sell = ratio_of((double)t->sell_value, (double)t->sell);
    double all = (double)(t->buy_value + t->sell_value) / volume;
    double squares = (double)SLICES * ((double)SLICES * SLICES - 1.0) / 12.0;
    out[H_COM_BUY] = bps_of(buy * ctx->px_unit, px);
    out[H_COM_SELL] = bps_of(sell * ctx->px_unit, px);
    out[H_COM_GAP] = bps_of(buy, sell);
    out[H_AGE_BUY] = SLICE_S * ratio_of(t->age[1], (double)t->buy);
    out[H_AGE_SELL] = SLICE_S * ratio_of(t->age[0], (double)t->sell);
    out[H_ENTROPY] = dm_log(volume) - t->logs / volume;
    out[H_PEAK] = (double)t->peak / volume;
    out[H_CELLS] = (double)t->cells;
    out[H_SWEEP_TIME] = t->net_time / squares / (volume / SLICES);
    out[H_SWEEP_PRICE] = sweep_price(s, now, all * ctx->px_unit, volume);
    out[H_DRIFT] = drift(s, now, all, volume);
}

static void heat_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct heat_state *s = state;
    int64_t now = bucket_last_ns(b) / SLICE_NS;
    struct heat_sum t;
    memset(&t, 0, sizeof t);
    heat_start(s, bucket_last_ns(b));
    for (size_t i = 0; i < H_ROWS; i++) out[i] = MISSING;
    if (now - SLICES < s->first) return;
    for (int64_t back = SLICES; back-- > 0;) sum_slice(&t, slice_at(s, now - back), back);
    if (!t.full && t.buy + t.sell > 0) heat_report(s, &t, now, ctx, view->px, out);
}

const struct feature_family feature_family_heat = {
    .name = "heat",
    .defs = defs,
    .count = H_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = heat_state_size,
    .on_event = heat_on_event,
    .on_bucket = heat_on_bucket,
};
