/* Masses against the plain kernels: random plans of a few layers under random policies, many in one walk, from the classes to the pixels.
 *
 * A mass is a sum of products of shares, each a quotient of Omegas; single-precision supports lie within a known rounding of the plain ones, which is
 * carried along. Where rounding decides what is selected, nothing is compared. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "core/trace/reference_select.h"
#include "core/trace/walk.h"
#include "tests/random_plan.h"
#include "tests/suite.h"

enum { CASES = 2000, MOST_POLICIES = 6 };

/* The neurons of one tensor that a plain walk reached. */
struct heap {
	bool *reached;
	double *mass, *error;
};

static struct heap heap_make(size_t size)
{
	struct heap h = {calloc(size, sizeof *h.reached), calloc(size, sizeof *h.mass), calloc(size, sizeof *h.error)};
	ck_assert(h.reached && h.mass && h.error);
	return h;
}

static void heap_free(struct heap *h)
{
	free(h->reached);
	free(h->mass);
	free(h->error);
}

static void hand(const struct heap *from, size_t n, struct heap *to, size_t m, double share, double share_error)
{
	to->reached[m] = true;
	to->mass[m] += from->mass[n] * share;
	to->error[m] += from->error[n] * share + (from->mass[n] + from->error[n]) * (share_error + 4 * 0x1p-53 * share);
}

/* The positive ones of `count` weights in shares of their sum; equally where that is nothing, or no number. */
static void hand_shares(const struct heap *from, size_t n, struct heap *to, const size_t *to_whom, const double *weights, const double *roundings, size_t count)
{
	double total = 0, rounding = 0;
	for (size_t i = 0; i < count; i++) {
		total += fmax(weights[i], 0);
		rounding += roundings[i];
	}
	bool equal = !(total > 0 && total < INFINITY);
	for (size_t i = 0; i < count; i++) {
		double share = equal ? 1 / (double)count : fmax(weights[i], 0) / total;
		hand(from, n, to, to_whom[i], share, equal || count == 1 ? 0 : 2 * (roundings[i] + share * rounding) / total);
	}
}

struct plain_walk {
	const struct random_plan *r;
	const struct session *session;
	const struct policy *policy;
	bool doubt;
};

/* One Conv or Gemm. */
static void weigh_layer(struct plain_walk *w, int k, const struct heap *from, struct heap *to)
{
	const struct plan *plan = &w->r->plan;
	const struct tensor *in = &plan->tensors[k], *out = &plan->tensors[k + 1];
	struct place *places = malloc(tensor_size(out) * sizeof *places);
	size_t *whom = malloc((size_t)in->c * sizeof *whom), selected = 0;
	double *omegas = malloc((size_t)in->c * sizeof *omegas), *roundings = malloc((size_t)in->c * sizeof *roundings);
	struct reference_layer layer;
	struct error e;
	ck_assert(places && whom && omegas && roundings);
	for (size_t n = 0; n < tensor_size(out); n++)
		if (from->reached[n])
			places[selected++] = neuron_place(out, (neuron_t)n);
	ck_assert(reference_layer_open(&layer, w->session, plan, 0, &plan->ops[k], w->policy, places, selected, &e) == 0);
	for (size_t i = 0; i < selected; i++) {
		size_t taken;
		reference_rank(&layer, places[i], &taken);
		w->doubt = w->doubt || layer.doubt;
		for (size_t c = 0; c < taken; c++) {
			whom[c] = place_neuron(in, layer.candidates[c].place);
			omegas[c] = layer.candidates[c].omega;
			roundings[c] = layer.candidates[c].omega_rounding;
			w->doubt = w->doubt || layer.candidates[c].close;
		}
		/* Whether a sum is positive, and whether it is infinite, may be rounding's too. */
		double total = 0, rounding = 0;
		for (size_t c = 0; c < taken; c++) {
			total += fmax(omegas[c], 0);
			rounding += roundings[c];
		}
		w->doubt = w->doubt || (taken > 1 && total != 0 && !(rounding < 1e-3 * total) && isfinite(total)) || (taken > 1 && total > 1e30);
		w->doubt = w->doubt || (taken > 1 && total == 0 && rounding > 0);
		hand_shares(from, place_neuron(out, places[i]), to, whom, omegas, roundings, taken);
	}
	reference_layer_close(&layer);
	free(places);
	free(whom);
	free(omegas);
	free(roundings);
}

static void pool_layer(struct plain_walk *w, int k, const struct heap *from, struct heap *to)
{
	const struct plan *plan = &w->r->plan;
	const struct op *op = &plan->ops[k];
	const struct tensor *in = &plan->tensors[k], *out = &plan->tensors[k + 1];
	const float *input = session_tensor(w->session, k, 0);
	size_t whom[1024], count;
	double values[1024], roundings[1024] = {0};
	for (size_t n = 0; n < tensor_size(out); n++) {
		struct place s = neuron_place(out, (neuron_t)n);
		if (!from->reached[n])
			continue;
		if (!rule_pools_all(plan, op, w->policy)) {
			long pixel = reference_pool(plan, op, input, s);
			w->doubt = w->doubt || pixel < 0; /* nothing in the window is a number */
			if (pixel >= 0)
				hand(from, n, to, (size_t)pixel * (size_t)in->c + (size_t)s.c, 1, 0);
			continue;
		}
		count = 0;
		for (size_t pixel = 0; pixel < (size_t)(in->h * in->w); pixel++) {
			whom[count] = pixel * (size_t)in->c + (size_t)s.c;
			values[count] = (double)input[whom[count]];
			count += values[count] > 0;
		}
		for (size_t i = 0; i < count; i++)
			w->doubt = w->doubt || !isfinite(values[i]);
		hand_shares(from, n, to, whom, values, roundings, count);
	}
}

static bool ends(const struct plan *plan, int t, int stride)
{
	const struct tensor *image = &plan->tensors[0], *map = &plan->tensors[t];
	bool near = (double)image->h / map->h <= sqrt(2) * stride && (double)image->w / map->w <= sqrt(2) * stride;
	return t == 0 || (stride > 1 && map->h * map->w > 1 && near);
}

/* The masses of the pixels; image is a heap of h * w. Returns the tensor at which the walk ended. */
static int walk_plainly(struct plain_walk *w, const int *classes, int class_count, struct heap *image)
{
	const struct plan *plan = &w->r->plan;
	const struct tensor *input = &plan->tensors[0];
	int t = RANDOM_LAYERS;
	struct heap from = heap_make(tensor_size(&plan->tensors[t]));
	for (int i = 0; i < class_count; i++) {
		from.reached[classes[i]] = true;
		from.mass[classes[i]] += 1;
	}
	for (; !ends(plan, t, w->policy->stride); t--) {
		struct heap to = heap_make(tensor_size(&plan->tensors[t - 1]));
		enum op_kind kind = plan->ops[t - 1].kind;
		if (kind == OP_CONV || kind == OP_GEMM)
			weigh_layer(w, t - 1, &from, &to);
		else
			pool_layer(w, t - 1, &from, &to);
		heap_free(&from);
		from = to;
	}
	const struct tensor *map = &plan->tensors[t];
	for (size_t n = 0; n < tensor_size(map); n++) {
		struct place p = neuron_place(map, (neuron_t)n);
		int y = (int)floor((p.y + 0.5) * input->h / map->h), x = (int)floor((p.x + 0.5) * input->w / map->w);
		if (from.reached[n])
			hand(&from, n, image, (size_t)(y * input->w + x), 1, 0);
	}
	heap_free(&from);
	return t;
}

static struct policy random_policy(enum random_numbers numbers, struct pcg *rng)
{
	static const int KS[] = {1, 1, 2, 3, 7, K_ALL};
	struct policy p = {.k_fc = KS[between(rng, 0, 5)], .k_conv = KS[between(rng, 0, 5)], .signed_ = between(rng, 0, 1),
		.k_gap = (enum k_gap)between(rng, K_GAP_AUTO, K_GAP_ALL), .locate = between(rng, 0, 1) ? LOCATE_STRONGEST : LOCATE_CENTER,
		.gate = between(rng, 0, 3) ? GATE_EVIDENCE : GATE_NONE, .suc_form = between(rng, 0, 3) ? SUC_PRODUCT : SUC_POWER,
		.scale = between(rng, 0, 3) || numbers == RANDOM_WHOLE ? SCALE_NONE : SCALE_MAX, .top_n = 1};
	if (between(rng, 0, 4) == 0)
		p.k_share = between(rng, 0, 1) ? 0.5 : 0.9;
	p = between(rng, 0, 7) ? p : POLICY_CNN_FIXATIONS;
	p.stride = between(rng, 0, 2) ? 1 : between(rng, 2, 3);
	p.mass = true;
	return p;
}

struct case_ {
	struct random_plan plan;
	struct packed_weights *packed;
	struct session *session;
	struct walk *walk, *alone;
	struct policy policies[MOST_POLICIES];
	int count, classes[8], class_count;
};

static void case_make(struct case_ *c, uint32_t number, enum random_numbers numbers)
{
	static const double VALUES[] = {0, 0.25, 1, 2};
	struct pcg rng;
	struct error e;
	pcg_seed(&rng, random_seed(), number);
	random_plan_make(&c->plan, RANDOM_LAYERS, numbers, &rng);
	c->packed = packed_weights_open(&c->plan.plan, &e);
	c->session = session_open(&c->plan.plan, c->packed, 1, 1, &e);
	ck_assert_ptr_nonnull(c->session);
	random_input(&c->plan, session_tensor(c->session, 0, 0), &rng);
	ck_assert_msg(session_run(c->session, &e) == 0, "%s", e.message);
	c->walk = walk_open(&c->plan.plan, number % 4 ? 1 : 2, &e);
	c->alone = walk_open(&c->plan.plan, 1, &e);
	c->count = between(&rng, 1, MOST_POLICIES);
	c->policies[0] = random_policy(numbers, &rng);
	for (int p = 0; p < c->count; p++) {
		c->policies[p] = c->policies[0];
		if (c->policies[0].method == METHOD_LSDN)
			c->policies[p].alpha = (struct alpha){VALUES[between(&rng, 0, 3)], VALUES[between(&rng, 0, 3)], VALUES[between(&rng, 1, 3)]};
	}
	c->class_count = between(&rng, 1, 8);
	for (int i = 0; i < c->class_count; i++)
		c->classes[i] = (int)pcg_below(&rng, (uint32_t)tensor_size(&c->plan.tensors[RANDOM_LAYERS]));
	ck_assert_msg(walk_run(c->walk, c->session, 0, c->policies, c->count, c->classes, c->class_count, &e) == 0, "%s", e.message);
}

static void case_free(struct case_ *c)
{
	walk_close(c->walk);
	walk_close(c->alone);
	session_close(c->session);
	packed_weights_close(c->packed);
	random_plan_free(&c->plan);
}

/* A policy has the very same masses when it is walked alone. */
static void check_alone(const struct case_ *c, int p, const double *masses, size_t count, uint32_t number)
{
	double own[1024];
	struct error e;
	ck_assert_int_eq(walk_run(c->alone, c->session, 0, &c->policies[p], 1, c->classes, c->class_count, &e), 0);
	ck_assert_uint_eq(walk_points(c->alone, 0, NULL), count);
	walk_masses(c->alone, 0, own);
	ck_assert_msg(memcmp(own, masses, count * sizeof *own) == 0, "case %u of LSDN_SEED=%llu: policy %d has other masses alone", number,
		(unsigned long long)random_seed(), p);
}

/* 1 where rounding decides, and nothing is compared. */
static int check_plainly(const struct case_ *c, int p, const struct place *points, const double *masses, size_t count, uint32_t number, bool *ended)
{
	const struct tensor *input = &c->plan.tensors[0];
	size_t pixels = (size_t)(input->h * input->w), reached = 0;
	struct heap image = heap_make(pixels);
	struct plain_walk plain = {.r = &c->plan, .session = c->session, .policy = &c->policies[p]};
	*ended = walk_plainly(&plain, c->classes, c->class_count, &image) > 0;
	for (size_t i = 0; i < pixels; i++)
		reached += image.reached[i];
	plain.doubt = plain.doubt && c->plan.numbers != RANDOM_WHOLE;
	bool differ = reached != count;
	for (size_t i = 0; i < count && !differ; i++) {
		size_t at = (size_t)(points[i].y * input->w + points[i].x);
		differ = !image.reached[at] || !(fabs(masses[i] - image.mass[at]) <= image.error[at] + 1e-14);
		ck_assert_msg(plain.doubt || !differ, "case %u of LSDN_SEED=%llu: policy %d, pixel (%d, %d): mass %.17g, plainly %.17g, may be %.3g off", number,
			(unsigned long long)random_seed(), p, points[i].y, points[i].x, masses[i], image.mass[at], image.error[at]);
	}
	ck_assert_msg(plain.doubt || !differ, "case %u of LSDN_SEED=%llu: policy %d: %zu points, plainly %zu", number, (unsigned long long)random_seed(), p, count,
		reached);
	heap_free(&image);
	return plain.doubt;
}

static const char *const NAMES[] = {"real", "whole", "hostile"};

START_TEST(random_masses)
{
	int walks = 0, doubts = 0, early = 0, full = 0;
	for (uint32_t i = 0; i < CASES; i++) {
		struct case_ c;
		case_make(&c, i, (enum random_numbers)_i);
		for (int p = 0; p < c.count; p++) {
			struct place points[1024];
			double masses[1024], sum = 0;
			bool ended;
			size_t count = walk_points(c.walk, p, points);
			walk_masses(c.walk, p, masses);
			for (size_t k = 0; k < count; k++) {
				ck_assert(masses[k] >= 0);
				sum += masses[k];
			}
			/* No mass comes from nowhere; what ends on the way is lost. */
			ck_assert_double_le(sum, c.class_count * (1 + 1e-12));
			full += sum > c.class_count * (1 - 1e-12);
			check_alone(&c, p, masses, count, i);
			doubts += check_plainly(&c, p, points, masses, count, i, &ended);
			early += ended;
			walks++;
		}
		case_free(&c);
	}
	printf("masses, %s numbers: %d walks of %d random plans agree with the plain kernels, in %d more rounding decides\n", NAMES[_i], walks - doubts, CASES, doubts);
	ck_assert(early > walks / 20 && full > walks / 20);
	ck_assert_int_lt(doubts, 3 * walks / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mass");
	TCase *cases = tcase_create("mass");
	tcase_set_timeout(cases, 600);
	tcase_add_loop_test(cases, random_masses, RANDOM_REAL, RANDOM_HOSTILE + 1);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
