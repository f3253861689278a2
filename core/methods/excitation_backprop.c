/* The class score's neuron wins with probability 1; neuron i passes its probability P(i) to the neurons j that it reads, by
 *
 *     P(j) = sum over i of P(i) a_j+ w_ij+ / sum over k of a_k+ w_ik+        (a+ and w+: negative ones count 0)
 *
 * and the map is the sum of P over the layer's channels. The contrastive form subtracts, in what the last Conv or Gemm reads, what a dual unit with the
 * weights -w would give there; what is left goes on, and its map is cut off at 0. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/methods/layers.h"
#include "core/methods/relevance.h"
#include "core/methods/table.h"

/* The op whose weights have another sign, in the dual pass. */
struct dual {
	const struct op *op;
	enum weight_sign sign;
};

static int propagate(const struct backward_rule *rule, const struct backward_step *s, float *into, struct error *e)
{
	static const struct share POSITIVE = {.positive = true};
	const struct dual *dual = rule->context;
	if (s->op->kind == OP_CONV || s->op->kind == OP_GEMM)
		return relevance_linear(s, s->op == dual->op ? dual->sign : WEIGHTS_POSITIVE, into, e);
	return relevance_other(s, &POSITIVE, into);
}

static int excite(const struct question *q, const struct dual *dual, int target, struct error *e)
{
	return backward_class(q->backward, q->session, 0, q->class_index, BACKWARD_LOGIT, target, &(struct backward_rule){.propagate = propagate, .context = dual}, e);
}

static int answer(const struct question *q, struct error *e)
{
	int code = excite(q, &(struct dual){0}, q->layer, e);
	return code ? code : relevance_grid(q, q->layer, e);
}

const struct map_method MAP_EXCITATION_BACKPROP = {
	.name = "excitation-backprop",
	.summary = "the probability with which neurons of a layer win when each passes its own on to those that excite it",
	.needs = "a layer with places (by default the first of an eighth of the input's height that all ways go through)",
	.citation = "Zhang and others, \"Top-down neural attention by excitation backprop\", 2016",
	.place = MAP_AT_LAYER,
	.layer = layer_eighth,
	.answer = answer,
};

/* The last Conv or Gemm before the class scores. */
static const struct op *last_linear(const struct plan *plan)
{
	int k = plan->tensors[plan->scores].maker;
	while (k >= 0 && plan->ops[k].kind != OP_CONV && plan->ops[k].kind != OP_GEMM)
		k = plan->tensors[plan->ops[k].inputs[0]].maker;
	return k < 0 ? NULL : &plan->ops[k];
}

static int answer_contrastive(const struct question *q, struct error *e)
{
	const struct plan *plan = &q->net->plan;
	const struct op *last = last_linear(plan);
	if (!last || q->layer > last->inputs[0])
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "contrastive-excitation-backprop contrasts in what the last Conv or Gemm reads: take a layer before it");
	size_t size = tensor_size(&plan->tensors[last->inputs[0]]);
	float *contrast = malloc(size * sizeof *contrast);
	int code = contrast ? excite(q, &(struct dual){0}, last->inputs[0], e) : error_memory(e, "a map");
	if (!code)
		memcpy(contrast, backward_gradient(q->backward, last->inputs[0]), size * sizeof *contrast);
	if (!code)
		code = excite(q, &(struct dual){last, WEIGHTS_NEGATIVE}, last->inputs[0], e);
	for (size_t i = 0; !code && i < size; i++)
		contrast[i] -= backward_gradient(q->backward, last->inputs[0])[i];
	if (!code)
		code = backward_run(q->backward, q->session, 0, last->inputs[0], contrast, q->layer,
			&(struct backward_rule){.propagate = propagate, .context = &(struct dual){0}}, e);
	free(contrast);
	return code ? code : relevance_grid(q, q->layer, e);
}

const struct map_method MAP_CONTRASTIVE_EXCITATION_BACKPROP = {
	.name = "contrastive-excitation-backprop",
	.summary = "the same, less what the class's opposite, with all weights of the last layer negated, would give",
	.needs = "such a layer before the last Conv or Gemm",
	.citation = "Zhang and others, \"Top-down neural attention by excitation backprop\", 2016",
	.place = MAP_AT_LAYER,
	.layer = layer_eighth,
	.answer = answer_contrastive,
};
