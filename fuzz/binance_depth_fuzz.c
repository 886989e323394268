/* binance_depth_fuzz.c: any bytes as changes of a book. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_DEPTH, "abcusdt@depth@100ms")
