/* DeepFool against PyTorch on random networks, and what it must do on any; rank correlations by hand and by their definition. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/deepfool.h"
#include "calib/correlation.h"
#include "calib/explained.h"
#include "core/arena.h"
#include "tests/random.h"
#include "tests/suite.h"

/* As tests/deepfool_reference.py has them. */
enum { CASES = 12, SIDE = 10, CHANNELS = 8, NAMES = 14, SEED = 5, SHOWN = 8, SIZE = SIDE * SIDE * 3 };

struct small_net {
	struct net net;
	struct tensor tensors[5];
	struct op ops[4];
	struct arena arena;
	float pixels[SIZE];
};

static float *reals(struct arena *arena, size_t count, double least, double most, struct pcg *rng)
{
	float *values = arena_alloc(arena, count, sizeof *values);
	for (size_t i = 0; i < count; i++)
		values[i] = (float)(least + (most - least) * pcg_double(rng));
	return values;
}

static void conv(struct small_net *s, int k, int inputs, struct pcg *rng)
{
	s->ops[k] = (struct op){.kind = OP_CONV, .name = "conv", .op_type = "Conv", .inputs = {k}, .input_count = 1, .output = k + 1, .groups = 1,
		.activation = {.kind = ACTIVATION_RELU},
		.window = {.height = 3, .width = 3, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1, .top = 1, .left = 1, .bottom = 1, .right = 1}};
	s->ops[k].weights = reals(&s->arena, (size_t)(CHANNELS * 9 * inputs), -0.4, 0.4, rng);
	s->ops[k].bias = reals(&s->arena, CHANNELS, -0.4, 0.4, rng);
	s->tensors[k + 1] = (struct tensor){.name = "map", .c = CHANNELS, .h = SIDE, .w = SIDE, .rank = 4, .maker = k};
}

static void make_small(struct small_net *s, uint64_t seed, uint64_t stream)
{
	static int input = 0;
	struct pcg rng;
	*s = (struct small_net){0};
	pcg_seed(&rng, seed, stream);
	memcpy(s->pixels, reals(&s->arena, SIZE, 0, 255, &rng), sizeof s->pixels);
	struct preprocessing *p = &s->net.input;
	p->width = p->height = SIDE;
	memcpy(p->mean, reals(&s->arena, 3, 100, 150, &rng), sizeof p->mean);
	memcpy(p->std, reals(&s->arena, 3, 40, 70, &rng), sizeof p->std);
	s->tensors[0] = (struct tensor){.name = "image", .c = 3, .h = SIDE, .w = SIDE, .rank = 4, .maker = -1};
	conv(s, 0, 3, &rng);
	conv(s, 1, CHANNELS, &rng);
	s->ops[2] = (struct op){.kind = OP_GLOBAL_AVERAGE_POOL, .name = "pool", .op_type = "GlobalAveragePool", .inputs = {2}, .input_count = 1, .output = 3};
	s->tensors[3] = (struct tensor){.name = "pooled", .c = CHANNELS, .h = 1, .w = 1, .rank = 4, .maker = 2};
	s->ops[3] = (struct op){.kind = OP_GEMM, .name = "gemm", .op_type = "Gemm", .inputs = {3}, .input_count = 1, .output = 4, .groups = 1};
	s->ops[3].weights = reals(&s->arena, NAMES * CHANNELS, -1, 1, &rng);
	s->ops[3].bias = reals(&s->arena, NAMES, -0.4, 0.4, &rng);
	s->tensors[4] = (struct tensor){.name = "scores", .c = NAMES, .h = 1, .w = 1, .rank = 2, .maker = 3};
	s->net.plan = (struct plan){.tensors = s->tensors, .tensor_count = 5, .ops = s->ops, .op_count = 4, .inputs = &input, .input_count = 1, .output = 4, .scores = 4};
}

/* What attacks a network on one thread. */
struct attacker {
	struct packed_weights *packed;
	struct linear_weights *linear;
	struct backward *backward;
	struct explainer x;
};

static void open_attacker(struct attacker *a, const struct net *net)
{
	struct error e;
	a->packed = packed_weights_open(&net->plan, &e);
	a->linear = linear_weights_open(&net->plan, 1, &e);
	ck_assert(a->packed && a->linear);
	a->backward = backward_open(&net->plan, a->linear, 1, &e);
	ck_assert(a->backward != NULL);
	ck_assert_int_eq(explainer_open(&a->x, net, a->packed, 1, &e), 0);
}

static void close_attacker(struct attacker *a)
{
	explainer_close(&a->x);
	backward_close(a->backward);
	linear_weights_close(a->linear);
	packed_weights_close(a->packed);
}

START_TEST(as_pytorch)
{
	char path[1000];
	snprintf(path, sizeof path, "%s/deepfool.txt", getenv("LSDN_TEST_DATA"));
	FILE *file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	for (int i = 0; i < CASES; i++) {
		static struct small_net s;
		struct attacker a;
		struct fooled f;
		struct error e;
		float changed[SIZE];
		int before, after, iterations;
		double distance, change;
		ck_assert_int_eq(fscanf(file, "%d %d %d %lf", &before, &after, &iterations, &distance), 4);
		make_small(&s, SEED, (uint64_t)i);
		open_attacker(&a, &s.net);
		ck_assert_int_eq(deepfool_run(&DEEPFOOL_USUAL, &a.x, a.backward, s.pixels, changed, &f, &e), 0);
		/* Where a step ends within single precision's rounding of the boundary, one more of 1e-4 is needed, or not. */
		ck_assert_msg(f.before == before && f.after == after && abs(f.iterations - iterations) <= 1, "case %d: %d to %d in %d, PyTorch %d to %d in %d", i, f.before,
			f.after, f.iterations, before, after, iterations);
		ck_assert_msg(fabs(f.distance - distance) <= 1e-4 * distance, "case %d: %.9g, PyTorch %.9g", i, f.distance, distance);
		for (int k = 0; k < SHOWN; k++) { /* single precision of 255 is 1.5e-5 */
			int at = k * (SIZE / SHOWN);
			ck_assert_int_eq(fscanf(file, "%lf", &change), 1);
			ck_assert_msg(fabs(changed[at] - s.pixels[at] - change) <= 1e-3 * distance, "case %d, pixel %d: %.9g, PyTorch %.9g", i, k,
				(double)(changed[at] - s.pixels[at]), change);
		}
		close_attacker(&a);
		arena_free(&s.arena);
	}
	fclose(file);
}
END_TEST

/* The least noise that fools, in steps of a tenth more, each number up or down at random. */
static double noise_needed(struct attacker *a, const float *pixels, int before, double from, struct pcg *rng)
{
	float noisy[SIZE];
	struct error e;
	for (double distance = from; distance < 4000; distance *= 1.1) {
		double each = distance / sqrt(SIZE), square = 0;
		for (int i = 0; i < SIZE; i++) {
			noisy[i] = (float)fmin(fmax(pixels[i] + (pcg_below(rng, 2) ? each : -each), 0), 255);
			square += ((double)noisy[i] - pixels[i]) * ((double)noisy[i] - pixels[i]);
		}
		ck_assert_int_eq(deepfool_feed(&a->x, noisy, &e), 0);
		if (deepfool_class(&a->x) != before)
			return sqrt(square);
	}
	return INFINITY;
}

START_TEST(fools_with_less_than_noise)
{
	struct pcg rng;
	pcg_seed(&rng, random_seed(), 3);
	int fooled = 0;
	for (uint64_t i = 0; i < 60; i++) {
		static struct small_net s;
		struct attacker a;
		struct fooled f;
		struct error e;
		float changed[SIZE];
		double square = 0, norm = 0;
		make_small(&s, random_seed(), 100 + i);
		open_attacker(&a, &s.net);
		ck_assert_int_eq(deepfool_run(&DEEPFOOL_USUAL, &a.x, a.backward, s.pixels, changed, &f, &e), 0);
		for (int k = 0; k < SIZE; k++) {
			ck_assert(changed[k] >= 0 && changed[k] <= 255);
			square += ((double)changed[k] - s.pixels[k]) * ((double)changed[k] - s.pixels[k]);
			norm += (double)s.pixels[k] * s.pixels[k];
		}
		ck_assert_double_eq_tol(f.distance, sqrt(square), 1e-9 * (1 + f.distance));
		ck_assert_double_eq_tol(f.relative, sqrt(square / norm), 1e-9);
		ck_assert_int_eq(deepfool_feed(&a.x, s.pixels, &e), 0);
		ck_assert_int_eq(deepfool_class(&a.x), f.before);
		ck_assert_int_eq(explainer_class(&a.x, 0), f.before);
		ck_assert_int_eq(deepfool_feed(&a.x, changed, &e), 0);
		ck_assert_int_eq(deepfool_class(&a.x), f.after);
		ck_assert(f.success == (f.after != f.before));
		if (f.success) {
			double noise = noise_needed(&a, s.pixels, f.before, 0.2 * f.distance, &rng);
			ck_assert_msg(noise > f.distance, "case %llu of LSDN_SEED=%llu: noise of %g, attack of %g", (unsigned long long)i,
				(unsigned long long)random_seed(), noise, f.distance);
			fooled++;
		}
		close_attacker(&a);
		arena_free(&s.arena);
	}
	ck_assert_msg(fooled >= 54, "only %d of 60", fooled); /* clipping may stand in the way of some */
}
END_TEST

/* Linear scores: the way to the boundary is known, and one step is enough. */
START_TEST(linear_scores_by_hand)
{
	static int input = 0;
	static const float weights[] = {1, 0, 0, 0, 1, 0}, pixels[] = {120, 110, 90};
	static struct net net;
	struct attacker a;
	struct fooled f;
	struct error e;
	float changed[3];
	struct op op = {.kind = OP_GEMM, .name = "gemm", .op_type = "Gemm", .inputs = {0}, .input_count = 1, .output = 1, .groups = 1, .weights = weights};
	struct tensor tensors[] = {{.name = "image", .c = 3, .h = 1, .w = 1, .rank = 4, .maker = -1}, {.name = "scores", .c = 2, .h = 1, .w = 1, .rank = 2, .maker = 0}};
	net = (struct net){.input = {.width = 1, .height = 1, .mean = {0, 0, 0}, .std = {2, 2, 2}},
		.plan = {.tensors = tensors, .tensor_count = 2, .ops = &op, .op_count = 1, .inputs = &input, .input_count = 1, .output = 1, .scores = 1}};
	open_attacker(&a, &net);
	ck_assert_int_eq(deepfool_run(&DEEPFOOL_USUAL, &a.x, a.backward, pixels, changed, &f, &e), 0);
	/* f' = -5, w' = (-1/2, 1/2, 0): 5 / sqrt(1/2) = 7.0711 to the boundary; 1.02 (7.0711 + 1e-4) = 7.2126, of which each has 1/sqrt(2). */
	ck_assert(f.success && f.iterations == 1 && f.before == 0 && f.after == 1);
	ck_assert_double_eq_tol(f.distance, 1.02 * (10 / sqrt(2) + 1e-4), 1e-4);
	ck_assert_double_eq_tol(changed[0], 120 - 5.1, 1e-3);
	ck_assert_double_eq_tol(changed[1], 110 + 5.1, 1e-3);
	ck_assert_double_eq_tol(changed[2], 90, 1e-6);
	close_attacker(&a);
}
END_TEST

static double correlation(const float *a, const float *b, size_t count)
{
	struct error e;
	double found;
	ck_assert_int_eq(rank_correlation(a, b, count, &found, &e), 0);
	return found;
}

START_TEST(rank_correlations_by_hand)
{
	/* Ranks 1 2.5 2.5 4 and 1 2 3 4: sums of squares 4.5 and 5, of products 4.5. */
	const float a[] = {0, 5, 5, 9}, b[] = {-1, 2, 7, 100}, falling[] = {3, 2, 1, 0}, flat[] = {1, 1, 1, 1};
	ck_assert_double_eq_tol(correlation(a, b, 4), 4.5 / sqrt(4.5 * 5), 1e-15);
	ck_assert_double_eq_tol(correlation(b, b, 4), 1, 1e-15);
	ck_assert_double_eq_tol(correlation(b, falling, 4), -1, 1e-15);
	ck_assert(isnan(correlation(b, flat, 4)) && isnan(correlation(flat, flat, 4)) && isnan(correlation(a, b, 0)));
	for (uint64_t i = 0; i < 300; i++) { /* a rank counts what is less, and half of what is equal */
		struct pcg rng;
		float x[40], y[40];
		double both = 0, xx = 0, yy = 0;
		pcg_seed(&rng, random_seed(), 1000 + i);
		int count = between(&rng, 2, 40);
		for (int k = 0; k < count; k++) {
			x[k] = (float)between(&rng, 0, 12);
			y[k] = (float)between(&rng, 0, 12);
		}
		for (int k = 0; k < count; k++) {
			double rx = 0, ry = 0;
			for (int j = 0; j < count; j++) {
				rx += (x[j] < x[k]) - (x[j] > x[k]);
				ry += (y[j] < y[k]) - (y[j] > y[k]);
			}
			both += rx * ry;
			xx += rx * rx;
			yy += ry * ry;
		}
		if (xx > 0 && yy > 0)
			ck_assert_msg(fabs(correlation(x, y, (size_t)count) - both / sqrt(xx * yy)) < 1e-12, "case %llu of LSDN_SEED=%llu", (unsigned long long)i,
				(unsigned long long)random_seed());
	}
}
END_TEST

START_TEST(likeness_by_hand)
{
	struct error e;
	struct likeness l;
	struct point one[] = {{0, 0}, {0, 2}}, two[] = {{0, 2}};
	float first[] = {1, 0, 0.5f}, second[] = {0, 0, 1}, none[] = {0, 0, 0};
	struct explained a = {.found = {.count = 2, .found = true, .box = {0, 0, 2, 0}}, .points = one, .map = first, .width = 3, .height = 1};
	struct explained b = {.found = {.count = 1, .found = true, .box = {2, 0, 2, 0}}, .points = two, .map = second, .width = 3, .height = 1};
	struct explained empty = {.points = one, .map = none, .width = 3, .height = 1};
	ck_assert_int_eq(explained_likeness(&a, &b, &l, &e), 0);
	ck_assert_double_eq_tol(l.points, 0.5, 1e-15);
	ck_assert_double_eq_tol(l.boxes, 1.0 / 3, 1e-15);
	ck_assert_double_eq(l.maps, correlation(first, second, 3));
	ck_assert_int_eq(explained_likeness(&a, &empty, &l, &e), 0);
	ck_assert(l.points == 0 && l.boxes == 0 && isnan(l.maps));
	ck_assert_int_eq(explained_likeness(&empty, &empty, &l, &e), 0);
	ck_assert(l.points == 1 && l.boxes == 1 && isnan(l.maps));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attack");
	TCase *cases = tcase_create("attack");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, as_pytorch);
	tcase_add_test(cases, fools_with_less_than_noise);
	tcase_add_test(cases, linear_scores_by_hand);
	tcase_add_test(cases, rank_correlations_by_hand);
	tcase_add_test(cases, likeness_by_hand);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
