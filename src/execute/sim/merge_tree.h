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

/* Node 1 is the root, leaves are [base, base + n); a node holds the place of its winner: rest =
 * rank x 2^32 + number, so that equal places go to the lowest number. Copies instead of numbers:
 * the way up is compares of what lies side by side, with no load that waits for the last. */
struct merge_node {
    int64_t ts;
    uint64_t rest;
};

struct merge_tree {
    size_t base;
    struct merge_node node[2 * MERGE_MAX];
};

static const struct world_key merge_tree_end = {INT64_MAX, UINT32_MAX};

static inline bool merge_node_before(struct merge_node a, struct merge_node b) {
    return (a.ts < b.ts) | ((a.ts == b.ts) & (a.rest < b.rest)); /* a wrong guess would cost more */
}

static inline void merge_tree_set(struct merge_tree *t, size_t i, struct world_key key) {
    struct merge_node least = {key.ts, (uint64_t)key.rank << 32 | i};
    size_t at = t->base + i;
    t->node[at] = least;
    for (; at > 1; at /= 2) {
        struct merge_node rival = t->node[at ^ 1];
        bool other = merge_node_before(rival, least);
        least.ts = other ? rival.ts : least.ts;
        least.rest = other ? rival.rest : least.rest;
        t->node[at / 2] = least;
    }
}

static inline void merge_tree_init(struct merge_tree *t, size_t n) {
    CHECK(n > 0 && n <= MERGE_MAX);
    for (t->base = 1; t->base < n; t->base *= 2) {}
    for (size_t i = 0; i < 2 * MERGE_MAX; i++) {
        t->node[i] = (struct merge_node){INT64_MAX, UINT64_MAX};
    }
    for (size_t i = 0; i < t->base; i++) merge_tree_set(t, i, merge_tree_end);
}

static inline size_t merge_tree_first(const struct merge_tree *t) {
    return (size_t)(t->node[1].rest & UINT32_MAX);
}
static inline struct world_key merge_tree_least(const struct merge_tree *t) {
    return (struct world_key){t->node[1].ts, (uint32_t)(t->node[1].rest >> 32)};
}
static inline bool merge_tree_over(const struct merge_tree *t) {
    return t->node[1].ts == INT64_MAX;
}

/* The earliest place of all others than the first. */
static inline struct merge_node merge_tree_rival(const struct merge_tree *t) {
    struct merge_node least = {INT64_MAX, UINT64_MAX};
    for (size_t at = t->base + merge_tree_first(t); at > 1; at /= 2) {
        if (merge_node_before(t->node[at ^ 1], least)) least = t->node[at ^ 1];
    }
    return least;
}

/* Who comes after the first; the first itself if no other has anything to come. */
static inline size_t merge_tree_second(const struct merge_tree *t) {
    struct merge_node rival = merge_tree_rival(t);
    return rival.ts == INT64_MAX ? merge_tree_first(t) : (size_t)(rival.rest & UINT32_MAX);
}

static inline struct world_key merge_tree_bound(const struct merge_tree *t) {
    struct merge_node rival = merge_tree_rival(t);
    if (rival.ts == INT64_MAX) return merge_tree_end;
    return (struct world_key){rival.ts, (uint32_t)(rival.rest >> 32)};
}

#endif
