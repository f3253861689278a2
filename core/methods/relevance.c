#include "config.h"

#include "core/methods/relevance.h"

#include <math.h>
#include <string.h>

int relevance_linear(const struct backward_step *s, enum weight_sign sign, float *into, struct error *e)
{
	const struct plan *plan = backward_plan(s->backward);
	size_t inputs = tensor_size(&plan->tensors[s->op->inputs[0]]), outputs = tensor_size(&plan->tensors[s->op->output]);
	const float *input = session_tensor(s->session, s->op->inputs[0], s->image);
	float *positive = backward_room(s->backward, 0), *sums = backward_room(s->backward, 1);
	if (!positive || !sums)
		return error_memory(e, "a map");
	for (size_t j = 0; j < inputs; j++)
		positive[j] = input[j] > 0 ? input[j] : 0;
	int code = backward_linear(s, sign, false, positive, sums, e);
	for (size_t i = 0; i < outputs; i++)
		sums[i] = sums[i] != 0 ? s->out[i] / sums[i] : 0;
	if (!code)
		code = backward_linear(s, sign, true, sums, into, e);
	for (size_t j = 0; j < inputs; j++)
		into[j] *= positive[j];
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

float relevance_operand(const struct backward_step *s, int k, size_t n)
{
	size_t stride, channels = (size_t)backward_plan(s->backward)->tensors[s->op->inputs[k]].c;
	const float *kept = session_view(s->session, s->op->inputs[k], s->image, &stride);
	return kept ? kept[n / channels * stride + n % channels] : session_value(s->session, s->op->inputs[k], s->image, n);
}

/* Operands that are not kept are dear to know, so nothing is asked where there is nothing to share. */
static void share_sum(const struct backward_step *s, const struct share *share, float *into)
{
	for (size_t n = 0; n < tensor_size(&backward_plan(s->backward)->tensors[s->op->output]); n++) {
		double sum = 0, own = 0;
		for (int k = 0; s->out[n] != 0 && k < s->op->input_count; k++) {
			double part = part_of((double)relevance_operand(s, k, n), share);
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
