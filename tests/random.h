/* Random cases: case i of a seed is always the same, and LSDN_SEED in the environment names another seed. */
#ifndef LSDN_TESTS_RANDOM_H
#define LSDN_TESTS_RANDOM_H

#include <stdlib.h>

#include "bandit/pcg.h"

static inline uint64_t random_seed(void)
{
	const char *text = getenv("LSDN_SEED");
	return text ? strtoull(text, NULL, 10) : 7;
}

/* A whole number from low to high. */
static inline int between(struct pcg *rng, int low, int high)
{
	return low + (int)pcg_below(rng, (uint32_t)(high - low + 1));
}

#endif
