#include "config.h"

#include "core/image/reference.h"

#include <math.h>
#include <stdlib.h>

static bool is_finite(const struct point *p)
{
	return isfinite(p->y) && isfinite(p->x);
}

size_t reference_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		size_t near = 0;
		for (size_t j = 0; j < count; j++)
			if (is_finite(&points[i]) && is_finite(&points[j])
					&& hypot(points[j].y - points[i].y, points[j].x - points[i].x) < rule->radius * hypot(width, height))
				near++;
		keep[i] = is_finite(&points[i]) && (double)near > rule->share * (double)count;
		kept += keep[i];
	}
	return kept;
}

static int rounded(double value, int size)
{
	for (int pixel = 0; pixel < size - 1; pixel++)
		if (value < pixel + 0.5)
			return pixel;
	return size - 1;
}

static void move_apart(double *low, double *high, double outwards)
{
	double middle = (*low + *high) / 2;
	*low -= outwards;
	*high += outwards;
	if (*low > *high)
		*low = *high = middle;
}

static int reference_points(const struct point *points, const bool *keep, size_t count, int width, int height, double margin, struct boxf *sides)
{
	bool any = false;
	struct boxf least = {0};
	for (size_t i = 0; i < count; i++) {
		if (!keep[i])
			continue;
		least.xmin = !any || points[i].x < least.xmin ? points[i].x : least.xmin;
		least.ymin = !any || points[i].y < least.ymin ? points[i].y : least.ymin;
		least.xmax = !any || points[i].x > least.xmax ? points[i].x : least.xmax;
		least.ymax = !any || points[i].y > least.ymax ? points[i].y : least.ymax;
		any = true;
	}
	move_apart(&least.xmin, &least.xmax, margin * width);
	move_apart(&least.ymin, &least.ymax, margin * height);
	*sides = least;
	return any;
}

/* The mean place of the mass whose distance from one end of all, passing what is farther left (or right), lies between `from` and `to`. */
static double reference_quantile(const double *at, const double *weights, size_t count, bool from_right, double from, double to)
{
	double sum = 0, covered = 0;
	for (size_t i = 0; i < count; i++) {
		double before = 0;
		for (size_t j = 0; j < count; j++)
			if ((from_right ? at[j] > at[i] : at[j] < at[i]) || (at[j] == at[i] && j < i))
				before += weights[j];
		double share = (before + weights[i] < to ? before + weights[i] : to) - (before > from ? before : from);
		if (share > 0) {
			sum += share * at[i];
			covered += share;
		}
	}
	return sum / covered;
}

/* One axis of the rules that see all points. */
static void reference_axis(const double *at, const double *weights, size_t count, int side, const struct box_rule *rule, double *low, double *high)
{
	double total = 0, squares = 0, mean = 0, variance = 0;
	for (size_t i = 0; i < count; i++) {
		total += weights[i];
		squares += weights[i] * weights[i];
	}
	for (size_t i = 0; i < count; i++)
		mean += weights[i] * at[i] / total;
	for (size_t i = 0; i < count; i++)
		variance += weights[i] * (at[i] - mean) * (at[i] - mean) / total;
	if (rule->kind == BOX_SPREAD) {
		double middle = mean + rule->prior * ((side - 1) / 2.0 - mean), half = rule->sds * sqrt(variance);
		half += rule->prior * (side * 3.0 / 8 - half);
		*low = middle - half;
		*high = middle + half;
		return;
	}
	double one = squares / total, skipped = rule->tail * (total - one);
	*low = reference_quantile(at, weights, count, false, skipped, skipped + one);
	*high = reference_quantile(at, weights, count, true, skipped, skipped + one);
	move_apart(low, high, rule->margin * (*high - *low));
}

static int reference_axes(const struct point *points, const double *weights, size_t count, int width, int height, const struct box_rule *rule,
	struct boxf *sides)
{
	double *numbers = malloc((3 * count + 1) * sizeof *numbers), *y = numbers + count, *own = y + count, total = 0, highest = 0;
	size_t finite = 0;
	for (size_t i = 0; numbers && i < count; i++)
		if (is_finite(&points[i])) {
			numbers[finite] = points[i].x;
			y[finite] = points[i].y;
			own[finite++] = weights ? weights[i] : 1;
		}
	for (size_t i = 0; i < finite; i++)
		if (own[i] > highest)
			highest = own[i];
	for (size_t i = 0; i < finite; i++) {
		own[i] = own[i] > rule->floor * highest ? own[i] - rule->floor * highest : 0;
		total += own[i];
	}
	if (numbers && total > 0) {
		reference_axis(numbers, own, finite, width, rule, &sides->xmin, &sides->xmax);
		reference_axis(y, own, finite, height, rule, &sides->ymin, &sides->ymax);
	}
	int answer = !numbers ? -1 : total > 0;
	free(numbers);
	return answer;
}

/* Marks with `part` all pixels that hang together with the first of `pending`; counts them and puts the box around them. */
static size_t fill(int *parts, int part, size_t *pending, int width, int height, struct box *box)
{
	size_t waiting = 1, pixels = 0;
	parts[pending[0]] = part;
	*box = (struct box){width, height, -1, -1};
	while (waiting) {
		int x = (int)(pending[--waiting] % (size_t)width), y = (int)(pending[waiting] / (size_t)width);
		pixels++;
		*box = (struct box){x < box->xmin ? x : box->xmin, y < box->ymin ? y : box->ymin, x > box->xmax ? x : box->xmax, y > box->ymax ? y : box->ymax};
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++) {
				bool inside = y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < width;
				size_t at = (size_t)(y + dy) * (size_t)width + (size_t)(x + dx);
				if (inside && parts[at] == 0) {
					parts[at] = part;
					pending[waiting++] = at;
				}
			}
	}
	return pixels;
}

int reference_part(const double *map, int width, int height, double threshold, struct box *box)
{
	enum { OUTSIDE = -1, WAITS, FOUND };
	size_t size = (size_t)width * (size_t)height, most = 0;
	int *parts = malloc(size * sizeof *parts);
	size_t *pending = malloc(size * sizeof *pending);
	bool memory = parts && pending;
	for (size_t k = 0; memory && k < size; k++)
		parts[k] = map[k] >= threshold ? WAITS : OUTSIDE;
	for (size_t k = 0; memory && k < size; k++) {
		struct box own;
		if (parts[k] != WAITS)
			continue;
		pending[0] = k;
		size_t pixels = fill(parts, FOUND, pending, width, height, &own);
		if (pixels > most) {
			most = pixels;
			*box = own;
		}
	}
	free(parts);
	free(pending);
	return !memory ? -1 : most > 0;
}

static int reference_in_map(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height,
	const struct box_rule *rule, struct box *box)
{
	double *map = malloc((size_t)width * (size_t)height * sizeof *map);
	if (!map)
		return -1;
	double reach = floor(4 * rule->blur * hypot(width, height) + 0.5);
	double highest = reference_map(points, weights, keep, count, width, height, rule->blur, reach, map);
	int found = highest > 0 ? reference_part(map, width, height, rule->map_threshold, box) : 0;
	free(map);
	return found;
}

int reference_sides(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct boxf *sides)
{
	return rule->kind == BOX_POINTS ? reference_points(points, keep, count, width, height, rule->margin, sides)
		: reference_axes(points, weights, count, width, height, rule, sides);
}

int reference_box(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct box *box)
{
	struct boxf b;
	if (rule->kind == BOX_MAP)
		return reference_in_map(points, weights, keep, count, width, height, rule, box);
	int found = reference_sides(points, weights, keep, count, width, height, rule, &b);
	if (found == 1)
		*box = (struct box){rounded(b.xmin, width), rounded(b.ymin, height), rounded(b.xmax, width), rounded(b.ymax, height)};
	return found;
}

static bool holds(const struct box *box, int y, int x)
{
	return x >= box->xmin && x <= box->xmax && y >= box->ymin && y <= box->ymax;
}

double reference_iou(const struct box *a, const struct box *b)
{
	const struct box all = {
		a->xmin < b->xmin ? a->xmin : b->xmin,
		a->ymin < b->ymin ? a->ymin : b->ymin,
		a->xmax > b->xmax ? a->xmax : b->xmax,
		a->ymax > b->ymax ? a->ymax : b->ymax,
	};
	long both = 0, either = 0;
	for (int y = all.ymin; y <= all.ymax; y++)
		for (int x = all.xmin; x <= all.xmax; x++) {
			both += holds(a, y, x) && holds(b, y, x);
			either += holds(a, y, x) || holds(b, y, x);
		}
	return (double)both / (double)either;
}

double reference_map(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, double blur, double reach,
	double *map)
{
	size_t size = (size_t)width * (size_t)height;
	double sigma = blur * hypot(width, height), highest = 0;
	for (size_t k = 0; k < size; k++)
		map[k] = 0;
	for (size_t i = 0; i < count; i++) {
		if (!keep[i])
			continue;
		int py = rounded(points[i].y, height), px = rounded(points[i].x, width);
		for (int y = 0; y < height; y++)
			for (int x = 0; x < width; x++) {
				double dy = y - py, dx = x - px;
				if (fabs(dy) > reach || fabs(dx) > reach)
					continue;
				/* Without blur a point counts at its own pixel alone. */
				double near = y == py && x == px ? 1 : exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
				map[(size_t)y * (size_t)width + (size_t)x] += (weights ? weights[i] : 1) * near;
			}
	}
	for (size_t k = 0; k < size; k++)
		highest = map[k] > highest ? map[k] : highest;
	for (size_t k = 0; highest > 0 && k < size; k++)
		map[k] /= highest;
	return highest;
}

/* The triangle over the pixel `at` of an axis of `from` pixels that is resized to `to`, at the axis' own pixel `other`. */
static double triangle(int from, int to, int at, int other)
{
	double scale = (double)from / to, half = scale < 1 ? 1 : scale;
	double away = fabs((other + 0.5) - (at + 0.5) * scale) / half;
	return away < 1 ? 1 - away : 0;
}

double reference_resized(const struct photo *photo, int width, int height, int y, int x, int c)
{
	double sum = 0, weights = 0;
	for (int row = 0; row < photo->height; row++)
		for (int column = 0; column < photo->width; column++) {
			double weight = triangle(photo->height, height, y, row) * triangle(photo->width, width, x, column);
			sum += weight * photo->rgb[((size_t)row * (size_t)photo->width + (size_t)column) * 3 + (size_t)c];
			weights += weight;
		}
	return sum / weights;
}
