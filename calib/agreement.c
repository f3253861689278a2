#include "config.h"

#include "calib/agreement.h"

#include <math.h>

enum { VALUES = AGREEMENT_MOST + 1 };

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

double krippendorff_alpha(const int *values, size_t units, size_t raters, enum agreement_level level)
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
				pairs[c][k] += counts[c] * (counts[k] - (c == k)) / (own - 1);
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
