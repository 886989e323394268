#include "program/fill_sums.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/nearest.h"

enum { SCALE = 12 };

static bool summed(const char *name) {
    return strncmp(name, "ts_", 3) != 0 && strcmp(name, "order_id") != 0;
}

err_t fill_sums_init(
    struct fill_sums *s, const char *const *name, size_t n, const char *by, struct err_info *e) {
    memset(s, 0, sizeof *s);
    s->name = name;
    s->n = s->by = n;
    for (size_t i = 0; by && i < n; i++) {
        if (strcmp(name[i], by) == 0) s->by = i;
    }
    if (!by || s->by < n) return ERR_OK;
    const char *near = nearest(by, name, n);
    return err_set(e, ERR_USAGE, "--by: no column is called \"%s\"%s%s", by,
        near ? "; did you mean " : "", near ? near : "");
}

static err_t group_of(
    struct fill_sums *s, const char *name, struct fill_group **out, struct err_info *e) {
    for (size_t i = 0; i < s->groups; i++) {
        *out = &s->group[i];
        if (strcmp((*out)->name, name) == 0) return ERR_OK;
    }
    if (s->groups == FILL_GROUPS_MAX || strlen(name) >= FILL_GROUP_TEXT) {
        return err_set(e, ERR_USAGE,
            "--by %s: more than %d different values; choose another column", s->name[s->by],
            FILL_GROUPS_MAX);
    }
    *out = &s->group[s->groups++];
    memcpy((*out)->name, name, strlen(name) + 1);
    return ERR_OK;
}

err_t fill_sums_add(struct fill_sums *s, const char *const *cell, struct err_info *e) {
    struct fill_group *g = NULL;
    err_t code = group_of(s, s->by < s->n ? cell[s->by] : "", &g, e);
    if (code) return code;
    g->rows++;
    for (size_t i = 0; i < s->n; i++) {
        int128 v;
        struct fill_sum *c = &g->column[i];
        bool unknown = strncmp(s->name[i], "queue_", 6) == 0 && strcmp(cell[i], "-1") == 0;
        if (!summed(s->name[i])) continue;
        if (unknown || !decimal_parse_e12(cell[i], &v)) {
            c->missing++;
            continue;
        }
        if (__builtin_add_overflow(c->sum, v, &c->sum))
            return err_set(e, ERR_INPUT, "the sum of column %s does not fit", s->name[i]);
        c->least = c->n == 0 || v < c->least ? v : c->least;
        c->most = c->n == 0 || v > c->most ? v : c->most;
        c->n++;
    }
    return ERR_OK;
}

static double mean(const struct fill_sum *c) { return (double)c->sum / 1e12 / (double)c->n; }

void fill_sums_print(const struct fill_sums *s) {
    const char *by = s->by < s->n ? s->name[s->by] : "group";
    printf("%s,column,n,missing,sum,mean,least,most\n", by);
    for (size_t g = 0; g < s->groups; g++) {
        for (size_t i = 0; i < s->n; i++) {
            const struct fill_sum *c = &s->group[g].column[i];
            char sum[DECIMAL_TEXT_MAX], least[DECIMAL_TEXT_MAX], most[DECIMAL_TEXT_MAX];
            if (c->n == 0) continue; /* words, or nothing known */
            decimal_text(c->sum, SCALE, true, sum);
            decimal_text(c->least, SCALE, true, least);
            decimal_text(c->most, SCALE, true, most);
            printf("%s,%s,%" PRIu64 ",%" PRIu64 ",%s,%.10g,%s,%s\n",
                s->by < s->n ? s->group[g].name : "all", s->name[i], c->n, c->missing, sum, mean(c),
                least, most);
        }
    }
}

void fill_sums_json(const struct fill_sums *s, struct json_out *j) {
    json_array(j);
    for (size_t g = 0; g < s->groups; g++) {
        for (size_t i = 0; i < s->n; i++) {
            const struct fill_sum *c = &s->group[g].column[i];
            if (c->n == 0) continue;
            json_object(j);
            if (s->by < s->n) json_kstr(j, s->name[s->by], s->group[g].name);
            json_kstr(j, "column", s->name[i]);
            json_kint(j, "n", (int64_t)c->n);
            json_kint(j, "missing", (int64_t)c->missing);
            json_key(j, "sum");
            json_money(j, c->sum);
            json_kdouble(j, "mean", mean(c));
            json_key(j, "least");
            json_money(j, c->least);
            json_key(j, "most");
            json_money(j, c->most);
            json_object_end(j);
        }
    }
    json_array_end(j);
}
