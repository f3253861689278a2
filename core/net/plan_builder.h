/* What the makers of operators (plan_layers.c, plan_pointwise.c, plan_shape.c) share while a plan is built. */
#ifndef LSDN_CORE_NET_PLAN_BUILDER_H
#define LSDN_CORE_NET_PLAN_BUILDER_H

#include "core/net/fold.h"
#include "core/net/plan_view.h"

struct builder {
	struct plan *plan;
	const struct onnx *graph;
	struct node *nodes;     /* the graph's, patterns of several made one */
	const struct node *node; /* the one that is being built */
	struct constants constants;
	struct view *views;
	struct names values;  /* value names to views */
	struct names readers; /* value names to how many live nodes (or the output) read them */
	int tensor_room, op_room, view_room, view_count;
	struct error *error;
};

typedef int (*build_function)(struct builder *b);

/* An error that names file, node and operator; why says what is wrong and what to do. */
int build_refuse(struct builder *b, const char *why, ...) LSDN_PRINTF(2, 3);
int build_memory(struct builder *b);

/* True where a tensor of that size is within bounds. */
bool build_size_allowed(int64_t c, int64_t h, int64_t w);

/* Adds a tensor, seen plainly under its name. */
int build_add_tensor(struct builder *b, const struct tensor *t);

/* The view that is the node's input i, or NULL (a constant, or left out). It moves when a value is added. */
const struct view *build_view(const struct builder *b, size_t i);
/* The tensor under it, or -1. */
int build_tensor(const struct builder *b, size_t i);
/* The constant that is the node's input i, or NULL. */
const struct constant *build_constant(const struct builder *b, size_t i);
/* Whole numbers that are an attribute in older opsets and constant input i in newer ones; NULL where they are neither. */
const int64_t *build_ints(const struct builder *b, const char *name, size_t i, size_t *count);
/* The node's constant input i, an error where it is not a float tensor of finite numbers. */
int build_numbers(struct builder *b, size_t i, const struct constant **numbers);
/* The same of what may be large: to be copied once by build_matrices, which looks at the numbers. */
int build_weights(struct builder *b, size_t i, const struct constant **weights);

/* A copy times alpha; transposed, it has columns before rows: those of a matrix, or I and H * W of each I x H x W of a kernel O x I x H x W. */
int build_matrices(struct builder *b, const struct constant *constant, bool transposed, float alpha, const float **matrices);

/* Makes input i a plain view (see view_plain) of a tensor of its own rank: by a Reindex where it is something else. */
int build_plain(struct builder *b, size_t i);
/* The same, zeros of a Pad kept for the reader to count in. */
int build_padded(struct builder *b, size_t i);
/* Makes input i a view of the whole of its tensor, without zeros around it. */
int build_whole(struct builder *b, size_t i);
/* Makes input i a view without zeros around it. */
int build_seen(struct builder *b, size_t i);

/* Appends an op of that kind reading input 0 (where it is a tensor), writing a new c x h x w tensor of that rank named as the node's first output. */
int build_op(struct builder *b, enum op_kind kind, int c, int h, int w, int rank, struct op **op);
/* Appends an op of that kind reading input i, whose output has the input's shape and is seen as the input is. */
int build_like(struct builder *b, enum op_kind kind, size_t i, struct op **op);

/* Which elements of a dimension are taken: count of them, at source[k], or OP_FILL. */
struct pick {
	int64_t count;
	const int64_t *source; /* NULL: all, as they are */
};

/* Makes output 0 of elements of input i, which has at most 4 dimensions: a Reindex; what is OP_FILL gets `fill`. */
int build_picked(struct builder *b, size_t i, const struct pick picks[4], float fill);
/* Makes output 0 a new tensor of these dimensions (2 to 4, the first 1) of the elements of v in ONNX's order. */
int build_reordered(struct builder *b, const struct view *v, const int64_t *dims, int rank);

/* The node's output k is that view. */
int build_output(struct builder *b, size_t k, const struct view *v);

/* The op that made the node's input i if what follows can be folded into it: a Conv or Gemm without activation, or a scaling, read by this node
 * alone. */
struct op *build_fusable(const struct builder *b, size_t i);
/* Names the fused op's output as the node's, seen as input i. */
int build_fused(struct builder *b, struct op *op, size_t i);

/* Spreads a constant that broadcasts over v as one number a channel over the c channels of v's tensor; NULL where it does not, or memory is short. */
const float *build_channels(struct builder *b, const struct constant *constant, const struct view *v);

/* A copy of count floats that may be changed (of zeros where from is NULL). */
float *build_floats(struct builder *b, const float *from, size_t count);

/* y = scale[c] * x + shift[c] into what build_fusable gave. */
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
int build_layer_normalization(struct builder *b);
int build_lrn(struct builder *b);
int build_add(struct builder *b);
int build_mul(struct builder *b);
int build_softmax(struct builder *b);

int build_identity(struct builder *b);
int build_cast(struct builder *b);
int build_dropout(struct builder *b);
int build_shape(struct builder *b);
int build_flatten(struct builder *b);
int build_reshape(struct builder *b);
int build_squeeze(struct builder *b);
int build_transpose(struct builder *b);

int build_slice(struct builder *b);
int build_split(struct builder *b);
int build_gather(struct builder *b);
int build_pad(struct builder *b);

#endif
