/* Spearman's rank correlation of two maps. */
#ifndef LSDN_CALIB_CORRELATION_H
#define LSDN_CALIB_CORRELATION_H

#include <stddef.h>

#include "core/error.h"

/* The correlation of the ranks of a[i] and b[i], equal values having their mean rank (C. Spearman, "The proof and measurement of association between two
 * things", 1904). NAN where all of a or all of b are equal. Values are finite. */
int rank_correlation(const float *a, const float *b, size_t count, double *correlation, struct error *e);

#endif
