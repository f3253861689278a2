/* Beta distributions with whole-number parameters, as Thompson sampling needs them. */
#ifndef LSDN_BANDIT_BETA_H
#define LSDN_BANDIT_BETA_H

#include "bandit/pcg.h"

/* A draw from Beta(a, b), a and b at least 1: exact but for rounding. R. C. H. Cheng, "Generating beta variates with nonintegral shape parameters",
 * Communications of the ACM 21, 1978, algorithm BB; where a or b is 1, the inverse of the distribution function. */
double beta_draw(struct pcg *rng, double a, double b);

#endif
