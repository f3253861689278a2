/* A Bernoulli multi-armed bandit and its solvers.
 *
 * The caller owns the state and draws the rewards; a solver only names the next arm:
 *
 *     bandit_init(&b, arms, limit);
 *     while ((arm = bandit_next(&b)) >= 0)
 *             bandit_reward(&b, arm, draw(arm));
 *     best = bandit_answer(&b);
 *     bandit_done(&b);
 *
 * UCB1: P. Auer, N. Cesa-Bianchi, P. Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", Machine Learning 47, 2002, figure 1:
 * play each arm once, then the arm with the highest mean + sqrt(2 ln t / n), t the trials so far, n the arm's own. */
#ifndef LSDN_BANDIT_BANDIT_H
#define LSDN_BANDIT_BANDIT_H

#include <stdbool.h>
#include <stdint.h>

struct bandit_arm {
	uint32_t pulls, successes;
	uint32_t limit; /* rewards that this arm can give; after that it is out of play */
};

struct bandit {
	struct bandit_arm *arms; /* owned */
	int count;
	uint64_t trials; /* rewards received */
};

/* count >= 1 arms, each with `limit` rewards to give. Returns false where memory is short. */
bool bandit_init(struct bandit *b, int count, uint32_t limit);

/* The arm that the solver wants next (lowest on a tie), or -1 when every arm is out of play. */
int bandit_next(const struct bandit *b);

void bandit_reward(struct bandit *b, int arm, bool reward);

/* The most pulled arm; ties by mean, then the lowest. */
int bandit_answer(const struct bandit *b);

/* successes / pulls, 0 for an arm that was never pulled. */
double bandit_mean(const struct bandit_arm *arm);

void bandit_done(struct bandit *b);

#endif
