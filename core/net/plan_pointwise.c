/* Makers of the operators that keep every position: activations, normalisation, sums and products. */
#include "config.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/net/plan_builder.h"

/* Clip's bounds are inputs since opset 11, attributes before; a bound may be left out. */
static int read_clip(struct builder *b, struct activation *a)
{
	a->alpha = node_float(b->node, "min", -FLT_MAX);
	a->beta = node_float(b->node, "max", FLT_MAX);
	for (size_t i = 1; i < b->node->input_count && i < 3; i++) {
		if (!*b->node->inputs[i])
			continue;
		const struct constant *c = build_constant(b, i);
		if (!c || c->type != CONSTANT_FLOAT || c->count != 1)
			return build_refuse(b, "its bounds are not constant numbers");
		*(i == 1 ? &a->alpha : &a->beta) = c->floats[0];
	}
	return LSDN_OK;
}

static int read_activation(struct builder *b, struct activation *a)
{
	static const struct {
		const char *op_type;
		enum activation_kind kind;
		float alpha, beta; /* ONNX's defaults */
	} KINDS[] = {
		{"Relu", ACTIVATION_RELU, 0, 0}, {"LeakyRelu", ACTIVATION_LEAKY, 0.01f, 0}, {"PRelu", ACTIVATION_PRELU, 0, 0},
		{"Clip", ACTIVATION_CLIP, 0, 0}, {"Sigmoid", ACTIVATION_SIGMOID, 0, 0}, {"HardSigmoid", ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f},
		{"HardSwish", ACTIVATION_HARD_SWISH, 0, 0}, {"Tanh", ACTIVATION_TANH, 0, 0}, {"Elu", ACTIVATION_ELU, 1, 0},
		{"Swish", ACTIVATION_SWISH, 0, 0}, {"Gelu", ACTIVATION_GELU, 0, 0},
	};
	size_t k = 0;
	while (strcmp(KINDS[k].op_type, b->node->op_type) != 0)
		k++;
	*a = (struct activation){.kind = KINDS[k].kind, .alpha = node_float(b->node, "alpha", KINDS[k].alpha),
		.beta = node_float(b->node, "beta", KINDS[k].beta)};
	if (a->kind == ACTIVATION_CLIP)
		return read_clip(b, a);
	if (a->kind != ACTIVATION_PRELU)
		return LSDN_OK;
	const struct constant *slopes;
	int code = build_numbers(b, 1, &slopes);
	a->slopes = code ? NULL : build_channels(b, slopes, build_view(b, 0));
	return code || a->slopes ? code : build_refuse(b, "its slopes are neither one number nor one a channel");
}

int build_activation(struct builder *b)
{
	struct activation a;
	int code = read_activation(b, &a);
	if (code)
		return code;
	struct op *op = a.kind == ACTIVATION_PRELU ? NULL : build_fusable(b, 0);
	if (op && (op->kind == OP_CONV || op->kind == OP_GEMM)) {
		op->activation = a;
		return build_fused(b, op, 0);
	}
	code = build_like(b, OP_ACTIVATION, 0, &op);
	if (!code)
		op->activation = a;
	return code;
}

/* y = scale[c] * x + shift[c]: into the operator before it where that can be, else on its own. */
static int add_scale(struct builder *b, size_t input, const float *scale, const float *shift)
{
	struct op *op = build_fusable(b, input);
	int code = op ? build_fold_scale(b, op, scale, shift) : LSDN_OK;
	if (op)
		return code ? code : build_fused(b, op, input);
	code = build_like(b, OP_SCALE, input, &op);
	if (code)
		return code;
	op->scale = scale;
	op->shift = shift;
	return LSDN_OK;
}

int build_batch_normalization(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	const struct constant *p[4]; /* scale, bias, mean, variance */
	for (size_t i = 0; i < 4; i++) {
		int code = build_numbers(b, i + 1, &p[i]);
		if (code)
			return code;
		if (p[i]->count != (size_t)in.c)
			return build_refuse(b, "'%s' has %zu numbers for %d channels: the file is damaged", p[i]->name, p[i]->count, in.c);
	}
	if (node_int(b->node, "training_mode", 0) || !node_int(b->node, "is_test", 1))
		return build_refuse(b, "is in training mode: export the network for inference");
	if (!node_int(b->node, "spatial", 1))
		return build_refuse(b, "spatial is 0, another mean for every element: only one a channel is supported");
	float epsilon = node_float(b->node, "epsilon", 1e-5f);
	float *scale = build_floats(b, NULL, (size_t)in.c), *shift = build_floats(b, NULL, (size_t)in.c);
	if (!scale || !shift)
		return build_memory(b);
	for (int c = 0; c < in.c; c++) {
		double factor = p[0]->floats[c] / sqrt((double)p[3]->floats[c] + epsilon);
		scale[c] = (float)factor;
		shift[c] = (float)(p[1]->floats[c] - factor * p[2]->floats[c]);
		if (!isfinite(scale[c]) || !isfinite(shift[c]))
			return build_refuse(b, "channel %d has a variance of %g: the weights are damaged", c, (double)p[3]->floats[c]);
	}
	return add_scale(b, 0, scale, shift);
}

int build_lrn(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	int64_t size = node_int(b->node, "size", 0);
	struct op *op;
	if (size < 1 || size > 1024)
		return build_refuse(b, "size is %lld: it must be from 1 to 1024", (long long)size);
	int code = build_op(b, OP_LRN, in.c, in.h, in.w, in.rank, &op);
	if (code)
		return code;
	op->lrn.size = (int)size;
	op->lrn.alpha = node_float(b->node, "alpha", 1e-4f);
	op->lrn.beta = node_float(b->node, "beta", 0.75f);
	op->lrn.bias = node_float(b->node, "bias", 1);
	return LSDN_OK;
}

/* LayerNormalization over the channels of every place, or one written out (without factors, over `axis` alone). */
int build_layer_normalization(struct builder *b)
{
	bool written_out = strcmp(b->node->op_type, "LayerNormalization, written out") == 0;
	const struct view v = *build_view(b, 0);
	const struct tensor in = b->plan->tensors[v.tensor];
	int64_t axis = node_int(b->node, "axis", -1);
	const struct constant *factors[2] = {NULL};
	if (!view_channels_at(&v, &in, view_axis(&v, axis)) || (!written_out && view_axis(&v, axis) != v.rank - 1))
		return build_refuse(b, "over axis %lld and what follows: only over the channels is supported", (long long)axis);
	for (size_t i = 1; i < b->node->input_count; i++) {
		int code = build_numbers(b, i, &factors[i > 1]);
		if (code)
			return code;
		if (factors[i > 1]->count != (size_t)in.c)
			return build_refuse(b, "'%s' has %zu numbers for %d channels: the file is damaged", factors[i > 1]->name, factors[i > 1]->count, in.c);
	}
	float *scale = build_floats(b, factors[0] ? factors[0]->floats : NULL, (size_t)in.c);
	struct op *op;
	if (!scale)
		return build_memory(b);
	for (int c = 0; !factors[0] && c < in.c; c++)
		scale[c] = 1;
	int code = build_like(b, OP_LAYER_NORM, 0, &op);
	if (code)
		return code;
	op->scale = scale;
	op->shift = build_floats(b, factors[1] ? factors[1]->floats : NULL, (size_t)in.c);
	op->epsilon = node_float(b->node, "epsilon", 1e-5f);
	return op->shift ? LSDN_OK : build_memory(b);
}

/* Add, Sub, Mul or Div of a tensor (input t) with a constant (the other input). */
static int with_constant(struct builder *b, size_t t)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, t)];
	char kind = b->node->op_type[0]; /* Add, Sub, Sum, Mul, Div */
	bool subtract = strcmp(b->node->op_type, "Sub") == 0, divide = kind == 'D';
	const struct constant *c;
	int code = build_numbers(b, 1 - t, &c);
	if (code)
		return code;
	const float *values = build_channels(b, c, build_view(b, t));
	float *scale = build_floats(b, NULL, (size_t)in.c), *shift = build_floats(b, NULL, (size_t)in.c);
	if (!scale || !shift)
		return build_memory(b);
	if (!values || (divide && t != 0))
		return build_refuse(b, "with a constant that is neither one number nor one a channel: only scaling and shifting are supported");
	for (int k = 0; k < in.c; k++) {
		scale[k] = kind == 'M' ? values[k] : divide ? 1 / values[k] : subtract && t == 1 ? -1 : 1;
		shift[k] = kind == 'M' || divide ? 0 : subtract && t == 0 ? -values[k] : values[k];
		if (!isfinite(scale[k]))
			return build_refuse(b, "divides channel %d by 0: the weights are damaged", k);
	}
	return add_scale(b, t, scale, shift);
}

/* Whether all inputs are of one shape. They are then made plain unless they lie alike, so that they can be taken together element by element. */
static int same_shape(struct builder *b, bool *same)
{
	bool alike = true;
	*same = true;
	for (size_t i = 0; i < b->node->input_count && *same; i++) {
		const struct view *x = build_view(b, 0), *y = build_view(b, i);
		*same = x && y && x->rank == y->rank && memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims) == 0;
		if (!*same)
			break;
		const struct tensor *p = &b->plan->tensors[x->tensor], *q = &b->plan->tensors[y->tensor];
		alike = alike && view_alike(x, y) && p->c == q->c && p->h == q->h && p->w == q->w;
	}
	int code = LSDN_OK;
	for (size_t i = 0; i < b->node->input_count && *same && !alike && !code; i++)
		code = build_plain(b, i);
	return code;
}

int build_add(struct builder *b)
{
	size_t count = b->node->input_count;
	if (count == 2)
		for (size_t i = 0; i < 2; i++)
			if (build_tensor(b, i) >= 0 && build_constant(b, 1 - i))
				return with_constant(b, i);
	if (strcmp(b->node->op_type, "Sub") == 0)
		return build_refuse(b, "supported with a constant only");
	if (count > OP_MAX_INPUTS)
		return build_refuse(b, "has %zu operands: at most %d are supported", count, OP_MAX_INPUTS);
	bool same;
	int code = same_shape(b, &same);
	if (code || !same)
		return code ? code : build_refuse(b, "its operands differ in shape: only sums of one shape are supported");
	if (count == 1)
		return build_identity(b);
	struct op *op;
	code = build_like(b, OP_ADD, 0, &op);
	for (size_t i = 0; !code && i < count; i++)
		op->inputs[i] = build_tensor(b, i);
	if (!code)
		op->input_count = (int)count;
	return code;
}

/* Whether input i is one number for every channel of input k, wherever it is. */
static bool is_gate(const struct builder *b, size_t i, size_t k)
{
	const struct view *gate = build_view(b, i), *x = build_view(b, k);
	const struct tensor *t = &b->plan->tensors[gate->tensor];
	bool fits = gate->rank == x->rank && t->c == b->plan->tensors[x->tensor].c && t->h == 1 && t->w == 1;
	for (int d = 0; fits && d < x->rank; d++)
		fits = gate->dims[d] == 1 || (gate->dims[d] == x->dims[d] && gate->strides[d] == x->strides[d]);
	return fits;
}

int build_mul(struct builder *b)
{
	if (b->node->input_count != 2)
		return build_refuse(b, "has %zu inputs, not 2: the file is damaged", b->node->input_count);
	for (size_t i = 0; i < 2; i++)
		if (build_tensor(b, i) >= 0 && build_constant(b, 1 - i))
			return with_constant(b, i);
	if (build_tensor(b, 0) < 0 || build_tensor(b, 1) < 0 || strcmp(b->node->op_type, "Div") == 0)
		return build_refuse(b, "supported with a constant only, or (Mul) of what the network makes");
	bool same;
	int code = same_shape(b, &same);
	if (code)
		return code;
	bool gate_right = is_gate(b, 1, 0);
	if (!same && !gate_right && !is_gate(b, 0, 1))
		return build_refuse(b, "its operands differ in shape: the second must be of the same shape, C x 1 x 1 or a constant");
	size_t main_input = !same && !gate_right ? 1 : 0;
	struct op *op;
	code = build_like(b, same ? OP_MUL : OP_GATE, main_input, &op);
	if (code)
		return code;
	op->inputs[1] = build_tensor(b, 1 - main_input);
	op->input_count = 2;
	return LSDN_OK;
}

int build_softmax(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	int64_t axis = node_int(b->node, "axis", b->graph->opset < 13 ? 1 : -1);
	struct op *op;
	if (in.h != 1 || in.w != 1 || (axis != 1 && axis != 1 - in.rank && axis != -3))
		return build_refuse(b, "supported over the classes of a vector only");
	return build_op(b, strcmp(b->node->op_type, "Softmax") == 0 ? OP_SOFTMAX : OP_LOG_SOFTMAX, in.c, 1, 1, in.rank, &op);
}
