/* binance_testing.h: messages of every kind, made for the tests, and small tools over their text.
 */
#ifndef FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_TESTING_H
#define FATHOM_CAPTURE_VENUE_BINANCE_BINANCE_TESTING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "capture/venue/binance/binance.h"

struct sample {
    uint8_t kind, venue;
    const char *payload; /* without the stream wrapper */
    const char *stream;  /* NULL: REST, never wrapped */
    const char *keys;    /* the payload's keys that it cannot do without, by blanks */
};

static const struct sample samples[] = {
    {BINANCE_TRADE, VENUE_BINANCE_USDM,
        "{\"e\":\"trade\",\"E\":1700000000123,\"T\":1700000000120,\"s\":\"ABCUSDT\",\"t\":"
        "900000123,"
        "\"p\":\"4321.50\",\"q\":\"0.250\",\"X\":\"MARKET\",\"m\":true}",
        "abcusdt@trade", "E T s t p q m"},
    {BINANCE_TRADE, VENUE_BINANCE_SPOT,
        "{\"e\":\"trade\",\"E\":1700000000123,\"s\":\"ABCUSDT\",\"t\":77,\"p\":\"4321.50000000\","
        "\"q\":\"0.25000000\",\"b\":81,\"a\":82,\"T\":1700000000120,\"m\":false,\"M\":true}",
        "abcusdt@trade", "E T s t p q m"},
    {BINANCE_AGG_TRADE, VENUE_BINANCE_USDM,
        "{\"e\":\"aggTrade\",\"E\":1700000000123,\"a\":5550,\"s\":\"ABCUSDT\",\"p\":\"4321.5\","
        "\"q\":\"1.5\",\"nq\":\"1.5\",\"f\":100,\"l\":103,\"T\":1700000000001,\"m\":true,\"st\":1}",
        "abcusdt@aggTrade", "E T s a f l p q m"},
    {BINANCE_DEPTH, VENUE_BINANCE_USDM,
        "{\"e\":\"depthUpdate\",\"E\":1700000000210,\"T\":1700000000205,\"s\":\"ABCUSDT\","
        "\"U\":1000001,\"u\":1000009,\"pu\":1000000,\"b\":[[\"4321.40\",\"2.000\"],[\"4321.30\","
        "\"0.000\"]],\"a\":[[\"4321.60\",\"7.125\"]]}",
        "abcusdt@depth@100ms", "E s U u b a"},
    {BINANCE_DEPTH, VENUE_BINANCE_SPOT,
        "{\"e\":\"depthUpdate\",\"E\":1700000000210,\"s\":\"ABCUSDT\",\"U\":5,\"u\":9,\"b\":[],"
        "\"a\":[[\"4321.60000000\",\"7.12500000\"]]}",
        "abcusdt@depth", "E s U u b a"},
    {BINANCE_PARTIAL_DEPTH, VENUE_BINANCE_USDM,
        "{\"e\":\"depthUpdate\",\"E\":1700000000210,\"T\":1700000000205,\"s\":\"ABCUSDT\",\"U\":11,"
        "\"u\":19,\"pu\":10,\"b\":[[\"4321.40\",\"2.000\"]],\"a\":[[\"4321.60\",\"7.125\"]]}",
        "abcusdt@depth20@100ms", "E s U u b a"},
    {BINANCE_SNAPSHOT, VENUE_BINANCE_COINM,
        "{\"lastUpdateId\":31,\"E\":1700000000500,\"T\":1700000000499,\"symbol\":\"ABCUSD_PERP\","
        "\"pair\":\"ABCUSD\",\"bids\":[[\"4321.4\",\"20\"],[\"4321.3\",\"4\"]],\"asks\":["
        "[\"4321.6\",\"7\"]]}",
        NULL, "bids asks"},
    {BINANCE_TICKER, VENUE_BINANCE_USDM,
        "{\"e\":\"bookTicker\",\"u\":400,\"s\":\"ABCUSDT\",\"b\":\"4321.40\",\"B\":\"2.000\",\"a\":"
        "\"4321.60\",\"A\":\"7.125\",\"T\":1700000000300,\"E\":1700000000302}",
        "abcusdt@bookTicker", "s u b B a A"},
    {BINANCE_TICKER, VENUE_BINANCE_SPOT,
        "{\"u\":400,\"s\":\"ABCUSDT\",\"b\":\"4321.40\",\"B\":\"2.000\",\"a\":\"4321.60\",\"A\":"
        "\"7.125\"}",
        "abcusdt@bookTicker", "s b a"},
    {BINANCE_MARK, VENUE_BINANCE_USDM,
        "{\"e\":\"markPriceUpdate\",\"E\":1700000001000,\"s\":\"ABCUSDT\",\"p\":\"4321.51234567\","
        "\"ap\":\"4321.5\",\"P\":\"4320.99999999\",\"i\":\"4321.40000000\",\"r\":\"-0.00012500\","
        "\"T\":1700006400000,\"st\":1}",
        "abcusdt@markPrice@1s", "E s p"},
    {BINANCE_LIQUIDATION, VENUE_BINANCE_USDM,
        "{\"e\":\"forceOrder\",\"E\":1700000002000,\"o\":{\"s\":\"ABCUSDT\",\"S\":\"SELL\",\"o\":"
        "\"LIMIT\",\"f\":\"IOC\",\"q\":\"0.500\",\"p\":\"4300.10\",\"ap\":\"4310.25\",\"X\":"
        "\"FILLED\",\"l\":\"0.100\",\"z\":\"0.500\",\"T\":1700000001990}}",
        "abcusdt@forceOrder", "E o"},
    {BINANCE_KLINE, VENUE_NONE,
        "{\"e\":\"kline\",\"E\":1700000003000,\"s\":\"ABCUSDT\",\"k\":{\"t\":1699999980000,\"T\":"
        "1700000039999,\"s\":\"ABCUSDT\",\"i\":\"1m\",\"f\":1,\"L\":9,\"o\":\"4320.00\",\"c\":"
        "\"4321.50\",\"h\":\"4330.00\",\"l\":\"4310.00\",\"v\":\"12.500\",\"n\":9,\"x\":true,\"q\":"
        "\"54018.75000000\",\"V\":\"5.000\",\"Q\":\"21607.50\",\"B\":\"0\"}}",
        "abcusdt@kline_1m", "E s k"},
    {BINANCE_STAT24, VENUE_BINANCE_USDM,
        "{\"e\":\"24hrTicker\",\"E\":1700000004000,\"s\":\"ABCUSDT\",\"p\":\"-88.20\",\"P\":"
        "\"-2.000\",\"w\":\"4350.11\",\"c\":\"4321.50\",\"Q\":\"0.250\",\"o\":\"4409.70\",\"h\":"
        "\"4420.00\",\"l\":\"4300.00\",\"v\":\"1000.500\",\"q\":\"4352285.05\",\"O\":1699913604000,"
        "\"C\":1700000003990,\"F\":1,\"L\":90,\"n\":90}",
        "abcusdt@ticker", "E s c o h l v q O F L n"},
    {BINANCE_OPEN_INTEREST, VENUE_BINANCE_USDM,
        "{\"openInterest\":\"10659.509\",\"symbol\":\"ABCUSDT\",\"time\":1700000005000}", NULL,
        "symbol"},
};

enum { SAMPLES = sizeof samples / sizeof samples[0], TEXT_MAX = 1 << 12, MEMBERS_MAX = 64 };

struct member_list {
    int count;
    struct {
        const char *p; /* "key":value */
        size_t n;
    } member[MEMBERS_MAX];
};

/* The members of an object in its text, by brackets and quotes only. */
static inline struct member_list members_of(const char *object) {
    struct member_list list = {0};
    int depth = 0;
    const char *start = object + 1;
    for (const char *p = object; *p; p++) {
        if (*p == '"')
            for (p++; *p != '"'; p++) p += *p == '\\';
        if (*p == '{' || *p == '[') depth++;
        bool end = (*p == ',' && depth == 1) || (*p == '}' && depth == 1);
        if (*p == '}' || *p == ']') depth--;
        if (!end) continue;
        list.member[list.count].p = start;
        list.member[list.count++].n = (size_t)(p - start);
        start = p + 1;
    }
    return list;
}

/* The object again, its members in the order given (twice or left out as wished). */
static inline size_t members_join(
    const struct member_list *list, const int *order, int count, char *out) {
    size_t n = 0;
    out[n++] = '{';
    for (int i = 0; i < count; i++) {
        if (i) out[n++] = ',';
        memcpy(out + n, list->member[order[i]].p, list->member[order[i]].n);
        n += list->member[order[i]].n;
    }
    out[n++] = '}';
    out[n] = 0;
    return n;
}

static inline size_t wrapped(const struct sample *s, const char *payload, char *out) {
    if (!s->stream) return (size_t)snprintf(out, TEXT_MAX, "%s", payload);
    return (size_t)snprintf(
        out, TEXT_MAX, "{\"stream\":\"%s\",\"data\":%.3900s}", s->stream, payload);
}

#endif
