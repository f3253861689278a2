/* Plans of a few random layers, each a Conv or a pool with any geometry that fits, or a Gemm on a map of one pixel; sizes straddle the vector width of 16. */
#ifndef LSDN_TESTS_RANDOM_PLAN_H
#define LSDN_TESTS_RANDOM_PLAN_H

#include <math.h>
#include <stdlib.h>

#include "core/net/session.h"
#include "tests/random.h"

enum { RANDOM_LAYERS = 3, RANDOM_CHANNELS = 40 };

enum random_numbers {
	RANDOM_REAL,   /* between -1 and 1, with zeros and repeated values among them */
	RANDOM_WHOLE,  /* so small that single precision computes everything exactly, so that ties are ties; no averages */
	RANDOM_HOSTILE /* real, and in the input NaN and infinity */
};

static inline float random_value(struct pcg *rng, enum random_numbers numbers)
{
	uint32_t kind = pcg_below(rng, 8);
	if (numbers == RANDOM_WHOLE)
		return (float)between(rng, -1, 1);
	if (kind == 0)
		return 0;
	if (kind == 1)
		return (float)pcg_below(rng, 3) - 1;
	return (float)(2 * pcg_double(rng) - 1);
}

struct random_plan {
	struct plan plan;
	struct tensor tensors[RANDOM_LAYERS + 1];
	struct op ops[RANDOM_LAYERS];
	float *weights[RANDOM_LAYERS], *bias[RANDOM_LAYERS];
	enum random_numbers numbers;
};

static inline int side_after(int side, int kernel, int stride, int dilation, int pads)
{
	return (side + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

/* Random weights and bias, `inputs` weights an output. */
static inline void random_weights(struct random_plan *r, int k, size_t inputs, struct pcg *rng)
{
	size_t outputs = (size_t)r->tensors[k + 1].c;
	r->weights[k] = malloc(outputs * inputs * sizeof(float));
	r->bias[k] = malloc(outputs * sizeof(float));
	for (size_t i = 0; i < outputs * inputs; i++)
		r->weights[k][i] = random_value(rng, r->numbers);
	for (size_t o = 0; o < outputs; o++)
		r->bias[k][o] = random_value(rng, r->numbers);
	r->ops[k].weights = r->weights[k];
	r->ops[k].bias = r->bias[k];
}

static inline void random_gemm(struct random_plan *r, int k, struct pcg *rng)
{
	r->ops[k].kind = OP_GEMM;
	r->tensors[k + 1] = (struct tensor){.name = "t", .c = between(rng, 1, RANDOM_CHANNELS), .h = 1, .w = 1, .rank = 2, .maker = k};
	random_weights(r, k, (size_t)r->tensors[k].c, rng);
}

static inline void random_conv(struct random_plan *r, int k, struct pcg *rng)
{
	const struct tensor *in = &r->tensors[k];
	struct op *op = &r->ops[k];
	struct window *w = &op->window;
	int kinds = between(rng, 0, 3);
	op->kind = OP_CONV;
	op->groups = kinds == 0 ? in->c : kinds == 1 && in->c % 2 == 0 ? 2 : 1;
	*w = (struct window){.height = between(rng, 1, 5), .width = between(rng, 1, 5), .stride_y = between(rng, 1, 3), .stride_x = between(rng, 1, 3),
		.dilation_y = between(rng, 1, 2), .dilation_x = between(rng, 1, 2), .top = between(rng, 0, 4), .left = between(rng, 0, 4),
		.bottom = between(rng, 0, 4), .right = between(rng, 0, 4)};
	while (in->h + w->top + w->bottom < (w->height - 1) * w->dilation_y + 1)
		w->top++;
	while (in->w + w->left + w->right < (w->width - 1) * w->dilation_x + 1)
		w->left++;
	r->tensors[k + 1] = (struct tensor){.name = "t", .c = op->groups * between(rng, 1, op->groups > 2 ? 1 : RANDOM_CHANNELS / 2), .rank = 4, .maker = k,
		.h = side_after(in->h, w->height, w->stride_y, w->dilation_y, w->top + w->bottom),
		.w = side_after(in->w, w->width, w->stride_x, w->dilation_x, w->left + w->right)};
	random_weights(r, k, (size_t)(w->height * w->width) * (size_t)(in->c / op->groups), rng);
}

static inline void random_pool(struct random_plan *r, int k, struct pcg *rng)
{
	const struct tensor *in = &r->tensors[k];
	struct op *op = &r->ops[k];
	struct window *w = &op->window;
	static const enum op_kind KINDS[] = {OP_MAX_POOL, OP_GLOBAL_MAX_POOL, OP_AVERAGE_POOL, OP_GLOBAL_AVERAGE_POOL};
	op->kind = KINDS[between(rng, 0, r->numbers == RANDOM_WHOLE ? 1 : 3)];
	op->count_include_pad = between(rng, 0, 1);
	*w = (struct window){.height = between(rng, 1, in->h < 4 ? in->h : 4), .width = between(rng, 1, in->w < 4 ? in->w : 4),
		.stride_y = between(rng, 1, 3), .stride_x = between(rng, 1, 3), .dilation_y = 1, .dilation_x = 1};
	w->top = between(rng, 0, w->height - 1);
	w->bottom = between(rng, 0, w->height - 1);
	w->left = between(rng, 0, w->width - 1);
	w->right = between(rng, 0, w->width - 1);
	bool global = op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL;
	r->tensors[k + 1] = (struct tensor){.name = "t", .c = in->c, .rank = 4, .maker = k,
		.h = global ? 1 : side_after(in->h, w->height, w->stride_y, 1, w->top + w->bottom),
		.w = global ? 1 : side_after(in->w, w->width, w->stride_x, 1, w->left + w->right)};
}

/* `layers` of them, the last no pool. */
static inline void random_plan_make(struct random_plan *r, int layers, enum random_numbers numbers, struct pcg *rng)
{
	static int input = 0;
	*r = (struct random_plan){.numbers = numbers, .tensors = {{.name = "in", .c = between(rng, 1, RANDOM_CHANNELS), .h = between(rng, 1, 9),
		.w = between(rng, 1, 9), .rank = 4, .maker = -1}}};
	for (int k = 0; k < layers; k++) {
		r->ops[k] = (struct op){.name = "op", .op_type = "op", .inputs = {k}, .input_count = 1, .output = k + 1, .groups = 1};
		const struct tensor *in = &r->tensors[k];
		if (in->h == 1 && in->w == 1 && between(rng, 0, 1))
			random_gemm(r, k, rng);
		else if (k == layers - 1 || between(rng, 0, 1))
			random_conv(r, k, rng);
		else
			random_pool(r, k, rng);
	}
	r->plan = (struct plan){.tensors = r->tensors, .tensor_count = layers + 1, .ops = r->ops, .op_count = layers, .inputs = &input, .input_count = 1,
		.output = layers, .scores = layers};
}

static inline void random_input(const struct random_plan *r, float *input, struct pcg *rng)
{
	static const float HOSTILE[] = {NAN, INFINITY, -INFINITY};
	for (size_t i = 0; i < tensor_size(&r->tensors[0]); i++)
		input[i] = r->numbers == RANDOM_HOSTILE && pcg_below(rng, 40) == 0 ? HOSTILE[between(rng, 0, 2)] : random_value(rng, r->numbers);
}

static inline void random_plan_free(struct random_plan *r)
{
	for (int k = 0; k < r->plan.op_count; k++) {
		free(r->weights[k]);
		free(r->bias[k]);
	}
}

#endif
