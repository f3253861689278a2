/* View `five` against the same done by hand: the photograph resized whole, five photographs cut out of it, each explained alone, and the points
 * merged on the grid of the resized photograph. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/generate.h"
#include "core/embedded.h"
#include "core/explain.h"
#include "tests/suite.h"

enum { SIDE = GENERATE_SIDE, SHORTER = 110 /* round(96 * 256 / 224) */, POLICIES = 2, TOP = 3 };

static struct net net;
static struct packed_weights *packed;
static struct explainer alone, five;

static void open_both(void)
{
	struct error e;
	ck_assert_msg(model_open(&net, NULL, &e) == 0, "%s", e.message);
	ck_assert_int_eq(net.input.width, SIDE);
	packed = packed_weights_open(&net.plan, &e);
	ck_assert_msg(packed && !explainer_open(&alone, &net, packed, 1, &e) && !explainer_open(&five, &net, packed, 2, &e), "%s", e.message);
}

static void close_both(void)
{
	explainer_close(&alone);
	explainer_close(&five);
	packed_weights_close(packed);
	net_close(&net);
}

static struct photo blank(int width, int height)
{
	struct photo photo = {width, height, malloc((size_t)width * (size_t)height * 3)};
	ck_assert_ptr_nonnull(photo.rgb);
	return photo;
}

static struct photo resized(const struct photo *photo, int width, int height)
{
	const struct preprocessing plain = {.width = width, .height = height, .std = {1, 1, 1}};
	size_t count = (size_t)width * (size_t)height * 3;
	struct photo small = blank(width, height);
	struct view_geometry geometry;
	struct error e;
	float *tensor = malloc(count * sizeof *tensor);
	ck_assert_ptr_nonnull(tensor);
	ck_assert_msg(view_make(photo, &plain, VIEW_FULL, 0, tensor, &geometry, &e) == 0, "%s", e.message);
	for (size_t i = 0; i < count; i++)
		small.rgb[i] = (uint8_t)tensor[i];
	free(tensor);
	return small;
}

static struct photo cut(const struct photo *photo, int y, int x)
{
	struct photo part = blank(SIDE, SIDE);
	for (int row = 0; row < SIDE; row++)
		memcpy(part.rgb + row * SIDE * 3, photo->rgb + ((size_t)(y + row) * (size_t)photo->width + (size_t)x) * 3, SIDE * 3);
	return part;
}

/* The five crops of a photograph, worked out by hand. */
struct by_hand {
	struct photo resized, crops[5];
	int y[5], x[5];
	double mean[GENERATE_CLASSES];
	int best[TOP]; /* classes by mean probability */
};

static void by_hand_make(struct by_hand *h, const struct photo *photo)
{
	bool tall = photo->height >= photo->width;
	int longer = (int)rint((double)(tall ? photo->height : photo->width) * SHORTER / (tall ? photo->width : photo->height));
	struct error e;
	*h = (struct by_hand){.resized = tall ? resized(photo, SHORTER, longer) : resized(photo, longer, SHORTER)};
	int right = h->resized.width - SIDE, bottom = h->resized.height - SIDE;
	const int y[] = {0, 0, bottom, bottom, bottom / 2}, x[] = {0, right, 0, right, right / 2};
	for (int i = 0; i < 5; i++) {
		h->y[i] = y[i];
		h->x[i] = x[i];
		h->crops[i] = cut(&h->resized, y[i], x[i]);
		ck_assert_msg(explainer_feed(&alone, &h->crops[i], VIEW_FULL, &e) == 0, "%s", e.message);
		for (int k = 0; k < GENERATE_CLASSES; k++)
			h->mean[k] += alone.probabilities[k] / 5;
	}
	for (int n = 0; n < TOP; n++) {
		double highest = -1;
		for (int k = 0; k < GENERATE_CLASSES; k++) {
			bool taken = (n > 0 && h->best[0] == k) || (n > 1 && h->best[1] == k);
			if (!taken && h->mean[k] > highest) {
				highest = h->mean[k];
				h->best[n] = k;
			}
		}
	}
}

static void by_hand_free(struct by_hand *h)
{
	for (int i = 0; i < 5; i++)
		photo_free(&h->crops[i]);
	photo_free(&h->resized);
}

/* The points of each policy, and what is made of them, against those of `five`, which has walked for the same. */
static void compare_points(const struct by_hand *h, const struct photo *photo, const struct policy *policies, const int *classes, int class_count)
{
	size_t area = (size_t)h->resized.width * (size_t)h->resized.height;
	bool *grid = calloc(area, POLICIES);
	struct point *points = malloc(area * sizeof *points);
	bool *keep = malloc(area);
	struct explanation found;
	struct error e;
	ck_assert(grid && points && keep);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(explainer_feed(&alone, &h->crops[i], VIEW_FULL, &e), 0);
		ck_assert_int_eq(walk_run(alone.crops[0].walk, alone.crops[0].session, 0, policies, POLICIES, classes, class_count, &e), 0);
		for (int p = 0; p < POLICIES; p++) {
			ck_assert_int_eq(explainer_read(&alone, p, &CHOICES_DEFAULT.box, &found, &e), 0);
			for (size_t k = 0; k < found.count; k++)
				grid[(size_t)p * area + (size_t)(h->y[i] + (int)alone.points[k].y) * (size_t)h->resized.width + (size_t)(h->x[i] + (int)alone.points[k].x)] =
					true;
		}
	}
	for (int p = 0; p < POLICIES; p++) {
		size_t count = 0;
		for (size_t k = 0; k < area; k++)
			if (grid[(size_t)p * area + k])
				points[count++] = (struct point){((double)(k / (size_t)h->resized.width) + 0.5) * photo->height / h->resized.height - 0.5,
					((double)(k % (size_t)h->resized.width) + 0.5) * photo->width / h->resized.width - 0.5};
		ck_assert_int_eq(explainer_read(&five, p, &CHOICES_DEFAULT.box, &found, &e), 0);
		ck_assert_uint_eq(found.count, count);
		ck_assert_uint_gt(count, 0);
		for (size_t k = 0; k < count; k++) {
			/* The same formula; only the order of multiplication and division may round it differently, once on numbers below 2000. */
			ck_assert_double_eq_tol(five.points[k].y, points[k].y, 1e-12);
			ck_assert_double_eq_tol(five.points[k].x, points[k].x, 1e-12);
		}
		struct box box;
		size_t kept = box_outliers(five.points, count, photo->width, photo->height, &CHOICES_DEFAULT.box, keep);
		bool any = false;
		ck_assert_int_eq(box_find(five.points, NULL, keep, count, photo->width, photo->height, &CHOICES_DEFAULT.box, &box, &any, &e), 0);
		ck_assert(kept == found.kept && any == found.found && (!any || memcmp(&box, &found.box, sizeof box) == 0));
	}
	free(grid);
	free(points);
	free(keep);
}

static const struct {
	int width, height;
} SIZES[] = {{96, 96}, {110, 110}, {61, 47}, {47, 61}, {130, 301}, {700, 333}, {3, 40}, {1, 1}};

START_TEST(five_crops_are_those_cut_by_hand)
{
	struct photo made, photo;
	struct annotation truth;
	struct by_hand h;
	struct error e;
	ck_assert_int_eq(generate_image(5, (uint32_t)_i, &made, &truth, &e), 0);
	photo = resized(&made, SIZES[_i].width, SIZES[_i].height);
	by_hand_make(&h, &photo);
	ck_assert_msg(explainer_feed(&five, &photo, VIEW_FIVE, &e) == 0, "%s", e.message);
	ck_assert_int_eq(five.crop_count, 5);
	for (int k = 0; k < GENERATE_CLASSES; k++)
		ck_assert_msg(five.probabilities[k] == h.mean[k], "class %d: %.17g, by hand %.17g", k, five.probabilities[k], h.mean[k]);
	for (int n = 0; n < TOP; n++)
		ck_assert_int_eq(explainer_class(&five, n), h.best[n]);
	struct policy policies[POLICIES] = {CHOICES_DEFAULT.policy, CHOICES_DEFAULT.policy};
	policies[1].alpha.pre = 0;
	ck_assert_int_eq(explainer_walk(&five, policies, POLICIES, -1, &e), 0);
	compare_points(&h, &photo, policies, h.best, 1);
	int asked = (h.best[0] + 5) % GENERATE_CLASSES;
	ck_assert_int_eq(explainer_walk(&five, policies, POLICIES, asked, &e), 0);
	compare_points(&h, &photo, policies, &asked, 1);
	policies[0].top_n = policies[1].top_n = TOP;
	ck_assert_int_eq(explainer_walk(&five, policies, POLICIES, -1, &e), 0);
	compare_points(&h, &photo, policies, h.best, TOP);
	by_hand_free(&h);
	photo_free(&photo);
	photo_free(&made);
	annotation_free(&truth);
}
END_TEST

/* Views may change from image to image: nothing of a crop stays behind. */
START_TEST(other_views_are_as_if_five_had_never_been)
{
	struct photo photo;
	struct annotation truth;
	struct explanation after, before;
	struct error e;
	ck_assert_int_eq(generate_image(5, 9, &photo, &truth, &e), 0);
	ck_assert_int_eq(explainer_feed(&five, &photo, VIEW_FIVE, &e), 0);
	ck_assert_int_eq(explainer_walk(&five, &CHOICES_DEFAULT.policy, 1, -1, &e), 0);
	for (int i = 0; i < 2; i++) {
		struct explainer *x = i ? &five : &alone;
		ck_assert_int_eq(explainer_feed(x, &photo, VIEW_CENTER, &e), 0);
		ck_assert_int_eq(x->crop_count, 1);
		ck_assert_int_eq(explainer_walk(x, &CHOICES_DEFAULT.policy, 1, -1, &e), 0);
		ck_assert_int_eq(explainer_read(x, 0, &CHOICES_DEFAULT.box, i ? &after : &before, &e), 0);
	}
	ck_assert_uint_eq(after.count, before.count);
	ck_assert_int_eq(memcmp(five.points, alone.points, after.count * sizeof *five.points), 0);
	ck_assert_int_eq(memcmp(five.probabilities, alone.probabilities, GENERATE_CLASSES * sizeof *five.probabilities), 0);
	photo_free(&photo);
	annotation_free(&truth);
}
END_TEST

/* Contrast against two walks of which one is taken away from the other here. */
START_TEST(contrast_is_a_difference)
{
	struct photo photo;
	struct annotation truth;
	struct explanation own, other, found;
	struct error e;
	bool heavy = _i % 2;
	size_t dropped = 0, left = 0;
	ck_assert_int_eq(generate_image(5, (uint32_t)_i, &photo, &truth, &e), 0);
	enum view view = _i % 4 < 2 ? VIEW_FULL : VIEW_CENTER;
	struct policy policy = CHOICES_DEFAULT.policy;
	policy.mass = heavy;
	policy.k_conv = 2;
	ck_assert_int_eq(explainer_feed(&alone, &photo, view, &e), 0);
	ck_assert_int_eq(explainer_feed(&five, &photo, view, &e), 0);
	int first = explainer_class(&alone, 0), second = explainer_class(&alone, 1);
	ck_assert_int_eq(explainer_rival(&alone, &first, 1), second);
	ck_assert_int_eq(explainer_rival(&alone, &second, 1), first);
	ck_assert_int_eq(explainer_walk(&five, &policy, 1, second, &e), 0);
	ck_assert_int_eq(explainer_read(&five, 0, &CHOICES_DEFAULT.box, &other, &e), 0);
	ck_assert_int_eq(explainer_walk(&alone, &policy, 1, first, &e), 0);
	ck_assert_int_eq(explainer_read(&alone, 0, &CHOICES_DEFAULT.box, &own, &e), 0);
	struct point *points = malloc((own.count + 1) * sizeof *points);
	double *weights = malloc((own.count + 1) * sizeof *weights);
	for (size_t i = 0; i < own.count; i++) {
		size_t k = 0;
		while (k < other.count && !(five.points[k].y == alone.points[i].y && five.points[k].x == alone.points[i].x))
			k++;
		double mass = !heavy ? k == other.count : alone.weights[i] - (k < other.count ? five.weights[k] : 0);
		if (mass > 0) {
			points[left] = alone.points[i];
			weights[left++] = mass;
		}
		dropped += k < other.count;
	}
	policy.contrast = true;
	ck_assert_int_eq(explainer_walk(&alone, &policy, 1, -1, &e), 0);
	ck_assert_int_eq(explainer_read(&alone, 0, &CHOICES_DEFAULT.box, &found, &e), 0);
	ck_assert_uint_gt(dropped, 0);
	ck_assert_uint_eq(found.count, left);
	ck_assert(memcmp(alone.points, points, left * sizeof *points) == 0);
	ck_assert(heavy ? memcmp(alone.weights, weights, left * sizeof *weights) == 0 : !alone.weights);
	/* Nothing of it stays behind. */
	policy.contrast = false;
	ck_assert_int_eq(explainer_walk(&alone, &policy, 1, first, &e), 0);
	ck_assert_int_eq(explainer_read(&alone, 0, &CHOICES_DEFAULT.box, &found, &e), 0);
	ck_assert_uint_eq(found.count, own.count);
	free(points);
	free(weights);
	photo_free(&photo);
	annotation_free(&truth);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("explain");
	TCase *views = tcase_create("views");
	tcase_set_timeout(views, 120);
	tcase_add_checked_fixture(views, open_both, close_both);
	tcase_add_loop_test(views, five_crops_are_those_cut_by_hand, 0, sizeof SIZES / sizeof *SIZES);
	tcase_add_test(views, other_views_are_as_if_five_had_never_been);
	tcase_add_loop_test(views, contrast_is_a_difference, 0, 8);
	suite_add_tcase(suite, views);
	return run_suite(suite);
}
