/* Where the class scores are a fully connected layer of the global averages of the channels A_k, or those averages themselves (then w_k is 1 for the
 * class's own channel, else 0): the map is max(0, sum over k of w_k A_k) with the class's weights w_k. */
#include "config.h"

#include <stdlib.h>

#include "core/methods/table.h"
#include "core/net/stages.h"

static const struct op *maker_of(const struct plan *plan, int t)
{
	while (plan->tensors[t].maker >= 0 && op_shares_input(&plan->ops[plan->tensors[t].maker]))
		t = plan->ops[plan->tensors[t].maker].inputs[0];
	return plan->tensors[t].maker < 0 ? NULL : &plan->ops[plan->tensors[t].maker];
}

static bool fully_connected(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	return op->kind == OP_GEMM || (op->kind == OP_CONV && op->groups == 1 && in->h == 1 && in->w == 1 && op->window.height == 1 && op->window.width == 1);
}

static bool global_average(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	return op->kind == OP_GLOBAL_AVERAGE_POOL || (op->kind == OP_AVERAGE_POOL && w->height == in->h && w->width == in->w
		&& w->top + w->left + w->bottom + w->right == 0);
}

static int refuse(const struct op *op, struct error *e)
{
	return error_set(e, LSDN_ERROR_UNSUPPORTED, "cam needs class scores that are a fully connected layer of global averages, or global averages: node '%.100s' "
		"(%.40s) is neither: take grad-cam, which is the same where cam can be", op ? op->name : "", op ? op->op_type : "input");
}

static int answer(const struct question *q, struct error *e)
{
	const struct plan *plan = &q->net->plan;
	const struct op *last = maker_of(plan, plan->scores), *pool = last;
	struct question own = *q;
	size_t stride;
	if (last && fully_connected(plan, last)) {
		if (last->activation.kind != ACTIVATION_NONE)
			return refuse(last, e);
		pool = maker_of(plan, last->inputs[0]);
	}
	if (!pool || !global_average(plan, pool))
		return refuse(pool, e);
	own.layer = pool->inputs[0];
	size_t channels = (size_t)plan->tensors[own.layer].c;
	double *weights = calloc(channels, sizeof *weights);
	const float *a = weights ? question_activations(&own, &stride, e) : NULL;
	for (size_t k = 0; a && k < channels; k++)
		weights[k] = pool != last ? (double)last->weights[(size_t)q->class_index * channels + k] : (int)k == q->class_index;
	int code = a ? grid_weighted(&own, a, stride, weights, e) : error_memory(e, "a map");
	free(weights);
	return code;
}

const struct map_method MAP_CAM = {
	.name = "cam",
	.summary = "channels of the last layer with places, weighted as the class scores weigh their averages",
	.needs = "class scores that are a fully connected layer of global averages, or global averages",
	.citation = "Zhou and others, \"Learning deep features for discriminative localization\", 2016",
	.place = MAP_OF_INPUT,
	.answer = answer,
};
