/* Points to outliers, boxes and map. The first eight bytes are the photograph's size, the rule, and what of points and weights; then five a point: the last two of each
 * coordinate's numbers, and one that may put something else in a coordinate's place. */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/image/map.h"
#include "tests/fuzz/fuzz.h"

enum { HEAD = 8, EACH = 5, MOST = 500 };

static const double ODD[] = {NAN, INFINITY, -INFINITY, 1e308, -1e308, DBL_MIN, -0.0, 2147483647.5, -2147483648.5, 1e19};

static double number(uint8_t odd, const uint8_t *bytes)
{
	return odd < sizeof ODD / sizeof *ODD ? ODD[odd] : ((double)bytes[0] * 256 + bytes[1] - 32768) / 256;
}

/* Of the rule: what --set can give, and what only a caller could. */
static double part(uint8_t byte)
{
	return byte < sizeof ODD / sizeof *ODD ? ODD[byte] : (byte - 64) / 128.0;
}

static void check_box(const struct point *points, const bool *keep, size_t count, const struct box *box, int width, int height, double margin)
{
	FUZZ_TRUE(0 <= box->xmin && box->xmin < width && 0 <= box->xmax && box->xmax < width);
	FUZZ_TRUE(0 <= box->ymin && box->ymin < height && 0 <= box->ymax && box->ymax < height);
	FUZZ_TRUE(box->xmin <= box->xmax && box->ymin <= box->ymax);
	if (!(margin >= 0 && margin <= 1))
		return;
	for (size_t i = 0; i < count; i++) {
		double x = fmin(fmax(points[i].x, 0), width - 1), y = fmin(fmax(points[i].y, 0), height - 1);
		bool inside = box->xmin <= x + 0.5 && x - 0.5 <= box->xmax && box->ymin <= y + 0.5 && y - 0.5 <= box->ymax;
		FUZZ_TRUE(!keep[i] || isnan(points[i].x) || isnan(points[i].y) || inside);
	}
}

static void check_map(const float *map, size_t pixels, size_t kept)
{
	float highest = 0;
	for (size_t i = 0; i < pixels; i++) {
		FUZZ_TRUE(map[i] >= 0 && map[i] <= 1);
		highest = fmaxf(highest, map[i]);
	}
	FUZZ_TRUE(highest == (kept ? 1.0f : 0.0f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static float map[64 * 64];
	static struct point points[MOST];
	static bool keep[MOST];
	static double weights[MOST];
	if (size < HEAD)
		return 0;
	int width = data[0] % 64 + 1, height = data[1] % 64 + 1;
	struct box_rule rule = {.radius = part(data[2]), .share = part(data[3]), .margin = part(data[4]), .floor = fmin(fmax(part(data[5]), 0), 0.99), .tail = fmin(fmax(part(data[2]), 0), 0.5),
		.sds = fabs(part(data[3])), .prior = fmin(fmax(part(data[4]), 0), 1), .map_threshold = fmin(part(data[3]), 1), .blur = part(data[5])};
	size_t count = 0;
	for (size_t at = HEAD; at + EACH <= size && count < MOST; at += EACH, count++)
		points[count] = (struct point){.y = number(data[at] & 15, data + at + 1), .x = number(data[at] >> 4, data + at + 3)};
	for (size_t i = 0; i < count; i++)
		weights[i] = (double)((i * 7 + data[7]) % 11);
	if (data[6] & 1)
		count = points_unique(points, count);
	size_t kept = box_outliers(points, count, width, height, &rule, keep), marked = 0;
	for (size_t i = 0; i < count; i++)
		marked += keep[i];
	FUZZ_TRUE(kept == marked && kept <= count);
	struct error e;
	for (unsigned int kind = BOX_POINTS; kind <= BOX_MAP; kind++) {
		struct box box;
		bool found = false;
		rule.kind = (enum box_kind)kind;
		if (!fuzz_answer(box_find(points, data[6] & 2 ? weights : NULL, keep, count, width, height, &rule, &box, &found, &e), &e) && found)
			check_box(points, keep, count, &box, width, height, kind == BOX_POINTS ? rule.margin : NAN);
	}
	if (!fuzz_answer(map_make(points, NULL, keep, count, width, height, rule.blur, map, &e), &e))
		check_map(map, (size_t)width * (size_t)height, kept);
	return 0;
}
