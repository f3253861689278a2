/* Regret and the share of right answers over time, as one would print them in a paper. */
#ifndef LSDN_BANDIT_PLOT_H
#define LSDN_BANDIT_PLOT_H

#include "bandit/simulate.h"

struct plot {
	const char *title;         /* UTF-8 */
	const uint64_t *times;     /* rising, from 1 */
	size_t time_count;         /* at least 2 */
	const struct bandit_solver *const *solvers;
	int solver_count;          /* at most BANDIT_SOLVERS */
	const struct simulation_point *points; /* solver_count x time_count */
	double lai_robbins;        /* what ln t is multiplied with */
};

/* Writes PNG, SVG or PDF by the ending of path. The regret of solvers that do not mind it is cut off at the top where others are drawn too. */
int plot_write(const struct plot *plot, const char *path, struct error *e);

#endif
