#include "config.h"

#include "calib/calibrate.h"

#include <stdio.h>
#include <stdlib.h>

#include "calib/evidence.h"
#include "calib/folds.h"
#include "calib/layers.h"
#include "calib/schedule.h"

const char *const SCHEDULE_NAMES[SCHEDULES] = {"independent", "coordinate", "joint"};

static bool tunes_choices(const struct calibration *c)
{
	bool choices = false;
	for (int p = 0; p < c->plan.parameter_count; p++)
		choices = choices || c->plan.parameters[p].weight == WEIGHT_COUNT;
	return choices;
}

bool calibration_is_plain(const struct calibration *c)
{
	bool listed = false;
	for (int p = 0; p < c->plan.parameter_count; p++)
		listed = listed || c->plan.parameters[p].listed;
	return c->plan.schedule == SCHEDULE_INDEPENDENT && !listed;
}

struct tuning *calibration_next_tuning(struct calibration *c, int most_arms, struct error *e)
{
	struct tuning *more = realloc(c->tunings, ((size_t)c->tuning_count + 1) * sizeof *more);
	if (!more) {
		error_memory(e, "steps");
		return NULL;
	}
	c->tunings = more;
	if (tuning_open(&c->tunings[c->tuning_count], c->tuning_count, most_arms, e))
		return NULL;
	return &c->tunings[c->tuning_count++];
}

int calibration_run_tuning(struct calibration *c, struct tuning *s, struct reward_row **rows, struct error *e)
{
	struct progress *progress = c->matrix.job->crew.progress;
	struct bandit_rules rules = c->plan.rules;
	bool sweep = tuning_is_sweep(s, &rules, c->plan.trials, c->plan.images);
	int code = LSDN_OK;
	rules.seed = c->plan.seed;
	if (sweep) {
		int *wanted = malloc((size_t)s->count * sizeof *wanted);
		for (int i = 0; wanted && i < s->count; i++)
			wanted[i] = s->arms[i].setting;
		code = wanted ? matrix_fill(&c->matrix, wanted, s->count, s->name, e) : error_memory(e, "arms");
		free(wanted);
	}
	if (code)
		return code;
	progress_start(progress, progress->shown && !sweep, s->name, (size_t)c->plan.trials);
	code = tuning_run(s, &c->matrix, &rules, c->plan.trials, rows, c->plan.images, e);
	progress_end(progress);
	return code;
}

static void add_rival(struct calibration *c, const char *name, int setting, enum trivial trivial)
{
	struct rival *r = &c->rivals[c->rival_count++];
	*r = (struct rival){.setting = setting, .trivial = trivial};
	snprintf(r->name, sizeof r->name, "%s", name);
}

/* CNN-Fixations with the box, view and class of a setting. */
static struct choices fixations_like(const struct choices *s)
{
	struct choices fixations = *s;
	fixations.policy = POLICY_CNN_FIXATIONS;
	fixations.policy.top_n = s->policy.top_n;
	return fixations;
}

/* Who is in the tables, once it is known what is tuned. */
static int set_rivals(struct calibration *c, struct error *e)
{
	struct choices fixations = fixations_like(&c->base), same = fixations_like(&c->tuned);
	bool choices = tunes_choices(c);
	add_rival(c, choices ? "tuned settings" : "tuned weights", matrix_add(&c->matrix, &c->tuned), 0);
	if (c->plan.per_layer)
		add_rival(c, choices ? "shared settings" : "shared weights", matrix_add(&c->matrix, &c->shared), 0);
	c->first_rival = c->rival_count;
	add_rival(c, choices ? "settings at first" : "weights (1, 1, 1)", matrix_add(&c->matrix, &c->base), 0);
	add_rival(c, "CNN-Fixations", matrix_add(&c->matrix, &fixations), 0);
	if (!choices_equal(&fixations, &same))
		add_rival(c, "CNN-Fix., same box", matrix_add(&c->matrix, &same), 0);
	for (int i = 0; i < c->rival_count; i++)
		if (c->rivals[i].setting < 0)
			return error_memory(e, "settings");
	add_rival(c, "centre box", -1, TRIVIAL_CENTER);
	add_rival(c, "whole photograph", -1, TRIVIAL_WHOLE);
	return LSDN_OK;
}

int calibration_open(struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e)
{
	struct choices fixations = fixations_like(base);
	*c = (struct calibration){.plan = *plan, .base = *base};
	c->base.policy.alpha = (struct alpha){1, 1, 1};
	if (matrix_add(&c->matrix, &c->base) < 0)
		return error_memory(e, "settings");
	int code = schedule_open(c, e);
	if (!code && matrix_add(&c->matrix, &fixations) < 0)
		code = error_memory(e, "settings");
	return code;
}

static bool right(const struct calibration *c, const struct reward_row *row, int r)
{
	const struct rival *rival = &c->rivals[r];
	return rival->setting >= 0 ? row->rewards[rival->setting] == 1 : row->trivial[rival->trivial] == 1;
}

/* first: the first row's own, where it is no single setting's; else NULL. */
static void fill_table(const struct calibration *c, struct reward_row **rows, size_t count, const bool *first, struct calibration_table *table)
{
	*table = (struct calibration_table){.images = count};
	for (int r = 0; r < c->rival_count; r++) {
		uint64_t tuned_only = 0, other_only = 0;
		for (size_t i = 0; i < count; i++) {
			bool tuned = first ? first[i] : right(c, rows[i], 0), other = r ? right(c, rows[i], r) : tuned;
			table->hits[r] += other;
			tuned_only += tuned && !other;
			other_only += other && !tuned;
		}
		table->p[r] = mcnemar_exact(tuned_only, other_only);
		table->sign[r] = (tuned_only > other_only) - (tuned_only < other_only);
	}
}

/* Settings of the tables' rows. */
static int list_rivals(const struct calibration *c, int settings[MOST_RIVALS])
{
	int count = 0;
	for (int r = 0; r < c->rival_count; r++)
		if (c->rivals[r].setting >= 0)
			settings[count++] = c->rivals[r].setting;
	return count;
}

/* Runs the bandits on the first images, and scores what they chose there. */
static int learn(struct calibration *c, const struct plan *network, struct reward_row **rows, struct error *e)
{
	int settings[MOST_RIVALS], code = schedule_run(c, rows, e);
	c->shared_tunings = c->tuning_count;
	c->shared = c->tuned;
	if (!code && c->plan.per_layer)
		code = layers_run(c, network, rows, e);
	if (!code)
		code = set_rivals(c, e);
	if (!code)
		code = matrix_fill(&c->matrix, settings, list_rivals(c, settings), "evaluating", e);
	if (!code)
		fill_table(c, rows, c->plan.images, NULL, &c->calibrated);
	return code;
}

static int cross_validate(struct calibration *c, struct reward_row **rows, struct error *e)
{
	bool *tuned = malloc(c->plan.images * sizeof *tuned);
	int code = tuned ? folds_run(c, rows, tuned, c->fold_settings, e) : error_memory(e, "rewards");
	if (!code)
		fill_table(c, rows, c->plan.images, tuned, &c->crossed);
	free(tuned);
	return code;
}

/* Under a full budget all settings that are known are computed as images are taken. */
static int take_first(struct calibration *c, struct reward_job *job, struct error *e)
{
	bool sweep = true;
	for (int i = 0; i < c->tuning_count; i++)
		sweep = sweep && tuning_is_sweep(&c->tunings[i], &c->plan.rules, c->plan.trials, c->plan.images);
	int *all = malloc((size_t)c->matrix.count * sizeof *all);
	if (!all)
		return error_memory(e, "settings");
	for (int i = 0; i < c->matrix.count; i++)
		all[i] = i;
	progress_start(job->crew.progress, job->crew.progress->shown, sweep ? "calibrating" : "checking images", c->plan.images);
	int code = matrix_take(&c->matrix, c->plan.images, all, sweep ? c->matrix.count : 0, e);
	progress_end(job->crew.progress);
	free(all);
	return code;
}

static int score_held_out(struct calibration *c, struct reward_job *job, struct error *e)
{
	int settings[MOST_RIVALS], count = list_rivals(c, settings);
	size_t images = c->plan.images + c->plan.held_out;
	progress_start(job->crew.progress, job->crew.progress->shown, "scoring held-out images", c->plan.held_out);
	int code = matrix_take(&c->matrix, images, settings, count, e);
	progress_end(job->crew.progress);
	struct reward_row **rows = code ? NULL : matrix_usable(&c->matrix, images);
	if (!code && !rows)
		code = error_memory(e, "rewards");
	if (!code)
		fill_table(c, rows + c->plan.images, c->plan.held_out, NULL, &c->held_out);
	free(rows);
	return code;
}

int calibration_run(struct calibration *c, struct reward_job *job, struct error *e)
{
	const struct plan *network = &job->crew.net->plan;
	int code = matrix_begin(&c->matrix, job, c->plan.seed, e);
	job->labelled = c->base.target == TARGET_ANNOTATED;
	if (!code && c->plan.per_layer)
		code = layers_open(c, network, e);
	if (!code)
		code = take_first(c, job, e);
	struct reward_row **rows = code ? NULL : matrix_usable(&c->matrix, c->plan.images);
	if (!code)
		code = rows ? learn(c, network, rows, e) : error_memory(e, "rewards");
	if (!code && c->plan.folds)
		code = cross_validate(c, rows, e);
	free(rows);
	return code || !c->plan.held_out ? code : score_held_out(c, job, e);
}

void calibration_close(struct calibration *c)
{
	matrix_close(&c->matrix);
	schedule_forget(c);
	layers_close(&c->layers);
	*c = (struct calibration){0};
}
