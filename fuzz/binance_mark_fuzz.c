/* binance_mark_fuzz.c: any bytes as a mark price, or rows of them. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_MARK, "abcusdt@markPrice@1s")
