#include "program/sampler.h"

#include <string.h>

void sampler_init(struct sampler *s) {
    s->seen = 0;
    s->stride = 1;
    s->points = 0;
}

void sampler_add(struct sampler *s, const double row[SAMPLER_COLUMNS]) {
    memcpy(s->last, row, sizeof s->last);
    if (s->seen++ % s->stride != 0) return;
    if (s->points == SAMPLER_MAX) {
        for (size_t i = 0; 2 * i < SAMPLER_MAX; i++) {
            memmove(s->row[i], s->row[2 * i], sizeof s->row[0]);
        }
        s->points = SAMPLER_MAX / 2;
        s->stride *= 2;
        if ((s->seen - 1) % s->stride != 0) return;
    }
    memcpy(s->row[s->points++], row, sizeof s->row[0]);
}

void sampler_end(struct sampler *s) {
    if (s->seen == 0) return;
    if ((s->seen - 1) % s->stride == 0) return;
    memcpy(s->row[s->points++], s->last, sizeof s->row[0]);
}
