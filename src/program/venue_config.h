/* venue_config.h: the keys sim.* of the venue's own rules, limits and outages, in the units of an
 * instrument.
 *
 * Time       outages are given in seconds after the first event of the instrument's data.
 */
#ifndef FATHOM_PROGRAM_VENUE_CONFIG_H
#define FATHOM_PROGRAM_VENUE_CONFIG_H

#include "base/config.h"
#include "execute/sim/world.h"

enum { VENUE_OUTAGES_MAX = 64 };

/* first_ns: on the venue's clock. out points to span. ERR_USAGE: a key that does not fit, spans
 * that overlap. */
MUST_USE err_t venue_config(const struct config *c, const struct instrument *in, int64_t first_ns,
    struct world_outage span[VENUE_OUTAGES_MAX], struct world_venue *out, struct err_info *e);
/* How many of sim.outages begin behind data of this length, and so had no effect. */
size_t venue_outages_behind(const struct config *c, int64_t length_ns);

#endif
