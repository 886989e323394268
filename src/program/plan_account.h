/* plan_account.h: the money part of the configuration: fees, margin, funding of one instrument.
 *
 * Sources of the tables by name: plan_account.c.
 */
#ifndef FATHOM_PROGRAM_PLAN_ACCOUNT_H
#define FATHOM_PROGRAM_PLAN_ACCOUNT_H

#include "base/config.h"
#include "execute/sim/clearing.h"
#include "program/fanout.h"

/* The rules of one instrument's account at the venue; margin is off where `strict` is false.
 * ERR_USAGE: a tier that cannot be read, or not rising. */
MUST_USE err_t plan_clearing(const struct config *c, const struct instrument *in,
    const struct fanout_facts *found, bool strict, struct clearing_rules *out, struct err_info *e);

/* The flat rates of an instrument. */
MUST_USE err_t plan_fees(const struct config *c, const struct instrument *in,
    struct ledger_fees *out, struct err_info *e);

#endif
