/* The fast supports against the plain ones, and oneDNN's layers against the sum of their supports, on random shapes.
 *
 * A single-precision sum of n products is within n * 2^-24 of the sum of their absolute values (N. J. Higham, "Accuracy and Stability of Numerical
 * Algorithms", 2002, section 3.1); windows here have at most 49 products a channel, layers at most 49 * 40. Places must be the same, but where two
 * products are equal to a last bit. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/reference.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { CASES = 3000, MAX_CHANNELS = 40 };

static const double WINDOW_ROUNDING = 49 * 0x1p-23, LAYER_ROUNDING = 49 * 40 * 0x1p-23;

/* Mostly plain numbers, with zeros and repeated values (ties) among them. */
static float random_value(struct pcg *rng)
{
	uint32_t kind = pcg_below(rng, 8);
	if (kind == 0)
		return 0;
	if (kind == 1)
		return (float)pcg_below(rng, 3) - 1;
	return (float)(2 * pcg_double(rng) - 1);
}

/* A plan of two layers: a random layer, then a Conv over it. */
struct random_plan {
	struct plan plan;
	struct tensor tensors[3];
	struct op ops[2];
	float *weights[2], *bias[2];
};

static int side_after(int side, int kernel, int stride, int dilation, int pads)
{
	return (side + pads - (kernel - 1) * dilation - 1) / stride + 1;
}

/* A Conv with any geometry that fits; sizes straddle the vector width of 16. */
static void random_conv(struct random_plan *r, int k, struct pcg *rng)
{
	const struct tensor *in = &r->tensors[k];
	struct op *op = &r->ops[k];
	struct window *w = &op->window;
	int kinds = between(rng, 0, 3);
	op->kind = OP_CONV;
	op->groups = kinds == 0 ? in->c : kinds == 1 && in->c % 2 == 0 ? 2 : 1;
	*w = (struct window){.height = between(rng, 1, 5), .width = between(rng, 1, 5), .stride_y = between(rng, 1, 3), .stride_x = between(rng, 1, 3),
		.dilation_y = between(rng, 1, 2), .dilation_x = between(rng, 1, 2), .top = between(rng, 0, 4), .left = between(rng, 0, 4),
		.bottom = between(rng, 0, 4), .right = between(rng, 0, 4)};
	while (in->h + w->top + w->bottom < (w->height - 1) * w->dilation_y + 1)
		w->top++;
	while (in->w + w->left + w->right < (w->width - 1) * w->dilation_x + 1)
		w->left++;
	r->tensors[k + 1] = (struct tensor){.name = "t", .c = op->groups * between(rng, 1, op->groups > 2 ? 1 : MAX_CHANNELS / 2), .rank = 4, .maker = k,
		.h = side_after(in->h, w->height, w->stride_y, w->dilation_y, w->top + w->bottom),
		.w = side_after(in->w, w->width, w->stride_x, w->dilation_x, w->left + w->right)};
	size_t count = (size_t)r->tensors[k + 1].c * (size_t)(w->height * w->width) * (size_t)(in->c / op->groups);
	r->weights[k] = malloc(count * sizeof(float));
	r->bias[k] = malloc((size_t)r->tensors[k + 1].c * sizeof(float));
	for (size_t i = 0; i < count; i++)
		r->weights[k][i] = random_value(rng);
	for (int o = 0; o < r->tensors[k + 1].c; o++)
		r->bias[k][o] = random_value(rng);
	op->weights = r->weights[k];
	op->bias = r->bias[k];
}

static void random_pool(struct random_plan *r, struct pcg *rng)
{
	const struct tensor *in = &r->tensors[0];
	struct op *op = &r->ops[0];
	struct window *w = &op->window;
	static const enum op_kind KINDS[] = {OP_MAX_POOL, OP_AVERAGE_POOL, OP_GLOBAL_AVERAGE_POOL, OP_GLOBAL_MAX_POOL};
	op->kind = KINDS[between(rng, 0, 3)];
	op->count_include_pad = between(rng, 0, 1);
	*w = (struct window){.height = between(rng, 1, in->h < 4 ? in->h : 4), .width = between(rng, 1, in->w < 4 ? in->w : 4),
		.stride_y = between(rng, 1, 3), .stride_x = between(rng, 1, 3), .dilation_y = 1, .dilation_x = 1};
	w->top = between(rng, 0, w->height - 1);
	w->bottom = between(rng, 0, w->height - 1);
	w->left = between(rng, 0, w->width - 1);
	w->right = between(rng, 0, w->width - 1);
	bool global = op->kind == OP_GLOBAL_AVERAGE_POOL || op->kind == OP_GLOBAL_MAX_POOL;
	r->tensors[1] = (struct tensor){.name = "t", .c = in->c, .rank = 4, .maker = 0,
		.h = global ? 1 : side_after(in->h, w->height, w->stride_y, 1, w->top + w->bottom),
		.w = global ? 1 : side_after(in->w, w->width, w->stride_x, 1, w->left + w->right)};
}

static void random_plan_make(struct random_plan *r, struct pcg *rng)
{
	static int input = 0;
	*r = (struct random_plan){.tensors = {{.name = "in", .c = between(rng, 1, MAX_CHANNELS), .h = between(rng, 1, 9), .w = between(rng, 1, 9), .rank = 4,
		.maker = -1}}};
	for (int k = 0; k < 2; k++)
		r->ops[k] = (struct op){.name = "op", .op_type = "op", .inputs = {k}, .input_count = 1, .output = k + 1, .groups = 1};
	if (between(rng, 0, 1))
		random_conv(r, 0, rng);
	else
		random_pool(r, rng);
	random_conv(r, 1, rng);
	r->plan = (struct plan){.tensors = r->tensors, .tensor_count = 3, .ops = r->ops, .op_count = 2, .inputs = &input, .input_count = 1, .output = 2,
		.scores = 2};
}

static bool differ(double fast, double plain, double magnitude, double rounding)
{
	return !(fabs(fast - plain) <= rounding * magnitude + 1e-30);
}

/* Everything about one random output neuron of the second layer. Returns NULL or what differs. */
static const char *compare(const struct random_plan *r, const struct session *session, struct pcg *rng)
{
	const struct plan *plan = &r->plan;
	const struct op *op = &r->ops[1];
	const struct tensor *in = &r->tensors[1], *out = &r->tensors[2];
	const float *input = session_tensor(session, 1, 0);
	struct place s = {between(rng, 0, out->c - 1), between(rng, 0, out->h - 1), between(rng, 0, out->w - 1)};
	float z[MAX_CHANNELS], scratch[MAX_CHANNELS], sign = between(rng, 0, 1) ? 1 : -1;
	uint32_t pixels[MAX_CHANNELS];
	int count = support_count(plan, op), first = support_first_channel(plan, op, s.c);
	double sum = op->bias[s.c], all = fabs(sum), magnitude;
	support_current(plan, op, input, s, z);
	support_strongest(plan, op, input, s, sign, pixels);
	for (int c = 0; c < count; c++) {
		double plain = reference_current(plan, op, input, s, c, &magnitude);
		if (differ(z[c], plain, magnitude, WINDOW_ROUNDING))
			return "Z_cur";
		sum += plain;
		all += magnitude;
		long pixel = reference_strongest(plan, op, input, s, c, sign);
		if (pixel >= 0 && pixel != (long)pixels[c])
			return "strongest place";
		struct place n = {first + c, between(rng, 0, in->h - 1), between(rng, 0, in->w - 1)};
		double pre = reference_preceding(session, plan, 0, 1, n, &magnitude);
		if (differ(support_preceding(session, plan, 0, 1, n, scratch), pre, fmax(magnitude, fabs(pre)), WINDOW_ROUNDING))
			return "Z_pre";
	}
	if (differ(session_tensor(session, 2, 0)[place_neuron(out, s)], sum, all, LAYER_ROUNDING))
		return "the layer's output";
	return NULL;
}

START_TEST(random_shapes)
{
	struct error e;
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct random_plan r;
		pcg_seed(&rng, random_seed(), i);
		random_plan_make(&r, &rng);
		struct packed_weights *packed = packed_weights_open(&r.plan, &e);
		struct session *session = session_open(&r.plan, packed, 1, 1, &e);
		ck_assert_msg(session != NULL, "case %u of LSDN_SEED=%llu: %s", i, (unsigned long long)random_seed(), e.message);
		float *input = session_tensor(session, 0, 0);
		for (size_t k = 0; k < tensor_size(&r.tensors[0]); k++)
			input[k] = random_value(&rng);
		ck_assert_msg(session_run(session, &e) == 0, "%s", e.message);
		const char *what = compare(&r, session, &rng);
		ck_assert_msg(!what, "case %u of LSDN_SEED=%llu: %s differs", i, (unsigned long long)random_seed(), what ? what : "");
		session_close(session);
		packed_weights_close(packed);
		for (int k = 0; k < 2; k++) {
			free(r.weights[k]);
			free(r.bias[k]);
		}
	}
	printf("supports: %d random cases agree with the plain kernels\n", CASES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("supports");
	TCase *cases = tcase_create("supports");
	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, random_shapes);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
