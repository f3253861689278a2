#include "config.h"

#include "calib/agreement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

enum { VALUES = AGREEMENT_MOST + 1, DRAWS = 1999, DRAWS_SEED = 1 };

/* Squared difference of two values; totals: how many there are of each. */
static double difference(int c, int k, const double totals[VALUES], enum agreement_level level)
{
	double between = 0;
	if (level == AGREEMENT_NOMINAL)
		return c != k;
	for (int g = c < k ? c : k; g <= (c < k ? k : c); g++)
		between += totals[g];
	between -= (totals[c] + totals[k]) / 2;
	return between * between;
}

/* With every unit so many times (NULL: once). */
static double alpha(const int *values, size_t units, size_t raters, enum agreement_level level, const double *times)
{
	double pairs[VALUES][VALUES] = {{0}}, totals[VALUES] = {0}, all = 0, observed = 0, expected = 0;
	for (size_t u = 0; u < units; u++) {
		double counts[VALUES] = {0}, own = 0;
		for (size_t r = 0; r < raters; r++)
			counts[values[u * raters + r]]++;
		for (int c = 1; c < VALUES; c++)
			own += counts[c];
		for (int c = 1; c < VALUES && own > 1; c++)
			for (int k = 1; k < VALUES; k++)
				pairs[c][k] += (times ? times[u] : 1) * counts[c] * (counts[k] - (c == k)) / (own - 1);
	}
	for (int c = 1; c < VALUES; c++)
		for (int k = 1; k < VALUES; k++)
			totals[c] += pairs[c][k];
	for (int c = 1; c < VALUES; c++)
		all += totals[c];
	for (int c = 1; c < VALUES; c++)
		for (int k = 1; k < VALUES; k++) {
			double d = difference(c, k, totals, level);
			observed += pairs[c][k] * d;
			expected += totals[c] * totals[k] * d;
		}
	return expected > 0 ? 1 - (all - 1) * observed / expected : NAN;
}

double krippendorff_alpha(const int *values, size_t units, size_t raters, enum agreement_level level)
{
	return alpha(values, units, raters, level, NULL);
}

static int by_value(const void *first, const void *second)
{
	double a = *(const double *)first, b = *(const double *)second;
	return (a > b) - (a < b);
}

int krippendorff_interval(const int *values, size_t units, size_t raters, enum agreement_level level, size_t together, struct interval *interval, struct error *e)
{
	double alphas[DRAWS], *times = malloc((units + 1) * sizeof *times);
	size_t count = 0, groups = units / together;
	struct pcg rng;
	*interval = (struct interval){NAN, NAN};
	if (!times)
		return error_memory(e, "an interval");
	pcg_seed(&rng, DRAWS_SEED, groups);
	for (int n = 0; n < DRAWS && groups > 1; n++) {
		memset(times, 0, units * sizeof *times);
		for (size_t i = 0; i < groups; i++) {
			size_t drawn = pcg_below(&rng, (uint32_t)groups) * together;
			for (size_t k = 0; k < together; k++)
				times[drawn + k]++;
		}
		alphas[count] = alpha(values, units, raters, level, times);
		if (!isnan(alphas[count]))
			count++;
	}
	free(times);
	qsort(alphas, count, sizeof *alphas, by_value);
	size_t outside = (count + 1) / 40;
	if (count)
		*interval = (struct interval){alphas[outside ? outside - 1 : 0], alphas[count - (outside ? outside : 1)]};
	return LSDN_OK;
}
