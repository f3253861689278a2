/* Solvers that pull in rounds, each arm that is not dropped once a round, the lowest first.
 *
 * sweep drops none: every arm gives every reward, and the answer is the truth that others are measured against.
 *
 * race drops an arm at the end of a round of which it has n pulls where mean + c < the highest mean - c, and is sure when one is left: successive
 * elimination (E. Even-Dar, S. Mannor, Y. Mansour, "Action elimination and stopping conditions for the multi-armed bandit and reinforcement learning
 * problems", JMLR 7, 2006, algorithm 3) with intervals for drawing without replacement from N rewards, Hoeffding's and Serfling's (R. Bardenet, O.-A.
 * Maillard, "Concentration inequalities for sampling without replacement", Bernoulli 21, 2015, corollary 2.5): with probability at least 1 - d
 *
 *   mean - true mean <= c = sqrt(rho ln(1 / d) / (2 n)),   rho = 1 - (n - 1) / N where n <= N / 2, else (1 - n / N)(1 + 1 / n).
 *
 * The best arm is lost only where its own mean was too low, or another's too high, in some round: K events a round, each with d = delta / (K (N - 1)),
 * for the mean of all N rewards is the true one. Where rewards never end, rho = 1 and d = delta / (K n (n + 1)), whose sum over n is delta / K. */
#include "config.h"

#include <math.h>

#include "bandit/race.h"
#include "bandit/solvers.h"

static int fewest_pulls(struct bandit *b)
{
	int least = -1;
	for (int i = 0; i < b->count; i++)
		if (in_play(&b->arms[i]) && (least < 0 || b->arms[i].pulls < b->arms[least].pulls))
			least = i;
	return least;
}

/* Within a round the arms differ by one pull, which is no reason to prefer one. */
static int answer_highest_mean(const struct bandit *b)
{
	int best = -1;
	for (int i = 0; i < b->count; i++) {
		const struct bandit_arm *arm = &b->arms[i], *leader = &b->arms[best < 0 ? 0 : best];
		if (!arm->dropped && (best < 0 || (uint64_t)arm->successes * leader->pulls > (uint64_t)leader->successes * arm->pulls))
			best = i;
	}
	return best;
}

double race_radius(uint32_t n, uint32_t limit, int arms, double delta)
{
	double pulls = n, rewards = limit, rho = 1, events = pulls * (pulls + 1);
	if (n >= limit)
		return 0;
	if (limit != BANDIT_UNLIMITED) {
		rho = 2 * pulls <= rewards ? 1 - (pulls - 1) / rewards : (1 - pulls / rewards) * (1 + 1 / pulls);
		events = rewards - 1;
	}
	return sqrt(rho * log(arms * events / delta) / (2 * pulls));
}

static void drop(struct bandit *b)
{
	const struct bandit_arm *leader = &b->arms[answer_highest_mean(b)];
	for (int i = 0; i < b->count; i++)
		if (!b->arms[i].dropped && b->arms[i].pulls != leader->pulls)
			return; /* the round goes on */
	double radius = race_radius(leader->pulls, leader->limit, b->count, b->rules.delta), highest = bandit_mean(leader);
	for (int i = 0; i < b->count; i++)
		b->arms[i].dropped = b->arms[i].dropped || bandit_mean(&b->arms[i]) + radius < highest - radius;
}

static int race_next(struct bandit *b)
{
	int left = 0;
	for (int i = 0; i < b->count; i++)
		left += !b->arms[i].dropped;
	return left > 1 ? fewest_pulls(b) : -1;
}

const struct bandit_solver SOLVER_RACE = {.name = "race", .source = "all in turn but those shown not best (Even-Dar and others 2006)", .stops = true,
	.next = race_next, .rewarded = drop, .answer = answer_highest_mean};

const struct bandit_solver SOLVER_SWEEP = {.name = "sweep", .source = "all in turn, to the last reward", .next = fewest_pulls,
	.answer = answer_highest_mean};
