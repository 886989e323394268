/* plan_sim.h: the sim.* keys as what the simulated exchange takes, files read.
 *
 * Ownership  plan_sim_free after the world's last use: its configuration points into the plan.
 */
#ifndef FATHOM_PROGRAM_PLAN_SIM_H
#define FATHOM_PROGRAM_PLAN_SIM_H

#include "base/config.h"
#include "execute/sim/world.h"
#include "program/fanout.h"
#include "program/latency_file.h"
#include "program/venue_config.h"

struct plan_sim {
    struct latency_config latency;
    struct latency_rows rows;
    struct latency_fit fit;
    struct clock_map clock;
    struct world_outage outage[VENUE_OUTAGES_MAX];
};

/* Latency, clock, queue, the venue's rules and the anchor's partial fills into *w, whose inst,
 * rules, bars and constants are set; `lane` is what will be replayed. ERR_USAGE: keys that do not
 * fit each other; ERR_INPUT: a file that is none. */
MUST_USE err_t plan_sim(const struct config *c, const struct fanout_lane *lane,
    const struct fanout_facts *found, struct plan_sim *p, struct world_config *w,
    struct err_info *e);
void plan_sim_free(struct plan_sim *p);

#endif
