/* latency.h: how long a request takes to the venue and an answer back.
 *
 *   request (NEW, CANCEL, MODIFY) --entry leg--> exchange --response leg--> us (ACK, FILL)
 *
 * Units      ns; rate: messages a second of the instrument (depth messages and prints).
 * Time       a request's leg is asked at the send time, an answer's at the exchange's time (axis).
 * Ownership  tables and rows belong to the caller. Threads: pure functions; the cursor is a seat's.
 * Invariant  a draw depends on the seed and on the seat's own count of requests (or answers) only:
 *            not on other seats, nor on what else was drawn. Buses never reorder: that is the
 *            world's clamp, not asked for here.
 * Models     CONSTANT: one number a leg.
 *            RECORDED: (request, venue, response) stamps, linear between rows, the nearest row's
 *              value outside. A row whose venue stamp is <= 0 is a reject before the matching
 *              engine. Correct rules: rejected rows are no knots; a request is rejected while the
 *              newest row at or before it is, and is told so after that row's round trip.
 *              `defects`: as hftbacktest does it: either neighbour rejected = rejected, after the
 *              interpolated round trip; rejected rows are knots of answers (and poison them);
 *              double arithmetic, truncated; cursors only move forward; a negative answer latency
 *              ends the run (there: an assertion). Outside the rows a rejected one gives
 *              0 - request stamp.
 *            FITTED: quantiles at LATENCY_POINTS probabilities a band of message rates, linear
 *              between them: inverse transform sampling (Devroye 1986, II.2).
 * Why        latency rises with load; a constant one is wrong exactly when it matters.
 */
#ifndef FATHOM_EXECUTE_SIM_LATENCY_H
#define FATHOM_EXECUTE_SIM_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum latency_kind { LATENCY_CONSTANT = 0, LATENCY_RECORDED = 1, LATENCY_FITTED = 2 };
enum latency_leg { LEG_NEW = 0, LEG_CANCEL, LEG_MODIFY, LEG_ACK, LEG_FILL, LEG_COUNT };
enum latency_way { WAY_ENTRY = 0, WAY_RESPONSE = 1 };

struct latency_row {
    int64_t req_ns, venue_ns, resp_ns;
};

enum { LATENCY_BANDS_MAX = 10, LATENCY_POINTS = 19 };
extern const double latency_p[LATENCY_POINTS]; /* 0 .. 1 */

struct latency_band {
    double rate_to; /* this band holds rates up to here; the last one all above, too */
    uint64_t samples;
    int64_t q_ns[LATENCY_POINTS]; /* never falls */
};
struct latency_fit {
    uint32_t bands[2]; /* by enum latency_way */
    struct latency_band band[2][LATENCY_BANDS_MAX];
};

struct latency_config {
    uint8_t kind; /* enum latency_kind */
    bool defects; /* RECORDED as the anchor does it */
    int64_t constant_ns[LEG_COUNT];
    double factor[LEG_COUNT];                    /* RECORDED, FITTED: times what the model says */
    const struct latency_row *rows;              /* by req_ns, rejected ones among them */
    const struct latency_row *by_req, *by_venue; /* accepted ones only; not read with `defects` */
    size_t n_rows, n_good;
    const struct latency_fit *fit;
    double reject_rate; /* requests refused before the matching engine */
    double lost_rate;   /* requests that never arrive: our side times out */
    uint64_t seed;
};

struct latency_cursor { /* of a seat; zeros at the start */
    size_t entry, response;
    uint64_t sent, heard;    /* numbers of the draws */
    uint64_t rejected, lost; /* requests that did not arrive */
};

enum latency_fate { FATE_ARRIVES = 0, FATE_REJECTED = 1, FATE_LOST = 2 };
struct latency_answer {
    enum latency_fate fate;
    int64_t ns; /* ARRIVES: until the exchange has it; REJECTED: until we hear of it */
};

struct latency_answer latency_entry(const struct latency_config *c, struct latency_cursor *at,
    enum latency_leg leg, double rate, int64_t now_ns);
/* False: the anchor's assertion (a negative latency of its interpolation). */
bool latency_response(const struct latency_config *c, struct latency_cursor *at,
    enum latency_leg leg, double rate, int64_t venue_ns, int64_t *ns);

/* Value of a band at probability u in [0, 1]. */
int64_t latency_quantile(const struct latency_band *b, double u);
const struct latency_band *latency_band_of(
    const struct latency_fit *f, enum latency_way way, double rate);
/* Uniform in (0, 1): a hash of (seed, stream, n), the same for ever (splitmix64's mixer). */
double latency_unit(uint64_t seed, uint64_t stream, uint64_t n);

/* Messages of the last second, in tenths. */
enum { LATENCY_RATE_SLOTS = 10 };
struct latency_rate {
    int64_t slot;
    uint32_t count[LATENCY_RATE_SLOTS], sum;
};
void latency_rate_see(struct latency_rate *r, int64_t ts_ns); /* times may fall: counted as now */
double latency_rate_at(const struct latency_rate *r, int64_t ts_ns);

#endif
