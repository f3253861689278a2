#include "config.h"

#include "bandit/kl.h"

#include <math.h>

/* x ln(x / y), which is 0 where x is. */
static double part(double x, double y)
{
	return x > 0 ? x * log(x / y) : 0;
}

double kl(double p, double q)
{
	return part(p, q) + part(1 - p, 1 - q);
}

/* Newton's method. On (p, 1), kl(p, .) is convex and rises, so that steps from above the root go down to it and never past it. Two bounds give the start:
 * kl(p, q) >= 2 (q - p)^2 (Pinsker), and, as p ln(p / q) >= p ln p, kl(p, q) >= p ln p + (1 - p) ln((1 - p) / (1 - q)), near 1 the better.
 *
 * The steps end where one is below 1e-12 or does not go down, which only rounding can do. They shrink quadratically, so what is left is far below the last
 * step but for rounding: about 1e-16 / (d kl / d q) = 1e-16 * q (1 - q) / (q - p). The bounds of two arms that differ in pulls or successes are nearer to
 * each other than that only by accident, and then either arm is as good as the other. */
double kl_upper(double p, double level)
{
	if (level <= 0)
		return p;
	if (p >= 1)
		return 1;
	double own = part(p, 1) + part(1 - p, 1); /* p ln p + (1 - p) ln(1 - p) */
	double q = fmin(p + sqrt(level / 2), -expm1((own - level) / (1 - p)));
	while (q > p && q < 1) {
		double excess = own - p * log(q) - (1 - p) * log1p(-q) - level;
		double step = excess * q * (1 - q) / (q - p);
		q -= step;
		if (step < 1e-12)
			break;
	}
	return fmax(p, fmin(q, 1));
}

double kl_lai_robbins(const double *means, int count)
{
	double best = 0, sum = 0;
	for (int i = 0; i < count; i++)
		best = fmax(best, means[i]);
	for (int i = 0; i < count; i++)
		if (means[i] < best)
			sum += (best - means[i]) / kl(means[i], best);
	return sum;
}
