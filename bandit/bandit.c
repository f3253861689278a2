#include "config.h"

#include "bandit/bandit.h"

#include <stdlib.h>
#include <string.h>

#include "bandit/solvers.h"

const struct bandit_solver *const bandit_solvers[BANDIT_SOLVERS] = {&SOLVER_UCB1, &SOLVER_AGRAWAL, &SOLVER_KL_UCB, &SOLVER_THOMPSON, &SOLVER_RACE,
	&SOLVER_SWEEP};

const struct bandit_rules BANDIT_DEFAULT = {.solver = &SOLVER_UCB1, .factor = 2, .delta = 0.05, .seed = 1};

const struct bandit_solver *bandit_solver(const char *name)
{
	for (int i = 0; i < BANDIT_SOLVERS; i++)
		if (strcmp(bandit_solvers[i]->name, name) == 0)
			return bandit_solvers[i];
	return NULL;
}

bool bandit_init(struct bandit *b, const struct bandit_rules *rules, int count, uint32_t limit)
{
	*b = (struct bandit){.rules = *rules, .arms = calloc((size_t)count, sizeof *b->arms), .count = count};
	if (!b->arms) {
		*b = (struct bandit){0};
		return false;
	}
	for (int i = 0; i < count; i++)
		b->arms[i].limit = limit;
	pcg_seed(&b->rng, rules->seed, rules->stream);
	return true;
}

int bandit_next(struct bandit *b)
{
	return b->rules.solver->next(b);
}

void bandit_reward(struct bandit *b, int arm, bool reward)
{
	b->arms[arm].pulls++;
	b->arms[arm].successes += reward;
	b->trials++;
	if (b->rules.solver->rewarded)
		b->rules.solver->rewarded(b);
}

int bandit_answer(const struct bandit *b)
{
	return b->rules.solver->answer(b);
}

int answer_most_pulled(const struct bandit *b)
{
	int best = 0;
	for (int i = 1; i < b->count; i++) {
		const struct bandit_arm *arm = &b->arms[i], *leader = &b->arms[best];
		if (arm->pulls > leader->pulls || (arm->pulls == leader->pulls && arm->successes > leader->successes))
			best = i;
	}
	return best;
}

double bandit_mean(const struct bandit_arm *arm)
{
	return arm->pulls ? (double)arm->successes / arm->pulls : 0;
}

void bandit_done(struct bandit *b)
{
	free(b->arms);
	*b = (struct bandit){0};
}
