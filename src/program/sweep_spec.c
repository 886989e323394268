#include "program/sweep_spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/dmath.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/rng.h"

/* ---- which keys may vary ---- */

/* What one replay can carry many of; others are sets of another replay. */
static bool is_shared(const char *key) {
    static const char *const group[] = {
        "strategy.", "intent.", "risk.", "account.", "fees.", "funding."};
    for (size_t i = 0; i < sizeof group / sizeof *group; i++) {
        if (strncmp(key, group[i], strlen(group[i])) == 0) return true;
    }
    return false;
}

/* Data, what is trained on them, and how the sweep itself is done are the same for all sets: else
 * the sets could not be compared. */
static bool is_refused(const char *key) {
    static const char *const group[] = {"name", "output", "seed", "data.", "label.", "model.",
        "study.", "report.", "sweep.", "stress."};
    for (size_t i = 0; i < sizeof group / sizeof *group; i++) {
        size_t n = strlen(group[i]);
        bool whole = group[i][n - 1] != '.';
        if (strncmp(key, group[i], n) == 0 && (!whole || key[n] == 0)) return true;
    }
    return false;
}

static const struct config_key *key_of(
    const struct config_key *schema, size_t keys, const char *path) {
    for (size_t i = 0; i < keys; i++) {
        if (strcmp(schema[i].path, path) == 0) return &schema[i];
    }
    return NULL;
}

static err_t check_key(const char *where, const struct config_key *schema, size_t keys,
    const char *path, const struct config_key **out, struct err_info *e) {
    *out = key_of(schema, keys, path);
    if (!*out) {
        const char **known = mem_alloc(keys * sizeof *known);
        for (size_t i = 0; i < keys; i++) known[i] = schema[i].path;
        const char *near = nearest(path, known, keys);
        free(known);
        return err_set(e, ERR_USAGE, "%s: sweep.vary: no key is called \"%s\"%s%s", where, path,
            near ? "; did you mean " : "", near ? near : "");
    }
    if (is_refused(path) || (*out)->type == CONFIG_LIST) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s is the same for all sets of a sweep; vary strategy, intent, risk, "
            "fees (which share a replay), sim, bucket, features (which get one of their own)",
            where, path);
    }
    return ERR_OK;
}

/* ---- values ---- */

static const char *skip(const char *s) { return s + strspn(s, " \t"); }

static err_t add_value(struct sweep_axis *a, size_t *cap, const char *where, const char *s,
    size_t n, struct err_info *e) {
    while (n > 0 && strchr(" \t", s[n - 1])) n--;
    if (n == 0 || n >= SWEEP_TEXT_MAX || a->values == SWEEP_VALUES_MAX) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s: values of 1 to %d bytes are wanted, at most %d of them", where,
            a->key, SWEEP_TEXT_MAX - 1, SWEEP_VALUES_MAX);
    }
    a->value = mem_array(a->value, a->values, cap, sizeof *a->value);
    memcpy(a->value[a->values], s, n);
    a->value[a->values++][n] = 0;
    return ERR_OK;
}

static err_t list_of(struct sweep_axis *a, const char *where, const char *s, struct err_info *e) {
    size_t cap = 0;
    err_t code = ERR_OK;
    for (;; s++) {
        s = skip(s);
        size_t n = strcspn(s, ",|");
        code = add_value(a, &cap, where, s, n, e);
        s += n;
        if (code || !*s) return code;
    }
}

/* The next decimal of the text; *s moves behind it. */
static bool decimal_at(const char **s, struct decimal *out) {
    const char *p = skip(*s);
    size_t n = 0;
    /* ".." ends a number */
    while (p[n] && !strchr(" \t", p[n]) && !(p[n] == '.' && p[n + 1] == '.')) n++;
    *s = skip(p + n);
    return decimal_parse(p, n, false, out);
}

static err_t steps_of(struct sweep_axis *a, const char *where, struct decimal lo, struct decimal hi,
    struct decimal step, struct err_info *e) {
    int64_t from, to, by;
    size_t cap = 0;
    uint8_t exp = (uint8_t)a->decimals;
    bool fits = decimal_to_scale(lo, exp, &from) && decimal_to_scale(hi, exp, &to) &&
                decimal_to_scale(step, exp, &by);
    if (!fits || by <= 0 || from > to || (to - from) / by >= SWEEP_VALUES_MAX) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s: a range LO..HI step S needs LO <= HI, S > 0 and at most %d values",
            where, a->key, SWEEP_VALUES_MAX);
    }
    for (int64_t v = from; v <= to; v += by) {
        char text[DECIMAL_TEXT_MAX];
        size_t n = decimal_text(v, exp, false, text);
        err_t code = add_value(a, &cap, where, text, n, e);
        if (code) return code;
    }
    return ERR_OK;
}

static err_t range_of(struct sweep_axis *a, const struct config_key *key, const char *where,
    const char *s, struct err_info *e) {
    struct decimal lo, hi, step = {0, 0};
    bool good = decimal_at(&s, &lo) && strncmp(s, "..", 2) == 0;
    if (good) s += 2;
    good = good && decimal_at(&s, &hi);
    bool stepped = good && strncmp(s, "step", 4) == 0;
    if (stepped) {
        s += 4;
        good = decimal_at(&s, &step);
    } else if (good && strcmp(s, "log") == 0) {
        a->log = true;
        s += 3;
    }
    if (!good || *s) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s: write A, B, C or LO..HI step S or LO..HI or LO..HI log", where,
            a->key);
    }
    a->decimals = lo.exp > hi.exp ? lo.exp : hi.exp;
    if (stepped) {
        if (step.exp > a->decimals) a->decimals = step.exp;
        return steps_of(a, where, lo, hi, step, e);
    }
    a->decimals = key->type == CONFIG_INT ? 0 : a->decimals + 3;
    a->lo = (double)lo.mant / (double)decimal_pow10[lo.exp];
    a->hi = (double)hi.mant / (double)decimal_pow10[hi.exp];
    if (a->lo > a->hi || (a->log && !(a->lo > 0)) || a->decimals > 15) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: %s: a range LO..HI needs LO <= HI, with log LO > 0", where, a->key);
    }
    return ERR_OK;
}

static err_t axis_of(struct sweep_spec *s, const char *line, const char *where,
    const struct config_key *schema, size_t keys, struct err_info *e) {
    struct sweep_axis *a = &s->axis[s->axes];
    const struct config_key *key = NULL;
    const char *equals = strchr(line, '='), *from = skip(line);
    size_t n = equals ? (size_t)(equals - from) : 0;
    while (n > 0 && strchr(" \t", from[n - 1])) n--;
    if (n == 0 || n >= SWEEP_KEY_MAX) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary: \"%.80s\": write KEY = VALUES (with --set, put | between values)",
            where, line);
    }
    memcpy(a->key, from, n);
    a->key[n] = 0;
    err_t code = check_key(where, schema, keys, a->key, &key, e);
    for (size_t i = 0; !code && i < s->axes; i++) {
        if (strcmp(s->axis[i].key, a->key) == 0)
            code = err_set(e, ERR_USAGE, "%s: sweep.vary: %s is there twice", where, a->key);
    }
    if (code) return code;
    a->shared = is_shared(a->key);
    s->axes++;
    const char *values = skip(equals + 1);
    bool range = strstr(values, "..") != NULL && !strpbrk(values, ",|");
    return range ? range_of(a, key, where, values, e) : list_of(a, where, values, e);
}

/* ---- sets ---- */

static void pick(const struct sweep_axis *a, double u, char out[SWEEP_TEXT_MAX]) {
    if (a->values > 0) {
        size_t i = (size_t)(u * (double)a->values);
        memcpy(out, a->value[i < a->values ? i : a->values - 1], SWEEP_TEXT_MAX);
        return;
    }
    double v = a->log ? dm_exp(dm_log(a->lo) + u * (dm_log(a->hi) - dm_log(a->lo)))
                      : a->lo + u * (a->hi - a->lo);
    if (a->decimals == 0 && !a->log) v = floor(a->lo + u * (a->hi - a->lo + 1));
    snprintf(out, SWEEP_TEXT_MAX, "%.*f", a->decimals, fmin(v, a->hi));
}

static void grid(struct sweep_spec *s) {
    for (size_t set = 0; set < s->sets; set++) {
        size_t rest = set;
        for (size_t k = s->axes; k-- > 0;) {
            const struct sweep_axis *a = &s->axis[k];
            memcpy(s->text[set * s->axes + k], a->value[rest % a->values], SWEEP_TEXT_MAX);
            rest /= a->values;
        }
    }
}

/* One source an axis, so that an axis more changes no other axis. */
static void drawn(struct sweep_spec *s) {
    size_t *part = mem_alloc(s->sets * sizeof *part);
    for (size_t k = 0; k < s->axes; k++) {
        struct rng g;
        rng_init(&g, s->seed, k + 1);
        for (size_t i = 0; i < s->sets; i++) part[i] = i;
        for (size_t i = s->sets; i > 1; i--) {
            size_t j = (size_t)rng_below(&g, i), swap = part[i - 1];
            part[i - 1] = part[j];
            part[j] = swap;
        }
        for (size_t i = 0; i < s->sets; i++) {
            double u = rng_unit(&g);
            if (s->method == SWEEP_LATIN) u = ((double)part[i] + u) / (double)s->sets;
            pick(&s->axis[k], u, s->text[i * s->axes + k]);
        }
    }
    free(part);
}

static err_t count_sets(struct sweep_spec *s, const struct config *c, struct err_info *e) {
    s->sets = (size_t)config_int(c, "sweep.sets");
    if (s->method != SWEEP_GRID) {
        if (s->sets > 0) return ERR_OK;
        return err_set(e, ERR_USAGE, "%s: sweep.method = %s needs sweep.sets, the number of sets",
            config_where(c, "sweep.method"), config_string(c, "sweep.method"));
    }
    s->sets = 1;
    for (size_t k = 0; k < s->axes; k++) {
        if (s->axis[k].values == 0) {
            return err_set(e, ERR_USAGE,
                "%s: sweep.vary: %s: a grid needs a list, or a range with its step",
                config_where(c, "sweep.vary"), s->axis[k].key);
        }
        if (s->sets > SWEEP_SETS_MAX / s->axis[k].values) {
            return err_set(e, ERR_USAGE, "%s: the grid has more than %d sets; use random or latin",
                config_where(c, "sweep.vary"), SWEEP_SETS_MAX);
        }
        s->sets *= s->axis[k].values;
    }
    return ERR_OK;
}

err_t sweep_spec_make(struct sweep_spec *s, const struct config *c, const struct config_key *schema,
    size_t keys, struct err_info *e) {
    memset(s, 0, sizeof *s);
    const char *method = config_string(c, "sweep.method"), *where = config_where(c, "sweep.vary");
    s->method = strcmp(method, "grid") == 0     ? SWEEP_GRID
                : strcmp(method, "random") == 0 ? SWEEP_RANDOM
                                                : SWEEP_LATIN;
    s->seed = (uint64_t)config_int(c, "seed");
    size_t lines = config_list(c, "sweep.vary");
    if (lines == 0 || lines > SWEEP_AXES_MAX) {
        return err_set(e, ERR_USAGE,
            "%s: sweep.vary has %zu lines; 1 to %d are wanted, e.g. \"strategy.levels = 4, 8\"",
            where, lines, SWEEP_AXES_MAX);
    }
    err_t code = ERR_OK;
    for (size_t i = 0; !code && i < lines; i++) {
        code = axis_of(s, config_item(c, "sweep.vary", i), where, schema, keys, e);
    }
    if (!code) code = count_sets(s, c, e);
    if (code) {
        sweep_spec_free(s);
        return code;
    }
    s->text = mem_alloc(s->sets * s->axes * sizeof *s->text);
    if (s->method == SWEEP_GRID) {
        grid(s);
    } else {
        drawn(s);
    }
    return ERR_OK;
}

void sweep_spec_free(struct sweep_spec *s) {
    for (size_t k = 0; k < SWEEP_AXES_MAX; k++) free(s->axis[k].value);
    free(s->text);
    memset(s, 0, sizeof *s);
}
