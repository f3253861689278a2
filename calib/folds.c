#include "config.h"

#include "calib/folds.h"

#include <stdlib.h>

#include "calib/schedule.h"

/* What is tuned on all rows but the fold's; -1 where something failed. */
static int tune_without(struct calibration *part, int fold, struct reward_row **rows, size_t count, struct reward_row **learnt, struct error *e)
{
	part->plan.images = 0;
	for (size_t i = 0; i < count; i++)
		if ((int)(i % (size_t)part->plan.folds) != fold)
			learnt[part->plan.images++] = rows[i];
	int setting, code = schedule_restart(part, e);
	if (!code)
		code = schedule_run(part, learnt, e);
	if (code)
		return -1;
	setting = matrix_add(&part->matrix, &part->tuned);
	if (setting < 0)
		error_memory(e, "settings");
	return setting >= 0 && !matrix_fill(&part->matrix, &setting, 1, "cross-validating", e) ? setting : -1;
}

int folds_run(struct calibration *c, struct reward_row **rows, bool *right, int *settings, struct error *e)
{
	struct calibration part = {.plan = c->plan, .base = c->base, .matrix = c->matrix};
	size_t count = c->plan.images;
	struct reward_row **learnt = malloc(count * sizeof(struct reward_row *));
	int code = learnt ? LSDN_OK : error_memory(e, "rewards");
	for (int fold = 0; fold < c->plan.folds && !code; fold++) {
		settings[fold] = tune_without(&part, fold, rows, count, learnt, e);
		code = settings[fold] < 0 ? (int)e->code : LSDN_OK;
		for (size_t i = (size_t)fold; i < count && !code; i += (size_t)c->plan.folds)
			right[i] = rows[i]->rewards[settings[fold]] == 1;
	}
	schedule_forget(&part);
	c->matrix = part.matrix;
	free(learnt);
	return code;
}
