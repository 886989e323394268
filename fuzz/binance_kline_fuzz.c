/* binance_kline_fuzz.c: any bytes as a bar. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_KLINE, "abcusdt@kline_1m")
