/* run.h: a whole run: input -> tape -> study -> backtest -> run folder with its report.
 *
 * Ownership  struct run belongs to the caller: run_fini.
 * Invariant  the folder appears whole or not at all.
 */
#ifndef FATHOM_PROGRAM_RUN_H
#define FATHOM_PROGRAM_RUN_H

#include "base/file.h"
#include "capture/tape/import.h"
#include "program/cli.h"
#include "program/pipeline.h"
#include "program/run_doc.h"

struct run {
    struct config *cfg;
    struct dir_out *dir;
    const char *folder;             /* of dir, until commit */
    char tape[FILE_PATH_MAX];       /* as the stages open it */
    char tape_named[FILE_PATH_MAX]; /* as manifest.json names it: "tape" when inside the run */
    char output[FILE_PATH_MAX];
    bool imported, quiet;
    struct import_report import;
    struct run_study study;
    struct run_models models; /* of model.path */
    bool models_loaded;
    struct run_result result;
    struct pipeline_facts facts;
    struct run_doc doc;
};

/* The whole path. `with_study`: train where the configuration names a model (fathom run); else only
 * a saved model of model.path scores (fathom backtest). */
MUST_USE err_t run_make(struct run *run, struct config *cfg, const struct cli_args *args,
    bool with_study, struct err_info *e);
void run_fini(struct run *run);

/* Up to the replay: the output folder under way, the tape (imported into it where the input is
 * raw), buckets and models. For verbs that replay in their own way. */
MUST_USE err_t run_open(struct run *run, struct config *cfg, const struct cli_args *args,
    bool with_study, struct err_info *e);

/* Parts, each its own file. */
void run_tables(struct run *run); /* run_tables.c: data section */
MUST_USE err_t run_truth(
    struct run *run, struct err_info *e); /* run_truth.c: found beside planted */
MUST_USE err_t run_figures(
    struct run *run, struct err_info *e); /* run_figures.c: returns, trials */
/* study.trials, or trials.jsonl beside the run folder. */
void run_trials_path(const struct run *run, char *out, size_t cap);
MUST_USE err_t run_write(struct run *run, struct err_info *e); /* run_write.c: JSON, report */

#endif
