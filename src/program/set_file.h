/* set_file.h: named feature sets in files (docs/formats/feature-set.md), and the text of a set.
 *
 * A set is given as a name ("core", "book+ofi") or as a file that `fathom features select` wrote;
 * with a file, every name, version and window and the signature must be those of this program.
 * Ownership  texts returned are the caller's to free.
 */
#ifndef FATHOM_PROGRAM_SET_FILE_H
#define FATHOM_PROGRAM_SET_FILE_H

#include "base/err.h"
#include "base/json_out.h"
#include "derive/feature/feature.h"

/* True if the words of a set name a file: they hold '/' or end in ".json". */
bool set_file_named(const char *set);
/* "core" and "z:500" become "core@z:500"; a file becomes the names inside it, with its scaling
 * where `scale` is NULL or "". ERR_USAGE: scaled twice, a bad scaling. ERR_INPUT: a damaged file,
 * or one of other features than this program's. */
MUST_USE err_t set_text(const char *set, const char *scale, char **out, struct err_info *e);
/* set_text and feature_set_parse in one; `out` may be NULL where only the text is wanted. */
MUST_USE err_t set_of(
    const char *set, const char *scale, struct feature_set *out, char **text, struct err_info *e);
/* ERR_USAGE: the word is no set, family or feature; names the nearest one. */
MUST_USE err_t set_unknown(const char *word, struct err_info *e);
/* The members `name`, `signature`, `scale` and `features` of an open object. */
void set_file_members(struct json_out *j, const char *name, const struct feature_set *set);
/* "none", "z:500", "quantile:500:session". */
void set_scale_text(const struct feature_scale *s, char out[32]);

#endif
