/* One side: the ladder around the touch and the far store of sorted blocks behind it. */
#include <string.h>

#include "derive/book/book_internal.h"

static struct far_entry *far_dir(const struct book_side *s) {
    return (struct far_entry *)(void *)((unsigned char *)(uintptr_t)s + s->dir_at);
}

static struct far_block *far_pool(const struct book_side *s) {
    return (struct far_block *)(void *)((unsigned char *)(uintptr_t)s + s->pool_at);
}

size_t far_blocks_max(size_t levels_max) {
    /* one level more than levels_max may be inside before the book notices that it is full */
    return 2 * (levels_max + 1) / (FAR_MERGE + 1) + 4;
}

void side_init(struct book_side *s, size_t levels_max, size_t dir_at, size_t pool_at) {
    s->levels_max = levels_max;
    s->dir_max = far_blocks_max(levels_max);
    s->dir_at = dir_at;
    s->pool_at = pool_at;
    s->best = BOOK_NO_KEY;
    s->pool_free = -1;
}

void side_clear(struct book_side *s) {
    for (size_t w = 0; w < LADDER_WORDS; w++) {
        for (uint64_t bits = s->words[w]; bits != 0; bits &= bits - 1) {
            s->lots[w * 64 + (size_t)__builtin_ctzll(bits)] = 0;
        }
        s->words[w] = 0;
    }
    memset(s->tops, 0, sizeof s->tops);
    s->count = s->far_count = 0;
    s->dir_count = s->pool_used = 0;
    s->pool_free = -1;
    s->best = BOOK_NO_KEY;
}

/* First slot >= from that is taken, BOOK_WINDOW if none. */
static size_t ladder_next(const struct book_side *s, size_t from) {
    if (from >= BOOK_WINDOW) return BOOK_WINDOW;
    size_t w = from >> 6;
    uint64_t bits = s->words[w] & (~0ull << (from & 63u));
    if (bits != 0) return w * 64 + (size_t)__builtin_ctzll(bits);
    if (++w >= LADDER_WORDS) return BOOK_WINDOW;
    size_t t = w >> 6;
    bits = s->tops[t] & (~0ull << (w & 63u));
    while (bits == 0) {
        if (++t >= LADDER_TOPS) return BOOK_WINDOW;
        bits = s->tops[t];
    }
    w = t * 64 + (size_t)__builtin_ctzll(bits);
    return w * 64 + (size_t)__builtin_ctzll(s->words[w]);
}

/* ---- far store ---- */

static uint32_t block_new(struct book_side *s) {
    if (s->pool_free >= 0) {
        uint32_t block = (uint32_t)s->pool_free;
        s->pool_free = far_pool(s)[block].rank[0];
        return block;
    }
    CHECK(s->pool_used < s->dir_max);
    return (uint32_t)s->pool_used++;
}

static void block_free(struct book_side *s, uint32_t block) {
    far_pool(s)[block].rank[0] = s->pool_free;
    s->pool_free = block;
}

static void dir_insert(struct book_side *s, size_t at, struct far_entry e) {
    CHECK(s->dir_count < s->dir_max);
    struct far_entry *dir = far_dir(s);
    memmove(dir + at + 1, dir + at, (s->dir_count - at) * sizeof *dir);
    dir[at] = e;
    s->dir_count++;
}

static void dir_remove(struct book_side *s, size_t at) {
    struct far_entry *dir = far_dir(s);
    block_free(s, dir[at].block);
    memmove(dir + at, dir + at + 1, (s->dir_count - at - 1) * sizeof *dir);
    s->dir_count--;
}

/* Joins block `at` with the next one if both fit in FAR_MERGE. */
static bool dir_merge(struct book_side *s, size_t at) {
    if (at + 1 >= s->dir_count) return false;
    struct far_entry *a = &far_dir(s)[at], *b = a + 1;
    if (a->count + b->count > FAR_MERGE) return false;
    struct far_block *to = &far_pool(s)[a->block], *from = &far_pool(s)[b->block];
    memcpy(to->rank + a->count, from->rank, b->count * sizeof from->rank[0]);
    memcpy(to->lots + a->count, from->lots, b->count * sizeof from->lots[0]);
    a->count += b->count;
    dir_remove(s, at + 1);
    return true;
}

/* Index of the block that holds or would hold `rank`. */
static size_t dir_find(const struct book_side *s, int64_t rank) {
    const struct far_entry *dir = far_dir(s);
    size_t lo = 0, n = s->dir_count;
    while (n > 1) {
        size_t half = n / 2;
        lo = dir[lo + half].rank <= rank ? lo + half : lo;
        n -= half;
    }
    return lo;
}

/* Number of ranks in the block below `rank`. */
static uint32_t block_find(const struct far_block *block, uint32_t count, int64_t rank) {
    uint32_t lo = 0, n = count;
    while (n > 0) {
        uint32_t half = n / 2;
        bool below = block->rank[lo + half] < rank;
        lo = below ? lo + half + 1 : lo;
        n = below ? n - half - 1 : half;
    }
    return lo;
}

static void block_insert(
    struct far_block *k, uint32_t count, uint32_t i, int64_t rank, int64_t lots) {
    memmove(k->rank + i + 1, k->rank + i, (count - i) * sizeof k->rank[0]);
    memmove(k->lots + i + 1, k->lots + i, (count - i) * sizeof k->lots[0]);
    k->rank[i] = rank;
    k->lots[i] = lots;
}

/* Splits the full block `at` in two halves. */
static void dir_split(struct book_side *s, size_t at) {
    uint32_t block = block_new(s);
    struct far_entry *e = &far_dir(s)[at];
    struct far_block *from = &far_pool(s)[e->block], *to = &far_pool(s)[block];
    uint32_t half = FAR_BLOCK / 2;
    memcpy(to->rank, from->rank + half, half * sizeof to->rank[0]);
    memcpy(to->lots, from->lots + half, half * sizeof to->lots[0]);
    e->count = half;
    dir_insert(s, at + 1, (struct far_entry){to->rank[0], block, half});
    dir_merge(s, at + 1);
    if (at > 0) dir_merge(s, at - 1);
}

static void far_insert(struct book_side *s, int64_t rank, int64_t lots) {
    size_t at = s->dir_count > 0 ? dir_find(s, rank) : 0;
    struct far_entry *dir = far_dir(s);
    bool last = at + 1 >= s->dir_count;
    bool append =
        last && (s->dir_count == 0 || (dir[at].count == FAR_BLOCK &&
                                          far_pool(s)[dir[at].block].rank[FAR_BLOCK - 1] < rank));
    s->far_count++;
    if (append) { /* rising ranks fill blocks to the brim */
        uint32_t block = block_new(s);
        far_pool(s)[block].rank[0] = rank;
        far_pool(s)[block].lots[0] = lots;
        dir_insert(s, s->dir_count, (struct far_entry){rank, block, 1});
        return;
    }
    if (dir[at].count == FAR_BLOCK) {
        dir_split(s, at);
        at = dir_find(s, rank);
    }
    struct far_block *k = &far_pool(s)[dir[at].block];
    uint32_t i = block_find(k, dir[at].count, rank);
    block_insert(k, dir[at].count++, i, rank, lots);
    dir[at].rank = k->rank[0];
}

static void far_remove(struct book_side *s, size_t at, uint32_t i) {
    struct far_entry *e = &far_dir(s)[at];
    struct far_block *k = &far_pool(s)[e->block];
    size_t tail = e->count - i - 1;
    memmove(k->rank + i, k->rank + i + 1, tail * sizeof k->rank[0]);
    memmove(k->lots + i, k->lots + i + 1, tail * sizeof k->lots[0]);
    e->count--;
    s->far_count--;
    if (e->count == 0) {
        dir_remove(s, at);
        return;
    }
    e->rank = k->rank[0];
    if (!dir_merge(s, at) && at > 0) dir_merge(s, at - 1);
}

static bool far_at(const struct book_side *s, int64_t rank, size_t *at, uint32_t *i) {
    if (s->dir_count == 0) return false;
    *at = dir_find(s, rank);
    const struct far_entry *e = &far_dir(s)[*at];
    const struct far_block *k = &far_pool(s)[e->block];
    *i = block_find(k, e->count, rank);
    return *i < e->count && k->rank[*i] == rank;
}

static int64_t far_set(struct book_side *s, int64_t rank, int64_t lots) {
    size_t at;
    uint32_t i;
    if (!far_at(s, rank, &at, &i)) {
        if (lots == 0) return 0;
        far_insert(s, rank, lots);
        s->count++;
        return 0;
    }
    struct far_block *k = &far_pool(s)[far_dir(s)[at].block];
    int64_t before = k->lots[i];
    if (lots != 0) {
        k->lots[i] = lots;
        return before;
    }
    far_remove(s, at, i);
    s->count--;
    return before;
}

/* ---- the ladder's place ---- */

/* Worst first, so that each is an append. */
static void ladder_to_far(struct book_side *s) {
    for (size_t w = LADDER_WORDS; w-- > 0;) {
        uint64_t bits = s->words[w];
        while (bits != 0) {
            size_t slot = w * 64 + 63 - (size_t)__builtin_clzll(bits);
            bits &= ~(1ull << (slot & 63u));
            far_insert(s, -(s->base + (int64_t)slot), s->lots[slot]);
            s->lots[slot] = 0;
        }
        s->words[w] = 0;
    }
    memset(s->tops, 0, sizeof s->tops);
}

static void far_to_ladder(struct book_side *s) {
    while (s->dir_count > 0) {
        const struct far_entry *e = &far_dir(s)[s->dir_count - 1];
        const struct far_block *k = &far_pool(s)[e->block];
        uint64_t slot = (uint64_t)(-k->rank[e->count - 1]) - (uint64_t)s->base;
        if (slot >= BOOK_WINDOW) break;
        s->lots[slot] = k->lots[e->count - 1];
        s->words[slot >> 6] |= 1ull << (slot & 63u);
        s->tops[slot >> 12] |= 1ull << ((slot >> 6) & 63u);
        far_remove(s, s->dir_count - 1, e->count - 1);
    }
}

/* Moves the ladder so that `best` is LADDER_LEAD behind its start. */
static void ladder_move(struct book_side *s, int64_t best) {
    ladder_to_far(s);
    s->base = best - LADDER_LEAD;
    far_to_ladder(s);
    s->recentres++;
}

int64_t side_set_far(struct book_side *s, int64_t key, int64_t lots) {
    if (s->count > 0 && key > s->base) return far_set(s, -key, lots);
    if (lots == 0) return 0; /* better than the ladder's start: nothing can be there */
    ladder_move(s, key);
    return side_set(s, key, lots);
}

void side_best_gone(struct book_side *s) {
    size_t slot = ladder_next(s, (size_t)(s->best - s->base));
    if (slot == BOOK_WINDOW && s->far_count == 0) {
        s->best = BOOK_NO_KEY;
        return;
    }
    if (slot == BOOK_WINDOW) {
        const struct far_entry *e = &far_dir(s)[s->dir_count - 1];
        s->best = -far_pool(s)[e->block].rank[e->count - 1];
    } else {
        s->best = s->base + (int64_t)slot;
    }
    if (s->best - s->base > LADDER_DRIFT) ladder_move(s, s->best);
}

bool side_next(const struct book_side *s, int64_t after, int64_t *key, int64_t *lots) {
    if (after < s->base + BOOK_WINDOW - 1) {
        size_t slot = ladder_next(s, after < s->base ? 0 : (size_t)(after - s->base) + 1);
        if (slot < BOOK_WINDOW) {
            *key = s->base + (int64_t)slot;
            *lots = s->lots[slot];
            return true;
        }
    }
    if (s->dir_count == 0) return false;
    /* the greatest rank below -after */
    size_t at = dir_find(s, -after);
    const struct far_entry *e = &far_dir(s)[at];
    uint32_t i = block_find(&far_pool(s)[e->block], e->count, -after);
    if (i == 0) {
        if (at == 0) return false;
        e--;
        i = e->count;
    }
    *key = -far_pool(s)[e->block].rank[i - 1];
    *lots = far_pool(s)[e->block].lots[i - 1];
    return true;
}

/* The ladder's part is one pass over its array (empty ticks hold 0); the rest goes level by level.
 */
int64_t side_sum(const struct book_side *s, int64_t first, int64_t last) {
    int64_t sum = 0, end = s->base + BOOK_WINDOW;
    int64_t from = first < s->base ? s->base : first, to = last < end ? last + 1 : end;
    for (int64_t key = from; key < to; key++) sum += s->lots[key - s->base];
    if (last < end) return sum;
    int64_t key = first > end ? first - 1 : end - 1, lots;
    while (side_next(s, key, &key, &lots) && key <= last) sum += lots;
    return sum;
}

int64_t side_lots(const struct book_side *s, int64_t key) {
    uint64_t slot = (uint64_t)key - (uint64_t)s->base;
    if (slot < BOOK_WINDOW) return s->lots[slot];
    size_t at;
    uint32_t i;
    if (!far_at(s, -key, &at, &i)) return 0;
    return far_pool(s)[far_dir(s)[at].block].lots[i];
}
