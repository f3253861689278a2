/* A solver on arms whose means are known, many times over: what it costs to learn (regret) and whether the right arm is found. */
#ifndef LSDN_BANDIT_SIMULATE_H
#define LSDN_BANDIT_SIMULATE_H

#include <stddef.h>
#include <stdint.h>

#include "bandit/bandit.h"
#include "core/error.h"
#include "core/progress.h"

enum { SIMULATION_MOST_TIMES = 512 };

struct simulation {
	int arms;
	const double *means;    /* of the arms: true ones */
	const uint8_t *rewards; /* arms x rows, 0 or 1: each run draws them without replacement, in an order of its own for each arm. NULL: draws of the means */
	uint32_t rows;
	struct bandit_rules rules; /* the seed is the runs' own */
	uint64_t trials, runs, seed;
	uint64_t times[SIMULATION_MOST_TIMES]; /* trials after which is measured, rising, the last `trials` */
	size_t time_count;
	int threads;
	struct progress *progress; /* counts runs */
};

/* What was seen after so many trials, over all runs. */
struct simulation_point {
	double regret, regret_error; /* mean of the sum over the trials of (best mean - mean of the arm pulled), and its standard error */
	double correct;              /* share of runs whose answer has the best mean */
	double drawn;                /* mean number of rewards drawn: less than the trials where runs have ended */
};

/* Fills in times for `trials`: 1, 2, 5, 10, 20, ... and about 32 in every decade. */
void simulation_times(struct simulation *s);

/* True for 1, 2, 5, 10, 20, ... */
bool simulation_round_time(uint64_t time);

/* Fills points[0..time_count). A run whose solver is sure, or has drawn all, goes on with its answer: that is the arm pulled in all further trials.
 * The n-th reward of an arm in run r is the same for all solvers. The same numbers come out for any number of threads. */
int simulate(const struct simulation *s, struct simulation_point *points, struct error *e);

#endif
