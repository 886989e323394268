/* model_internal.h: the bytes of a built model. Offsets count from the head; no pointers.
 *
 * Two forms of every tree are kept. The fast one serves float32 rows:
 *
 *   row -> key[slot] (a column under one missing rule, as an order-preserving uint32)
 *   node = { threshold key, slot, distance to the left child }; right child = left child + 1
 *   at a leaf the distance is 0, the slot is the last one, whose key is 0: the walk stays there,
 *   and the threshold field holds the leaf's number.
 *
 * The plain one keeps the library's own arrays for double rows and leaf numbers.
 */
#ifndef FATHOM_DERIVE_MODEL_MODEL_INTERNAL_H
#define FATHOM_DERIVE_MODEL_MODEL_INTERNAL_H

#include "derive/model/model.h"

enum { MODEL_MAGIC = 0x464d4f31, MODEL_ALIGN = 64 };
enum { CHUNK_TREES = 512, LANES = 8 }; /* trees whose leaves are kept before they are summed */

/* LightGBM's missing types (bits 2..3 of decision_type). */
enum missing_rule { MISSING_NONE = 0, MISSING_ZERO = 1, MISSING_NAN = 2 };

struct fast_node {
    uint32_t threshold;
    uint16_t slot;
    uint16_t left;
};
_Static_assert(sizeof(struct fast_node) == 8, "eight nodes a cache line");

struct slot {
    uint16_t column;
    uint8_t rule; /* enum missing_rule */
    uint8_t default_left;
};
_Static_assert(sizeof(struct slot) == 4, "stored");

/* The library's form of one split. Children: >= 0 node of the tree, < 0 leaf ~child. */
struct plain_node {
    double threshold;
    int32_t left, right;
    uint16_t column;
    uint8_t rule, default_left;
    uint32_t pad;
};
_Static_assert(sizeof(struct plain_node) == 24, "stored");

struct tree {
    uint32_t root;  /* index of the first fast node */
    uint32_t node;  /* index of the first plain node */
    uint32_t leaf;  /* index of the first leaf value */
    uint32_t depth; /* splits on the longest path */
    uint32_t leaves;
};
_Static_assert(sizeof(struct tree) == 20, "stored");

struct model {
    uint32_t magic;
    uint32_t kind;   /* enum model_kind */
    uint32_t output; /* enum model_output */
    uint32_t columns;
    uint32_t classes;
    uint32_t trees;
    uint32_t slots; /* without the last, constant one */
    uint32_t fast_nodes, plain_nodes, leaves;
    double sigmoid;
    uint64_t bytes;
    /* Byte offsets. Logistic: mean, weights (already divided by scale), bias. */
    uint64_t at_fast, at_slot, at_plain, at_tree, at_order, at_value;
    uint64_t at_mean, at_weight, at_bias;
};

static inline const void *model_at(const struct model *m, uint64_t offset) {
    return (const char *)m + offset;
}

/* Order-preserving: a <= b for floats (no NaN) exactly if key(a) <= key(b), but -0 < +0. */
static inline uint32_t float_key(uint32_t bits) {
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 0x80000000u);
}

#endif
