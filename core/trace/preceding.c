/* Z_pre (paper, eq. 3, read as a maximum): one layer further back. */
#include "config.h"

#include <math.h>

#include "core/trace/lanes.h"
#include "core/trace/supports_inside.h"

LSDN_KERNEL static float highest_product(const float *restrict a, const float *restrict w, int count)
{
	float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
	for (int c = 0; c < count; c++) {
		float product = a[c] * w[c];
		highest = product > highest ? product : highest;
	}
	return highest;
}

LSDN_KERNEL static float highest_value(const float *restrict z, int count)
{
	return lanes_maximum(z, count);
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

LSDN_KERNEL static void row_maximum(float *restrict row, const float *restrict values, int channels)
{
	for (int c = 0; c < channels; c++)
		row[c] = values[c] > row[c] ? values[c] : row[c];
}

static void row_of_pool(const struct tensor *in, const struct op *op, const float *input, struct place n, float *row)
{
	const struct window *w = &op->window;
	struct tap_range r = taps_of(in, w, n);
	for (int c = 0; c < in->c; c++)
		row[c] = -INFINITY;
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++)
			row_maximum(row, input + (size_t)((r.y0 + i * w->dilation_y) * in->w + r.x0 + j * w->dilation_x) * (size_t)in->c, in->c);
	float divisor = op->kind == OP_AVERAGE_POOL ? (float)pool_divisor(in, op, n) : 1;
	for (int c = 0; c < in->c; c++)
		row[c] /= divisor;
}

/* The operand that is not kept is the sum less the other; where a ReLU passed nothing on, it is not above minus the other, and so not above one that is
 * not negative. NaN where that does not tell. */
LSDN_KERNEL static void row_of_sum(float *restrict row, const float *restrict sum, const float *restrict other, int passed, int channels)
{
	for (int c = 0; c < channels; c++) {
		float operand = sum[c] - other[c], higher = operand > other[c] ? operand : other[c];
		row[c] = !passed || sum[c] > 0 ? higher : other[c] >= 0 ? other[c] : NAN;
	}
}

/* The highest operand of an Add or Mul at one pixel; NaN where that is not kept. */
static void row_of_operands(const struct session *session, int image, const struct op *op, size_t first, int channels, float *row)
{
	const float *operands[OP_MAX_INPUTS] = {0};
	int kept = 0;
	for (int i = 0; i < op->input_count; i++) {
		const float *values = session_tensor(session, op->inputs[i], image);
		if (values)
			operands[kept++] = values + first;
	}
	if (kept < op->input_count) {
		int sum = session_sum(session, op);
		const float *values = op->kind == OP_ADD && op->input_count == 2 && kept == 1 ? session_tensor(session, sum, image) : NULL;
		if (values)
			row_of_sum(row, values + first, operands[0], sum != op->output, channels);
		return;
	}
	for (int c = 0; c < channels; c++)
		row[c] = -INFINITY;
	for (int i = 0; i < kept; i++)
		row_maximum(row, operands[i], channels);
}

void support_preceding_row(const struct session *session, const struct plan *plan, int image, int t, int y, int x, float *row)
{
	t = plan_layer_tensor(plan, t);
	int channels = plan->tensors[t].c;
	struct place n = {.y = y, .x = x};
	const struct op *op = plan->tensors[t].maker < 0 ? NULL : &plan->ops[plan->tensors[t].maker];
	const struct tensor *in = op ? &plan->tensors[op->inputs[0]] : NULL;
	const float *input = op ? session_tensor(session, op->inputs[0], image) : NULL;
	for (int c = 0; c < channels; c++)
		row[c] = op ? NAN : 0;
	if (!op)
		return;
	if (op->kind == OP_MAX_POOL || op->kind == OP_AVERAGE_POOL) {
		row_of_pool(in, op, input, n, row);
	} else if (op->kind == OP_ADD || op->kind == OP_MUL) {
		row_of_operands(session, image, op, (size_t)(y * in->w + x) * (size_t)in->c, channels, row);
	}
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
		if (window_is_one_tap(&op->window)) {
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
			float value = session_value(session, op->inputs[i], image, place_neuron(in, n));
			highest = value > highest ? value : highest;
		}
		return highest;
	default:
		return 0;
	}
}
