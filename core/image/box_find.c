/* The rules by which points become a box. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "core/image/map.h"
#include "core/image/part.h"

/* What a rule finds on one axis. */
struct span {
	double low, high;
};

static int round_half_up(double value, int size)
{
	double rounded = floor(value + 0.5);
	return !(rounded > 0) ? 0 : rounded > size - 1 ? size - 1 : (int)rounded;
}

static struct span widen(struct span s, double outwards)
{
	struct span wide = {s.low - outwards, s.high + outwards};
	if (!(wide.low <= wide.high))
		wide.low = wide.high = s.low / 2 + s.high / 2;
	return wide;
}

static bool is_finite(const struct point *p)
{
	return isfinite(p->y) && isfinite(p->x);
}

static bool find_points(const struct point *points, const bool *keep, size_t count, int width, int height, double margin, struct span *x, struct span *y)
{
	*x = *y = (struct span){INFINITY, -INFINITY};
	for (size_t i = 0; i < count; i++)
		if (keep[i]) {
			*x = (struct span){fmin(x->low, points[i].x), fmax(x->high, points[i].x)};
			*y = (struct span){fmin(y->low, points[i].y), fmax(y->high, points[i].y)};
		}
	if (x->low > x->high || y->low > y->high)
		return false;
	*x = widen(*x, margin * width);
	*y = widen(*y, margin * height);
	return true;
}

struct mass {
	double at, weight;
};

static int by_place(const void *left, const void *right)
{
	const struct mass *a = left, *b = right;
	return a->at != b->at ? (a->at > b->at) - (a->at < b->at) : (a->weight > b->weight) - (a->weight < b->weight);
}

/* The mean place of the mass from `skipped` to `skipped` + `length`, counted from one end; never outside the masses that it is made from. */
static double mean_place(const struct mass *masses, size_t count, bool from_above, double skipped, double length)
{
	double below = 0, sum = 0, covered = 0, low = INFINITY, high = -INFINITY;
	for (size_t k = 0; k < count && below < skipped + length; k++) {
		const struct mass *m = &masses[from_above ? count - 1 - k : k];
		double share = fmin(below + m->weight, skipped + length) - fmax(below, skipped);
		below += m->weight;
		if (!(share > 0))
			continue;
		covered += share;
		sum += share * m->at;
		low = fmin(low, m->at);
		high = fmax(high, m->at);
	}
	return fmin(fmax(sum / covered, low), high);
}

/* masses: sorted by place, their weights positive in sum. */
static struct span quantiles(const struct mass *masses, size_t count, double tail, double margin)
{
	double total = 0, squares = 0;
	for (size_t i = 0; i < count; i++) {
		total += masses[i].weight;
		squares += masses[i].weight * masses[i].weight;
	}
	double one = squares / total, skipped = tail * (total - one);
	struct span s = {mean_place(masses, count, false, skipped, one), mean_place(masses, count, true, skipped, one)};
	return widen(s, margin * (s.high - s.low));
}

static struct span spread(const struct mass *masses, size_t count, double sds, double prior, int side)
{
	double total = 0, mean = 0, square = 0;
	for (size_t i = 0; i < count; i++) {
		total += masses[i].weight;
		mean += masses[i].weight * masses[i].at;
	}
	mean /= total;
	for (size_t i = 0; i < count; i++)
		square += masses[i].weight * (masses[i].at - mean) * (masses[i].at - mean);
	double middle = (1 - prior) * mean + prior * (side - 1) / 2, half = (1 - prior) * sds * sqrt(square / total) + prior * 3 / 8 * side;
	return (struct span){middle - half, middle + half};
}

static int find_by_axis(const struct point *points, const double *weights, size_t count, int width, int height, const struct box_rule *rule, struct span *x,
	struct span *y, bool *found, struct error *e)
{
	struct mass *masses = malloc((count + 1) * sizeof *masses);
	if (!masses)
		return error_memory(e, "a box");
	*found = false;
	double highest = 0;
	for (size_t i = 0; i < count; i++)
		highest = is_finite(&points[i]) ? fmax(highest, weights ? weights[i] : 1) : highest;
	for (int axis = 0; axis < 2; axis++) {
		size_t own = 0;
		double total = 0;
		for (size_t i = 0; i < count; i++)
			if (is_finite(&points[i])) {
				masses[own++] = (struct mass){axis ? points[i].y : points[i].x, fmax((weights ? weights[i] : 1) - rule->floor * highest, 0)};
				total += masses[own - 1].weight;
			}
		if (!(total > 0))
			break;
		*found = true;
		if (rule->kind == BOX_QUANTILE)
			qsort(masses, own, sizeof *masses, by_place);
		*(axis ? y : x) = rule->kind == BOX_QUANTILE ? quantiles(masses, own, rule->tail, rule->margin)
			: spread(masses, own, rule->sds, rule->prior, axis ? height : width);
	}
	free(masses);
	return LSDN_OK;
}

static int find_in_map(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height,
	const struct box_rule *rule, struct box *box, bool *found, struct error *e)
{
	float *map = malloc((size_t)width * (size_t)height * sizeof *map);
	if (!map)
		return error_memory(e, "the heatmap");
	int code = map_make(points, weights, keep, count, width, height, rule->blur, map, e);
	*found = false;
	for (size_t i = 0; i < count && !code && !*found; i++)
		*found = keep[i] && (!weights || weights[i] > 0);
	if (!code && *found)
		code = part_largest(map, width, height, rule->map_threshold, box, e);
	free(map);
	return code;
}

int box_find(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct box *box, bool *found, struct error *e)
{
	struct span x = {0}, y = {0};
	int code = LSDN_OK;
	if (rule->kind == BOX_MAP)
		return find_in_map(points, weights, keep, count, width, height, rule, box, found, e);
	if (rule->kind == BOX_POINTS)
		*found = find_points(points, keep, count, width, height, rule->margin, &x, &y);
	else
		code = find_by_axis(points, weights, count, width, height, rule, &x, &y, found, e);
	if (!code && *found)
		*box = (struct box){round_half_up(x.low, width), round_half_up(y.low, height), round_half_up(x.high, width), round_half_up(y.high, height)};
	return code;
}
