/* Means and distances by hand; class sensitivity and localisation worked out apart. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/measure.h"
#include "core/embedded.h"
#include "tests/random.h"
#include "tests/suite.h"

START_TEST(means_by_hand)
{
	const double values[] = {0, 0.5, 1, 0.5};
	double mean;
	/* Squares sum to 1/2: the standard error is sqrt(1/2 / 3 / 4) = 0.2041. */
	struct interval i = mean_interval(values, 4, 0, &mean);
	ck_assert_double_eq_tol(mean, 0.5, 1e-15);
	ck_assert_double_eq_tol(i.low, 0.5 - 1.959963984540054 * sqrt(1.0 / 24), 1e-15);
	ck_assert_double_eq_tol(i.high, 0.5 + 1.959963984540054 * sqrt(1.0 / 24), 1e-15);
	i = mean_interval(values, 2, 0, &mean);
	ck_assert_double_eq_tol(mean, 0.25, 1e-15);
	ck_assert(i.low == 0 && i.high > 0.7);
	i = mean_interval(values + 2, 1, 0, &mean);
	ck_assert(mean == 1 && i.low == 0 && i.high == 1);
	i = mean_interval(values, 0, 0, &mean);
	ck_assert(mean == 0 && i.low == 0 && i.high == 1);
}
END_TEST

static double distance(const struct point *a, size_t a_count, const struct point *b, size_t b_count)
{
	double d = -1;
	struct error e;
	ck_assert_int_eq(measure_distance(a, a_count, b, b_count, &d, &e), 0);
	return d;
}

START_TEST(distances_by_hand)
{
	/* As pixels: (0, 0), (0, 0), (1, 2); half pixels go up. */
	const struct point a[] = {{0.4, -0.3}, {-0.5, 0}, {0.5, 1.5}}, b[] = {{1, 2}, {7, 7}, {9, 9}};
	ck_assert_double_eq_tol(distance(a, 3, b, 3), 1 - 1.0 / 4, 1e-15);
	ck_assert_double_eq_tol(distance(b, 3, a, 3), 1 - 1.0 / 4, 1e-15);
	ck_assert_double_eq(distance(a, 3, a, 3), 0);
	ck_assert_double_eq(distance(a, 2, b, 3), 1);
	ck_assert_double_eq(distance(a, 0, b, 3), 1);
	ck_assert_double_eq(distance(a, 3, b, 0), 1);
	ck_assert_double_eq(distance(a, 0, b, 0), 0);
}
END_TEST

enum { SIDE = 12, MOST = 60 };

/* Marks on a grid and counts them. */
START_TEST(distances_on_a_grid)
{
	for (uint32_t i = 0; i < 2000; i++) {
		struct pcg rng;
		struct point sets[2][MOST];
		bool grid[2][SIDE][SIDE] = {{{false}}};
		size_t counts[2], both = 0, either = 0;
		pcg_seed(&rng, random_seed(), i);
		for (int s = 0; s < 2; s++) {
			counts[s] = (size_t)between(&rng, 0, MOST);
			for (size_t k = 0; k < counts[s]; k++) {
				int y = between(&rng, 0, SIDE - 1), x = between(&rng, 0, SIDE - 1);
				sets[s][k] = (struct point){y + pcg_double(&rng) * 0.99 - 0.5, x + pcg_double(&rng) * 0.99 - 0.5};
				grid[s][y][x] = true;
			}
		}
		for (int k = 0; k < SIDE * SIDE; k++) {
			both += grid[0][k / SIDE][k % SIDE] && grid[1][k / SIDE][k % SIDE];
			either += grid[0][k / SIDE][k % SIDE] || grid[1][k / SIDE][k % SIDE];
		}
		double plain = either ? 1 - (double)both / (double)either : 0, found = distance(sets[0], counts[0], sets[1], counts[1]);
		ck_assert_msg(found == plain, "case %u of LSDN_SEED=%llu: %.17g, counted %.17g", i, (unsigned long long)random_seed(), found, plain);
	}
}
END_TEST

/* Class sensitivity of one image on which both classes' points are put on a grid by an explainer of the test's own. */
START_TEST(sensitivity_worked_out_apart)
{
	struct net net;
	struct error e;
	struct photo photo;
	struct annotation truth;
	struct explainer x;
	struct source source = {.seed = 9, .count = 8};
	unsigned int apart = 0;
	ck_assert_int_eq(model_open(&net, NULL, &e), 0);
	struct packed_weights *packed = packed_weights_open(&net.plan, &e);
	ck_assert_int_eq(explainer_open(&x, &net, packed, 1, &e), 0);
	struct choices choices = CHOICES_DEFAULT;
	choices.policy.k_fc = 3; /* so that classes differ without the gate, too */
	for (uint32_t i = 0; i < 8; i++) {
		double values[MEASURE_MOST_ROWS];
		ck_assert_int_eq(source_load(&source, i, &photo, &truth, &e), 0);
		ck_assert_int_eq(explainer_feed(&x, &photo, VIEW_FULL, &e), 0);
		struct measured m = {.x = &x, .choices = &choices, .truth = &truth, .annotated = annotated_class(&net, &truth)};
		ck_assert_int_eq(MEASURE_SENSITIVITY.take(&m, values, &e), 0);
		for (int none = 0; none < 2; none++) {
			static bool grid[2][96 * 96];
			struct explanation found[2];
			size_t both = 0, either = 0;
			struct policy policy = choices.policy;
			policy.gate = none ? GATE_NONE : GATE_EVIDENCE;
			memset(grid, 0, sizeof grid);
			for (int n = 0; n < 2; n++) {
				ck_assert_int_eq(explainer_walk(&x, &policy, 1, explainer_class(&x, n), &e), 0);
				ck_assert_int_eq(explainer_read(&x, 0, &choices.box, &found[n], &e), 0);
				for (size_t k = 0; k < found[n].count; k++)
					grid[n][(int)(x.points[k].y + 0.5) * 96 + (int)(x.points[k].x + 0.5)] = true;
			}
			for (int k = 0; k < 96 * 96; k++) {
				both += grid[0][k] && grid[1][k];
				either += grid[0][k] || grid[1][k];
			}
			ck_assert(found[0].found && found[1].found && either > 0);
			struct boxf first = box_real(&found[0].box), second = box_real(&found[1].box);
			const double *own = values + 4 * none;
			ck_assert_double_eq(own[0], 1 - (double)both / (double)either);
			ck_assert_double_eq(own[1], 1 - box_iou(&first, &second));
			ck_assert(own[2] == 0 && own[3] == 0);
			apart += own[0] > 0;
		}
		photo_free(&photo);
		annotation_free(&truth);
	}
	ck_assert_uint_gt(apart, 4); /* else nothing was compared */
	explainer_close(&x);
	packed_weights_close(packed);
	net_close(&net);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("measure");
	TCase *cases = tcase_create("measures");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, means_by_hand);
	tcase_add_test(cases, distances_by_hand);
	tcase_add_test(cases, distances_on_a_grid);
	tcase_add_test(cases, sensitivity_worked_out_apart);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
