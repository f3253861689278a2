#include "config.h"

#include "calib/randomize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

static bool has_weights(const struct op *op)
{
	return op->kind == OP_CONV || op->kind == OP_GEMM;
}

/* The n-th operator with weights from the class scores down, n from 1. */
static int from_top(const struct plan *plan, int n)
{
	for (int k = plan->op_count - 1; k >= 0; k--)
		if (has_weights(&plan->ops[k]) && --n == 0)
			return k;
	return -1;
}

void random_levels_find(struct random_levels *levels, const struct plan *plan)
{
	*levels = (struct random_levels){0};
	for (int k = 0; k < plan->op_count; k++)
		levels->layers += has_weights(&plan->ops[k]);
	const int numbers[RANDOMIZE_LEVELS] = {1, (levels->layers + 3) / 4, (levels->layers + 1) / 2, (3 * levels->layers + 3) / 4, levels->layers};
	for (int i = 0; i < RANDOMIZE_LEVELS && levels->layers; i++)
		if (!levels->count || numbers[i] > levels->drawn[levels->count - 1]) {
			levels->lowest[levels->count] = plan->ops[from_top(plan, numbers[i])].name;
			levels->drawn[levels->count++] = numbers[i];
		}
}

static size_t fan_in(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	return op->kind == OP_GEMM ? tensor_size(in) : (size_t)op->window.height * (size_t)op->window.width * (size_t)(in->c / op->groups);
}

static void draw(float *weights, size_t count, double deviation, struct pcg *rng)
{
	for (size_t i = 0; i < count; i++)
		weights[i] = (float)(deviation * pcg_normal(rng));
}

static int draw_op(struct op *op, struct plan *plan, struct pcg *rng, struct error *e)
{
	size_t from = fan_in(plan, op), outputs = (size_t)plan->tensors[op->output].c;
	float *weights = arena_take(&plan->arena, from * outputs, sizeof *weights);
	if (!weights)
		return error_memory(e, "weights drawn anew");
	draw(weights, from * outputs, sqrt(2 / (double)from), rng);
	op->weights = weights;
	op->bias = NULL;
	return LSDN_OK;
}

int randomize(struct net *random, const struct net *net, const struct random_levels *levels, int level, uint64_t seed, struct error *e)
{
	const struct plan *plan = &net->plan;
	*random = *net;
	random->plan.arena = (struct arena){0}; /* from here on: of what is this network's own */
	random->plan.ops = arena_take(&random->plan.arena, (size_t)plan->op_count, sizeof *random->plan.ops);
	if (!random->plan.ops)
		return error_memory(e, "a network");
	memcpy(random->plan.ops, plan->ops, (size_t)plan->op_count * sizeof *random->plan.ops);
	int code = LSDN_OK;
	for (int n = 1; n <= levels->drawn[level] && !code; n++) {
		struct pcg rng;
		int k = from_top(plan, n);
		pcg_seed(&rng, seed, (uint64_t)k);
		code = draw_op(&random->plan.ops[k], &random->plan, &rng, e);
	}
	if (code)
		randomize_close(random);
	return code;
}

void randomize_close(struct net *random)
{
	arena_free(&random->plan.arena);
	*random = (struct net){0};
}
