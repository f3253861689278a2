#include "config.h"

#include "core/trace/supports.h"

#include <math.h>

#include "core/trace/supports_inside.h"

struct place neuron_place(const struct tensor *t, neuron_t n)
{
	int pixel = (int)(n / (uint32_t)t->c);
	return (struct place){.c = (int)(n % (uint32_t)t->c), .y = pixel / t->w, .x = pixel % t->w};
}

neuron_t place_neuron(const struct tensor *t, struct place p)
{
	return (neuron_t)((p.y * t->w + p.x) * t->c + p.c);
}

LSDN_KERNEL static void multiply_add(float *restrict z, const float *restrict a, const float *restrict w, int count)
{
	for (int c = 0; c < count; c++)
		z[c] += a[c] * w[c];
}

/* Where sign * a * w is higher than what was kept so far, it and its pixel are kept. */
LSDN_KERNEL static void keep_strongest(float *restrict kept, uint32_t *restrict pixels, const float *restrict a, const float *restrict w, float sign,
	uint32_t pixel, int count)
{
	for (int c = 0; c < count; c++) {
		float product = sign * a[c] * w[c];
		pixels[c] = product > kept[c] ? pixel : pixels[c];
		kept[c] = product > kept[c] ? product : kept[c];
	}
}

/* Both at once. */
LSDN_KERNEL static void add_and_keep(float *restrict z, float *restrict kept, uint32_t *restrict pixels, const float *restrict a, const float *restrict w,
	float sign, uint32_t pixel, int count)
{
	for (int c = 0; c < count; c++) {
		float product = sign * a[c] * w[c];
		z[c] += a[c] * w[c];
		pixels[c] = product > kept[c] ? pixel : pixels[c];
		kept[c] = product > kept[c] ? product : kept[c];
	}
}

void support_current(const struct plan *plan, const struct op *op, const float *input, struct place s, float *z)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	int count = support_count(plan, op);
	for (int c = 0; c < count; c++)
		z[c] = 0;
	if (op->kind == OP_GEMM) {
		multiply_add(z, input, op->weights + (size_t)s.c * (size_t)count, count);
		return;
	}
	const struct window *w = &op->window;
	const float *filter = filter_of(op, s.c, count);
	struct tap_range r = taps_of(in, w, s);
	input += support_first_channel(plan, op, s.c);
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			size_t pixel = (size_t)((r.y0 + i * w->dilation_y) * in->w + r.x0 + j * w->dilation_x);
			multiply_add(z, input + pixel * (size_t)in->c, filter + (size_t)(i * w->width + j) * (size_t)count, count);
		}
}

static int clamp(int v, int side)
{
	return v < 0 ? 0 : v >= side ? side - 1 : v;
}

uint32_t support_center(const struct plan *plan, const struct op *op, struct place s)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	int y = clamp(s.y * w->stride_y - w->top + (w->height - 1) * w->dilation_y / 2, in->h);
	int x = clamp(s.x * w->stride_x - w->left + (w->width - 1) * w->dilation_x / 2, in->w);
	return (uint32_t)(y * in->w + x);
}

/* Places, and with z Z_cur too. */
static void locate(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *z, float *scratch, uint32_t *pixels)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	int count = support_count(plan, op);
	const float *filter = filter_of(op, s.c, count);
	struct tap_range r = taps_of(in, w, s);
	uint32_t center = support_center(plan, op, s); /* a kernel wholly in the padding has no place of its own */
	input += support_first_channel(plan, op, s.c);
	for (int c = 0; c < count; c++) {
		scratch[c] = -INFINITY;
		pixels[c] = center;
	}
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			uint32_t pixel = (uint32_t)((r.y0 + i * w->dilation_y) * in->w + r.x0 + j * w->dilation_x);
			const float *a = input + (size_t)pixel * (size_t)in->c, *f = filter + (size_t)(i * w->width + j) * (size_t)count;
			if (z)
				add_and_keep(z, scratch, pixels, a, f, sign, pixel, count);
			else
				keep_strongest(scratch, pixels, a, f, sign, pixel, count);
		}
}

void support_strongest(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *scratch, uint32_t *pixels)
{
	locate(plan, op, input, s, sign, NULL, scratch, pixels);
}

void support_both(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *z, float *scratch, uint32_t *pixels)
{
	for (int c = 0; c < support_count(plan, op); c++)
		z[c] = 0;
	locate(plan, op, input, s, sign, z, scratch, pixels);
}

uint32_t support_pool(const struct plan *plan, const struct op *op, const float *input, struct place s)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	struct window w = op->window;
	if (op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL)
		w = (struct window){.height = in->h, .width = in->w, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	struct tap_range r = taps_of(in, &w, s);
	float highest = -INFINITY;
	uint32_t best = (uint32_t)(clamp(r.y0, in->h) * in->w + clamp(r.x0, in->w));
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			uint32_t pixel = (uint32_t)((r.y0 + i * w.dilation_y) * in->w + r.x0 + j * w.dilation_x);
			float value = input[(size_t)pixel * (size_t)in->c + (size_t)s.c];
			if (value > highest) {
				highest = value;
				best = pixel;
			}
		}
	return best;
}

size_t support_scratch(const struct plan *plan)
{
	size_t most = 1;
	for (int k = 0; k < plan->op_count; k++)
		if (plan->ops[k].kind == OP_CONV && (size_t)support_count(plan, &plan->ops[k]) > most)
			most = (size_t)support_count(plan, &plan->ops[k]);
	return most;
}

bool support_output_kept(const struct session *session, const struct plan *plan, int image, const struct op *op, struct place s, float *value)
{
	const struct activation *a = &op->activation;
	if (!session_tensor(session, op->output, image)) /* then it is known as a difference, whose sign rounding may turn */
		return false;
	*value = session_tensor(session, op->output, image)[place_neuron(&plan->tensors[op->output], s)];
	/* These activations keep the sign everywhere, */
	bool kept = a->kind == ACTIVATION_NONE || a->kind == ACTIVATION_LEAKY || a->kind == ACTIVATION_TANH || a->kind == ACTIVATION_ELU;
	/* and these above 0 (or their lower bound), where they pass a value on or cut it off further up. */
	bool above = (a->kind == ACTIVATION_RELU || a->kind == ACTIVATION_HARD_SWISH || (a->kind == ACTIVATION_CLIP && a->alpha >= 0)) && *value > a->alpha
		&& *value > 0;
	/* These keep the sign but where a product underflows to 0. */
	bool small = (a->kind == ACTIVATION_SWISH || a->kind == ACTIVATION_GELU) && (*value > 0 || *value < 0);
	return kept || above || small;
}

float support_output(const struct op *op, struct place s, const float *z, int count)
{
	double sum = op->bias ? op->bias[s.c] : 0;
	for (int c = 0; c < count; c++)
		sum += z[c];
	return (float)sum;
}
