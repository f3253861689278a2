/* The backward pass against central differences of a plain forward pass in double precision, on random networks of every operator.
 *
 * Differences with a step of 1e-6 are good to about 1e-9; single precision to some 1e-5 of the terms that are summed. Where an activation or a maximum
 * is about to turn, within 1e-4, single precision may have turned already: such cases are left out, and counted. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/net/backward.h"
#include "tests/random.h"
#include "tests/random_plan.h"
#include "tests/suite.h"

enum { CASES = 1500, DIRECTIONS = 2, MOST_OPS = 9, MOST_TENSORS = MOST_OPS + 1, MOST_CHANNELS = 24 };

static const double STEP = 1e-6, NEAR_TURN = 1e-4, ROUNDING = 1e-3;

struct network {
	struct plan plan;
	struct tensor tensors[MOST_TENSORS];
	struct op ops[MOST_OPS];
	struct arena arena;
	double *values[MOST_TENSORS]; /* of the reference, NHWC */
	double margin;                /* how near it came to where an activation or a maximum turns */
};

static float *reals(struct network *n, size_t count, double least, double most, struct pcg *rng)
{
	float *values = arena_alloc(&n->arena, count, sizeof *values);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(least + (most - least) * pcg_double(rng));
	return values;
}

static struct op *add_op(struct network *n, enum op_kind kind, int first, int second, int c, int h, int w)
{
	int k = n->plan.op_count++, t = n->plan.tensor_count++;
	n->ops[k] = (struct op){.kind = kind, .name = "op", .op_type = "op", .inputs = {first, second}, .input_count = second < 0 ? 1 : 2, .output = t, .groups = 1};
	n->tensors[t] = (struct tensor){.name = "t", .c = c, .h = h, .w = w, .rank = h * w > 1 ? 4 : 2, .maker = k};
	return &n->ops[k];
}

static struct activation random_activation(struct network *n, int channels, struct pcg *rng)
{
	struct activation a = {.kind = (enum activation_kind)between(rng, ACTIVATION_RELU, ACTIVATION_ELU)};
	switch (a.kind) {
	case ACTIVATION_LEAKY:
	case ACTIVATION_ELU: a.alpha = between(rng, 0, 3) ? 0.2f : -0.3f; break;
	case ACTIVATION_PRELU: a.slopes = reals(n, (size_t)channels, -0.5, 0.5, rng); break;
	case ACTIVATION_CLIP: a.alpha = between(rng, 0, 1) ? 0 : -0.7f; a.beta = 1; break;
	case ACTIVATION_HARD_SIGMOID: a.alpha = 0.3f; a.beta = 0.4f; break;
	default: break;
	}
	return a;
}

static int conv(struct network *n, int t, bool pointwise, struct pcg *rng)
{
	const struct tensor in = n->tensors[t];
	struct window w = {.height = 1, .width = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	int kinds = between(rng, 0, 3), groups = pointwise ? 1 : kinds == 0 ? in.c : kinds == 1 && in.c % 2 == 0 ? 2 : 1;
	if (!pointwise) {
		w = (struct window){.height = between(rng, 1, 4), .width = between(rng, 1, 4), .stride_y = between(rng, 1, 3), .stride_x = between(rng, 1, 3),
			.dilation_y = between(rng, 1, 2), .dilation_x = between(rng, 1, 2), .top = between(rng, 0, 3), .left = between(rng, 0, 3),
			.bottom = between(rng, 0, 3), .right = between(rng, 0, 3)};
		while (in.h + w.top + w.bottom < (w.height - 1) * w.dilation_y + 1)
			w.top++;
		while (in.w + w.left + w.right < (w.width - 1) * w.dilation_x + 1)
			w.left++;
	}
	int outputs = groups == 1 ? between(rng, 1, MOST_CHANNELS) : groups * between(rng, 1, groups > 2 ? 1 : MOST_CHANNELS / 4);
	struct op *op = add_op(n, OP_CONV, t, -1, pointwise ? in.c : outputs, side_after(in.h, w.height, w.stride_y, w.dilation_y, w.top + w.bottom),
		side_after(in.w, w.width, w.stride_x, w.dilation_x, w.left + w.right));
	size_t each = (size_t)(w.height * w.width) * (size_t)(in.c / groups), channels = (size_t)n->tensors[op->output].c;
	double bound = 2 / sqrt((double)each);
	op->window = w;
	op->groups = groups;
	op->weights = reals(n, each * channels, -bound, bound, rng);
	op->bias = between(rng, 0, 2) ? reals(n, channels, -0.5, 0.5, rng) : NULL;
	if (between(rng, 0, 3))
		op->activation = random_activation(n, (int)channels, rng);
	if (op->activation.kind == ACTIVATION_PRELU)
		op->activation.kind = ACTIVATION_RELU; /* plans never fuse it */
	return op->output;
}

static int gemm(struct network *n, int t, int outputs, struct pcg *rng)
{
	const struct tensor in = n->tensors[t];
	struct op *op = add_op(n, OP_GEMM, t, -1, outputs, 1, 1);
	op->weights = reals(n, (size_t)(in.c * outputs), -1, 1, rng);
	op->bias = reals(n, (size_t)outputs, -0.5, 0.5, rng);
	return op->output;
}

static int pool(struct network *n, int t, struct pcg *rng)
{
	static const enum op_kind KINDS[] = {OP_MAX_POOL, OP_MAX_POOL, OP_AVERAGE_POOL, OP_AVERAGE_POOL, OP_GLOBAL_MAX_POOL, OP_GLOBAL_AVERAGE_POOL};
	const struct tensor in = n->tensors[t];
	enum op_kind kind = KINDS[between(rng, 0, 5)];
	struct window w = {.height = between(rng, 1, in.h < 4 ? in.h : 4), .width = between(rng, 1, in.w < 4 ? in.w : 4), .stride_y = between(rng, 1, 3),
		.stride_x = between(rng, 1, 3), .dilation_y = 1, .dilation_x = 1};
	w.top = between(rng, 0, w.height - 1);
	w.left = between(rng, 0, w.width - 1);
	w.bottom = between(rng, 0, w.height - 1);
	w.right = between(rng, 0, w.width - 1);
	bool global = kind == OP_GLOBAL_AVERAGE_POOL || kind == OP_GLOBAL_MAX_POOL;
	struct op *op = add_op(n, kind, t, -1, in.c, global ? 1 : side_after(in.h, w.height, w.stride_y, 1, w.top + w.bottom),
		global ? 1 : side_after(in.w, w.width, w.stride_x, 1, w.left + w.right));
	op->window = w;
	op->count_include_pad = between(rng, 0, 1);
	return op->output;
}

static int reindex(struct network *n, int t, struct pcg *rng)
{
	const struct tensor in = n->tensors[t];
	size_t size = tensor_size(&in);
	int kind = between(rng, 0, 2);
	struct op *op = add_op(n, OP_REINDEX, t, -1, kind == 0 ? (int)size : in.c, kind == 0 ? 1 : in.h, kind == 0 ? 1 : in.w);
	if (kind == 0)
		return op->output; /* the same elements */
	uint32_t *from = arena_alloc(&n->arena, size, sizeof *from);
	for (size_t i = 0; i < size; i++)
		from[i] = pcg_below(rng, 10) ? pcg_below(rng, (uint32_t)size) : OP_FILL;
	op->from = from;
	op->fill = 0.25f;
	return op->output;
}

/* One op of any kind, perhaps with a branch for it. */
static int any_op(struct network *n, int t, struct pcg *rng)
{
	const struct tensor in = n->tensors[t];
	struct op *op;
	int other;
	switch (between(rng, 0, 12)) {
	case 0:
	case 1:
	case 2: return conv(n, t, between(rng, 0, 3) == 0, rng);
	case 3:
	case 4: return pool(n, t, rng);
	case 5: return reindex(n, t, rng);
	case 6:
		op = add_op(n, OP_ACTIVATION, t, -1, in.c, in.h, in.w);
		op->activation = random_activation(n, in.c, rng);
		return op->output;
	case 7:
		op = add_op(n, OP_LRN, t, -1, in.c, in.h, in.w);
		op->lrn.size = between(rng, 1, 6);
		op->lrn.alpha = 0.8f;
		op->lrn.beta = between(rng, 0, 1) ? 0.75f : 0.6f;
		op->lrn.bias = 1.5f;
		return op->output;
	case 8:
		op = add_op(n, between(rng, 0, 1) ? OP_LAYER_NORM : OP_SCALE, t, -1, in.c, in.h, in.w);
		op->scale = reals(n, (size_t)in.c, -2, 2, rng);
		op->shift = reals(n, (size_t)in.c, -1, 1, rng);
		op->epsilon = 0.1f;
		return op->output;
	case 9: /* perhaps the sum of a tensor with itself, perhaps with a ReLU behind it */
		other = between(rng, 0, 4) ? conv(n, t, true, rng) : t;
		op = between(rng, 0, 1) ? add_op(n, OP_ADD, t, other, in.c, in.h, in.w) : add_op(n, OP_ADD, other, t, in.c, in.h, in.w);
		if (n->plan.op_count == MOST_OPS || between(rng, 0, 1))
			return op->output;
		other = op->output;
		op = add_op(n, OP_ACTIVATION, other, -1, in.c, in.h, in.w);
		op->activation.kind = ACTIVATION_RELU;
		return op->output;
	case 10:
		other = between(rng, 0, 3) ? conv(n, t, true, rng) : t;
		return add_op(n, OP_MUL, t, other, in.c, in.h, in.w)->output;
	case 11:
		op = add_op(n, OP_GLOBAL_AVERAGE_POOL, t, -1, in.c, 1, 1);
		other = conv(n, op->output, true, rng);
		return add_op(n, OP_GATE, t, other, in.c, in.h, in.w)->output;
	default:
		other = conv(n, t, true, rng);
		return add_op(n, OP_CONCAT, other, between(rng, 0, 1) ? t : other, 2 * in.c, in.h, in.w)->output;
	}
}

static void make_network(struct network *n, struct pcg *rng)
{
	static int input = 0;
	enum { BRANCHED = 3, LAST = 3 };
	*n = (struct network){.plan = {.inputs = &input, .input_count = 1}};
	n->tensors[0] = (struct tensor){.name = "in", .c = between(rng, 1, MOST_CHANNELS), .h = between(rng, 1, 8), .w = between(rng, 1, 8), .rank = 4, .maker = -1};
	n->plan.tensor_count = 1;
	int t = 0, layers = between(rng, 1, 4);
	for (int k = 0; k < layers && n->plan.op_count + BRANCHED + LAST <= MOST_OPS; k++)
		t = any_op(n, t, rng);
	if (n->tensors[t].h * n->tensors[t].w > 1)
		t = add_op(n, OP_REINDEX, t, -1, (int)tensor_size(&n->tensors[t]), 1, 1)->output;
	t = gemm(n, t, between(rng, 2, MOST_CHANNELS), rng);
	n->plan.scores = n->plan.output = t;
	if (between(rng, 0, 1))
		n->plan.output = add_op(n, between(rng, 0, 1) ? OP_SOFTMAX : OP_LOG_SOFTMAX, t, -1, n->tensors[t].c, 1, 1)->output;
	n->plan.tensors = n->tensors;
	n->plan.ops = n->ops;
	for (int k = 0; k < n->plan.tensor_count; k++)
		n->values[k] = arena_alloc(&n->arena, tensor_size(&n->tensors[k]), sizeof **n->values);
}

static void turns_at(struct network *n, double x)
{
	n->margin = fmin(n->margin, fabs(x));
}

static double activate(struct network *n, const struct activation *a, double x, int c)
{
	switch (a->kind) {
	case ACTIVATION_NONE: return x;
	case ACTIVATION_RELU: turns_at(n, x); return fmax(x, 0);
	case ACTIVATION_LEAKY: turns_at(n, x); return x > 0 ? x : a->alpha * x;
	case ACTIVATION_PRELU: turns_at(n, x); return x > 0 ? x : a->slopes[c] * x;
	case ACTIVATION_CLIP: turns_at(n, x - a->alpha); turns_at(n, x - a->beta); return fmin(fmax(x, a->alpha), a->beta);
	case ACTIVATION_SIGMOID: return 1 / (1 + exp(-x));
	case ACTIVATION_HARD_SIGMOID: x = a->alpha * x + a->beta; turns_at(n, x); turns_at(n, x - 1); return fmax(0, fmin(1, x));
	case ACTIVATION_HARD_SWISH: turns_at(n, x - 3); turns_at(n, x + 3); return x * fmax(0, fmin(1, x / 6 + 0.5));
	case ACTIVATION_SWISH: return x / (1 + exp(-x));
	case ACTIVATION_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
	case ACTIVATION_TANH: return tanh(x);
	case ACTIVATION_ELU: turns_at(n, x); return x > 0 ? x : a->alpha * expm1(x);
	}
	return x;
}

static double value_at(const struct tensor *t, const double *values, int c, int y, int x)
{
	return y >= 0 && y < t->h && x >= 0 && x < t->w ? values[(y * t->w + x) * t->c + c] : 0;
}

static double conv_at(const struct network *n, const struct op *op, int o, int y, int x)
{
	const struct tensor *in = &n->tensors[op->inputs[0]], *out = &n->tensors[op->output];
	const struct window *w = &op->window;
	int inputs = in->c / op->groups, first = o / (out->c / op->groups) * inputs;
	double sum = op->bias ? op->bias[o] : 0;
	for (int i = 0; i < w->height; i++)
		for (int j = 0; j < w->width; j++)
			for (int c = 0; c < inputs; c++)
				sum += (double)op->weights[((o * w->height + i) * w->width + j) * inputs + c]
					* value_at(in, n->values[op->inputs[0]], first + c, y * w->stride_y - w->top + i * w->dilation_y, x * w->stride_x - w->left + j * w->dilation_x);
	return sum;
}

static double pool_at(struct network *n, const struct op *op, int c, int y, int x)
{
	const struct tensor *in = &n->tensors[op->inputs[0]];
	bool global = op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL, maximum = op->kind == OP_MAX_POOL || op->kind == OP_GLOBAL_MAX_POOL;
	int y0 = global ? 0 : y * op->window.stride_y - op->window.top, x0 = global ? 0 : x * op->window.stride_x - op->window.left;
	int y1 = y0 + (global ? in->h : op->window.height), x1 = x0 + (global ? in->w : op->window.width), count = 0;
	double sum = 0, highest = -INFINITY, second = -INFINITY;
	for (int i = y0; i < y1; i++)
		for (int j = x0; j < x1; j++) {
			bool within = i >= 0 && j >= 0 && i < in->h && j < in->w;
			double v = value_at(in, n->values[op->inputs[0]], c, i, j);
			sum += v;
			count += within || (!global && op->count_include_pad);
			if (within) {
				second = fmax(second, fmin(highest, v));
				highest = fmax(highest, v);
			}
		}
	if (maximum)
		turns_at(n, highest - second);
	return maximum ? highest : sum / count;
}

static double normal_at(const struct network *n, const struct op *op, int c, int y, int x)
{
	const struct tensor *in = &n->tensors[op->inputs[0]];
	const double *at = n->values[op->inputs[0]] + (y * in->w + x) * in->c;
	double sum = 0, squares = 0, size = op->lrn.size;
	if (op->kind == OP_LRN) {
		int half = (op->lrn.size - 1) / 2;
		for (int k = c - half; k <= c + half; k++)
			squares += k >= 0 && k < in->c ? at[k] * at[k] : 0;
		return at[c] / pow(op->lrn.bias + (double)op->lrn.alpha / size * squares, op->lrn.beta);
	}
	for (int k = 0; k < in->c; k++)
		sum += at[k] / in->c;
	for (int k = 0; k < in->c; k++)
		squares += (at[k] - sum) * (at[k] - sum) / in->c;
	return op->scale[c] * (at[c] - sum) / sqrt(squares + op->epsilon) + op->shift[c];
}

static double element(struct network *n, const struct op *op, size_t i)
{
	const struct tensor *out = &n->tensors[op->output];
	const double *in = n->values[op->inputs[0]], *other = n->values[op->inputs[op->input_count - 1]];
	int c = (int)i % out->c, x = (int)i / out->c % out->w, y = (int)i / out->c / out->w, channels = n->tensors[op->inputs[0]].c;
	double sum = 0;
	switch (op->kind) {
	case OP_CONV: return activate(n, &op->activation, conv_at(n, op, c, y, x), c);
	case OP_GEMM:
		for (int k = 0; k < channels; k++)
			sum += (double)op->weights[c * channels + k] * in[k];
		return sum + op->bias[c];
	case OP_CONCAT: return c < channels ? in[(y * out->w + x) * channels + c] : other[(y * out->w + x) * (out->c - channels) + c - channels];
	case OP_ADD: return in[i] + other[i];
	case OP_MUL: return in[i] * other[i];
	case OP_REINDEX: return op_source(op, (uint32_t)i) == OP_FILL ? op->fill : in[op_source(op, (uint32_t)i)];
	case OP_ACTIVATION: return activate(n, &op->activation, in[i], c);
	case OP_LRN:
	case OP_LAYER_NORM: return normal_at(n, op, c, y, x);
	case OP_SCALE: return op->scale[c] * in[i] + op->shift[c];
	case OP_GATE: return in[i] * other[c];
	case OP_SOFTMAX:
	case OP_LOG_SOFTMAX:
		for (int k = 0; k < channels; k++)
			sum += exp(in[k]);
		return op->kind == OP_SOFTMAX ? exp(in[i]) / sum : in[i] - log(sum);
	default: return pool_at(n, op, c, y, x);
	}
}

/* The seed's product with tensor `start`, where `step` times the direction is added to tensor `moved`. */
static double forward(struct network *n, const float *input, int start, const double *seed, int moved, const double *direction, double step)
{
	double sum = 0;
	for (int t = 0; t < n->plan.tensor_count; t++)
		for (size_t i = 0; i < tensor_size(&n->tensors[t]); i++) {
			n->values[t][i] = n->tensors[t].maker < 0 ? input[i] : element(n, &n->ops[n->tensors[t].maker], i);
			n->values[t][i] += t == moved ? step * direction[i] : 0;
			sum += t == start ? seed[i] * n->values[t][i] : 0;
		}
	return sum;
}

/* True where the gradient of a random combination of tensor `start` by tensor `target` is as differences say; *near: too near a turn to say. */
static bool check_gradient(struct network *n, const struct session *s, int image, struct backward *b, int start, int target, bool *near,
	struct pcg *rng)
{
	struct error e;
	size_t outputs = tensor_size(&n->tensors[start]), size = tensor_size(&n->tensors[target]);
	double *seed = arena_alloc(&n->arena, outputs, sizeof *seed), *direction = arena_alloc(&n->arena, size, sizeof *direction);
	float *start_gradient = arena_alloc(&n->arena, outputs, sizeof *start_gradient);
	for (size_t i = 0; i < outputs; i++)
		seed[i] = start_gradient[i] = (float)(2 * pcg_double(rng) - 1);
	ck_assert_msg(backward_run(b, s, image, start, start_gradient, target, NULL, &e) == 0, "%s", e.message);
	const float *gradient = backward_gradient(b, target), *input = session_tensor(s, 0, image);
	for (int d = 0; d < DIRECTIONS; d++) {
		double along = 0, all = 0;
		size_t only = pcg_below(rng, (uint32_t)size); /* the second direction is a single element */
		for (size_t i = 0; i < size; i++) {
			direction[i] = d == 0 ? 2 * pcg_double(rng) - 1 : i == only;
			along += (double)gradient[i] * direction[i];
			all = fmax(all, fabs((double)gradient[i]));
		}
		n->margin = INFINITY;
		double difference = (forward(n, input, start, seed, target, direction, STEP) - forward(n, input, start, seed, target, direction, -STEP)) / (2 * STEP);
		*near = n->margin < NEAR_TURN;
		if (*near || !(fabs(difference - along) <= ROUNDING * all + 1e-5))
			return *near;
	}
	return true;
}

START_TEST(random_networks)
{
	struct error e;
	int tried[OP_LOG_SOFTMAX + 1] = {0}, near_count = 0;
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct network n;
		bool near;
		pcg_seed(&rng, random_seed(), i);
		make_network(&n, &rng);
		struct packed_weights *packed = packed_weights_open(&n.plan, &e);
		int batch = between(&rng, 1, 3), image = between(&rng, 0, batch - 1);
		struct session *s = session_open(&n.plan, packed, batch, 1, &e);
		struct linear_weights *weights = linear_weights_open(&n.plan, 1, &e);
		struct backward *b = s && weights ? backward_open(&n.plan, weights, 1, &e) : NULL;
		ck_assert_msg(b != NULL, "case %u of LSDN_SEED=%llu: %s", i, (unsigned long long)random_seed(), e.message);
		for (size_t k = 0; k < (size_t)batch * tensor_size(&n.tensors[0]); k++)
			session_tensor(s, 0, 0)[k] = (float)(2 * pcg_double(&rng) - 1); /* one image behind the other */
		ck_assert_msg(session_run(s, &e) == 0, "%s", e.message);
		int target = between(&rng, 0, 2) ? 0 : between(&rng, 0, n.plan.scores);
		int start = between(&rng, 0, 2) ? n.plan.output : between(&rng, target, n.plan.output);
		ck_assert_msg(check_gradient(&n, s, image, b, start, target, &near, &rng), "case %u of LSDN_SEED=%llu: tensor %d by tensor %d (op %d)", i,
			(unsigned long long)random_seed(), start, target, (int)n.ops[start - 1].kind);
		near_count += near;
		for (int k = 0; !near && k < n.plan.op_count; k++)
			tried[n.ops[k].kind]++;
		backward_close(b);
		linear_weights_close(weights);
		session_close(s);
		packed_weights_close(packed);
		arena_free(&n.arena);
	}
	for (int k = 0; k <= OP_LOG_SOFTMAX; k++)
		ck_assert_msg(tried[k] > 0, "no network had operator %d", k);
	ck_assert(near_count < CASES / 2);
	printf("backward: %d random networks, %d of them too near a turn\n", CASES, near_count);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backward");
	TCase *cases = tcase_create("backward");
	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, random_networks);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
