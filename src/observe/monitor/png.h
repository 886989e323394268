/* png.h: a small picture inside a page: 8-bit palette PNG as a data URI. */
#ifndef FATHOM_OBSERVE_MONITOR_PNG_H
#define FATHOM_OBSERVE_MONITOR_PNG_H

#include <stdint.h>

#include "observe/monitor/html.h"

/* Writes "data:image/png;base64,..." of width x height palette indices; palette: 256 x RGB. */
void png_data_uri(struct html *h, const uint8_t *index, uint32_t width, uint32_t height,
    const uint8_t palette[768]);

#endif
