/* How far people agree. */
#ifndef LSDN_CALIB_AGREEMENT_H
#define LSDN_CALIB_AGREEMENT_H

#include <stddef.h>

#include "calib/evidence.h"
#include "core/error.h"

enum agreement_level {
	AGREEMENT_NOMINAL,
	AGREEMENT_ORDINAL
};

enum { AGREEMENT_MOST = 5 };

/* Krippendorff's alpha (K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011): 1 - observed / expected disagreement; 1 is agreement, 0
 * what chance gives. values: of unit u and rater r at u * raters + r, from 1 to AGREEMENT_MOST, or 0 where there is none. NAN where all are equal, or no
 * unit has two. */
double krippendorff_alpha(const int *values, size_t units, size_t raters, enum agreement_level level);

/* Its 95% interval by the bootstrap (B. Efron, "Bootstrap methods: another look at the jackknife", 1979): from the 50th to the 50th last of 1999 alphas of as many units,
 * drawn with replacement; a unit and those after it are drawn together, so many (units is a multiple of it). Draws are the same for the same number of
 * units. Those without an alpha are left out, and what is left keeps its shares. NAN where there is no alpha, or all units are drawn together. */
int krippendorff_interval(const int *values, size_t units, size_t raters, enum agreement_level level, size_t together, struct interval *interval, struct error *e);

#endif
