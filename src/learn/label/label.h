/* label.h: forward-looking targets of closed buckets, each with the time it becomes known.
 *
 *   bars t, t+1, ... -> label of row t: what the price did after the close of t
 *   |---- features see up to here ----| close t |==== the label's span ====| known
 *
 * Units      value = log return per second of the span (next, horizon) or to the touch (barrier);
 *            move = the log return itself; prices in quote units; thresholds on |value|.
 * Time       known_ns and known_row: close of the first bucket at which the label is certain.
 *            A row may train a model only if its label is known before the first tested row.
 * Missing    value NaN, klass LABEL_NONE: no price, a gap inside the span, or data ended first.
 * Invariant  a label depends only on rows in (t, known_row]: truncating later rows changes nothing.
 * Why        returns are per second because volume buckets differ in length (LAB1).
 */
#ifndef FATHOM_LEARN_LABEL_LABEL_H
#define FATHOM_LEARN_LABEL_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum label_kind { LABEL_NEXT = 0, LABEL_HORIZON = 1, LABEL_BARRIER = 2 };
enum label_class { LABEL_DOWN = 0, LABEL_FLAT = 1, LABEL_UP = 2, LABEL_NONE = 255 };

struct label_spec {
    enum label_kind kind;
    int64_t buckets;    /* next: length in buckets */
    int64_t horizon_ns; /* horizon: length; barrier: timeout */
    double threshold;   /* class threshold on |value|, 1/s (not used by barrier) */
    bool adaptive;      /* threshold fitted on training rows (label_threshold_fit) */
    double target_bps, stop_bps;
};

/* One closed bucket as labels see it. */
struct label_bar {
    int64_t bucket_id;
    int64_t open_ns, close_ns;
    double px;        /* mid at the close (books) or close price (bars); NaN if unknown */
    double high, low; /* extremes the barrier is tested against; NaN: px alone */
    uint64_t gapped;  /* the recording broke inside this bucket */
};
_Static_assert(sizeof(struct label_bar) == 56, "stored in meta.npy");

struct label {
    double value;      /* log return per second */
    double move;       /* log return */
    int64_t known_row; /* index of the row at whose close the label is known; -1 if missing */
    int64_t known_ns;
    int32_t klass; /* by spec.threshold, or the barrier touched; enum label_class */
    int32_t pad;
};
_Static_assert(sizeof(struct label) == 40, "stored in labels.npy");

/* "next", "horizon", "barrier"; false if unknown. */
bool label_kind_parse(const char *text, enum label_kind *out);
const char *label_kind_name(enum label_kind kind);

/* "next=5", "horizon=60", "barrier=3600,20,10" (timeout s, target bps, stop bps), each with an
 * optional ",threshold=X" or ",adaptive"; ERR_USAGE with the word that is wrong. */
MUST_USE err_t label_spec_parse(const char *text, struct label_spec *out, struct err_info *e);
void label_spec_text(const struct label_spec *spec, char *out, size_t size);

/* Fills out[n]. One pass for next and horizon; barriers cost the length of their path. */
void label_make(
    const struct label_spec *spec, const struct label_bar *bar, size_t n, struct label *out);

/* Class of a value: |value| <= threshold is flat. NaN gives LABEL_NONE. */
int32_t label_class(double value, double threshold);

/* The threshold that splits these values into about equal thirds: the 1/3 quantile of |value|
 * (NaN skipped; 0 if there is none). `value` is not changed. Heap inside. */
double label_threshold_fit(const double *value, size_t n);

#endif
