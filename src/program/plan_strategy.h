/* plan_strategy.h: strategy.kind and its parameters, of the strategies that the program was built
 * with (strategy_table): those of examples/strategies, or one's own.
 *
 * A parameter that the schema names has its key, strategy.NAME. Others, of strategies of one's own,
 * are lines NAME=VALUE of strategy.params; what is not given has the default of its table.
 */
#ifndef FATHOM_PROGRAM_PLAN_STRATEGY_H
#define FATHOM_PROGRAM_PLAN_STRATEGY_H

#include "base/config.h"

struct instrument;
struct strategy;
struct strategy_params;

/* Names only, before there is an instrument: ERR_USAGE with the place and the nearest name. */
MUST_USE err_t plan_strategy_check(const struct config *c, struct err_info *e);
/* *out = NULL for strategy.kind = none. ERR_USAGE: a value that does not fit the instrument. */
MUST_USE err_t plan_strategy(const struct config *c, const struct instrument *in,
    const struct strategy **out, struct strategy_params *params, struct err_info *e);

#endif
