#include "config.h"

#include "core/methods/relevance.h"

#include <math.h>
#include <string.h>

#include "core/kernel.h"

LSDN_KERNEL static void part(const float *values, float sign, float *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		parts[i] = sign * values[i] > 0 ? values[i] : 0;
}

void relevance_part(const float *values, float sign, float *parts, size_t count)
{
	part(values, sign, parts, count);
}

/* sums = out / sums, 0 where that is nothing. */
LSDN_KERNEL static void divide(const float *out, float *sums, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sums[i] = sums[i] != 0 ? out[i] / sums[i] : 0;
}

LSDN_KERNEL static void multiply(float *into, const float *factors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		into[i] *= factors[i];
}

int relevance_linear(const struct backward_step *s, enum weight_sign sign, float *into, struct error *e)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t inputs = tensor_size(&plan->tensors[s->op->inputs[0]]), outputs = tensor_size(&plan->tensors[s->op->output]);
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	float *positive = backward_room(s->backward, 0), *sums = backward_room(s->backward, 1);
	if (!positive || !sums)
		return error_memory(e, "a map");
	relevance_part(input, 1, positive, inputs);
	int code = backward_linear(s, sign, false, positive, sums, e);
	divide(s->out, sums, outputs);
	if (!code)
		code = backward_linear(s, sign, true, sums, into, e);
	multiply(into, positive, inputs);
	return code ? code : 1;
}

static double stabilised(double sum, const struct share *share)
{
	return share->positive ? sum : sum + (sum < 0 ? -share->epsilon : share->epsilon);
}

static double part_of(double value, const struct share *share)
{
	return share->positive ? fmax(value, 0) : value;
}

struct operand relevance_operand(const struct backward_step *s, int k)
{
	int t = s->op->inputs[k];
	struct operand o = {.session = s->session, .image = s->image, .tensor = t, .channels = (size_t)backward_plan(s->backward)->tensors[t].c};
	o.kept = session_view(s->session, t, s->image, &o.stride);
	return o;
}

/* Nothing is asked where there is nothing to share. */
static void share_sum(const struct backward_step *s, const struct share *share, float *into)
{
	const struct tensor *t = &backward_plan(s->backward)->tensors[s->op->output];
	struct operand operands[OP_MAX_INPUTS];
	size_t channels = (size_t)t->c;
	for (int k = 0; k < s->op->input_count; k++)
		operands[k] = relevance_operand(s, k);
#pragma omp parallel for schedule(static)
	for (int p = 0; p < t->h * t->w; p++)
		for (size_t c = 0, n = (size_t)p * channels; c < channels; c++, n++) {
			double sum = 0, own = 0;
			for (int k = 0; s->out[n] != 0 && k < s->op->input_count; k++) {
				double part = part_of((double)operand_at(&operands[k], (size_t)p, c), share);
				sum += part;
				own = k == s->input ? part : own;
			}
			sum = stabilised(sum, share);
			into[n] = sum != 0 ? (float)(own / sum * (double)s->out[n]) : 0;
		}
}

/* The place (i, j) of the window at (y, x), or -1 outside the map. */
static long place_under(const struct tensor *in, const struct window *w, int y, int x, int i, int j)
{
	int at_y = y * w->stride_y - w->top + i, at_x = x * w->stride_x - w->left + j;
	return at_y >= 0 && at_x >= 0 && at_y < in->h && at_x < in->w ? (long)at_y * in->w + at_x : -1;
}

static void share_window(const struct backward_step *s, const struct share *share, int y, int x, int c, float *into)
{
	const struct plan *plan = backward_plan(s->backward);
	const struct tensor *in = &plan->tensors[s->op->inputs[0]], *out = &plan->tensors[s->op->output];
	const struct window w = backward_window(plan, s->op);
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image) + c;
	double relevance = (double)s->out[(y * out->w + x) * out->c + c], divisor = backward_divisor(plan, s->op, y, x), sum = 0;
	for (int i = 0; i < w.height; i++)
		for (int j = 0; j < w.width; j++) {
			long p = place_under(in, &w, y, x, i, j);
			sum += p >= 0 ? part_of((double)input[p * in->c], share) / divisor : 0;
		}
	sum = stabilised(sum, share);
	for (int i = 0; sum != 0 && i < w.height; i++)
		for (int j = 0; j < w.width; j++) {
			long p = place_under(in, &w, y, x, i, j);
			if (p >= 0)
				into[p * in->c + c] += (float)(part_of((double)input[p * in->c], share) / divisor / sum * relevance);
		}
}

static void share_average(const struct backward_step *s, const struct share *share, float *into)
{
	const struct plan *plan = backward_plan(s->backward);
	const struct tensor *out = &plan->tensors[s->op->output];
	memset(into, 0, tensor_size(&plan->tensors[s->op->inputs[0]]) * sizeof *into);
	for (int y = 0; y < out->h; y++)
		for (int x = 0; x < out->w; x++)
			for (int c = 0; c < out->c; c++)
				if (s->out[(y * out->w + x) * out->c + c] != 0)
					share_window(s, share, y, x, c, into);
}

int relevance_other(const struct backward_step *s, const struct share *share, float *into)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t size = tensor_size(&plan->tensors[s->op->inputs[s->input]]);
	switch (s->op->kind) {
	case OP_ADD: share_sum(s, share, into); return 1;
	case OP_AVERAGE_POOL:
	case OP_GLOBAL_AVERAGE_POOL: share_average(s, share, into); return 1;
	case OP_MUL:
		for (size_t n = 0; n < size; n++)
			into[n] = s->out[n] / 2;
		return 1;
	case OP_GATE:
		if (s->input == 1) {
			memset(into, 0, size * sizeof *into);
			return 1;
		}
		memcpy(into, s->out, size * sizeof *into);
		return 1;
	case OP_ACTIVATION:
	case OP_LRN:
	case OP_LAYER_NORM:
	case OP_SCALE: memcpy(into, s->out, size * sizeof *into); return 1;
	default: return 0; /* the gradient's way */
	}
}

int relevance_grid(const struct question *q, int t, struct error *e)
{
	const struct tensor *tensor = &q->net->plan.tensors[t];
	const float *relevance = backward_gradient(q->backward, t);
	int code = grid_make(q->grid, tensor->h, tensor->w, e);
	for (size_t p = 0; !code && p < (size_t)tensor->h * (size_t)tensor->w; p++) {
		double sum = 0;
		for (int c = 0; c < tensor->c; c++)
			sum += (double)relevance[p * (size_t)tensor->c + (size_t)c];
		q->grid->values[p] = sum <= 0 ? 0 : (float)sum; /* NaN stays, to be found */
	}
	return code;
}
