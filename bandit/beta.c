#include "config.h"

#include "bandit/beta.h"

#include <math.h>

/* Uniform in (0, 1). */
static double inner(struct pcg *rng)
{
	double u;
	do
		u = pcg_double(rng);
	while (u == 0);
	return u;
}

/* Algorithm BB, for parameters above 1: W / (b + W) with W from a log-logistic distribution that is accepted where the ratio of densities allows. The two
 * tests before the exact one, which needs one more logarithm, only save time. */
static double cheng_bb(struct pcg *rng, double least, double most)
{
	double sum = least + most, beta = sqrt((sum - 2) / (2 * least * most - sum)), gamma = least + 1 / beta;
	for (;;) {
		double u1 = inner(rng), u2 = inner(rng);
		double v = beta * log(u1 / (1 - u1)), w = least * exp(v), z = u1 * u1 * u2;
		double r = gamma * v - log(4), s = least + r - w;
		if (s + 1 + log(5) >= 5 * z)
			return w / (most + w);
		double t = log(z);
		if (s >= t || r + sum * log(sum / (most + w)) >= t)
			return w / (most + w);
	}
}

double beta_draw(struct pcg *rng, double a, double b)
{
	if (b == 1)
		return pow(inner(rng), 1 / a);
	if (a == 1)
		return -expm1(log(inner(rng)) / b);
	return a <= b ? cheng_bb(rng, a, b) : 1 - cheng_bb(rng, b, a);
}
