#include "config.h"

#include <math.h>
#include <string.h>

#include "core/net/fold_inside.h"

static double number(const struct constant *c, size_t i)
{
	return c->type == CONSTANT_FLOAT ? (double)c->floats[i] : (double)c->ints[i];
}

int fold_cast(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	int64_t to = node_int(f->node, "to", 1);
	int code = fold_take(f, to == 1 ? CONSTANT_FLOAT : CONSTANT_INT, a);
	if (!code && to != 1 && to != 6 && to != 7 && to != 9)
		return fold_refuse(f, "to another type than float32, int32, int64 or bool");
	for (size_t i = 0; !code && i < a->count; i++) {
		if (to == 1)
			((float *)f->out->floats)[i] = (float)number(a, i);
		else if (a->type == CONSTANT_INT)
			((int64_t *)f->out->ints)[i] = a->ints[i];
		else if (a->floats[i] > -1e18f && a->floats[i] < 1e18f)
			((int64_t *)f->out->ints)[i] = (int64_t)a->floats[i];
		else
			return fold_refuse(f, "of a number past bounds");
	}
	return code;
}

/* The shape that a and b broadcast to; steps say how far each moves with a dimension of it. */
static bool broadcast(const struct constant *a, const struct constant *b, struct constant *out, size_t steps[2][ONNX_MAX_RANK])
{
	const struct constant *operands[2] = {a, b};
	size_t step[2] = {1, 1};
	out->rank = a->rank > b->rank ? a->rank : b->rank;
	out->count = 1;
	for (int d = out->rank; d-- > 0;) {
		out->dims[d] = 1;
		for (int k = 0; k < 2; k++) {
			int own = d - out->rank + operands[k]->rank;
			int64_t dim = own < 0 ? 1 : operands[k]->dims[own];
			if (dim != 1 && out->dims[d] != 1 && out->dims[d] != dim)
				return false;
			out->dims[d] = dim != 1 ? dim : out->dims[d];
			steps[k][d] = dim == 1 ? 0 : step[k];
			step[k] *= (size_t)dim;
		}
		out->count *= (size_t)out->dims[d];
	}
	/* An outer product of large constants is no weight of a network. */
	return out->count <= 16 * (a->count + b->count);
}

static float of_floats(char op, float x, float y)
{
	return op == 'A' ? x + y : op == 'S' ? x - y : op == 'M' ? x * y : op == 'D' ? x / y : powf(x, y);
}

int fold_arithmetic(struct folding *f)
{
	const struct constant *a = f->inputs[0], *b = f->node->input_count > 1 ? f->inputs[1] : NULL;
	size_t steps[2][ONNX_MAX_RANK], at[2] = {0, 0};
	int64_t index[ONNX_MAX_RANK] = {0};
	char op = f->node->op_type[0]; /* Add, Sub, Mul, Div, Pow */
	if (!b || a->type != b->type || !broadcast(a, b, f->out, steps) || (op == 'P' && a->type != CONSTANT_FLOAT))
		return fold_refuse(f, "of different type or shape");
	int code = fold_take(f, a->type, NULL);
	for (size_t i = 0; !code && i < f->out->count; i++) {
		if (a->type == CONSTANT_FLOAT) {
			((float *)f->out->floats)[i] = of_floats(op, a->floats[at[0]], b->floats[at[1]]);
		} else {
			int64_t x = a->ints[at[0]], y = b->ints[at[1]], bound = (int64_t)1 << 31;
			if (x > bound || x < -bound || y > bound || y < -bound || (op == 'D' && y == 0))
				return fold_refuse(f, "past bounds");
			((int64_t *)f->out->ints)[i] = op == 'A' ? x + y : op == 'S' ? x - y : op == 'M' ? x * y : x / y;
		}
		for (int d = f->out->rank; d-- > 0;) {
			bool last = ++index[d] == f->out->dims[d];
			for (int k = 0; k < 2; k++)
				at[k] = last ? at[k] - steps[k][d] * (size_t)(f->out->dims[d] - 1) : at[k] + steps[k][d];
			if (!last)
				break;
			index[d] = 0;
		}
	}
	return code;
}

int fold_function(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	char op = f->node->op_type[0];
	if (a->type != CONSTANT_FLOAT && op != 'N')
		return fold_refuse(f, "of whole numbers");
	int code = fold_take(f, a->type, a);
	for (size_t i = 0; !code && i < a->count; i++) {
		if (a->type == CONSTANT_INT && a->ints[i] == INT64_MIN)
			return fold_refuse(f, "past bounds");
		if (a->type == CONSTANT_INT)
			((int64_t *)f->out->ints)[i] = -a->ints[i];
		else
			((float *)f->out->floats)[i] = op == 'S' ? sqrtf(a->floats[i]) : op == 'R' ? 1 / a->floats[i] : -a->floats[i];
	}
	return code;
}
