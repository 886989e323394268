/* feature_ta_internal.h: indicators on closed bars of one, five and sixty minutes.
 *
 *   trades or closed bars -> frame (m1, m5, h1) -> the last TA_BARS bars -> ta_trend, ta_momentum,
 *   ta_range, ta_volume, ta_levels -> one value an indicator, held until the next bar closes
 *
 * Units      prices in price units, volumes in quantity units, both whole numbers in doubles, so
 *            that comparisons are exact; results are ratios.
 * Time       a bar is [k x width, (k + 1) x width) of local time (venue's open time for bars that
 *            come from the venue) and is used once it is over.
 * Invariant  a value is a function of the last TA_BARS closed bars, computed afresh at each close:
 *            averages that never forget are begun anew at the oldest bar. So no drift, no
 *            dependence on where the stream began, the same bits from any saved state.
 * Limits     TA_BARS bars a frame; NaN stands in front until there are so many.
 * Why        path-dependent indicators (parabolic, SuperTrend) forget their start at no known
 *            rate, so a decay cannot be declared for them. A hundred and twenty bars cost some
 *            microseconds a closed bar, once a minute.
 */
#ifndef FATHOM_DERIVE_FEATURE_TA_INTERNAL_H
#define FATHOM_DERIVE_FEATURE_TA_INTERNAL_H

#include "derive/feature/feature_internal.h"

enum { TA_BARS = 120 };

struct ta_window { /* oldest first; the newest is [TA_BARS - 1] */
    double open[TA_BARS], high[TA_BARS], low[TA_BARS], close[TA_BARS], volume[TA_BARS];
    double ret[TA_BARS]; /* 1e4 ln(close / close before) */
};

#define TA_GONE "before its bars are closed"
#define TA_WELLES "Wilder 1978"
#define TA_EMA_RULE "exponential average, alpha 2/(n+1), begun with a mean of n"

/* X(ID, what, n, unit, bars needed, source, about, missing). Where 120 bars are needed the
 * recursion begins at the oldest of them. */
#define TA_TREND(X)                                                                                \
    X(SMA_DIST, "sma_dist", 20, "bps", 20, "simple moving average",                                \
        "1e4 (close / mean of 20 closes - 1)", TA_GONE)                                            \
    X(SMA_SLOPE, "sma_slope", 20, "bps/bar", 21, "simple moving average",                          \
        "1e4 (mean of 20 closes / that mean a bar before - 1)", TA_GONE)                           \
    X(EMA_DIST, "ema_dist", 20, "bps", 120, TA_EMA_RULE, "1e4 (close / EMA of 20 - 1)", TA_GONE)   \
    X(EMA_SLOPE, "ema_slope", 20, "bps/bar", 120, TA_EMA_RULE,                                     \
        "1e4 (EMA of 20 / EMA a bar before - 1)", TA_GONE)                                         \
    X(WMA_DIST, "wma_dist", 20, "bps", 20, "linearly weighted average",                            \
        "1e4 (close / mean of 20 closes weighted 1..20 - 1)", TA_GONE)                             \
    X(DEMA_DIST, "dema_dist", 20, "bps", 120, "Mulloy 1994",                                       \
        "1e4 (close / (2 EMA - EMA of EMA) - 1), n 20", TA_GONE)                                   \
    X(TEMA_DIST, "tema_dist", 20, "bps", 120, "Mulloy 1994",                                       \
        "1e4 (close / (3 EMA - 3 EMA of EMA + EMA of EMA of EMA) - 1), n 20", TA_GONE)             \
    X(KAMA_DIST, "kama_dist", 10, "bps", 120, "Kaufman 1995",                                      \
        "1e4 (close / adaptive average - 1): efficiency ratio of 10, constants 2 and 30", TA_GONE) \
    X(KAMA_SLOPE, "kama_slope", 10, "bps/bar", 120, "Kaufman 1995",                                \
        "1e4 (adaptive average / that a bar before - 1)", TA_GONE)                                 \
    X(HMA_DIST, "hma_dist", 16, "bps", 19, "Hull 2005",                                            \
        "1e4 (close / HMA - 1), HMA = WMA of 4 of (2 WMA of 8 - WMA of 16)", TA_GONE)              \
    X(HMA_SLOPE, "hma_slope", 16, "bps/bar", 20, "Hull 2005", "1e4 (HMA / HMA a bar before - 1)",  \
        TA_GONE)                                                                                   \
    X(MACD, "macd", 26, "bps", 120, "Appel 1979", "1e4 (EMA of 12 - EMA of 26) / close", TA_GONE)  \
    X(MACD_SIGNAL, "macd_signal", 26, "bps", 120, "Appel 1979",                                    \
        "1e4 EMA of 9 of (EMA of 12 - EMA of 26) / close", TA_GONE)                                \
    X(MACD_HIST, "macd_hist", 26, "bps", 120, "Appel 1979",                                        \
        "1e4 (EMA of 12 - EMA of 26 - their EMA of 9) / close", TA_GONE)                           \
    X(ADX, "adx", 14, "1", 120, TA_WELLES,                                                         \
        "Wilder mean of 14 of 100 abs(DI+ - DI-) / (DI+ + DI-)", TA_GONE "; no range")             \
    X(DI_PLUS, "di_plus", 14, "1", 120, TA_WELLES,                                                 \
        "100 smoothed rise of the high / smoothed true range, 14 bars", TA_GONE "; no range")      \
    X(DI_MINUS, "di_minus", 14, "1", 120, TA_WELLES,                                               \
        "100 smoothed fall of the low / smoothed true range, 14 bars", TA_GONE "; no range")       \
    X(AROON_UP, "aroon_up", 25, "1", 26, "Chande 1995",                                            \
        "100 (25 - bars since the highest high of 26) / 25, the latest of equals", TA_GONE)        \
    X(AROON_DOWN, "aroon_down", 25, "1", 26, "Chande 1995",                                        \
        "100 (25 - bars since the lowest low of 26) / 25, the latest of equals", TA_GONE)          \
    X(TRIX, "trix", 15, "bps/bar", 120, "Hutson 1983",                                             \
        "1e4 x relative change of the EMA of EMA of EMA, n 15", TA_GONE)                           \
    X(SUPERTREND, "supertrend_dist", 10, "bps", 120, "Seban: SuperTrend",                          \
        "1e4 (close / line - 1); line = middle -/+ 3 ATR of 10, trailing; > 0 in a rise", TA_GONE) \
    X(PSAR, "psar_dist", 1, "bps", 120, TA_WELLES,                                                 \
        "1e4 (close / parabolic stop - 1), steps of 0.02 up to 0.2; > 0 in a rise", TA_GONE)       \
    X(TENKAN, "ichimoku_tenkan_dist", 9, "bps", 9, "Hosoda 1969",                                  \
        "1e4 (close / middle of 9 bars' range - 1)", TA_GONE)                                      \
    X(KIJUN, "ichimoku_kijun_dist", 26, "bps", 26, "Hosoda 1969",                                  \
        "1e4 (close / middle of 26 bars' range - 1)", TA_GONE)                                     \
    X(CLOUD, "ichimoku_cloud_dist", 52, "bps", 78, "Hosoda 1969",                                  \
        "1e4 (close / nearest edge of the cloud - 1), 0 inside; the cloud is that of 26 bars ago", \
        TA_GONE)                                                                                   \
    X(LINE_SLOPE, "trend_slope", 20, "bps/bar", 20, "least squares",                               \
        "1e4 x slope of 20 closes over their number / their mean", TA_GONE)                        \
    X(LINE_R2, "trend_r2", 20, "1", 20, "least squares",                                           \
        "share of the variance of 20 closes that a line explains", TA_GONE "; all equal")          \
    X(HURST, "trend_hurst", 64, "1", 64, "Di Matteo 2007, generalised exponent with q = 1",        \
        "slope of ln mean abs(change over k bars) over ln k, k = 1 2 4 8 16, 64 closes",           \
        TA_GONE "; no change over some k")

#define TA_MOMENTUM(X)                                                                             \
    X(RSI, "rsi", 14, "1", 120, TA_WELLES,                                                         \
        "100 mean gain / (mean gain + mean loss), Wilder means of 14", TA_GONE "; no move")        \
    X(RSI_STOCH, "rsi_stoch", 14, "1", 120, "Chande, Kroll 1994",                                  \
        "100 (RSI - least) / (greatest - least RSI), 14 bars", TA_GONE "; range below 1e-9")       \
    X(STOCH_K, "stoch_k", 14, "1", 14, "Lane 1984",                                                \
        "100 (close - lowest low) / (highest high - lowest low), 14 bars", TA_GONE "; no range")   \
    X(STOCH_D, "stoch_d", 14, "1", 16, "Lane 1984", "mean of 3 values of stoch_k",                 \
        TA_GONE "; no range")                                                                      \
    X(WILLIAMS, "williams_r", 14, "1", 14, "Williams 1979",                                        \
        "-100 (highest high - close) / (highest high - lowest low), 14 bars",                      \
        TA_GONE "; no range")                                                                      \
    X(CCI, "cci", 20, "1", 20, "Lambert 1980",                                                     \
        "(typical price - mean of 20) / (0.015 mean absolute deviation)", TA_GONE "; no range")    \
    X(ROC, "roc", 10, "bps", 11, "rate of change", "1e4 (close / close 10 bars ago - 1)", TA_GONE) \
    X(CMO, "cmo", 14, "1", 15, "Chande, Kroll 1994",                                               \
        "100 (rises - falls) / (rises + falls) of 14 closes", TA_GONE "; no move")                 \
    X(ULTIMATE, "ultimate", 28, "1", 29, "Williams 1985",                                          \
        "100 (4 a7 + 2 a14 + a28) / 7, a = sum of (close - true low) / sum of true ranges",        \
        TA_GONE "; no range")                                                                      \
    X(RSI_DIV, "rsi_divergence", 20, "1", 120, "definition",                                       \
        "place of the close in the range of 20 closes - place of RSI 14 in that of its 20 values", \
        TA_GONE "; no range")

#define TA_RANGE(X)                                                                                \
    X(NATR, "natr", 14, "bps", 120, TA_WELLES, "1e4 Wilder mean of 14 true ranges / close",        \
        TA_GONE)                                                                                   \
    X(BOLL_POS, "bollinger_position", 20, "1", 20, "Bollinger 2001",                               \
        "(close - mean of 20) / (2 standard deviations)", TA_GONE "; all equal")                   \
    X(BOLL_WIDTH, "bollinger_width", 20, "bps", 20, "Bollinger 2001",                              \
        "1e4 x 4 standard deviations / mean of 20 closes", TA_GONE)                                \
    X(KELT_POS, "keltner_position", 20, "1", 120, "Keltner 1960, by Raschke",                      \
        "(close - EMA of 20) / (2 ATR of 10)", TA_GONE "; no range")                               \
    X(KELT_WIDTH, "keltner_width", 20, "bps", 120, "Keltner 1960, by Raschke",                     \
        "1e4 x 4 ATR of 10 / EMA of 20", TA_GONE)                                                  \
    X(DONCH_POS, "donchian_position", 20, "1", 20, "Donchian channel",                             \
        "(close - lowest low) / (highest high - lowest low), 20 bars", TA_GONE "; no range")       \
    X(DONCH_WIDTH, "donchian_width", 20, "bps", 20, "Donchian channel",                            \
        "1e4 (highest high - lowest low) / their middle, 20 bars", TA_GONE)                        \
    X(GARCH, "garch_vol", 119, "bps", 120, "Bollerslev 1986; variance targeting",                  \
        "forecast of the next bar's deviation: h = 0.05 v + 0.1 r^2 + 0.85 h, v = mean r^2 of "    \
        "119 log returns, from h = v",                                                             \
        TA_GONE)                                                                                   \
    X(BODY, "candle_body", 1, "1", 1, "definition", "(close - open) / (high - low)",               \
        TA_GONE "; no range")                                                                      \
    X(UPPER, "candle_upper", 1, "1", 1, "definition",                                              \
        "(high - greater of open and close) / (high - low)", TA_GONE "; no range")                 \
    X(LOWER, "candle_lower", 1, "1", 1, "definition",                                              \
        "(lesser of open and close - low) / (high - low)", TA_GONE "; no range")                   \
    X(STREAK, "candle_streak", 20, "bars", 21, "definition",                                       \
        "closes in a row that rose (> 0) or fell (< 0), 20 at most", TA_GONE)

#define TA_VOLUME(X)                                                                               \
    X(OBV_SLOPE, "obv_slope", 20, "1/bar", 21, "Granville 1963",                                   \
        "slope of on-balance volume over 20 bars / mean volume", TA_GONE "; no volume")            \
    X(AD_SLOPE, "ad_slope", 20, "1/bar", 20, "Chaikin",                                            \
        "slope of accumulation/distribution over 20 bars / mean volume", TA_GONE "; no volume")    \
    X(AD_OSC, "ad_oscillator", 10, "1", 120, "Chaikin",                                            \
        "(EMA of 3 - EMA of 10 of accumulation/distribution) / mean volume of 20",                 \
        TA_GONE "; no volume")                                                                     \
    X(CMF, "cmf", 20, "1", 20, "Chaikin",                                                          \
        "sum of volume x (2 close - high - low) / (high - low) / sum of volume, 20 bars",          \
        TA_GONE "; no volume")                                                                     \
    X(MFI, "mfi", 14, "1", 15, "Quong, Soudack 1989",                                              \
        "100 x volume x typical price on rises / that on rises and falls, 14 bars",                \
        TA_GONE "; no volume on a move")                                                           \
    X(VWAP_DIST, "vwap_dist", 20, "bps", 20, "volume-weighted mean",                               \
        "1e4 (close / volume-weighted typical price of 20 bars - 1)", TA_GONE "; no volume")       \
    X(VWAP_POS, "vwap_position", 20, "1", 20, "volume-weighted mean",                              \
        "(close - VWAP) / (2 volume-weighted deviations), 20 bars",                                \
        TA_GONE "; no volume; deviation below 1e-9 of the price")                                  \
    X(VWAP_WIDTH, "vwap_width", 20, "bps", 20, "volume-weighted mean",                             \
        "1e4 x 4 volume-weighted deviations / VWAP, 20 bars (below 1e-9 of the price: 0)",         \
        TA_GONE "; no volume")                                                                     \
    X(FORCE, "force", 13, "bps", 120, "Elder 1993",                                                \
        "1e4 EMA of 13 of (change x volume) / (close x mean volume of 20)", TA_GONE "; no volume") \
    X(EMV, "ease_of_movement", 14, "bps", 15, "Arms 1996, made a ratio",                           \
        "mean of 14 of 1e4 x change of middle / close x (range / mean range) / "                   \
        "(volume / mean volume), 0 for a bar without volume",                                      \
        TA_GONE "; no range")                                                                      \
    X(OBV_DIV, "obv_divergence", 20, "1", 21, "definition",                                        \
        "place of the close in the range of 20 closes - place of on-balance volume in its own",    \
        TA_GONE "; no range")                                                                      \
    X(VOL_RATIO, "volume_ratio", 20, "1", 20, "definition", "volume / mean of 20 bars",            \
        TA_GONE "; no volume")

#define TA_NO_LEVEL TA_GONE "; no level on that side"
#define TA_SWINGS "swings of 120 bars by DBSCAN (Ester, Kriegel, Sander, Xu 1996)"
#define TA_LEVELS(X)                                                                               \
    X(SUPPORT_DIST, "support_dist", 120, "bps", 120, TA_SWINGS,                                    \
        "1e4 (1 - nearest level at or below / close); a level is the mean price of 3 or more "     \
        "swing highs and lows (of 5 bars, known 2 bars later) within a quarter of the mean range", \
        TA_NO_LEVEL)                                                                               \
    X(RESISTANCE_DIST, "resistance_dist", 120, "bps", 120, TA_SWINGS,                              \
        "1e4 (nearest level above / close - 1)", TA_NO_LEVEL)                                      \
    X(SUPPORT_TOUCHES, "support_touches", 120, "swings", 120, TA_SWINGS,                           \
        "swings in the nearest level at or below the close", TA_NO_LEVEL)                          \
    X(RESISTANCE_TOUCHES, "resistance_touches", 120, "swings", 120, TA_SWINGS,                     \
        "swings in the nearest level above the close", TA_NO_LEVEL)                                \
    X(SUPPORT_AGE, "support_age", 120, "bars", 120, TA_SWINGS,                                     \
        "bars since the latest swing in the nearest level at or below the close", TA_NO_LEVEL)     \
    X(RESISTANCE_AGE, "resistance_age", 120, "bars", 120, TA_SWINGS,                               \
        "bars since the latest swing in the nearest level above the close", TA_NO_LEVEL)           \
    X(SR_LEVELS, "levels", 120, "levels", 120, TA_SWINGS,                                          \
        "levels on either side; swings in no cluster are none", TA_GONE)

#define TA_INDICATORS(X) TA_TREND(X) TA_MOMENTUM(X) TA_RANGE(X) TA_VOLUME(X) TA_LEVELS(X)

#define TA_ENUM(ID, ...) T_##ID,
enum ta_indicator { TA_INDICATORS(TA_ENUM) T_COUNT };

/* Each writes its own indicators of out[T_COUNT]; too few bars and nil denominators give NaN. */
void ta_trend(const struct ta_window *w, double *out);
void ta_momentum(const struct ta_window *w, double *out);
void ta_range(const struct ta_window *w, double *out);
void ta_volume(const struct ta_window *w, double *out);
void ta_levels(const struct ta_window *w, double *out);
/* All of them; `bars` closed bars stand in the window, what needs more is NaN. */
void ta_compute(const struct ta_window *w, uint64_t bars, double *out);

/* --- shared arithmetic; arrays are of TA_BARS, the newest last ------------------------------- */

/* The last n values. */
static inline const double *ta_last(const double *x, size_t n) { return x + (TA_BARS - n); }

double ta_sum(const double *x, size_t n);
double ta_max(const double *x, size_t n);
double ta_min(const double *x, size_t n);
/* Exponential average of x[from..]: y[from + n - 1] is the mean of the first n, then alpha. */
void ta_smooth(const double *x, size_t from, size_t n, double alpha, double *y);
static inline void ta_ema(const double *x, size_t from, size_t n, double *y) {
    ta_smooth(x, from, n, 2.0 / ((double)n + 1.0), y);
}
/* Wilder mean of the true range: from bar n on. */
void ta_atr(const struct ta_window *w, size_t n, double *y);
/* Relative strength index of the last 20 bars; NaN as long as nothing moved. */
void ta_rsi(const struct ta_window *w, double *y);
/* (last - least) / (greatest - least) of n values; NaN where that range is <= least_range. */
double ta_place(const double *x, size_t n, double least_range);

#endif
