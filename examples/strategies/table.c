/* table.c: the strategies this program knows by name. Your own: copy one, add its line. */
#include "strategies.h"

const struct strategy *const strategy_table[] = {
    &strategy_anchor_grid,
    &strategy_bracket,
    &strategy_grid,
    &strategy_model,
    &strategy_momentum,
    &strategy_quoter,
    NULL,
};
