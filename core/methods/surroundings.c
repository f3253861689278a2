#include "config.h"

#include "core/methods/surroundings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"
#include "core/kernel.h"
#include "core/methods/cholesky.h"

enum { MARGIN = 2 };

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static size_t patch_size(const struct surroundings *s)
{
	return (size_t)s->channels[0].patch_height * (size_t)s->channels[0].patch_width;
}

static double *drawn_patch(const struct surroundings *s, int number, int channel)
{
	return s->drawn + (size_t)(number * SURROUNDINGS_CHANNELS + channel) * patch_size(s);
}

static int draw_patches(struct surroundings *s, int draws, uint64_t seed, struct error *e)
{
	const struct stationary *first = &s->channels[0];
	size_t around = (size_t)(first->height + first->patch_height - 1) * (size_t)(first->width + first->patch_width - 1), all = around + patch_size(s);
	double *noise = malloc(all * sizeof *noise);
	struct pcg rng;
	pcg_seed(&rng, seed, 0);
	for (int n = 0; noise && n < draws; n++) {
		for (size_t i = 0; i < all; i++)
			noise[i] = pcg_normal(&rng);
		for (int c = 0; c < SURROUNDINGS_CHANNELS; c++)
			stationary_draw(&s->channels[c], noise, noise + around, drawn_patch(s, n, c));
	}
	free(noise);
	return noise ? LSDN_OK : error_memory(e, "random numbers");
}

static int open_channels(struct surroundings *s, const float *image, int height, int width, struct error *e)
{
	int code = LSDN_OK;
	for (int c = 0; c < SURROUNDINGS_CHANNELS && !code; c++) {
		code = stationary_open(&s->channels[c], image + c, SURROUNDINGS_CHANNELS, height, width, smaller(height, 2 * (windows_stride(height) + MARGIN)),
			smaller(width, 2 * (windows_stride(width) + MARGIN)), e);
		s->least[c] = s->most[c] = image[c];
		for (size_t i = 0; i < (size_t)height * (size_t)width; i++) {
			s->least[c] = fminf(s->least[c], image[i * SURROUNDINGS_CHANNELS + (size_t)c]);
			s->most[c] = fmaxf(s->most[c], image[i * SURROUNDINGS_CHANNELS + (size_t)c]);
		}
	}
	return code;
}

int surroundings_open(struct surroundings *s, const float *image, int height, int width, int draws, uint64_t seed, struct error *e)
{
	*s = (struct surroundings){0};
	int code = open_channels(s, image, height, width, e);
	if (code)
		return code;
	size_t most = 4 * MARGIN * (size_t)(windows_stride(height) + windows_stride(width) + MARGIN);
	bool room = (s->drawn = malloc((size_t)draws * SURROUNDINGS_CHANNELS * patch_size(s) * sizeof *s->drawn)) &&
		(s->pixels = malloc(most * sizeof *s->pixels)) && (s->weights = malloc(most * sizeof *s->weights)) &&
		(s->row = malloc((size_t)s->channels[0].patch_width * sizeof *s->row));
	for (int c = 0; c < SURROUNDINGS_CHANNELS && room; c++)
		room = (s->factors[c] = malloc(most * most * sizeof **s->factors)) != NULL;
	return room ? draw_patches(s, draws, seed, e) : error_memory(e, "a photograph's covariance");
}

void surroundings_close(struct surroundings *s)
{
	for (int c = 0; c < SURROUNDINGS_CHANNELS; c++) {
		stationary_close(&s->channels[c]);
		free(s->factors[c]);
	}
	free(s->drawn);
	free(s->pixels);
	free(s->weights);
	free(s->row);
}

static void list_pixels(struct surroundings *s)
{
	const struct input_window *w = &s->shape.window;
	s->known = 0;
	for (int y = 0; y < s->shape.height; y++)
		for (int x = 0; x < s->shape.width; x++)
			if (y < w->top || y >= w->bottom || x < w->left || x >= w->right)
				s->pixels[s->known++] = (struct patch_pixel){y, x};
}

static void factor(const struct stationary *channel, const struct patch_pixel *pixels, size_t known, double *factor)
{
	for (size_t i = 0; i < known; i++)
		for (size_t j = 0; j <= i; j++)
			factor[i * known + j] = stationary_covariance(channel, pixels[i].y - pixels[j].y)[pixels[i].x - pixels[j].x];
	cholesky_factor(factor, known);
}

void surroundings_look(struct surroundings *s, const struct input_window *w)
{
	int height = s->channels[0].height, width = s->channels[0].width;
	s->top = larger(w->top - MARGIN, 0);
	s->left = larger(w->left - MARGIN, 0);
	struct patch_shape shape = {smaller(w->bottom + MARGIN, height) - s->top, smaller(w->right + MARGIN, width) - s->left,
		{w->top - s->top, w->left - s->left, w->bottom - s->top, w->right - s->left}};
	if (memcmp(&shape, &s->shape, sizeof shape) == 0)
		return;
	s->shape = shape;
	list_pixels(s);
	for (int c = 0; c < SURROUNDINGS_CHANNELS; c++)
		factor(&s->channels[c], s->pixels, s->known, s->factors[c]);
}

/* C_22^-1 (x_2 - mean - y_2). */
static void weigh(struct surroundings *s, int c, const double *drawn)
{
	const struct stationary *channel = &s->channels[c];
	for (size_t i = 0; i < s->known; i++) {
		const struct patch_pixel *p = &s->pixels[i];
		s->weights[i] = channel->plane[(size_t)(s->top + p->y) * (size_t)channel->width + (size_t)(s->left + p->x)] -
			drawn[(size_t)p->y * (size_t)channel->patch_width + (size_t)p->x];
	}
	cholesky_solve_lower(s->factors[c], s->known, s->weights);
	cholesky_solve_upper(s->factors[c], s->known, s->weights);
}

LSDN_KERNEL static void add_weighted(double *restrict to, const double *restrict from, double weight, int count)
{
	for (int i = 0; i < count; i++)
		to[i] += weight * from[i];
}

/* Adds C_12 times the weights to the window's pixels of row y of the patch. */
static void add_expected(const struct surroundings *s, int c, int y, double *row)
{
	const struct input_window *w = &s->shape.window;
	for (size_t i = 0; i < s->known; i++) {
		const struct patch_pixel *p = &s->pixels[i];
		add_weighted(row, stationary_covariance(&s->channels[c], y - p->y) + (w->left - p->x), s->weights[i], w->right - w->left);
	}
}

void surroundings_draw(struct surroundings *s, int number, float *changed)
{
	const struct input_window *w = &s->shape.window;
	int width = w->right - w->left;
	for (int c = 0; c < SURROUNDINGS_CHANNELS; c++) {
		const struct stationary *channel = &s->channels[c];
		const double *drawn = drawn_patch(s, number, c);
		weigh(s, c, drawn);
		for (int y = w->top; y < w->bottom; y++) {
			float *to = changed + ((size_t)(s->top + y) * (size_t)channel->width + (size_t)(s->left + w->left)) * SURROUNDINGS_CHANNELS + c;
			memcpy(s->row, drawn + (size_t)y * (size_t)channel->patch_width + (size_t)w->left, (size_t)width * sizeof *s->row);
			add_expected(s, c, y, s->row);
			for (int x = 0; x < width; x++)
				to[x * SURROUNDINGS_CHANNELS] = fminf(fmaxf((float)(channel->mean + s->row[x]), s->least[c]), s->most[c]);
		}
	}
}
