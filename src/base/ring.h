/* ring.h: a bounded queue of fixed-size slots between one writer thread and one reader thread.
 *
 *   writer: ring_put ----> [slot|slot|slot|....] ----> reader: ring_peek, ring_drop
 *
 * Units      counts are slots; a slot is `width` bytes (64 for events, event.h).
 * Ownership  the memory is the caller's (arena.h): slots * width bytes, 64-byte aligned.
 * Threads    exactly one writer and one reader; each side may be another thread than the opener.
 * Invariant  0 <= written - read <= slots; slots appear to the reader whole and in order; a group
 * put in one call is seen at once or not at all. Limits     slots: a power of two. "Full" is a
 * result and a counter (`refused`), never a wait. Why        each side keeps its own copy of the
 * other's position on its own cache line and reads the shared one only when the copy says full or
 * empty.
 */
#ifndef FATHOM_BASE_RING_H
#define FATHOM_BASE_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CACHE_LINE = 64 };

struct ring {
    alignas(CACHE_LINE) _Atomic uint64_t written; /* the writer's line */
    uint64_t read_seen;
    _Atomic uint64_t refused;                  /* slots that did not fit */
    alignas(CACHE_LINE) _Atomic uint64_t read; /* the reader's line */
    uint64_t written_seen;
    alignas(CACHE_LINE) unsigned char *slot; /* constant after ring_init */
    uint64_t mask;
    size_t width;
};

void ring_init(struct ring *r, void *memory, size_t slots, size_t width);

/* Writer: all `n` slots or none; false (and counted) when they do not fit now. */
bool ring_put(struct ring *r, const void *slots, size_t n);

/* Reader: the oldest unread slots that lie in one piece (fewer than all at the wrap); 0 = empty.
 * They stay valid until ring_drop. */
size_t ring_peek(struct ring *r, const void **slots);
void ring_drop(struct ring *r, size_t n);

/* Either side, approximate while the other runs. */
size_t ring_unread(const struct ring *r);
uint64_t ring_refused(const struct ring *r);

#endif
