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
#include "tests/random_plan.h"
#include "tests/suite.h"

enum { CASES = 3000 };

static const double WINDOW_ROUNDING = 49 * 0x1p-23, LAYER_ROUNDING = 49 * 40 * 0x1p-23;

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
	float z[RANDOM_CHANNELS], scratch[RANDOM_CHANNELS], sign = between(rng, 0, 1) ? 1 : -1;
	uint32_t pixels[RANDOM_CHANNELS];
	int count = support_count(plan, op), first = support_first_channel(plan, op, s.c);
	double sum = op->bias[s.c], all = fabs(sum), magnitude;
	bool placed = op->kind == OP_CONV && between(rng, 0, 3);
	if (placed)
		support_current_and_places(plan, op, input, s, sign, z, pixels);
	else
		support_current(plan, op, input, s, z);
	for (int c = 0; c < count; c++) {
		double plain = reference_current(plan, op, input, s, c, &magnitude);
		if (differ(z[c], plain, magnitude, WINDOW_ROUNDING))
			return "Z_cur";
		sum += plain;
		all += magnitude;
		long pixel = placed ? reference_strongest(plan, op, input, s, c, sign) : -1;
		if (pixel >= 0 && pixel != (long)pixels[c])
			return "strongest place";
		struct place n = {first + c, between(rng, 0, in->h - 1), between(rng, 0, in->w - 1)};
		double pre = reference_preceding(session, plan, 0, 1, n, &magnitude);
		if (differ(support_preceding(session, plan, 0, 1, n, scratch), pre, fmax(magnitude, fabs(pre)), WINDOW_ROUNDING))
			return "Z_pre";
	}
	const struct op *first_op = &r->ops[0];
	struct place n = {between(rng, 0, in->c - 1), between(rng, 0, in->h - 1), between(rng, 0, in->w - 1)};
	if (first_op->kind != OP_CONV && first_op->kind != OP_GEMM) {
		long pixel = reference_pool(plan, first_op, session_tensor(session, 0, 0), n);
		if (pixel >= 0 && pixel != (long)support_pool(plan, first_op, session_tensor(session, 0, 0), n))
			return "the place of a pool";
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
		random_plan_make(&r, 2, RANDOM_REAL, &rng);
		struct packed_weights *packed = packed_weights_open(&r.plan, &e);
		struct session *session = session_open(&r.plan, packed, 1, 1, &e);
		ck_assert_msg(session != NULL, "case %u of LSDN_SEED=%llu: %s", i, (unsigned long long)random_seed(), e.message);
		random_input(&r, session_tensor(session, 0, 0), &rng);
		ck_assert_msg(session_run(session, &e) == 0, "%s", e.message);
		const char *what = compare(&r, session, &rng);
		ck_assert_msg(!what, "case %u of LSDN_SEED=%llu: %s differs", i, (unsigned long long)random_seed(), what ? what : "");
		session_close(session);
		packed_weights_close(packed);
		random_plan_free(&r);
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
