/* binance_instruments_fuzz.c: any bytes as an exchangeInfo body. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "capture/venue/binance/binance.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    enum { ROOM = 64 };
    struct instrument row[ROOM];
    struct binance_fault fault;
    size_t count = 999;
    enum binance_status s = binance_instruments((const char *)bytes, n, row, ROOM, &count, &fault);
    CHECK(fault.status == s);
    if (s != BINANCE_OK) {
        CHECK(count == 999 && fault.offset <= n);
        return 0;
    }
    CHECK(count <= ROOM);
    for (size_t i = 0; i < count; i++) {
        CHECK(memchr(row[i].symbol, 0, SYMBOL_MAX) && row[i].symbol[0]);
        CHECK(row[i].px_mant > 0 && row[i].qty_mant > 0);
        CHECK(row[i].px_exp <= DECIMAL_EXP_MAX && row[i].qty_exp <= DECIMAL_EXP_MAX);
    }
    return 0;
}
