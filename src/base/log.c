#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/unit.h"

static void put(struct log_line *l, const char *s, size_t n) {
    if (l->cut) return;
    if (n > LOG_LINE_MAX - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static void put_text(struct log_line *l, const char *s) { put(l, s, strlen(s)); }

static bool is_plain(unsigned char c) {
    return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void put_escaped(struct log_line *l, unsigned char c) {
    char t[8];
    if (c == '"' || c == '\\') {
        put(l, (const char[]){'\\', (char)c}, 2);
    } else if (c < 0x20 || c >= 0x7f) {
        int n = snprintf(t, sizeof t, "\\x%02x", c);
        put(l, t, (size_t)n);
    } else {
        put(l, (const char *)&c, 1);
    }
}

void log_start(struct log_line *l, int64_t now_ns, enum log_level level, const char *what) {
    static const char *const name[] = {"debug", "info", "warn", "error"};
    char t[48];
    struct tm utc;
    int64_t below = now_ns % NS_PER_S;
    if (below < 0) below += NS_PER_S;
    time_t seconds = (time_t)((now_ns - below) / NS_PER_S);
    l->len = 0;
    l->cut = false;
    gmtime_r(&seconds, &utc);
    put(l, t, strftime(t, sizeof t, "%Y-%m-%dT%H:%M:%S", &utc));
    int n = snprintf(t, sizeof t, ".%09" PRId64 "Z %s ", below, name[level]);
    put(l, t, (size_t)n);
    put_text(l, what);
}

void log_strn(struct log_line *l, const char *key, const char *value, size_t n) {
    bool plain = n > 0;
    for (size_t i = 0; i < n && plain; i++) plain = is_plain((unsigned char)value[i]);
    put_text(l, " ");
    put_text(l, key);
    put_text(l, plain ? "=" : "=\"");
    if (plain) {
        put(l, value, n);
        return;
    }
    for (size_t i = 0; i < n; i++) put_escaped(l, (unsigned char)value[i]);
    put_text(l, "\"");
}

void log_str(struct log_line *l, const char *key, const char *value) {
    log_strn(l, key, value, strlen(value));
}

void log_int(struct log_line *l, const char *key, int64_t value) {
    char t[24];
    int n = snprintf(t, sizeof t, "%" PRId64, value);
    log_strn(l, key, t, (size_t)n);
}

void log_double(struct log_line *l, const char *key, double value) {
    char t[32];
    int n = snprintf(t, sizeof t, "%.9g", value);
    log_strn(l, key, t, (size_t)n);
}

void log_end(struct log_line *l, int fd) {
    /* the room behind LOG_LINE_MAX is for this */
    const char *tail = l->cut ? " cut=1\n" : "\n";
    memcpy(l->text + l->len, tail, strlen(tail));
    l->len += strlen(tail);
    ssize_t ignored = write(fd, l->text, l->len);
    (void)ignored;
}

int64_t log_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}
