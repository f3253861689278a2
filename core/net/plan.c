#include "config.h"

#include "core/net/plan.h"

#include <math.h>
#include <string.h>

#include "core/net/plan_attributes.h"
#include "core/net/plan_builder.h"
#include "core/net/plan_patterns.h"

/* What a maker's inputs are made before it is called. */
enum form { PLAIN, PADDED, WHOLE, SEEN };

static const double VALUES_EACH = 1700, LEAST_VALUES = 5e7, WORK_EACH = 1e6, LEAST_WORK = 2e10;
enum { LEAST_BOUND = 256 << 20 }; /* bytes for the plan of a small file; more for a large one, */
enum { LARGE = 2 << 20 };         /* whose weights lie together, in large pages */

static const struct {
	const char *op_type;
	build_function build;
	enum form form;
} BUILDERS[] = {
	{"Conv", build_conv, PADDED}, {"MaxPool", build_pool, PLAIN}, {"AveragePool", build_pool, PADDED},
	{"GlobalAveragePool", build_global_pool, PLAIN}, {"GlobalMaxPool", build_global_pool, PLAIN}, {"LRN", build_lrn, PLAIN},
	{"BatchNormalization", build_batch_normalization, PLAIN}, {"Softmax", build_softmax, PLAIN}, {"LogSoftmax", build_softmax, PLAIN},
	{"Gemm", build_gemm, WHOLE}, {"MatMul", build_matmul, WHOLE}, {"ReduceMean", build_reduce_mean, WHOLE}, {"Concat", build_concat, WHOLE},
	{"LayerNormalization", build_layer_normalization, WHOLE}, {"LayerNormalization, written out", build_layer_normalization, WHOLE},
	{"Add", build_add, WHOLE}, {"Sum", build_add, WHOLE}, {"Sub", build_add, WHOLE}, {"Mul", build_mul, WHOLE}, {"Div", build_mul, WHOLE},
	{"Relu", build_activation, WHOLE}, {"LeakyRelu", build_activation, WHOLE}, {"PRelu", build_activation, WHOLE},
	{"Clip", build_activation, WHOLE}, {"Sigmoid", build_activation, WHOLE}, {"HardSigmoid", build_activation, WHOLE},
	{"HardSwish", build_activation, WHOLE}, {"Swish", build_activation, WHOLE}, {"Gelu", build_activation, WHOLE},
	{"Tanh", build_activation, WHOLE}, {"Elu", build_activation, WHOLE},
	{"Identity", build_identity, SEEN}, {"Cast", build_cast, SEEN}, {"Dropout", build_dropout, SEEN}, {"Shape", build_shape, SEEN},
	{"Flatten", build_flatten, SEEN}, {"Reshape", build_reshape, SEEN}, {"Squeeze", build_squeeze, SEEN}, {"Unsqueeze", build_squeeze, SEEN},
	{"Transpose", build_transpose, SEEN}, {"Slice", build_slice, SEEN}, {"Split", build_split, SEEN}, {"Gather", build_gather, SEEN},
	{"Pad", build_pad, SEEN},
};

size_t tensor_size(const struct tensor *t)
{
	return (size_t)t->c * (size_t)t->h * (size_t)t->w;
}

bool op_is_through(const struct op *op)
{
	return op->kind == OP_ACTIVATION || op->kind == OP_LRN || op->kind == OP_LAYER_NORM || op->kind == OP_SCALE || op->kind == OP_GATE;
}

uint32_t op_source(const struct op *op, uint32_t i)
{
	return op->from ? op->from[i] : i;
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

/* Marks in live the nodes that the output depends on (the others are neither planned nor refused) and counts the readers of every value. */
static int find_live(struct builder *b, bool *live)
{
	const struct onnx *g = b->graph;
	struct names makers = {0};
	bool ok = true;
	names_free(&b->readers);
	memset(live, 0, g->node_count * sizeof *live);
	for (size_t n = 0; n < g->node_count; n++)
		for (size_t k = 0; k < b->nodes[n].output_count; k++)
			if (*b->nodes[n].outputs[k])
				ok = ok && names_put(&makers, b->nodes[n].outputs[k], (int)n);
	ok = ok && names_put(&b->readers, g->outputs[0].name, 1);
	int last = names_get(&makers, g->outputs[0].name, -1);
	if (last >= 0)
		live[last] = true;
	for (size_t n = g->node_count; n-- > 0;) {
		if (!live[n])
			continue;
		for (size_t k = 0; k < b->nodes[n].input_count; k++) {
			const char *name = b->nodes[n].inputs[k];
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
	int64_t c = v->rank > 1 ? v->dims[1] : 0, h = v->rank > 2 ? v->dims[2] : 1, w = v->rank > 3 ? v->dims[3] : 1;
	if (v->rank < 2 || v->rank > 4 || v->elem_type != 1)
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: input '%s': not a float32 image N x C x H x W: export the network with one",
			b->graph->path, v->name);
	h = h < 0 ? height : h;
	w = w < 0 ? width : w;
	c = c < 0 ? 3 : c;
	if (v->rank == 4 && ((height && h != height) || (width && w != width)))
		return error_set(b->error, LSDN_ERROR_INPUT, "%s: input '%s' is %lld x %lld pixels, the configuration says %d x %d: mend the .cfg beside it",
			b->graph->path, v->name, (long long)w, (long long)h, width, height);
	if (!build_size_allowed(c, h, w))
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: input '%s' is %lld x %lld x %lld: it must be positive and within bounds",
			b->graph->path, v->name, (long long)c, (long long)h, (long long)w);
	t.c = (int)c;
	t.h = (int)h;
	t.w = (int)w;
	b->plan->inputs[b->plan->input_count++] = b->plan->tensor_count;
	return build_add_tensor(b, &t);
}

/* Folds what computes on constants alone, and refuses what could not be meant. */
static int fold_node(struct builder *b)
{
	const char *domain = b->node->domain, *unknown = attribute_unknown(b->node);
	if (*domain && strcmp(domain, "ai.onnx") != 0)
		return build_refuse(b, "operator of the foreign domain '%.60s': export with ONNX's own operators", domain);
	if (unknown)
		return build_refuse(b, "has an attribute '%.60s', which is not known: export again, without it", unknown);
	int folded = constants_fold(&b->constants, b->node, b->graph->path, b->error);
	return folded < 0 ? folded : LSDN_OK;
}

static int shape_inputs(struct builder *b, enum form form)
{
	int code = LSDN_OK;
	for (size_t i = 0; i < b->node->input_count && !code; i++)
		if (build_view(b, i))
			code = form == PLAIN ? build_plain(b, i) : form == PADDED ? build_padded(b, i) : form == WHOLE ? build_whole(b, i) : build_seen(b, i);
	return code;
}

static int build_node(struct builder *b)
{
	if (constants_find(&b->constants, b->node->outputs[0]))
		return LSDN_OK;
	int folded = fold_node(b);
	if (folded || constants_find(&b->constants, b->node->outputs[0]))
		return folded;
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
		int code = shape_inputs(b, BUILDERS[k].form);
		return code ? code : BUILDERS[k].build(b);
	}
	return build_refuse(b, "operator is not supported: replace it or cut the network before it (README lists what is)");
}

/* The scores are what the final Softmax reads; no other place can have one. */
static int find_scores(struct builder *b)
{
	struct plan *plan = b->plan;
	const struct node reader = {.op_type = "output", .name = b->graph->outputs[0].name, .inputs = (const char *[]){b->graph->outputs[0].name},
		.input_count = 1};
	b->node = &reader;
	if (!build_view(b, 0))
		return error_set(b->error, LSDN_ERROR_INPUT, "%s: output '%s' is made by no node: the file is damaged", b->graph->path, reader.name);
	int code = build_plain(b, 0);
	if (code)
		return code;
	plan->output = build_tensor(b, 0);
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

/* Folding comes first, for patterns have constants in them; what a Shape is the start of is folded later, when shapes are known. */
static int prepare(struct builder *b, bool *live)
{
	const struct onnx *g = b->graph;
	int code = constants_open(&b->constants, g, &b->plan->arena, b->error);
	if (!code)
		code = find_live(b, live);
	for (size_t n = 0; n < g->node_count && !code; n++) {
		b->node = &b->nodes[n];
		if (live[n])
			code = fold_node(b);
	}
	if (!code)
		code = patterns_find(b, live);
	return code ? code : find_live(b, live);
}

/* A network may take so many activations and multiplications for each number of its input: DenseNet-121 takes 260 and 19 thousand, and what grows by
 * itself far more. Small inputs may take what a usual network does on a large one. */
static int check_cost(struct builder *b)
{
	const struct plan *plan = b->plan;
	double input = 0, values = 0, work = 0;
	for (int i = 0; i < plan->input_count; i++)
		input += (double)tensor_size(&plan->tensors[plan->inputs[i]]);
	for (int t = 0; t < plan->tensor_count; t++)
		values += (double)tensor_size(&plan->tensors[t]);
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		const struct tensor *in = &plan->tensors[op->inputs[0]];
		double taps = fmin(op->window.height, in->h) * fmin(op->window.width, in->w);
		double each = op->kind == OP_GEMM ? in->c : op->kind == OP_CONV ? taps * in->c / op->groups : taps;
		work += each * (double)tensor_size(&plan->tensors[op->output]);
	}
	double most_values = fmax(LEAST_VALUES, VALUES_EACH * input), most_work = fmax(LEAST_WORK, WORK_EACH * input);
	if (values > most_values)
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: an image has %.0f million activations, more than %.0f for its size: take a smaller network",
			b->graph->path, values / 1e6, most_values / 1e6);
	if (work > most_work)
		return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: an image takes %.0f million multiplications, more than %.0f for its size: take a smaller "
			"network", b->graph->path, work / 1e6, most_work / 1e6);
	return LSDN_OK;
}

static int build_all(struct builder *b, int height, int width)
{
	const struct onnx *g = b->graph;
	bool *live = arena_alloc(&b->plan->arena, g->node_count, sizeof *live);
	b->nodes = arena_alloc(&b->plan->arena, g->node_count, sizeof *b->nodes);
	b->plan->inputs = arena_alloc(&b->plan->arena, g->input_count, sizeof *b->plan->inputs);
	if (!live || !b->nodes || !b->plan->inputs)
		return build_memory(b);
	memcpy(b->nodes, g->nodes, g->node_count * sizeof *b->nodes);
	int code = prepare(b, live);
	for (size_t i = 0; !code && i < g->input_count; i++)
		if (!constants_find(&b->constants, g->inputs[i].name) && names_get(&b->readers, g->inputs[i].name, 0))
			code = add_input(b, &g->inputs[i], height, width);
	for (size_t n = 0; !code && n < g->node_count; n++) {
		b->node = &b->nodes[n];
		if (live[n])
			code = build_node(b);
	}
	if (!code)
		code = find_scores(b);
	return code ? code : check_cost(b);
}

int plan_make(struct plan *plan, const struct onnx *graph, int height, int width, struct error *e)
{
	/* What is made of constants is no more than a few copies of them. */
	*plan = (struct plan){.arena.most = 4 * graph->size + LEAST_BOUND, .arena.block_size = graph->size > LARGE ? graph->size : 0};
	struct builder b = {.plan = plan, .graph = graph, .error = e};
	int code = build_all(&b, height, width);
	if (code && plan->arena.exceeded)
		code = error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: node '%.100s': by here the plan has grown to several times the file: simplify the model "
			"(onnxsim)", graph->path, b.node ? b.node->name : "");
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
