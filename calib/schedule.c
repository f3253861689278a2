#include "config.h"

#include "calib/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More settings that only may be the answer cost more than a second forward pass over the images. */
enum { MOST_ANSWERS = 400 };

/* Combinations that are looked at; those that are one setting are one arm. */
static const double MOST_COMBINATIONS = 100000;

/* The streams that the three weights' bandits have always had: each arm's order, then the solver's. */
enum { STREAM_WEIGHTS = 1, STREAMS_A_WEIGHT = 200, STREAM_SOLVERS = STREAM_WEIGHTS + WEIGHT_COUNT * STREAMS_A_WEIGHT };

/* The value that each parameter has; -1: the base's. */
struct combination {
	int values[MAX_PARAMETERS];
};

static struct combination at_first(void)
{
	struct combination k;
	for (int p = 0; p < MAX_PARAMETERS; p++)
		k.values[p] = -1;
	return k;
}

static struct choices compose(const struct calibration *c, const struct combination *k)
{
	struct choices s = c->base;
	for (int p = 0; p < c->plan.parameter_count; p++)
		if (k->values[p] >= 0)
			parameter_apply(&c->plan.parameters[p], k->values[p], &s);
	return s;
}

/* The next combination of values below counts, the last parameter's first; false after the last one. A count of 0 keeps the value. */
static bool advance(const struct calibration *c, struct combination *k, const int *counts)
{
	for (int p = c->plan.parameter_count - 1; p >= 0; p--) {
		if (!counts[p])
			continue;
		if (++k->values[p] < counts[p])
			return true;
		k->values[p] = 0;
	}
	return false;
}

/* One parameter's values, the others as they are in k. */
static int open_parameter(struct calibration *c, int p, int round, const struct combination *k, struct error *e)
{
	const struct parameter *parameter = &c->plan.parameters[p];
	struct choices now = compose(c, k);
	struct tuning *s = calibration_next_tuning(c, parameter->count, e);
	int code = s ? LSDN_OK : (int)e->code;
	if (code)
		return code;
	s->parameter = parameter;
	s->round = round;
	s->ascends = round > 0;
	s->current = parameter_value(parameter, &now);
	s->began = matrix_find(&c->matrix, &now);
	snprintf(s->name, sizeof s->name, "%s", parameter->name);
	if (!round && parameter->weight < WEIGHT_COUNT && parameter->count <= STREAMS_A_WEIGHT) {
		s->first_stream = STREAM_WEIGHTS + STREAMS_A_WEIGHT * (uint64_t)parameter->weight;
		s->solver_stream = STREAM_SOLVERS + (uint64_t)parameter->weight;
	}
	for (int i = 0; i < parameter->count && !code; i++) {
		struct choices setting = now;
		parameter_apply(parameter, i, &setting);
		code = tuning_add(s, &c->matrix, &setting, parameter->values[i].text, e);
	}
	return code;
}

/* NAME=VALUE of all parameters, joined by spaces. */
static void write_combination(const struct calibration *c, const struct combination *k, char *text, size_t size)
{
	size_t used = 0;
	for (int p = 0; p < c->plan.parameter_count && used < size; p++)
		used += (size_t)snprintf(text + used, size - used, "%s%s=%s", p ? " " : "", c->plan.parameters[p].name,
			c->plan.parameters[p].values[k->values[p]].text);
}

static int open_joint(struct calibration *c, struct error *e)
{
	struct combination k;
	int counts[MAX_PARAMETERS], code = LSDN_OK;
	double combinations = 1;
	char text[MAX_PARAMETERS * (2 * CHOICE_TEXT + 2)];
	memset(k.values, 0, sizeof k.values);
	for (int p = 0; p < c->plan.parameter_count; p++) {
		counts[p] = c->plan.parameters[p].count;
		combinations *= counts[p];
	}
	if (combinations > MOST_COMBINATIONS)
		return error_set(e, LSDN_ERROR_INPUT, "%.0f combinations of values are too many to be tuned jointly: name fewer values, or another schedule",
			combinations);
	struct tuning *s = calibration_next_tuning(c, MAX_ARMS, e);
	if (!s)
		return e->code;
	snprintf(s->name, sizeof s->name, "all");
	do {
		struct choices setting = compose(c, &k);
		int found = matrix_find(&c->matrix, &setting), arm = 0;
		while (arm < s->count && s->arms[arm].setting != found)
			arm++;
		if (arm < s->count)
			continue;
		if (s->count == MAX_ARMS)
			return error_set(e, LSDN_ERROR_INPUT, "%.0f combinations of values are more than %d different settings, too many to be tuned jointly: name fewer "
				"values, or another schedule", combinations, MAX_ARMS);
		write_combination(c, &k, text, sizeof text);
		code = tuning_add(s, &c->matrix, &setting, text, e);
	} while (!code && advance(c, &k, counts));
	return code;
}

/* The steps that are known from the beginning. */
static int open_steps(struct calibration *c, struct error *e)
{
	struct combination first = at_first();
	int code = LSDN_OK;
	if (c->plan.schedule == SCHEDULE_JOINT)
		return c->plan.parameter_count ? open_joint(c, e) : LSDN_OK;
	for (int p = 0; p < c->plan.parameter_count && !code && (!p || c->plan.schedule == SCHEDULE_INDEPENDENT); p++)
		code = open_parameter(c, p, c->plan.schedule == SCHEDULE_COORDINATE, &first, e);
	return code;
}

/* Adds all that independent steps can end in, so that it is among the settings of the only pass over the images; nothing where it is much: then a second
 * pass is cheaper. Where all values are one setting, the answer is the first one of a weight, and no other of a choice. */
static int add_answers(struct calibration *c, struct error *e)
{
	int before = c->matrix.count, counts[MAX_PARAMETERS];
	struct combination k = at_first();
	for (int p = 0; p < c->plan.parameter_count; p++) {
		counts[p] = c->tunings[p].identifiable ? c->plan.parameters[p].count : 0;
		if (counts[p] || c->plan.parameters[p].weight < WEIGHT_COUNT || c->tunings[p].arms[0].setting != c->tunings[p].began)
			k.values[p] = 0;
	}
	do {
		struct choices setting = compose(c, &k);
		if (matrix_add(&c->matrix, &setting) < 0)
			return error_memory(e, "settings");
	} while (c->matrix.count <= before + MOST_ANSWERS && advance(c, &k, counts));
	if (c->matrix.count > before + MOST_ANSWERS)
		c->matrix.count = before; /* base and arms have no layers of their own */
	return LSDN_OK;
}

void schedule_forget(struct calibration *c)
{
	while (c->tuning_count)
		tuning_close(&c->tunings[--c->tuning_count]);
	free(c->tunings);
	c->tunings = NULL;
}

int schedule_restart(struct calibration *c, struct error *e)
{
	schedule_forget(c);
	return open_steps(c, e);
}

int schedule_open(struct calibration *c, struct error *e)
{
	bool sweep = true;
	int code = open_steps(c, e);
	for (int i = 0; i < c->tuning_count; i++)
		sweep = sweep && tuning_is_sweep(&c->tunings[i], &c->plan.rules, c->plan.trials, c->plan.images);
	if (!code && sweep && c->plan.schedule == SCHEDULE_INDEPENDENT)
		code = add_answers(c, e);
	if (code)
		return code;
	matrix_sort(&c->matrix);
	return schedule_restart(c, e); /* arms are elsewhere now */
}

static int run_independent(struct calibration *c, struct reward_row **rows, struct combination *best, struct error *e)
{
	int code = LSDN_OK;
	for (int p = 0; p < c->plan.parameter_count && !code; p++) {
		code = calibration_run_tuning(c, &c->tunings[p], rows, e);
		best->values[p] = c->tunings[p].best;
	}
	return code;
}

static int run_coordinate(struct calibration *c, struct reward_row **rows, struct combination *best, struct error *e)
{
	int code = LSDN_OK;
	bool changed = true;
	for (int round = 1; round <= c->plan.rounds && changed && !code; round++) {
		struct choices before = compose(c, best), after;
		for (int p = 0; p < c->plan.parameter_count && !code; p++) {
			if (round > 1 || p)
				code = open_parameter(c, p, round, best, e);
			if (!code)
				code = calibration_run_tuning(c, &c->tunings[c->tuning_count - 1], rows, e);
			if (!code && c->tunings[c->tuning_count - 1].best >= 0)
				best->values[p] = c->tunings[c->tuning_count - 1].best;
		}
		after = compose(c, best);
		changed = !choices_equal(&before, &after);
	}
	return code;
}

int schedule_run(struct calibration *c, struct reward_row **rows, struct error *e)
{
	struct combination best = at_first();
	int code = LSDN_OK;
	if (c->plan.schedule == SCHEDULE_COORDINATE)
		code = run_coordinate(c, rows, &best, e);
	else if (c->plan.schedule == SCHEDULE_INDEPENDENT)
		code = run_independent(c, rows, &best, e);
	else if (c->tuning_count)
		code = calibration_run_tuning(c, &c->tunings[0], rows, e);
	if (!code)
		c->tuned = compose(c, &best);
	if (!code && c->plan.schedule == SCHEDULE_JOINT && c->tuning_count)
		c->tuned = c->matrix.settings[c->tunings[0].arms[c->tunings[0].best].setting];
	return code;
}
