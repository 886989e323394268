/* verbs.c: the verbs of the program, sorted by name; one line each. */
#include "program/cli.h"

extern const struct cli_verb cmd_backtest;
extern const struct cli_verb cmd_bench;
extern const struct cli_verb cmd_book;
extern const struct cli_verb cmd_dataset;
extern const struct cli_verb cmd_doctor;
extern const struct cli_verb cmd_estimate;
extern const struct cli_verb cmd_features_ablate;
extern const struct cli_verb cmd_features_explain;
extern const struct cli_verb cmd_features_list;
extern const struct cli_verb cmd_features_report;
extern const struct cli_verb cmd_features_run;
extern const struct cli_verb cmd_features_select;
extern const struct cli_verb cmd_fills;
extern const struct cli_verb cmd_generate;
extern const struct cli_verb cmd_import;
extern const struct cli_verb cmd_latency_fit;
extern const struct cli_verb cmd_models_list;
extern const struct cli_verb cmd_models_show;
extern const struct cli_verb cmd_models_verify;
extern const struct cli_verb cmd_orders;
extern const struct cli_verb cmd_queue_compare;
extern const struct cli_verb cmd_queue_fit;
extern const struct cli_verb cmd_report;
extern const struct cli_verb cmd_run;
extern const struct cli_verb cmd_show_config;
extern const struct cli_verb cmd_stress;
extern const struct cli_verb cmd_sweep;
extern const struct cli_verb cmd_tape_cut;
extern const struct cli_verb cmd_tape_export;
extern const struct cli_verb cmd_tape_info;
extern const struct cli_verb cmd_tape_merge;
extern const struct cli_verb cmd_tape_verify;
extern const struct cli_verb cmd_train;
extern const struct cli_verb cmd_vclock_calibrate;
extern const struct cli_verb cmd_vclock_info;
extern const struct cli_verb cmd_vclock_run;
extern const struct cli_verb cmd_verify;

const struct cli_verb *const cli_verbs[] = {
    &cmd_backtest,
    &cmd_bench,
    &cmd_book,
    &cmd_dataset,
    &cmd_doctor,
    &cmd_estimate,
    &cmd_features_ablate,
    &cmd_features_explain,
    &cmd_features_list,
    &cmd_features_report,
    &cmd_features_run,
    &cmd_features_select,
    &cmd_fills,
    &cmd_generate,
    &cmd_import,
    &cmd_latency_fit,
    &cmd_models_list,
    &cmd_models_show,
    &cmd_models_verify,
    &cmd_orders,
    &cmd_queue_compare,
    &cmd_queue_fit,
    &cmd_report,
    &cmd_run,
    &cmd_show_config,
    &cmd_stress,
    &cmd_sweep,
    &cmd_tape_cut,
    &cmd_tape_export,
    &cmd_tape_info,
    &cmd_tape_merge,
    &cmd_tape_verify,
    &cmd_train,
    &cmd_vclock_calibrate,
    &cmd_vclock_info,
    &cmd_vclock_run,
    &cmd_verify,
    NULL,
};
