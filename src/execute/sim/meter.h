/* meter.h: what one account has used up of a venue's request limits (the limits: sim_venue.c).
 *
 * Units      requests. Time: the venue's clock; windows begin at its round times.
 * Ownership  a plain struct, zero at the start: of a seat, or of an account over several worlds
 *            (clearing.h).
 * Limits     METER_LIMITS_MAX limits a venue; METER_RECENT_MAX requests of a rolling one.
 */
#ifndef FATHOM_EXECUTE_SIM_METER_H
#define FATHOM_EXECUTE_SIM_METER_H

#include <stdint.h>

enum { METER_LIMITS_MAX = 4, METER_RECENT_MAX = 64 };

struct meter_use { /* of one limit */
    int64_t window, used;
    uint32_t next, count, strikes;
    uint32_t pad; /* zero */
    int64_t recent[METER_RECENT_MAX];
};

struct meter {
    int64_t banned_until;
    struct meter_use use[METER_LIMITS_MAX];
};

#endif
