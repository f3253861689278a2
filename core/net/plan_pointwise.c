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

static int read_activation(struct builder *b, const struct tensor *in, struct activation *a)
{
	static const struct {
		const char *op_type;
		enum activation_kind kind;
		float alpha, beta; /* ONNX's defaults */
	} KINDS[] = {
		{"Relu", ACTIVATION_RELU, 0, 0}, {"LeakyRelu", ACTIVATION_LEAKY, 0.01f, 0}, {"PRelu", ACTIVATION_PRELU, 0, 0},
		{"Clip", ACTIVATION_CLIP, 0, 0}, {"Sigmoid", ACTIVATION_SIGMOID, 0, 0}, {"HardSigmoid", ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f},
		{"HardSwish", ACTIVATION_HARD_SWISH, 0, 0}, {"Tanh", ACTIVATION_TANH, 0, 0}, {"Elu", ACTIVATION_ELU, 1, 0},
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
	int code = build_weights(b, 1, &slopes);
	a->slopes = code ? NULL : build_channels(b, slopes, in);
	return code || a->slopes ? code : build_refuse(b, "its slopes are neither one number nor one a channel");
}

int build_activation(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	struct activation a;
	int code = read_activation(b, &in, &a);
	if (code)
		return code;
	struct op *op = a.kind == ACTIVATION_PRELU ? NULL : build_fusable(b, 0);
	if (op) {
		op->activation = a;
		return build_fused(b, op);
	}
	code = build_op(b, OP_ACTIVATION, in.c, in.h, in.w, in.rank, &op);
	if (!code)
		op->activation = a;
	return code;
}

/* y = scale[c] * x + shift[c]: into the Conv or Gemm before it where that can be, else on its own. */
static int add_scale(struct builder *b, size_t input, const float *scale, const float *shift)
{
	int t = build_tensor(b, input);
	const struct tensor in = b->plan->tensors[t];
	struct op *op = build_fusable(b, input);
	int code;
	if (op) {
		code = build_fold_scale(b, op, scale, shift);
		return code ? code : build_fused(b, op);
	}
	code = build_op(b, OP_SCALE, in.c, in.h, in.w, in.rank, &op);
	if (code)
		return code;
	op->inputs[0] = t;
	op->input_count = 1;
	op->scale = scale;
	op->shift = shift;
	return LSDN_OK;
}

int build_batch_normalization(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	const struct constant *p[4]; /* scale, bias, mean, variance */
	for (size_t i = 0; i < 4; i++) {
		int code = build_weights(b, i + 1, &p[i]);
		if (code)
			return code;
		if (p[i]->count != (size_t)in.c)
			return build_refuse(b, "'%s' has %zu numbers for %d channels: the file is damaged", p[i]->name, p[i]->count, in.c);
	}
	if (node_int(b->node, "training_mode", 0))
		return build_refuse(b, "is in training mode: export the network for inference");
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

/* Add, Sub, Mul or Div of a tensor (input t) with a constant (the other input). */
static int with_constant(struct builder *b, size_t t, const struct constant *c)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, t)];
	char kind = b->node->op_type[0]; /* Add, Sub, Sum, Mul, Div */
	bool subtract = strcmp(b->node->op_type, "Sub") == 0, divide = kind == 'D';
	const struct constant *checked;
	int code = build_weights(b, 1 - t, &checked);
	if (code)
		return code;
	const float *values = build_channels(b, c, &in);
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

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
	return a->c == b->c && a->h == b->h && a->w == b->w && a->rank == b->rank;
}

int build_add(struct builder *b)
{
	size_t count = b->node->input_count;
	if (count == 2)
		for (size_t i = 0; i < 2; i++)
			if (build_tensor(b, i) >= 0 && build_constant(b, 1 - i))
				return with_constant(b, i, build_constant(b, 1 - i));
	if (strcmp(b->node->op_type, "Sub") == 0)
		return build_refuse(b, "supported with a constant only");
	if (count > OP_MAX_INPUTS)
		return build_refuse(b, "has %zu operands: at most %d are supported", count, OP_MAX_INPUTS);
	const struct tensor first = b->plan->tensors[build_tensor(b, 0)];
	struct op *op;
	for (size_t i = 0; i < count; i++)
		if (build_tensor(b, i) < 0 || !same_shape(&first, &b->plan->tensors[build_tensor(b, i)]))
			return build_refuse(b, "its operands differ in shape: only sums of one shape are supported");
	if (count == 1)
		return build_alias(b, build_tensor(b, 0));
	int code = build_op(b, OP_ADD, first.c, first.h, first.w, first.rank, &op);
	for (size_t i = 0; !code && i < count; i++)
		op->inputs[i] = build_tensor(b, i);
	if (!code)
		op->input_count = (int)count;
	return code;
}

int build_mul(struct builder *b)
{
	if (b->node->input_count != 2)
		return build_refuse(b, "has %zu inputs, not 2: the file is damaged", b->node->input_count);
	for (size_t i = 0; i < 2; i++)
		if (build_tensor(b, i) >= 0 && build_constant(b, 1 - i))
			return with_constant(b, i, build_constant(b, 1 - i));
	int left = build_tensor(b, 0), right = build_tensor(b, 1);
	if (left < 0 || right < 0 || strcmp(b->node->op_type, "Div") == 0)
		return build_refuse(b, "supported with a constant only, or (Mul) of what the network makes");
	const struct tensor *x = &b->plan->tensors[left], *y = &b->plan->tensors[right];
	bool same = same_shape(x, y), gate_right = x->c == y->c && y->h == 1 && y->w == 1, gate_left = x->c == y->c && x->h == 1 && x->w == 1;
	if (!same && !gate_right && !gate_left)
		return build_refuse(b, "its operands differ in shape: the second must be of the same shape, C x 1 x 1 or a constant");
	int main_input = !same && gate_left ? right : left, other = main_input == left ? right : left;
	const struct tensor shape = b->plan->tensors[main_input];
	struct op *op;
	int code = build_op(b, same ? OP_MUL : OP_GATE, shape.c, shape.h, shape.w, shape.rank, &op);
	if (code)
		return code;
	op->inputs[0] = main_input;
	op->inputs[1] = other;
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
