/* Memory gives weights about as fast as one image takes them; eight images take them from one pass, their inputs part by part in the nearest memory. A sum is
 * sixteen sums of every sixteenth product, and these are summed in one order, however many images there are. */
#include "config.h"

#include "core/net/gemm.h"

#include <string.h>

#include "core/kernel.h"

enum { BLOCK = 64, ROWS_ALONE = 4, ROWS_TOGETHER = 2, AHEAD = 4, IMAGES = 8 }; /* AHEAD: rows that are fetched early, as far as the part goes */
enum { PART = 32 };                                                            /* vectors of an image's input */

#define TILE_INLINE static inline __attribute__((always_inline))

/* What the vectors left, and the bias. */
TILE_INLINE void finish(const struct gemm *g, size_t row, size_t image, size_t done, float sum)
{
	for (size_t i = done; i < g->inputs; i++)
		sum += g->weights[row * g->inputs + i] * g->input[image * g->inputs + i];
	g->output[image * g->outputs + row] = sum + (g->bias ? g->bias[row] : 0);
}

#if defined(LSDN_VECTORS)
TILE_INLINE float sum_of_lanes(const vector_float *v)
{
	float lanes[LSDN_VECTOR];
	memcpy(lanes, v, sizeof lanes);
	for (int half = LSDN_VECTOR / 2; half; half /= 2)
		for (int i = 0; i < half; i++)
			lanes[i] += lanes[i + half];
	return lanes[0];
}

/* Here and below `rows` is to be a constant, so that the sums are in registers. */
TILE_INLINE void multiply_alone(const struct gemm *g, size_t row, size_t image, int rows)
{
	const float *weights = g->weights + row * g->inputs, *input = g->input + image * g->inputs;
	vector_float sums[ROWS_ALONE] = {{0}}, w, x;
	size_t done = g->inputs / LSDN_VECTOR * LSDN_VECTOR;
	for (size_t i = 0; i < done; i += LSDN_VECTOR) {
		memcpy(&x, input + i, sizeof x);
#pragma GCC unroll 4
		for (int r = 0; r < rows; r++) {
			memcpy(&w, weights + (size_t)r * g->inputs + i, sizeof w);
			sums[r] += w * x;
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
		finish(g, row + (size_t)r, image, done, sum_of_lanes(&sums[r]));
}

/* Adds what `count` vectors from element `from` on give to the sums of rows. */
TILE_INLINE void multiply_part(const struct gemm *g, size_t row, size_t from, size_t count, vector_float part[PART][IMAGES], vector_float sums[][IMAGES], int rows)
{
	const float *weights = g->weights + row * g->inputs + from;
	vector_float own[ROWS_TOGETHER][IMAGES], w[ROWS_TOGETHER];
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
		for (int n = 0; n < IMAGES; n++)
			own[r][n] = sums[r][n];
	for (size_t v = 0; v < count; v++) {
#pragma GCC unroll 2
		for (int r = 0; r < rows; r++)
			memcpy(&w[r], weights + (size_t)r * g->inputs + v * LSDN_VECTOR, sizeof *w);
#pragma GCC unroll 2
		for (int r = 0; r < rows; r++)
			__builtin_prefetch(weights + (size_t)(r + AHEAD) * g->inputs + v * LSDN_VECTOR);
#pragma GCC unroll 8
		for (int n = 0; n < IMAGES; n++) {
			vector_float x = *(const volatile vector_float *)&part[v][n]; /* or it would be loaded for every row */
#pragma GCC unroll 2
			for (int r = 0; r < rows; r++)
				own[r][n] += w[r] * x;
		}
	}
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 8
		for (int n = 0; n < IMAGES; n++)
			sums[r][n] = own[r][n];
}

LSDN_KERNEL static void multiply_together(const struct gemm *g, size_t row, size_t rows, size_t image)
{
	vector_float sums[BLOCK][IMAGES] = {{{0}}}, part[PART][IMAGES];
	size_t done = g->inputs / LSDN_VECTOR * LSDN_VECTOR;
	for (size_t from = 0, count; from < done; from += count * LSDN_VECTOR) {
		count = (done - from) / LSDN_VECTOR < PART ? (done - from) / LSDN_VECTOR : PART;
		for (size_t n = 0; n < IMAGES; n++)
			for (size_t v = 0; v < count; v++)
				memcpy(&part[v][n], g->input + (image + n) * g->inputs + from + v * LSDN_VECTOR, sizeof part[v][n]);
		size_t r = 0;
		for (; r + ROWS_TOGETHER <= rows; r += ROWS_TOGETHER)
			multiply_part(g, row + r, from, count, part, sums + r, ROWS_TOGETHER);
		for (; r < rows; r++)
			multiply_part(g, row + r, from, count, part, sums + r, 1);
	}
	for (size_t r = 0; r < rows; r++)
		for (size_t n = 0; n < IMAGES; n++)
			finish(g, row + r, image + n, done, sum_of_lanes(&sums[r][n]));
}
#endif

/* Images from `image` on, one after the other. */
LSDN_KERNEL static void multiply_rest(const struct gemm *g, size_t row, size_t rows, size_t image)
{
	size_t r = 0;
#if defined(LSDN_VECTORS)
	for (; r + ROWS_ALONE <= rows; r += ROWS_ALONE)
		for (size_t n = image; n < g->images; n++)
			multiply_alone(g, row + r, n, ROWS_ALONE);
	for (; r < rows; r++)
		for (size_t n = image; n < g->images; n++)
			multiply_alone(g, row + r, n, 1);
#endif
	for (; r < rows; r++)
		for (size_t n = image; n < g->images; n++)
			finish(g, row + r, n, 0, 0);
}

void gemm_run(const struct gemm *g)
{
	size_t blocks = (g->outputs + BLOCK - 1) / BLOCK;
#pragma omp parallel for
	for (size_t k = 0; k < blocks; k++) {
		size_t row = k * BLOCK, rows = g->outputs - row < BLOCK ? g->outputs - row : BLOCK, image = 0;
#if defined(LSDN_VECTORS)
		for (; image + IMAGES <= g->images; image += IMAGES)
			multiply_together(g, row, rows, image);
#endif
		multiply_rest(g, row, rows, image);
	}
}
