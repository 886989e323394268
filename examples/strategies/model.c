/* model.c: takes the position that a calibrated forecast is worth after cost, for its horizon.
 *
 * Each bucket's prediction goes through the intent gates (data quality, confidence, cost). What
 * passes is held for `hold_buckets` buckets; a new signal in between replaces it and starts the
 * count again; when it runs out the position goes back to zero.
 */
#include "strategies.h"

enum { POSITION_MAX, HOLD };

static const struct strategy_param params[] = {
    {"position_max", "0.1", "cap of the wanted position, base units", PARAM_LOTS},
    {"hold_buckets", "1", "buckets a forecast is held", PARAM_COUNT},
};

struct state {
    int64_t wanted, left;
};

static void on_bucket(void *state, const struct strategy_ctx *ctx, const struct bucket *b,
    const float *row, size_t n, const struct prediction *p) {
    (void)row;
    (void)n;
    struct state *s = state;
    const int64_t *v = ctx->params->value;
    int64_t lots = 0;
    if (strategy_edge(ctx, p, b, &lots) && lots != 0) {
        if (lots > v[POSITION_MAX]) lots = v[POSITION_MAX];
        if (lots < -v[POSITION_MAX]) lots = -v[POSITION_MAX];
        s->wanted = lots;
        s->left = v[HOLD];
    } else if (s->left > 0) {
        s->left--;
        if (s->left == 0) s->wanted = 0;
    }
    strategy_target(ctx, s->wanted);
}

const struct strategy strategy_model = {
    .name = "model",
    .about = "takes what a calibrated forecast is worth after cost and holds it for its horizon",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .state_size = sizeof(struct state),
    .on_bucket = on_bucket,
};
