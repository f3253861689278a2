#include "config.h"

#include "calib/layers.h"

#include <stdio.h>
#include <stdlib.h>

int layers_open(struct calibration *c, const struct plan *network, struct error *e)
{
	struct calibration_layers *l = &c->layers;
	l->ops = calloc((size_t)network->op_count, sizeof *l->ops);
	l->own = calloc((size_t)network->op_count, sizeof *l->own);
	if (!l->ops || !l->own)
		return error_memory(e, "layers");
	for (int i = 0; i < network->op_count; i++) {
		const struct op *op = &network->ops[i];
		l->own[i].k = K_SHARED;
		if (op->kind != OP_CONV && op->kind != OP_GEMM)
			continue;
		if (plan_find_layer(network, op->name) != i)
			return error_set(e, LSDN_ERROR_UNSUPPORTED, "two layers of the network are named %.80s: a weights file could not tell them apart: calibrate "
				"without --per-layer", op->name);
		l->ops[l->op_count++] = i;
	}
	l->count = c->plan.groups ? c->plan.groups : l->op_count;
	if (l->count > l->op_count)
		return error_set(e, LSDN_ERROR_INPUT, "--groups %d: the network has %d layers with weights: name at most so many", l->count, l->op_count);
	return LSDN_OK;
}

/* Place among ops where group g begins. */
static int group_begin(const struct calibration_layers *l, int g)
{
	return (int)((int64_t)g * l->op_count / l->count);
}

static void give(const struct calibration_layers *l, int g, struct layer_policy own)
{
	for (int i = group_begin(l, g); i < group_begin(l, g + 1); i++)
		l->own[l->ops[i]] = own;
}

/* Adds an arm where no arm is that setting yet. */
static int add_arm(struct calibration *c, struct tuning *s, int g, struct alpha alpha, struct error *e)
{
	char text[80];
	struct layer_policy before = c->layers.own[c->layers.ops[group_begin(&c->layers, g)]];
	give(&c->layers, g, (struct layer_policy){.own_alpha = true, .alpha = alpha, .k = K_SHARED});
	int found = matrix_find(&c->matrix, &c->tuned), arm = 0, code = LSDN_OK;
	while (arm < s->count && s->arms[arm].setting != found)
		arm++;
	snprintf(text, sizeof text, "cur=%.10g pre=%.10g suc=%.10g", alpha.cur, alpha.pre, alpha.suc);
	if (arm == s->count)
		code = tuning_add(s, &c->matrix, &c->tuned, text, e);
	give(&c->layers, g, before);
	return code;
}

/* What the group has, and then the arms of every weight that is tuned: of cur and pre the other at 1, of suc both as they are. */
static int add_arms(struct calibration *c, struct tuning *s, int g, struct error *e)
{
	struct alpha now = policy_alpha(&c->tuned.policy, c->layers.ops[group_begin(&c->layers, g)]);
	int code = add_arm(c, s, g, now, e);
	for (int p = 0; p < c->plan.parameter_count; p++) {
		const struct parameter *parameter = &c->plan.parameters[p];
		for (int i = 0; parameter->weight < WEIGHT_COUNT && i < parameter->count && !code; i++) {
			struct choices triple = {.policy.alpha = parameter->weight == WEIGHT_SUC ? now : (struct alpha){1, 1, now.suc}};
			parameter_apply(parameter, i, &triple);
			code = add_arm(c, s, g, triple.policy.alpha, e);
		}
	}
	return code;
}

static int run_group(struct calibration *c, const struct plan *network, int g, int round, struct reward_row **rows, bool *changed, struct error *e)
{
	const struct calibration_layers *l = &c->layers;
	int first = l->ops[group_begin(l, g)], last = l->ops[group_begin(l, g + 1) - 1], most = 1;
	for (int p = 0; p < c->plan.parameter_count; p++)
		most += c->plan.parameters[p].weight < WEIGHT_COUNT ? c->plan.parameters[p].count : 0;
	struct tuning *s = calibration_next_tuning(c, most, e);
	int code = s ? LSDN_OK : (int)e->code;
	if (code)
		return code;
	s->round = round;
	s->ascends = true;
	s->current = 0;
	snprintf(s->name, sizeof s->name, first == last ? "%.60s" : "%.60s to %.60s", network->ops[first].name, network->ops[last].name);
	code = add_arms(c, s, g, e);
	s->began = code ? -1 : s->arms[0].setting;
	if (!code)
		code = calibration_run_tuning(c, s, rows, e);
	if (!code && s->best > 0) {
		struct alpha alpha = policy_alpha(&c->matrix.settings[s->arms[s->best].setting].policy, first);
		give(l, g, (struct layer_policy){.own_alpha = true, .alpha = alpha, .k = K_SHARED});
		*changed = true;
	}
	return code;
}

int layers_run(struct calibration *c, const struct plan *network, struct reward_row **rows, struct error *e)
{
	int code = LSDN_OK;
	bool changed = true;
	c->tuned.policy.layers = c->layers.own;
	c->tuned.policy.layer_count = network->op_count;
	for (int round = 1; round <= c->plan.rounds && changed && !code; round++) {
		changed = false;
		for (int g = 0; g < c->layers.count && !code; g++)
			code = run_group(c, network, g, round, rows, &changed, e);
	}
	return code;
}

void layers_close(struct calibration_layers *l)
{
	free(l->ops);
	free(l->own);
	*l = (struct calibration_layers){0};
}
