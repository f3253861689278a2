/* Pillow's resize, bit for bit (libImaging/Resample.c): weights in fixed point of 22 bits, the horizontal pass first, 8 bits between the
 * passes. Networks were trained and measured on such pixels. */
#include "config.h"

#include "core/image/view.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/kernel.h"

enum { PRECISION = 22 };

/* Output pixel first + i is the sum over j < length[i] of weight[i * room + j] * input pixel start[i] + j. */
struct taps {
	int *start, *length;
	int32_t *weight;
	size_t room;
};

static void taps_free(struct taps *taps)
{
	free(taps->start);
	free(taps->length);
	free(taps->weight);
}

static double triangle(double x)
{
	return fabs(x) < 1 ? 1 - fabs(x) : 0;
}

/* Taps of the output pixels first .. first + count - 1 of an axis of from pixels that is resized to `to`. */
static int taps_make(struct taps *taps, int from, int to, int first, int count)
{
	double scale = (double)from / to, stretch = scale < 1 ? 1 : scale, inverse = 1 / stretch;
	*taps = (struct taps){.room = (size_t)ceil(stretch) * 2 + 1};
	taps->start = calloc((size_t)count, sizeof *taps->start);
	taps->length = calloc((size_t)count, sizeof *taps->length);
	taps->weight = calloc((size_t)count, taps->room * sizeof *taps->weight);
	double *exact = calloc(taps->room, sizeof *exact);
	if (!taps->start || !taps->length || !taps->weight || !exact) {
		free(exact);
		return LSDN_ERROR_MEMORY;
	}
	for (int i = 0; i < count; i++) {
		double centre = (first + i + 0.5) * scale, sum = 0;
		int low = (int)(centre - stretch + 0.5), high = (int)(centre + stretch + 0.5);
		low = low < 0 ? 0 : low;
		high = high > from ? from : high;
		for (int j = 0; j < high - low; j++) {
			exact[j] = triangle((j + low - centre + 0.5) * inverse);
			sum += exact[j];
		}
		for (int j = 0; j < high - low; j++)
			taps->weight[(size_t)i * taps->room + (size_t)j] = (int32_t)(0.5 + (sum != 0 ? exact[j] / sum : 0) * (1 << PRECISION));
		taps->start[i] = low;
		taps->length[i] = high - low;
	}
	free(exact);
	return LSDN_OK;
}

static inline uint8_t to_byte(int32_t sum)
{
	return (uint8_t)(sum >> PRECISION > 255 ? 255 : sum >> PRECISION);
}

/* One row of `width` pixels. Two channels are summed in one number of 64 bits, for weights are not negative and no sum reaches 32 bits. */
static void mix_columns(const uint8_t *row, int width, uint64_t *pairs, const struct taps *taps, int count, uint8_t *out)
{
	const uint64_t half = 1 << (PRECISION - 1);
	for (int x = 0; x < width; x++, row += 3) {
		pairs[2 * x] = row[0] | (uint64_t)row[1] << 32;
		pairs[2 * x + 1] = row[2];
	}
	for (int i = 0; i < count; i++) {
		const uint64_t *in = pairs + 2 * (size_t)taps->start[i];
		const int32_t *weight = taps->weight + (size_t)i * taps->room, *end = weight + taps->length[i];
		uint64_t red_green = half | half << 32, blue = half;
		for (; weight < end; weight++, in += 2) {
			red_green += in[0] * (uint64_t)*weight;
			blue += in[1] * (uint64_t)*weight;
		}
		out[3 * i] = to_byte((int32_t)(uint32_t)red_green);
		out[3 * i + 1] = to_byte((int32_t)(red_green >> 32));
		out[3 * i + 2] = to_byte((int32_t)blue);
	}
}

/* One row from `length` rows that lie count bytes apart. */
LSDN_KERNEL static void mix_rows(const uint8_t *rows, const int32_t *weight, int length, size_t count, uint8_t *out)
{
	enum { PART = 64 };
	for (size_t from = 0; from < count; from += PART) {
		size_t part = count - from < PART ? count - from : PART;
		int32_t sum[PART];
		for (size_t i = 0; i < part; i++)
			sum[i] = 1 << (PRECISION - 1);
		for (int j = 0; j < length; j++)
			for (size_t i = 0; i < part; i++)
				sum[i] += rows[(size_t)j * count + from + i] * weight[j];
		for (size_t i = 0; i < part; i++)
			out[from + i] = to_byte(sum[i]);
	}
}

/* Which part of the resized photograph the network sees. */
struct window {
	int resized_width, resized_height;
	int x, y;
};

static struct window window_of(enum view view, int crop, const struct photo *photo, const struct preprocessing *pre)
{
	struct window window = {.resized_width = pre->width, .resized_height = pre->height};
	if (view != VIEW_FULL) {
		/* The side that is shorter for its place in the network's input decides; on a square input that is the shorter side. */
		bool tall = (double)photo->width * pre->height <= (double)photo->height * pre->width;
		if (tall) {
			window.resized_width = (int)rint(pre->width * 256.0 / 224);
			window.resized_height = (int)rint((double)photo->height * window.resized_width / photo->width);
		} else {
			window.resized_height = (int)rint(pre->height * 256.0 / 224);
			window.resized_width = (int)rint((double)photo->width * window.resized_height / photo->height);
		}
		bool corner = view == VIEW_FIVE && crop < 4;
		int free_x = window.resized_width - pre->width, free_y = window.resized_height - pre->height;
		window.x = corner ? crop % 2 * free_x : free_x / 2;
		window.y = corner ? crop / 2 * free_y : free_y / 2;
	}
	return window;
}

/* Only what the window shows is computed: columns of the rows that its own rows are made of, then the rows. */
static int window_resize(const struct photo *photo, const struct window *window, int width, int height, uint8_t *pixels)
{
	struct taps across = {0}, down = {0};
	uint8_t *middle = NULL;
	int result = taps_make(&across, photo->width, window->resized_width, window->x, width);
	if (result == LSDN_OK)
		result = taps_make(&down, photo->height, window->resized_height, window->y, height);
	if (result == LSDN_OK) {
		int top = down.start[0], rows = down.start[height - 1] + down.length[height - 1] - top;
		size_t stride = (size_t)width * 3, photo_stride = (size_t)photo->width * 3;
		uint64_t *pairs = calloc((size_t)photo->width, 2 * sizeof *pairs);
		middle = malloc((size_t)rows * stride);
		if (!middle || !pairs)
			result = LSDN_ERROR_MEMORY;
		for (int y = 0; result == LSDN_OK && y < rows; y++)
			mix_columns(photo->rgb + (size_t)(top + y) * photo_stride, photo->width, pairs, &across, width, middle + (size_t)y * stride);
		for (int y = 0; result == LSDN_OK && y < height; y++)
			mix_rows(middle + (size_t)(down.start[y] - top) * stride, down.weight + (size_t)y * down.room, down.length[y], stride, pixels + (size_t)y * stride);
		free(pairs);
	}
	free(middle);
	taps_free(&across);
	taps_free(&down);
	return result;
}

struct view_geometry view_geometry_stretch(int view_width, int view_height, int width, int height)
{
	return (struct view_geometry){.scale_x = (double)width / view_width, .scale_y = (double)height / view_height};
}

struct point view_point(const struct view_geometry *g, int y, int x)
{
	return (struct point){.y = (y + g->offset_y + 0.5) * g->scale_y - 0.5, .x = (x + g->offset_x + 0.5) * g->scale_x - 0.5};
}

int view_crops(enum view view)
{
	return view == VIEW_FIVE ? VIEW_MOST_CROPS : 1;
}

int view_make(const struct photo *photo, const struct preprocessing *pre, enum view view, int crop, float *tensor,
	struct view_geometry *geometry, struct error *e)
{
	if (pre->width < 1 || pre->height < 1 || pre->width > PHOTO_MAX_SIDE || pre->height > PHOTO_MAX_SIDE)
		return error_set(e, LSDN_ERROR_INPUT, "an input of %d x %d pixels: give each side 1 to %d", pre->width, pre->height, PHOTO_MAX_SIDE);
	size_t count = (size_t)pre->width * (size_t)pre->height;
	uint8_t *pixels = malloc(count * 3);
	struct window window = window_of(view, crop, photo, pre);
	if (!pixels || window_resize(photo, &window, pre->width, pre->height, pixels) != LSDN_OK) {
		free(pixels);
		return error_memory(e, "a resized photograph");
	}
	float numbers[3][256];
	for (size_t c = 0; c < 3; c++)
		for (size_t value = 0; value < 256; value++)
			numbers[c][value] = ((float)value - pre->mean[c]) / pre->std[c];
	size_t first = pre->bgr ? 2 : 0;
	for (size_t i = 0; i < count * 3; i += 3) {
		tensor[i] = numbers[0][pixels[i + first]];
		tensor[i + 1] = numbers[1][pixels[i + 1]];
		tensor[i + 2] = numbers[2][pixels[i + 2 - first]];
	}
	*geometry = view_geometry_stretch(window.resized_width, window.resized_height, photo->width, photo->height);
	geometry->offset_x = window.x;
	geometry->offset_y = window.y;
	free(pixels);
	return LSDN_OK;
}
