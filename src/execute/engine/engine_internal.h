/* engine_internal.h: what engine.c and engine_send.c share. */
#ifndef FATHOM_EXECUTE_ENGINE_ENGINE_INTERNAL_H
#define FATHOM_EXECUTE_ENGINE_ENGINE_INTERNAL_H

#include "execute/engine/engine.h"

/* Saved as it is; the strategy's own bytes follow it. */
struct engine_state {
    struct ledger ledger;
    struct risk risk;
    struct blotter blotter;
    struct intent_counters intent;
    struct engine_counters counters;
    struct engine_hashes hashes;
    ts_t now, book_ts, chased;
    int64_t next_id;
    int64_t target;     /* wanted position; meaningful once target_set */
    int64_t close_mid2; /* bars: 2 x last close */
    int64_t mark_e10;
    uint64_t columns;
    uint8_t target_set, failed;
    uint8_t pad[6];
};

struct engine {
    const struct engine_config *cfg;
    struct engine_io io;
    struct strategy_ctx ctx;
    struct engine_state *s;
    void *strategy_state;
};

extern const struct strategy_ops engine_ops;

bool engine_mid2(const struct engine *e, price_t *mid2);
/* Sends what is missing to the wanted position, once per instant. */
void engine_chase(struct engine *e);
/* Asks the venue about orders whose state is UNKNOWN, each at most once a timeout. */
void engine_ask(struct engine *e);
void engine_emit(struct engine *e, const struct engine_record *r);

#endif
