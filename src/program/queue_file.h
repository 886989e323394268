/* queue_file.h: a fitted queue model on disk, as `fathom queue fit` writes it.
 *
 *   # fathom queue fit 1
 *   model,power,cancels,log_likelihood
 *   power,1.437,20153,-312.7
 */
#ifndef FATHOM_PROGRAM_QUEUE_FILE_H
#define FATHOM_PROGRAM_QUEUE_FILE_H

#include <stddef.h>

#include "base/err.h"
#include "execute/sim/queue.h"

/* Sets model and power of *q. ERR_INPUT: no such file, or one that is none. */
MUST_USE err_t queue_file_read(const char *path, struct queue_spec *q, struct err_info *e);
MUST_USE err_t queue_file_write(const char *path, const struct queue_spec *q, size_t cancels,
    double log_likelihood, bool force, struct err_info *e);

#endif
