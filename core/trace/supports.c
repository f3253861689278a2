#include "config.h"

#include "core/trace/supports.h"

#include <math.h>
#include <string.h>

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

LSDN_KERNEL static void multiply(float *restrict z, const float *restrict a, const float *restrict w, int count)
{
	for (int c = 0; c < count; c++)
		z[c] = 0 + a[c] * w[c]; /* as in a sum, -0 is 0 */
}

/* What the kernels below read: the activations under a kernel of taps, and a filter. */
struct patch {
	const float *input, *filter; /* at the first candidate */
	struct tap_range r;
	int row, column, channels;   /* from one tap to the next in the input: pixels; numbers of a pixel */
	int taps_wide, count, width; /* columns of the kernel; candidates; of the input */
};

static struct patch patch_of(const struct plan *plan, const struct op *op, const float *input, struct place s)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	int count = support_count(plan, op);
	return (struct patch){.input = input + support_first_channel(plan, op, s.c), .filter = filter_of(op, s.c, count), .r = taps_of(in, w, s),
		.row = w->dilation_y, .column = w->dilation_x, .channels = in->c, .taps_wide = w->width, .count = count, .width = in->w};
}

static inline size_t pixel_of(const struct patch *p, int i, int j)
{
	return (size_t)((p->r.y0 + i * p->row) * p->width + p->r.x0 + j * p->column);
}

static inline const float *filter_at(const struct patch *p, int i, int j)
{
	return p->filter + (size_t)(i * p->taps_wide + j) * (size_t)p->count;
}

/* Sums of products over the taps, tap by tap in raster order; a vector of candidates at a time stays in registers. */
LSDN_KERNEL static void current(const struct patch *p, float *restrict z)
{
	int c = 0;
#if defined(LSDN_VECTORS)
	for (; c + LSDN_VECTOR <= p->count; c += LSDN_VECTOR) {
		vector_float sum = {0}, a, f;
		for (int i = p->r.i_from; i < p->r.i_to; i++)
			for (int j = p->r.j_from; j < p->r.j_to; j++) {
				memcpy(&a, p->input + pixel_of(p, i, j) * (size_t)p->channels + c, sizeof a);
				memcpy(&f, filter_at(p, i, j) + c, sizeof f);
				sum += a * f;
			}
		memcpy(z + c, &sum, sizeof sum);
	}
#endif
	for (; c < p->count; c++) {
		float sum = 0;
		for (int i = p->r.i_from; i < p->r.i_to; i++)
			for (int j = p->r.j_from; j < p->r.j_to; j++)
				sum += p->input[pixel_of(p, i, j) * (size_t)p->channels + (size_t)c] * filter_at(p, i, j)[c];
		z[c] = sum;
	}
}

/* The same, and the first pixel of the highest sign * a * w. A kernel wholly in the padding has none of its own: then it is `center`. */
LSDN_KERNEL static void current_and_place(const struct patch *p, float sign, uint32_t center, float *restrict z, uint32_t *restrict pixels)
{
	int c = 0;
#if defined(LSDN_VECTORS)
	for (; c + LSDN_VECTOR <= p->count; c += LSDN_VECTOR) {
		vector_float sum = {0}, highest = sum - INFINITY, a, f;
		vector_int place = (vector_int){0} + (int32_t)center;
		for (int i = p->r.i_from; i < p->r.i_to; i++)
			for (int j = p->r.j_from; j < p->r.j_to; j++) {
				size_t pixel = pixel_of(p, i, j);
				memcpy(&a, p->input + pixel * (size_t)p->channels + c, sizeof a);
				memcpy(&f, filter_at(p, i, j) + c, sizeof f);
				vector_float product = sign * a * f;
				vector_int higher = product > highest; /* all bits where it is */
				sum += a * f;
				place = (higher & (int32_t)pixel) | (~higher & place);
				highest = (vector_float)((higher & (vector_int)product) | (~higher & (vector_int)highest));
			}
		memcpy(z + c, &sum, sizeof sum);
		memcpy(pixels + c, &place, sizeof place);
	}
#endif
	for (; c < p->count; c++) {
		float sum = 0, highest = -INFINITY;
		uint32_t place = center;
		for (int i = p->r.i_from; i < p->r.i_to; i++)
			for (int j = p->r.j_from; j < p->r.j_to; j++) {
				size_t pixel = pixel_of(p, i, j);
				float a = p->input[pixel * (size_t)p->channels + (size_t)c], f = filter_at(p, i, j)[c], product = sign * a * f;
				sum += a * f;
				place = product > highest ? (uint32_t)pixel : place;
				highest = product > highest ? product : highest;
			}
		z[c] = sum;
		pixels[c] = place;
	}
}

void support_current(const struct plan *plan, const struct op *op, const float *input, struct place s, float *z)
{
	int count = support_count(plan, op);
	if (op->kind == OP_GEMM) {
		multiply(z, input, op->weights + (size_t)s.c * (size_t)count, count);
		return;
	}
	struct patch p = patch_of(plan, op, input, s);
	current(&p, z);
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

/* Asks for a whole filter at once: kernels read it tap by tap at many places, which the processor does not foresee, and after a forward pass most are far. */
static void fetch_filter(const struct patch *p, const struct window *w)
{
	enum { LINE = 16 };
	size_t count = (size_t)(w->height * w->width) * (size_t)p->count;
	for (size_t i = 0; i < count; i += LINE)
		__builtin_prefetch(p->filter + i);
}

void support_current_and_places(const struct plan *plan, const struct op *op, const float *input, struct place s, float sign, float *z, uint32_t *pixels)
{
	struct patch p = patch_of(plan, op, input, s);
	fetch_filter(&p, &op->window);
	current_and_place(&p, sign, support_center(plan, op, s), z, pixels);
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
