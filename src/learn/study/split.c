#include "learn/study/split.h"

#include "base/check.h"

size_t split_walk_forward(size_t n, bool rolling, size_t folds, size_t train_rows, size_t test_rows,
    struct split_fold *out, size_t max) {
    CHECK(folds > 0 || train_rows > 0);
    bool by_folds = train_rows == 0;
    size_t first = by_folds ? n / (folds + 1) : train_rows;
    if (first == 0 || first >= n) return 0;
    size_t step = by_folds ? first : test_rows ? test_rows : (n - first) / (folds ? folds : 1);
    if (step == 0) step = 1;
    size_t count = 0;
    for (size_t at = first; at < n; at += step, count++) {
        bool last = by_folds && count + 1 == folds;
        size_t to = last || n - at < step ? n : at + step;
        if (count < max) out[count] = (struct split_fold){rolling ? at - first : 0, at, at, to};
        if (last) return count + 1;
    }
    return count;
}

static size_t first_at_or_after(const int64_t *t, size_t n, int64_t at) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (t[mid] < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

size_t split_walk_forward_time(const int64_t *t, size_t n, bool rolling, int64_t train,
    int64_t test, struct split_fold *out, size_t max) {
    CHECK(train > 0 && test > 0);
    size_t count = 0;
    if (n == 0) return 0;
    for (int64_t at = t[0] + train; at <= t[n - 1]; at += test) {
        size_t from = first_at_or_after(t, n, at), to = first_at_or_after(t, n, at + test);
        size_t begin = rolling ? first_at_or_after(t, n, at - train) : 0;
        if (from == to || begin == from) continue;
        if (count < max) out[count] = (struct split_fold){begin, from, from, to};
        count++;
    }
    return count;
}

void split_purge(const struct split_span *span, size_t n, const struct split_span *test,
    size_t tests, int64_t embargo, bool *keep) {
    for (size_t i = 0; i < n; i++) {
        keep[i] = true;
        for (size_t k = 0; k < tests; k++) {
            bool shares = span[i].t1 >= test[k].t0 && span[i].t0 <= test[k].t1;
            bool after = span[i].t0 > test[k].t1 && span[i].t0 - test[k].t1 <= embargo;
            if (shares || after) keep[i] = false;
        }
    }
}

struct split_fold split_kfold(size_t n, size_t k, size_t i) {
    CHECK(k > 0 && i < k);
    size_t size = n / k, extra = n % k;
    size_t from = i * size + (i < extra ? i : extra);
    return (struct split_fold){0, n, from, from + size + (i < extra)};
}

static uint64_t choose(uint64_t n, uint64_t k) {
    uint64_t c = 1;
    for (uint64_t i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return c;
}

err_t cpcv_count(size_t groups, size_t tested, struct cpcv *out, struct err_info *e) {
    if (tested < 1 || tested >= groups || groups > CPCV_GROUPS_MAX) {
        return err_set(e, ERR_USAGE,
            "combinatorial splits of %zu groups with %zu tested: needs 1 <= tested < groups <= %d",
            groups, tested, CPCV_GROUPS_MAX);
    }
    out->splits = choose(groups, tested);
    out->tests_per_sample = choose(groups - 1, tested - 1);
    out->paths = out->tests_per_sample; /* splits x tested / groups */
    return ERR_OK;
}

bool cpcv_next(size_t groups, size_t tested, uint32_t *mask) {
    CHECK(tested >= 1 && tested < groups && groups <= CPCV_GROUPS_MAX);
    uint64_t v = *mask, end = (uint64_t)1 << groups;
    if (v == 0) {
        v = ((uint64_t)1 << tested) - 1;
    } else { /* the next larger number with as many bits (Gosper) */
        uint64_t low = v & -v, ripple = v + low;
        v = ripple | (((v ^ ripple) >> 2) / low);
    }
    if (v >= end) return false;
    *mask = (uint32_t)v;
    return true;
}
