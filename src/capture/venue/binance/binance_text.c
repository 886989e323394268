#include "capture/venue/binance/binance.h"

#include <stdio.h>

#include "base/check.h"

const char *binance_kind_name(uint8_t kind) {
    static const char *const name[BINANCE_KIND_COUNT] = {"none", "trade", "aggTrade", "depthUpdate",
        "partialDepth", "depthSnapshot", "bookTicker", "markPriceUpdate", "forceOrder", "kline",
        "24hrTicker", "openInterest", "exchangeInfo", "control", "other"};
    CHECK(kind < BINANCE_KIND_COUNT);
    return name[kind];
}

const char *binance_status_name(enum binance_status status) {
    static const char *const name[BINANCE_STATUS_COUNT] = {"ok", "too_long", "truncated", "syntax",
        "trailing_bytes", "nesting", "text", "number", "decimal", "integer", "time", "type",
        "missing_key", "duplicate_key", "value", "symbol", "levels", "items", "finer_than_unit",
        "range", "bad_price"};
    CHECK((unsigned)status < BINANCE_STATUS_COUNT);
    return name[status];
}

size_t binance_fault_text(const struct binance_fault *fault, char out[BINANCE_FAULT_TEXT_MAX]) {
    static const char *const found[BINANCE_STATUS_COUNT] = {"fine", "longer than allowed: expected",
        "truncated: expected", "malformed: expected", "bytes after the message: expected",
        "nested too deep: expected", "bad text: expected", "bad number: expected",
        "bad decimal: expected", "no 64-bit integer: key", "no time in ms or us: key",
        "wrong type: expected", "missing: key", "duplicate key: expected", "unknown word: expected",
        "empty or too long name: key", "too many levels: expected", "too many rows: expected",
        "finer than the instrument's unit:", "out of range:", "negative or zero:"};
    CHECK((unsigned)fault->status < BINANCE_STATUS_COUNT);
    int n = snprintf(out, BINANCE_FAULT_TEXT_MAX, "%s %s at byte %zu", found[fault->status],
        fault->expected ? fault->expected : "", fault->offset);
    return n < BINANCE_FAULT_TEXT_MAX ? (size_t)n : BINANCE_FAULT_TEXT_MAX - 1;
}
