#include "config.h"

#include "core/trace/norms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/lanes.h"
#include "core/trace/supports_inside.h"

enum {
	VECTOR = 16,
	MOST_FEW = 128
};

/* Squares below the smallest number are lost: this root of it makes up for them. */
static const float LOST = 0x1p-63f;

LSDN_KERNEL static void part(float *restrict positive, float *restrict negative, const float *restrict values, int count)
{
	for (int c = 0; c < count; c++) {
		positive[c] = values[c] > 0 ? values[c] : 0;
		negative[c] = values[c] < 0 ? -values[c] : 0;
	}
}

/* False where some value is no finite number. */
LSDN_KERNEL static int add_squares(float *restrict positive, float *restrict negative, const float *restrict values, int count)
{
	int strange = 0;
	for (int c = 0; c < count; c++) {
		float square = values[c] * values[c];
		positive[c] += values[c] > 0 ? square : 0;
		negative[c] += values[c] > 0 ? 0 : square;
		strange |= !(square < INFINITY);
	}
	return !strange;
}

/* Roots, with `share` of each and `rounding` of both added. */
LSDN_KERNEL static void take_roots(float *restrict positive, float *restrict negative, float share, float rounding, int count)
{
	for (int c = 0; c < count; c++) {
		float above = sqrtf(positive[c]), below = sqrtf(negative[c]), more = rounding * (above + below) + LOST;
		positive[c] = above + above * share + more;
		negative[c] = below + below * share + more;
	}
}

LSDN_KERNEL static float highest(const float *values, int count)
{
	return lanes_maximum(values, count);
}

/* The highest of both signs, 0 where there is none; false where some activation is no finite number. */
LSDN_KERNEL static int extremes(const float *activations, int count, float *high, float *low)
{
	float above = 0, below = 0;
	int strange = 0;
#pragma omp simd reduction(max : above, below) reduction(| : strange)
	for (int c = 0; c < count; c++) {
		above = activations[c] > above ? activations[c] : above;
		below = -activations[c] > below ? -activations[c] : below;
		strange |= !(fabsf(activations[c]) < INFINITY);
	}
	*high = above;
	*low = below;
	return !strange;
}

LSDN_KERNEL static void raise(float *restrict bounds, float high, const float *restrict positive, float low, const float *restrict negative, int count)
{
	for (int c = 0; c < count; c++) {
		float bound = high * positive[c] + low * negative[c];
		bounds[c] = bound > bounds[c] ? bound : bounds[c];
	}
}

LSDN_KERNEL static void raise_positive(float *restrict bounds, float high, const float *restrict positive, int count)
{
	for (int c = 0; c < count; c++) {
		float bound = high * positive[c];
		bounds[c] = bound > bounds[c] ? bound : bounds[c];
	}
}

/* Norms of one output's kernels into rows of `inputs` numbers. A single-precision sum of n products is off by n * 2^-24 of the sum of their absolute
 * values at most, which |A| * |W| bounds. */
static void norms_of_output(const struct norms *n, const float *filter, float *positive, float *negative)
{
	if (n->taps == 1) {
		part(positive, negative, filter, n->inputs);
		return;
	}
	for (int k = 0; k < n->taps; k++)
		add_squares(positive, negative, filter + (size_t)k * (size_t)n->inputs, n->inputs);
	take_roots(positive, negative, 0x1p-18f, (float)n->taps * 0x1p-23f, n->inputs);
}

int norms_make(struct norms *n, const struct plan *plan, const struct op *op, struct error *e)
{
	*n = (struct norms){.groups = op->groups, .outputs = plan->tensors[op->output].c, .inputs = support_count(plan, op),
		.taps = op->kind == OP_GEMM ? 1 : op->window.height * op->window.width};
	n->few = n->inputs <= MOST_FEW;
	n->block = (n->inputs + NORMS_MOST_BLOCKS - 1) / NORMS_MOST_BLOCKS;
	n->block = (n->block + VECTOR - 1) / VECTOR * VECTOR;
	n->blocks = (n->inputs + n->block - 1) / n->block;
	size_t outputs = (size_t)n->outputs, inputs = (size_t)n->inputs, rows = n->taps == 1 ? 1 : outputs;
	float *positive = calloc(rows * inputs, sizeof *positive), *negative = calloc(rows * inputs, sizeof *negative);
	n->highest_positive = malloc(outputs * (size_t)n->blocks * sizeof(float));
	n->highest_negative = malloc(outputs * (size_t)n->blocks * sizeof(float));
	bool room = positive && negative && n->highest_positive && n->highest_negative;
	for (size_t o = 0; room && o < outputs; o++) {
		size_t at = rows == 1 ? 0 : o * inputs;
		norms_of_output(n, op->weights + o * (size_t)n->taps * inputs, positive + at, negative + at);
		for (int b = 0; b < n->blocks; b++) {
			int from = b * n->block, count = n->inputs - from < n->block ? n->inputs - from : n->block;
			n->highest_positive[(size_t)b * outputs + o] = highest(positive + at + from, count);
			n->highest_negative[(size_t)b * outputs + o] = highest(negative + at + from, count);
		}
	}
	if (room && n->taps > 1) {
		n->positive = positive;
		n->negative = negative;
		return LSDN_OK;
	}
	free(positive);
	free(negative);
	if (room)
		return LSDN_OK;
	norms_free(n);
	return error_memory(e, "bounds of a walk");
}

void norms_free(struct norms *n)
{
	free(n->positive);
	free(n->negative);
	free(n->highest_positive);
	free(n->highest_negative);
	*n = (struct norms){0};
}

bool norms_of_patch(const struct plan *plan, const struct op *op, const float *input, struct place s, float *positive, float *negative)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	struct tap_range r = taps_of(in, &op->window, s);
	int finite = true;
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			size_t pixel = (size_t)((r.y0 + i * op->window.dilation_y) * in->w + r.x0 + j * op->window.dilation_x);
			finite &= add_squares(positive, negative, input + pixel * (size_t)in->c, in->c);
		}
	take_roots(positive, negative, 0x1p-18f, 0, in->c);
	return finite;
}

/* Raises the bounds of a group's outputs for one block of inputs, of which high and low are the highest norms. */
static void raise_block(const struct norms *n, int group, int block, float high, float low, float *bounds)
{
	int outputs = n->outputs / n->groups;
	size_t at = (size_t)block * (size_t)n->outputs + (size_t)(group * outputs);
	if (low > (n->taps > 1 ? LOST : 0))
		raise(bounds + group * outputs, high, n->highest_positive + at, low, n->highest_negative + at, outputs);
	else
		raise_positive(bounds + group * outputs, high, n->highest_positive + at, outputs);
}

void norms_bound(const struct norms *n, const float *positive, const float *negative, float *bounds)
{
	memset(bounds, 0, (size_t)n->outputs * sizeof *bounds);
	for (int g = 0; g < n->groups; g++)
		for (int b = 0; b < n->blocks; b++) {
			int from = b * n->block, count = n->inputs - from < n->block ? n->inputs - from : n->block, at = g * n->inputs + from;
			raise_block(n, g, b, highest(positive + at, count), highest(negative + at, count), bounds);
		}
}

bool norms_bound_one(const struct norms *n, const float *activations, float *bounds)
{
	memset(bounds, 0, (size_t)n->outputs * sizeof *bounds);
	for (int g = 0; g < n->groups; g++)
		for (int b = 0; b < n->blocks; b++) {
			int from = b * n->block, count = n->inputs - from < n->block ? n->inputs - from : n->block;
			float high, low;
			if (!extremes(activations + g * n->inputs + from, count, &high, &low))
				return false;
			raise_block(n, g, b, high, low, bounds);
		}
	return true;
}

LSDN_KERNEL static void multiply(float *restrict out, const float *restrict positive, const float *restrict above, const float *restrict negative,
	const float *restrict below, int count)
{
	for (int c = 0; c < count; c++)
		out[c] = positive[c] * above[c] + negative[c] * below[c];
}

LSDN_KERNEL static float highest_of_products(const float *restrict positive, const float *restrict above, const float *restrict negative,
	const float *restrict below, int count)
{
	float highest = 0;
#pragma omp simd reduction(max : highest)
	for (int c = 0; c < count; c++) {
		float product = positive[c] * above[c] + negative[c] * below[c];
		highest = product > highest ? product : highest;
	}
	return highest;
}

float norms_closer(const struct norms *n, int first, int c, const float *positive, const float *negative)
{
	size_t row = (size_t)c * (size_t)n->inputs;
	return highest_of_products(positive + first, n->positive + row, negative + first, n->negative + row, n->inputs);
}

LSDN_KERNEL static int find(const float *values, int count, float value)
{
	return lanes_find(values, count, value);
}

/* In the order of support_current, and compiled like it, so that both round alike. */
LSDN_KERNEL static float one_current(const float *restrict input, const float *restrict filter, const struct tap_range *r, const struct window *w, int width,
	int channels, int inputs)
{
	float sum = 0;
	for (int i = r->i_from; i < r->i_to; i++)
		for (int j = r->j_from; j < r->j_to; j++) {
			int pixel = (r->y0 + i * w->dilation_y) * width + r->x0 + j * w->dilation_x;
			sum += input[(size_t)pixel * (size_t)channels] * filter[(size_t)(i * w->width + j) * (size_t)inputs];
		}
	return sum;
}

float norms_highest_current(const struct norms *n, const struct plan *plan, const struct op *op, const float *input, struct place s,
	const float *positive, const float *negative, float *scratch)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	int first = support_first_channel(plan, op, s.c);
	if (n->few) {
		support_current(plan, op, input, s, scratch);
		return highest(scratch, n->inputs);
	}
	size_t row = (size_t)s.c * (size_t)n->inputs;
	const float *filter = filter_of(op, s.c, n->inputs);
	struct tap_range r = taps_of(in, &op->window, s);
	multiply(scratch, positive + first, n->positive + row, negative + first, n->negative + row, n->inputs);
	int likeliest = find(scratch, n->inputs, highest(scratch, n->inputs));
	float best = one_current(input + first + likeliest, filter + likeliest, &r, &op->window, in->w, in->c, n->inputs);
	for (int c = 0; c < n->inputs; c++) {
		float z = scratch[c] > best ? one_current(input + first + c, filter + c, &r, &op->window, in->w, in->c, n->inputs) : best;
		best = z > best ? z : best;
	}
	return best;
}
