#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void) {
    static const char text[] =
        "fathom: out of memory: use a smaller input or a machine with more memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(4);
}

void *mem_alloc(size_t bytes) {
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p) out_of_memory();
    return p;
}

void *mem_grow(void *old, size_t bytes) {
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p) out_of_memory();
    return p;
}

char *mem_text(const char *s, size_t n) {
    char *p = mem_alloc(n + 1);
    memcpy(p, s, n);
    return p;
}

void *mem_array(void *old, size_t used, size_t *cap, size_t width) {
    if (used < *cap) return old;
    size_t bytes, next = *cap ? *cap * 2 : 16;
    if (__builtin_mul_overflow(next, width, &bytes)) out_of_memory();
    *cap = next;
    return mem_grow(old, bytes);
}

void *mem_huge(size_t bytes) {
    const size_t page = (size_t)2 << 20;
    bytes = (bytes + page - 1) & ~(page - 1);
    void *p = aligned_alloc(page, bytes);
#ifdef MADV_HUGEPAGE
    if (p)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* a hint: refused, it is a block like any other */
#endif
    return p;
}
