/* Points, outliers (the rule of "Interpreting CNN prediction through layer-wise selected discernible neurons", section 4.1.2) and IoU. */
#include "config.h"

#include "core/image/box.h"

#include <math.h>
#include <stdlib.h>

static int by_raster(const void *left, const void *right)
{
	const struct point *a = left, *b = right;
	return a->y != b->y ? (a->y > b->y) - (a->y < b->y) : (a->x > b->x) - (a->x < b->x);
}

/* As a single crop's points are. */
static bool is_set(const struct point *points, size_t count)
{
	size_t sorted = 1;
	while (sorted < count && by_raster(&points[sorted - 1], &points[sorted]) < 0)
		sorted++;
	return sorted >= count;
}

size_t points_unique(struct point *points, size_t count)
{
	size_t unique = 0;
	if (is_set(points, count))
		return count;
	qsort(points, count, sizeof *points, by_raster);
	for (size_t i = 0; i < count; i++)
		if (!unique || by_raster(&points[i], &points[unique - 1]) != 0)
			points[unique++] = points[i];
	return unique;
}

struct weighted {
	struct point point;
	double weight;
	size_t place; /* among all */
};

static int by_raster_and_place(const void *left, const void *right)
{
	const struct weighted *a = left, *b = right;
	int order = by_raster(&a->point, &b->point);
	return order ? order : (a->place > b->place) - (a->place < b->place);
}

int points_merge(struct point *points, double *weights, size_t count, size_t *unique, struct error *e)
{
	*unique = count;
	if (is_set(points, count))
		return LSDN_OK;
	struct weighted *all = malloc(count * sizeof *all);
	if (!all)
		return error_memory(e, "points");
	for (size_t i = 0; i < count; i++)
		all[i] = (struct weighted){points[i], weights[i], i};
	qsort(all, count, sizeof *all, by_raster_and_place);
	*unique = 0;
	for (size_t i = 0; i < count; i++) {
		if (!*unique || by_raster(&all[i].point, &points[*unique - 1]) != 0) {
			weights[*unique] = 0;
			points[(*unique)++] = all[i].point;
		}
		weights[*unique - 1] += all[i].weight;
	}
	free(all);
	return LSDN_OK;
}

/* Points of one y whose x do not fall. */
struct run {
	size_t first, past;
};

/* The run that begins with a point, of at most that many. */
static struct run run_from(const struct point *points, size_t count, size_t first, size_t most)
{
	struct run run = {first, first + 1};
	while (run.past < count && run.past - first < most && points[run.past].y == points[first].y && points[run.past].x >= points[run.past - 1].x)
		run.past++;
	return run;
}

/* Adds to near, for each point of run a, how many points of run b, dy below, are nearer than the root of square: those between two places, which move on
 * with x. */
static void count_near(const struct point *points, struct run a, struct run b, double dy, double square, size_t *near)
{
	size_t low = b.first, high = b.first;
	for (size_t i = a.first; i < a.past; i++) {
		double x = points[i].x, dx;
		if (!isfinite(x)) /* near nothing, itself included */
			continue;
		while (low < b.past && points[low].x < x && (dx = points[low].x - x, !(dy * dy + dx * dx < square)))
			low++;
		high = high < low ? low : high;
		while (high < b.past && (points[high].x <= x || (dx = points[high].x - x, dy * dy + dx * dx < square)))
			high++;
		near[i - a.first] += high - low;
	}
}

static bool y_never_falls(const struct point *points, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (!(points[i].y >= points[i - 1].y))
			return false;
	return true;
}

size_t box_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep)
{
	enum { AT_ONCE = 256 };
	double reach = rule->radius * hypot(width, height), needed = rule->share * (double)count, square = reach * reach;
	bool sorted = y_never_falls(points, count);
	size_t kept = 0, from = 0; /* of sorted points those before are above all that may be near */
	for (struct run a = {0, 0}, b; a.past < count;) {
		size_t near[AT_ONCE] = {0};
		a = run_from(points, count, a.past, AT_ONCE);
		for (b.past = from; b.past < count;) {
			b = run_from(points, count, b.past, count);
			double dy = points[b.first].y - points[a.first].y;
			if (dy * dy < square)
				count_near(points, a, b, dy, square, near);
			else if (sorted && dy > 0)
				break;
			else if (sorted && dy < 0)
				from = b.past;
		}
		for (size_t i = a.first; i < a.past; i++) {
			keep[i] = (double)near[i - a.first] > needed;
			kept += keep[i];
		}
	}
	return kept;
}

bool box_rule_equal(const struct box_rule *a, const struct box_rule *b)
{
	return a->kind == b->kind && a->radius == b->radius && a->share == b->share && a->margin == b->margin && a->floor == b->floor && a->tail == b->tail && a->sds == b->sds
		&& a->prior == b->prior && a->map_threshold == b->map_threshold && a->blur == b->blur;
}

struct boxf box_real(const struct box *box)
{
	return (struct boxf){box->xmin, box->ymin, box->xmax, box->ymax};
}

struct boxf box_scale(const struct boxf *box, int from_width, int from_height, int to_width, int to_height)
{
	double x = (double)to_width / from_width, y = (double)to_height / from_height;
	return (struct boxf){box->xmin * x, box->ymin * y, (box->xmax + 1) * x - 1, (box->ymax + 1) * y - 1};
}

static double area(const struct boxf *box)
{
	return (box->xmax - box->xmin + 1) * (box->ymax - box->ymin + 1);
}

double box_iou(const struct boxf *a, const struct boxf *b)
{
	double width = fmin(a->xmax, b->xmax) - fmax(a->xmin, b->xmin) + 1;
	double height = fmin(a->ymax, b->ymax) - fmax(a->ymin, b->ymin) + 1;
	if (!(width > 0 && height > 0))
		return 0;
	double common = width * height;
	return common / (area(a) + area(b) - common);
}

const double BOX_CENTER_SIDE = 0.75;

struct boxf box_centered(int width, int height, double side)
{
	double x = (1 - side) / 2 * width, y = (1 - side) / 2 * height;
	return (struct boxf){x, y, width - x - 1, height - y - 1};
}
