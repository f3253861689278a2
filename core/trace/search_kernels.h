/* The inner loops of a search (search.h). Arrays are by candidate, `count` of them; minus infinity stands for a candidate that is not in play. */
#ifndef LSDN_CORE_TRACE_SEARCH_KERNELS_H
#define LSDN_CORE_TRACE_SEARCH_KERNELS_H

#include <stdint.h>

uint32_t search_highest_count(const uint32_t *counts, int policies);

/* Copies the Z_cur of those above a limit, the eligible ones; returns how many they are. *most gets the highest absolute value. */
int search_keep_eligible(float *restrict kept, const float *restrict z, int count, float above, float *most);

/* True where some candidate that is in play is at that pixel. */
int search_some_there(const float *restrict z, const uint32_t *restrict pixels, uint32_t pixel, int count);

/* Takes the bounds of the candidates at a pixel from its row. */
void search_gather_row(float *restrict bounds, const uint32_t *restrict pixels, uint32_t pixel, const float *restrict row, int count);

float search_highest(const float *values, int count);

/* The first place of a value; count where it is not there. */
int search_find(const float *values, int count, float value);

/* Bounds of Omega, Z_cur + ratio * bound of Z_pre; the highest is returned. */
float search_bound_omegas(float *restrict omegas, const float *restrict z, const float *restrict bounds, float ratio, int count);

/* The same where Z_suc may be as high as suc, which makes a negative sum lower. */
float search_bound_omegas_suc(float *restrict omegas, const float *restrict z, const float *restrict bounds, const float *restrict suc, float ratio,
	int count);

/* The first candidate at or after `from` whose bound is not below the limit; count where there is none. */
int search_next_reaching(const float *omegas, int from, int count, float limit);

/* By policy: nobody is the best. */
void search_forget_best(double *restrict best, int *restrict who, int count);

/* By policy, `count` of them: candidate c with Z_cur and Z_pre becomes the best where it is; of equals the lowest is. Rounded as everywhere else, without
 * fused multiplications. */
void search_compare(double *restrict best, int *restrict who, const double *restrict ratios, double cur, double pre, int c, int count);

/* The same with Z_suc, of which 0 counts as 1. */
void search_compare_suc(double *restrict best, int *restrict who, const double *restrict ratios, const uint32_t *restrict counts, double cur, double pre,
	int c, int count);

/* The same for the k best of one policy, whose Omega is given. */
void search_insert(double *best, int *who, int k, double omega, int c);

#endif
