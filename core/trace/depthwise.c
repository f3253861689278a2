#include "config.h"

#include "core/trace/depthwise.h"

#include <stdlib.h>
#include <string.h>

#include "core/trace/supports_inside.h"

bool depthwise_is(const struct plan *plan, const struct op *op)
{
	return op->kind == OP_CONV && op->groups > 1 && op->groups == plan->tensors[op->inputs[0]].c && op->groups == plan->tensors[op->output].c;
}

float *depthwise_weights(const struct plan *plan, const struct op *op)
{
	size_t channels = (size_t)plan->tensors[op->output].c, taps = (size_t)(op->window.height * op->window.width);
	float *weights = malloc(channels * taps * sizeof *weights);
	for (size_t c = 0; weights && c < channels; c++)
		for (size_t k = 0; k < taps; k++)
			weights[k * channels + c] = op->weights[c * taps + k];
	return weights;
}

LSDN_KERNEL static void add_products(float *restrict sum, const float *restrict a, const float *restrict w, int count)
{
	for (int c = 0; c < count; c++)
		sum[c] += a[c] * w[c];
}

void depthwise_row(const struct plan *plan, const struct op *op, const float *weights, const float *input, struct place s, float *row)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	struct tap_range r = taps_of(in, w, s);
	size_t channels = (size_t)in->c;
	memset(row, 0, channels * sizeof *row);
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			size_t pixel = (size_t)((r.y0 + i * w->dilation_y) * in->w + r.x0 + j * w->dilation_x);
			add_products(row, input + pixel * channels, weights + (size_t)(i * w->width + j) * channels, in->c);
		}
}
