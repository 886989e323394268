/* feature_time.c: where in the day and week the bucket closed, and how fast buckets come. */
#include "derive/feature/feature_internal.h"

enum time_row {
    T_HOUR_SIN,
    T_HOUR_COS,
    T_WEEK_SIN,
    T_WEEK_COS,
    T_SESSION,
    T_DAY_END,
    T_DURATION,
    T_PER_HOUR_B20,
    T_TRADE_AGE,
    T_MINUTE_SIN,
    T_MINUTE_COS,
    T_ROWS
};

#define FULL_TURN 6.283185307179586
#define NS_DAY (86400 * NS_PER_S)
#define NS_HOUR (3600 * NS_PER_S)

#define TIME_ROW(n, u, w, warm, need, bars, text, gone)                                            \
    FEATURE_ROW(n, u, w, warm, need, bars, "FEA3", "calendar of ts_local, UTC", text, gone)
#define AGE_ROW(n, u, w, warm, need, bars, text, gone)                                             \
    FEATURE_ROW_CLOCK(n, u, w, warm, need, bars, "FEA3", "times of trades", text, gone, CLOCK_TIME)

static const struct feature_def defs[T_ROWS] = {
    [T_HOUR_SIN] = TIME_ROW("time_hour_sin", "1", "last", 0, 0, true,
        "sin(2 pi x part of the UTC day that has passed)", "never"),
    [T_HOUR_COS] = TIME_ROW("time_hour_cos", "1", "last", 0, 0, true,
        "cos(2 pi x part of the UTC day that has passed)", "never"),
    [T_WEEK_SIN] = TIME_ROW("time_weekday_sin", "1", "last", 0, 0, true,
        "sin(2 pi x part of the week since Monday 00:00 UTC)", "never"),
    [T_WEEK_COS] = TIME_ROW("time_weekday_cos", "1", "last", 0, 0, true,
        "cos(2 pi x part of the week since Monday 00:00 UTC)", "never"),
    [T_SESSION] = TIME_ROW("time_session", "class", "last", 0, 0, true,
        "0 Asia (00-08 UTC), 1 Europe (08-13), 2 America (13-21), 3 late (21-24)", "never"),
    [T_DAY_END] = TIME_ROW(
        "time_to_day_end_s", "s", "last", 0, 0, true, "seconds until the UTC day ends", "never"),
    [T_DURATION] = TIME_ROW(
        "time_bucket_duration_s", "s", "b1", 1, 0, true, "close minus open of the bucket", "never"),
    [T_PER_HOUR_B20] = TIME_ROW("time_buckets_per_hour_b20", "1/h", "b20", 21, 0, true,
        "3600 / mean duration of the last 20 buckets", "before 20 buckets; all of no duration"),
    [T_TRADE_AGE] = AGE_ROW("time_since_trade_s", "s", "s60", 61, NEED_TRADE, false,
        "seconds from the last market trade to the close", "no trade in the last 60 s"),
    [T_MINUTE_SIN] = TIME_ROW("time_minute_sin", "1", "last", 0, 0, true,
        "sin(2 pi x part of the hour that has passed)", "never"),
    [T_MINUTE_COS] = TIME_ROW("time_minute_cos", "1", "last", 0, 0, true,
        "cos(2 pi x part of the hour that has passed)", "never"),
};

struct time_state {
    int64_t last_trade_ns;
    struct series duration;
};

static size_t time_state_size(void) { return sizeof(struct time_state); }

static void time_on_event(void *state, const struct feature_ctx *ctx, const struct event *ev,
    const struct book_change *change) {
    struct time_state *s = state;
    (void)ctx;
    (void)change;
    if (is_market_trade(ev)) s->last_trade_ns = ev->ts_local.ns;
}

int feature_session(ts_t ts) {
    CHECK(ts.ns >= 0);
    int64_t hour = ts.ns % NS_DAY / NS_HOUR;
    if (hour < 8) return 0;
    if (hour < 13) return 1;
    return hour < 21 ? 2 : 3;
}

static void time_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct time_state *s = state;
    (void)ctx;
    (void)view;
    int64_t now = b->close_ts.ns;
    CHECK(now >= 0);
    int64_t day = now % NS_DAY,
            week = (now + 3 * NS_DAY) % (7 * NS_DAY); /* 1970 began a Thursday */
    double day_turn = FULL_TURN * ((double)day / (double)NS_DAY);
    double week_turn = FULL_TURN * ((double)week / (7.0 * (double)NS_DAY));
    double hour_turn = FULL_TURN * ((double)(now % NS_HOUR) / (double)NS_HOUR);
    double duration = (double)(now - b->open_ts.ns) / 1e9;
    series_push(&s->duration, duration);
    out[T_HOUR_SIN] = dm_sin(day_turn);
    out[T_HOUR_COS] = dm_cos(day_turn);
    out[T_WEEK_SIN] = dm_sin(week_turn);
    out[T_WEEK_COS] = dm_cos(week_turn);
    out[T_SESSION] = (double)feature_session(b->close_ts);
    out[T_DAY_END] = (double)(NS_DAY - day) / 1e9;
    out[T_DURATION] = duration;
    out[T_PER_HOUR_B20] = ratio_of(3600.0, series_mean(&s->duration, 20));
    double age = (double)(now - s->last_trade_ns) / 1e9;
    out[T_TRADE_AGE] = age <= 60.0 ? age : MISSING;
    out[T_MINUTE_SIN] = dm_sin(hour_turn);
    out[T_MINUTE_COS] = dm_cos(hour_turn);
}

const struct feature_family feature_family_time = {
    .name = "time",
    .defs = defs,
    .count = T_ROWS,
    .kinds = KINDS_TRADE,
    .state_size = time_state_size,
    .on_event = time_on_event,
    .on_bucket = time_on_bucket,
};
