#include "config.h"

#include "core/trace/reference.h"

#include <math.h>

/* A[c, y, x], 0 outside. */
static double at(const struct tensor *t, const float *values, int c, int y, int x)
{
	if (y < 0 || y >= t->h || x < 0 || x >= t->w)
		return 0;
	return values[((size_t)y * (size_t)t->w + (size_t)x) * (size_t)t->c + (size_t)c];
}

/* W[o, c, i, j] from OHWI. */
static double weight(const struct op *op, int count, int o, int c, int i, int j)
{
	size_t kh = (size_t)op->window.height, kw = (size_t)op->window.width;
	return op->weights[(((size_t)o * kh + (size_t)i) * kw + (size_t)j) * (size_t)count + (size_t)c];
}

double reference_current(const struct plan *plan, const struct op *op, const float *input, struct place s, int c, double *magnitude)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	if (op->kind == OP_GEMM) {
		double product = (double)input[c] * op->weights[(size_t)s.c * (size_t)in->c + (size_t)c];
		*magnitude = fabs(product);
		return product;
	}
	const struct window *w = &op->window;
	int count = in->c / op->groups, group = s.c / (plan->tensors[op->output].c / op->groups);
	double sum = 0;
	*magnitude = 0;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++) {
			double product = at(in, input, group * count + c, s.y * w->stride_y - w->top + i * w->dilation_y,
				s.x * w->stride_x - w->left + j * w->dilation_x) * weight(op, count, s.c, c, i, j);
			sum += product;
			*magnitude += fabs(product);
		}
	return sum;
}

long reference_strongest(const struct plan *plan, const struct op *op, const float *input, struct place s, int c, float sign)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const struct window *w = &op->window;
	int count = in->c / op->groups, group = s.c / (plan->tensors[op->output].c / op->groups);
	float highest = -INFINITY; /* of single precision, as what is multiplied: a product is no sum whose rounding could be avoided */
	long best = -1;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++) {
			int y = s.y * w->stride_y - w->top + i * w->dilation_y, x = s.x * w->stride_x - w->left + j * w->dilation_x;
			if (y < 0 || y >= in->h || x < 0 || x >= in->w)
				continue;
			float product = (float)(sign * at(in, input, group * count + c, y, x) * weight(op, count, s.c, c, i, j));
			if (product > highest) {
				highest = product;
				best = (long)y * in->w + x;
			}
		}
	return best;
}

/* The window of a pool over its input. */
static const struct window *window_of(const struct plan *plan, const struct op *op, struct window *whole)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	*whole = (struct window){.height = in->h, .width = in->w, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	return op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL ? whole : &op->window;
}

long reference_pool(const struct plan *plan, const struct op *op, const float *input, struct place s)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	struct window whole;
	const struct window *w = window_of(plan, op, &whole);
	double highest = -INFINITY;
	long best = -1;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++) {
			int y = s.y * w->stride_y - w->top + i * w->dilation_y, x = s.x * w->stride_x - w->left + j * w->dilation_x;
			if (y >= 0 && y < in->h && x >= 0 && x < in->w && at(in, input, s.c, y, x) > highest) {
				highest = at(in, input, s.c, y, x);
				best = (long)y * in->w + x;
			}
		}
	return best;
}

/* The highest activation of channel n.c in the window of a pool; *cells: how many places the pool divides by. */
static double pool(const struct plan *plan, const struct op *op, const float *input, struct place n, int *cells)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	struct window whole;
	const struct window *w = window_of(plan, op, &whole);
	double highest = -INFINITY;
	*cells = 0;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++) {
			int y = n.y * w->stride_y - w->top + i * w->dilation_y, x = n.x * w->stride_x - w->left + j * w->dilation_x;
			bool inside = y >= 0 && y < in->h && x >= 0 && x < in->w;
			if (inside)
				highest = fmax(highest, at(in, input, n.c, y, x));
			*cells += inside || (op->count_include_pad && y < in->h + w->bottom - w->over_bottom && x < in->w + w->right - w->over_right);
		}
	return highest;
}

double reference_preceding(const struct session *session, const struct plan *plan, int image, int t, struct place n, double *magnitude)
{
	const struct op *op = plan->tensors[t].maker < 0 ? NULL : &plan->ops[plan->tensors[t].maker];
	*magnitude = 0;
	if (!op)
		return 0;
	if (op_is_through(op))
		return reference_preceding(session, plan, image, op->inputs[0], n, magnitude);
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	const float *input = session_tensor(session, op->inputs[0], image);
	double highest = -INFINITY, value, size;
	int cells, first = 0;
	neuron_t from;
	switch (op->kind) {
	case OP_CONV:
	case OP_GEMM:
		for (int c = 0; c < in->c / op->groups; c++) {
			value = reference_current(plan, op, input, n, c, &size);
			highest = fmax(highest, value);
			*magnitude = fmax(*magnitude, size);
		}
		return highest;
	case OP_MAX_POOL:
	case OP_GLOBAL_MAX_POOL:
		return pool(plan, op, input, n, &cells);
	case OP_AVERAGE_POOL:
	case OP_GLOBAL_AVERAGE_POOL:
		value = pool(plan, op, input, n, &cells);
		*magnitude = fabs(value);
		return value / cells;
	case OP_ADD:
	case OP_MUL:
		for (int i = 0; i < op->input_count; i++)
			highest = fmax(highest, (double)session_value(session, op->inputs[i], image, place_neuron(in, n)));
		return highest;
	case OP_CONCAT:
		for (int i = 0; i < op->input_count; i++) {
			int channels = plan->tensors[op->inputs[i]].c;
			if (n.c < first + channels)
				return reference_preceding(session, plan, image, op->inputs[i], (struct place){n.c - first, n.y, n.x}, magnitude);
			first += channels;
		}
		return 0;
	case OP_REINDEX:
		from = op_source(op, place_neuron(&plan->tensors[t], n));
		return from == OP_FILL ? 0 : reference_preceding(session, plan, image, op->inputs[0], neuron_place(in, from), magnitude);
	default:
		return 0;
	}
}
