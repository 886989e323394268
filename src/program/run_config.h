/* run_config.h: the one configuration schema of `fathom run`, `backtest`, `train` and `dataset`.
 *
 * The table is the manual: docs/configuration.md is generated from it. Every default that comes
 * from a document names its source.
 */
#ifndef FATHOM_PROGRAM_RUN_CONFIG_H
#define FATHOM_PROGRAM_RUN_CONFIG_H

#include "base/config.h"

extern const struct config_key run_schema[];
extern const size_t run_schema_keys;

#endif
