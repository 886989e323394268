/* rng.h: a seeded random source that gives the same numbers on every machine.
 *
 * xoshiro256** (Blackman and Vigna 2018, public domain), seeded by splitmix64 from a seed and a
 * stream number, so that one seed gives many independent sources. Deviates use dmath.h only.
 * Ownership  the state is the caller's, plain bytes. Threads: one a state.
 * Why        chance in studies, generators and tests must be repeatable to the last bit.
 */
#ifndef FATHOM_BASE_RNG_H
#define FATHOM_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, uint64_t stream);
uint64_t rng_u64(struct rng *r);
/* Uniform in the open interval (0, 1), multiples of 2^-53 plus half of one. */
double rng_unit(struct rng *r);
/* Uniform in 0..n-1, without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Exponential with mean 1; standard normal (Box and Muller 1958, the cosine half). */
double rng_exp(struct rng *r);
double rng_normal(struct rng *r);

#endif
