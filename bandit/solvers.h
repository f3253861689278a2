/* The solvers, each in the file of its kind, and what they share. */
#ifndef LSDN_BANDIT_SOLVERS_H
#define LSDN_BANDIT_SOLVERS_H

#include "bandit/bandit.h"

extern const struct bandit_solver SOLVER_UCB1, SOLVER_AGRAWAL, SOLVER_KL_UCB; /* bounds.c */
extern const struct bandit_solver SOLVER_THOMPSON;                            /* thompson.c */
extern const struct bandit_solver SOLVER_RACE, SOLVER_SWEEP;                  /* rounds.c */

static inline bool in_play(const struct bandit_arm *arm)
{
	return arm->pulls < arm->limit && !arm->dropped;
}

/* The arm with the most pulls; ties by mean, then the lowest. */
int answer_most_pulled(const struct bandit *b);

#endif
