/* binance_control_fuzz.c: any bytes as an answer of the venue. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_CONTROL, "none")
