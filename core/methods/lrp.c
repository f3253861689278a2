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

static int linear_epsilon(const struct backward_step *s, double epsilon, float *into, struct error *e)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t channels = (size_t)plan->tensors[s->op->output].c;
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	float *sums = backward_room(s->backward, 0);
	if (!sums)
		return error_memory(e, "a map");
	int code = backward_linear(s, WEIGHTS_ALL, false, input, sums, e);
	for (size_t i = 0; i < tensor_size(&plan->tensors[s->op->output]); i++) {
		double z = (double)sums[i] + (s->op->bias ? (double)s->op->bias[i % channels] : 0);
		sums[i] = (float)((double)s->out[i] / (z + (z < 0 ? -epsilon : epsilon)));
	}
	if (!code)
		code = backward_linear(s, WEIGHTS_ALL, true, sums, into, e);
	for (size_t j = 0; j < tensor_size(&plan->tensors[s->op->inputs[0]]); j++)
		into[j] *= input[j];
	return code ? code : 1;
}

/* Rooms of linear_alpha_beta. */
enum { PARTS_OF_INPUT, POSITIVE_SUMS = 2, NEGATIVE_SUMS, MORE };

/* sums = W_same a+ + W_other a-, where the second is there. */
static int add_signed(const struct backward_step *s, enum weight_sign same, enum weight_sign other, float *const parts[2], bool negative, float *sums,
	struct error *e)
{
	float *more = backward_room(s->backward, MORE);
	int code = more ? backward_linear(s, same, false, parts[0], sums, e) : error_memory(e, "a map");
	if (!code && negative)
		code = backward_linear(s, other, false, parts[1], more, e);
	for (size_t i = 0; !code && negative && i < tensor_size(&backward_plan(s->backward)->tensors[s->op->output]); i++)
		sums[i] += more[i];
	return code;
}

/* into += factor a W^T ratios. */
static int give(const struct backward_step *s, enum weight_sign sign, const float *ratios, const float *a, float *into, struct error *e)
{
	float *more = backward_room(s->backward, MORE);
	int code = backward_linear(s, sign, true, ratios, more, e);
	for (size_t j = 0; !code && j < tensor_size(&backward_plan(s->backward)->tensors[s->op->inputs[0]]); j++)
		into[j] += a[j] * more[j];
	return code;
}

/* Makes of the sums of one sign what every unit of a contribution gets. */
static void divide(const struct backward_step *s, bool positive, double factor, bool bias, float *sums)
{
	const struct tensor *out = &backward_plan(s->backward)->tensors[s->op->output];
	for (size_t i = 0; i < tensor_size(out); i++) {
		double b = bias && s->op->bias ? (double)s->op->bias[i % (size_t)out->c] : 0, z = (double)sums[i] + (positive ? fmax(b, 0) : fmin(b, 0));
		sums[i] = z != 0 ? (float)(factor * (double)s->out[i] / z) : 0;
	}
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
	for (size_t j = 0; j < inputs; j++) {
		parts[0][j] = fmaxf(input[j], 0);
		parts[1][j] = fminf(input[j], 0);
		below |= input[j] < 0;
	}
	memset(into, 0, inputs * sizeof *into);
	int code = add_signed(s, WEIGHTS_POSITIVE, WEIGHTS_NEGATIVE, parts, below, positive, e);
	if (!code) {
		divide(s, true, lrp->alpha, lrp->bias, positive);
		code = give(s, WEIGHTS_POSITIVE, positive, parts[0], into, e);
	}
	if (!code && below)
		code = give(s, WEIGHTS_NEGATIVE, positive, parts[1], into, e);
	if (!code && lrp->beta != 0)
		code = add_signed(s, WEIGHTS_NEGATIVE, WEIGHTS_POSITIVE, parts, below, negative, e);
	if (!code && lrp->beta != 0) {
		divide(s, false, -lrp->beta, lrp->bias, negative);
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
	for (size_t n = 0; n < tensor_size(&backward_plan(s->backward)->tensors[s->op->output]); n++) {
		int best = 0;
		float highest = s->out[n] != 0 ? relevance_operand(s, 0, n) : 0;
		for (int k = 1; s->out[n] != 0 && k < s->op->input_count; k++) {
			float value = relevance_operand(s, k, n);
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
	if (lrp->kind == ARGMAX && reads_places_of_neurons(backward_plan(s->backward), s->op))
		return conv_argmax(s, into), 1;
	if (lrp->kind == ARGMAX && s->op->kind == OP_ADD)
		return add_argmax(s, into), 1;
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
