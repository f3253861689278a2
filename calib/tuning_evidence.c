#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "calib/evidence.h"
#include "calib/tuning_inside.h"

const double TUNING_LEVEL = 0.05;

static void compare_arm(struct tuning *s, int a, int with, struct reward_row *const *rows, const uint32_t *order, const bool *seen)
{
	struct tuning_arm *arm = &s->arms[a];
	uint64_t first = 0, second = 0;
	arm->shared = 0;
	for (uint32_t i = 0; i < s->bandit.arms[a].pulls; i++) {
		if (!seen[order[i]])
			continue;
		bool mine = rows[order[i]]->rewards[arm->setting] == 1, others = rows[order[i]]->rewards[s->arms[with].setting] == 1;
		arm->shared++;
		first += mine && !others;
		second += others && !mine;
	}
	arm->p = mcnemar_exact(first, second);
	arm->alike = !(arm->p < TUNING_LEVEL);
}

/* True where the arm's reward on every image is known. */
static bool know_truth(struct tuning_arm *arm, struct reward_row *const *rows, size_t images)
{
	size_t hits = 0;
	for (size_t i = 0; i < images; i++) {
		if (rows[i]->rewards[arm->setting] == REWARD_UNKNOWN)
			return false;
		hits += rows[i]->rewards[arm->setting] == 1;
	}
	arm->truth = (double)hits / (double)images;
	return true;
}

int tuning_compare(struct tuning *s, struct reward_row *const *rows, const uint32_t *orders, size_t images, struct error *e)
{
	int with = s->best < 0 ? 0 : s->best; /* where no arm was chosen, all are one setting */
	bool *seen = calloc(images, sizeof *seen);
	if (!seen)
		return error_memory(e, "a comparison of arms");
	for (uint32_t i = 0; i < s->bandit.arms[with].pulls; i++)
		seen[orders[(size_t)with * images + i]] = true;
	s->swept = true;
	for (int a = 0; a < s->count; a++) {
		compare_arm(s, a, with, rows, orders + (size_t)a * images, seen);
		s->swept = s->swept && know_truth(&s->arms[a], rows, images);
	}
	free(seen);
	return LSDN_OK;
}

int tuning_marks(const struct tuning *s, uint64_t marks[TUNING_MOST_MARKS])
{
	int count = 0;
	for (uint64_t mark = 10; mark < s->bandit.trials; mark *= 10)
		marks[count++] = mark;
	marks[count++] = s->bandit.trials;
	return count;
}

static double best_truth(const struct tuning *s)
{
	double best = 0;
	for (int a = 0; a < s->count; a++)
		best = fmax(best, s->arms[a].truth);
	return best;
}

void tuning_regret(const struct tuning *s, const uint64_t *marks, int count, double *regret)
{
	double sum = 0, best = best_truth(s);
	uint64_t t = 0;
	for (int i = 0; i < count; i++) {
		for (; t < marks[i]; t++)
			sum += best - s->arms[s->pulled[t]].truth;
		regret[i] = sum;
	}
}

double tuning_regret_in_turn(const struct tuning *s)
{
	double sum = 0;
	for (int a = 0; a < s->count; a++)
		sum += s->arms[a].truth;
	return best_truth(s) - sum / s->count;
}
