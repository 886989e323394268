/* feature_cost.h: what each family of features costs, measured on the events of a tape.
 *
 * Units      thread-CPU time of this machine: nanoseconds an event (all events of the instrument),
 *            microseconds a bucket close. Book and volume clock are not counted.
 * Method     the head of the tape is replayed with one family at a time and without any; a figure
 *            is the sum over slices of the least time that any pass took.
 * Why        the cost stands beside what a family adds (VAL8). It is no benchmark: those are in
 *            bench/.
 */
#ifndef FATHOM_PROGRAM_FEATURE_COST_H
#define FATHOM_PROGRAM_FEATURE_COST_H

#include "base/err.h"
#include "derive/feature/feature.h"

struct feature_cost {
    const char *family;
    double ns_per_event, us_per_close; /* NaN: nothing to measure on */
};

struct feature_costs {
    size_t n; /* families, each name once, in registry order */
    struct feature_cost cost[FEATURE_FAMILIES_MAX];
    size_t events, closes;
};

/* Families of `set` only. Where closes are as many as events (bars): closes only. */
MUST_USE err_t feature_costs_measure(const char *tape, const struct instrument *inst,
    const struct bucket_spec *bucket, const struct feature_set *set, struct feature_costs *out,
    struct err_info *e);
/* One sentence on how the figures were taken. */
void feature_costs_note(const struct feature_costs *c, char *out, size_t size);

#endif
