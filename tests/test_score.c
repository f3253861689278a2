/* What maps and boxes are worth: by hand, and by plain counting. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/evidence.h"
#include "calib/score.h"
#include "core/image/part.h"
#include "tests/suite.h"

START_TEST(peak_by_hand)
{
	const float map[] = {0.5f, 1, 0, 1, 0.25f};
	ck_assert_uint_eq(score_peak(map, 5), 1); /* the first of two */
	ck_assert_uint_eq(score_peak(map, 1), 0);
}
END_TEST

START_TEST(distance_by_hand)
{
	struct annotated_box boxes[] = {{"a", {10, 20, 19, 29}}, {"b", {60, 60, 61, 61}}};
	struct annotation truth = {.width = 100, .height = 100, .boxes = boxes, .count = 2};
	ck_assert_double_eq(score_distance(&truth, 25, 15, 100, 100), 0);
	ck_assert_double_eq(score_distance(&truth, 20, 10, 100, 100), 0); /* a corner pixel is in it */
	ck_assert_double_eq_tol(score_distance(&truth, 25, 20, 100, 100), 0.5, 1e-12); /* the next pixel's middle is half a pixel out */
	ck_assert_double_eq_tol(score_distance(&truth, 29 + 4, 19 + 3, 100, 100), hypot(3.5, 2.5), 1e-12);
	ck_assert_double_eq_tol(score_distance(&truth, 60, 50, 100, 100), 9.5, 1e-12); /* the other box is nearer */
	/* Half as large a photograph: pixel (12, 7) has its middle at (24.5, 14.5) of the annotation's. */
	ck_assert_double_eq(score_distance(&truth, 12, 7, 50, 50), 0);
	ck_assert_double_eq_tol(score_distance(&truth, 12, 10, 50, 50), 20.5 - 19.5, 1e-12);
	truth.width = truth.height = 0; /* no size: the photograph's own pixels */
	ck_assert_double_eq_tol(score_distance(&truth, 25, 20, 640, 480), 0.5, 1e-12);
}
END_TEST

START_TEST(order_by_hand)
{
	const float values[] = {3, 1, 4, 1, 5};
	const uint32_t falling[] = {4, 2, 0, 1, 3};
	uint32_t order[5];
	struct error e;
	ck_assert_int_eq(score_order(values, 5, order, &e), 0);
	ck_assert_mem_eq(order, falling, sizeof falling);
}
END_TEST

START_TEST(areas_by_hand)
{
	const double flat[] = {0.5, 0.5, 0.5}, rising[] = {0, 0.5, 1}, late[] = {0, 0, 1};
	ck_assert_double_eq_tol(score_area(flat, 3), 0.5, 1e-15);
	ck_assert_double_eq_tol(score_area(rising, 3), 0.5, 1e-15);
	ck_assert_double_eq_tol(score_area(late, 3), 0.25, 1e-15);
}
END_TEST

/* A bright square of 10 x 10 with 1, a larger dim area of 20 x 10 far away with 0.3, and nothing else. */
START_TEST(thresholds_by_hand)
{
	enum { SIDE = 64 };
	static float map[SIDE * SIDE];
	uint8_t hits[SCORE_THRESHOLDS];
	struct error e;
	for (int y = 0; y < 10; y++)
		for (int x = 0; x < 20; x++) {
			if (x < 10)
				map[(y + 5) * SIDE + x + 5] = 1;
			map[(y + 40) * SIDE + x + 30] = 0.305f;
		}
	struct annotated_box boxes[] = {{"a", {5, 5, 14, 14}}};
	struct annotation truth = {.width = SIDE, .height = SIDE, .boxes = boxes, .count = 1};
	ck_assert_int_eq(score_thresholds(map, SIDE, SIDE, &truth, hits, &e), 0);
	ck_assert_uint_eq(hits[0], 0);  /* the whole photograph: IoU 100 / 4096 */
	for (int i = 1; i < SCORE_THRESHOLDS; i++) /* up to 0.30 the largest part is the wrong one, but one of the two is right */
		ck_assert_uint_eq(hits[i], i <= 30 ? 14 : 15);
	boxes[0].box.xmax = 24; /* IoU 1/2 exactly reaches 0.5, not 0.7 */
	ck_assert_int_eq(score_thresholds(map, SIDE, SIDE, &truth, hits, &e), 0);
	ck_assert_uint_eq(hits[50], 1 | 2 | 4);
}
END_TEST

START_TEST(all_parts_are_found)
{
	const float map[] = {1, 0, 0, 1,
		0, 0, 1, 0,
		1, 0, 0, 0,
		1, 0, 0, 1};
	struct parts parts;
	struct error e;
	ck_assert_int_eq(parts_find(&parts, map, 4, 4, 0.5, &e), 0);
	ck_assert_uint_eq(parts.count, 4);
	ck_assert_uint_eq(parts.largest, 1); /* of two with two pixels the first */
	ck_assert_mem_eq(&parts.boxes[1], (&(struct box){2, 0, 3, 1}), sizeof (struct box));
	ck_assert_mem_eq(&parts.boxes[2], (&(struct box){0, 2, 0, 3}), sizeof (struct box));
	ck_assert_mem_eq(&parts.boxes[3], (&(struct box){3, 3, 3, 3}), sizeof (struct box));
	parts_free(&parts);
	ck_assert_int_eq(parts_find(&parts, map, 4, 4, 1.5, &e), 0);
	ck_assert_uint_eq(parts.count, 0);
	parts_free(&parts);
}
END_TEST

START_TEST(signs_by_hand)
{
	const double ones[] = {1, 1, 1, 1}, mixed[] = {3, 1, -1}, none[] = {0, 0};
	ck_assert_double_eq_tol(sign_flip(ones, 4), 2.0 / 16, 1e-15); /* all up or all down */
	/* Sums over the eight flips: 5, 3, 3, 1 and their negatives; 3 or farther: six. */
	ck_assert_double_eq_tol(sign_flip(mixed, 3), 6.0 / 8, 1e-15);
	ck_assert_double_eq(sign_flip(none, 2), 1);
	ck_assert_double_eq(sign_flip(none, 0), 1);
}
END_TEST

/* Twenty differences of 1, four of them down: at least as far as 12 from 0 are 2 * (C(20, 0) + ... + C(20, 4)) of 2^20 flips. */
START_TEST(random_signs)
{
	double differences[20];
	for (int i = 0; i < 20; i++)
		differences[i] = i < 4 ? -1 : 1;
	double exact = 2 * (1 + 20 + 190 + 1140 + 4845) / 1048576.0, found = sign_flip(differences, 20);
	ck_assert_double_eq_tol(found, exact, 5 * sqrt(exact / 9999)); /* five standard deviations of 9999 draws */
	ck_assert(found == sign_flip(differences, 20) && found >= 1e-4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("score");
	TCase *cases = tcase_create("scores");
	tcase_add_test(cases, peak_by_hand);
	tcase_add_test(cases, distance_by_hand);
	tcase_add_test(cases, order_by_hand);
	tcase_add_test(cases, areas_by_hand);
	tcase_add_test(cases, thresholds_by_hand);
	tcase_add_test(cases, all_parts_are_found);
	tcase_add_test(cases, signs_by_hand);
	tcase_add_test(cases, random_signs);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
