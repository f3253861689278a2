#include "config.h"

#include "core/trace/supports.h"

#include <math.h>

/* The kernels below are the walk's cost; they are compiled for what the processor has. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LSDN_KERNEL __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
#else
#define LSDN_KERNEL
#endif

enum { LANES = 16 };

struct place neuron_place(const struct tensor *t, neuron_t n)
{
	int pixel = (int)(n / (uint32_t)t->c);
	return (struct place){.c = (int)(n % (uint32_t)t->c), .y = pixel / t->w, .x = pixel % t->w};
}

neuron_t place_neuron(const struct tensor *t, struct place p)
{
	return (neuron_t)((p.y * t->w + p.x) * t->c + p.c);
}

int support_count(const struct plan *plan, const struct op *op)
{
	return plan->tensors[op->inputs[0]].c / op->groups;
}

int support_first_channel(const struct plan *plan, const struct op *op, int o)
{
	return o / (plan->tensors[op->output].c / op->groups) * support_count(plan, op);
}

LSDN_KERNEL static void multiply_add(float *restrict z, const float *restrict a, const float *restrict w, int count)
{
	for (int c = 0; c < count; c++)
		z[c] += a[c] * w[c];
}

LSDN_KERNEL static float highest_product(const float *restrict a, const float *restrict w, int count)
{
	float lanes[LANES], highest = -INFINITY;
	for (int k = 0; k < LANES; k++)
		lanes[k] = -INFINITY;
	int c = 0;
	for (; c + LANES <= count; c += LANES)
		for (int k = 0; k < LANES; k++) {
			float product = a[c + k] * w[c + k];
			lanes[k] = product > lanes[k] ? product : lanes[k];
		}
	for (int k = 0; k < LANES; k++)
		highest = lanes[k] > highest ? lanes[k] : highest;
	for (; c < count; c++)
		highest = a[c] * w[c] > highest ? a[c] * w[c] : highest;
	return highest;
}

LSDN_KERNEL static float highest_value(const float *restrict z, int count)
{
	float lanes[LANES], highest = -INFINITY;
	for (int k = 0; k < LANES; k++)
		lanes[k] = -INFINITY;
	int c = 0;
	for (; c + LANES <= count; c += LANES)
		for (int k = 0; k < LANES; k++)
			lanes[k] = z[c + k] > lanes[k] ? z[c + k] : lanes[k];
	for (int k = 0; k < LANES; k++)
		highest = lanes[k] > highest ? lanes[k] : highest;
	for (; c < count; c++)
		highest = z[c] > highest ? z[c] : highest;
	return highest;
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

/* Which taps of the kernel of an output neuron lie inside the input. */
struct tap_range {
	int y0, x0;                 /* the kernel's first tap in the input, perhaps outside */
	int i_from, i_to, j_from, j_to; /* taps that are inside */
};

static int first_inside(int start, int step)
{
	return start >= 0 ? 0 : (-start + step - 1) / step;
}

static int past_inside(int start, int step, int count, int side)
{
	int past = start >= side ? 0 : (side - 1 - start) / step + 1;
	return past < count ? past : count;
}

static struct tap_range taps_of(const struct tensor *in, const struct window *w, struct place s)
{
	struct tap_range r = {.y0 = s.y * w->stride_y - w->top, .x0 = s.x * w->stride_x - w->left};
	r.i_from = first_inside(r.y0, w->dilation_y);
	r.i_to = past_inside(r.y0, w->dilation_y, w->height, in->h);
	r.j_from = first_inside(r.x0, w->dilation_x);
	r.j_to = past_inside(r.x0, w->dilation_x, w->width, in->w);
	return r;
}

static const float *filter_of(const struct op *op, int o, int count)
{
	return op->weights + (size_t)o * (size_t)(op->window.height * op->window.width) * (size_t)count;
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

void support_strongest(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *scratch, uint32_t *pixels)
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
			if (w->height * w->width > 1)
				keep_strongest(scratch, pixels, input + (size_t)pixel * (size_t)in->c, filter + (size_t)(i * w->width + j) * (size_t)count, sign, pixel,
					count);
		}
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

/* What an average pool divides the sum over its window by. */
static int pool_divisor(const struct tensor *in, const struct op *op, struct place s)
{
	if (op->kind == OP_GLOBAL_AVERAGE_POOL)
		return in->h * in->w;
	const struct window *w = &op->window;
	struct tap_range r = taps_of(in, w, s);
	if (!op->count_include_pad)
		return (r.i_to - r.i_from) * (r.j_to - r.j_from);
	/* Padding counts, what ceil_mode hangs over it does not. */
	int rows = past_inside(r.y0, w->dilation_y, w->height, in->h + w->bottom - w->over_bottom),
		columns = past_inside(r.x0, w->dilation_x, w->width, in->w + w->right - w->over_right);
	return rows * columns;
}

size_t support_scratch(const struct plan *plan)
{
	size_t most = 1;
	for (int k = 0; k < plan->op_count; k++)
		if (plan->ops[k].kind == OP_CONV && (size_t)support_count(plan, &plan->ops[k]) > most)
			most = (size_t)support_count(plan, &plan->ops[k]);
	return most;
}

float support_preceding(const struct session *session, const struct plan *plan, int image, int t, struct place n, float *scratch)
{
	t = plan_layer_tensor(plan, t);
	if (plan->tensors[t].maker < 0)
		return 0;
	const struct op *op = &plan->ops[plan->tensors[t].maker];
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const float *input = session_tensor(session, op->inputs[0], image);
	int count = support_count(plan, op);
	float highest = -INFINITY;
	neuron_t from;
	switch (op->kind) {
	case OP_GEMM:
		return highest_product(input, op->weights + (size_t)n.c * (size_t)count, count);
	case OP_CONV:
		if (op->window.height == 1 && op->window.width == 1 && !op->window.top && !op->window.left && !op->window.bottom && !op->window.right) {
			size_t pixel = (size_t)(n.y * op->window.stride_y * in->w + n.x * op->window.stride_x);
			return highest_product(input + pixel * (size_t)in->c + support_first_channel(plan, op, n.c), filter_of(op, n.c, count), count);
		}
		support_current(plan, op, input, n, scratch);
		return highest_value(scratch, count);
	case OP_MAX_POOL:
	case OP_GLOBAL_MAX_POOL:
		return input[(size_t)support_pool(plan, op, input, n) * (size_t)in->c + (size_t)n.c];
	case OP_AVERAGE_POOL:
	case OP_GLOBAL_AVERAGE_POOL:
		return input[(size_t)support_pool(plan, op, input, n) * (size_t)in->c + (size_t)n.c] / (float)pool_divisor(in, op, n);
	case OP_CONCAT:
		for (int i = 0; i < op->input_count; i++) {
			if (n.c < plan->tensors[op->inputs[i]].c)
				return support_preceding(session, plan, image, op->inputs[i], n, scratch);
			n.c -= plan->tensors[op->inputs[i]].c;
		}
		return 0;
	case OP_REINDEX:
		from = op_source(op, place_neuron(&plan->tensors[t], n));
		return from == OP_FILL ? 0 : support_preceding(session, plan, image, op->inputs[0], neuron_place(in, from), scratch);
	case OP_ADD:
	case OP_MUL:
		for (int i = 0; i < op->input_count; i++) {
			float value = session_tensor(session, op->inputs[i], image)[place_neuron(in, n)];
			highest = value > highest ? value : highest;
		}
		return highest;
	default:
		return 0;
	}
}

float support_output(const struct session *session, const struct plan *plan, int image, const struct op *op, struct place s, const float *z)
{
	float value = session_tensor(session, op->output, image)[place_neuron(&plan->tensors[op->output], s)];
	const struct activation *a = &op->activation;
	/* These activations keep the sign everywhere, */
	bool kept = a->kind == ACTIVATION_NONE || a->kind == ACTIVATION_LEAKY || a->kind == ACTIVATION_TANH || a->kind == ACTIVATION_ELU;
	/* and these above 0 (or their lower bound), where they pass a value on or cut it off further up. */
	bool above = (a->kind == ACTIVATION_RELU || a->kind == ACTIVATION_HARD_SWISH || (a->kind == ACTIVATION_CLIP && a->alpha >= 0)) && value > a->alpha
		&& value > 0;
	/* These keep the sign but where a product underflows to 0. */
	bool small = (a->kind == ACTIVATION_SWISH || a->kind == ACTIVATION_GELU) && (value > 0 || value < 0);
	if (kept || above || small)
		return value;
	double sum = op->bias ? op->bias[s.c] : 0;
	for (int c = 0; c < support_count(plan, op); c++)
		sum += z[c];
	return (float)sum;
}
