/* feature_rv.c: realised variance and its parts, jumps, and range estimators. In bps and bps^2. */
#include "derive/feature/estimators.h"
#include "derive/feature/feature_internal.h"

enum rv_row {
    V_VAR_B5,
    V_VAR_B20,
    V_VAR_B60,
    V_VOL_B20,
    V_VOL_B60,
    V_BIPOWER_B60,
    V_MEDRV_B60,
    V_MINRV_B60,
    V_SEMI_UP_B60,
    V_SEMI_DOWN_B60,
    V_SEMI_BALANCE_B60,
    V_JUMP_B60,
    V_JUMP_RATIO_B60,
    V_LEE_MYKLAND_B60,
    V_LM_COUNT_B60,
    V_VOLVOL_B20,
    V_TERM_RATIO,
    V_PARKINSON_B20,
    V_GARMAN_KLASS_B20,
    V_ROGERS_SATCHELL_B20,
    V_ROWS
};

#define ROW(NAME, UNIT, W, WARM, SOURCE, ABOUT, GONE)                                              \
    FEATURE_ROW(NAME, UNIT, W, WARM, NEED_DEPTH, true, "FEA7", SOURCE, ABOUT, GONE)
#define RANGE_ROW(NAME, SOURCE, ABOUT)                                                             \
    FEATURE_ROW(NAME, "bps", "b20", 21, NEED_TRADE, true, "FEA7", SOURCE, ABOUT,                   \
        "before 20 buckets; no trade in any of them")
#define RV_SRC "Andersen, Bollerslev, Diebold, Labys 2003"
#define GONE_RET "a return in the window is missing; before it is full"

static const struct feature_def defs[V_ROWS] = {
    [V_VAR_B5] =
        ROW("rv_var_b5", "bps^2", "b5", 7, RV_SRC, "sum of squared returns of 5 buckets", GONE_RET),
    [V_VAR_B20] = ROW(
        "rv_var_b20", "bps^2", "b20", 22, RV_SRC, "sum of squared returns of 20 buckets", GONE_RET),
    [V_VAR_B60] = ROW(
        "rv_var_b60", "bps^2", "b60", 62, RV_SRC, "sum of squared returns of 60 buckets", GONE_RET),
    [V_VOL_B20] = ROW("rv_vol_b20", "bps", "b20", 22, RV_SRC,
        "sqrt(mean squared return) over 20 buckets", GONE_RET),
    [V_VOL_B60] = ROW("rv_vol_b60", "bps", "b60", 62, RV_SRC,
        "sqrt(mean squared return) over 60 buckets", GONE_RET),
    [V_BIPOWER_B60] = ROW("rv_bipower_b60", "bps^2", "b60", 62, "Barndorff-Nielsen, Shephard 2004",
        "pi/2 n/(n-1) sum |r_t||r_t-1|, n 60", GONE_RET),
    [V_MEDRV_B60] = ROW("rv_medrv_b60", "bps^2", "b60", 62, "Andersen, Dobrev, Schaumburg 2012",
        "pi/(6 - 4 sqrt 3 + pi) n/(n-2) sum of squared medians of three, n 60", GONE_RET),
    [V_MINRV_B60] = ROW("rv_minrv_b60", "bps^2", "b60", 62, "Andersen, Dobrev, Schaumburg 2012",
        "pi/(pi - 2) n/(n-1) sum of squared minima of two, n 60", GONE_RET),
    [V_SEMI_UP_B60] =
        ROW("rv_semi_up_b60", "bps^2", "b60", 62, "Barndorff-Nielsen, Kinnebrock, Shephard 2010",
            "sum of squared positive returns", GONE_RET),
    [V_SEMI_DOWN_B60] =
        ROW("rv_semi_down_b60", "bps^2", "b60", 62, "Barndorff-Nielsen, Kinnebrock, Shephard 2010",
            "sum of squared negative returns", GONE_RET),
    [V_SEMI_BALANCE_B60] =
        ROW("rv_semi_balance_b60", "1", "b60", 62, "Barndorff-Nielsen, Kinnebrock, Shephard 2010",
            "(up - down) / (up + down) semivariance", GONE_RET "; no move"),
    [V_JUMP_B60] = ROW("rv_jump_b60", "bps^2", "b60", 62, "Barndorff-Nielsen, Shephard 2004",
        "max(realised variance - bipower variance, 0)", GONE_RET),
    [V_JUMP_RATIO_B60] = ROW("rv_jump_ratio_b60", "1", "b60", 62,
        "Barndorff-Nielsen, Shephard 2004", "jump part / realised variance", GONE_RET "; no move"),
    [V_LEE_MYKLAND_B60] = ROW("rv_lee_mykland_b60", "1", "b60", 62, "Lee, Mykland 2008, eq. 7",
        "last return / sqrt(pi/2 mean |r_j||r_j-1|) over the returns before it, K 60",
        GONE_RET "; no move before"),
    [V_LM_COUNT_B60] = ROW("rv_lee_mykland_count_b60", "buckets", "b60", 122, "Lee, Mykland 2008",
        "buckets of 60 whose |statistic| passes the 1 % critical value of n 60",
        "a statistic in the window is missing"),
    [V_VOLVOL_B20] = ROW("rv_volvol_b20", "bps", "b20", 27, "definition",
        "population standard deviation of 20 values of sqrt(mean squared return of 5 buckets)",
        GONE_RET),
    [V_TERM_RATIO] = ROW("rv_term_ratio_b5_b60", "1", "b60", 62, "Corsi 2009 (HAR horizons)",
        "mean squared return of 5 buckets / of 60 buckets", GONE_RET "; no move"),
    [V_PARKINSON_B20] = RANGE_ROW("rv_parkinson_b20", "Parkinson 1980",
        "1e4 sqrt(mean ln(H/L)^2 / (4 ln 2)) over buckets with trades"),
    [V_GARMAN_KLASS_B20] = RANGE_ROW("rv_garman_klass_b20", "Garman, Klass 1980",
        "1e4 sqrt(mean ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2) over buckets with trades"),
    [V_ROGERS_SATCHELL_B20] = RANGE_ROW("rv_rogers_satchell_b20", "Rogers, Satchell 1991",
        "1e4 sqrt(mean ln(H/C) ln(H/O) + ln(L/C) ln(L/O)) over buckets with trades"),
};

struct rv_state {
    double critical;
    struct series ret, vol5, beyond;
    struct series traded, parkinson, garman_klass, rogers_satchell; /* 0 without trades */
};

static size_t rv_state_size(void) { return sizeof(struct rv_state); }

static void rv_init(void *state, const struct feature_ctx *ctx) {
    struct rv_state *s = state;
    (void)ctx;
    s->critical = lee_mykland_critical(60.0, 0.01);
}

static double sum_squares(const double *r, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += r[i] * r[i];
    return sum;
}

static void rv_parts(const double *r, double *out) {
    double up = 0.0, down = 0.0, all = sum_squares(r, 60);
    for (size_t i = 0; i < 60; i++) {
        if (r[i] > 0.0)
            up += r[i] * r[i];
        else
            down += r[i] * r[i];
    }
    double bipower = bipower_variance(r, 60), jump = all - bipower > 0.0 ? all - bipower : 0.0;
    if (isnan(all)) return;
    out[V_VAR_B60] = all;
    out[V_VOL_B60] = sqrt(all / 60.0);
    out[V_BIPOWER_B60] = bipower;
    out[V_MEDRV_B60] = med_rv(r, 60);
    out[V_MINRV_B60] = min_rv(r, 60);
    out[V_SEMI_UP_B60] = up;
    out[V_SEMI_DOWN_B60] = down;
    out[V_SEMI_BALANCE_B60] = ratio_of(up - down, up + down);
    out[V_JUMP_B60] = jump;
    out[V_JUMP_RATIO_B60] = ratio_of(jump, all);
    out[V_LEE_MYKLAND_B60] = lee_mykland(r, 60);
}

static void rv_returns(struct rv_state *s, double *out) {
    double r[SERIES_MAX];
    if (series_window(&s->ret, 5, r)) out[V_VAR_B5] = sum_squares(r, 5);
    if (series_window(&s->ret, 20, r)) out[V_VAR_B20] = sum_squares(r, 20);
    if (series_window(&s->ret, 60, r)) rv_parts(r, out);
    out[V_VOL_B20] = sqrt(out[V_VAR_B20] / 20.0);
    out[V_TERM_RATIO] = ratio_of(out[V_VAR_B5] / 5.0, out[V_VAR_B60] / 60.0);
    series_push(&s->vol5, sqrt(out[V_VAR_B5] / 5.0));
    if (series_window(&s->vol5, 20, r)) out[V_VOLVOL_B20] = sqrt(moments_of(r, 20).m2);
    double lm = out[V_LEE_MYKLAND_B60];
    series_push(&s->beyond, isnan(lm) ? MISSING : fabs(lm) > s->critical ? 1.0 : 0.0);
    out[V_LM_COUNT_B60] = series_sum(&s->beyond, 60);
}

static void rv_ranges(struct rv_state *s, const struct bucket *b, double *out) {
    double o = (double)b->open.ticks, h = (double)b->high.ticks, l = (double)b->low.ticks;
    double c = (double)b->close.ticks;
    bool traded = l > 0.0 && o > 0.0 && c > 0.0;
    series_push(&s->traded, traded ? 1.0 : 0.0);
    series_push(&s->parkinson, traded ? parkinson(h, l) : 0.0);
    series_push(&s->garman_klass, traded ? garman_klass(o, h, l, c) : 0.0);
    series_push(&s->rogers_satchell, traded ? rogers_satchell(o, h, l, c) : 0.0);
    double n = series_sum(&s->traded, 20);
    double rs = series_sum(&s->rogers_satchell, 20); /* >= 0 but for rounding */
    out[V_PARKINSON_B20] = BPS * sqrt(ratio_of(series_sum(&s->parkinson, 20), n));
    out[V_GARMAN_KLASS_B20] = BPS * sqrt(ratio_of(series_sum(&s->garman_klass, 20), n));
    out[V_ROGERS_SATCHELL_B20] = BPS * sqrt(ratio_of(rs > 0.0 ? rs : 0.0 * rs, n));
}

static void rv_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct rv_state *s = state;
    (void)ctx;
    for (size_t i = 0; i < V_ROWS; i++) out[i] = MISSING;
    series_push(&s->ret, view->ret);
    rv_returns(s, out);
    rv_ranges(s, b, out);
}

const struct feature_family feature_family_rv = {
    .name = "rv",
    .defs = defs,
    .count = V_ROWS,
    .state_size = rv_state_size,
    .init = rv_init,
    .on_bucket = rv_on_bucket,
};
