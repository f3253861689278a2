/* Thompson sampling (W. R. Thompson, "On the likelihood that one unknown probability exceeds another in view of the evidence of two samples",
 * Biometrika 25, 1933; S. Agrawal, N. Goyal, "Analysis of Thompson sampling for the multi-armed bandit problem", COLT 2012, algorithm 1): with a uniform
 * prior Beta(1, 1) every arm's mean is drawn from what is believed of it, Beta(1 + successes, 1 + failures), and the arm with the highest draw is pulled. */
#include "config.h"

#include "bandit/beta.h"
#include "bandit/solvers.h"

static int thompson_next(struct bandit *b)
{
	int best = -1;
	double highest = -1;
	for (int i = 0; i < b->count; i++) {
		const struct bandit_arm *arm = &b->arms[i];
		if (!in_play(arm))
			continue;
		double drawn = beta_draw(&b->rng, 1.0 + arm->successes, 1.0 + (arm->pulls - arm->successes));
		if (drawn > highest) {
			highest = drawn;
			best = i;
		}
	}
	return best;
}

const struct bandit_solver SOLVER_THOMPSON = {.name = "thompson", .source = "highest draw of Beta(1 + successes, 1 + failures) (Thompson 1933)",
	.minds_regret = true, .next = thompson_next, .answer = answer_most_pulled};
