/* binance_stat24_fuzz.c: any bytes as day statistics, or rows of them. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_STAT24, "abcusdt@ticker")
