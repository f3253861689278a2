/* Bernoulli multi-armed bandits and their solvers.
 *
 * The caller owns the state and draws the rewards; a solver only names the next arm:
 *
 *     bandit_init(&b, &rules, arms, limit);
 *     while ((arm = bandit_next(&b)) >= 0)
 *             bandit_reward(&b, arm, draw(arm));
 *     best = bandit_answer(&b);
 *     bandit_done(&b);
 *
 * An arm with `limit` rewards gives them without replacement, each once, and is then out of play; with BANDIT_UNLIMITED it draws for ever. */
#ifndef LSDN_BANDIT_BANDIT_H
#define LSDN_BANDIT_BANDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "bandit/pcg.h"

#define BANDIT_UNLIMITED UINT32_MAX

struct bandit_arm {
	uint32_t pulls, successes;
	uint32_t limit; /* rewards that this arm can give; after that it is out of play */
	bool dropped;   /* shown not to be the best, by a solver that drops arms */
};

struct bandit;

struct bandit_solver {
	const char *name;   /* as people name it */
	const char *source; /* which arm it pulls, and whose it is, for people: t trials so far, n of them the arm's own, F the factor */
	bool minds_regret;  /* rewards count while it learns; else only the answer does */
	bool stops;         /* may be sure of its answer before every reward is drawn */
	int (*next)(struct bandit *b);
	void (*rewarded)(struct bandit *b); /* after a reward is counted; NULL: nothing to do */
	int (*answer)(const struct bandit *b);
};

/* In the order ucb1, agrawal, kl-ucb, thompson, race, sweep. */
enum { BANDIT_SOLVERS = 6 };
extern const struct bandit_solver *const bandit_solvers[BANDIT_SOLVERS];

/* The solver of that name, or NULL. */
const struct bandit_solver *bandit_solver(const char *name);

struct bandit_rules {
	const struct bandit_solver *solver;
	double factor; /* agrawal: of ln ln t, at least 0 */
	double delta;  /* race: the answer is wrong with at most this probability, above 0 and below 1 */
	uint64_t seed, stream; /* thompson: of its own draws */
};
extern const struct bandit_rules BANDIT_DEFAULT; /* ucb1; factor 2, delta 0.05, seed 1, stream 0 */

struct bandit {
	struct bandit_rules rules;
	struct bandit_arm *arms; /* owned */
	int count;
	uint64_t trials; /* rewards received */
	struct pcg rng;  /* the solver's own chance */
};

/* count >= 1 arms, each with `limit` rewards to give. Returns false where memory is short. */
bool bandit_init(struct bandit *b, const struct bandit_rules *rules, int count, uint32_t limit);

/* The arm that the solver wants next (lowest on a tie), or -1 when it is sure of its answer or every arm is out of play. */
int bandit_next(struct bandit *b);

void bandit_reward(struct bandit *b, int arm, bool reward);

/* The arm with the highest mean among those with the most evidence, the lowest on a tie. The most evidence have, for solvers that pull in rounds (race,
 * sweep), all arms that are not dropped, and for the others the arms with the most pulls. May be asked at any time. */
int bandit_answer(const struct bandit *b);

/* successes / pulls, 0 for an arm that was never pulled. */
double bandit_mean(const struct bandit_arm *arm);

void bandit_done(struct bandit *b);

#endif
