/* Symmetric positive definite matrices, n x n, row after row: the lower triangle is read, the upper one neither read nor written. */
#ifndef LSDN_CORE_METHODS_CHOLESKY_H
#define LSDN_CORE_METHODS_CHOLESKY_H

#include <stddef.h>

/* Puts the lower triangular L with L L^T = matrix into its place. */
void cholesky_factor(double *matrix, size_t n);

/* Solve L y = x and L^T y = x; y takes x's place. */
void cholesky_solve_lower(const double *factor, size_t n, double *x);
void cholesky_solve_upper(const double *factor, size_t n, double *x);

#endif
