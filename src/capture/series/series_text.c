/* Times and fields of foreign tables. */
#include <string.h>

#include "capture/series/series_internal.h"
#include "capture/tape/import_csv.h"

enum { DATE = 10, DATE_TIME = 19, FRACTION_MAX = 9 };

/* "Z", "+HH:MM", "-HHMM": minutes east of UTC. */
static bool zone(const char *s, size_t n, int64_t *minutes) {
    *minutes = 0;
    if (n == 0 || (n == 1 && s[0] == 'Z')) return true;
    if ((s[0] != '+' && s[0] != '-') || (n != 5 && n != 6) || (n == 6 && s[3] != ':')) return false;
    const char digit[4] = {s[1], s[2], s[n - 2], s[n - 1]};
    for (int i = 0; i < 4; i++) {
        if (digit[i] < '0' || digit[i] > '9') return false;
    }
    int64_t h = (digit[0] - '0') * 10 + digit[1] - '0', m = (digit[2] - '0') * 10 + digit[3] - '0';
    if (h > 14 || m > 59) return false;
    *minutes = s[0] == '-' ? -(h * 60 + m) : h * 60 + m;
    return true;
}

bool series_time(const char *s, size_t n, int64_t *ns) {
    char text[DATE_TIME];
    int64_t unit, at, east, part = 0;
    if (import_stamp(s, n, ns, &unit)) return true;
    if (n < DATE) return false;
    memcpy(text, s, DATE);
    memcpy(text + DATE, " 00:00:00", DATE_TIME - DATE);
    if (n > DATE && n < DATE_TIME) return false;
    if (n >= DATE_TIME) memcpy(text, s, DATE_TIME);
    if (!import_date_time(text, DATE_TIME, &at)) return false;
    size_t i = n >= DATE_TIME ? DATE_TIME : n;
    if (i < n && s[i] == '.') {
        int64_t scale = NS_PER_S;
        size_t from = ++i;
        for (; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
            scale /= 10;
            part += (s[i] - '0') * scale;
        }
        if (i == from || i - from > FRACTION_MAX) return false;
    }
    if (!zone(s + i, n - i, &east)) return false;
    *ns = at + part - east * 60 * NS_PER_S;
    return *ns > 0;
}

bool series_time_text(const char *text, int64_t *ns) { return series_time(text, strlen(text), ns); }

size_t series_csv_split(const char *line, size_t len, struct series_field *out, size_t max) {
    size_t n = 0, i = 0;
    for (;;) {
        size_t from = i;
        if (n == max) return 0;
        if (i < len && line[i] == '"') {
            const char *end = memchr(line + i + 1, '"', len - i - 1);
            if (!end) return 0;
            out[n++] = (struct series_field){line + from + 1, (size_t)(end - line) - from - 1};
            i = (size_t)(end - line) + 1;
            if (i < len && line[i] != ',') return 0;
        } else {
            const char *end = memchr(line + i, ',', len - i);
            i = end ? (size_t)(end - line) : len;
            while (from < i && line[from] == ' ') from++;
            size_t to = i;
            while (to > from && line[to - 1] == ' ') to--;
            out[n++] = (struct series_field){line + from, to - from};
        }
        if (i >= len) return n;
        i++; /* the comma */
    }
}
