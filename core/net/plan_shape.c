/* Makers of the operators that only rename elements or see them in another order: views. */
#include "config.h"

#include <string.h>

#include "core/net/plan_builder.h"

/* The node's output is the same values, seen as v. */
static int output_view(struct builder *b, struct view v)
{
	v.made_by = b->node;
	return build_output(b, 0, &v);
}

int build_identity(struct builder *b)
{
	return build_output(b, 0, build_view(b, 0));
}

int build_cast(struct builder *b)
{
	if (node_int(b->node, "to", 0) != 1)
		return build_refuse(b, "to another type than float32: convert the model to float32");
	return build_identity(b);
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

int build_shape(struct builder *b)
{
	const struct view *v = build_view(b, 0);
	int64_t from = node_int(b->node, "start", 0), to = node_int(b->node, "end", v->rank);
	from = from < 0 ? from + v->rank : from;
	to = to < 0 ? to + v->rank : to > v->rank ? v->rank : to;
	if (from < 0 || to <= from)
		return build_refuse(b, "of no dimension: the file is damaged");
	return constants_add_ints(&b->constants, b->node->outputs[0], v->dims + from, (size_t)(to - from), b->error);
}

/* The view under other dimensions where strides can say that, else a tensor of its elements in ONNX's order. */
static int to_dims(struct builder *b, const int64_t *dims, int rank)
{
	struct view v = *build_view(b, 0);
	if (view_reshape(&v, dims, rank))
		return output_view(b, v);
	if (rank < 2 || rank > 4 || dims[0] != 1)
		return build_refuse(b, "mixes dimensions into %d others, the first %lld: only maps and vectors of each image are supported", rank,
			(long long)dims[0]);
	return build_reordered(b, &v, dims, rank);
}

int build_flatten(struct builder *b)
{
	const struct view *v = build_view(b, 0);
	int64_t axis = node_int(b->node, "axis", 1), dims[2] = {1, 1};
	axis = axis < 0 ? axis + v->rank : axis;
	if (axis < 1 || axis > v->rank)
		return build_refuse(b, "at axis %lld: the batch cannot be part of a vector", (long long)axis);
	for (int d = 0; d < v->rank; d++)
		dims[d >= axis] *= v->dims[d];
	return to_dims(b, dims, 2);
}

int build_reshape(struct builder *b)
{
	const struct constant *shape = build_constant(b, 1);
	const struct view *v = build_view(b, 0);
	if (!shape || shape->type != CONSTANT_INT || shape->count < 1 || shape->count > ONNX_MAX_RANK)
		return build_refuse(b, "its target is not a constant of 1 to %d numbers: export with fixed sides", ONNX_MAX_RANK);
	int64_t dims[ONNX_MAX_RANK] = {0}, total = view_size(v), known = 1;
	bool zero_is_zero = node_int(b->node, "allowzero", 0) != 0;
	int open = -1;
	for (size_t d = 0; d < shape->count; d++) {
		dims[d] = shape->ints[d] == 0 && (int)d < v->rank && !zero_is_zero ? v->dims[d] : shape->ints[d];
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
	if (known * (open >= 0 ? dims[open] : 1) != total)
		return build_refuse(b, "of %lld numbers to another count: the file is damaged", (long long)total);
	return to_dims(b, dims, (int)shape->count);
}

/* Squeeze and Unsqueeze; a Squeeze without axes drops every 1. */
int build_squeeze(struct builder *b)
{
	const struct view *v = build_view(b, 0);
	bool squeeze = strcmp(b->node->op_type, "Squeeze") == 0;
	size_t count;
	const int64_t *axes = build_ints(b, "axes", 1, &count);
	bool one[ONNX_MAX_RANK] = {false};
	int rank = squeeze ? v->rank : v->rank + (int)count, kept = 0;
	int64_t dims[ONNX_MAX_RANK];
	if (count > ONNX_MAX_RANK || rank > ONNX_MAX_RANK || (!count && (!squeeze || b->node->input_count > 1)))
		return build_refuse(b, "its axes are not constants, or too many: export with constant axes");
	for (size_t i = 0; i < count; i++) {
		int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
		if (axis < 1 || axis >= rank || one[axis] || (squeeze && v->dims[axis] != 1))
			return build_refuse(b, "axis %lld of %d: must be a dimension of 1 within an image", (long long)axes[i], rank);
		one[axis] = true;
	}
	if (squeeze) {
		for (int d = 0; d < v->rank; d++)
			if (!(count ? one[d] : v->dims[d] == 1))
				dims[kept++] = v->dims[d];
		return to_dims(b, dims, kept);
	}
	for (int d = 0; d < rank; d++)
		dims[d] = one[d] ? 1 : v->dims[kept++];
	return to_dims(b, dims, rank);
}

int build_transpose(struct builder *b)
{
	struct view v = *build_view(b, 0);
	const struct attribute *perm = node_attribute(b->node, "perm");
	int64_t backwards[ONNX_MAX_RANK];
	for (int d = 0; d < v.rank; d++)
		backwards[d] = v.rank - 1 - d;
	if (!view_permute(&v, perm ? perm->ints : backwards, perm ? perm->int_count : (size_t)v.rank))
		return build_refuse(b, "perm is no order of %d dimensions: the file is damaged", v.rank);
	return output_view(b, v);
}
