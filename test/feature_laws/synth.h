/* synth.h: seeded event streams for the laws: a book that lives, trades, marks, gaps; and bars. */
#ifndef FATHOM_TEST_SYNTH_H
#define FATHOM_TEST_SYNTH_H

#include <stddef.h>

#include "base/event.h"
#include "base/instrument.h"

struct synth_options {
    uint64_t seed;
    double seconds;    /* length */
    double depth_rate; /* messages a second */
    double trade_rate; /* bursts a second */
    bool faults;       /* a lost message, a recording gap, silence */
    bool bars;         /* one-minute bars only */
    bool peers;        /* two venues beside it */
    bool market_only;  /* no series and options */
};

/* External series that the stream carries beside the market. */
struct synth_series {
    const char *name;
    int64_t age_s; /* how long a value counts */
};
enum { SYNTH_SERIES = 26 }; /* the last is the calendar */
extern const struct synth_series synth_series[SYNTH_SERIES];

enum { SYNTH_PEERS = 2, SYNTH_ROWS = SYNTH_SERIES + 1, SYNTH_ROW_FIRST = 1 + SYNTH_PEERS };

struct synth {
    struct instrument inst, peer[SYNTH_PEERS]; /* ids 0, 1, 2 */
    size_t peers;
    struct instrument row[SYNTH_ROWS]; /* series of the table, ids from SYNTH_ROW_FIRST */
    struct event *slots;
    size_t n, cap;
};

void synth_make(struct synth *s, const struct synth_options *o);
/* Merges the events of two more venues in (not with bars). */
void synth_add_peers(struct synth *s, const struct synth_options *o);
/* The events of one of them alone. */
void synth_of_peer(const struct synth *s, size_t peer, struct synth *out);
void synth_free(struct synth *s);

#endif
