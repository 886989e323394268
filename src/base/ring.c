#include "base/ring.h"

#include <string.h>

#include "base/check.h"

void ring_init(struct ring *r, void *memory, size_t slots, size_t width) {
    CHECK(slots > 0 && (slots & (slots - 1)) == 0);
    CHECK(width > 0);
    CHECK((uintptr_t)memory % CACHE_LINE == 0);
    atomic_init(&r->written, 0);
    atomic_init(&r->read, 0);
    atomic_init(&r->refused, 0);
    r->read_seen = r->written_seen = 0;
    r->slot = memory;
    r->mask = slots - 1;
    r->width = width;
}

static void copy_in(struct ring *r, uint64_t at, const unsigned char *from, size_t n) {
    size_t first = (size_t)(at & r->mask), till_end = (size_t)r->mask + 1 - first;
    size_t head = n < till_end ? n : till_end;
    memcpy(r->slot + first * r->width, from, head * r->width);
    if (n > head) memcpy(r->slot, from + head * r->width, (n - head) * r->width);
}

bool ring_put(struct ring *r, const void *slots, size_t n) {
    uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    uint64_t room = r->mask + 1 - (at - r->read_seen);
    if (room < n) {
        r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
        room = r->mask + 1 - (at - r->read_seen);
    }
    if (room < n) {
        atomic_fetch_add_explicit(&r->refused, n, memory_order_relaxed);
        return false;
    }
    copy_in(r, at, slots, n);
    atomic_store_explicit(&r->written, at + n, memory_order_release);
    return true;
}

size_t ring_peek(struct ring *r, const void **slots) {
    uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    if (r->written_seen == at) {
        r->written_seen = atomic_load_explicit(&r->written, memory_order_acquire);
    }
    size_t first = (size_t)(at & r->mask), till_end = (size_t)r->mask + 1 - first;
    size_t unread = (size_t)(r->written_seen - at);
    *slots = r->slot + first * r->width;
    return unread < till_end ? unread : till_end;
}

void ring_drop(struct ring *r, size_t n) {
    uint64_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
    CHECK(n <= r->written_seen - at);
    atomic_store_explicit(&r->read, at + n, memory_order_release);
}

size_t ring_unread(const struct ring *r) {
    /* read first: a later `written` can only make the difference larger, never negative */
    uint64_t read = atomic_load_explicit(&r->read, memory_order_acquire);
    return (size_t)(atomic_load_explicit(&r->written, memory_order_acquire) - read);
}

uint64_t ring_refused(const struct ring *r) {
    return atomic_load_explicit(&r->refused, memory_order_relaxed);
}
