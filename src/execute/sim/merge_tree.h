/* merge_tree.h: which of several is next: a tournament over their next places in time (worlds of
 * one run, seats of one world).
 *
 * Cost       first: 1; set and bound: log2(n) comparisons. No rival: bound is the end of time.
 * Ownership  plain struct. Threads: one.
 * Limits     MERGE_MAX of them.
 */
#ifndef FATHOM_EXECUTE_SIM_MERGE_TREE_H
#define FATHOM_EXECUTE_SIM_MERGE_TREE_H

#include <stddef.h>

#include "base/check.h"
#include "execute/sim/world.h"

enum { MERGE_MAX = 64 };

/* Node 1 is the root, leaves are [base, base + n); a node holds the winner's number. */
struct merge_tree {
    size_t base;
    uint16_t winner[2 * MERGE_MAX];
    struct world_key key[MERGE_MAX];
};

static const struct world_key merge_tree_end = {INT64_MAX, UINT32_MAX};

static inline void merge_tree_set(struct merge_tree *t, size_t i, struct world_key key) {
    t->key[i] = key;
    for (size_t at = (t->base + i) / 2; at > 0; at /= 2) {
        uint16_t a = t->winner[2 * at], b = t->winner[2 * at + 1];
        struct world_key x = t->key[a], y = t->key[b];
        bool right = (y.ts < x.ts) | ((y.ts == x.ts) & (y.rank < x.rank)); /* a guess would cost */
        t->winner[at] = (uint16_t)(a ^ ((a ^ b) & -(unsigned)right));
    }
}

static inline void merge_tree_init(struct merge_tree *t, size_t n) {
    CHECK(n > 0 && n <= MERGE_MAX);
    for (t->base = 1; t->base < n; t->base *= 2) {}
    for (size_t i = 0; i < t->base; i++) {
        t->key[i] = merge_tree_end;
        t->winner[t->base + i] = (uint16_t)i;
    }
    for (size_t i = 0; i < t->base; i++) merge_tree_set(t, i, merge_tree_end);
}

static inline size_t merge_tree_first(const struct merge_tree *t) { return t->winner[1]; }

static inline bool merge_tree_over(const struct merge_tree *t) {
    return t->key[merge_tree_first(t)].ts == INT64_MAX;
}

/* Who comes after the first; the first itself if no other has anything to come. */
static inline size_t merge_tree_second(const struct merge_tree *t) {
    size_t first = merge_tree_first(t), second = first;
    for (size_t at = t->base + first; at > 1; at /= 2) {
        size_t rival = t->winner[at ^ 1];
        if (second == first || world_before(t->key[rival], t->key[second])) second = rival;
    }
    return t->key[second].ts == INT64_MAX ? first : second;
}

/* The earliest place of all others than the first. */
static inline struct world_key merge_tree_bound(const struct merge_tree *t) {
    size_t second = merge_tree_second(t);
    return second == merge_tree_first(t) ? merge_tree_end : t->key[second];
}

#endif
