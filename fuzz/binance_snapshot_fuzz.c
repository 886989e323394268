/* binance_snapshot_fuzz.c: any bytes as a REST snapshot. */
#include "binance_fuzz.h"

BINANCE_FUZZ(BINANCE_SNAPSHOT, "abcusdt@depthSnapshot")
