/* fade.c: a strategy of one's own, built outside the tree (docs/strategies.md walks through it).
 *
 * Leans against the side of the book that looks heavy: while the best bid shows so many times the
 * best ask's quantity, it bids there; the other way round it offers. It never holds more than
 * position_max, and leaves by a passive order at the opposite best.
 */
#include <fathom/program.h>
#include <fathom/strategy.h>

enum { QUANTITY, POSITION_MAX, RATIO, PERIOD };

static const struct strategy_param params[] = {
    {"quantity", "0.01", "size of each order, base units", PARAM_LOTS},
    {"position_max", "0.05", "largest position", PARAM_LOTS},
    {"fade_ratio", "5", "how many times the other side counts as heavy", PARAM_NUMBER},
    {"fade_period_ms", "100", "time between two looks at the market", PARAM_MS},
};

struct state {
    int64_t looks; /* plain bytes: saved, moved and repeated bit for bit */
};

static void on_timer(void *memory, const struct strategy_ctx *ctx) {
    struct state *s = memory;
    const int64_t *p = ctx->params->value;
    struct book_level best[2];
    s->looks++;
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        if (!strategy_best(ctx, side, &best[side])) return;
    }
    for (int side = SIDE_BUY; side <= SIDE_SELL; side++) {
        int64_t held = side == SIDE_BUY ? ctx->position : -ctx->position;
        double mine = (double)best[side].qty.lots, other = (double)best[side ^ 1].qty.lots;
        bool heavy = mine * 1e8 >= other * (double)p[RATIO]; /* PARAM_NUMBER is x 1e8 */
        bool leave = held < 0;
        struct strategy_quote quote = {best[side].px, {p[QUANTITY]}};
        bool wanted = leave || (heavy && held < p[POSITION_MAX]);
        strategy_quotes(ctx, side, &quote, wanted ? 1 : 0, QUOTES_ONE_BY_ONE);
    }
}

static int64_t timer_ns(const struct strategy_params *p) { return p->value[PERIOD]; }

static const struct strategy fade = {
    .name = "fade",
    .about = "bids with the heavy side of the book, offers with the other",
    .params = params,
    .param_count = sizeof params / sizeof params[0],
    .state_size = sizeof(struct state),
    .timer_ns = timer_ns,
    .on_timer = on_timer,
};

/* The strategies that this program knows: it replaces the table of the library. */
const struct strategy *const strategy_table[] = {&fade, NULL};

int main(int argc, char **argv) { return fathom_program(argc, argv); }
