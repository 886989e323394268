/* scale.c: exact window sums and sorted windows of float32 values, one a column and session.
 *
 * Block: head | per session and column: struct scale_window, ring of W floats, sorted W floats
 * (quantile only).
 */
#include "derive/feature/scale.h"

#include "derive/feature/feature_internal.h"

/* A float is m x 2^(shift - 149) with |m| < 2^24 and shift 0..253, its square m^2 x 2^(2 shift -
 * 298). Sums of 2^14 of them fit 24 + 253 + 14 + sign and 48 + 506 + 14 + sign bits. */
enum { SUM_LIMBS = 5, SQUARE_LIMBS = 9, SUM_EXP = -149, SQUARE_EXP = -298 };
_Static_assert(SUM_LIMBS * 64 >= 24 + 253 + 14 + 1, "sum");
_Static_assert(SQUARE_LIMBS * 64 >= 48 + 506 + 14 + 1, "sum of squares");
_Static_assert(SCALE_WINDOW_MAX <= 1 << 14, "sums of a window fit");

struct scale_window {
    uint64_t sum[SUM_LIMBS]; /* two's complement, lowest first */
    uint64_t square[SQUARE_LIMBS];
    uint32_t rows, at, present; /* rows in the ring, next place, values among them */
    uint32_t pad;
};

struct scaler {
    struct feature_scale scale;
    uint32_t columns, stride; /* bytes of one window with its arrays */
};

static size_t window_bytes(const struct feature_scale *scale) {
    size_t arrays = scale->kind == SCALE_QUANTILE ? 2 : 1;
    return (sizeof(struct scale_window) + arrays * scale->window * sizeof(float) + 7u) & ~(size_t)7;
}

static size_t sessions(const struct feature_scale *scale) {
    return scale->session ? FEATURE_SESSIONS : 1;
}

size_t scaler_mem_size(const struct feature_scale *scale, size_t columns) {
    return sizeof(struct scaler) + sessions(scale) * columns * window_bytes(scale);
}

struct scaler *scaler_init(void *mem, const struct feature_scale *scale, size_t columns) {
    CHECK(scale->kind != SCALE_NONE);
    CHECK(scale->window >= SCALE_WINDOW_MIN && scale->window <= SCALE_WINDOW_MAX);
    struct scaler *s = mem;
    memset(s, 0, scaler_mem_size(scale, columns));
    memcpy(&s->scale, scale, sizeof *scale);
    s->columns = (uint32_t)columns;
    s->stride = (uint32_t)window_bytes(scale);
    return s;
}

/* --- exact sums ------------------------------------------------------------------------------ */

/* Adds or takes away m x 2^shift. */
static void wide_add(uint64_t *limb, size_t limbs, uint64_t m, unsigned shift, bool minus) {
    size_t i = shift / 64;
    uint128 v = (uint128)m << (shift % 64);
    uint64_t part[2] = {(uint64_t)v, (uint64_t)(v >> 64)}, carry = 0;
    for (size_t k = 0; i + k < limbs && (k < 2 || carry); k++) {
        uint64_t add = k < 2 ? part[k] : 0, before = limb[i + k], after;
        if (minus) {
            after = before - add - carry;
            carry = before < add || (before == add && carry);
        } else {
            after = before + add + carry;
            carry = after < before || (after == before && carry);
        }
        limb[i + k] = after;
    }
}

static void float_parts(float x, uint64_t *m, unsigned *shift, bool *minus) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    unsigned e = bits >> 23 & 255u;
    *minus = bits >> 31;
    *m = (bits & 0x7fffffu) | (e ? 0x800000u : 0u);
    *shift = e ? e - 1 : 0;
}

static void sums_move(struct scale_window *w, float x, bool out) {
    uint64_t m;
    unsigned shift;
    bool minus;
    float_parts(x, &m, &shift, &minus);
    wide_add(w->sum, SUM_LIMBS, m, shift, minus != out);
    wide_add(w->square, SQUARE_LIMBS, m * m, 2 * shift, out);
}

/* Unevaluated sum of two doubles, about 106 bits (Dekker 1971; Knuth's TwoSum). */
struct pair {
    double hi, lo;
};

static struct pair pair_add(struct pair a, struct pair b) {
    double s = a.hi + b.hi, t = s - a.hi;
    double err = (a.hi - (s - t)) + (b.hi - t) + (a.lo + b.lo), hi = s + err;
    return (struct pair){hi, err - (hi - s)};
}

static struct pair pair_mul(struct pair a, struct pair b) {
    double p = a.hi * b.hi, err = fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi), hi = p + err;
    return (struct pair){hi, err - (hi - p)};
}

static struct pair pair_of(double x) { return (struct pair){x, 0.0}; }

static double power_of_two(int e) { /* 2^e, -1022 <= e <= 1023 */
    uint64_t bits = (uint64_t)(e + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The wide integer x 2^exp. Its upper half-limbs are added from the top; those below what a pair
 * holds change nothing. */
static struct pair wide_pair(const uint64_t *limb, size_t limbs, int exp) {
    struct pair sum = {0.0, 0.0};
    uint64_t flip = limb[limbs - 1] >> 63 ? ~(uint64_t)0 : 0, carry = flip & 1u;
    uint64_t v[SQUARE_LIMBS] = {0};
    for (size_t i = 0; i < limbs; i++) { /* magnitude */
        v[i] = (limb[i] ^ flip) + carry;
        carry = carry && v[i] == 0;
    }
    for (size_t i = limbs; i-- > 0;) {
        if (v[i] == 0) continue;
        double unit = power_of_two(exp + (int)(64 * i));
        sum = pair_add(sum, pair_of((double)(v[i] >> 32) * 0x1p32 * unit));
        sum = pair_add(sum, pair_of((double)(v[i] & 0xffffffffu) * unit));
    }
    return flip ? (struct pair){-sum.hi, -sum.lo} : sum;
}

static double window_z(const struct scale_window *w, double x) {
    struct pair n = pair_of((double)w->present), sum = wide_pair(w->sum, SUM_LIMBS, SUM_EXP);
    struct pair square = wide_pair(w->square, SQUARE_LIMBS, SQUARE_EXP), cross = pair_mul(sum, sum);
    struct pair spread = pair_add(pair_mul(n, square), (struct pair){-cross.hi, -cross.lo});
    struct pair off = pair_add(pair_mul(n, pair_of(x)), (struct pair){-sum.hi, -sum.lo});
    double count = (double)w->present; /* spread = n^2 x variance, off = n (x - mean) */
    if (!(spread.hi > 0.0)) return off.hi == 0.0 ? 0.0 : MISSING;
    return ratio_of(off.hi, sqrt(spread.hi * (count / (count - 1.0))));
}

/* --- sorted windows -------------------------------------------------------------------------- */

/* How many of the sorted values are below x, or at most x with `equal`. */
static size_t sorted_below(const float *v, size_t n, float x, bool equal) {
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (v[mid] < x || (equal && v[mid] == x))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static double window_rank(const float *v, size_t n, float x) {
    size_t below = sorted_below(v, n, x, false), upto = sorted_below(v, n, x, true);
    return 0.5 * (double)(below + upto) / (double)n;
}

static void sorted_take(float *v, size_t n, float x) {
    size_t i = sorted_below(v, n, x, true);
    memmove(v + i + 1, v + i, (n - i) * sizeof *v);
    v[i] = x;
}

static void sorted_drop(float *v, size_t n, float x) {
    size_t i = sorted_below(v, n, x, false);
    CHECK(i < n && v[i] == x);
    memmove(v + i, v + i + 1, (n - i - 1) * sizeof *v);
}

/* --- rows ------------------------------------------------------------------------------------ */

static float *ring_of(struct scale_window *w) { return (float *)(void *)(w + 1); }

static void window_drop(struct scale_window *w, const struct feature_scale *scale, float x) {
    if (isnan(x)) return;
    if (scale->kind == SCALE_Z)
        sums_move(w, x, true);
    else
        sorted_drop(ring_of(w) + scale->window, w->present, x);
    w->present--;
}

static void window_take(struct scale_window *w, const struct feature_scale *scale, float x) {
    if (w->rows == 0 && isnan(x)) return; /* the window begins with the first value */
    float *ring = ring_of(w);
    if (w->rows == scale->window)
        window_drop(w, scale, ring[w->at]);
    else
        w->rows++;
    ring[w->at] = x;
    w->at = w->at + 1 == scale->window ? 0 : w->at + 1;
    if (isnan(x)) return;
    if (scale->kind == SCALE_Z)
        sums_move(w, x, false);
    else
        sorted_take(ring + scale->window, w->present, x);
    w->present++;
}

static double window_scale(struct scale_window *w, const struct feature_scale *scale, float x) {
    bool ready = w->rows == scale->window && 2 * w->present >= scale->window;
    if (!ready || isnan(x)) return MISSING;
    return scale->kind == SCALE_Z ? window_z(w, (double)x)
                                  : window_rank(ring_of(w) + scale->window, w->present, x);
}

void scaler_row(struct scaler *s, size_t session, double *values) {
    CHECK(session < FEATURE_SESSIONS);
    size_t first = s->scale.session ? session * s->columns : 0;
    unsigned char *block = (unsigned char *)(s + 1) + first * s->stride;
    for (size_t i = 0; i < s->columns; i++) {
        struct scale_window *w = (struct scale_window *)(void *)(block + i * s->stride);
        float x = (float)values[i] + 0.0f; /* one zero */
        if (!isfinite(x)) x = (float)NAN;
        values[i] = window_scale(w, &s->scale, x);
        window_take(w, &s->scale, x);
    }
}
