/* The supports once more, as plainly as the formulas are: one candidate at a time, double sums, loops in the order of the formula, no bounds worked out
 * ahead. Nothing fast is correct unless it agrees with this. */
#ifndef LSDN_CORE_TRACE_REFERENCE_H
#define LSDN_CORE_TRACE_REFERENCE_H

#include "core/trace/supports.h"

/* Z_cur of candidate c (counted within s's group) of output neuron s (eq. 2); *magnitude gets the sum of the products' absolute values, in units of
 * which rounding is to be judged. */
double reference_current(const struct plan *plan, const struct op *op, const float *input, struct place s, int c, double *magnitude);

/* Conv: the in-bounds pixel of the highest product sign * A * W of candidate c, first in raster order; -1 where the whole kernel is outside. */
long reference_strongest(const struct plan *plan, const struct op *op, const float *input, struct place s, int c, float sign);

/* Pools: the in-bounds pixel of the highest activation in the window of output neuron s, first in raster order; -1 where there is none. */
long reference_pool(const struct plan *plan, const struct op *op, const float *input, struct place s);

/* Z_pre of neuron n of tensor t (eq. 3, read as a maximum); *magnitude as above, of the highest. */
double reference_preceding(const struct session *session, const struct plan *plan, int image, int t, struct place n, double *magnitude);

#endif
