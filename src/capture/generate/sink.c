#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "capture/generate/generate_internal.h"

bool sink_open(struct sink *s, FILE *file) {
    memset(s, 0, offsetof(struct sink, in));
    s->file = file;
    /* level 1: the file is read once more than it is written; 15 + 16: gzip header */
    s->open = deflateInit2(&s->z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    return s->open;
}

static void flush(struct sink *s, int mode) {
    s->hash = hash64(s->hash, s->in, s->filled);
    s->z.next_in = s->in;
    s->z.avail_in = (uInt)s->filled;
    s->filled = 0;
    do {
        s->z.next_out = s->out;
        s->z.avail_out = SINK_CHUNK;
        int got = deflate(&s->z, mode);
        CHECK(got == Z_OK || got == Z_STREAM_END || got == Z_BUF_ERROR);
        size_t n = SINK_CHUNK - s->z.avail_out;
        s->gz_bytes += n;
        if (fwrite(s->out, 1, n, s->file) != n) s->failed = true;
    } while (s->z.avail_out == 0);
}

static void put(struct sink *s, const char *bytes, size_t n) {
    s->raw_bytes += n;
    while (n > 0) {
        size_t room = SINK_CHUNK - s->filled, take = n < room ? n : room;
        memcpy(s->in + s->filled, bytes, take);
        s->filled += take;
        bytes += take;
        n -= take;
        if (s->filled == SINK_CHUNK) flush(s, Z_NO_FLUSH);
    }
}

void sink_line(struct sink *s, int64_t local_ns, const struct text *t) {
    char stamp[24];
    int n = 0, m = 0;
    char back[24] = {0};
    CHECK(local_ns > 0);
    for (int64_t v = local_ns; v > 0; v /= 10) back[n++] = (char)('0' + v % 10);
    while (n > 0) stamp[m++] = back[--n];
    stamp[m++] = ' ';
    put(s, stamp, (size_t)m);
    put(s, t->s, t->n);
    put(s, "\n", 1);
    s->lines++;
}

bool sink_close(struct sink *s) {
    if (!s->open) return false;
    flush(s, Z_FINISH);
    deflateEnd(&s->z);
    s->open = false;
    return !s->failed && fflush(s->file) == 0;
}
