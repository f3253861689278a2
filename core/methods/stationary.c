#include "config.h"

#include "core/methods/stationary.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/kernel.h"

static const double EXTRA = 1e-3;

/* The sum of the products of two rectangles of rows x columns numbers, whose rows are so far apart. */
LSDN_KERNEL static double products(const double *a, size_t apart_a, const double *b, size_t apart_b, int rows, int columns)
{
	double sum = 0;
	for (int y = 0; y < rows; y++, a += apart_a, b += apart_b) {
#pragma omp simd reduction(+ : sum)
		for (int x = 0; x < columns; x++)
			sum += a[x] * b[x];
	}
	return sum;
}

const double *stationary_covariance(const struct stationary *s, int dy)
{
	return s->covariance + (size_t)(dy + s->patch_height - 1) * (size_t)(2 * s->patch_width - 1) + (size_t)(s->patch_width - 1);
}

static void read_plane(struct stationary *s, const float *values, size_t stride)
{
	size_t size = (size_t)s->height * (size_t)s->width;
	for (size_t i = 0; i < size; i++)
		s->mean += (double)values[i * stride] / (double)size;
	for (size_t i = 0; i < size; i++)
		s->plane[i] = (double)values[i * stride] - s->mean;
}

static void find_covariance(struct stationary *s)
{
	size_t apart = (size_t)s->width, all = (size_t)(2 * s->patch_height - 1) * (size_t)(2 * s->patch_width - 1);
	double *covariance = s->covariance + all / 2;
	for (int dy = 0; dy < s->patch_height; dy++)
		for (int dx = 1 - s->patch_width; dx < s->patch_width; dx++) {
			const double *a = s->plane + (dx < 0 ? -dx : 0), *b = s->plane + (size_t)dy * apart + (dx > 0 ? dx : 0);
			ptrdiff_t lag = (ptrdiff_t)dy * (2 * s->patch_width - 1) + dx;
			covariance[lag] = covariance[-lag] = products(a, apart, b, apart, s->height - dy, s->width - abs(dx)) / s->height / s->width;
		}
	s->extra = fmax(EXTRA * covariance[0], DBL_MIN);
	covariance[0] += s->extra;
}

int stationary_open(struct stationary *s, const float *values, size_t stride, int height, int width, int patch_height, int patch_width, struct error *e)
{
	*s = (struct stationary){.height = height, .width = width, .patch_height = patch_height, .patch_width = patch_width};
	s->plane = malloc((size_t)height * (size_t)width * sizeof *s->plane);
	s->covariance = malloc((size_t)(2 * patch_height - 1) * (size_t)(2 * patch_width - 1) * sizeof *s->covariance);
	if (!s->plane || !s->covariance)
		return error_memory(e, "a photograph's covariance");
	read_plane(s, values, stride);
	find_covariance(s);
	return LSDN_OK;
}

void stationary_close(struct stationary *s)
{
	free(s->plane);
	free(s->covariance);
	*s = (struct stationary){0};
}

void stationary_draw(const struct stationary *s, const double *u, const double *v, double *patch)
{
	size_t apart = (size_t)(s->width + s->patch_width - 1);
	double root = sqrt((double)s->height * (double)s->width), deviation = sqrt(s->extra);
	for (int y = 0; y < s->patch_height; y++)
		for (int x = 0; x < s->patch_width; x++) {
			const double *noise = u + (size_t)(s->patch_height - 1 - y) * apart + (size_t)(s->patch_width - 1 - x);
			size_t i = (size_t)y * (size_t)s->patch_width + (size_t)x;
			patch[i] = products(s->plane, (size_t)s->width, noise, apart, s->height, s->width) / root + deviation * v[i];
		}
}
