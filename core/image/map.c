#include "config.h"

#include "core/image/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/kernel.h"

/* The Gaussian is separable, and only rows that hold a point differ from zero after the horizontal pass: those alone are stored. Nothing
 * lies outside the photograph, so there is nothing to reflect at its edges. */
struct rows {
	int *slot;    /* height: which stored row, or -1 */
	double *sums; /* stored rows x width, blurred along x */
};

/* exp(-d^2 / (2 sigma^2)) for d = 0 .. *reach, 4 sigma away at most and never farther than the photograph is long. */
static double *kernel_make(double sigma, int longest, int *reach)
{
	*reach = sigma > 0 ? (int)fmin(floor(4 * sigma + 0.5), longest - 1) : 0;
	double *kernel = malloc(((size_t)*reach + 1) * sizeof *kernel);
	for (int d = 0; kernel && d <= *reach; d++)
		kernel[d] = d ? exp(-0.5 * (d / sigma) * (d / sigma)) : 1;
	return kernel;
}

static int nearest(double value, int size)
{
	return (int)fmin(fmax(floor(value + 0.5), 0), size - 1);
}

static int rows_make(struct rows *rows, const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height,
	const double *kernel, int reach)
{
	size_t stored = 0;
	rows->slot = malloc((size_t)height * sizeof *rows->slot);
	if (!rows->slot)
		return LSDN_ERROR_MEMORY;
	for (int y = 0; y < height; y++)
		rows->slot[y] = -1;
	for (size_t i = 0; i < count; i++)
		if (keep[i] && rows->slot[nearest(points[i].y, height)] < 0)
			rows->slot[nearest(points[i].y, height)] = (int)stored++;
	rows->sums = calloc(stored ? stored : 1, (size_t)width * sizeof *rows->sums);
	if (!rows->sums)
		return LSDN_ERROR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		if (!keep[i])
			continue;
		double *row = rows->sums + (size_t)rows->slot[nearest(points[i].y, height)] * (size_t)width;
		int centre = nearest(points[i].x, width);
		int first = centre < reach ? 0 : centre - reach, last = width - 1 - centre < reach ? width - 1 : centre + reach;
		for (int x = first; x <= last; x++)
			row[x] += (weights ? weights[i] : 1) * kernel[abs(x - centre)];
	}
	return LSDN_OK;
}

/* One row of the map, before it is divided. */
LSDN_KERNEL_UNFUSED static void row_blur(const struct rows *rows, int y, int width, int height, const double *kernel, int reach, double *restrict sum)
{
	memset(sum, 0, (size_t)width * sizeof *sum);
	int first = y < reach ? 0 : y - reach, last = height - 1 - y < reach ? height - 1 : y + reach;
	for (int other = first; other <= last; other++) {
		if (rows->slot[other] < 0)
			continue;
		const double *restrict row = rows->sums + (size_t)rows->slot[other] * (size_t)width;
		double weight = kernel[abs(other - y)];
		for (int x = 0; x < width; x++)
			sum[x] += weight * row[x];
	}
}

int map_make(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, double blur, float *map,
	struct error *e)
{
	if (!(blur >= 0 && blur <= 1))
		return error_set(e, LSDN_ERROR_INPUT, "blur %g: not a share of the photograph's diagonal: give one from 0 to 1", blur);
	int reach = 0;
	struct rows rows = {0};
	double *kernel = kernel_make(blur * hypot(width, height), width > height ? width : height, &reach);
	double *sum = malloc((size_t)width * sizeof *sum);
	int result = LSDN_ERROR_MEMORY;
	if (kernel && sum)
		result = rows_make(&rows, points, weights, keep, count, width, height, kernel, reach);
	if (result == LSDN_OK) {
		size_t size = (size_t)width * (size_t)height;
		float highest = 0;
		for (int y = 0; y < height; y++) {
			float *row = map + (size_t)y * (size_t)width;
			row_blur(&rows, y, width, height, kernel, reach, sum);
			for (int x = 0; x < width; x++) {
				row[x] = (float)sum[x];
				highest = row[x] > highest ? row[x] : highest;
			}
		}
		for (size_t i = 0; highest > 0 && i < size; i++)
			map[i] /= highest;
	} else {
		error_memory(e, "the heatmap");
	}
	free(rows.slot);
	free(rows.sums);
	free(kernel);
	free(sum);
	return result;
}
