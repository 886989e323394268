#include "base/rng.h"

#include <math.h>

#include "base/check.h"
#include "base/dmath.h"

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_init(struct rng *r, uint64_t seed, uint64_t stream) {
    uint64_t state = seed;
    uint64_t mixed = splitmix64(&state) ^ stream;
    state = mixed;
    for (int i = 0; i < 4; i++) r->s[i] = splitmix64(&state);
}

static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t rng_u64(struct rng *r) {
    uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double rng_unit(struct rng *r) { return ((double)(rng_u64(r) >> 11) + 0.5) * 0x1p-53; }

uint64_t rng_below(struct rng *r, uint64_t n) {
    CHECK(n > 0);
    uint64_t least = (0 - n) % n, x; /* 2^64 mod n values would be one too many */
    do x = rng_u64(r);
    while (x < least);
    return x % n;
}

double rng_exp(struct rng *r) { return -dm_log(rng_unit(r)); }

double rng_normal(struct rng *r) {
    double radius = sqrt(2 * rng_exp(r));
    return radius * dm_cos(6.283185307179586 * rng_unit(r));
}
