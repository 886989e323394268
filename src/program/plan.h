/* plan.h: the run configuration as the structs that the modules take.
 *
 * Every function reads keys of run_config.c only; ranges are checked by the schema, relations
 * between keys here (ERR_USAGE with the place of the key).
 */
#ifndef FATHOM_PROGRAM_PLAN_H
#define FATHOM_PROGRAM_PLAN_H

#include "base/config.h"
#include "base/instrument.h"
#include "learn/dataset/dataset.h"
#include "learn/study/study.h"

struct label_spec plan_label(const struct config *c);
/* Of everything that can change a result: the whole resolved configuration but name, output and
 * the sections of sweep and stress (a set of them is the same trial as a run of its own). */
uint64_t plan_hash(const struct config *c);
bool plan_has_model(const struct config *c); /* model.kind is not none */
struct train_params plan_train(const struct config *c);
struct study_config plan_study(const struct config *c);
/* data.tapes, data.peers, data.reference, bucket.reference; points into the configuration. */
struct others plan_others(const struct config *c);
/* Of them what rows of features.set depend on (others_text). */
MUST_USE err_t plan_others_text(
    const struct config *c, const char *tape, char out[OTHERS_TEXT_MAX], struct err_info *e);
/* `tape` and `to` are the caller's. */
struct dataset_options plan_dataset(const struct config *c, const char *tape, const char *to);

/* features.set of a file and features.scale: puts the names and the scaling into features.set, so
 * that the configuration says itself what ran. */
MUST_USE err_t plan_features(struct config *c, struct err_info *e);

/* bucket.config: puts the size that holds for the tape into bucket.spec, so that the configuration
 * says itself what ran. bucket.spec left at its default becomes volume=config. */
MUST_USE err_t plan_buckets(struct config *c, const char *tape, struct err_info *e);

/* tape_hash of `tape`, or over all of data.tapes in their order. */
MUST_USE err_t plan_tape_hash(
    const struct config *c, const char *tape, uint64_t *out, struct err_info *e);

/* A decimal key as units of the instrument, as money (e12), as a rate (e16). */
MUST_USE err_t plan_qty(const struct config *c, const char *key, const struct instrument *in,
    qty_t *out, struct err_info *e);
MUST_USE err_t plan_money(
    const struct config *c, const char *key, money_t *out, struct err_info *e);
/* account.deposit: above 0, or nothing could be bought and no share of it is defined. */
MUST_USE err_t plan_deposit(const struct config *c, money_t *out, struct err_info *e);
MUST_USE err_t plan_rate(const struct config *c, const char *key, rate_t *out, struct err_info *e);

#endif
