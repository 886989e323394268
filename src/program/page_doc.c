#include "program/page_doc.h"

#include <stdarg.h>
#include <stdio.h>

enum { SENTENCE_MAX = 1024 };

void page_say(struct json_out *j, const char *fmt, ...) {
    char t[SENTENCE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_str(j, t);
}

void page_key(struct json_out *j, const char *key, const char *fmt, ...) {
    char t[SENTENCE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_kstr(j, key, t);
}

void page_card(struct json_out *j, const char *label, const char *note, const char *fmt, ...) {
    char t[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    json_object(j);
    json_kstr(j, "label", label);
    json_kstr(j, "value", t);
    json_kstr(j, "note", note);
    json_object_end(j);
}

double page_hours(const struct matrix *m) {
    return (double)(m->bar[m->rows - 1].close_ns - m->bar[0].open_ns) / 3.6e12;
}
