#include "config.h"

#include "calib/evidence.h"

#include <math.h>
#include <stdbool.h>

#include "bandit/pcg.h"

static const double Z_95 = 1.959963984540054; /* standard normal quantile of 0.975 */

struct interval wilson_interval(uint64_t hits, uint64_t total)
{
	if (!total)
		return (struct interval){0, 1};
	double n = (double)total, p = (double)hits / n, z2 = Z_95 * Z_95;
	double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
	double half = Z_95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
	return (struct interval){fmax(0, middle - half), fmin(1, middle + half)};
}

struct interval mean_interval(const double *values, size_t count, double least, double *mean)
{
	double sum = 0, squares = 0, n = (double)count;
	for (size_t i = 0; i < count; i++)
		sum += values[i];
	*mean = count ? sum / n : 0;
	if (count < 2)
		return (struct interval){least, 1};
	for (size_t i = 0; i < count; i++)
		squares += (values[i] - *mean) * (values[i] - *mean);
	double half = Z_95 * sqrt(squares / (n - 1) / n);
	return (struct interval){fmax(least, *mean - half), fmin(1, *mean + half)};
}

double mcnemar_exact(uint64_t first, uint64_t second)
{
	uint64_t n = first + second, least = first < second ? first : second;
	double tail = 0;
	for (uint64_t k = 0; k <= least; k++)
		tail += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) - (double)n * log(2));
	return fmin(1, 2 * tail);
}

enum { FLIPS = 9999, FLIPS_SEED = 1, FLIPS_ALL = 13 };

double sign_flip(const double *differences, size_t count)
{
	struct pcg rng;
	double sum = 0, size = 0;
	bool all = count <= FLIPS_ALL;
	unsigned int flips = all ? 1U << count : FLIPS, as_far = !all; /* the differences themselves */
	for (size_t i = 0; i < count; i++) {
		sum += differences[i];
		size += fabs(differences[i]);
	}
	double far = fabs(sum) - 1e-12 * size; /* sums that are equal but for rounding count as equal */
	pcg_seed(&rng, FLIPS_SEED, count);
	for (unsigned int n = 0; n < flips; n++) {
		double flipped = 0;
		uint32_t bits = n;
		for (size_t i = 0; i < count; i++, bits >>= 1) {
			if (!all && i % 32 == 0)
				bits = pcg_next(&rng);
			flipped += bits & 1 ? differences[i] : -differences[i];
		}
		as_far += fabs(flipped) >= far;
	}
	return (double)as_far / (flips + !all);
}
