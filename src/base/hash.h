/* hash.h: the running 64-bit hash of every stage (XXH3, seeded with the hash so far).
 *
 * Eight bytes of state, so it is saved and restored with the stage it belongs to. It names a
 * result; it is no protection against an adversary.
 */
#ifndef FATHOM_BASE_HASH_H
#define FATHOM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash after n more bytes; start from 0. */
uint64_t hash64(uint64_t before, const void *bytes, size_t n);

/* 16 lower-case hex digits and a NUL. */
void hash64_text(uint64_t h, char out[17]);

#endif
