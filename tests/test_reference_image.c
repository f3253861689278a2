/* What the image side computes fast against the same computed plainly, on random photographs and points: sizes on both sides of the vector widths
 * of 4, 8 and 16, points on borders and far outside, repeated ones, none, one, and such as are no numbers. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/image/map.h"
#include "core/image/part.h"
#include "core/image/reference.h"
#include "core/image/view.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { CASES = 4000, MAX_POINTS = 120, MAX_SIDE = 70 };

struct random_case {
	int width, height;
	size_t count;
	struct point points[MAX_POINTS];
	double weights[MAX_POINTS];
	struct box_rule rule;
	bool exact; /* whole coordinates and a whole radius: no rounding anywhere */
};

static int random_side(struct pcg *rng)
{
	static const int EDGES[] = {1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33};
	return between(rng, 0, 1) ? EDGES[between(rng, 0, (int)(sizeof EDGES / sizeof *EDGES) - 1)] : between(rng, 1, MAX_SIDE);
}

static double random_coordinate(struct pcg *rng, int side)
{
	switch (between(rng, 0, 9)) {
	case 0: return -0.5;
	case 1: return side - 0.5;
	case 2: return between(rng, 0, side - 1);
	case 3: return between(rng, -1, side) + 0.5;
	case 4: return (between(rng, 0, 223) + 0.5) * side / 224 - 0.5; /* as a view gives it: distances repeat */
	default: return pcg_double(rng) * side - 0.5;
	}
}

static double random_nonsense(struct pcg *rng)
{
	static const double VALUES[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e18};
	return VALUES[between(rng, 0, 5)];
}

static const double BLURS[] = {0, 0.001, 0.01, 0.032, 0.032, 0.032, 0.1, 1};

static void random_case_make(struct random_case *r, struct pcg *rng, bool nonsense)
{
	static const double RADII[] = {0, 0.05, 0.1, 0.1, 0.1, 0.3, 2}, SHARES[] = {0, 0.05, 0.05, 0.05, 0.2, 0.5, 1},
		TAILS[] = {0, 0.05, 0.1, 0.3, 0.5}, FLOORS[] = {0, 0, 0.1, 0.5}, SDS[] = {0, 0.7, 1.8, 3}, THRESHOLDS[] = {0, 0.15, 0.15, 0.6, 1};
	*r = (struct random_case){.width = random_side(rng), .height = random_side(rng), .exact = between(rng, 0, 3) == 0};
	r->rule = (struct box_rule){.radius = RADII[between(rng, 0, 6)], .share = SHARES[between(rng, 0, 6)],
		.margin = between(rng, 0, 1) ? 0 : pcg_double(rng) * 1.5 - 0.5, .tail = TAILS[between(rng, 0, 4)], .floor = FLOORS[between(rng, 0, 3)], .sds = SDS[between(rng, 0, 3)],
		.prior = between(rng, 0, 1) ? 0.5 : pcg_double(rng), .map_threshold = THRESHOLDS[between(rng, 0, 4)], .blur = BLURS[between(rng, 0, 7)]};
	r->count = (size_t)(between(rng, 0, 3) ? between(rng, 2, MAX_POINTS) : between(rng, 0, 2));
	if (r->exact) {
		/* 3-4-5: the diagonal is 50 or 25, and many a distance is just the radius. */
		r->width = between(rng, 0, 1) ? 30 : 20;
		r->height = r->width == 30 ? 40 : 15;
		r->rule.radius = (double)between(rng, 1, 3) / 5; /* 10, 20, 30 or 5, 10, 15 pixels */
	}
	for (size_t i = 0; i < r->count; i++)
		r->points[i] = r->exact ? (struct point){between(rng, 0, r->height - 1), between(rng, 0, r->width - 1)}
			: (struct point){random_coordinate(rng, r->height), random_coordinate(rng, r->width)};
	for (size_t i = 0; i < r->count; i++)
		r->weights[i] = between(rng, 0, 4) ? exp(4 * pcg_double(rng) - 2) : between(rng, 0, 2);
	for (size_t i = 1; i < r->count; i++)
		if (between(rng, 0, 5) == 0)
			r->points[i] = r->points[between(rng, 0, (int)i - 1)];
	for (size_t i = 0; nonsense && i < r->count; i++) {
		if (between(rng, 0, 4) == 0)
			r->points[i].y = random_nonsense(rng);
		if (between(rng, 0, 4) == 0)
			r->points[i].x = random_nonsense(rng);
	}
}

/* Whether a distance from point i is the radius but for rounding: the square root, the sum of squares and the diagonal each round once or twice. */
static bool near_tie(const struct random_case *r, size_t i)
{
	double reach = r->rule.radius * hypot(r->width, r->height);
	for (size_t j = 0; j < r->count && !r->exact; j++)
		if (fabs(hypot(r->points[j].y - r->points[i].y, r->points[j].x - r->points[i].x) - reach) <= 8 * 0x1p-53 * reach)
			return true;
	return false;
}

#define check_case(condition, i, format, ...) \
	ck_assert_msg(condition, "case %u of LSDN_SEED=%llu: " format, i, (unsigned long long)random_seed(), __VA_ARGS__)

START_TEST(outliers_and_boxes)
{
	bool keep[MAX_POINTS], plain[MAX_POINTS];
	struct random_case r;
	unsigned int ties = 0, stayed = 0, went = 0, boxes = 0;
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct box box = {0}, wanted = {0};
		size_t allowed = 0;
		pcg_seed(&rng, random_seed(), i);
		random_case_make(&r, &rng, i % 4 == 0);
		size_t kept = box_outliers(r.points, r.count, r.width, r.height, &r.rule, keep);
		size_t expected = reference_outliers(r.points, r.count, r.width, r.height, &r.rule, plain), marked = 0;
		for (size_t k = 0; k < r.count; k++) {
			bool differs = keep[k] != plain[k];
			check_case(!differs || near_tie(&r, k), i, "point %zu of %zu %s, plainly it %s", k, r.count, keep[k] ? "stays" : "goes",
				plain[k] ? "stays" : "goes");
			check_case(!keep[k] || (isfinite(r.points[k].y) && isfinite(r.points[k].x)), i, "point %zu is no number and stays", k);
			allowed += differs;
			marked += keep[k];
		}
		check_case(kept == marked && (allowed || kept == expected), i, "%zu kept, %zu marked, plainly %zu", kept, marked, expected);
		struct error e;
		bool found = false;
		check_case(box_find(r.points, r.weights, keep, r.count, r.width, r.height, &r.rule, &box, &found, &e) == 0, i, "%s", e.message);
		check_case(found == (kept > 0), i, "a box of %zu points", kept);
		/* By the marks of the fast one, so that a tie does not count twice. */
		reference_box(r.points, NULL, keep, r.count, r.width, r.height, &r.rule, &wanted);
		check_case(memcmp(&box, &wanted, sizeof box) == 0, i, "box %d %d %d %d, plainly %d %d %d %d", box.xmin, box.ymin, box.xmax, box.ymax, wanted.xmin,
			wanted.ymin, wanted.xmax, wanted.ymax);
		ties += allowed > 0;
		stayed += kept > 0;
		went += kept < r.count;
		boxes += found;
	}
	/* Cases that prove nothing would be silent. */
	ck_assert(stayed > CASES / 4 && went > CASES / 4 && boxes > CASES / 4);
	ck_assert_uint_lt(ties, CASES / 100);
	printf("outliers and boxes: %d random cases agree with the plain ones, %u of them but for a distance that is the radius\n", CASES, ties);
}
END_TEST

/* Where a side falls on half a pixel but for the rounding of sums of some hundred numbers, none beyond the largest coordinate, it may go either way. */
static bool same_side(int fast, double plain, int size, double largest, bool *tie)
{
	double wanted = fmin(fmax(floor(plain + 0.5), 0), size - 1), off = fabs(plain + 0.5 - floor(plain + 1)); /* from the nearest half */
	*tie = *tie || fast != wanted;
	return fast == wanted || (abs(fast - (int)wanted) == 1 && off <= 1e-12 * largest);
}

START_TEST(boxes_of_all_points)
{
	static const double LARGE[] = {NAN, INFINITY, -INFINITY, 1e100, -1e18}; /* squares of which are numbers */
	bool keep[MAX_POINTS] = {false};
	struct random_case r;
	unsigned int ties = 0, boxes = 0, inside = 0;
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct box box = {0};
		struct boxf plain = {0};
		struct error e;
		pcg_seed(&rng, random_seed(), i);
		random_case_make(&r, &rng, false);
		for (size_t k = 0; i % 4 == 0 && k < r.count; k++)
			if (between(&rng, 0, 4) == 0)
				*(between(&rng, 0, 1) ? &r.points[k].x : &r.points[k].y) = LARGE[between(&rng, 0, 4)];
		const double *weights = i % 3 ? r.weights : NULL;
		bool found = false, tie = false;
		double largest = 1e3;
		r.rule.kind = i % 2 ? BOX_QUANTILE : BOX_SPREAD;
		for (size_t k = 0; k < r.count; k++)
			if (isfinite(r.points[k].x) && isfinite(r.points[k].y))
				largest = fmax(largest, fmax(fabs(r.points[k].x), fabs(r.points[k].y)));
		check_case(box_find(r.points, weights, keep, r.count, r.width, r.height, &r.rule, &box, &found, &e) == 0, i, "%s", e.message);
		int wanted = reference_sides(r.points, weights, keep, r.count, r.width, r.height, &r.rule, &plain);
		check_case(found == (wanted == 1), i, "a box of %zu points", r.count);
		if (!found)
			continue;
		check_case(same_side(box.xmin, plain.xmin, r.width, largest, &tie) && same_side(box.ymin, plain.ymin, r.height, largest, &tie)
			&& same_side(box.xmax, plain.xmax, r.width, largest, &tie) && same_side(box.ymax, plain.ymax, r.height, largest, &tie), i,
			"box %d %d %d %d, plainly %.17g %.17g %.17g %.17g", box.xmin, box.ymin, box.xmax, box.ymax, plain.xmin, plain.ymin, plain.xmax, plain.ymax);
		check_case(box.xmin <= box.xmax && box.ymin <= box.ymax, i, "%d > %d or %d > %d", box.xmin, box.xmax, box.ymin, box.ymax);
		boxes++;
		ties += tie;
		inside += box.xmin > 0 && box.xmax < r.width - 1 && box.ymin > 0 && box.ymax < r.height - 1;
	}
	ck_assert(boxes > CASES / 2 && inside > CASES / 8);
	ck_assert_uint_lt(ties, CASES / 50);
	printf("boxes of all points: %u random cases agree with the plain ones, %u of them but for a side on half a pixel\n", boxes, ties);
}
END_TEST

/* The parts of one and the same map; then the whole rule, where no pixel of the plain map is at the threshold but for the rounding of single precision. */
START_TEST(boxes_in_maps)
{
	struct random_case r;
	bool keep[MAX_POINTS];
	unsigned int ties = 0, boxes = 0, several = 0;
	for (uint32_t i = 0; i < CASES / 4; i++) {
		struct pcg rng;
		struct box box = {0}, plain = {0};
		struct error e;
		pcg_seed(&rng, random_seed(), i);
		random_case_make(&r, &rng, false);
		box_outliers(r.points, r.count, r.width, r.height, &r.rule, keep);
		const double *weights = i % 3 ? r.weights : NULL;
		size_t size = (size_t)r.width * (size_t)r.height;
		float *noise = malloc(size * sizeof *noise);
		double *map = malloc(size * sizeof *map), *same = malloc(size * sizeof *same), density = pcg_double(&rng);
		ck_assert(noise && map && same);
		for (size_t k = 0; k < size; k++)
			same[k] = noise[k] = pcg_double(&rng) < density ? 1.0f : (float)pcg_double(&rng) * 0.5f;
		noise[size - 1] = 1;
		same[size - 1] = 1;
		double threshold = between(&rng, 0, 1) ? 0.5 : pcg_double(&rng) * 0.5;
		check_case(part_largest(noise, r.width, r.height, threshold, &box, &e) == 0, i, "%s", e.message);
		ck_assert_int_eq(reference_part(same, r.width, r.height, threshold, &plain), 1);
		check_case(memcmp(&box, &plain, sizeof box) == 0, i, "part %d %d %d %d, plainly %d %d %d %d", box.xmin, box.ymin, box.xmax, box.ymax, plain.xmin,
			plain.ymin, plain.xmax, plain.ymax);
		several += box.xmax - box.xmin < r.width - 1 || box.ymax - box.ymin < r.height - 1;
		r.rule.kind = BOX_MAP;
		bool found = false, tie = false;
		check_case(box_find(r.points, weights, keep, r.count, r.width, r.height, &r.rule, &box, &found, &e) == 0, i, "%s", e.message);
		int wanted = reference_box(r.points, weights, keep, r.count, r.width, r.height, &r.rule, &plain);
		check_case(found == (wanted == 1), i, "a box of %zu points", r.count);
		double sigma = r.rule.blur * hypot(r.width, r.height);
		reference_map(r.points, weights, keep, r.count, r.width, r.height, r.rule.blur, floor(4 * sigma + 0.5), map);
		for (size_t k = 0; k < size; k++)
			tie = tie || fabs(map[k] - r.rule.map_threshold) <= 4 * 0x1p-24;
		check_case(!found || tie || memcmp(&box, &plain, sizeof box) == 0, i, "box %d %d %d %d, plainly %d %d %d %d", box.xmin, box.ymin, box.xmax, box.ymax,
			plain.xmin, plain.ymin, plain.xmax, plain.ymax);
		boxes += found && !tie;
		ties += tie;
		free(noise);
		free(map);
		free(same);
	}
	ck_assert(boxes > CASES / 16 && several > CASES / 16);
	printf("boxes in maps: %u random cases agree with the plain ones, %u have a pixel at the threshold\n", boxes, ties);
}
END_TEST

START_TEST(overlaps)
{
	for (uint32_t i = 0; i < CASES; i++) {
		struct pcg rng;
		struct box b[2];
		pcg_seed(&rng, random_seed(), i);
		for (int k = 0; k < 2; k++) {
			b[k].xmin = between(&rng, -5, 25);
			b[k].ymin = between(&rng, -5, 25);
			b[k].xmax = b[k].xmin + between(&rng, 0, 20);
			b[k].ymax = b[k].ymin + between(&rng, 0, 20);
		}
		struct boxf first = box_real(&b[0]), second = box_real(&b[1]);
		/* Whole numbers: both are one division of the same two. */
		check_case(box_iou(&first, &second) == reference_iou(&b[0], &b[1]), i, "IoU %.17g, counted %.17g", box_iou(&first, &second),
			reference_iou(&b[0], &b[1]));
	}
}
END_TEST

/* What the fast map leaves out at pixel (y, x): points farther than 4 sigma on an axis. */
static double left_out(const struct random_case *r, const double *weights, const bool *keep, double sigma, int y, int x)
{
	double sum = 0, reach = floor(4 * sigma + 0.5);
	for (size_t i = 0; i < r->count; i++) {
		double dy = fabs(fmin(fmax(floor(r->points[i].y + 0.5), 0), r->height - 1) - y);
		double dx = fabs(fmin(fmax(floor(r->points[i].x + 0.5), 0), r->width - 1) - x);
		if (keep[i] && (dy > reach || dx > reach))
			sum += (weights ? weights[i] : 1) * exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
	}
	return sum;
}

/* Both maps are a sum divided by its maximum. The fast sum is less by what it leaves out; where a / A is compared with b / B, |a - b| <= t and
 * |A - B| <= T, they differ by no more than (t + T) / B. Beside that, floats hold the sum, the maximum and their quotient: less than 4 * 2^-24. */
static void compare_maps(const struct random_case *r, const bool *keep, double blur, uint32_t i)
{
	size_t size = (size_t)r->width * (size_t)r->height;
	float *fast = malloc(size * sizeof *fast);
	double *plain = malloc(size * sizeof *plain), *less = malloc(size * sizeof *less), most = 0, sigma = blur * hypot(r->width, r->height);
	const double *weights = i % 2 ? r->weights : NULL;
	struct error e;
	ck_assert(fast && plain && less);
	check_case(map_make(r->points, weights, keep, r->count, r->width, r->height, blur, fast, &e) == 0, i, "%s", e.message);
	double highest = reference_map(r->points, weights, keep, r->count, r->width, r->height, blur, INFINITY, plain);
	for (size_t k = 0; k < size; k++) {
		less[k] = left_out(r, weights, keep, sigma, (int)(k / (size_t)r->width), (int)(k % (size_t)r->width));
		most = fmax(most, less[k]);
	}
	for (size_t k = 0; k < size; k++) {
		double tolerance = 4 * 0x1p-24 + (highest > 0 ? (less[k] + most) / highest : 0);
		check_case(fabs((double)fast[k] - plain[k]) <= tolerance, i, "%d x %d, blur %g, pixel %zu: %.9g, plainly %.9g, may be %.3g off", r->width,
			r->height, blur, k, (double)fast[k], plain[k], tolerance);
	}
	free(fast);
	free(plain);
	free(less);
}

START_TEST(maps)
{
	static struct random_case r;
	bool keep[MAX_POINTS];
	for (uint32_t i = 0; i < CASES / 4; i++) {
		struct pcg rng;
		pcg_seed(&rng, random_seed(), i);
		random_case_make(&r, &rng, i % 4 == 0);
		box_outliers(r.points, r.count, r.width, r.height, &r.rule, keep);
		compare_maps(&r, keep, BLURS[between(&rng, 0, 7)], i);
	}
	struct pcg rng;
	pcg_seed(&rng, random_seed(), CASES);
	for (int turned = 0; turned < 2; turned++) {
		r = (struct random_case){.width = turned ? 3 : 1500, .height = turned ? 20000 : 1100, .count = 7};
		for (size_t k = 0; k < r.count; k++) {
			r.points[k] = (struct point){pcg_double(&rng) * r.height - 0.5, pcg_double(&rng) * r.width - 0.5};
			r.weights[k] = 1 + (double)k;
			keep[k] = k != 3;
		}
		compare_maps(&r, keep, 0.032, CASES);
	}
	printf("maps: %d random cases agree with the plain sum\n", CASES / 4);
}
END_TEST

static struct photo random_photo(struct pcg *rng)
{
	struct photo photo = {random_side(rng), random_side(rng), NULL};
	size_t size = (size_t)photo.width * (size_t)photo.height * 3;
	photo.rgb = malloc(size);
	ck_assert_ptr_nonnull(photo.rgb);
	bool hard = between(rng, 0, 1); /* black and white alone: the largest steps */
	for (size_t i = 0; i < size; i++)
		photo.rgb[i] = (uint8_t)(hard ? 255 * between(rng, 0, 1) : between(rng, 0, 255));
	return photo;
}

/* Where a crop lies in the resized photograph, by the words: the shorter side becomes round(side * 256 / 224), the longer one in proportion. */
static void place_of_crop(const struct photo *photo, int side, enum view view, int crop, int *width, int *height, int *y, int *x)
{
	int shorter = (int)rint(side * 256.0 / 224);
	*width = *height = side;
	*x = *y = 0;
	if (view == VIEW_FULL)
		return;
	*width = photo->width <= photo->height ? shorter : (int)rint((double)photo->width * shorter / photo->height);
	*height = photo->height <= photo->width ? shorter : (int)rint((double)photo->height * shorter / photo->width);
	bool centre = view == VIEW_CENTER || crop == 4;
	*x = centre ? (*width - side) / 2 : crop == 1 || crop == 3 ? *width - side : 0;
	*y = centre ? (*height - side) / 2 : crop >= 2 ? *height - side : 0;
}

/* Between the passes and after them 8 bits are kept: each rounds by 1/2 at most, the second pass is a mean, so that both together are within 1.
 * Weights of 22 bits: each of at most 2 * 70 + 1 is within 2^-23, times 255, on both axes. */
START_TEST(views)
{
	static const double TOLERANCE = 1 + 2 * 141 * 255 * 0x1p-23;
	double largest = 0;
	for (uint32_t i = 0; i < CASES / 2; i++) {
		struct pcg rng;
		struct view_geometry g;
		struct error e;
		pcg_seed(&rng, random_seed(), i);
		struct photo photo = random_photo(&rng);
		int side = random_side(&rng), width, height, top, left;
		struct preprocessing pre = {.width = side, .height = side, .std = {1, 1, 1}};
		enum view view = (enum view)between(&rng, VIEW_FULL, VIEW_FIVE);
		int crop = between(&rng, 0, view_crops(view) - 1);
		float *tensor = malloc((size_t)side * (size_t)side * 3 * sizeof *tensor);
		ck_assert_ptr_nonnull(tensor);
		check_case(view_make(&photo, &pre, view, crop, tensor, &g, &e) == 0, i, "%s", e.message);
		place_of_crop(&photo, side, view, crop, &width, &height, &top, &left);
		for (int k = 0; k < 12; k++) {
			int y = between(&rng, 0, side - 1), x = between(&rng, 0, side - 1), c = between(&rng, 0, 2);
			double plain = reference_resized(&photo, width, height, top + y, left + x, c), off = fabs((double)tensor[(y * side + x) * 3 + c] - plain);
			check_case(off <= TOLERANCE, i, "%d x %d to %d x %d: pixel (%d, %d, %d): %g, plainly %g", photo.width, photo.height, width, height, c, top + y,
				left + x, (double)tensor[(y * side + x) * 3 + c], plain);
			largest = fmax(largest, off);
			/* One division, one multiplication and two additions on numbers below 2^13. */
			struct point p = view_point(&g, y, x);
			double py = (top + y + 0.5) * photo.height / height - 0.5, px = (left + x + 0.5) * photo.width / width - 0.5;
			check_case(fabs(p.y - py) <= 0x1p-38 && fabs(p.x - px) <= 0x1p-38, i, "(%d, %d) lies at %.17g %.17g, plainly at %.17g %.17g", y, x, p.y,
				p.x, py, px);
		}
		free(tensor);
		photo_free(&photo);
	}
	ck_assert_double_gt(largest, 0); /* nothing was compared with itself */
	printf("views: %d random cases are within %.3f of 255 of the plain filter\n", CASES / 2, largest);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("image against reference");
	TCase *cases = tcase_create("reference");
	tcase_set_timeout(cases, 600);
	tcase_add_test(cases, outliers_and_boxes);
	tcase_add_test(cases, boxes_of_all_points);
	tcase_add_test(cases, boxes_in_maps);
	tcase_add_test(cases, overlaps);
	tcase_add_test(cases, maps);
	tcase_add_test(cases, views);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
