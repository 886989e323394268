/* series_fuzz.c: tables of external series. The first byte picks the reader: JSON (a document, one
 * under a path, lines), CSV fields with numbers and times. Whatever comes, a row is taken whole or
 * refused with a reason, rows settle without contradiction, and nothing is read beyond the end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "capture/series/series_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void settled(const struct series_session *s) {
    uint64_t refused = 0;
    for (int i = 0; i < SERIES_REASON_COUNT; i++) refused += s->report->rejected[i];
    CHECK(s->n + refused == s->report->rows);
    for (size_t i = 1; i < s->n; i++) {
        const struct series_row *a = &s->row[i - 1], *b = &s->row[i];
        CHECK(a->publish_ns <= b->publish_ns);
        CHECK(a->revision >= 0 && b->revision >= 0);
    }
}

static void json(struct series_desc *desc, const char *text, size_t n) {
    static const char *const files[] = {"fuzz"};
    struct series_report report = {0};
    struct series_options opt = {.files = files, .n_files = 1};
    struct err_info e;
    struct series_session s = {.opt = &opt, .report = &report, .desc = desc, .e = &e};
    series_read_json(&s, text, n);
    series_settle(&s);
    settled(&s);
    free(s.row);
}

static void csv(const char *line, size_t len) {
    struct series_field f[8];
    size_t n = series_csv_split(line, len, f, 8);
    for (size_t i = 0; i < n; i++) {
        struct external_number x;
        int64_t ns;
        CHECK(f[i].p >= line && f[i].p + f[i].n <= line + len);
        if (external_parse(f[i].p, f[i].n, &x)) {
            double v = external_double(x.mant, x.decimals);
            CHECK(v == v);
        }
        if (series_time(f[i].p, f[i].n, &ns)) CHECK(ns > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static struct series_desc desc = {
        .entry = {{.name = "a", .value = "v", .event = "t", .publish = "p", .delay_ns = -1},
            {.name = "b", .value = "1", .event = "0", .delay_ns = 1000, .ahead = true},
            {.name = "c", .value = "v", .event = "t", .revision = "r", .delay_ns = 0}},
        .n = 3};
    if (n < 1) return 0;
    char *text = malloc(n); /* its own block: a read past the end is seen */
    CHECK(text);
    memcpy(text, bytes + 1, n - 1);
    memset(desc.rows, 0, sizeof desc.rows);
    if (bytes[0] % 3 == 1) memcpy(desc.rows, "d.r", 3);
    if (bytes[0] % 3 == 2)
        csv(text, n - 1);
    else
        json(&desc, text, n - 1);
    free(text);
    return 0;
}
