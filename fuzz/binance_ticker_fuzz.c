/* binance_ticker_fuzz.c: any bytes as a book ticker. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_TICKER, "abcusdt@bookTicker")
