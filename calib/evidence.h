/* How sure a share is, and whether one is better than another. */
#ifndef LSDN_CALIB_EVIDENCE_H
#define LSDN_CALIB_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

struct interval {
	double low, high;
};

/* The 95% interval of a share: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927. 0 to 1 where total is 0. */
struct interval wilson_interval(uint64_t hits, uint64_t total);

/* The mean of numbers from least to 1 and its 95% interval by the normal approximation (1.96 standard errors to either side, within least to 1). least to 1
 * where they are fewer than two. */
struct interval mean_interval(const double *values, size_t count, double least, double *mean);

/* Two-sided p of McNemar's exact test: of the pairs in which exactly one of two had success, `first` were the first's and `second` the second's;
 * under no difference their split is binomial with 1/2 (Q. McNemar, Psychometrika 12, 1947). 1 where there is no such pair. */
double mcnemar_exact(uint64_t first, uint64_t second);

/* Two-sided p that the mean of paired differences is 0, by flipping their signs (R. A. Fisher, "The Design of Experiments", 1935): the share of means at least as
 * far from 0 among all flips, where there are at most 13 differences, else among the differences themselves and 9999 random flips, which are the same for the
 * same count. 1 where there is no difference. */
double sign_flip(const double *differences, size_t count);

#endif
