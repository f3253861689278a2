/* Solvers that pull the arm whose mean could be the highest: each arm once, then the one with the highest upper bound. With t trials so far, of which n
 * are the arm's own:
 *
 *   ucb1      mean + sqrt(2 ln t / n)                                           Auer, Cesa-Bianchi, Fischer 2002, figure 1
 *   agrawal   the largest q with n kl(mean, q) <= ln t + factor * ln ln t       Agrawal 1995
 *   kl-ucb    the largest q with n kl(mean, q) <= ln t                          Garivier, Cappe 2011, algorithm 1 with c = 0 */
#include "config.h"

#include <math.h>

#include "bandit/kl.h"
#include "bandit/solvers.h"

typedef double upper_bound(const struct bandit_arm *arm, double level);

/* An arm that was never pulled comes before all others: its bound is infinite. */
static int highest(const struct bandit *b, upper_bound *bound, double level)
{
	int best = -1;
	double most = -INFINITY;
	for (int i = 0; i < b->count; i++) {
		const struct bandit_arm *arm = &b->arms[i];
		if (!in_play(arm))
			continue;
		double value = arm->pulls ? bound(arm, level) : INFINITY;
		if (value > most) {
			most = value;
			best = i;
		}
	}
	return best;
}

static double hoeffding_bound(const struct bandit_arm *arm, double level)
{
	return bandit_mean(arm) + sqrt(2 * level / arm->pulls);
}

static double kl_bound(const struct bandit_arm *arm, double level)
{
	return kl_upper(bandit_mean(arm), level / arm->pulls);
}

static int ucb1_next(struct bandit *b)
{
	return highest(b, hoeffding_bound, log((double)b->trials));
}

/* ln ln t is below 0, or is no number, where t < 3: there it counts 0. */
static int agrawal_next(struct bandit *b)
{
	double level = log((double)b->trials);
	return highest(b, kl_bound, b->trials < 3 ? level : level + b->rules.factor * log(level));
}

static int kl_ucb_next(struct bandit *b)
{
	return highest(b, kl_bound, log((double)b->trials));
}

const struct bandit_solver SOLVER_UCB1 = {.name = "ucb1", .source = "highest mean + sqrt(2 ln t / n) (Auer and others 2002)", .minds_regret = true,
	.next = ucb1_next, .answer = answer_most_pulled};

const struct bandit_solver SOLVER_AGRAWAL = {.name = "agrawal", .source = "highest q with n kl(mean, q) <= ln t + F ln ln t (Agrawal 1995)",
	.minds_regret = true, .next = agrawal_next, .answer = answer_most_pulled};

const struct bandit_solver SOLVER_KL_UCB = {.name = "kl-ucb", .source = "highest q with n kl(mean, q) <= ln t (Garivier, Cappe 2011)",
	.minds_regret = true, .next = kl_ucb_next, .answer = answer_most_pulled};
