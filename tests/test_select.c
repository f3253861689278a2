/* The fast selection against the plain one: every layer of random plans, under random policies, many in one walk.
 *
 * With whole numbers single precision is exact, so both must select the same neurons, ties included. With real ones they may part where the supports
 * of two candidates lie within their rounding (reference_select.h) of each other; such cases are counted, and left from there on. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/trace/reference_select.h"
#include "core/trace/walk.h"
#include "tests/random_plan.h"
#include "tests/suite.h"

enum { CASES = 2000, FEW_POLICIES = 6, MANY_POLICIES = 70 };

static struct policy random_policy(enum random_numbers numbers, struct pcg *rng)
{
	static const int KS[] = {1, 1, 2, 3, 7, K_ALL};
	struct policy p = {.k_fc = KS[between(rng, 0, 5)], .k_conv = KS[between(rng, 0, 5)], .signed_ = between(rng, 0, 1),
		.locate = between(rng, 0, 1) ? LOCATE_STRONGEST : LOCATE_CENTER, .gate = between(rng, 0, 1) ? GATE_EVIDENCE : GATE_NONE,
		.suc_form = between(rng, 0, 1) ? SUC_PRODUCT : SUC_POWER, .scale = between(rng, 0, 3) || numbers == RANDOM_WHOLE ? SCALE_NONE : SCALE_MAX, .top_n = 1};
	if (between(rng, 0, 4) == 0)
		p.k_share = between(rng, 0, 1) ? 0.5 : 0.9;
	return between(rng, 0, 7) ? p : POLICY_CNN_FIXATIONS;
}

/* Mostly 1, else a power of two that is far from it. */
static double random_scale(int most, struct pcg *rng)
{
	return between(rng, 0, 3) ? 1 : ldexp(1, between(rng, -most, most));
}

/* Powers of two, so that with whole numbers all that is made of them is exact. Only with positive cur and suc is there something to search for. */
static struct alpha random_alpha(bool positive, struct pcg *rng)
{
	static const double VALUES[] = {0, 0.25, 0.5, 1, 2};
	return (struct alpha){VALUES[between(rng, positive, 4)] * random_scale(30, rng), VALUES[between(rng, 0, 4)], VALUES[between(rng, positive, 4)]};
}

static int by_neuron(const void *left, const void *right)
{
	neuron_t a = *(const neuron_t *)left, b = *(const neuron_t *)right;
	return (a > b) - (a < b);
}

static size_t unique(neuron_t *n, size_t count)
{
	size_t kept = 0;
	qsort(n, count, sizeof *n, by_neuron);
	for (size_t i = 0; i < count; i++)
		if (!i || n[i] != n[i - 1])
			n[kept++] = n[i];
	return kept;
}

struct run {
	const struct random_plan *plan;
	const struct session *session;
	const struct walk *walk;
};

/* Neurons of tensor t that the walk selected for policy p, sorted; to be freed. */
static neuron_t *walked(const struct run *r, int t, int p, size_t *count)
{
	struct place *places = malloc((tensor_size(&r->plan->tensors[t]) + 1) * sizeof *places);
	neuron_t *n = malloc((tensor_size(&r->plan->tensors[t]) + 1) * sizeof *n);
	*count = walk_selected(r->walk, t, p, places);
	for (size_t i = 0; i < *count; i++)
		n[i] = place_neuron(&r->plan->tensors[t], places[i]);
	qsort(n, *count, sizeof *n, by_neuron);
	free(places);
	return n;
}

/* What the plain kernels select of layer k's input; *doubt: where some decision is within rounding. To be freed. */
static neuron_t *plain(const struct run *r, int k, int p, const struct policy *policy, size_t *count, bool *doubt)
{
	const struct plan *plan = &r->plan->plan;
	const struct tensor *in = &plan->tensors[k], *out = &plan->tensors[k + 1];
	struct reference_layer layer;
	struct error e;
	size_t selected, taken, room = 64;
	neuron_t *from = walked(r, k + 1, p, &selected), *n = malloc(room * sizeof *n);
	struct place *places = malloc((selected + 1) * sizeof *places);
	for (size_t i = 0; i < selected; i++)
		places[i] = neuron_place(out, from[i]);
	ck_assert(reference_layer_open(&layer, r->session, plan, 0, &plan->ops[k], policy, places, selected, &e) == 0);
	*count = 0;
	for (size_t i = 0; i < selected; i++) {
		reference_rank(&layer, places[i], &taken);
		*doubt = *doubt || layer.doubt;
		for (size_t c = 0; c < taken; c++) {
			if (*count == room)
				n = realloc(n, (room *= 2) * sizeof *n);
			n[(*count)++] = place_neuron(in, layer.candidates[c].place);
		}
	}
	*count = unique(n, *count);
	reference_layer_close(&layer);
	free(places);
	free(from);
	return n;
}

/* 0: alike in every layer; 1: parted where rounding allows it; -1: differ. */
static int compare(const struct run *r, int p, const struct policy *policy)
{
	int verdict = 0;
	for (int k = r->plan->plan.op_count; k-- > 0 && !verdict;) {
		enum op_kind kind = r->plan->ops[k].kind;
		size_t fast_count, plain_count;
		bool doubt = false;
		if (kind != OP_CONV && kind != OP_GEMM)
			continue;
		neuron_t *fast = walked(r, k, p, &fast_count), *slow = plain(r, k, p, policy, &plain_count, &doubt);
		if (fast_count != plain_count || memcmp(fast, slow, fast_count * sizeof *fast) != 0)
			verdict = doubt && r->plan->numbers != RANDOM_WHOLE ? 1 : -1;
		free(fast);
		free(slow);
	}
	return verdict;
}

/* One random plan and its policies; returns how many of its walks parted where rounding allows it. */
static int run_case(uint32_t number, enum random_numbers numbers, int *walks)
{
	struct pcg rng;
	struct random_plan plan;
	struct policy policies[MANY_POLICIES];
	struct error e;
	int classes[8], parted = 0;
	pcg_seed(&rng, random_seed(), number);
	random_plan_make(&plan, RANDOM_LAYERS, numbers, &rng);
	struct packed_weights *packed = packed_weights_open(&plan.plan, &e);
	struct session *session = session_open(&plan.plan, packed, 1, 1, &e);
	ck_assert_msg(session != NULL, "case %u of LSDN_SEED=%llu: %s", number, (unsigned long long)random_seed(), e.message);
	random_input(&plan, session_tensor(session, 0, 0), &rng);
	float scale = numbers == RANDOM_WHOLE ? 1 : (float)random_scale(60, &rng); /* whole ones would no longer be exact beside a bias */
	for (size_t i = 0; i < tensor_size(&plan.tensors[0]); i++)
		session_tensor(session, 0, 0)[i] *= scale;
	ck_assert_msg(session_run(session, &e) == 0, "%s", e.message);
	struct walk *walk = walk_open(&plan.plan, number % 4 ? 1 : 2, &e);
	bool many = between(&rng, 0, 15) == 0, positive = many || between(&rng, 0, 1);
	int count = many ? MANY_POLICIES : between(&rng, 1, FEW_POLICIES), class_count = between(&rng, 1, 8);
	struct layer_policy own[RANDOM_LAYERS] = {{.k = K_SHARED}, {.own_alpha = true, .alpha = random_alpha(positive, &rng), .k = between(&rng, 1, 3)}, {.k = K_SHARED}};
	policies[0] = random_policy(numbers, &rng);
	if (policies[0].method == METHOD_LSDN && between(&rng, 0, 3) == 0) {
		policies[0].layers = own;
		policies[0].layer_count = RANDOM_LAYERS;
	}
	for (int p = 0; p < count; p++) {
		policies[p] = policies[0];
		policies[p].alpha = policies[0].method == METHOD_CNN_FIXATIONS ? policies[0].alpha : random_alpha(positive, &rng);
	}
	for (int i = 0; i < class_count; i++)
		classes[i] = (int)pcg_below(&rng, (uint32_t)tensor_size(&plan.tensors[RANDOM_LAYERS]));
	ck_assert_msg(walk_run(walk, session, 0, policies, count, classes, class_count, &e) == 0, "%s", e.message);
	for (int p = 0; p < count; p++) {
		int verdict = compare(&(struct run){&plan, session, walk}, p, &policies[p]);
		ck_assert_msg(verdict >= 0, "case %u of LSDN_SEED=%llu: policy %d selects other neurons than the plain kernels", number,
			(unsigned long long)random_seed(), p);
		parted += verdict;
	}
	*walks += count;
	walk_close(walk);
	session_close(session);
	packed_weights_close(packed);
	random_plan_free(&plan);
	return parted;
}

static const char *const NAMES[] = {"real", "whole", "hostile"};

START_TEST(random_selections)
{
	int parted = 0, walks = 0;
	for (uint32_t i = 0; i < CASES; i++)
		parted += run_case(i, (enum random_numbers)_i, &walks);
	printf("selection, %s numbers: %d walks of %d random plans agree with the plain kernels, %d more part where rounding decides\n", NAMES[_i], walks - parted, CASES, parted);
	ck_assert_int_lt(parted, walks / 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("select");
	TCase *cases = tcase_create("select");
	tcase_set_timeout(cases, 600);
	tcase_add_loop_test(cases, random_selections, RANDOM_REAL, RANDOM_HOSTILE + 1);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
