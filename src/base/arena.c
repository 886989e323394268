#include "base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/check.h"

enum { ALIGN_MAX = 4096 };

err_t arena_open(struct arena *a, size_t bytes, struct err_info *e) {
    if (bytes == 0 || bytes > ARENA_BYTES_MAX) {
        return err_set(e, ERR_USAGE, "an arena of %zu bytes: 1 to 2^40 are possible", bytes);
    }
    void *block = mmap(
        NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (block == MAP_FAILED) {
        return err_set_errno(e, errno, "%zu bytes of memory for the engine", bytes);
    }
    *a = (struct arena){.block = block, .bytes = bytes};
    return ERR_OK;
}

void arena_close(struct arena *a) {
    if (a->block) CHECK(munmap(a->block, a->bytes) == 0);
    *a = (struct arena){0};
}

void arena_seal(struct arena *a) { a->sealed = true; }

err_t arena_take(struct arena *a, void **out, size_t count, size_t width, size_t align,
    const char *what, struct err_info *e) {
    size_t bytes;
    CHECK(!a->sealed);
    CHECK(align > 0 && align <= ALIGN_MAX && (align & (align - 1)) == 0);
    size_t at = (a->used + align - 1) & ~(align - 1);
    if (__builtin_mul_overflow(count, width, &bytes) || at > a->bytes || bytes > a->bytes - at) {
        return err_set(e, ERR_FULL,
            "the engine's memory of %zu bytes is full: %s needs %zu x %zu more; raise its size in "
            "the configuration",
            a->bytes, what, count, width);
    }
    a->used = at + bytes;
    *out = a->block + at;
    return ERR_OK;
}
