/* sweep_spec.h: the parameter sets of a sweep, from the `sweep:` section of a configuration.
 *
 *   sweep.vary:  - strategy.half_spread_ticks = 10, 20, 40        a list
 *                - strategy.levels = 4..12 step 4                 a range with a step
 *                - sim.entry_ms = 1..50 log                       drawn from a range (random,
 * latin)
 *
 * grid: every combination, the last axis fastest. random: each value drawn on its own. latin: Latin
 * hypercube (McKay, Beckman, Conover 1979): each axis cut into as many parts as there are sets,
 * each part used once. Lists are drawn from evenly.
 *
 * Invariant  the sets depend on the section and the seed only; a set's values are text that the
 *            schema takes (or loading the set's configuration says where it does not).
 * Limits     SWEEP_AXES_MAX axes, SWEEP_SETS_MAX sets, SWEEP_VALUES_MAX listed values an axis.
 */
#ifndef FATHOM_PROGRAM_SWEEP_SPEC_H
#define FATHOM_PROGRAM_SWEEP_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

enum { SWEEP_AXES_MAX = 12, SWEEP_SETS_MAX = 65536, SWEEP_VALUES_MAX = 4096 };
enum { SWEEP_KEY_MAX = 64, SWEEP_TEXT_MAX = 32 };

enum sweep_method { SWEEP_GRID, SWEEP_RANDOM, SWEEP_LATIN };

struct sweep_axis {
    char key[SWEEP_KEY_MAX];
    bool shared;   /* sets that differ here can share one replay */
    bool hidden;   /* not shown by itself in a report */
    size_t values; /* listed ones; 0 = drawn from lo..hi */
    char (*value)[SWEEP_TEXT_MAX];
    double lo, hi;
    bool log;
    int decimals;
};

struct sweep_spec {
    enum sweep_method method;
    size_t axes, sets;
    uint64_t seed;
    struct sweep_axis axis[SWEEP_AXES_MAX];
    char (*text)[SWEEP_TEXT_MAX]; /* text[set * axes + axis] */
};

/* ERR_USAGE with the line that is wrong and what it may be. */
MUST_USE err_t sweep_spec_make(struct sweep_spec *s, const struct config *c,
    const struct config_key *schema, size_t keys, struct err_info *e);
void sweep_spec_free(struct sweep_spec *s);

static inline const char *sweep_text(const struct sweep_spec *s, size_t set, size_t axis) {
    return s->text[set * s->axes + axis];
}

#endif
