/* How far people agree. */
#ifndef LSDN_CALIB_AGREEMENT_H
#define LSDN_CALIB_AGREEMENT_H

#include <stddef.h>

enum agreement_level {
	AGREEMENT_NOMINAL,
	AGREEMENT_ORDINAL
};

enum { AGREEMENT_MOST = 5 };

/* Krippendorff's alpha (K. Krippendorff, "Computing Krippendorff's alpha-reliability", 2011): 1 - observed / expected disagreement; 1 is agreement, 0
 * what chance gives. values: of unit u and rater r at u * raters + r, from 1 to AGREEMENT_MOST, or 0 where there is none. NAN where all are equal, or no
 * unit has two. */
double krippendorff_alpha(const int *values, size_t units, size_t raters, enum agreement_level level);

#endif
