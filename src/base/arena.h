/* arena.h: memory taken once at the start, from one block sized by configuration.
 *
 *   arena_open(bytes) -> arena_take ... -> arena_seal -> events -> arena_close
 *
 * Ownership  everything taken lives until arena_close; nothing is given back singly.
 * Threads    one until sealed; what was taken belongs to whoever took it.
 * Invariant  after arena_seal a take is our bug (CHECK): no allocation behind the first event.
 * Limits     ARENA_BYTES_MAX. "Full" is ERR_FULL, with the size that would have done.
 * Why        pages are touched at open, so that the path never waits for the kernel to find one.
 */
#ifndef FATHOM_BASE_ARENA_H
#define FATHOM_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ARENA_BYTES_MAX ((size_t)1 << 40)

struct arena {
    unsigned char *block;
    size_t used, bytes;
    bool sealed;
};

MUST_USE err_t arena_open(struct arena *a, size_t bytes, struct err_info *e);
void arena_close(struct arena *a);
void arena_seal(struct arena *a);

/* `count` x `width` zeroed bytes at a multiple of `align` (a power of two up to 4096). `what` names
 * the taker in the error. */
MUST_USE err_t arena_take(struct arena *a, void **out, size_t count, size_t width, size_t align,
    const char *what, struct err_info *e);

#endif
