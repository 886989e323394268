/* html.h: a growing HTML buffer; what comes from data is escaped, always.
 *
 * Ownership  the text belongs to the buffer until html_fini.
 * Limits     HTML_MAX bytes; past it html_full() is true and the rest is dropped (the caller
 * fails).
 */
#ifndef FATHOM_OBSERVE_MONITOR_HTML_H
#define FATHOM_OBSERVE_MONITOR_HTML_H

#include <stdbool.h>
#include <stddef.h>

enum { HTML_MAX = 64 * 1024 * 1024 };

struct html {
    char *text;
    size_t len, cap;
    bool full;
};

void html_init(struct html *h);
void html_fini(struct html *h);
/* Trusted markup with printf arguments that are numbers or constants of ours. */
__attribute__((format(printf, 2, 3))) void html_put(struct html *h, const char *fmt, ...);
/* Text from data or configuration: & < > " ' become entities, control bytes '?'. */
void html_text(struct html *h, const char *s);

#endif
