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
};

enum { SYNTH_PEERS = 2 };

struct synth {
    struct instrument inst, peer[SYNTH_PEERS]; /* ids 0, 1, 2 */
    size_t peers;
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
