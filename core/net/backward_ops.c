#include "config.h"

#include "core/net/backward_ops.h"

#include <math.h>
#include <string.h>

#include "core/kernel.h"

enum { PLACES_AT_ONCE = 512 };

static size_t places_of(const struct tensor *t)
{
	return (size_t)t->h * (size_t)t->w;
}

bool slope_from_output(const struct activation *a)
{
	bool rises = a->kind != ACTIVATION_HARD_SWISH && a->kind != ACTIVATION_SWISH && a->kind != ACTIVATION_GELU && a->kind != ACTIVATION_PRELU;
	return rises && ((a->kind != ACTIVATION_LEAKY && a->kind != ACTIVATION_ELU) || a->alpha >= 0);
}

static bool is_rectifier(const struct activation *a)
{
	return a->kind == ACTIVATION_RELU || a->kind == ACTIVATION_LEAKY || a->kind == ACTIVATION_PRELU || (a->kind == ACTIVATION_CLIP && a->alpha == 0);
}

/* The slope at v, what the activation made or read. */
static inline float slope_at(const struct activation *a, float v, bool made, int c)
{
	float s;
	switch (a->kind) {
	case ACTIVATION_NONE: return 1;
	case ACTIVATION_RELU: return v > 0;
	case ACTIVATION_LEAKY: return v > 0 ? 1 : a->alpha;
	case ACTIVATION_PRELU: return v > 0 ? 1 : a->slopes[c];
	case ACTIVATION_CLIP: return v > a->alpha && v < a->beta;
	case ACTIVATION_SIGMOID: s = made ? v : 1 / (1 + expf(-v)); return s * (1 - s);
	case ACTIVATION_HARD_SIGMOID: s = made ? v : a->alpha * v + a->beta; return s > 0 && s < 1 ? a->alpha : 0;
	case ACTIVATION_HARD_SWISH: return v <= -3 ? 0 : v >= 3 ? 1 : v / 3 + 0.5f;
	case ACTIVATION_SWISH: s = 1 / (1 + expf(-v)); return s * (1 + v * (1 - s));
	case ACTIVATION_GELU: return 0.5f * (1 + erff(v * (float)M_SQRT1_2)) + v * expf(-v * v / 2) * (float)(M_2_SQRTPI * M_SQRT1_2 / 2);
	case ACTIVATION_TANH: s = made ? v : tanhf(v); return 1 - s * s;
	case ACTIVATION_ELU: return v > 0 ? 1 : made ? v + a->alpha : a->alpha * expf(v);
	}
	return 1;
}

/* The kinds that real networks are full of have loops of their own. */
LSDN_KERNEL static void rectify(float least, float most, float below, const float *value, size_t stride, size_t count, size_t channels,
	const float *out, float *into)
{
	for (size_t p = 0; p < count; p++, value += stride, out += channels, into += channels)
		for (size_t c = 0; c < channels; c++)
			into[c] = out[c] * (value[c] > least && value[c] < most ? 1 : below);
}

static void activation_part(const struct activation *a, const float *value, size_t stride, bool made, size_t count, int channels, const float *out,
	float *into)
{
	if (a->kind == ACTIVATION_RELU) {
		rectify(0, INFINITY, 0, value, stride, count, (size_t)channels, out, into);
	} else if (a->kind == ACTIVATION_LEAKY) {
		rectify(0, INFINITY, a->alpha, value, stride, count, (size_t)channels, out, into);
	} else if (a->kind == ACTIVATION_CLIP) {
		rectify(a->alpha, a->beta, 0, value, stride, count, (size_t)channels, out, into);
	} else {
		for (size_t p = 0; p < count; p++, value += stride, out += channels, into += channels)
			for (int c = 0; c < channels; c++)
				into[c] = out[c] * slope_at(a, value[c], made, c);
	}
}

void activation_backward(const struct activation *a, enum backward_rectifier rectifier, const float *value, size_t stride, bool made, size_t count,
	int channels, const float *out, float *into)
{
	bool other = rectifier != RECTIFIER_GRADIENT && is_rectifier(a);
#pragma omp parallel for schedule(static)
	for (size_t from = 0; from < count; from += PLACES_AT_ONCE) {
		size_t part = count - from < PLACES_AT_ONCE ? count - from : PLACES_AT_ONCE, at = from * (size_t)channels;
		const float *back = out + at;
		for (size_t i = at; other && i < at + part * (size_t)channels; i++)
			into[i] = fmaxf(out[i], 0);
		if (other)
			back = into + at;
		if (!other || rectifier == RECTIFIER_GUIDED)
			activation_part(a, value + from * stride, stride, made, part, channels, back, into + at);
	}
}

struct window backward_window(const struct plan *plan, const struct op *pool)
{
	const struct tensor *in = &plan->tensors[pool->inputs[0]];
	if (pool->kind == OP_GLOBAL_AVERAGE_POOL || pool->kind == OP_GLOBAL_MAX_POOL)
		return (struct window){.height = in->h, .width = in->w, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	return pool->window;
}

static int overlap(int from, int to, int size)
{
	return (to < size ? to : size) - (from > 0 ? from : 0);
}

int backward_divisor(const struct plan *plan, const struct op *pool, int y, int x)
{
	const struct tensor *in = &plan->tensors[pool->inputs[0]];
	struct window w = backward_window(plan, pool);
	int y0 = y * w.stride_y - w.top, x0 = x * w.stride_x - w.left, y1 = y0 + w.height, x1 = x0 + w.width;
	if (pool->kind != OP_AVERAGE_POOL || !pool->count_include_pad)
		return overlap(y0, y1, in->h) * overlap(x0, x1, in->w);
	int end_y = in->h + w.bottom - w.over_bottom, end_x = in->w + w.right - w.over_right;
	return ((y1 < end_y ? y1 : end_y) - y0) * ((x1 < end_x ? x1 : end_x) - x0);
}

enum { LANES = 64 };

/* What lies under a window at one place, `lanes` channels from the first one on. */
struct pooling {
	const struct tensor *in;
	struct window w;
	size_t first, lanes;
};

LSDN_KERNEL static void give_scaled(float *into, const float *out, float factor, size_t lanes)
{
	for (size_t c = 0; c < lanes; c++)
		into[c] += out[c] * factor;
}

LSDN_KERNEL static void look_at(const float *input, float *highest, int *where, int tap, size_t lanes)
{
	for (size_t c = 0; c < lanes; c++) {
		bool higher = input[c] > highest[c];
		highest[c] = higher ? input[c] : highest[c];
		where[c] = higher ? tap : where[c];
	}
}

LSDN_KERNEL static void give_at(float *into, const float *out, const int *where, int tap, size_t lanes)
{
	for (size_t c = 0; c < lanes; c++)
		into[c] += where[c] == tap ? out[c] : 0;
}

/* Where tap (i, j) of the window at (y, x) lies in the input, or SIZE_MAX outside it. */
static size_t place_under(const struct pooling *p, int y, int x, int i, int j)
{
	int at_y = y * p->w.stride_y - p->w.top + i * p->w.dilation_y, at_x = x * p->w.stride_x - p->w.left + j * p->w.dilation_x;
	bool within = at_y >= 0 && at_x >= 0 && at_y < p->in->h && at_x < p->in->w;
	return within ? ((size_t)at_y * (size_t)p->in->w + (size_t)at_x) * (size_t)p->in->c + p->first : SIZE_MAX;
}

static void max_at(const struct pooling *p, int y, int x, const float *input, const float *out, float *into)
{
	float highest[LANES];
	int where[LANES];
	size_t at;
	for (size_t c = 0; c < p->lanes; c++) {
		highest[c] = -INFINITY;
		where[c] = -1;
	}
	for (int i = 0; i < p->w.height; i++)
		for (int j = 0; j < p->w.width; j++)
			if ((at = place_under(p, y, x, i, j)) != SIZE_MAX)
				look_at(input + at, highest, where, i * p->w.width + j, p->lanes);
	for (int i = 0; i < p->w.height; i++)
		for (int j = 0; j < p->w.width; j++)
			if ((at = place_under(p, y, x, i, j)) != SIZE_MAX)
				give_at(into + at, out, where, i * p->w.width + j, p->lanes);
}

static void average_at(const struct pooling *p, int y, int x, int divisor, const float *out, float *into)
{
	size_t at;
	for (int i = 0; i < p->w.height; i++)
		for (int j = 0; j < p->w.width; j++)
			if ((at = place_under(p, y, x, i, j)) != SIZE_MAX)
				give_scaled(into + at, out, 1.0f / (float)divisor, p->lanes);
}

/* Windows overlap: each thread has channels of its own. */
void pool_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]], *made = &plan->tensors[op->output];
	bool average = op->kind == OP_AVERAGE_POOL || op->kind == OP_GLOBAL_AVERAGE_POOL;
	memset(into, 0, tensor_size(in) * sizeof *into);
#pragma omp parallel for schedule(static)
	for (int first = 0; first < in->c; first += LANES) {
		struct pooling p = {.in = in, .w = backward_window(plan, op), .first = (size_t)first,
			.lanes = (size_t)(in->c - first < LANES ? in->c - first : LANES)};
		for (int y = 0; y < made->h; y++)
			for (int x = 0; x < made->w; x++) {
				const float *back = out + ((size_t)y * (size_t)made->w + (size_t)x) * (size_t)made->c + first;
				if (average)
					average_at(&p, y, x, backward_divisor(plan, op, y, x), back, into);
				else
					max_at(&p, y, x, input, back, into);
			}
	}
}

/* base to the power of -beta. */
LSDN_KERNEL static void powers(float *base, size_t count, float beta)
{
	if (beta == 0.75f)
		for (size_t i = 0; i < count; i++) {
			float root = sqrtf(base[i]);
			base[i] = 1 / (root * sqrtf(root));
		}
	else
		for (size_t i = 0; i < count; i++)
			base[i] = powf(base[i], -beta);
}

LSDN_KERNEL static void square(const float *x, float *squares, size_t count)
{
	for (size_t c = 0; c < count; c++)
		squares[c] = x[c] * x[c];
}

/* sums[c] += the values from c - half to c + half. */
LSDN_KERNEL static void sum_around(const float *values, float *sums, int count, int half)
{
	for (int d = -half; d <= half; d++) {
		int first = d < 0 ? -d : 0, past = d > 0 ? count - d : count;
		for (int c = first; c < past; c++)
			sums[c] += values[c + d];
	}
}

LSDN_KERNEL static void lrn_terms(const float *input, const float *out, const float *sums, const float *power, float *terms, size_t count)
{
	for (size_t c = 0; c < count; c++)
		terms[c] = out[c] * input[c] * power[c] / sums[c];
}

LSDN_KERNEL static void lrn_end(const float *input, const float *out, const float *power, const float *around, float factor, float *into, size_t count)
{
	for (size_t c = 0; c < count; c++)
		into[c] = out[c] * power[c] - factor * input[c] * around[c];
}

/* y = x s^-beta with s = bias + alpha / n sum x^2 over the channels around: dy_j / dx_i = [i = j] s_i^-beta - 2 alpha beta / n x_i x_j s_j^(-beta - 1). */
static void lrn_place(const struct op *op, int channels, const float *input, const float *out, float *into, float *const rooms[LRN_ROOMS], size_t at)
{
	float *sums = rooms[0] + at, *power = rooms[1] + at, *terms = rooms[2] + at, *around = rooms[3] + at;
	size_t count = (size_t)channels;
	int half = (op->lrn.size - 1) / 2;
	half = half < channels ? half : channels;
	square(input, terms, count);
	memset(around, 0, count * sizeof *around);
	sum_around(terms, around, channels, half);
	for (size_t c = 0; c < count; c++)
		sums[c] = power[c] = op->lrn.bias + op->lrn.alpha / (float)op->lrn.size * around[c];
	powers(power, count, op->lrn.beta);
	lrn_terms(input, out, sums, power, terms, count);
	memset(around, 0, count * sizeof *around);
	sum_around(terms, around, channels, half);
	lrn_end(input, out, power, around, 2 * op->lrn.alpha * op->lrn.beta / (float)op->lrn.size, into, count);
}

void lrn_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into, float *const rooms[LRN_ROOMS])
{
	const struct tensor *t = &plan->tensors[op->output];
	size_t row = (size_t)t->w * (size_t)t->c;
#pragma omp parallel for schedule(static)
	for (int y = 0; y < t->h; y++)
		for (size_t i = (size_t)y * row; i < ((size_t)y + 1) * row; i += (size_t)t->c)
			lrn_place(op, t->c, input + i, out + i, into + i, rooms, (size_t)y * row);
}

/* y = scale n + shift with n = (x - mean) / deviation: dx = (g - mean(g) - n mean(g n)) / deviation with g = scale dy. */
static void layer_norm_place(const struct op *op, size_t count, const float *input, const float *out, float *into)
{
	double mean = 0, square_sum = 0, sum = 0, along = 0;
	for (size_t c = 0; c < count; c++)
		mean += (double)input[c] / (double)count;
	for (size_t c = 0; c < count; c++)
		square_sum += ((double)input[c] - mean) * ((double)input[c] - mean);
	double factor = 1 / sqrt(square_sum / (double)count + (double)op->epsilon);
	for (size_t c = 0; c < count; c++) {
		double g = (double)op->scale[c] * (double)out[c];
		sum += g;
		along += g * ((double)input[c] - mean) * factor;
	}
	for (size_t c = 0; c < count; c++) {
		double n = ((double)input[c] - mean) * factor;
		into[c] = (float)(factor * ((double)op->scale[c] * (double)out[c] - (sum + n * along) / (double)count));
	}
}

void layer_norm_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into)
{
	const struct tensor *t = &plan->tensors[op->output];
	size_t channels = (size_t)t->c;
#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < places_of(t); p++)
		layer_norm_place(op, channels, input + p * channels, out + p * channels, into + p * channels);
}

void softmax_backward(const struct plan *plan, const struct op *op, const float *made, const float *out, float *into)
{
	size_t size = tensor_size(&plan->tensors[op->output]);
	bool logarithm = op->kind == OP_LOG_SOFTMAX;
	double sum = 0;
	for (size_t i = 0; i < size; i++)
		sum += (double)out[i] * (logarithm ? 1 : (double)made[i]);
	for (size_t i = 0; i < size; i++)
		into[i] = (float)(logarithm ? (double)out[i] - exp((double)made[i]) * sum : (double)made[i] * ((double)out[i] - sum));
}

LSDN_KERNEL static void multiply(const float *a, const float *b, float *into, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] = a[i] * b[i];
}

LSDN_KERNEL static void add_product(const float *a, const float *b, float *into, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] += a[i] * b[i];
}

/* One factor a channel. */
static void multiply_channels(const struct tensor *t, const float *out, const float *factors, float *into)
{
	size_t channels = (size_t)t->c;
	for (size_t p = 0; p < places_of(t); p++)
		multiply(out + p * channels, factors, into + p * channels, channels);
}

void scale_backward(const struct plan *plan, const struct op *op, const float *out, float *into)
{
	multiply_channels(&plan->tensors[op->output], out, op->scale, into);
}

void mul_backward(const struct plan *plan, const struct op *op, const float *other, const float *out, float *into)
{
	multiply(out, other, into, tensor_size(&plan->tensors[op->output]));
}

void gate_backward(const struct plan *plan, const struct op *op, int input, const float *other, const float *out, float *into)
{
	const struct tensor *t = &plan->tensors[op->output];
	size_t channels = (size_t)t->c;
	if (input == 0) {
		multiply_channels(t, out, other, into);
		return;
	}
	memset(into, 0, channels * sizeof *into);
	for (size_t p = 0; p < places_of(t); p++)
		add_product(out + p * channels, other + p * channels, into, channels);
}

void concat_backward(const struct plan *plan, const struct op *op, int input, const float *out, float *into)
{
	const struct tensor *t = &plan->tensors[op->inputs[input]];
	size_t before = 0, channels = (size_t)t->c, stride = (size_t)plan->tensors[op->output].c;
	for (int k = 0; k < input; k++)
		before += (size_t)plan->tensors[op->inputs[k]].c;
	for (size_t p = 0; p < places_of(t); p++)
		memcpy(into + p * channels, out + before + p * stride, channels * sizeof *into);
}

void reindex_backward(const struct plan *plan, const struct op *op, const float *out, float *into)
{
	size_t size = tensor_size(&plan->tensors[op->output]);
	memset(into, 0, tensor_size(&plan->tensors[op->inputs[0]]) * sizeof *into);
	for (size_t i = 0; i < size; i++) {
		uint32_t from = op_source(op, (uint32_t)i);
		if (from != OP_FILL)
			into[from] += out[i];
	}
}
