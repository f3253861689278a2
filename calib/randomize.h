/* Networks whose layers are drawn anew from the top down: J. Adebayo and others, "Sanity checks for saliency maps", 2018. A map that stays what it was does not
 * explain what the network has learnt. */
#ifndef LSDN_CALIB_RANDOMIZE_H
#define LSDN_CALIB_RANDOMIZE_H

#include <stdint.h>

#include "core/net/net.h"

enum { RANDOMIZE_LEVELS = 5 };

/* How many of a plan's Conv and Gemm are drawn anew, from the class scores down: the last one, a quarter, half, three quarters, all; each number once. */
struct random_levels {
	int count, layers; /* levels; Conv and Gemm in all */
	int drawn[RANDOMIZE_LEVELS];
	const char *lowest[RANDOMIZE_LEVELS]; /* the name of the lowest one that is */
};

void random_levels_find(struct random_levels *levels, const struct plan *plan);

/* A network that shares everything with net but the operators. Weights that are drawn anew are normal with mean 0 and variance 2 / fan-in (K. He and others,
 * "Delving deep into rectifiers", 2015), biases 0; a layer's are the same at every level. */
int randomize(struct net *random, const struct net *net, const struct random_levels *levels, int level, uint64_t seed, struct error *e);
void randomize_close(struct net *random);

#endif
