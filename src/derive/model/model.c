#include "derive/model/model.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/dmath.h"
#include "derive/model/model_internal.h"

static const float zero_limit = 1e-35f; /* LightGBM's kZeroThreshold is this float as a double */

const struct model *model_view(const void *mem) {
    const struct model *m = mem;
    CHECK(m != NULL);
    CHECK(m->magic == MODEL_MAGIC);
    return m;
}

enum model_kind model_kind(const struct model *m) { return (enum model_kind)m->kind; }
enum model_output model_output(const struct model *m) { return (enum model_output)m->output; }
size_t model_columns(const struct model *m) { return m->columns; }
size_t model_classes(const struct model *m) { return m->classes; }
size_t model_trees(const struct model *m) { return m->trees; }
size_t model_bytes(const struct model *m) { return (size_t)m->bytes; }

static size_t round_up(size_t n) { return (n + MODEL_ALIGN - 1) / MODEL_ALIGN * MODEL_ALIGN; }

static void logistic_layout(struct model *m, size_t columns, size_t classes) {
    memset(m, 0, sizeof *m);
    m->magic = MODEL_MAGIC;
    m->kind = MODEL_LOGISTIC;
    m->output = classes == 1 ? OUTPUT_BINARY : OUTPUT_CLASSES;
    m->columns = (uint32_t)columns;
    m->classes = (uint32_t)classes;
    m->sigmoid = 1;
    m->at_mean = round_up(sizeof *m);
    m->at_weight = m->at_mean + round_up(columns * sizeof(double));
    m->at_bias = m->at_weight + round_up(classes * columns * sizeof(double));
    m->bytes = m->at_bias + round_up(classes * sizeof(double));
}

static const char *logistic_fault(size_t columns, const double *mean, const double *scale,
    const double *weights, const double *bias, size_t classes) {
    if (columns == 0 || columns > MODEL_COLUMNS_MAX) return "column count out of range";
    if (classes == 0 || classes > MODEL_CLASSES_MAX) return "class count out of range";
    for (size_t i = 0; i < columns; i++) {
        if (!(fabs(mean[i]) <= 1e300)) return "a mean is not finite";
        if (!(scale[i] > 0 && scale[i] <= 1e300)) return "a scale is not positive and finite";
        for (size_t k = 0; k < classes; k++) {
            double w = weights[k * columns + i] / scale[i];
            if (!(fabs(w) <= 1e300)) return "a weight is not finite";
        }
    }
    for (size_t k = 0; k < classes; k++) {
        if (!(fabs(bias[k]) <= 1e300)) return "a bias is not finite";
    }
    return NULL;
}

size_t model_build_logistic(void *mem, size_t mem_size, size_t columns, const double *mean,
    const double *scale, const double *weights, const double *bias, size_t classes,
    const char **why) {
    const char *fault = logistic_fault(columns, mean, scale, weights, bias, classes);
    if (fault) {
        *why = fault;
        return 0;
    }
    struct model head;
    logistic_layout(&head, columns, classes);
    if (!mem || mem_size < head.bytes) return (size_t)head.bytes;
    char *at = mem;
    memset(at, 0, (size_t)head.bytes);
    memcpy(at, &head, sizeof head);
    memcpy(at + head.at_mean, mean, columns * sizeof(double));
    double *w = (double *)(void *)(at + head.at_weight);
    for (size_t k = 0; k < classes; k++) {
        for (size_t i = 0; i < columns; i++)
            w[k * columns + i] = weights[k * columns + i] / scale[i];
    }
    memcpy(at + head.at_bias, bias, classes * sizeof(double));
    return (size_t)head.bytes;
}

/* One addition a step in column order: the order is part of the result. */
static void logistic_score(
    const struct model *m, const float *row, const double *drow, double *raw) {
    const double *mean = model_at(m, m->at_mean), *weight = model_at(m, m->at_weight);
    const double *bias = model_at(m, m->at_bias);
    for (size_t k = 0; k < m->classes; k++) {
        const double *w = weight + k * m->columns;
        double z = bias[k];
        for (size_t i = 0; i < m->columns; i++) {
            double x = row ? (double)row[i] : drow[i]; // cppcheck-suppress nullPointer ; one of two
            z += w[i] * (x == x ? x - mean[i] : 0);
        }
        raw[k] = z;
    }
}

/* The columns that the forest uses, each under its missing rule, as keys. */
static void fill_keys(const struct model *m, const float *row, uint32_t *key) {
    const struct slot *slot = model_at(m, m->at_slot);
    for (size_t i = 0; i < m->slots; i++) {
        float x = row[slot[i].column];
        uint32_t bits, missing = slot[i].default_left ? 0 : UINT32_MAX;
        bool is_nan = x != x;
        memcpy(&bits, &x, sizeof bits);
        if (is_nan) bits = 0;
        bool gone = slot[i].rule == MISSING_NAN
                        ? is_nan
                        : (slot[i].rule == MISSING_ZERO) & (is_nan | (fabsf(x) <= zero_limit));
        key[i] = gone ? missing : float_key(bits);
    }
    key[m->slots] = 0;
}

#define STEP(i)                                                                                    \
    do {                                                                                           \
        struct fast_node n = node[i];                                                              \
        i += (size_t)n.left + (n.threshold < key[n.slot]);                                         \
    } while (0)

/* Walks eight trees side by side: eight independent chains of loads hide each other's latency. */
static void walk8(const struct fast_node *node, const uint32_t *key, const struct tree *tree,
    const uint32_t *which, uint32_t steps, uint32_t *leaf) {
    size_t a = tree[which[0]].root, b = tree[which[1]].root, c = tree[which[2]].root,
           d = tree[which[3]].root, e = tree[which[4]].root, f = tree[which[5]].root,
           g = tree[which[6]].root, h = tree[which[7]].root;
    for (uint32_t s = 0; s < steps; s++) {
        STEP(a);
        STEP(b);
        STEP(c);
        STEP(d);
        STEP(e);
        STEP(f);
        STEP(g);
        STEP(h);
    }
    leaf[0] = node[a].threshold;
    leaf[1] = node[b].threshold;
    leaf[2] = node[c].threshold;
    leaf[3] = node[d].threshold;
    leaf[4] = node[e].threshold;
    leaf[5] = node[f].threshold;
    leaf[6] = node[g].threshold;
    leaf[7] = node[h].threshold;
}

/* Leaves of trees [first, first + n) in the chunk's order by depth, so that lanes end together. */
static void walk_chunk(
    const struct model *m, const uint32_t *key, size_t first, size_t n, double *value_of) {
    const struct fast_node *node = model_at(m, m->at_fast);
    const struct tree *tree = model_at(m, m->at_tree);
    const uint32_t *order = (const uint32_t *)model_at(m, m->at_order) + first;
    const double *value = model_at(m, m->at_value);
    for (size_t i = 0; i < n; i += LANES) {
        uint32_t which[LANES], leaf[LANES];
        size_t lanes = n - i < LANES ? n - i : LANES;
        for (size_t j = 0; j < LANES; j++) which[j] = order[i + (j < lanes ? j : lanes - 1)];
        walk8(node, key, tree, which, tree[which[LANES - 1]].depth, leaf);
        for (size_t j = 0; j < lanes; j++) value_of[which[j] - first] = value[leaf[j]];
    }
}

static void trees_score(const struct model *m, const float *row, double *raw) {
    uint32_t key[MODEL_SLOTS_MAX + 1];
    double value_of[CHUNK_TREES];
    fill_keys(m, row, key);
    for (size_t k = 0; k < m->classes; k++) raw[k] = 0;
    size_t k = 0;
    for (size_t first = 0; first < m->trees; first += CHUNK_TREES) {
        size_t n = m->trees - first < CHUNK_TREES ? m->trees - first : CHUNK_TREES;
        walk_chunk(m, key, first, n, value_of);
        for (size_t t = 0; t < n; t++) {
            raw[k] += value_of[t];
            if (++k == m->classes) k = 0;
        }
    }
}

/* The library's decision on a double: tree.h, NumericalDecision. */
static int32_t plain_child(const struct plain_node *n, double x) {
    bool is_nan = x != x;
    if (is_nan && n->rule != MISSING_NAN) x = 0;
    bool is_zero = fabs(x) <= (double)zero_limit;
    if ((n->rule == MISSING_ZERO && is_zero) || (n->rule == MISSING_NAN && is_nan)) {
        return n->default_left ? n->left : n->right;
    }
    return x <= n->threshold ? n->left : n->right;
}

static int32_t plain_leaf(const struct model *m, const struct tree *tree, const double *row) {
    const struct plain_node *node =
        (const struct plain_node *)model_at(m, m->at_plain) + tree->node;
    if (tree->leaves == 1) return 0;
    int32_t i = 0;
    for (uint32_t step = 0; i >= 0; step++) {
        CHECK(step < tree->depth);
        i = plain_child(&node[i], row[node[i].column]);
    }
    return ~i;
}

void model_score(const struct model *m, const float *row, double *raw) {
    if (m->kind == MODEL_LOGISTIC)
        logistic_score(m, row, NULL, raw);
    else
        trees_score(m, row, raw);
}

void model_score_double(const struct model *m, const double *row, double *raw) {
    if (m->kind == MODEL_LOGISTIC) {
        logistic_score(m, NULL, row, raw);
        return;
    }
    const struct tree *tree = model_at(m, m->at_tree);
    const double *value = model_at(m, m->at_value);
    for (size_t k = 0; k < m->classes; k++) raw[k] = 0;
    for (size_t t = 0; t < m->trees; t++) {
        raw[t % m->classes] += value[tree[t].leaf + (uint32_t)plain_leaf(m, &tree[t], row)];
    }
}

void model_leaves(const struct model *m, const double *row, int32_t *leaf) {
    CHECK(m->kind == MODEL_TREES);
    const struct tree *tree = model_at(m, m->at_tree);
    for (size_t t = 0; t < m->trees; t++) leaf[t] = plain_leaf(m, &tree[t], row);
}

void model_probability(const struct model *m, const double *raw, double *p) {
    switch ((enum model_output)m->output) {
    case OUTPUT_VALUE: p[0] = raw[0]; return;
    case OUTPUT_BINARY: p[0] = 1 / (1 + dm_exp(-m->sigmoid * raw[0])); return;
    case OUTPUT_CLASSES: break;
    }
    double top = raw[0], sum = 0;
    for (size_t k = 1; k < m->classes; k++) top = raw[k] > top ? raw[k] : top;
    for (size_t k = 0; k < m->classes; k++) sum += p[k] = dm_exp(raw[k] - top);
    for (size_t k = 0; k < m->classes; k++) p[k] /= sum;
}

/* Log odds of p, kept finite: a softmax may round to 0 or 1. */
static double log_odds(double p) {
    double q = p < 1e-15 ? 1e-15 : p > 1 - 1e-15 ? 1 - 1e-15 : p;
    return dm_log(q / (1 - q));
}

double model_calibration_score(
    const struct model *m, const double *raw, const double *p, size_t k) {
    CHECK(k < m->classes);
    return m->output == OUTPUT_BINARY ? m->sigmoid * raw[0] : log_odds(p[k]);
}

void model_predict(const struct model *m, const struct calibration *cal, const float *row,
    struct prediction *out) {
    out->classes = m->classes;
    out->missing = 0;
    for (size_t i = 0; i < m->columns; i++) out->missing += row[i] != row[i];
    model_score(m, row, out->raw);
    model_probability(m, out->raw, out->p);
    if (!cal || m->output == OUTPUT_VALUE) return;
    if (m->output == OUTPUT_BINARY) {
        if (cal->kind)
            out->p[0] = calibration_apply(cal, model_calibration_score(m, out->raw, out->p, 0));
        return;
    }
    double sum = 0;
    for (size_t k = 0; k < m->classes; k++) {
        if (cal[k].kind)
            out->p[k] = calibration_apply(&cal[k], model_calibration_score(m, out->raw, out->p, k));
        sum += out->p[k];
    }
    for (size_t k = 0; k < m->classes; k++) {
        out->p[k] = sum > 0 ? out->p[k] / sum : 1.0 / m->classes;
    }
}
