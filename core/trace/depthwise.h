/* Z_pre of all channels of a pixel that a depthwise Conv made (paper, eq. 3): each is the sum over one channel's kernel, so a row costs little. */
#ifndef LSDN_CORE_TRACE_DEPTHWISE_H
#define LSDN_CORE_TRACE_DEPTHWISE_H

#include "core/trace/supports.h"

/* True for Convs of which every output channel looks at the input channel of the same number. */
bool depthwise_is(const struct plan *plan, const struct op *op);

/* The weights of such a Conv as tap x channel, in which order they are read; to be freed. NULL where memory is short. */
float *depthwise_weights(const struct plan *plan, const struct op *op);

/* Fills row with Z_pre at place s of the op's output. */
void depthwise_row(const struct plan *plan, const struct op *op, const float *weights, const float *input, struct place s, float *row);

#endif
