/* The triangle filter is computed as Pillow does (its Resample.c): weights in fixed point with 22 bits, the horizontal pass first, 8 bits between the
 * passes, so that a network sees the same bytes from here as from Python. */
#include "config.h"

#include "core/image/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION = 22 };

/* For each output pixel the input pixels it is made of, and their weights. */
struct filter {
	int *first, *count, *weights; /* weights: `most` a pixel */
	int most;
};

static bool filter_make(struct filter *f, int from, int to)
{
	double scale = (double)from / to, support = fmax(scale, 1);
	f->most = (int)ceil(support) * 2 + 1;
	f->first = malloc((size_t)to * sizeof(int));
	f->count = malloc((size_t)to * sizeof(int));
	f->weights = calloc((size_t)to * (size_t)f->most, sizeof(int));
	double *exact = malloc((size_t)f->most * sizeof *exact);
	bool ok = f->first && f->count && f->weights && exact;
	for (int i = 0; ok && i < to; i++) {
		double center = (i + 0.5) * scale, sum = 0;
		int low = (int)(center - support + 0.5), high = (int)(center + support + 0.5);
		low = low < 0 ? 0 : low;
		high = high > from ? from : high;
		for (int k = 0; k < high - low; k++) {
			exact[k] = fmax(0, 1 - fabs((k + low - center + 0.5) / support));
			sum += exact[k];
		}
		for (int k = 0; k < high - low; k++)
			f->weights[i * f->most + k] = (int)(0.5 + exact[k] / sum * (1 << PRECISION));
		f->first[i] = low;
		f->count[i] = high - low;
	}
	free(exact);
	return ok;
}

static void filter_free(struct filter *f)
{
	free(f->first);
	free(f->count);
	free(f->weights);
}

static uint8_t weigh(const uint8_t *pixels, size_t stride, const int *weights, int count)
{
	int sum = 1 << (PRECISION - 1);
	for (int k = 0; k < count; k++)
		sum += pixels[(size_t)k * stride] * weights[k];
	sum >>= PRECISION;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Returns height x width x 3 bytes (the caller's), or NULL where memory is short. */
static uint8_t *resize(const struct photo *photo, int width, int height)
{
	struct filter horizontal = {0}, vertical = {0};
	size_t row = (size_t)width * 3;
	uint8_t *between = malloc((size_t)photo->height * row), *out = malloc((size_t)height * row);
	bool ok = between && out && filter_make(&horizontal, photo->width, width) && filter_make(&vertical, photo->height, height);
	for (int y = 0; ok && y < photo->height; y++)
		for (int x = 0; x < width; x++)
			for (int c = 0; c < 3; c++)
				between[(size_t)y * row + (size_t)(x * 3 + c)] = weigh(photo->rgb + ((size_t)y * (size_t)photo->width + (size_t)horizontal.first[x]) * 3
					+ c, 3, horizontal.weights + x * horizontal.most, horizontal.count[x]);
	for (int y = 0; ok && y < height; y++)
		for (size_t i = 0; i < row; i++)
			out[(size_t)y * row + i] = weigh(between + (size_t)vertical.first[y] * row + i, row, vertical.weights + y * vertical.most, vertical.count[y]);
	filter_free(&horizontal);
	filter_free(&vertical);
	free(between);
	if (!ok) {
		free(out);
		out = NULL;
	}
	return out;
}

struct view_geometry view_geometry_stretch(int view_width, int view_height, int width, int height)
{
	return (struct view_geometry){.scale_x = (double)width / view_width, .scale_y = (double)height / view_height};
}

struct point view_point(const struct view_geometry *g, int y, int x)
{
	return (struct point){.y = (y + g->offset_y + 0.5) * g->scale_y - 0.5, .x = (x + g->offset_x + 0.5) * g->scale_x - 0.5};
}

int view_make(const struct photo *photo, const struct preprocessing *pre, enum view view, float *tensor, struct view_geometry *geometry,
	struct error *e)
{
	int width = pre->width, height = pre->height;
	if (view == VIEW_CENTER) {
		/* The side that decides covers the input's 256/224; the other keeps the aspect. */
		double scale = fmax(round(pre->width * 256 / 224.0) / photo->width, round(pre->height * 256 / 224.0) / photo->height);
		width = (int)fmax(nearbyint(photo->width * scale), pre->width);
		height = (int)fmax(nearbyint(photo->height * scale), pre->height);
	}
	if ((double)width * height > PHOTO_MAX_PIXELS)
		return error_set(e, LSDN_ERROR_INPUT, "a photograph of %d x %d is too narrow for a centre crop: use view full", photo->width, photo->height);
	uint8_t *resized = resize(photo, width, height);
	if (!resized)
		return error_memory(e, "a view");
	int left = (width - pre->width) / 2, top = (height - pre->height) / 2;
	*geometry = view_geometry_stretch(width, height, photo->width, photo->height);
	geometry->offset_x = left;
	geometry->offset_y = top;
	for (int y = 0; y < pre->height; y++)
		for (int x = 0; x < pre->width; x++) {
			const uint8_t *pixel = resized + ((size_t)(y + top) * (size_t)width + (size_t)(x + left)) * 3;
			float *to = tensor + ((size_t)y * (size_t)pre->width + (size_t)x) * 3;
			for (int c = 0; c < 3; c++)
				to[c] = ((float)pixel[pre->bgr ? 2 - c : c] - pre->mean[c]) / pre->std[c];
		}
	free(resized);
	return LSDN_OK;
}
