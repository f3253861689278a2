#include "config.h"

#include "core/net/plan.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/plan_builder.h"

enum { MAX_SIDE = 1 << 16, MAX_CHANNELS = 1 << 24, MAX_SIZE = 1 << 28 };

static const struct {
	const char *op_type;
	build_function build;
} BUILDERS[] = {
	{"Conv", build_conv}, {"Gemm", build_gemm}, {"MatMul", build_matmul},
	{"MaxPool", build_pool}, {"AveragePool", build_pool},
	{"GlobalAveragePool", build_global_pool}, {"GlobalMaxPool", build_global_pool}, {"ReduceMean", build_reduce_mean},
	{"Concat", build_concat}, {"Add", build_add}, {"Sum", build_add}, {"Sub", build_add}, {"Mul", build_mul}, {"Div", build_mul},
	{"Relu", build_activation}, {"LeakyRelu", build_activation}, {"PRelu", build_activation}, {"Clip", build_activation},
	{"Sigmoid", build_activation}, {"HardSigmoid", build_activation}, {"HardSwish", build_activation},
	{"Tanh", build_activation}, {"Elu", build_activation},
	{"BatchNormalization", build_batch_normalization}, {"LRN", build_lrn}, {"Dropout", build_dropout}, {"Identity", build_identity},
	{"Flatten", build_flatten}, {"Reshape", build_reshape}, {"Squeeze", build_squeeze}, {"Unsqueeze", build_squeeze},
	{"Transpose", build_transpose}, {"Shape", build_shape}, {"Softmax", build_softmax}, {"LogSoftmax", build_softmax},
};

size_t tensor_size(const struct tensor *t)
{
	return (size_t)t->c * (size_t)t->h * (size_t)t->w;
}

bool op_is_through(const struct op *op)
{
	return op->kind == OP_ACTIVATION || op->kind == OP_LRN || op->kind == OP_SCALE || op->kind == OP_GATE;
}

int plan_layer_tensor(const struct plan *plan, int t)
{
	while (plan->tensors[t].maker >= 0 && op_is_through(&plan->ops[plan->tensors[t].maker]))
		t = plan->ops[plan->tensors[t].maker].inputs[0];
	return t;
}

int plan_find_layer(const struct plan *plan, const char *name)
{
	for (int i = 0; i < plan->op_count; i++)
		if ((plan->ops[i].kind == OP_CONV || plan->ops[i].kind == OP_GEMM) && strcmp(plan->ops[i].name, name) == 0)
			return i;
	return -1;
}

int build_refuse(struct builder *b, const char *why, ...)
{
	char reason[300];
	va_list arguments;
	va_start(arguments, why);
	vsnprintf(reason, sizeof reason, why, arguments);
	va_end(arguments);
	return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: node '%.100s': %.40s: %s", b->graph->path, b->node->name, b->node->op_type, reason);
}

int build_memory(struct builder *b)
{
	return error_memory(b->error, "the network");
}

int build_tensor(const struct builder *b, size_t i)
{
	return i < b->node->input_count && *b->node->inputs[i] ? names_get(&b->values, b->node->inputs[i], -1) : -1;
}

const struct constant *build_constant(const struct builder *b, size_t i)
{
	return i < b->node->input_count && *b->node->inputs[i] ? constants_find(&b->constants, b->node->inputs[i]) : NULL;
}

int build_weights(struct builder *b, size_t i, const struct constant **weights)
{
	*weights = build_constant(b, i);
	if (!*weights)
		return build_refuse(b, "input %zu is not a constant: export the network for inference, with its weights inside", i);
	if ((*weights)->type != CONSTANT_FLOAT)
		return build_refuse(b, "'%s' is not float32: convert the model to float32", (*weights)->name);
	for (size_t k = 0; k < (*weights)->count; k++)
		if (!isfinite((*weights)->floats[k]))
			return build_refuse(b, "'%s' holds NaN or infinity at element %zu: the weights are damaged, export or train again", (*weights)->name, k);
	return LSDN_OK;
}

/* Items grow in the arena, which keeps the outgrown copies until the plan goes: at most as much again. */
static void *room_for_one_more(struct arena *arena, void *items, int count, int *room, size_t size)
{
	if (count < *room)
		return items;
	int larger = *room ? 2 * *room : 64;
	void *copy = arena_alloc(arena, (size_t)larger, size);
	if (copy && count)
		memcpy(copy, items, (size_t)count * size);
	if (copy)
		*room = larger;
	return copy;
}

static int new_tensor(struct builder *b, struct tensor t)
{
	struct tensor *tensors = room_for_one_more(&b->plan->arena, b->plan->tensors, b->plan->tensor_count, &b->tensor_room, sizeof *tensors);
	if (!tensors)
		return build_memory(b);
	b->plan->tensors = tensors;
	tensors[b->plan->tensor_count] = t;
	return names_put(&b->values, t.name, b->plan->tensor_count++) ? LSDN_OK : build_memory(b);
}

int build_op(struct builder *b, enum op_kind kind, int c, int h, int w, int rank, struct op **op)
{
	if (c < 1 || h < 1 || w < 1 || c > MAX_CHANNELS || h > MAX_SIDE || w > MAX_SIDE || (double)c * h * w > MAX_SIZE)
		return build_refuse(b, "its output would be %d x %d x %d: use a larger (or smaller) input", c, h, w);
	struct op *ops = room_for_one_more(&b->plan->arena, b->plan->ops, b->plan->op_count, &b->op_room, sizeof *ops);
	if (!ops)
		return build_memory(b);
	b->plan->ops = ops;
	*op = &ops[b->plan->op_count];
	**op = (struct op){.kind = kind, .name = b->node->name, .op_type = b->node->op_type, .groups = 1, .output = b->plan->tensor_count};
	int input = build_tensor(b, 0);
	if (input >= 0)
		(*op)->inputs[(*op)->input_count++] = input;
	return new_tensor(b, (struct tensor){.name = b->node->outputs[0], .c = c, .h = h, .w = w, .rank = rank, .maker = b->plan->op_count++});
}

int build_alias(struct builder *b, int tensor)
{
	return names_put(&b->values, b->node->outputs[0], tensor) ? LSDN_OK : build_memory(b);
}

struct op *build_fusable(const struct builder *b, size_t i)
{
	int t = build_tensor(b, i);
	const struct tensor *tensor = t < 0 ? NULL : &b->plan->tensors[t];
	if (!tensor || tensor->maker < 0 || strcmp(tensor->name, b->node->inputs[i]) != 0 || names_get(&b->readers, tensor->name, 0) != 1)
		return NULL;
	struct op *op = &b->plan->ops[tensor->maker];
	return (op->kind == OP_CONV || op->kind == OP_GEMM) && op->activation.kind == ACTIVATION_NONE ? op : NULL;
}

int build_fused(struct builder *b, struct op *op)
{
	b->plan->tensors[op->output].name = b->node->outputs[0];
	return build_alias(b, op->output);
}

float *build_floats(struct builder *b, const float *from, size_t count)
{
	float *copy = arena_alloc(&b->plan->arena, count, sizeof *copy);
	if (copy && from)
		memcpy(copy, from, count * sizeof *copy);
	return copy;
}

const float *build_channels(struct builder *b, const struct constant *c, const struct tensor *t)
{
	/* Align the constant's dimensions with the tensor's from the right, as broadcasting does; all but the channel's must be 1. */
	int channel_from_right = t->rank == 4 ? 3 : 1;
	for (int d = 0; d < c->rank; d++) {
		int from_right = c->rank - d;
		if (c->dims[d] != 1 && (from_right != channel_from_right || c->dims[d] != t->c))
			return NULL;
	}
	if (c->type != CONSTANT_FLOAT || (c->count != 1 && c->count != (size_t)t->c))
		return NULL;
	float *spread = build_floats(b, NULL, (size_t)t->c);
	for (int k = 0; spread && k < t->c; k++)
		spread[k] = c->floats[c->count == 1 ? 0 : k];
	return spread;
}

int build_fold_scale(struct builder *b, struct op *op, const float *scale, const float *shift)
{
	size_t outputs = (size_t)b->plan->tensors[op->output].c;
	const struct tensor *in = &b->plan->tensors[op->inputs[0]];
	size_t each = op->kind == OP_GEMM ? (size_t)in->c
		: (size_t)op->window.height * (size_t)op->window.width * (size_t)(in->c / op->groups);
	float *weights = build_floats(b, op->weights, outputs * each), *bias = build_floats(b, op->bias, outputs);
	if (!weights || !bias)
		return build_memory(b);
	for (size_t o = 0; o < outputs; o++) {
		for (size_t k = 0; k < each; k++)
			weights[o * each + k] *= scale[o];
		bias[o] = (float)((double)bias[o] * scale[o] + shift[o]);
	}
	op->weights = weights;
	op->bias = bias;
	return LSDN_OK;
}

/* Marks in live the nodes that the output depends on; the others are neither planned nor refused. */
static int find_live(struct builder *b, bool *live)
{
	const struct onnx *g = b->graph;
	struct names makers = {0};
	bool ok = true;
	for (size_t n = 0; n < g->node_count; n++)
		for (size_t k = 0; k < g->nodes[n].output_count; k++)
			if (*g->nodes[n].outputs[k])
				ok = ok && names_put(&makers, g->nodes[n].outputs[k], (int)n);
	ok = ok && names_put(&b->readers, g->outputs[0].name, 1);
	int last = names_get(&makers, g->outputs[0].name, -1);
	if (last >= 0)
		live[last] = true;
	for (size_t n = g->node_count; n-- > 0;) {
		if (!live[n])
			continue;
		for (size_t k = 0; k < g->nodes[n].input_count; k++) {
			const char *name = g->nodes[n].inputs[k];
			int maker = names_get(&makers, name, -1);
			ok = ok && names_put(&b->readers, name, names_get(&b->readers, name, 0) + 1);
			if (maker >= 0 && maker < (int)n)
				live[maker] = true;
		}
	}
	names_free(&makers);
	return ok ? LSDN_OK : build_memory(b);
}

static int add_input(struct builder *b, const struct value *v, int height, int width)
{
	struct tensor t = {.name = v->name, .rank = v->rank, .maker = -1, .h = 1, .w = 1};
	int64_t c = v->rank > 1 ? v->dims[1] : 0, h = v->rank == 4 ? v->dims[2] : 1, w = v->rank == 4 ? v->dims[3] : 1;
	if ((v->rank != 4 && v->rank != 2) || v->elem_type != 1)
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: input '%s': not a float32 image N x C x H x W: export the network with one",
			b->graph->path, v->name);
	h = h < 0 ? height : h;
	w = w < 0 ? width : w;
	c = c < 0 ? 3 : c;
	if (v->rank == 4 && ((height && h != height) || (width && w != width)))
		return error_set(b->error, LSDN_ERROR_INPUT, "%s: input '%s' is %lld x %lld pixels, the configuration says %d x %d: mend the .cfg beside it",
			b->graph->path, v->name, (long long)w, (long long)h, width, height);
	if (c < 1 || h < 1 || w < 1 || c > MAX_CHANNELS || h > MAX_SIDE || w > MAX_SIDE || (double)c * (double)h * (double)w > MAX_SIZE)
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: input '%s' is %lld x %lld x %lld: it must be positive and within bounds",
			b->graph->path, v->name, (long long)c, (long long)h, (long long)w);
	t.c = (int)c;
	t.h = (int)h;
	t.w = (int)w;
	int *inputs = arena_alloc(&b->plan->arena, (size_t)b->plan->input_count + 1, sizeof *inputs);
	if (!inputs)
		return build_memory(b);
	if (b->plan->input_count)
		memcpy(inputs, b->plan->inputs, (size_t)b->plan->input_count * sizeof *inputs);
	inputs[b->plan->input_count++] = b->plan->tensor_count;
	b->plan->inputs = inputs;
	return new_tensor(b, t);
}

static int build_node(struct builder *b)
{
	const char *domain = b->node->domain;
	if (*domain && strcmp(domain, "ai.onnx") != 0)
		return build_refuse(b, "operator of the foreign domain '%.60s': export with ONNX's own operators", domain);
	int folded = constants_fold(&b->constants, b->node, b->graph->path, b->error);
	if (folded)
		return folded < 0 ? folded : LSDN_OK;
	for (size_t k = 0; k < sizeof BUILDERS / sizeof *BUILDERS; k++) {
		if (strcmp(BUILDERS[k].op_type, b->node->op_type) != 0)
			continue;
		if (b->node->input_count < 1 || build_tensor(b, 0) < 0) {
			const char *name = b->node->input_count ? b->node->inputs[0] : "";
			if (!constants_find(&b->constants, name))
				return build_refuse(b, "its input '%.100s' is made nowhere before it: the file is damaged or not sorted", name);
			/* Only a sum or product may have the constant first. */
			if (build_tensor(b, 1) < 0 || (BUILDERS[k].build != build_add && BUILDERS[k].build != build_mul))
				return build_refuse(b, "computes on constants in a way that is not folded: simplify the model (onnxsim)");
		}
		return BUILDERS[k].build(b);
	}
	return build_refuse(b, "operator is not supported: replace it or cut the network before it (README lists what is)");
}

/* The scores are what the final Softmax reads; no other place can have one. */
static int find_scores(struct builder *b)
{
	struct plan *plan = b->plan;
	plan->output = names_get(&b->values, b->graph->outputs[0].name, -1);
	if (plan->output < 0)
		return error_set(b->error, LSDN_ERROR_INPUT, "%s: output '%s' is made by no node: the file is damaged", b->graph->path,
			b->graph->outputs[0].name);
	plan->scores = plan->output;
	for (int t = 0; t < plan->tensor_count; t++) {
		int maker = plan->tensors[t].maker;
		if (maker < 0 || (plan->ops[maker].kind != OP_SOFTMAX && plan->ops[maker].kind != OP_LOG_SOFTMAX))
			continue;
		if (t != plan->output)
			return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: node '%s': %s is supported as the last operator only: cut what follows it",
				b->graph->path, plan->ops[maker].name, plan->ops[maker].op_type);
		plan->scores = plan->ops[maker].inputs[0];
	}
	return LSDN_OK;
}

static int build_all(struct builder *b, int height, int width)
{
	const struct onnx *g = b->graph;
	bool *live = arena_alloc(&b->plan->arena, g->node_count, sizeof *live);
	if (!live)
		return build_memory(b);
	int code = constants_open(&b->constants, g, &b->plan->arena, b->error);
	if (!code)
		code = find_live(b, live);
	for (size_t i = 0; !code && i < g->input_count; i++)
		if (!constants_find(&b->constants, g->inputs[i].name) && names_get(&b->readers, g->inputs[i].name, 0))
			code = add_input(b, &g->inputs[i], height, width);
	for (size_t n = 0; !code && n < g->node_count; n++) {
		b->node = &g->nodes[n];
		if (live[n])
			code = build_node(b);
	}
	if (!code)
		code = find_scores(b);
	return code;
}

int plan_make(struct plan *plan, const struct onnx *graph, int height, int width, struct error *e)
{
	*plan = (struct plan){0};
	struct builder b = {.plan = plan, .graph = graph, .error = e};
	int code = build_all(&b, height, width);
	constants_close(&b.constants);
	names_free(&b.values);
	names_free(&b.readers);
	if (code)
		plan_free(plan);
	return code;
}

void plan_free(struct plan *plan)
{
	arena_free(&plan->arena);
	*plan = (struct plan){0};
}
