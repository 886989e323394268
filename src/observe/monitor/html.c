#include "observe/monitor/html.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

void html_init(struct html *h) { memset(h, 0, sizeof *h); }

void html_fini(struct html *h) {
    free(h->text);
    memset(h, 0, sizeof *h);
}

static bool room(struct html *h, size_t n) {
    if (h->full || h->len + n + 1 > HTML_MAX) {
        h->full = true;
        return false;
    }
    if (h->len + n + 1 > h->cap) {
        size_t cap = h->cap ? h->cap : 65536;
        while (cap < h->len + n + 1) cap *= 2;
        char *text = realloc(h->text, cap);
        CHECK(text != NULL);
        h->text = text;
        h->cap = cap;
    }
    return true;
}

void html_put(struct html *h, const char *fmt, ...) {
    char small[512];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    CHECK(n >= 0);
    if (room(h, (size_t)n)) {
        if ((size_t)n < sizeof small) {
            memcpy(h->text + h->len, small, (size_t)n + 1);
        } else {
            vsnprintf(h->text + h->len, (size_t)n + 1, fmt, again);
        }
        h->len += (size_t)n;
    }
    va_end(again);
}

void html_text(struct html *h, const char *s) {
    for (; *s; s++) {
        switch (*s) {
        case '&': html_put(h, "&amp;"); break;
        case '<': html_put(h, "&lt;"); break;
        case '>': html_put(h, "&gt;"); break;
        case '"': html_put(h, "&quot;"); break;
        case '\'': html_put(h, "&#39;"); break;
        default:
            if (!room(h, 1)) return;
            h->text[h->len++] = (unsigned char)*s < 0x20 && *s != '\n' && *s != '\t' ? '?' : *s;
            h->text[h->len] = 0;
        }
    }
}
