/* binance_agg_trade_fuzz.c: any bytes as an aggregate trade. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_AGG_TRADE, "abcusdt@aggTrade")
