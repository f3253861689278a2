#include "config.h"

#include "bandit/pcg.h"

#include <math.h>

void pcg_seed(struct pcg *rng, uint64_t seed, uint64_t stream)
{
	rng->state = 0;
	rng->increment = stream << 1 | 1;
	pcg_next(rng);
	rng->state += seed;
	pcg_next(rng);
}

/* XSH-RR (O'Neill, section 6.3.1): an xorshift of the upper bits, rotated by the topmost five. */
uint32_t pcg_next(struct pcg *rng)
{
	uint64_t old = rng->state;
	rng->state = old * 6364136223846793005u + rng->increment;
	uint32_t shifted = (uint32_t)((old >> 18 ^ old) >> 27);
	unsigned turn = (unsigned)(old >> 59);
	return shifted >> turn | shifted << (-turn & 31);
}

uint32_t pcg_below(struct pcg *rng, uint32_t bound)
{
	uint32_t surplus = -bound % bound; /* 2^32 mod bound: so many of the lowest numbers would be drawn once too often */
	uint32_t drawn;
	do
		drawn = pcg_next(rng);
	while (drawn < surplus);
	return drawn % bound;
}

double pcg_double(struct pcg *rng)
{
	uint64_t upper = pcg_next(rng) >> 5;
	uint64_t lower = pcg_next(rng) >> 6;
	return (double)(upper << 26 | lower) / 9007199254740992.0;
}

double pcg_normal(struct pcg *rng)
{
	double radius = sqrt(-2 * log(1 - pcg_double(rng))), angle = 2 * 3.14159265358979323846 * pcg_double(rng);
	return radius * cos(angle);
}

void pcg_shuffle(struct pcg *rng, uint32_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	for (size_t i = count; i > 1; i--) {
		size_t j = pcg_below(rng, (uint32_t)i);
		uint32_t kept = order[i - 1];
		order[i - 1] = order[j];
		order[j] = kept;
	}
}
