/* How relevance goes back through an op: what both excitation backprop and layer-wise relevance propagation are made of. */
#ifndef LSDN_CORE_METHODS_RELEVANCE_H
#define LSDN_CORE_METHODS_RELEVANCE_H

#include "core/methods/methods.h"

/* How much of the relevance of a sum of a_k each a_j gets. */
struct share {
	bool positive;  /* max(0, a_j) / sum of max(0, a_k), nothing where that is 0; */
	double epsilon; /* else a_j / (z + epsilon sign(z)) with z the sum, sign(0) being 1 */
};

/* Through a Conv or Gemm with the weights of one sign: what neuron i has goes to j by max(0, a_j) w_ij / sum over k of max(0, a_k) w_ik; nothing where
 * that sum is 0. */
int relevance_linear(const struct backward_step *step, enum weight_sign sign, float *into, struct error *e);

/* Through every other op. Add and averages share; a maximum gives to the highest; Concat and Reindex to where a value is from; what keeps (c, y, x)
 * passes on as it is, a Gate to its main input alone; Mul gives half to each. Returns as backward_rule.propagate does. */
int relevance_other(const struct backward_step *step, const struct share *share, float *into);

/* The values of one sign (1 or -1), 0 in place of the others. */
void relevance_part(const float *values, float sign, float *parts, size_t count);

/* An op's input, kept or not. */
struct operand {
	const struct session *session;
	int image, tensor;
	const float *kept; /* NULL: it is not, and dear to know */
	size_t channels, stride;
};

struct operand relevance_operand(const struct backward_step *step, int k);

static inline float operand_at(const struct operand *o, size_t place, size_t channel)
{
	return o->kept ? o->kept[place * o->stride + channel] : session_value(o->session, o->tensor, o->image, place * o->channels + channel);
}

/* Makes q's grid of the sums over the channels of what tensor t got, where they are positive. */
int relevance_grid(const struct question *q, int t, struct error *e);

#endif
