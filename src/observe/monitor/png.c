#include "observe/monitor/png.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/mem.h"

struct bytes {
    unsigned char *at;
    size_t n;
};

static void put32(unsigned char *out, uint32_t v) {
    for (int k = 0; k < 4; k++) out[k] = (unsigned char)(v >> (24 - 8 * k));
}

static void chunk(struct bytes *b, const char *type, const void *data, size_t n) {
    put32(b->at + b->n, (uint32_t)n);
    memcpy(b->at + b->n + 4, type, 4);
    if (n) memcpy(b->at + b->n + 8, data, n);
    put32(b->at + b->n + 8 + n, (uint32_t)crc32(0, b->at + b->n + 4, (uInt)(n + 4)));
    b->n += n + 12;
}

void png_data_uri(struct html *h, const uint8_t *index, uint32_t width, uint32_t height,
    const uint8_t palette[768]) {
    size_t raw_n = (size_t)height * (width + 1);
    uLongf packed_n = compressBound(raw_n);
    unsigned char *raw = mem_alloc(raw_n + 1), *packed = mem_alloc(packed_n);
    for (size_t y = 0; y < height; y++) /* filter byte 0, then the row */
        memcpy(raw + y * (width + 1) + 1, index + y * width, width);
    CHECK(compress2(packed, &packed_n, raw, raw_n, 9) == Z_OK);
    struct bytes b = {mem_alloc(packed_n + 1024), 0};
    static const unsigned char magic[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    unsigned char head[13] = {0};
    memcpy(b.at, magic, sizeof magic);
    b.n = sizeof magic;
    put32(head, width);
    put32(head + 4, height);
    head[8] = 8; /* bits */
    head[9] = 3; /* palette */
    chunk(&b, "IHDR", head, sizeof head);
    chunk(&b, "PLTE", palette, 768);
    chunk(&b, "IDAT", packed, packed_n);
    chunk(&b, "IEND", NULL, 0);
    char *text = mem_alloc(base64_size(b.n) + 1);
    base64_encode(b.at, b.n, text);
    html_put(h, "data:image/png;base64,");
    html_put(h, "%s", text);
    free(text);
    free(b.at);
    free(packed);
    free(raw);
}
