/* sampler.h: a series of any length as at most SAMPLER_MAX evenly spread points, in flat memory.
 *
 * Keeps every stride-th row; when full it drops every second point and doubles the stride. The last
 * row is always there at the end.
 */
#ifndef FATHOM_PROGRAM_SAMPLER_H
#define FATHOM_PROGRAM_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

enum { SAMPLER_MAX = 1500, SAMPLER_COLUMNS = 6 };

struct sampler {
    uint64_t seen, stride;
    size_t points;
    double row[SAMPLER_MAX + 1][SAMPLER_COLUMNS];
    double last[SAMPLER_COLUMNS];
};

void sampler_init(struct sampler *s);
void sampler_add(struct sampler *s, const double row[SAMPLER_COLUMNS]);
/* Appends the last row if it is not there; call once before reading. */
void sampler_end(struct sampler *s);

#endif
