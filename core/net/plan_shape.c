/* Makers of the operators that only rename or reorder elements. */
#include "config.h"

#include <string.h>

#include "core/net/plan_builder.h"

int build_identity(struct builder *b)
{
	return build_alias(b, build_tensor(b, 0));
}

/* Nothing at inference; since opset 12 inputs may say that it drops all the same (a ratio of 0.5 where none is given). */
int build_dropout(struct builder *b)
{
	const struct constant *ratio = build_constant(b, 1), *training = build_constant(b, 2);
	bool drops = !ratio || ratio->type != CONSTANT_FLOAT || ratio->count != 1 || ratio->floats[0] != 0;
	if (training && drops && (training->type != CONSTANT_INT || training->count != 1 || training->ints[0] != 0))
		return build_refuse(b, "is in training mode: export the network for inference");
	return build_identity(b);
}

/* ONNX's dimensions of a tensor, the batch as 1. */
static size_t dims_of(const struct tensor *t, int64_t dims[4])
{
	int64_t all[4] = {1, t->c, t->h, t->w};
	memcpy(dims, all, sizeof all);
	return (size_t)t->rank;
}

int build_shape(struct builder *b)
{
	int64_t dims[4];
	size_t rank = dims_of(&b->plan->tensors[build_tensor(b, 0)], dims);
	return constants_add_ints(&b->constants, b->node->outputs[0], dims, rank, b->error);
}

/* To a vector (rank 2, or 4 with sides of 1) of the same elements in ONNX's order. */
static int add_flatten(struct builder *b, int rank)
{
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	struct op *op;
	if (in->rank == rank && in->h == 1 && in->w == 1)
		return build_alias(b, build_tensor(b, 0));
	return build_op(b, OP_FLATTEN, in->c * in->h * in->w, 1, 1, rank, &op);
}

int build_flatten(struct builder *b)
{
	int64_t axis = node_int(b->node, "axis", 1);
	if (axis != 1 && axis != 1 - b->plan->tensors[build_tensor(b, 0)].rank)
		return build_refuse(b, "at axis %lld: only to one vector an image (axis 1) is supported", (long long)axis);
	return add_flatten(b, 2);
}

/* The target must be the same map, or one vector an image. */
static int to_dims(struct builder *b, const int64_t *dims, size_t rank)
{
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	int64_t own[4];
	size_t own_rank = dims_of(in, own);
	if (rank == own_rank && memcmp(dims, own, rank * sizeof *dims) == 0)
		return build_alias(b, build_tensor(b, 0));
	bool vector = rank == 2 || (rank == 4 && dims[2] == 1 && dims[3] == 1);
	if (!vector || dims[0] != 1 || dims[1] != in->c * in->h * in->w)
		return build_refuse(b, "to another shape than one vector an image: only that is supported");
	return add_flatten(b, (int)rank);
}

int build_reshape(struct builder *b)
{
	const struct constant *shape = build_constant(b, 1);
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	if (!shape || shape->type != CONSTANT_INT || shape->count < 1 || shape->count > 4)
		return build_refuse(b, "its target is not a constant of 1 to 4 numbers: only reshaping to a vector is supported");
	int64_t own[4] = {0}, dims[4] = {0}, total = (int64_t)tensor_size(in), known = 1;
	size_t own_rank = dims_of(in, own);
	int open = -1;
	for (size_t d = 0; d < shape->count; d++) {
		dims[d] = shape->ints[d] == 0 && d < own_rank ? own[d] : shape->ints[d];
		/* A batch that the file fixes is the batch, whatever its size. */
		if (d == 0 && dims[0] > 1 && b->graph->input_count && b->graph->inputs[0].rank > 0 && dims[0] == b->graph->inputs[0].dims[0])
			dims[0] = 1;
		if (dims[d] == -1 && open < 0)
			open = (int)d;
		else if (dims[d] < 1 || dims[d] > total || known > total)
			return build_refuse(b, "its target holds %lld: the file is damaged", (long long)dims[d]);
		else
			known *= dims[d];
	}
	if (open >= 0)
		dims[open] = total / known;
	return to_dims(b, dims, shape->count);
}

/* Squeeze and Unsqueeze between N x C x 1 x 1 and N x C; axes are an input since opset 13, an attribute before. */
int build_squeeze(struct builder *b)
{
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	const struct attribute *attribute = node_attribute(b->node, "axes");
	const struct constant *constant = build_constant(b, 1);
	const int64_t *axes = attribute ? attribute->ints : constant && constant->type == CONSTANT_INT ? constant->ints : NULL;
	size_t count = attribute ? attribute->int_count : axes ? constant->count : 0;
	bool sides = count == 2 && in->h == 1 && in->w == 1;
	for (size_t i = 0; sides && i < 2; i++)
		sides = axes[i] == (int64_t)(2 + i) || axes[i] == (int64_t)(2 + i) - 4;
	bool squeeze = strcmp(b->node->op_type, "Squeeze") == 0;
	if (!sides || in->rank != (squeeze ? 4 : 2))
		return build_refuse(b, "supported between N x C x 1 x 1 and N x C only (axes 2 and 3)");
	return add_flatten(b, squeeze ? 2 : 4);
}

int build_transpose(struct builder *b)
{
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	const struct attribute *perm = node_attribute(b->node, "perm");
	bool identity = perm && perm->int_count == (size_t)in->rank;
	for (size_t d = 0; identity && d < perm->int_count; d++)
		identity = perm->ints[d] == (int64_t)d;
	bool batch_first = perm && perm->int_count == (size_t)in->rank && perm->ints[0] == 0;
	if (!identity && !(batch_first && in->h == 1 && in->w == 1))
		return build_refuse(b, "moves positions: supported only where the map is 1 x 1");
	return build_alias(b, build_tensor(b, 0));
}
