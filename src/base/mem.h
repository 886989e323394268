/* mem.h: heap memory for set-up and edge modules; never returns NULL.
 *
 * Out of memory ends the process with a message and exit code 4: a half-built state is never used.
 * derive/ and execute/ have no heap; files are whole or absent (file.h), so ending here loses
 * nothing that was complete.
 */
#ifndef FATHOM_BASE_MEM_H
#define FATHOM_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes); /* zeroed */
void *mem_grow(void *old, size_t bytes);
char *mem_text(const char *s, size_t n); /* copy with a NUL */

/* A large block in huge pages where the system has them: many blocks that are used by turns then
 * need few entries of the page table. Aligned 2 MiB, freed by free; NULL: no memory. */
void *mem_huge(size_t bytes);

/* Room for one more of `width` bytes in an array that doubles: returns the new array. */
void *mem_array(void *old, size_t used, size_t *cap, size_t width);

#endif
