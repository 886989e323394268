/* latency_file.h: latency models on disk: recorded stamps and fitted tables.
 *
 *   stamps.csv   header `req_ns,venue_ns,resp_ns`, one order a row, by rising req_ns; venue_ns 0 =
 *                rejected before the matching engine
 *   fit.csv      line `# fathom latency fit 1`, header `way,rate_to,samples,p0,...,p1`, rows of way
 *                `entry` and `response` by rising rate_to, quantiles in ns
 *
 * Time       ns since 1970; req and resp by our clock, venue by the venue's.
 * Ownership  rows belong to the caller: latency_rows_free.
 * Why        the offset of the two clocks in recorded stamps is taken out as NTP does it (RFC 5905,
 *            section 8): half the difference of the fastest way there and the fastest way back. How
 *            unequal the two ways are cannot be told from stamps of two clocks; their sum can.
 */
#ifndef FATHOM_PROGRAM_LATENCY_FILE_H
#define FATHOM_PROGRAM_LATENCY_FILE_H

#include "base/err.h"
#include "execute/sim/latency.h"

struct latency_rows {
    struct latency_row *rows, *by_req, *by_venue; /* venue stamps on our clock, see offset_ns */
    size_t n, n_good;
    int64_t offset_ns; /* our clock less the venue's, removed; 0 where it was left in */
};

/* `raw`: the clocks are left as they are (the anchor's way). ERR_INPUT names file, line and what is
 * wrong: no such columns, a stamp that is no nanoseconds, time running backwards, an answer before
 * its request, no accepted row; without `raw` also a venue stamp that no offset can explain. */
MUST_USE err_t latency_rows_read(
    const char *path, bool raw, struct latency_rows *out, struct err_info *e);
void latency_rows_free(struct latency_rows *r);

MUST_USE err_t latency_fit_read(const char *path, struct latency_fit *out, struct err_info *e);
MUST_USE err_t latency_fit_write(
    const char *path, const struct latency_fit *fit, bool force, struct err_info *e);

#endif
