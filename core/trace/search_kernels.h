/* The inner loops of search.c, which alone includes this: kernels are static, for compiled for several processors they would have names that every program sees.
 * Arrays are by candidate, `count` of them; minus infinity stands for a candidate that is not in play. */
#ifndef LSDN_CORE_TRACE_SEARCH_KERNELS_H
#define LSDN_CORE_TRACE_SEARCH_KERNELS_H

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/kernel.h"
#include "core/trace/lanes.h"

LSDN_KERNEL static uint32_t highest_count(const uint32_t *counts, int policies)
{
	uint32_t highest = 0;
#pragma omp simd reduction(max : highest)
	for (int p = 0; p < policies; p++)
		highest = counts[p] > highest ? counts[p] : highest;
	return highest;
}

/* Copies the eligible candidates' Z_cur; returns how many they are. *most gets the highest absolute value. */
LSDN_KERNEL static int keep_eligible(float *restrict kept, const float *restrict z, int count, float above, float *most)
{
	float highest = 0;
	int eligible = 0;
#pragma omp simd reduction(max : highest) reduction(+ : eligible)
	for (int c = 0; c < count; c++) {
		int is = z[c] > above;
		float size = is ? fabsf(z[c]) : 0;
		kept[c] = is ? z[c] : -INFINITY;
		eligible += is;
		highest = size > highest ? size : highest;
	}
	*most = highest;
	return eligible;
}

/* True where some candidate that is in play is at that pixel. */
LSDN_KERNEL static int some_there(const float *restrict z, const uint32_t *restrict pixels, uint32_t pixel, int count)
{
	int there = 0;
#pragma omp simd reduction(| : there)
	for (int c = 0; c < count; c++)
		there |= (pixels[c] == pixel) & (z[c] > -INFINITY);
	return there;
}

LSDN_KERNEL static void gather_row(float *restrict bounds, const uint32_t *restrict pixels, uint32_t pixel, const float *restrict row, int count)
{
	for (int c = 0; c < count; c++)
		bounds[c] = pixels[c] == pixel ? row[c] : bounds[c];
}

LSDN_KERNEL static float largest(const float *values, int count)
{
	float most = 0;
#pragma omp simd reduction(max : most)
	for (int c = 0; c < count; c++)
		most = fabsf(values[c]) > most ? fabsf(values[c]) : most;
	return most;
}

LSDN_KERNEL static int find(const float *values, int count, float value)
{
	return lanes_find(values, count, value);
}

/* Bounds of Omega at a ratio; the highest is returned. */
LSDN_KERNEL static float bound_omegas(float *restrict omegas, const float *restrict z, const float *restrict bounds, float ratio, int count)
{
	float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
	for (int c = 0; c < count; c++) {
		omegas[c] = z[c] + ratio * bounds[c];
		highest = omegas[c] > highest ? omegas[c] : highest;
	}
	return highest;
}

/* The same where Z_suc may be above 1, which makes a negative sum lower. */
LSDN_KERNEL static float bound_omegas_suc(float *restrict omegas, const float *restrict z, const float *restrict bounds, const float *restrict suc,
	float ratio, int count)
{
	float highest = -INFINITY;
#pragma omp simd reduction(max : highest)
	for (int c = 0; c < count; c++) {
		float sum = z[c] + ratio * bounds[c], product = suc[c] * sum;
		omegas[c] = product > sum ? product : sum;
		highest = omegas[c] > highest ? omegas[c] : highest;
	}
	return highest;
}

LSDN_KERNEL static void forget_best(double *restrict best, int *restrict who, int count)
{
	for (int i = 0; i < count; i++) {
		best[i] = -INFINITY;
		who[i] = INT_MAX;
	}
}

/* The first candidate at or after `from` whose bound is not below the limit; count where there is none. */
LSDN_KERNEL static int next_reaching(const float *omegas, int from, int count, float limit)
{
	enum { BLOCK = 64 };
	int c = from, any = 0;
	for (; c + BLOCK <= count && !any; c += any ? 0 : BLOCK)
#pragma omp simd reduction(| : any)
		for (int k = 0; k < BLOCK; k++)
			any |= omegas[c + k] >= limit;
	while (c < count && !(omegas[c] >= limit))
		c++;
	return c;
}

/* Candidate c with Z_cur and Z_pre becomes the best where it is; of equals the lowest is. Rounded as everywhere else: without fused multiplications. */
LSDN_KERNEL_UNFUSED static void compare(double *restrict best, int *restrict who, const double *restrict ratios, double cur, double pre, int c, int count)
{
	for (int p = 0; p < count; p++) {
		double omega = cur + ratios[p] * pre;
		bool better = omega > best[p] || (omega == best[p] && c < who[p]);
		best[p] = better ? omega : best[p];
		who[p] = better ? c : who[p];
	}
}

LSDN_KERNEL_UNFUSED static void compare_suc(double *restrict best, int *restrict who, const double *restrict ratios, const uint32_t *restrict counts,
	double cur, double pre, int c, int count)
{
	for (int p = 0; p < count; p++) {
		double omega = (double)(counts[p] ? counts[p] : 1) * (cur + ratios[p] * pre);
		bool better = omega > best[p] || (omega == best[p] && c < who[p]);
		best[p] = better ? omega : best[p];
		who[p] = better ? c : who[p];
	}
}

/* The same for the k best of one policy. */
static inline void insert(double *best, int *who, int k, double omega, int c)
{
	int at = k;
	while (at > 0 && (omega > best[at - 1] || (omega == best[at - 1] && c < who[at - 1]))) {
		at--;
		if (at + 1 < k) {
			best[at + 1] = best[at];
			who[at + 1] = who[at];
		}
	}
	if (at < k) {
		best[at] = omega;
		who[at] = c;
	}
}

#endif
