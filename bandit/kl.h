/* The Kullback-Leibler number of two Bernoulli distributions, its inverse, and what it says about regret. */
#ifndef LSDN_BANDIT_KL_H
#define LSDN_BANDIT_KL_H

/* kl(p, q) = p ln(p / q) + (1 - p) ln((1 - p) / (1 - q)) with 0 ln 0 = 0; p and q from 0 to 1. Infinite where q is 0 or 1 and p is not. */
double kl(double p, double q);

/* The largest q from p to 1 with kl(p, q) <= level, to about 1e-12 (kl.c says why that is enough). A level below 0 counts as 0. */
double kl_upper(double p, double level);

/* The sum over the arms below the best of (best - mean) / kl(mean, best): the regret of any uniformly good solver is at least that times (1 + o(1)) ln t
 * (T. L. Lai, H. Robbins, "Asymptotically efficient adaptive allocation rules", Advances in Applied Mathematics 6, 1985, theorem 1). */
double kl_lai_robbins(const double *means, int count);

#endif
