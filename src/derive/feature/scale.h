/* scale.h: rolling scaling of feature columns, fitted on the past only (FEA16).
 *
 *   row k -> z or rank of its value among the W rows before it -> then row k enters the window
 *
 * z          (x - mean) / standard deviation (n - 1) of the window's values; no spread: 0 where x
 * is the window's one value, else missing. quantile   (values below x + half of those equal to x) /
 * values: the mid-rank, 0..1. Units      none; the input is the column's float32 value. Window rows
 * of the column's session (feature_session) or of all; a missing row keeps its place. Missing until
 * W rows have followed the column's first value in that session, and where fewer than half of the
 * window's rows hold a value. Exactness  sums are integers as wide as float32 and its square need,
 * so nothing drifts and a value depends on the window's rows only, bit for bit. Cost       z:
 * constant; quantile: a search of log2(W) steps and one move within W floats. Ownership  the caller
 * gives memory (aligned 8); it holds no pointers and may be copied. Limits
 * SCALE_WINDOW_MIN..SCALE_WINDOW_MAX rows.
 */
#ifndef FATHOM_DERIVE_FEATURE_SCALE_H
#define FATHOM_DERIVE_FEATURE_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include "derive/feature/feature.h"

enum { SCALE_VERSION = 1 }; /* part of a scaled set's signature: raise it with the formulas */

struct scaler;

size_t scaler_mem_size(const struct feature_scale *scale, size_t columns);
struct scaler *scaler_init(void *mem, const struct feature_scale *scale, size_t columns);
/* Scales `n = columns` values of one row in place (NaN = missing), then takes them into the window
 * of `session` (0..FEATURE_SESSIONS-1; all one where the scale is not by session). */
void scaler_row(struct scaler *s, size_t session, double *values);

#endif
