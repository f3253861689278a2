#include "config.h"

#include "core/image/reference.h"

#include <math.h>

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

bool reference_box(const struct point *points, const bool *keep, size_t count, int width, int height, const struct box_rule *rule, struct box *box)
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
	if (any)
		*box = (struct box){rounded(least.xmin - rule->margin * width, width), rounded(least.ymin - rule->margin * height, height),
			rounded(least.xmax + rule->margin * width, width), rounded(least.ymax + rule->margin * height, height)};
	return any;
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

double reference_map(const struct point *points, const bool *keep, size_t count, int width, int height, double blur, double *map)
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
				/* Without blur a point counts at its own pixel alone. */
				map[(size_t)y * (size_t)width + (size_t)x] += y == py && x == px ? 1 : exp(-(dy * dy + dx * dx) / (2 * sigma * sigma));
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
