/* feature_ret_hours.c: returns on the clock of hours. More rows of the family `ret`.
 *
 * Each minute of wall time keeps the reference price of its last close; a minute without a close
 * has that of the minute before. A return looks back whole minutes from the minute of the close.
 */
#include "derive/feature/feature_internal.h"

enum hours_row { R_H1, R_H4, R_ROWS };
enum { MINUTES = 256 };
#define MINUTE_NS (60 * NS_PER_S)

#define ROW(N, W, WARM, ABOUT)                                                                     \
    FEATURE_ROW_APART(N, "bps", W, WARM, NEED_DEPTH, "FEA3", "definition", ABOUT,                  \
        "before that time; a price missing", CLOCK_TIME)

static const struct feature_def defs[R_ROWS] = {
    [R_H1] = ROW("ret_h1", "h1", 3960,
        "1e4 ln(reference price / that at the last close of the minute 60 minutes before)"),
    [R_H4] = ROW("ret_h4", "h4", 14760,
        "1e4 ln(reference price / that at the last close of the minute 240 minutes before)"),
};

struct hours_state {
    int64_t first, now; /* minutes; of the first and the last close */
    bool started;
    uint8_t pad[7];
    double px[MINUTES];
};

static size_t hours_state_size(void) { return sizeof(struct hours_state); }

static double hours_return(const struct hours_state *s, int64_t back) {
    if (s->now - back < s->first) return MISSING;
    double ratio =
        ratio_of(s->px[(size_t)s->now % MINUTES], s->px[(size_t)(s->now - back) % MINUTES]);
    return ratio > 0.0 ? BPS * dm_log(ratio) : MISSING;
}

static void hours_on_bucket(void *state, const struct feature_ctx *ctx,
    const struct feature_view *view, const struct bucket *b, double *out) {
    struct hours_state *s = state;
    int64_t minute = bucket_last_ns(b) / MINUTE_NS;
    (void)ctx;
    if (!s->started) s->first = s->now = minute;
    s->started = true;
    double last = s->px[(size_t)s->now % MINUTES];
    int64_t passed = minute - s->now < MINUTES ? minute - s->now : MINUTES;
    for (int64_t i = 1; i < passed; i++) s->px[(size_t)(minute - i) % MINUTES] = last;
    s->now = minute;
    s->px[(size_t)minute % MINUTES] = view->px;
    out[R_H1] = hours_return(s, 60);
    out[R_H4] = hours_return(s, 240);
}

const struct feature_family feature_family_ret_hours = {
    .name = "ret",
    .defs = defs,
    .count = R_ROWS,
    .state_size = hours_state_size,
    .on_bucket = hours_on_bucket,
};
