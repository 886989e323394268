/* binance_fuzz.h: what the fuzz targets of Binance's messages share: one target a kind.
 *
 * Any bytes: refused with a place inside them, or decoded; decoded ones give the same events again,
 * also when wrapped as a combined stream does, and break no rule of event.h.
 */
#ifndef FATHOM_FUZZ_BINANCE_FUZZ_H
#define FATHOM_FUZZ_BINANCE_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/venue/binance/binance.h"

static const struct instrument binance_fuzz_instrument = {
    .px_mant = 1, .px_exp = 2, .qty_mant = 1, .qty_exp = 3, .venue = VENUE_BINANCE_SPOT};

static inline void binance_fuzz_events(const struct event *slot, size_t n) {
    size_t heads = 0;
    for (size_t i = 0; i < n; i += event_slots(slot[i].kind), heads++) {
        CHECK(slot[i].kind > EV_NONE && slot[i].kind < EV_KIND_COUNT);
        CHECK(slot[i].px.ticks >= 0 && slot[i].qty.lots >= 0);
        CHECK(((slot[i].flags & EVF_FIRST) != 0) == (i == 0));
        CHECK(((slot[i].flags & EVF_LAST) != 0) == (i + event_slots(slot[i].kind) == n));
    }
    CHECK(heads <= BINANCE_SLOTS_MAX);
}

/* Row 0 as events; *n = 0 where it cannot be. */
static inline void binance_fuzz_convert(
    const struct binance_message *m, struct event *slot, size_t *n) {
    *n = 0;
    if (m->items == 0) return;
    struct binance_fault fault;
    enum binance_status s =
        binance_events(m, 0, &binance_fuzz_instrument, (ts_t){1}, slot, n, &fault);
    if (s != BINANCE_OK) CHECK(*n == 0 && fault.status == s && fault.expected);
}

/* `stream`: what a wrapper names that leaves the kind as it is. */
static inline int binance_fuzz(
    const uint8_t *bytes, size_t n, enum binance_kind kind, const char *stream) {
    static struct binance_message m;
    static struct event slot[BINANCE_SLOTS_MAX], again[BINANCE_SLOTS_MAX];
    struct binance_fault fault;
    char text[BINANCE_FAULT_TEXT_MAX];
    size_t count, count_again;
    enum binance_status s = binance_decode((const char *)bytes, n, &m, &fault);
    CHECK(fault.status == s && binance_fault_text(&fault, text) > 0);
    if (s != BINANCE_OK) {
        CHECK(fault.offset <= n && fault.expected);
        return 0;
    }
    CHECK(m.items <= BINANCE_ITEMS_MAX && m.kind < BINANCE_KIND_COUNT);
    binance_fuzz_convert(&m, slot, &count);
    binance_fuzz_events(slot, count);
    if (m.kind != kind || m.stream || n > BINANCE_MESSAGE_MAX - 256) return 0;
    char *wrapped = malloc(n + 256);
    CHECK(wrapped);
    size_t head = (size_t)sprintf(wrapped, "{\"stream\":\"%s\",\"data\":", stream);
    memcpy(wrapped + head, bytes, n);
    wrapped[head + n] = '}';
    s = binance_decode(wrapped, head + n + 1, &m, &fault);
    if (s == BINANCE_OK && m.kind == kind) {
        binance_fuzz_convert(&m, again, &count_again);
        CHECK(count == count_again && memcmp(slot, again, count * sizeof slot[0]) == 0);
    } else { /* a level of nesting more, or a "data" or "stream" key of its own */
        CHECK(s == BINANCE_NESTING || memmem(bytes, n, "data", 4) ||
              memmem(bytes, n, "stream", 6) || memchr(bytes, '\\', n));
    }
    free(wrapped);
    return 0;
}

#define BINANCE_FUZZ(kind, stream)                                                                 \
    int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);                                    \
    int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {                                   \
        return binance_fuzz(bytes, n, kind, stream);                                               \
    }

#endif
