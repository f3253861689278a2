#include "config.h"

#include "tests/fuzz/models.h"

#include <stdlib.h>

#include "core/explain.h"
#include "tests/fuzz/fuzz.h"

/* What the rest of the program relies on without asking again. */
static void check_plan(const struct plan *plan)
{
	FUZZ_TRUE(plan->output >= 0 && plan->output < plan->tensor_count && plan->scores >= 0 && plan->scores < plan->tensor_count);
	for (int t = 0; t < plan->tensor_count; t++) {
		const struct tensor *tensor = &plan->tensors[t];
		FUZZ_TRUE(tensor->c > 0 && tensor->h > 0 && tensor->w > 0 && (double)tensor->c * tensor->h * tensor->w <= INT32_MAX);
		FUZZ_TRUE(tensor->maker >= -1 && tensor->maker < plan->op_count);
	}
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		FUZZ_TRUE(op->output >= 0 && op->output < plan->tensor_count && plan->tensors[op->output].maker == k);
		FUZZ_TRUE(op->input_count >= 1 && op->input_count <= OP_MAX_INPUTS);
		for (int i = 0; i < op->input_count; i++)
			FUZZ_TRUE(op->inputs[i] >= 0 && op->inputs[i] < op->output);
		const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
		size_t each = op->kind == OP_GEMM ? (size_t)in->c : op->kind == OP_CONV
			? (size_t)(op->window.height * op->window.width) * (size_t)(in->c / op->groups) : 0;
		for (size_t i = 0; i < each * (size_t)out->c; i++)
			FUZZ_TRUE(op->weights[i] == op->weights[i]);
		for (int c = 0; op->bias && c < out->c; c++)
			FUZZ_TRUE(op->bias[c] == op->bias[c]);
	}
}

void fuzz_plan(const uint8_t *data, size_t size)
{
	struct onnx graph;
	struct plan plan;
	struct error e;
	if (fuzz_answer(onnx_read(&graph, data, size, "model", &e), &e))
		return;
	if (!fuzz_answer(plan_make(&plan, &graph, 16, 24, &e), &e)) {
		check_plan(&plan);
		plan_free(&plan);
	}
	onnx_close(&graph);
}

enum { WIDTH = 9, HEIGHT = 7, MOST_VALUES = 1 << 14, MOST_WORK = 1 << 20 };

static bool is_small(const struct plan *plan)
{
	double values = 0, work = 0;
	for (int t = 0; t < plan->tensor_count; t++)
		values += (double)tensor_size(&plan->tensors[t]);
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		double taps = op->window.height ? (double)op->window.height * op->window.width : 1;
		work += taps * (double)tensor_size(&plan->tensors[op->output]) * plan->tensors[op->inputs[0]].c / op->groups;
	}
	return plan->op_count <= 32 && values <= MOST_VALUES && work <= MOST_WORK;
}

static void check_explanation(const struct explainer *x, const struct explanation *found, enum box_kind kind)
{
	static float map[WIDTH * HEIGHT];
	struct error e;
	FUZZ_TRUE(found->kept <= found->count);
	for (size_t i = 0; i < found->count; i++)
		FUZZ_TRUE(x->points[i].x >= -0.5 && x->points[i].x <= WIDTH - 0.5 && x->points[i].y >= -0.5 && x->points[i].y <= HEIGHT - 0.5);
	const struct box *b = &found->box;
	bool seen = kind == BOX_POINTS || kind == BOX_MAP ? found->kept > 0 : found->count > 0;
	FUZZ_TRUE(x->weights ? seen || !found->found : found->found == seen); /* masses may be nothing */
	FUZZ_TRUE(!found->found || (0 <= b->xmin && b->xmin <= b->xmax && b->xmax < WIDTH && 0 <= b->ymin && b->ymin <= b->ymax && b->ymax < HEIGHT));
	fuzz_answer(explainer_map(x, CHOICES_DEFAULT.box.blur, map, &e), &e);
}

static void explain(struct explainer *x, const char *const *settings)
{
	uint8_t rgb[HEIGHT * WIDTH * 3];
	struct photo photo = {.width = WIDTH, .height = HEIGHT, .rgb = rgb};
	struct choices choices = CHOICES_DEFAULT;
	struct explanation found;
	struct error e;
	for (size_t i = 0; i < sizeof rgb; i++)
		rgb[i] = (uint8_t)(i * i * 31 + i);
	for (; *settings; settings++)
		FUZZ_TRUE(choices_assign(&choices, *settings, &e) == LSDN_OK);
	struct policy policies[2] = {choices.policy, choices.policy};
	policies[1].alpha.pre = 0.1;
	int code = explainer_feed(x, &photo, choices.view, &e);
	for (int k = 0; !code && k < x->class_count; k++)
		FUZZ_TRUE(x->probabilities[k] >= 0 && x->probabilities[k] <= 1);
	if (!code)
		code = explainer_walk(x, policies, 2, -1, &e);
	for (int p = 0; !code && p < 2; p++) {
		code = explainer_read(x, p, &choices.box, &found, &e);
		if (!code)
			check_explanation(x, &found, choices.box.kind);
	}
	fuzz_answer(code, &e);
}

void fuzz_explain(const uint8_t *data, size_t size)
{
	static const char *const SETTINGS[][13] = {
		{NULL},
		{"method=cnn-fixations", NULL},
		{"k_conv=3", "k_fc=2", "k_gap=all", "locate=center", "gate=none", "residual=both", "suc_form=power", "scale=max", "signed=false", "view=five",
			"top_n=2", "box=map", NULL},
		{"box=spread", "mass=true", "contrast=true", "k_share=0.5", "stride=2", "k_gap=all", NULL},
	};
	struct net net;
	struct explainer x = {0};
	struct error e;
	if (fuzz_answer(net_open_bytes(&net, data, size, "model", NULL, NULL, &e), &e))
		return;
	struct packed_weights *packed = is_small(&net.plan) ? packed_weights_open(&net.plan, &e) : NULL;
	if (packed && !fuzz_answer(explainer_open(&x, &net, packed, 1, &e), &e))
		for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
			explain(&x, SETTINGS[i]);
	explainer_close(&x);
	packed_weights_close(packed);
	net_close(&net);
}

static void add_constant(struct message *graph, const char *name, const int64_t *dims, int rank)
{
	struct message tensor = {0};
	int64_t count = 1;
	for (int d = 0; d < rank; d++) {
		put_int(&tensor, 1, dims[d]);
		count *= dims[d];
	}
	put_int(&tensor, 2, 1);
	for (int64_t i = 0; i < count; i++)
		put_float(&tensor, 4, (float)(i * 7 % 11 - 4) / 4);
	put_text(&tensor, 8, name);
	put_message(graph, 5, &tensor);
}

static void add_node(struct message *graph, const char *op_type, const char *input, const char *constant, const char *output, const char *attribute,
	int value)
{
	struct message node = {0}, pair = {0};
	put_text(&node, 1, input);
	if (constant)
		put_text(&node, 1, constant);
	put_text(&node, 2, output);
	put_text(&node, 4, op_type);
	if (attribute) {
		put_text(&pair, 1, attribute);
		put_int(&pair, 8, value);
		put_int(&pair, 8, value);
		put_message(&node, 5, &pair);
	}
	put_message(graph, 1, &node);
}

static void add_value(struct message *graph, int field, const char *name, const int64_t *dims, int rank)
{
	struct message dim = {0}, shape = {0}, type = {0}, value = {0};
	for (int d = 0; d < rank; d++) {
		put_int(&dim, 1, dims[d]);
		put_message(&shape, 1, &dim);
	}
	put_int(&type, 1, 1);
	put_message(&type, 2, &shape);
	put_message(&shape, 1, &type);
	put_text(&value, 1, name);
	put_message(&value, 2, &shape);
	put_message(graph, field, &value);
}

void fuzz_model(struct message *model)
{
	static struct message graph, opset;
	graph.size = opset.size = model->size = 0;
	add_node(&graph, "Conv", "x", "filters", "conv", NULL, 0);
	add_node(&graph, "Relu", "conv", NULL, "relu", NULL, 0);
	add_node(&graph, "MaxPool", "relu", NULL, "pool", "kernel_shape", 2);
	add_node(&graph, "Flatten", "pool", NULL, "flat", NULL, 0);
	add_node(&graph, "Gemm", "flat", "matrix", "scores", NULL, 0);
	add_constant(&graph, "filters", (int64_t[]){2, 3, 3, 3}, 4);
	add_constant(&graph, "matrix", (int64_t[]){18, 3}, 2);
	add_value(&graph, 11, "x", (int64_t[]){1, 3, 6, 6}, 4);
	add_value(&graph, 12, "scores", (int64_t[]){1, 3}, 2);
	put_message(model, 7, &graph);
	put_int(&opset, 2, 13);
	put_message(model, 8, &opset);
}
