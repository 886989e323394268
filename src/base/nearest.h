/* nearest.h: the known word a person probably meant (edit distance, swaps of neighbours count one).
 */
#ifndef FATHOM_BASE_NEAREST_H
#define FATHOM_BASE_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_MAX = 128, NEAREST_DISTANCE_MAX = 3 };

/* Fewest insertions, deletions, replacements and swaps of neighbours that turn a into b, no letter
 * edited twice (optimal string alignment). Both at most NEAREST_WORD_MAX long. */
size_t edit_distance(const char *a, const char *b);

/* The first nearest of known[0..n): distance at most NEAREST_DISTANCE_MAX and less than the length
 * of either word; NULL if none. */
const char *nearest(const char *word, const char *const *known, size_t n);

#endif
