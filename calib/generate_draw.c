#include "config.h"

#include "calib/generate_draw.h"

#include <stdbool.h>
#include <stdlib.h>

enum { SAMPLES = 4, CELL = 12, CELLS = 9 };

static uint8_t clamp(int value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

struct draw_turn draw_turn(int k)
{
	int square = k * k, whole = 256 * 256;
	return (struct draw_turn){
		.cosine = DRAW_ONE * (whole - square) / (whole + square),
		.sine = (int)((int64_t)DRAW_ONE * 512 * k / (whole + square)),
	};
}

static void turn(struct draw_turn by, int x, int y, int *u, int *v)
{
	*u = (x * by.cosine + y * by.sine) / DRAW_ONE;
	*v = (y * by.cosine - x * by.sine) / DRAW_ONE;
}

static bool inside(const struct draw_object *o, int u, int v)
{
	int a = o->half_width, b = o->half_height, across = abs(u), down = abs(v);
	if (across > a || down > b)
		return false;
	switch (o->shape) {
	case DRAW_DISC: {
		int64_t x = (int64_t)u * b, y = (int64_t)v * a, r = (int64_t)a * b;
		return x * x + y * y <= r * r;
	}
	case DRAW_TRIANGLE:
		return across * 2 * b <= a * (v + b);
	case DRAW_CROSS:
		return 3 * across <= a || 3 * down <= b;
	default:
		return true;
	}
}

/* Which of the two colours the texture has at (u, v), relative to the object's centre. */
static int ink(const struct draw_object *o, int u, int v)
{
	int period = o->period, half = period / 2;
	if (o->texture == DRAW_PLAIN)
		return 0;
	turn(o->grain, u, v, &u, &v);
	u += 1024 * period; /* objects are far smaller than that: the remainders below are of positive numbers */
	v += 1024 * period;
	switch (o->texture) {
	case DRAW_STRIPES:
		return u % period < half;
	case DRAW_CHECKER:
		return (u % period < half) != (v % period < half);
	default:
		u = u % period - half;
		v = v % period - half;
		return 10 * (u * u + v * v) < period * period; /* radius 0.32 periods */
	}
}

/* Of the samples of pixel (x, y): how many the object covers, and the sum of its colours there. */
static int sample(const struct draw_object *o, int x, int y, int sum[3])
{
	int covered = 0, step = DRAW_PIXEL / SAMPLES;
	for (int i = 0; i < SAMPLES * SAMPLES; i++) {
		int u, v;
		turn(o->turn, x * DRAW_PIXEL + i % SAMPLES * step + step / 2 - o->x,
			y * DRAW_PIXEL + i / SAMPLES * step + step / 2 - o->y, &u, &v);
		if (!inside(o, u, v))
			continue;
		const int *colour = o->colours[ink(o, u, v)];
		covered++;
		for (int c = 0; c < 3; c++)
			sum[c] += colour[c];
	}
	return covered;
}

struct box draw_object(const struct draw_canvas *canvas, const struct draw_object *o)
{
	enum { ALL = SAMPLES * SAMPLES };
	struct box box = {canvas->side, canvas->side, -1, -1};
	int reach = o->half_width + o->half_height; /* at least half the diagonal */
	int left = (o->x - reach) / DRAW_PIXEL - 1, right = (o->x + reach) / DRAW_PIXEL + 1;
	int top = (o->y - reach) / DRAW_PIXEL - 1, bottom = (o->y + reach) / DRAW_PIXEL + 1;
	for (int y = top < 0 ? 0 : top; y <= bottom && y < canvas->side; y++) {
		for (int x = left < 0 ? 0 : left; x <= right && x < canvas->side; x++) {
			int sum[3] = {0}, covered = sample(o, x, y, sum);
			if (!covered)
				continue;
			uint8_t *pixel = canvas->rgb + 3 * (y * canvas->side + x);
			for (int c = 0; c < 3; c++)
				pixel[c] = clamp((sum[c] + pixel[c] * (ALL - covered) + ALL / 2) / ALL);
			if (2 * covered >= ALL) {
				box.xmin = x < box.xmin ? x : box.xmin;
				box.ymin = y < box.ymin ? y : box.ymin;
				box.xmax = x > box.xmax ? x : box.xmax;
				box.ymax = y > box.ymax ? y : box.ymax;
			}
		}
	}
	return box;
}

/* Between the corners of a square of `size`, bilinear. */
static int blend(const int corners[4], int x, int y, int size)
{
	int top = corners[0] * (size - x) + corners[1] * x;
	int bottom = corners[2] * (size - x) + corners[3] * x;
	return (top * (size - y) + bottom * y) / (size * size);
}

static int spread(struct pcg *rng, int amplitude)
{
	return (int)pcg_below(rng, (uint32_t)(2 * amplitude + 1)) - amplitude;
}

void draw_background(const struct draw_canvas *canvas, struct pcg *rng, const int colour[3])
{
	static const int GRADIENT = 30, PATCH = 22;
	for (int c = 0; c < 3; c++) {
		int corners[4], patches[CELLS][CELLS];
		for (int i = 0; i < 4; i++)
			corners[i] = colour[c] + spread(rng, GRADIENT);
		for (int i = 0; i < CELLS * CELLS; i++)
			patches[i / CELLS][i % CELLS] = spread(rng, PATCH);
		for (int y = 0; y < canvas->side; y++) {
			for (int x = 0; x < canvas->side; x++) {
				int row = y / CELL, column = x / CELL;
				const int around[4] = {patches[row][column], patches[row][column + 1],
					patches[row + 1][column], patches[row + 1][column + 1]};
				canvas->rgb[3 * (y * canvas->side + x) + c] =
					clamp(blend(corners, x, y, canvas->side) + blend(around, x % CELL, y % CELL, CELL));
			}
		}
	}
}

void draw_noise(const struct draw_canvas *canvas, struct pcg *rng, int amplitude)
{
	for (int i = 0; i < 3 * canvas->side * canvas->side; i++)
		canvas->rgb[i] = clamp(canvas->rgb[i] + spread(rng, amplitude));
}
