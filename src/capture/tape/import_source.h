/* import_source.h: the bytes of an input file -> its lines, whatever it is packed in.
 *
 *   plain | gzip (also several members) | zip with one file  ->  import_source_line ...
 *
 * Units      offsets are bytes of the file as it lies on disk; line numbers count from 1.
 * Ownership  a line's text stays valid until the next call on the same source; the 64 bytes after
 *            it may be read (zero or old text), so that a scanner may load whole words.
 * Invariant  memory does not grow with the file: one buffer of IMPORT_LINE_MAX + a read.
 * Limits     a line longer than IMPORT_LINE_MAX comes out cut, marked, and is read to its end.
 * Why        a torn download keeps all whole lines before the tear; the tear is named by offset.
 */
#ifndef FATHOM_CAPTURE_TAPE_IMPORT_SOURCE_H
#define FATHOM_CAPTURE_TAPE_IMPORT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* An exchangeInfo of every symbol is the longest honest line: 1.5 MB seen; four times that. */
enum { IMPORT_LINE_MAX = 6 << 20, IMPORT_PAD = 64 };

struct import_source;

struct import_line {
    const char *text; /* no newline, no carriage return before it; not NUL-terminated */
    size_t len;
    uint64_t number;
    bool cut;  /* longer than IMPORT_LINE_MAX */
    bool open; /* the file ends in it: no line end, perhaps torn */
};

/* ERR_RESOURCE: no such file, no permission. ERR_INPUT: not what its name says, or no regular file
 * (its first lines are read more than once). */
MUST_USE err_t import_source_open(struct import_source **out, const char *path, struct err_info *e);
void import_source_close(struct import_source *s);

/* ERR_END after the last line. ERR_INPUT: packed data torn or damaged; every whole line before it
 * was delivered, a line it cuts is not. */
MUST_USE err_t import_source_line(
    struct import_source *s, struct import_line *line, struct err_info *e);

uint64_t import_source_offset(const struct import_source *s); /* bytes of the file consumed */
uint64_t import_source_bytes(const struct import_source *s);  /* size of the file */

#endif
