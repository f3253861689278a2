/* Resizing as Pillow does it, boxes, maps. */
#include "config.h"

#include <check.h>
#include <errno.h>

#include "core/choices.h"
#include "core/image/map.h"
#include "core/image/part.h"
#include "core/image/view.h"
#include "tests/image_files.h"
#include "tests/suite.h"

/* Views */

static const struct preprocessing PLAIN = {.width = 224, .height = 224, .std = {1, 1, 1}};

static double difference(const char *name, enum view view, const char *source, const char *expected, double *largest)
{
	char path[PATH];
	const char *shared = getenv("LSDN_SHARED");
	struct photo photo, truth;
	struct error e;
	struct view_geometry geometry;
	snprintf(path, sizeof path, "%s/vectors/resize/%s%s", shared, name, source);
	ck_assert_msg(photo_read(&photo, path, &e) == 0, "%s", e.message);
	snprintf(path, sizeof path, "%s/vectors/resize/%s-%s-224.png", shared, name, expected);
	ck_assert_msg(photo_read(&truth, path, &e) == 0, "%s", e.message);
	float *tensor = malloc(224 * 224 * 3 * sizeof *tensor);
	ck_assert_ptr_nonnull(tensor);
	ck_assert_msg(view_make(&photo, &PLAIN, view, 0, tensor, &geometry, &e) == 0, "%s", e.message);
	double sum = 0;
	*largest = 0;
	for (int i = 0; i < 224 * 224 * 3; i++) {
		double d = fabs((double)tensor[i] - truth.rgb[i]);
		sum += d;
		*largest = fmax(*largest, d);
	}
	free(tensor);
	photo_free(&photo);
	photo_free(&truth);
	return sum / (224 * 224 * 3);
}

START_TEST(resizing_is_pillows)
{
	static const char *const NAMES[] = {"wide", "tall", "small", "gray", "large"};
	const char *shared = getenv("LSDN_SHARED");
	char path[PATH];
	snprintf(path, sizeof path, "%s/vectors/resize", shared ? shared : "../shared");
	if (!shared || access(path, R_OK) != 0) {
		printf("skipped: %s: the vectors of resizing are not there\n", path);
		fflush(stdout);
		return;
	}
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		for (int v = 0; v < 2; v++) {
			const char *expected = v ? "center" : "full";
			double largest, whole;
			double mean = difference(NAMES[i], v ? VIEW_CENTER : VIEW_FULL, "-decoded.png", expected, &largest);
			printf("%s-%s: resized %g off (at most %g)", NAMES[i], expected, mean, largest);
			ck_assert_msg(largest == 0, "%s %s differs from Pillow's by up to %g", NAMES[i], expected, largest);
			/* Decoders may differ by a level or two where chroma is interpolated. */
			mean = difference(NAMES[i], v ? VIEW_CENTER : VIEW_FULL, ".JPEG", expected, &whole);
			printf(", from the JPEG %.3f (at most %g)\n", mean, whole);
			ck_assert_double_lt(mean, 1);
		}
	fflush(stdout);
}
END_TEST

START_TEST(preprocessing_orders_and_scales)
{
	struct photo photo = ramp(5, 4);
	struct preprocessing pre = {.width = 5, .height = 4, .bgr = true, .mean = {10, 20, 30}, .std = {2, 4, 8}};
	struct view_geometry geometry;
	struct error e;
	float tensor[60];
	ck_assert_int_eq(view_make(&photo, &pre, VIEW_FULL, 0, tensor, &geometry, &e), 0);
	for (int i = 0; i < 20; i++)
		for (int c = 0; c < 3; c++)
			ck_assert_float_eq(tensor[i * 3 + c], ((float)photo.rgb[i * 3 + 2 - c] - pre.mean[c]) / pre.std[c]);
	struct point same = view_point(&geometry, 3, 2);
	ck_assert_double_eq(same.y, 3);
	ck_assert_double_eq(same.x, 2);
	photo_free(&photo);
}
END_TEST

/* 500 x 375: the shorter side becomes 256, the longer rint(500 * 256 / 375) = 341; crop at (58, 16). */
START_TEST(geometry_leads_back_to_the_photograph)
{
	struct photo photo = ramp(500, 375);
	struct view_geometry g;
	struct error e;
	float *tensor = malloc(224 * 224 * 3 * sizeof *tensor);
	ck_assert_ptr_nonnull(tensor);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_CENTER, 0, tensor, &g, &e), 0);
	struct point p = view_point(&g, 10, 20);
	ck_assert_double_eq_tol(p.y, (10 + 16 + 0.5) * 375 / 256 - 0.5, 1e-12);
	ck_assert_double_eq_tol(p.x, (20 + 58 + 0.5) * 500 / 341 - 0.5, 1e-12);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_FULL, 0, tensor, &g, &e), 0);
	p = view_point(&g, 10, 20);
	ck_assert_double_eq_tol(p.y, 10.5 * 375 / 224 - 0.5, 1e-12);
	ck_assert_double_eq_tol(p.x, 20.5 * 500 / 224 - 0.5, 1e-12);
	photo_free(&photo);

	photo = ramp(30000, 1);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_CENTER, 0, tensor, &g, &e), 0);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_FULL, 0, tensor, &g, &e), 0);
	struct preprocessing bad = PLAIN;
	bad.height = 0;
	ck_assert_int_eq(view_make(&photo, &bad, VIEW_FULL, 0, tensor, &g, &e), LSDN_ERROR_INPUT);
	photo_free(&photo);
	free(tensor);
}
END_TEST

/* Boxes */

/* 30 x 40 has a diagonal of 50: the radius is 5, and 5 away is not strictly nearer. */
START_TEST(outliers_need_neighbours_strictly_nearer)
{
	struct point points[] = {{0, 0}, {0, 4.999}, {3, 4}, {30, 30}};
	struct box_rule rule = {.radius = 0.1, .share = 0.25};
	bool keep[4];
	/* More than 1 of 4: itself is not enough. {3, 4} is 5 from {0, 0} and 3.0000001 from {0, 4.999}. */
	ck_assert_uint_eq(box_outliers(points, 4, 30, 40, &rule, keep), 3);
	ck_assert(keep[0] && keep[1] && keep[2] && !keep[3]);
	points[1] = (struct point){30, 20};
	ck_assert_uint_eq(box_outliers(points, 4, 30, 40, &rule, keep), 0);
	/* A lone point is its own neighbour: 1 > 0.05. */
	ck_assert_uint_eq(box_outliers(points, 1, 30, 40, &CHOICES_DEFAULT.box, keep), 1);
	/* 20 points far apart: 1 is not more than 0.05 of 20; of 19 it is. */
	struct point far[20];
	bool kept[20];
	for (int i = 0; i < 20; i++)
		far[i] = (struct point){0, 6 * i};
	rule = CHOICES_DEFAULT.box;
	rule.radius = 0.05;
	ck_assert_uint_eq(box_outliers(far, 20, 30, 40, &rule, kept), 0);
	ck_assert_uint_eq(box_outliers(far, 19, 30, 40, &rule, kept), 19);
}
END_TEST

static void box_is(const struct box *box, int xmin, int ymin, int xmax, int ymax)
{
	ck_assert_msg(box->xmin == xmin && box->ymin == ymin && box->xmax == xmax && box->ymax == ymax, "%d %d %d %d, not %d %d %d %d", box->xmin,
		box->ymin, box->xmax, box->ymax, xmin, ymin, xmax, ymax);
}

static bool finds(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct box *box)
{
	bool found = false;
	struct error e;
	ck_assert_msg(box_find(points, weights, keep, count, width, height, rule, box, &found, &e) == 0, "%s", e.message);
	return found;
}

START_TEST(box_is_the_least_around_what_stays)
{
	struct point points[] = {{10.5, 20.49}, {30.2, 50.5}, {0, 99}, {-0.5, 99.5}};
	bool keep[] = {true, true, false, false};
	struct box_rule rule = CHOICES_DEFAULT.box;
	struct box box = {1, 2, 3, 4};
	ck_assert(finds(points, NULL, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 20, 11, 51, 30);
	rule.margin = 0.03; /* 3 pixels across, 1.5 down */
	ck_assert(finds(points, NULL, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 17, 9, 54, 32);
	keep[2] = keep[3] = true;
	ck_assert(finds(points, NULL, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 17, 0, 99, 32);
	rule.margin = -0.5; /* inside out: the middle of (20.49, 99.5) and (-0.5, 30.2) */
	ck_assert(finds(points, NULL, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 60, 15, 60, 15);
	memset(keep, 0, sizeof keep);
	box = (struct box){1, 2, 3, 4};
	ck_assert(!finds(points, NULL, keep, 4, 100, 50, &rule, &box));
	ck_assert(!finds(NULL, NULL, NULL, 0, 100, 50, &rule, &box));
	box_is(&box, 1, 2, 3, 4);
}
END_TEST

/* Worked out by hand. */
START_TEST(quantiles_leave_the_tails_out)
{
	struct point points[11];
	double weights[11];
	bool keep[11] = {false}; /* outliers or not: all count */
	struct box_rule rule = CHOICES_DEFAULT.box;
	struct box box;
	rule.kind = BOX_QUANTILE;
	for (int i = 0; i < 11; i++) {
		points[i] = (struct point){.y = 40 + (i * 7 % 11) * 2, .x = (i * 5 % 11) * 10};
		weights[i] = 1;
	}
	rule.tail = 0.1; /* of eleven points: the second and the last but one */
	ck_assert(finds(points, NULL, keep, 11, 200, 100, &rule, &box));
	box_is(&box, 10, 42, 90, 58);
	rule.tail = 0.05; /* half-way between two points: 5 and 95, 41 and 59 */
	ck_assert(finds(points, weights, keep, 11, 200, 100, &rule, &box));
	box_is(&box, 5, 41, 95, 59);
	rule.margin = 0.1; /* 9 and 1.8 */
	ck_assert(finds(points, NULL, keep, 11, 200, 100, &rule, &box));
	box_is(&box, 0, 39, 104, 61);
	rule.tail = rule.margin = 0;
	ck_assert(finds(points, NULL, keep, 11, 200, 100, &rule, &box));
	box_is(&box, 0, 40, 100, 60);
	/* Two places, of masses 1 and 3: one point's worth is 10/4, tail * (4 - 10/4) = 0.15 of the mass is left out: 0.85 of it at 0 and 1.65 at 100 on the
	 * low side, all at 100 on the high one. */
	struct point two[] = {{7, 0}, {7, 100}};
	double masses[] = {1, 3};
	rule.tail = 0.1;
	ck_assert(finds(two, masses, keep, 2, 200, 100, &rule, &box));
	box_is(&box, 66, 7, 100, 7);
	masses[0] = masses[1] = 0;
	ck_assert(!finds(two, masses, keep, 2, 200, 100, &rule, &box));
	ck_assert(!finds(two, NULL, keep, 0, 200, 100, &rule, &box));
	ck_assert(finds(two, NULL, keep, 1, 200, 100, &rule, &box));
	box_is(&box, 0, 7, 0, 7);
}
END_TEST

START_TEST(spread_leans_on_the_middle)
{
	/* x: mean 30, standard deviation 10; y: mean 60, none. */
	struct point points[] = {{60, 20}, {60, 40}};
	double weights[] = {3, 1}; /* x: 25, sqrt(75) */
	bool keep[] = {false, false};
	struct box_rule rule = CHOICES_DEFAULT.box;
	struct box box;
	rule.kind = BOX_SPREAD;
	rule.margin = 1; /* none of its business */
	rule.prior = 0;
	ck_assert(finds(points, NULL, keep, 2, 201, 101, &rule, &box));
	box_is(&box, 12, 60, 48, 60);
	ck_assert(finds(points, weights, keep, 2, 201, 101, &rule, &box)); /* 25 +- 15.59 */
	box_is(&box, 9, 60, 41, 60);
	rule.floor = 0.25; /* of 3 and 1 are left 2.25 and 0.25: 22 +- 10.8 */
	ck_assert(finds(points, weights, keep, 2, 201, 101, &rule, &box));
	box_is(&box, 11, 60, 33, 60);
	rule.floor = 0;
	rule.prior = 1; /* 100 +- 75.375, 50 +- 37.875 */
	ck_assert(finds(points, weights, keep, 2, 201, 101, &rule, &box));
	box_is(&box, 25, 12, 175, 88);
	rule.prior = 0.5; /* 65 +- 46.6875, 55 +- 18.9375 */
	ck_assert(finds(points, NULL, keep, 2, 201, 101, &rule, &box));
	box_is(&box, 18, 36, 112, 74);
	ck_assert(!finds(points, NULL, keep, 0, 201, 101, &rule, &box));
	weights[0] = weights[1] = 0;
	ck_assert(!finds(points, weights, keep, 2, 201, 101, &rule, &box));
}
END_TEST

START_TEST(map_s_largest_part)
{
	static const struct {
		const char *rows[4];
		struct box box;
	} PARTS[] = {
		{{"........", ".##..#..", ".....#..", ".....#.."}, {5, 1, 5, 3}},
		{{"#.......", ".#...#..", "..#..#..", ".....#.."}, {0, 0, 2, 2}}, /* corners connect; equally large: the first in raster order */
		{{"......#.", "#....#..", "#...#...", "#......."}, {4, 0, 6, 2}},
		{{"#.#.#.##", "#.#.#.#.", "#.#.#.#.", "######.."}, {0, 0, 7, 3}}, /* parts that meet below */
		{{"########", "########", "########", "########"}, {0, 0, 7, 3}},
		{{".......#", "........", "#.......", "........"}, {7, 0, 7, 0}},
	};
	for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
		float map[32];
		struct error e;
		struct box box;
		for (int k = 0; k < 32; k++)
			map[k] = PARTS[i].rows[k / 8][k % 8] == '#' ? 0.5f : 0.25f;
		ck_assert_int_eq(part_largest(map, 8, 4, 0.5, &box, &e), 0);
		box_is(&box, PARTS[i].box.xmin, PARTS[i].box.ymin, PARTS[i].box.xmax, PARTS[i].box.ymax);
	}
}
END_TEST

START_TEST(map_rule_sees_what_stays)
{
	struct point points[] = {{10, 10}, {10, 11}, {10, 12}, {30, 40}, {31, 41}, {50, 90}};
	double weights[] = {1, 1, 1, 9, 9, 100};
	bool keep[] = {true, true, true, true, true, false};
	struct box_rule rule = CHOICES_DEFAULT.box;
	struct box box = {1, 2, 3, 4};
	rule.kind = BOX_MAP;
	rule.blur = 0;
	ck_assert(finds(points, NULL, keep, 6, 100, 60, &rule, &box));
	box_is(&box, 10, 10, 12, 10);
	ck_assert(finds(points, weights, keep, 6, 100, 60, &rule, &box)); /* 1/9 is below the threshold */
	box_is(&box, 40, 30, 41, 31);
	rule.map_threshold = 0;
	ck_assert(finds(points, weights, keep, 6, 100, 60, &rule, &box));
	box_is(&box, 0, 0, 99, 59);
	memset(keep, 0, sizeof keep);
	ck_assert(!finds(points, weights, keep, 6, 100, 60, &rule, &box));
	keep[5] = true; /* exp(-d^2 / (2 sigma^2)) >= 0.15 within 1.948 sigma: 22.7 pixels */
	rule.map_threshold = 0.15;
	rule.blur = 0.1;
	ck_assert(finds(points, weights, keep, 6, 100, 60, &rule, &box));
	box_is(&box, 68, 28, 99, 59);
}
END_TEST

START_TEST(iou_counts_both_ends)
{
	struct boxf a = {0, 0, 9, 9}, b = {5, 0, 14, 9}, touching = {9, 9, 18, 18}, apart = {10, 0, 19, 9};
	ck_assert_double_eq(box_iou(&a, &a), 1);
	ck_assert_double_eq_tol(box_iou(&a, &b), 50.0 / 150, 1e-15);
	ck_assert_double_eq_tol(box_iou(&a, &touching), 1.0 / 199, 1e-15);
	ck_assert_double_eq(box_iou(&a, &apart), 0);
}
END_TEST

START_TEST(scaling_keeps_the_whole_and_the_iou)
{
	struct boxf whole = {0, 0, 226, 226}, a = {10, 20, 99, 119}, b = {40, 10, 129, 99};
	struct boxf big = box_scale(&whole, 227, 227, 500, 375);
	ck_assert_double_eq_tol(big.xmin, 0, 1e-12);
	ck_assert_double_eq_tol(big.xmax, 499, 1e-12);
	ck_assert_double_eq_tol(big.ymax, 374, 1e-12);
	struct boxf large_a = box_scale(&a, 227, 227, 500, 375), large_b = box_scale(&b, 227, 227, 500, 375);
	ck_assert_double_eq_tol(box_iou(&large_a, &large_b), box_iou(&a, &b), 1e-12);
	struct boxf half = box_centered(100, 40, 0.5), full = box_centered(500, 375, 1);
	ck_assert(half.xmin == 25 && half.xmax == 74 && half.ymin == 10 && half.ymax == 29);
	ck_assert(full.xmin == 0 && full.xmax == 499 && full.ymin == 0 && full.ymax == 374);
}
END_TEST

/* Maps */

START_TEST(map_is_a_gaussian_divided_by_its_maximum)
{
	enum { WIDTH = 40, HEIGHT = 30 }; /* diagonal 50, sigma 2 */
	struct point points[] = {{9.6, 20.4}, {29, 39}};
	bool keep[] = {true, false};
	static float map[WIDTH * HEIGHT];
	struct error e;
	ck_assert_int_eq(map_make(points, NULL, keep, 2, WIDTH, HEIGHT, 0.04, map, &e), 0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			int dy = abs(y - 10), dx = abs(x - 20);
			double exact = dy <= 8 && dx <= 8 ? exp(-(dy * dy + dx * dx) / 8.0) : 0;
			ck_assert_double_eq_tol((double)map[y * WIDTH + x], exact, 1e-6);
		}
	ck_assert_float_eq(map[10 * WIDTH + 20], 1);
	keep[1] = true;
	ck_assert_int_eq(map_make(points, NULL, keep, 2, WIDTH, HEIGHT, 0, map, &e), 0);
	double sum = 0;
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		sum += (double)map[i];
	ck_assert_double_eq(sum, 2);
	ck_assert_float_eq(map[29 * WIDTH + 39], 1);
	keep[0] = keep[1] = false;
	ck_assert_int_eq(map_make(points, NULL, keep, 2, WIDTH, HEIGHT, 0.04, map, &e), 0);
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		ck_assert_float_eq(map[i], 0);
	ck_assert_int_eq(map_make(points, NULL, keep, 2, WIDTH, HEIGHT, (double)NAN, map, &e), LSDN_ERROR_INPUT);
}
END_TEST

START_TEST(map_of_many_points_has_maximum_one)
{
	enum { WIDTH = 97, HEIGHT = 69, COUNT = 400 };
	static struct point points[COUNT];
	static bool keep[COUNT];
	static float map[WIDTH * HEIGHT];
	struct error e;
	for (int i = 0; i < COUNT; i++) {
		points[i] = (struct point){i * 37 % HEIGHT, i * 53 % WIDTH};
		keep[i] = i % 3 != 0;
	}
	ck_assert_int_eq(map_make(points, NULL, keep, COUNT, WIDTH, HEIGHT, 0.032, map, &e), 0);
	float highest = 0, lowest = 1;
	for (int i = 0; i < WIDTH * HEIGHT; i++) {
		highest = fmaxf(highest, map[i]);
		lowest = fminf(lowest, map[i]);
	}
	ck_assert_float_eq(highest, 1);
	ck_assert_float_ge(lowest, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image");
	TCase *views = tcase_create("views");
	TCase *boxes = tcase_create("boxes and maps");
	tcase_set_timeout(views, 120);
	tcase_add_test(views, resizing_is_pillows);
	tcase_add_test(views, preprocessing_orders_and_scales);
	tcase_add_test(views, geometry_leads_back_to_the_photograph);
	suite_add_tcase(suite, views);
	tcase_set_timeout(boxes, 60);
	tcase_add_test(boxes, outliers_need_neighbours_strictly_nearer);
	tcase_add_test(boxes, box_is_the_least_around_what_stays);
	tcase_add_test(boxes, quantiles_leave_the_tails_out);
	tcase_add_test(boxes, spread_leans_on_the_middle);
	tcase_add_test(boxes, map_s_largest_part);
	tcase_add_test(boxes, map_rule_sees_what_stays);
	tcase_add_test(boxes, iou_counts_both_ends);
	tcase_add_test(boxes, scaling_keeps_the_whole_and_the_iou);
	tcase_add_test(boxes, map_is_a_gaussian_divided_by_its_maximum);
	tcase_add_test(boxes, map_of_many_points_has_maximum_one);
	suite_add_tcase(suite, boxes);
	return run_suite(suite);
}
