/* profile.h: what each column of a matrix looks like and what it says about what follows.
 *
 *   matrix -> per column: distribution, memory, drift, IC by horizon; together: many tests, map
 *
 * Units      drift and IC as in drift.h and ic.h; horizons in buckets: the label of a horizon is
 *            the log return per second over the next h buckets (label.h, "next=h").
 * Rows       all rows; what is not warm is missing already. First and second half: by row number.
 * Ownership  profile_free releases everything in it.
 * Why        one pass that reads no label of the dataset: the same page for every horizon.
 */
#ifndef FATHOM_LEARN_SELECT_PROFILE_H
#define FATHOM_LEARN_SELECT_PROFILE_H

#include "base/json_out.h"
#include "learn/dataset/dataset.h"
#include "learn/select/cluster.h"
#include "learn/study/ic.h"

enum {
    PROFILE_BINS = 24,
    PROFILE_LAGS = 30,
    PROFILE_SEGMENTS = 60,
    PROFILE_PARTS = 8, /* equal parts of the rows, each with an IC of its own */
    PROFILE_HORIZONS_MAX = 8,
    PROFILE_QUANTILES = 7 /* least, .01, .25, .5, .75, .99, largest */
};

struct profile_config {
    size_t horizon[PROFILE_HORIZONS_MAX], horizons; /* buckets; the first one is tested */
    size_t repeats;                                 /* of the bootstrap; 0 = no bands */
    double rate;                                    /* false discovery rate, .1 */
    double same;                                    /* |correlation| of one cluster, .9 */
    uint64_t seed;
    bool (*stop)(void);                                /* true: ERR_INTERRUPTED; NULL = never */
    void (*step)(void *user, size_t done, size_t all); /* progress; NULL = none */
    void *user;
};
struct profile_config profile_defaults(void);

struct profile_column {
    size_t values; /* rows with a value */
    double missing;
    double mean, sd, skew, kurtosis; /* population moments; kurtosis 3 = normal */
    double quantile[PROFILE_QUANTILES];
    double bin_from, bin_width, bin[PROFILE_BINS]; /* .01 .. .99; the ends hold what lies beyond */
    double autocorrelation[PROFILE_LAGS];          /* lags 1.. */
    double effective;                              /* rows, by its own memory (drift_effective) */
    double psi, ks, ks_p;                          /* second half against the first */
    double psi_day; /* largest PSI of a UTC day against the first one; NaN below two days */
    size_t days;
    struct ic_figures ic[PROFILE_HORIZONS_MAX];
    double rank_ic;                /* Spearman, first horizon */
    double part_ic[PROFILE_PARTS]; /* first horizon; NaN where a part has too few rows */
    double ic_ir;                  /* mean / standard deviation of part_ic; NaN below 3 of them */
    double same_sign;              /* share of part_ic with the sign of the whole */
    double fdr, bonferroni;        /* of ic[0].p over all columns */
    double segment[3][PROFILE_SEGMENTS]; /* least, mean, largest of equal spans of rows */
    uint32_t cluster;                    /* UINT32_MAX: says nothing (no values or no variance) */
};

struct profile {
    const struct matrix *m;
    struct profile_config cfg;
    size_t columns;
    struct profile_column *column;
    size_t tested, outside, by_chance;  /* |IC| outside its own no-skill band; expected by chance */
    size_t discoveries, strict;         /* at cfg.rate (BH), at .05 (Bonferroni) */
    double effective_median;            /* rows, of the tested columns' ICs */
    double block[PROFILE_HORIZONS_MAX]; /* rows, mean length of bootstrap blocks */
    size_t live;                        /* columns that vary */
    uint32_t *live_column;
    float *correlation; /* live x live */
    struct cluster_tree tree;
    size_t segments;                    /* used, at most PROFILE_SEGMENTS */
    double segment_s[PROFILE_SEGMENTS]; /* close of each span's last row, s since 1970 */
};

/* ERR_INPUT when the matrix has fewer than IC_LEAST rows. */
MUST_USE err_t profile_make(const struct matrix *m, const struct profile_config *cfg,
    struct profile *out, struct err_info *e);
void profile_free(struct profile *p);
/* Members of an open object (docs/formats/features-report.md): horizons, tests, columns, map. */
void profile_json(const struct profile *p, struct json_out *j);

#endif
