/* strategies.h: the example strategies (docs/strategies.md). */
#ifndef EXAMPLES_STRATEGIES_STRATEGIES_H
#define EXAMPLES_STRATEGIES_STRATEGIES_H

#include "fathom/strategy.h"

extern const struct strategy strategy_anchor_grid;
extern const struct strategy strategy_bracket;
extern const struct strategy strategy_grid;
extern const struct strategy strategy_model;
extern const struct strategy strategy_momentum;
extern const struct strategy strategy_quoter;

#endif
