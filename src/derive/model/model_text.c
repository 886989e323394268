/* LightGBM's text model, version v4, as written by LGBM_BoosterSaveModel (its gbdt_model_text.cpp
 * and tree.cpp). Two passes over the text: the first counts and bounds, the second fills. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "derive/model/model_internal.h"

struct slice {
    const char *p, *end;
};

struct text {
    struct slice rest;
    const char *why; /* first fault; a constant sentence */
};

/* The lines of one tree that scoring needs, in the order of tree_keys. */
enum tree_key {
    KEY_LEAVES,
    KEY_CAT,
    KEY_FEATURE,
    KEY_THRESHOLD,
    KEY_DECISION,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_VALUE,
    KEY_LINEAR,
    KEY_COUNT
};
static const char *const tree_keys[KEY_COUNT] = {"num_leaves", "num_cat", "split_feature",
    "threshold", "decision_type", "left_child", "right_child", "leaf_value", "is_linear"};

struct tree_text {
    struct slice at[KEY_COUNT];
    uint32_t leaves;
};

struct header {
    uint32_t columns, classes, per_iteration, output;
    double sigmoid;
    bool version, has_columns, has_classes, has_objective;
};

static bool fail(struct text *t, const char *why) {
    if (!t->why) t->why = why;
    return false;
}

static bool next_line(struct text *t, struct slice *line) {
    if (t->rest.p == t->rest.end) return false;
    const char *nl = memchr(t->rest.p, '\n', (size_t)(t->rest.end - t->rest.p));
    line->p = t->rest.p;
    line->end = nl ? nl : t->rest.end;
    t->rest.p = nl ? nl + 1 : t->rest.end;
    if (line->end > line->p && line->end[-1] == '\r') line->end--;
    return true;
}

static bool is(struct slice s, const char *word) {
    size_t n = strlen(word);
    return (size_t)(s.end - s.p) == n && memcmp(s.p, word, n) == 0;
}

static bool starts(struct slice s, const char *word) {
    size_t n = strlen(word);
    return (size_t)(s.end - s.p) >= n && memcmp(s.p, word, n) == 0;
}

/* "key=value" -> key and value; false if there is no '='. */
static bool split(struct slice line, struct slice *key, struct slice *value) {
    const char *eq = memchr(line.p, '=', (size_t)(line.end - line.p));
    if (!eq) return false;
    *key = (struct slice){line.p, eq};
    *value = (struct slice){eq + 1, line.end};
    return true;
}

static bool token(struct slice *s, struct slice *out) {
    while (s->p < s->end && *s->p == ' ') s->p++;
    out->p = s->p;
    while (s->p < s->end && *s->p != ' ') s->p++;
    out->end = s->p;
    return out->end > out->p;
}

static bool parse_int(struct slice s, int64_t lo, int64_t hi, int64_t *out) {
    bool minus = s.p < s.end && *s.p == '-';
    int64_t v = 0;
    if (minus) s.p++;
    if (s.p == s.end || s.end - s.p > 10) return false;
    for (; s.p < s.end; s.p++) {
        if (*s.p < '0' || *s.p > '9') return false;
        v = v * 10 + (*s.p - '0');
    }
    if (minus) v = -v;
    if (v < lo || v > hi) return false;
    *out = v;
    return true;
}

/* Finite decimal numbers only: no hexadecimal, "inf" or "nan". */
static bool parse_double(struct slice s, double *out) {
    char copy[64], *end;
    size_t n = (size_t)(s.end - s.p);
    if (n == 0 || n >= sizeof copy) return false;
    for (size_t i = 0; i < n; i++) {
        if (!memchr("0123456789+-.eE", s.p[i], 15)) return false;
    }
    memcpy(copy, s.p, n);
    copy[n] = 0;
    double v = strtod(copy, &end);
    if (end != copy + n || !(fabs(v) <= 1.7976931348623157e308)) return false;
    *out = v;
    return true;
}

static bool next_int(struct slice *s, int64_t lo, int64_t hi, int64_t *out) {
    struct slice w;
    return token(s, &w) && parse_int(w, lo, hi, out);
}

static bool next_double(struct slice *s, double *out) {
    struct slice w;
    return token(s, &w) && parse_double(w, out);
}

/* A threshold may be infinite: "every value goes left, only missing ones right". */
static bool next_threshold(struct slice *s, double *out) {
    struct slice w;
    if (!token(s, &w)) return false;
    if (!is(w, "inf") && !is(w, "-inf")) return parse_double(w, out);
    *out = *w.p == '-' ? -INFINITY : INFINITY;
    return true;
}

static bool ended(struct slice *s) {
    struct slice w;
    return !token(s, &w);
}

/* "binary sigmoid:1", "multiclass num_class:3", "regression", "cross_entropy". */
static bool parse_objective(struct text *t, struct slice v, struct header *h) {
    struct slice name, w;
    if (!token(&v, &name)) return fail(t, "the objective line is empty");
    h->has_objective = true;
    h->sigmoid = 1;
    if (is(name, "binary") || is(name, "cross_entropy"))
        h->output = OUTPUT_BINARY;
    else if (is(name, "multiclass"))
        h->output = OUTPUT_CLASSES;
    else if (is(name, "regression"))
        h->output = OUTPUT_VALUE;
    else
        return fail(t, "objective other than binary, cross_entropy, multiclass or regression");
    while (token(&v, &w)) {
        if (starts(w, "sigmoid:")) {
            w.p += 8;
            if (!parse_double(w, &h->sigmoid) || !(h->sigmoid > 0))
                return fail(t, "the objective's sigmoid is not a positive number");
        } else if (!starts(w, "num_class:")) {
            return fail(t, "an option of the objective is not supported");
        }
    }
    return true;
}

static bool header_line(struct text *t, struct slice key, struct slice value, struct header *h) {
    int64_t v;
    if (is(key, "version")) {
        h->version = is(value, "v4");
        return h->version || fail(t, "model version other than v4");
    }
    if (is(key, "num_class") || is(key, "num_tree_per_iteration")) {
        if (!parse_int(value, 1, MODEL_CLASSES_MAX, &v)) return fail(t, "class count out of range");
        if (is(key, "num_class"))
            h->classes = (uint32_t)v;
        else
            h->per_iteration = (uint32_t)v;
        return true;
    }
    if (is(key, "max_feature_idx")) {
        if (!parse_int(value, 0, MODEL_COLUMNS_MAX - 1, &v))
            return fail(t, "max_feature_idx out of range");
        h->columns = (uint32_t)v + 1;
        return true;
    }
    if (is(key, "objective")) return parse_objective(t, value, h);
    return true;
}

/* Reads up to and including the first "Tree=" or "end of trees" line. */
static bool parse_header(struct text *t, struct header *h, struct slice *line) {
    memset(h, 0, sizeof *h);
    if (!next_line(t, line) || !is(*line, "tree")) {
        return fail(t, "the first line of a LightGBM model must be \"tree\"");
    }
    while (next_line(t, line)) {
        struct slice key, value;
        if (starts(*line, "Tree=") || is(*line, "end of trees")) {
            if (!h->version || !h->columns || !h->classes || !h->per_iteration || !h->has_objective)
                return fail(t, "the header lacks version, num_class, num_tree_per_iteration, "
                               "max_feature_idx or objective");
            if (h->classes != h->per_iteration) return fail(t, "trees per iteration != classes");
            if ((h->output == OUTPUT_CLASSES) != (h->classes > 1))
                return fail(t, "class count and objective do not agree");
            return true;
        }
        if (is(*line, "average_output")) return fail(t, "averaged forests are not supported");
        if (split(*line, &key, &value) && !header_line(t, key, value, h)) return false;
    }
    return fail(t, "the text ends inside the header");
}

static bool tree_counts(struct text *t, struct tree_text *tree) {
    int64_t v;
    for (int k = 0; k < KEY_COUNT; k++) {
        bool optional = k == KEY_CAT || k == KEY_LINEAR;
        if (!tree->at[k].p && !optional) return fail(t, "a tree lacks a line that scoring needs");
    }
    if (!parse_int(tree->at[KEY_LEAVES], 1, MODEL_LEAVES_MAX, &v))
        return fail(t, "leaf count of a tree out of range");
    tree->leaves = (uint32_t)v;
    if (tree->at[KEY_CAT].p && !is(tree->at[KEY_CAT], "0"))
        return fail(t, "categorical splits are not supported: train on numeric columns");
    if (tree->at[KEY_LINEAR].p && !is(tree->at[KEY_LINEAR], "0"))
        return fail(t, "linear trees are not supported");
    return true;
}

/* Reads the lines of the tree whose "Tree=" line has been read; leaves the next head in *line. */
static bool parse_tree(struct text *t, struct tree_text *tree, struct slice *line) {
    memset(tree, 0, sizeof *tree);
    while (next_line(t, line)) {
        struct slice key, value;
        if (starts(*line, "Tree=") || is(*line, "end of trees")) return tree_counts(t, tree);
        if (!split(*line, &key, &value)) continue;
        for (int k = 0; k < KEY_COUNT; k++) {
            if (!is(key, tree_keys[k])) continue;
            if (tree->at[k].p) return fail(t, "a line of a tree is repeated");
            tree->at[k] = value;
        }
    }
    return fail(t, "the text is cut off: \"end of trees\" is missing");
}

static size_t round_up(size_t n) { return (n + MODEL_ALIGN - 1) / MODEL_ALIGN * MODEL_ALIGN; }

/* Slots: missing rule none has one form, zero and NaN two each. */
enum { FORMS = 5 };

static bool count_trees(struct text t, struct model *m, const char **why) {
    struct header h;
    struct slice line;
    struct tree_text tree;
    memset(m, 0, sizeof *m);
    bool ok = parse_header(&t, &h, &line);
    while (ok && !is(line, "end of trees")) {
        ok = parse_tree(&t, &tree, &line);
        if (ok && m->trees == MODEL_TREES_MAX) ok = fail(&t, "too many trees");
        if (!ok) break;
        m->trees++;
        m->leaves += tree.leaves;
        m->plain_nodes += tree.leaves - 1;
        m->fast_nodes += 2 * tree.leaves - 1;
        if (m->leaves > 64u << 20) ok = fail(&t, "too many leaves");
    }
    if (ok && m->trees % h.classes != 0) ok = fail(&t, "the last iteration lacks a tree");
    if (!ok) {
        *why = t.why;
        return false;
    }
    m->magic = MODEL_MAGIC;
    m->kind = MODEL_TREES;
    m->output = h.output;
    m->columns = h.columns;
    m->classes = h.classes;
    m->sigmoid = h.sigmoid;
    return true;
}

static void place(struct model *m) {
    m->at_fast = round_up(sizeof *m);
    m->at_slot = m->at_fast + round_up(m->fast_nodes * sizeof(struct fast_node));
    m->at_tree = m->at_slot + round_up(m->columns * FORMS * sizeof(struct slot));
    m->at_order = m->at_tree + round_up(m->trees * sizeof(struct tree));
    m->at_value = m->at_order + round_up(m->trees * sizeof(uint32_t));
    m->at_plain = m->at_value + round_up(m->leaves * sizeof(double));
    m->at_weight = m->at_plain + round_up(m->plain_nodes * sizeof(struct plain_node));
    m->bytes = m->at_weight + round_up(m->columns * FORMS * sizeof(uint16_t)); /* slot of a form */
}

static void *at(struct model *m, uint64_t offset) { return (char *)m + offset; }

static size_t form_of(const struct plain_node *n) {
    size_t form = n->rule == MISSING_NONE ? 0u : n->rule * 2u - 1u + n->default_left;
    return (size_t)n->column * FORMS + form;
}

/* The slot of this split's column and missing rule, made at its first use. */
static bool slot_of(struct text *t, struct model *m, const struct plain_node *n, uint16_t *out) {
    uint16_t *known = at(m, m->at_weight);
    struct slot *slot = at(m, m->at_slot);
    size_t form = form_of(n);
    if (known[form] == 0) {
        if (m->slots == MODEL_SLOTS_MAX) return fail(t, "too many columns are used");
        slot[m->slots] = (struct slot){n->column, n->rule, n->default_left};
        known[form] = (uint16_t)++m->slots;
    }
    *out = (uint16_t)(known[form] - 1);
    return true;
}

/* The key of the largest float <= t: the same answer as t for every float. */
static uint32_t threshold_key(double t) {
    float f = (float)t;
    uint32_t bits;
    if (f == 0) f = 0; /* -0 as +0 */
    memcpy(&bits, &f, sizeof bits);
    if ((double)f > t) {
        if (f > 0)
            bits--;
        else if (f < 0)
            bits++;
        else
            bits = 0x80000001u;
    }
    return float_key(bits);
}

static bool fill_splits(
    struct text *t, const struct model *m, struct tree_text *text, struct plain_node *node) {
    for (uint32_t i = 0; i + 1 < text->leaves; i++) {
        int64_t column, decision, left, right;
        int64_t last = (int64_t)text->leaves - 2, leaf = -(int64_t)text->leaves;
        if (!next_int(&text->at[KEY_FEATURE], 0, (int64_t)m->columns - 1, &column))
            return fail(t, "split_feature: a number is missing or no column of the model");
        if (!next_threshold(&text->at[KEY_THRESHOLD], &node[i].threshold))
            return fail(t, "threshold: a number is missing or wrong");
        if (!next_int(&text->at[KEY_DECISION], 0, 15, &decision) || decision >> 2 > MISSING_NAN)
            return fail(t, "decision_type: a number is missing or unknown");
        if (decision & 1) return fail(t, "categorical splits are not supported");
        if (!next_int(&text->at[KEY_LEFT], leaf, last, &left) ||
            !next_int(&text->at[KEY_RIGHT], leaf, last, &right))
            return fail(t, "left_child or right_child: a number is missing or out of range");
        node[i].column = (uint16_t)column;
        node[i].rule = (uint8_t)(decision >> 2);
        node[i].default_left = (decision & 2) != 0;
        node[i].left = (int32_t)left;
        node[i].right = (int32_t)right;
        node[i].pad = 0;
    }
    for (int k = KEY_FEATURE; k <= KEY_RIGHT; k++) {
        if (!ended(&text->at[k])) return fail(t, "a line of a tree has too many numbers");
    }
    return true;
}

static bool fill_values(struct text *t, struct tree_text *text, double *value) {
    for (uint32_t i = 0; i < text->leaves; i++) {
        if (!next_double(&text->at[KEY_VALUE], &value[i]))
            return fail(t, "leaf_value: a number is missing or not finite");
    }
    return ended(&text->at[KEY_VALUE]) || fail(t, "leaf_value has too many numbers");
}

/* Lays one tree out by breadth, siblings side by side. While a place waits, its threshold field
 * holds the child number it stands for. A node met twice means a cycle or a shared subtree. */
static bool lay_out(struct text *t, struct model *m, struct tree *tree) {
    struct plain_node *plain = (struct plain_node *)at(m, m->at_plain) + tree->node;
    struct fast_node *fast = (struct fast_node *)at(m, m->at_fast) + tree->root;
    uint32_t next = 1, places = 2 * tree->leaves - 1, level_end = 1;
    fast[0].threshold = tree->leaves == 1 ? UINT32_MAX : 0; /* ~0: leaf 0 */
    for (uint32_t i = 0; i < next; i++) {
        if (i == level_end) {
            tree->depth++;
            level_end = next;
        }
        int32_t child = (int32_t)fast[i].threshold;
        if (child < 0) {
            fast[i] = (struct fast_node){tree->leaf + (uint32_t)~child, UINT16_MAX, 0};
            continue;
        }
        struct plain_node *n = &plain[child];
        if (n->pad || next + 2 > places) return fail(t, "a tree has a cycle or a shared child");
        n->pad = 1;
        uint16_t slot;
        if (!slot_of(t, m, n, &slot)) return false;
        fast[i] = (struct fast_node){threshold_key(n->threshold), slot, (uint16_t)(next - i)};
        fast[next++].threshold = (uint32_t)n->left;
        fast[next++].threshold = (uint32_t)n->right;
    }
    if (next != places) return fail(t, "a tree has nodes that no path reaches");
    return true;
}

static bool fill_tree(struct text *t, struct model *m, struct tree_text *text, struct tree *tree) {
    struct plain_node *plain = (struct plain_node *)at(m, m->at_plain) + tree->node;
    double *value = (double *)at(m, m->at_value) + tree->leaf;
    if (!fill_values(t, text, value)) return false;
    if (text->leaves > 1 && !fill_splits(t, m, text, plain)) return false;
    return lay_out(t, m, tree);
}

/* Leaves wait at the constant slot, whose number is known only when all trees are in. */
static void finish(struct model *m) {
    struct fast_node *fast = at(m, m->at_fast);
    const struct tree *tree = at(m, m->at_tree);
    uint32_t *order = at(m, m->at_order);
    for (uint32_t i = 0; i < m->fast_nodes; i++) {
        if (fast[i].left == 0) fast[i].slot = (uint16_t)m->slots;
    }
    for (uint32_t i = 0; i < m->trees; i++) { /* by depth within a chunk, stable */
        uint32_t j = i, first = i - i % CHUNK_TREES;
        for (; j > first && tree[order[j - 1]].depth > tree[i].depth; j--) order[j] = order[j - 1];
        order[j] = i;
    }
}

static bool fill(struct text t, struct model *m, const char **why) {
    struct header h;
    struct slice line;
    struct tree_text text;
    struct tree *tree = at(m, m->at_tree), next = {0};
    bool ok = parse_header(&t, &h, &line);
    for (uint32_t i = 0; ok && i < m->trees; i++) {
        ok = parse_tree(&t, &text, &line);
        if (!ok) break;
        next.leaves = text.leaves;
        next.depth = 0;
        tree[i] = next;
        ok = fill_tree(&t, m, &text, &tree[i]);
        next.root += 2 * text.leaves - 1;
        next.node += text.leaves - 1;
        next.leaf += text.leaves;
    }
    if (!ok)
        *why = t.why;
    else
        finish(m);
    return ok;
}

size_t model_build_lightgbm(
    void *mem, size_t mem_size, const char *text, size_t n, const char **why) {
    CHECK(text != NULL && why != NULL);
    struct text t = {{text, text + n}, NULL};
    struct model head;
    if (!count_trees(t, &head, why)) return 0;
    place(&head);
    if (!mem || mem_size < head.bytes) return (size_t)head.bytes;
    struct model *m = mem;
    memset(mem, 0, (size_t)head.bytes);
    *m = head;
    if (fill(t, m, why)) return (size_t)head.bytes;
    m->magic = 0;
    return 0;
}
