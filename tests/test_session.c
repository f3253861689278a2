/* What a session keeps and what it knows again (session_value), in a residual block with a Concat behind it, of random shape, batch and numbers so small
 * that single precision computes everything exactly. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/supports.h"
#include "tests/random_plan.h"
#include "tests/suite.h"

enum { CASES = 60, SAMPLES = 150, TENSORS = 9, OPS = 8, MOST_CHANNELS = 32, MOST_BATCH = 4 };

struct block {
	struct plan plan;
	struct tensor tensors[TENSORS];
	struct op ops[OPS];
	float *weights[OPS], *bias[OPS];
};

static void set_op(struct block *b, int k, enum op_kind kind, int first, int second, int channels)
{
	const struct tensor *in = &b->tensors[first];
	b->ops[k] = (struct op){.kind = kind, .name = "op", .op_type = "op", .inputs = {first, second}, .input_count = second < 0 ? 1 : 2, .output = k + 1,
		.groups = 1};
	b->tensors[k + 1] = (struct tensor){.name = "t", .c = channels, .h = in->h, .w = in->w, .rank = 4, .maker = k};
}

static void set_conv(struct block *b, int k, int input, int channels, int side, struct pcg *rng)
{
	size_t size = (size_t)(side * side * b->tensors[input].c * channels);
	set_op(b, k, OP_CONV, input, -1, channels);
	b->ops[k].window = (struct window){.height = side, .width = side, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1, .top = side / 2,
		.left = side / 2, .bottom = side / 2, .right = side / 2};
	b->ops[k].weights = b->weights[k] = malloc(size * sizeof(float));
	b->ops[k].bias = b->bias[k] = malloc((size_t)channels * sizeof(float));
	for (size_t i = 0; i < size; i++)
		b->weights[k][i] = random_value(rng, RANDOM_WHOLE);
	for (int o = 0; o < channels; o++)
		b->bias[k][o] = random_value(rng, RANDOM_WHOLE);
}

/* 0 input; 1, 2 its convolutions; 3 their sum; 4 an activation; 5, 6 its convolutions; 7 both together; 8 their maxima. */
static void make_block(struct block *b, struct pcg *rng)
{
	static int input = 0;
	static const int SIDES[] = {1, 3}, LONGEST[] = {5, 14, 64};
	int longest = LONGEST[between(rng, 0, 2)], channels = between(rng, 1, MOST_CHANNELS), swap = between(rng, 0, 1);
	*b = (struct block){.tensors = {{.name = "in", .c = between(rng, 1, MOST_CHANNELS), .h = between(rng, 1, longest), .w = between(rng, 1, longest), .rank = 4,
		.maker = -1}}};
	set_conv(b, 0, 0, channels, SIDES[between(rng, 0, 1)], rng);
	set_conv(b, 1, 0, channels, SIDES[between(rng, 0, 1)], rng);
	set_op(b, 2, OP_ADD, 1 + swap, 2 - swap, channels);
	set_op(b, 3, OP_ACTIVATION, 3, -1, channels);
	b->ops[3].activation = (struct activation){.kind = between(rng, 0, 2) ? ACTIVATION_RELU : ACTIVATION_LEAKY, .alpha = 0.5f};
	/* The activation is read by both convolutions, or by the Concat alone. */
	int joined = between(rng, 0, 1), from = joined ? 0 : 4, first = joined ? 4 : 5;
	set_conv(b, 4, from, between(rng, 1, MOST_CHANNELS), 1, rng);
	set_conv(b, 5, from, between(rng, 1, MOST_CHANNELS), 3, rng);
	set_op(b, 6, OP_CONCAT, swap ? 6 : first, swap ? first : 6, b->tensors[first].c + b->tensors[6].c);
	set_op(b, 7, OP_GLOBAL_MAX_POOL, 7, -1, b->tensors[7].c);
	b->tensors[8].h = b->tensors[8].w = 1;
	b->plan = (struct plan){.tensors = b->tensors, .tensor_count = TENSORS, .ops = b->ops, .op_count = OPS, .inputs = &input, .input_count = 1, .output = 8,
		.scores = 8};
}

static double conv_at(const struct block *b, const struct op *op, const float *input, struct place s)
{
	const struct tensor *in = &b->tensors[op->inputs[0]];
	double sum = (double)op->bias[s.c];
	for (int i = 0; i < op->window.height; i++)
		for (int j = 0; j < op->window.width; j++)
			for (int c = 0; c < in->c; c++) {
				int y = s.y + i - op->window.top, x = s.x + j - op->window.left;
				if (y >= 0 && y < in->h && x >= 0 && x < in->w)
					sum += (double)input[(y * in->w + x) * in->c + c] * (double)op->weights[((s.c * op->window.height + i) * op->window.width + j) * in->c + c];
			}
	return sum;
}

/* What element n of op's output must be, from the op's inputs. */
static double expected(const struct block *b, const struct session *s, int image, const struct op *op, size_t n)
{
	struct place p = neuron_place(&b->tensors[op->output], (neuron_t)n);
	int first = op->inputs[0], second = op->inputs[1];
	double value;
	switch (op->kind) {
	case OP_CONV: return conv_at(b, op, session_tensor(s, first, image), p);
	case OP_ADD: return (double)session_value(s, first, image, n) + (double)session_value(s, second, image, n);
	case OP_CONCAT:
		if (p.c >= b->tensors[first].c) {
			p.c -= b->tensors[first].c;
			first = second;
		}
		return (double)session_value(s, first, image, place_neuron(&b->tensors[first], p));
	default:
		value = (double)session_value(s, first, image, n);
		return value > 0 ? value : op->activation.kind == ACTIVATION_RELU ? 0 : value / 2;
	}
}

START_TEST(random_blocks)
{
	struct error e;
	int hidden[TENSORS] = {0};
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct block b;
		pcg_seed(&rng, random_seed(), i);
		make_block(&b, &rng);
		int batch = between(&rng, 1, MOST_BATCH);
		struct packed_weights *packed = packed_weights_open(&b.plan, &e);
		struct session *s = session_open(&b.plan, packed, batch, between(&rng, 1, 2), &e);
		ck_assert_msg(s != NULL, "case %u of LSDN_SEED=%llu: %s", i, (unsigned long long)random_seed(), e.message);
		for (int image = 0; image < batch; image++)
			for (size_t k = 0; k < tensor_size(&b.tensors[0]); k++)
				session_tensor(s, 0, image)[k] = random_value(&rng, RANDOM_WHOLE);
		ck_assert_msg(session_run(s, &e) == 0, "%s", e.message);
		for (int k = 0; k < OPS - 1; k++)
			for (int sample = 0; sample < SAMPLES; sample++) {
				int t = k + 1, image = between(&rng, 0, batch - 1);
				size_t n = pcg_below(&rng, (uint32_t)tensor_size(&b.tensors[t]));
				double got = (double)session_value(s, t, image, n), want = expected(&b, s, image, &b.ops[k], n);
				ck_assert_msg(got == want, "case %u of LSDN_SEED=%llu: image %d of %d, tensor %d, element %zu is %g, not %g", i,
					(unsigned long long)random_seed(), image, batch, t, n, got, want);
			}
		for (int t = 0; t < TENSORS; t++)
			hidden[t] += !session_tensor(s, t, 0);
		session_close(s);
		packed_weights_close(packed);
		for (int k = 0; k < OPS; k++) {
			free(b.weights[k]);
			free(b.bias[k]);
		}
	}
	ck_assert_msg(hidden[2] && hidden[3] && hidden[4] && hidden[5] && hidden[6], "a tensor was always kept");
	printf("session: %d random blocks; not kept: operand %d, sum %d, branches %d and %d times\n", CASES, hidden[2], hidden[3], hidden[5], hidden[6]);
}
END_TEST

/* A fully connected layer of AlexNet's shape gives the same bytes whatever the threads. */
START_TEST(same_whatever_the_threads)
{
	enum { INPUTS = 9216, OUTPUTS = 4096, BATCH = 2 };
	struct error e;
	struct pcg rng;
	int first = 0;
	pcg_seed(&rng, random_seed(), CASES);
	float *weights = malloc((size_t)INPUTS * OUTPUTS * sizeof *weights), *input = malloc(BATCH * INPUTS * sizeof *input);
	for (size_t i = 0; i < (size_t)INPUTS * OUTPUTS; i++)
		weights[i] = random_value(&rng, RANDOM_REAL);
	for (size_t i = 0; i < BATCH * INPUTS; i++)
		input[i] = random_value(&rng, RANDOM_REAL);
	struct tensor tensors[] = {{.name = "in", .c = INPUTS, .h = 1, .w = 1, .rank = 2, .maker = -1}, {.name = "out", .c = OUTPUTS, .h = 1, .w = 1, .rank = 2}};
	struct op op = {.kind = OP_GEMM, .name = "op", .op_type = "op", .inputs = {0}, .input_count = 1, .output = 1, .groups = 1, .weights = weights};
	struct plan plan = {.tensors = tensors, .tensor_count = 2, .ops = &op, .op_count = 1, .inputs = &first, .input_count = 1, .output = 1, .scores = 1};
	struct packed_weights *packed = packed_weights_open(&plan, &e);
	struct session *s[2];
	for (int k = 0; k < 2; k++) {
		s[k] = session_open(&plan, packed, BATCH, k + 1, &e);
		ck_assert_msg(s[k] != NULL, "%s", e.message);
		memcpy(session_tensor(s[k], 0, 0), input, BATCH * INPUTS * sizeof *input);
		ck_assert_msg(session_run(s[k], &e) == 0, "%s", e.message);
	}
	ck_assert(memcmp(session_tensor(s[0], 1, 0), session_tensor(s[1], 1, 0), BATCH * OUTPUTS * sizeof(float)) == 0);
	session_close(s[0]);
	session_close(s[1]);
	packed_weights_close(packed);
	free(weights);
	free(input);
}
END_TEST

struct layer {
	struct tensor tensors[2];
	struct op op;
	struct plan plan;
	float *weights, *bias;
};

static void make_layer(struct layer *l, struct pcg *rng)
{
	static int first = 0;
	static const struct activation ACTIVATIONS[] = {{.kind = ACTIVATION_NONE}, {.kind = ACTIVATION_RELU}, {.kind = ACTIVATION_LEAKY, .alpha = 0.1f},
		{.kind = ACTIVATION_CLIP, .alpha = -1, .beta = 2}, {.kind = ACTIVATION_HARD_SIGMOID, .alpha = 0.2f, .beta = 0.5f}};
	int inputs = between(rng, 1, 600), outputs = between(rng, 1, 70);
	*l = (struct layer){.tensors = {{.name = "in", .c = inputs, .h = 1, .w = 1, .rank = 2, .maker = -1}, {.name = "out", .c = outputs, .h = 1, .w = 1, .rank = 2}}};
	l->weights = malloc((size_t)(inputs * outputs) * sizeof *l->weights);
	l->bias = malloc((size_t)outputs * sizeof *l->bias);
	for (int i = 0; i < inputs * outputs; i++)
		l->weights[i] = random_value(rng, RANDOM_REAL);
	for (int o = 0; o < outputs; o++)
		l->bias[o] = random_value(rng, RANDOM_REAL);
	l->op = (struct op){.kind = OP_GEMM, .name = "op", .op_type = "op", .inputs = {0}, .input_count = 1, .output = 1, .groups = 1, .weights = l->weights,
		.bias = between(rng, 0, 1) ? l->bias : NULL, .activation = ACTIVATIONS[between(rng, 0, 4)]};
	l->plan = (struct plan){.tensors = l->tensors, .tensor_count = 2, .ops = &l->op, .op_count = 1, .inputs = &first, .input_count = 1, .output = 1, .scores = 1};
}

static double activated(const struct activation *a, double x)
{
	switch (a->kind) {
	case ACTIVATION_RELU: return x > 0 ? x : 0;
	case ACTIVATION_LEAKY: return x > 0 ? x : (double)a->alpha * x;
	case ACTIVATION_CLIP: return fmin(fmax(x, (double)a->alpha), (double)a->beta);
	case ACTIVATION_HARD_SIGMOID: return fmin(fmax((double)a->alpha * x + (double)a->beta, 0), 1);
	default: return x;
	}
}

/* Each image of a batch has the bytes that it has alone, and they are what the formula says. */
START_TEST(same_whatever_the_batch)
{
	enum { LAYERS = 150, MOST_IMAGES = 20 };
	struct error e;
	for (uint32_t i = 0; i < LAYERS; i++) {
		struct pcg rng;
		struct layer l;
		pcg_seed(&rng, random_seed(), CASES + 1 + i);
		make_layer(&l, &rng);
		size_t inputs = (size_t)l.tensors[0].c, outputs = (size_t)l.tensors[1].c;
		int batch = between(&rng, 1, MOST_IMAGES);
		struct packed_weights *packed = packed_weights_open(&l.plan, &e);
		struct session *many = session_open(&l.plan, packed, batch, between(&rng, 1, 2), &e), *one = session_open(&l.plan, packed, 1, 1, &e);
		ck_assert_msg(many && one, "%s", e.message);
		for (int image = 0; image < batch; image++)
			for (size_t k = 0; k < inputs; k++)
				session_tensor(many, 0, image)[k] = random_value(&rng, RANDOM_REAL);
		ck_assert_msg(session_run(many, &e) == 0, "%s", e.message);
		for (int image = 0; image < batch; image++) {
			const float *input = session_tensor(many, 0, image), *output = session_tensor(many, 1, image);
			memcpy(session_tensor(one, 0, 0), input, inputs * sizeof *input);
			ck_assert_msg(session_run(one, &e) == 0, "%s", e.message);
			ck_assert_msg(memcmp(session_tensor(one, 1, 0), output, outputs * sizeof *output) == 0, "case %u of LSDN_SEED=%llu: image %d of %d", i,
				(unsigned long long)random_seed(), image, batch);
			for (size_t o = 0; o < outputs; o++) {
				double sum = l.op.bias ? (double)l.op.bias[o] : 0, size = fabs(sum);
				for (size_t k = 0; k < inputs; k++) {
					sum += (double)input[k] * (double)l.weights[o * inputs + k];
					size += fabs((double)input[k] * (double)l.weights[o * inputs + k]);
				}
				ck_assert_double_eq_tol((double)output[o], activated(&l.op.activation, sum), 1e-6 * (size + 1));
			}
		}
		session_close(many);
		session_close(one);
		packed_weights_close(packed);
		free(l.weights);
		free(l.bias);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *cases = tcase_create("session");
	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, random_blocks);
	tcase_add_test(cases, same_whatever_the_threads);
	tcase_add_test(cases, same_whatever_the_batch);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
