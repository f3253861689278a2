/* PCG32 (XSH-RR, 64 bits of state): the one source of chance here.
 * M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation", HMC-CS-2014-0905. */
#ifndef LSDN_BANDIT_PCG_H
#define LSDN_BANDIT_PCG_H

#include <stddef.h>
#include <stdint.h>

struct pcg {
	uint64_t state, increment;
};

/* Seed 42 and stream 54 give a15c02b7 7b47f409 ba1d3330 ... */
void pcg_seed(struct pcg *rng, uint64_t seed, uint64_t stream);

uint32_t pcg_next(struct pcg *rng);

/* Uniform in 0..bound-1 without bias (rejection); bound > 0. */
uint32_t pcg_below(struct pcg *rng, uint32_t bound);

/* Uniform in [0, 1): 53 random bits (the first number drawn gives the upper 27). */
double pcg_double(struct pcg *rng);

/* Normal with mean 0 and variance 1, by Box and Muller (two numbers of pcg_double are drawn). */
double pcg_normal(struct pcg *rng);

/* Fills order with 0..count-1 shuffled (Fisher and Yates, from the end). */
void pcg_shuffle(struct pcg *rng, uint32_t *order, size_t count);

#endif
