/* binance_trade_fuzz.c: any bytes as a trade. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_TRADE, "abcusdt@trade")
