#include "config.h"

#include "bandit/bandit.h"

#include <math.h>
#include <stdlib.h>

bool bandit_init(struct bandit *b, int count, uint32_t limit)
{
	*b = (struct bandit){.arms = calloc((size_t)count, sizeof *b->arms), .count = count};
	if (!b->arms) {
		*b = (struct bandit){0};
		return false;
	}
	for (int i = 0; i < count; i++)
		b->arms[i].limit = limit;
	return true;
}

/* An arm that was never pulled comes before all others: its bound is infinite. */
static double upper_bound(const struct bandit_arm *arm, uint64_t trials)
{
	if (!arm->pulls)
		return INFINITY;
	return bandit_mean(arm) + sqrt(2 * log((double)trials) / arm->pulls);
}

int bandit_next(const struct bandit *b)
{
	int best = -1;
	double highest = -INFINITY;
	for (int i = 0; i < b->count; i++) {
		const struct bandit_arm *arm = &b->arms[i];
		if (arm->pulls >= arm->limit)
			continue;
		double bound = upper_bound(arm, b->trials);
		if (bound > highest) {
			highest = bound;
			best = i;
		}
	}
	return best;
}

void bandit_reward(struct bandit *b, int arm, bool reward)
{
	b->arms[arm].pulls++;
	b->arms[arm].successes += reward;
	b->trials++;
}

int bandit_answer(const struct bandit *b)
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
