/* The gradient of every operator by its inputs, but for Conv and Gemm, which linear.h has. Pointers are to NHWC; `into` is written, not added to. */
#ifndef LSDN_CORE_NET_BACKWARD_OPS_H
#define LSDN_CORE_NET_BACKWARD_OPS_H

#include "core/net/backward.h"

/* True where an activation's slope is known from what it made. */
bool slope_from_output(const struct activation *a);

/* Of an activation, which `count` places of `channels` went through: value is what it made, where slope_from_output says so, or what it read, a place
 * every `stride` floats. */
void activation_backward(const struct activation *a, enum backward_rectifier rectifier, const float *value, size_t stride, bool made, size_t count,
	int channels, const float *out, float *into);

/* input: what the pool read. */
void pool_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into);

enum { LRN_ROOMS = 4 };

/* rooms: scratch space of the tensor's size. */
void lrn_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into, float *const rooms[LRN_ROOMS]);

void layer_norm_backward(const struct plan *plan, const struct op *op, const float *input, const float *out, float *into);

/* made: what the op made. */
void softmax_backward(const struct plan *plan, const struct op *op, const float *made, const float *out, float *into);

void scale_backward(const struct plan *plan, const struct op *op, const float *out, float *into);
void concat_backward(const struct plan *plan, const struct op *op, int input, const float *out, float *into);
void reindex_backward(const struct plan *plan, const struct op *op, const float *out, float *into);

/* other: the other operand. */
void mul_backward(const struct plan *plan, const struct op *op, const float *other, const float *out, float *into);

/* The same of a Gate, whose input 1 is the branch. */
void gate_backward(const struct plan *plan, const struct op *op, int input, const float *other, const float *out, float *into);

#endif
