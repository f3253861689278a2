/* The supports of a candidate neuron (paper, section 3.1), computed from kept activations.
 *
 * Z_cur (eq. 2): for a selected neuron s = (o, y, x) of a Conv, one candidate a channel c of o's group, the sum over the kernel of A[c, .] * W[o, c, .];
 * outside the input counts 0. For a Gemm one candidate an input element i, A[i] * W[s, i].
 * Z_pre (eq. 3): the highest such value of the layer that made the candidate itself, with the candidate in the place of s. */
#ifndef LSDN_CORE_TRACE_SUPPORTS_H
#define LSDN_CORE_TRACE_SUPPORTS_H

#include <stdint.h>

#include "core/net/session.h"

/* A neuron's place in its tensor's memory (NHWC): (y * W + x) * C + c. */
typedef uint32_t neuron_t;

struct place {
	int c, y, x;
};

struct place neuron_place(const struct tensor *t, neuron_t n);
neuron_t place_neuron(const struct tensor *t, struct place p);

/* Number of candidates of one neuron of a Conv's or Gemm's output. */
static inline int support_count(const struct plan *plan, const struct op *op)
{
	int channels = plan->tensors[op->inputs[0]].c;
	return op->groups == 1 ? channels : channels / op->groups;
}

/* The first input channel of the candidates of output channel o. */
static inline int support_first_channel(const struct plan *plan, const struct op *op, int o)
{
	return op->groups == 1 ? 0 : o / (plan->tensors[op->output].c / op->groups) * support_count(plan, op);
}

/* Fills z[0..support_count) with Z_cur of s's candidates. input: the op's input activations of the image. */
void support_current(const struct plan *plan, const struct op *op, const float *input, struct place s, float *z);

/* Conv: the same, and for each candidate channel the in-bounds pixel of the highest single product sign * A * W, the first in raster order. */
void support_current_and_places(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *z, uint32_t *pixels);

/* Conv: the pixel (y * W + x of the input) of the kernel's centre, clamped into the input. */
uint32_t support_center(const struct plan *plan, const struct op *op, struct place s);

/* Pools: the pixel of the highest activation within the in-bounds window of output neuron s, first in raster order. */
uint32_t support_pool(const struct plan *plan, const struct op *op, const float *input, struct place s);

/* Z_pre of all C neurons of pixel (y, x) of tensor t, where that costs little more than one of them: where each looks at one channel of what the layer
 * that made it reads (pools, Add, Mul), and at the image. NAN for the others. */
void support_preceding_row(const struct session *session, const struct plan *plan, int image, int t, int y, int x, float *row);

/* Z_pre of neuron n of tensor t. scratch holds at least support_scratch(plan) floats. */
float support_preceding(const struct session *session, const struct plan *plan, int image, int t, struct place n, float *scratch);
size_t support_scratch(const struct plan *plan);

/* The sign of neuron s at its layer's own output, before what was fused behind it, as some number of that sign: true where what was kept of s tells, */
bool support_output_kept(const struct session *session, const struct plan *plan, int image, const struct op *op, struct place s, float *value);

/* and where it does not, the sum of its `count` Z_cur and the bias. */
float support_output(const struct op *op, struct place s, const float *z, int count);

#endif
