/* How ONNX sees a tensor: its dimensions, in an order of its own, over the tensor's memory. Transpose, Reshape, Slice and the like make no operator
 * but a view, and where views undo each other nothing is left of them. */
#ifndef LSDN_CORE_NET_PLAN_VIEW_H
#define LSDN_CORE_NET_PLAN_VIEW_H

#include "core/net/plan.h"

struct view {
	int tensor;
	int rank;
	int64_t dims[ONNX_MAX_RANK];    /* of one image: the batch is 1 */
	int64_t strides[ONNX_MAX_RANK]; /* in floats; 0 where the dimension is 1 */
	int64_t offset;                 /* of the first element */
	int64_t top, left, bottom, right; /* zeros that a Pad puts around a plain map */
	const struct node *made_by;     /* NULL where it is the tensor as its operator left it */
};

/* The tensor as N x C x H x W, without the last dimensions where its rank is lower. */
struct view view_plain(const struct tensor *t, int number);

/* Gives the view dimensions of the same product. Returns false where no strides can express that. */
bool view_reshape(struct view *v, const int64_t *dims, int rank);

/* Dimension d becomes what perm[d] was. Returns false where perm is no order of the dimensions. */
bool view_permute(struct view *v, const int64_t *perm, size_t count);

/* A dimension as -rank..rank-1 to 0..rank-1, or -1 where it is out of bounds. */
int view_axis(const struct view *v, int64_t axis);

int64_t view_size(const struct view *v);

/* True where every element of the tensor is seen once. */
bool view_whole(const struct view *v, const struct tensor *t);

/* True where the view is whole and dimension `axis` is the tensor's channels, alone. */
bool view_channels_at(const struct view *v, const struct tensor *t, int axis);

/* True where both see their tensors the same way. */
bool view_alike(const struct view *a, const struct view *b);

/* The view of a tensor of other channels at the same places, where dimension `axis` is the channels. */
struct view view_with_channels(const struct view *v, const struct tensor *from, int axis, const struct tensor *to, int number);

#endif
