/* fathom/strategy.h: the public header for strategies of one's own (docs/strategies.md). */
#ifndef FATHOM_STRATEGY_H
#define FATHOM_STRATEGY_H

#include "execute/strategy/strategy.h"

#endif
