/* page_doc.h: the pieces that every result document with a page has: sentences and cards. */
#ifndef FATHOM_PROGRAM_PAGE_DOC_H
#define FATHOM_PROGRAM_PAGE_DOC_H

#include "base/json_out.h"
#include "learn/dataset/dataset.h"

/* A sentence of an open array. */
__attribute__((format(printf, 2, 3))) void page_say(struct json_out *j, const char *fmt, ...);
/* A sentence under a key of an open object. */
__attribute__((format(printf, 3, 4))) void page_key(
    struct json_out *j, const char *key, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void page_card(
    struct json_out *j, const char *label, const char *note, const char *fmt, ...);
/* Hours from the first bucket's open to the last one's close. */
double page_hours(const struct matrix *m);

#endif
