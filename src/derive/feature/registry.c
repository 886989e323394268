/* registry.c: the families in their fixed order, the named sets, the signature.
 *
 * The order of the lines is the order of the vector: add a family at the end. Two lines may be of
 * one family (the same name): an engine steps only those whose rows its set holds.
 */
#include "base/hash.h"
#include "derive/feature/feature_internal.h"
#include "derive/feature/scale.h"

/* clang-format off */
#define FAMILIES(X) \
    X(book) \
    X(ofi) \
    X(flow) \
    X(ret) \
    X(rv) \
    X(impact) \
    X(toxic) \
    X(time) \
    X(perp) \
    X(ta) \
    X(ta_bars) \
    X(wave) \
    X(dyn) \
    X(perp_crowd) \
    X(perp_liq) \
    X(foot) \
    X(v72) \
    X(cluster) \
    X(xv) \
    X(chain) \
    X(option) \
    X(heat) \
    X(graph) \
    X(flow_price) \
    X(ret_hours) \
    X(perp_contagion) \
    X(agg) \
    X(book_weighted) \
    X(rv_time)
/* clang-format on */

#define FAMILY_DECLARE(name) extern const struct feature_family feature_family_##name;
#define FAMILY_LIST(name) &feature_family_##name,

FAMILIES(FAMILY_DECLARE)
static const struct feature_family *const families[] = {FAMILIES(FAMILY_LIST)};

static const struct feature_registry program_registry = {
    families, sizeof families / sizeof families[0]};

static const struct feature_registry *registry_or_own(const struct feature_registry *r) {
    return r ? r : &program_registry;
}

size_t feature_family_count(void) { return program_registry.count; }

const struct feature_family *feature_family(size_t i) {
    CHECK(i < program_registry.count);
    return families[i];
}

size_t registry_count(const struct feature_registry *r) {
    size_t n = 0;
    r = registry_or_own(r);
    for (size_t i = 0; i < r->count; i++) n += r->families[i]->count;
    CHECK(n <= FEATURE_MAX);
    return n;
}

const struct feature_def *registry_get(
    const struct feature_registry *r, size_t index, size_t *family, size_t *row) {
    r = registry_or_own(r);
    for (size_t i = 0; i < r->count; i++) {
        if (index < r->families[i]->count) {
            if (family) *family = i;
            if (row) *row = index;
            return &r->families[i]->defs[index];
        }
        index -= r->families[i]->count;
    }
    check_failed(__FILE__, __LINE__, "index < registry_count");
}

size_t feature_count(void) { return registry_count(NULL); }

const struct feature_def *feature_get(size_t index, const struct feature_family **family) {
    size_t i = 0;
    const struct feature_def *d = registry_get(NULL, index, &i, NULL);
    if (family) *family = families[i];
    return d;
}

long feature_find(const char *name) {
    for (size_t i = 0, n = feature_count(); i < n; i++)
        if (strcmp(feature_get(i, NULL)->name, name) == 0) return (long)i;
    return -1;
}

/* --- sets ------------------------------------------------------------------------------------ */

/* What a recording of trades and depth carries within minutes: bounded warm-up, no other input. */
enum { CORE_WARMUP_MAX = 130 };

static bool is_core(const struct feature_def *d) {
    const uint32_t inputs = NEED_TRADE | NEED_DEPTH | NEED_TAKER | NEED_VALUE;
    return !d->apart && (d->needs & ~inputs) == 0 && d->warmup <= CORE_WARMUP_MAX &&
           d->clock != CLOCK_EVENT;
}

static bool word_is(const char *word, size_t n, const char *name) {
    return strlen(name) == n && memcmp(word, name, n) == 0;
}

/* True if `word` (a set, a family or a feature) takes in this row. */
static bool word_takes(
    const char *word, size_t n, const struct feature_family *family, const struct feature_def *d) {
    if (word_is(word, n, "all")) return true;
    if (word_is(word, n, "core")) return is_core(d);
    if (word_is(word, n, "bars")) return d->bars_ok && !d->apart;
    if (word_is(word, n, "ohlcv"))
        return d->bars_ok && !d->apart && !(d->needs & (NEED_TAKER | NEED_VALUE));
    return word_is(word, n, family->name) || word_is(word, n, d->name);
}

/* Adds the rows of one word in registry order, each once; false if it names nothing. */
static bool set_add(
    const struct feature_registry *r, const char *word, size_t n, struct feature_set *set) {
    bool known = false;
    for (size_t i = 0, count = registry_count(r); i < count; i++) {
        size_t f = 0;
        const struct feature_def *d = registry_get(r, i, &f, NULL);
        if (!word_takes(word, n, r->families[f], d)) continue;
        known = true;
        bool there = false;
        for (size_t j = 0; j < set->count && !there; j++) there = set->index[j] == i;
        if (!there) set->index[set->count++] = (uint16_t)i;
    }
    return known;
}

/* A set's name is its text; a text that does not fit is named by its hash. */
static void set_name(struct feature_set *set, const char *text) {
    size_t n = strlen(text);
    if (n < sizeof set->name) {
        memcpy(set->name, text, n + 1);
        return;
    }
    char hex[17];
    hash64_text(hash64(0, text, n), hex);
    memcpy(set->name, "set-", 4);
    memcpy(set->name + 4, hex, sizeof hex);
}

/* ":500", ":session" or both, in this order. */
static bool scale_options(const char *text, struct feature_scale *s, const char **why) {
    if (text[0] == ':' && text[1] >= '0' && text[1] <= '9') {
        uint32_t window = 0;
        for (text++; *text >= '0' && *text <= '9' && window <= SCALE_WINDOW_MAX; text++)
            window = 10 * window + (uint32_t)(*text - '0');
        s->window = window;
    }
    if (s->window < SCALE_WINDOW_MIN || s->window > SCALE_WINDOW_MAX) {
        *why = "the window of a scaling is 10 to 10000 rows";
        return false;
    }
    s->session = strcmp(text, ":session") == 0;
    *why = "behind z or quantile stand :WINDOW and :session, in this order";
    return *text == '\0' || s->session;
}

bool feature_scale_parse(const char *text, struct feature_scale *out, const char **why) {
    struct feature_scale s;
    const char *unused;
    size_t n = strcspn(text, ":");
    memset(&s, 0, sizeof s);
    if (!why) why = &unused;
    if (strcmp(text, "none") == 0) {
        *out = s;
        return true;
    }
    *why = "a scaling is none, z or quantile";
    if (n == 1 && text[0] == 'z')
        s.kind = SCALE_Z;
    else if (n == 8 && memcmp(text, "quantile", n) == 0)
        s.kind = SCALE_QUANTILE;
    else
        return false;
    s.window = SCALE_WINDOW;
    if (!scale_options(text + n, &s, why)) return false;
    *out = s;
    return true;
}

bool registry_parse(
    const struct feature_registry *r, const char *text, struct feature_set *out, const char **bad) {
    struct feature_set set;
    memset(&set, 0, sizeof set);
    r = registry_or_own(r);
    for (const char *word = text;;) {
        size_t n = strcspn(word, "+@");
        if (n == 0 || !set_add(r, word, n, &set)) {
            if (bad) *bad = word;
            return false;
        }
        word += n;
        if (*word != '+') break;
        word++;
    }
    const char *scale = strchr(text, '@');
    if (scale && !feature_scale_parse(scale + 1, &set.scale, NULL)) {
        if (bad) *bad = scale;
        return false;
    }
    set_name(&set, text);
    *out = set;
    return true;
}

bool feature_set_parse(const char *text, struct feature_set *out, const char **bad) {
    return registry_parse(NULL, text, out, bad);
}

uint64_t registry_signature(const struct feature_registry *r, const struct feature_set *set) {
    uint64_t h = hash64(0, &set->count, sizeof set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct feature_def *d = registry_get(r, set->index[i], NULL, NULL);
        h = hash64(h, d->name, strlen(d->name) + 1);
        h = hash64(h, d->window, strlen(d->window) + 1);
        h = hash64(h, &d->version, sizeof d->version);
    }
    if (set->scale.kind != SCALE_NONE) {
        uint32_t word[4] = {SCALE_VERSION, set->scale.kind, set->scale.window, set->scale.session};
        h = hash64(h, word, sizeof word);
    }
    return h;
}

uint64_t feature_set_signature(const struct feature_set *set) {
    return registry_signature(NULL, set);
}

uint32_t feature_set_warmup(const struct feature_set *set) {
    uint32_t most = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct feature_def *d = feature_get(set->index[i], NULL);
        bool counts = d->clock == CLOCK_BUCKET && !d->recursive;
        if (counts && d->warmup > most) most = d->warmup;
    }
    if (set->scale.kind != SCALE_NONE) most += set->scale.window;
    return most;
}
