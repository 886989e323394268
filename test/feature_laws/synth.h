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
};

struct synth {
    struct instrument inst;
    struct event *slots;
    size_t n, cap;
};

void synth_make(struct synth *s, const struct synth_options *o);
void synth_free(struct synth *s);

#endif
