/* binance_liquidation_fuzz.c: any bytes as a liquidation, or rows of them. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_LIQUIDATION, "abcusdt@forceOrder")
