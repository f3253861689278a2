#include "config.h"

#include "core/methods/cholesky.h"

#include <math.h>

#include "core/kernel.h"

LSDN_KERNEL static double product(const double *a, const double *b, size_t count)
{
	double sum = 0;
#pragma omp simd reduction(+ : sum)
	for (size_t k = 0; k < count; k++)
		sum += a[k] * b[k];
	return sum;
}

LSDN_KERNEL static void subtract(double *restrict from, const double *restrict row, double times, size_t count)
{
	for (size_t k = 0; k < count; k++)
		from[k] -= times * row[k];
}

void cholesky_factor(double *matrix, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j <= i; j++) {
			double *row = matrix + i * n, *upper = matrix + j * n, rest = row[j] - product(row, upper, j);
			row[j] = j < i ? rest / upper[j] : sqrt(rest);
		}
}

void cholesky_solve_lower(const double *factor, size_t n, double *x)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (x[i] - product(factor + i * n, x, i)) / factor[i * n + i];
}

void cholesky_solve_upper(const double *factor, size_t n, double *x)
{
	for (size_t i = n; i-- > 0;) {
		x[i] /= factor[i * n + i];
		subtract(x, factor + i * n, x[i], i);
	}
}
