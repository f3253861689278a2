/* What the makers of operators (plan.c, plan_layers.c, plan_pointwise.c, plan_shape.c) share while a plan is built. */
#ifndef LSDN_CORE_NET_PLAN_BUILDER_H
#define LSDN_CORE_NET_PLAN_BUILDER_H

#include "core/net/fold.h"
#include "core/net/plan.h"

struct builder {
	struct plan *plan;
	const struct onnx *graph;
	const struct node *node; /* the one that is being built */
	struct constants constants;
	struct names values;  /* value names to tensors */
	struct names readers; /* value names to how many live nodes (or the output) read them */
	int tensor_room, op_room;
	struct error *error;
};

typedef int (*build_function)(struct builder *b);

/* An error that names file, node and operator; why says what is wrong and what to do. */
int build_refuse(struct builder *b, const char *why, ...) LSDN_PRINTF(2, 3);
int build_memory(struct builder *b);

/* The tensor that is the node's input i, or -1 (a constant, or left out). */
int build_tensor(const struct builder *b, size_t i);
/* The constant that is the node's input i, or NULL. */
const struct constant *build_constant(const struct builder *b, size_t i);
/* The same, an error where it is not a constant float tensor of finite numbers. */
int build_weights(struct builder *b, size_t i, const struct constant **weights);

/* Appends an op of that kind reading input 0 (where it is a tensor), writing a new c x h x w tensor of that rank named as the node's first output. */
int build_op(struct builder *b, enum op_kind kind, int c, int h, int w, int rank, struct op **op);

/* The node's first output is another name for a tensor. */
int build_alias(struct builder *b, int tensor);

/* The op that made the node's input i if what follows can be fused into it: a Conv or Gemm without activation, read by this node alone. */
struct op *build_fusable(const struct builder *b, size_t i);
/* Names the fused op's output as the node's. */
int build_fused(struct builder *b, struct op *op);

/* Spreads a constant that is one number or one a channel over the c channels of tensor t; NULL where it has another shape or memory is short. */
const float *build_channels(struct builder *b, const struct constant *c, const struct tensor *t);

/* A copy of count floats that may be changed (of zeros where from is NULL). */
float *build_floats(struct builder *b, const float *from, size_t count);

/* y = scale[c] * x + shift[c] into a Conv's or Gemm's weights. */
int build_fold_scale(struct builder *b, struct op *op, const float *scale, const float *shift);

int build_conv(struct builder *b);
int build_gemm(struct builder *b);
int build_matmul(struct builder *b);
int build_pool(struct builder *b);
int build_global_pool(struct builder *b);
int build_reduce_mean(struct builder *b);
int build_concat(struct builder *b);

int build_activation(struct builder *b);
int build_batch_normalization(struct builder *b);
int build_lrn(struct builder *b);
int build_add(struct builder *b);
int build_mul(struct builder *b);
int build_softmax(struct builder *b);

int build_identity(struct builder *b);
int build_dropout(struct builder *b);
int build_shape(struct builder *b);
int build_flatten(struct builder *b);
int build_reshape(struct builder *b);
int build_squeeze(struct builder *b);
int build_transpose(struct builder *b);

#endif
