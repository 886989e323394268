/* momentum.c: follows a bucket's move that is larger than a threshold, for a number of buckets. */
#include "strategies.h"

enum { QUANTITY, HOLD, TRIGGER };

static const struct strategy_param params[] = {
    {"quantity", "0.01", "position taken, base units", PARAM_LOTS},
    {"hold_buckets", "1", "buckets it is held", PARAM_COUNT},
    {"momentum_bps", "5", "move from open to close of a bucket that triggers", PARAM_NUMBER},
};

struct state {
    int64_t wanted, left;
};

/* 1 up, -1 down, 0 too small: |close - open| x 1e4 / open against the trigger x 1e-8, in integers.
 */
static int direction(const struct bucket *b, int64_t trigger_e8) {
    if (b->open.ticks <= 0 || b->gapped) return 0;
    int128 move = (int128)b->close.ticks - b->open.ticks;
    int128 size = (move < 0 ? -move : move) * 1000000000000; /* 1e4 x 1e8 */
    if (size < (int128)trigger_e8 * b->open.ticks || move == 0) return 0;
    return move > 0 ? 1 : -1;
}

static void on_bucket(void *state, const struct strategy_ctx *ctx, const struct bucket *b,
    const float *row, size_t n, const struct prediction *p) {
    (void)row;
    (void)n;
    (void)p;
    struct state *s = state;
    const int64_t *v = ctx->params->value;
    int way = direction(b, v[TRIGGER]);
    if (way != 0) {
        s->wanted = way * v[QUANTITY];
        s->left = v[HOLD];
    } else if (s->left > 0) {
        s->left--;
        if (s->left == 0) s->wanted = 0;
    }
    strategy_target(ctx, s->wanted);
}

const struct strategy strategy_momentum = {
    .name = "momentum",
    .about = "follows a bucket's move larger than a threshold",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .state_size = sizeof(struct state),
    .on_bucket = on_bucket,
};
