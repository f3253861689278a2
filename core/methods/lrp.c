/* Layer-wise relevance propagation: the class score has relevance 1, and a neuron i passes its relevance R_i to the neurons j that it reads, of which
 * each contributes z_ij = a_j w_ij to z_i = sum over j of z_ij + b_i. The map is the sum over the channels of what the input gets, where it is positive.
 *
 *     epsilon      R_j = sum over i of z_ij / (z_i + epsilon sign(z_i)) R_i, epsilon = 0.01
 *     alpha-beta   R_j = sum over i of (alpha z_ij+ / z_i+ - beta z_ij- / z_i-) R_i, alpha = 2, beta = 1; z+ and z- are the sums of the positive and of the
 *                  negative contributions and bias
 *     argmax       a Conv gives R_i to the j with the highest z_ij alone, an Add to its highest operand; what reads the input, and what is fully connected,
 *                  goes by alpha = 1, beta = 0, without bias */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/kernel.h"
#include "core/methods/relevance.h"
#include "core/methods/table.h"

enum kind { EPSILON, ALPHA_BETA, ARGMAX };

struct lrp {
	enum kind kind;
	double alpha, beta;
	bool bias;
	struct share share;
};

static const struct lrp BY_EPSILON = {.kind = EPSILON, .share = {.epsilon = 0.01}}, BY_ARGMAX = {.kind = ARGMAX, .alpha = 1, .share = {.positive = true}},
	BY_ALPHA_BETA = {.kind = ALPHA_BETA, .alpha = 2, .beta = 1, .bias = true, .share = {.positive = true}};

/* Rooms of linear_alpha_beta; linear_epsilon has the first and the last. */
enum { PARTS_OF_INPUT, POSITIVE_SUMS = 2, NEGATIVE_SUMS, MORE };

/* sums = out / (sums + bias), away from 0 by epsilon. */
LSDN_KERNEL static void divide_stabilised(const float *out, const float *bias, float epsilon, float *sums, size_t channels)
{
	for (size_t c = 0; c < channels; c++) {
		float z = sums[c] + (bias ? bias[c] : 0);
		sums[c] = out[c] / (z < 0 ? z - epsilon : z + epsilon);
	}
}

/* sums = factor out / (sums + the part of bias that has the sign), 0 where that is nothing. */
LSDN_KERNEL static void divide_signed(const float *out, const float *bias, float sign, float factor, float *sums, size_t channels)
{
	for (size_t c = 0; c < channels; c++) {
		float z = sums[c] + (bias && sign * bias[c] > 0 ? bias[c] : 0);
		sums[c] = z != 0 ? factor * out[c] / z : 0;
	}
}

LSDN_KERNEL static void add_product(float *into, const float *a, const float *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] += a[i] * b[i];
}

LSDN_KERNEL static void add(float *into, const float *more, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] += more[i];
}

static int linear_epsilon(const struct backward_step *s, double epsilon, float *into, struct error *e)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t channels = (size_t)plan->tensors[s->op->output].c, inputs = tensor_size(&plan->tensors[s->op->inputs[0]]);
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	float *sums = backward_room(s->backward, 0);
	if (!sums)
		return error_memory(e, "a map");
	int code = backward_linear(s, WEIGHTS_ALL, false, input, sums, e);
	for (size_t i = 0; i < tensor_size(&plan->tensors[s->op->output]); i += channels)
		divide_stabilised(s->out + i, s->op->bias, (float)epsilon, sums + i, channels);
	float *more = backward_room(s->backward, MORE);
	if (!code)
		code = more ? backward_linear(s, WEIGHTS_ALL, true, sums, more, e) : error_memory(e, "a map");
	memset(into, 0, inputs * sizeof *into);
	if (!code)
		add_product(into, input, more, inputs);
	return code ? code : 1;
}

/* sums = W_same a+ + W_other a-, where the second is there. */
static int add_signed(const struct backward_step *s, enum weight_sign same, enum weight_sign other, float *const parts[2], bool negative, float *sums,
	struct error *e)
{
	float *more = backward_room(s->backward, MORE);
	int code = more ? backward_linear(s, same, false, parts[0], sums, e) : error_memory(e, "a map");
	if (!code && negative)
		code = backward_linear(s, other, false, parts[1], more, e);
	if (!code && negative)
		add(sums, more, tensor_size(&backward_plan(s->backward)->tensors[s->op->output]));
	return code;
}

/* into += a W^T ratios. */
static int give(const struct backward_step *s, enum weight_sign sign, const float *ratios, const float *a, float *into, struct error *e)
{
	float *more = backward_room(s->backward, MORE);
	int code = backward_linear(s, sign, true, ratios, more, e);
	if (!code)
		add_product(into, a, more, tensor_size(&backward_plan(s->backward)->tensors[s->op->inputs[0]]));
	return code;
}

/* Makes of the sums of one sign what every unit of a contribution gets. */
static void divide(const struct backward_step *s, float sign, double factor, bool bias, float *sums)
{
	const struct tensor *out = &backward_plan(s->backward)->tensors[s->op->output];
	for (size_t i = 0; i < tensor_size(out); i += (size_t)out->c)
		divide_signed(s->out + i, bias ? s->op->bias : NULL, sign, (float)factor, sums + i, (size_t)out->c);
}

static int linear_alpha_beta(const struct backward_step *s, const struct lrp *lrp, float *into, struct error *e)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t inputs = tensor_size(&plan->tensors[s->op->inputs[0]]);
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	float *parts[2] = {backward_room(s->backward, PARTS_OF_INPUT), backward_room(s->backward, PARTS_OF_INPUT + 1)};
	float *positive = backward_room(s->backward, POSITIVE_SUMS), *negative = backward_room(s->backward, NEGATIVE_SUMS);
	bool below = false; /* the input has negative values */
	if (!parts[0] || !parts[1] || !positive || !negative)
		return error_memory(e, "a map");
	relevance_part(input, 1, parts[0], inputs);
	relevance_part(input, -1, parts[1], inputs);
	for (size_t j = 0; j < inputs && !below; j++)
		below = input[j] < 0;
	memset(into, 0, inputs * sizeof *into);
	int code = add_signed(s, WEIGHTS_POSITIVE, WEIGHTS_NEGATIVE, parts, below, positive, e);
	if (!code) {
		divide(s, 1, lrp->alpha, lrp->bias, positive);
		code = give(s, WEIGHTS_POSITIVE, positive, parts[0], into, e);
	}
	if (!code && below)
		code = give(s, WEIGHTS_NEGATIVE, positive, parts[1], into, e);
	if (!code && lrp->beta != 0)
		code = add_signed(s, WEIGHTS_NEGATIVE, WEIGHTS_POSITIVE, parts, below, negative, e);
	if (!code && lrp->beta != 0) {
		divide(s, -1, -lrp->beta, lrp->bias, negative);
		code = give(s, WEIGHTS_NEGATIVE, negative, parts[0], into, e);
		if (!code && below)
			code = give(s, WEIGHTS_POSITIVE, negative, parts[1], into, e);
	}
	return code ? code : 1;
}

/* The input element with the highest product of the Conv's output at (y, x) of channel o: ties to the lowest channel, then place. -1 where the kernel is
 * all in the padding. */
static long highest_product(const struct plan *plan, const struct op *op, const float *input, int o, int y, int x)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
	const struct window *w = &op->window;
	int channels = in->c / op->groups, first = o / (out->c / op->groups) * channels, best_c = 0;
	long best = -1;
	float highest = 0;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++) {
			int at_y = y * w->stride_y - w->top + i * w->dilation_y, at_x = x * w->stride_x - w->left + j * w->dilation_x;
			if (at_y < 0 || at_x < 0 || at_y >= in->h || at_x >= in->w)
				continue;
			long place = ((long)at_y * in->w + at_x) * in->c + first;
			const float *weights = op->weights + (((size_t)o * (size_t)w->height + (size_t)i) * (size_t)w->width + (size_t)j) * (size_t)channels;
			for (int c = 0; c < channels; c++) {
				float product = input[place + c] * weights[c];
				if (best < 0 || product > highest || (product == highest && c < best_c)) {
					best = place + c;
					best_c = c;
					highest = product;
				}
			}
		}
	return best;
}

static void conv_argmax(const struct backward_step *s, float *into)
{
	const struct plan *plan = backward_plan(s->backward);
	const struct tensor *in = &plan->tensors[s->op->inputs[0]], *out = &plan->tensors[s->op->output];
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	memset(into, 0, tensor_size(in) * sizeof *into);
	for (size_t n = 0; n < tensor_size(out); n++) {
		int place = (int)(n / (size_t)out->c);
		long best = s->out[n] != 0 ? highest_product(plan, s->op, input, (int)(n % (size_t)out->c), place / out->w, place % out->w) : -1;
		if (best >= 0)
			into[best] += s->out[n];
	}
}

/* The first of equals. */
static void add_argmax(const struct backward_step *s, float *into)
{
	struct operand operands[OP_MAX_INPUTS];
	for (int k = 0; k < s->op->input_count; k++)
		operands[k] = relevance_operand(s, k);
	size_t channels = operands[0].channels;
	for (size_t n = 0; n < tensor_size(&backward_plan(s->backward)->tensors[s->op->output]); n++) {
		int best = 0;
		float highest = s->out[n] != 0 ? operand_at(&operands[0], n / channels, n % channels) : 0;
		for (int k = 1; s->out[n] != 0 && k < s->op->input_count; k++) {
			float value = operand_at(&operands[k], n / channels, n % channels);
			best = value > highest ? k : best;
			highest = fmaxf(highest, value);
		}
		into[n] = best == s->input ? s->out[n] : 0;
	}
}

static bool reads_places_of_neurons(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	return op->kind == OP_CONV && in->h * in->w > 1 && in->maker >= 0;
}

static int propagate(const struct backward_rule *rule, const struct backward_step *s, float *into, struct error *e)
{
	const struct lrp *lrp = rule->context;
	bool linear = s->op->kind == OP_CONV || s->op->kind == OP_GEMM;
	if (lrp->kind == ARGMAX && reads_places_of_neurons(backward_plan(s->backward), s->op)) {
		conv_argmax(s, into);
		return 1;
	}
	if (lrp->kind == ARGMAX && s->op->kind == OP_ADD) {
		add_argmax(s, into);
		return 1;
	}
	if (!linear)
		return relevance_other(s, &lrp->share, into);
	return lrp->kind == EPSILON ? linear_epsilon(s, lrp->share.epsilon, into, e) : linear_alpha_beta(s, lrp, into, e);
}

static int relevance(const struct question *q, const struct lrp *lrp, struct error *e)
{
	int input = q->net->plan.inputs[0];
	int code = backward_class(q->backward, q->session, 0, q->class_index, BACKWARD_LOGIT, input, &(struct backward_rule){.propagate = propagate, .context = lrp},
		e);
	return code ? code : relevance_grid(q, input, e);
}

static int answer_epsilon(const struct question *q, struct error *e)
{
	return relevance(q, &BY_EPSILON, e);
}

static int answer_alpha_beta(const struct question *q, struct error *e)
{
	return relevance(q, &BY_ALPHA_BETA, e);
}

static int answer_argmax(const struct question *q, struct error *e)
{
	return relevance(q, &BY_ARGMAX, e);
}

static const char BACH[] = "Bach and others, \"On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation\", 2015";

const struct map_method MAP_LRP_EPSILON = {
	.name = "lrp-epsilon",
	.summary = "relevance that every neuron passes on to those it reads by what each contributes, epsilon = 0.01",
	.needs = "nothing",
	.citation = BACH,
	.place = MAP_OF_INPUT,
	.answer = answer_epsilon,
};

const struct map_method MAP_LRP_ALPHA_BETA = {
	.name = "lrp-alpha-beta",
	.summary = "the same, positive and negative contributions apart, alpha = 2, beta = 1",
	.needs = "nothing",
	.citation = BACH,
	.place = MAP_OF_INPUT,
	.answer = answer_alpha_beta,
};

const struct map_method MAP_LRP_ARGMAX = {
	.name = "lrp-argmax",
	.summary = "the same, to the highest contribution alone in every Conv but the first",
	.needs = "nothing",
	.citation = "Huber, Schiller and Andre, \"Enhancing explainability of deep reinforcement learning through selective layer-wise relevance propagation\", 2019",
	.place = MAP_OF_INPUT,
	.answer = answer_argmax,
};
