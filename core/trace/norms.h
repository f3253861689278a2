/* What bounds the supports of a Conv or Gemm from above. Over the taps k of a kernel (Cauchy and Schwarz)
 *
 *     sum_k A[k] * W[k] <= |A+| * |W+| + |A-| * |W-|
 *
 * where A+ holds the positive values and A- minus the negative ones, 0 elsewhere, and |.| is the Euclidean norm. One tap is bounded by its product or 0. */
#ifndef LSDN_CORE_TRACE_NORMS_H
#define LSDN_CORE_TRACE_NORMS_H

#include "core/trace/supports.h"

enum { NORMS_MOST_BLOCKS = 16 };

/* Of a Conv's or Gemm's weights. */
struct norms {
	int groups, taps;
	int outputs, inputs;        /* channels; inputs of one group */
	bool few;                   /* these are so few that all supports are sooner computed than excluded */
	int blocks, block;          /* inputs are cut into that many blocks of that many; the last may have fewer */
	float *positive, *negative; /* outputs x inputs: |W+| and |W-|, and a little more for rounding; NULL for one tap */
	float *highest_positive, *highest_negative; /* blocks x outputs: their highest in each block */
};

int norms_make(struct norms *n, const struct plan *plan, const struct op *op, struct error *e);
void norms_free(struct norms *n);

/* For kernels of more than one tap: |A+| and |A-| of all input channels under the kernel at place s of the op's output; positive and negative are 0 before.
 * False where some activation there is no finite number. */
bool norms_of_patch(const struct plan *plan, const struct op *op, const float *input, struct place s, float *positive, float *negative);

/* Fills bounds[0..outputs) with what no support of that output at the patch's place is above. */
void norms_bound(const struct norms *n, const float *positive, const float *negative, float *bounds);

/* The same for kernels of one tap, from the activations under it; false where some are no finite numbers. */
bool norms_bound_one(const struct norms *n, const float *activations, float *bounds);

/* What no support of output channel c, whose first input channel is `first`, is above: the highest product of norms. For kernels of more than one tap. */
float norms_closer(const struct norms *n, int first, int c, const float *positive, const float *negative);

/* The highest Z_cur of output neuron s, to the last bit that of support_current's; those that their bounds exclude are not computed. For kernels of more
 * than one tap; positive and negative are the patch's; scratch holds n->inputs numbers. */
float norms_highest_current(const struct norms *n, const struct plan *plan, const struct op *op, const float *input, struct place s,
	const float *positive, const float *negative, float *scratch);

#endif
