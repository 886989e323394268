/* latency_fit.h: latencies of a tape's messages, and their distribution by message rate.
 *
 *   tape, pass 1 -> clock map (lower envelope) -> pass 2: local - venue - offset, rate -> bands
 *
 * Units      ns; rates in messages a second (depth messages and prints of the last second, as
 *            latency.h counts them for the simulated exchange).
 * Time       rates are counted at local time. Ownership: latency_survey_free.
 * Invariant  the fastest message of a window has latency 0: the base delay of the wire is in the
 *            offset, and cannot be told from it.
 * Limits     LATENCY_SAMPLES_MAX samples are kept: every 2^k-th message.
 */
#ifndef FATHOM_PROGRAM_LATENCY_FIT_H
#define FATHOM_PROGRAM_LATENCY_FIT_H

#include "base/err.h"
#include "base/instrument.h"
#include "execute/sim/clock_map.h"
#include "execute/sim/latency.h"

enum { LATENCY_SAMPLES_MAX = 1 << 22, LATENCY_BAND_LEAST = 200 };

struct latency_sample {
    int64_t ns;
    double rate;
};
struct latency_survey {
    struct clock_map clock;
    struct latency_sample *sample; /* in order of receipt */
    size_t n;
    uint64_t messages, stride, clipped; /* clipped: faster than the envelope, counted as 0 */
};

struct tape_reader;
/* Only the clock, from a reader at its start, to its end. window_ns as clock_map.h. */
MUST_USE err_t latency_survey_clock(struct tape_reader *r, uint16_t inst, int64_t window_ns,
    struct clock_map *out, struct err_info *e);
/* Both passes. */
MUST_USE err_t latency_survey_tape(const char *tape, uint16_t inst, int64_t window_ns,
    struct latency_survey *out, struct err_info *e);
void latency_survey_free(struct latency_survey *s);

/* Bands of equal counts by rate (at most `want`; equal rates stay together; each of at least
 * LATENCY_BAND_LEAST samples, if there are so many at all), quantiles by linear interpolation of
 * order statistics (Hyndman and Fan 1996, type 7). Reorders the samples. n > 0. */
uint32_t latency_bands(struct latency_sample *sample, size_t n, uint32_t want,
    struct latency_band out[LATENCY_BANDS_MAX]);

/* Largest distance between the samples' distribution function and the model's: each sample in the
 * band of its rate (table), and in a lognormal with the band's mean and deviation of ln(1 + ns)
 * (Kolmogorov 1933). Reorders the samples. */
struct latency_distance {
    double table, lognormal;
};
struct latency_distance latency_distance(struct latency_sample *sample, size_t n,
    const struct latency_band *band, uint32_t bands, uint32_t which);

/* A leg made of the feed's: quantiles a * q + b. */
void latency_affine(const struct latency_band *from, uint32_t bands, double a, double b_ns,
    struct latency_band *to);

#endif
