#include "config.h"

#include "core/net/plan_view.h"

struct view view_plain(const struct tensor *t, int number)
{
	struct view v = {.tensor = number, .rank = t->rank, .dims = {1, t->c, t->h, t->w}};
	const int64_t strides[] = {0, 1, (int64_t)t->w * t->c, t->c};
	for (int d = 0; d < v.rank; d++)
		v.strides[d] = v.dims[d] == 1 ? 0 : strides[d];
	return v;
}

/* Leaves out dimensions of 1, which any reshaping may add or drop. */
static int without_ones(const struct view *v, int64_t dims[ONNX_MAX_RANK], int64_t strides[ONNX_MAX_RANK])
{
	int rank = 0;
	for (int d = 0; d < v->rank; d++) {
		if (v->dims[d] == 1)
			continue;
		dims[rank] = v->dims[d];
		strides[rank++] = v->strides[d];
	}
	return rank;
}

bool view_reshape(struct view *v, const int64_t *dims, int rank)
{
	int64_t old_dims[ONNX_MAX_RANK], old_strides[ONNX_MAX_RANK];
	int old_rank = without_ones(v, old_dims, old_strides);
	struct view shaped = *v;
	shaped.rank = rank;
	for (int d = 0; d < rank; d++) {
		shaped.dims[d] = dims[d];
		shaped.strides[d] = 0;
	}
	/* From the right: runs of old and new dimensions of the same product. An old run must lie in memory as one dimension would. */
	int from = old_rank - 1, to = rank - 1;
	while (from >= 0 && to >= 0) {
		int64_t stride = old_strides[from], have = old_dims[from], need = 1;
		while (need != have) {
			if (need < have) {
				if (to < 0)
					return false;
				shaped.strides[to] = dims[to] == 1 ? 0 : stride * need;
				need *= dims[to--];
			} else {
				if (--from < 0 || old_strides[from] != stride * have)
					return false;
				have *= old_dims[from];
			}
		}
		from--;
	}
	*v = shaped;
	return true;
}

bool view_permute(struct view *v, const int64_t *perm, size_t count)
{
	struct view permuted = *v;
	unsigned int seen = 0;
	if (count != (size_t)v->rank)
		return false;
	for (int d = 0; d < v->rank; d++) {
		if (perm[d] < 0 || perm[d] >= v->rank)
			return false;
		seen |= 1u << perm[d];
		permuted.dims[d] = v->dims[perm[d]];
		permuted.strides[d] = v->strides[perm[d]];
	}
	*v = permuted;
	return seen == (1u << v->rank) - 1;
}

int view_axis(const struct view *v, int64_t axis)
{
	return axis < -v->rank || axis >= v->rank ? -1 : (int)(axis < 0 ? axis + v->rank : axis);
}

int64_t view_size(const struct view *v)
{
	int64_t size = 1;
	for (int d = 0; d < v->rank; d++)
		size *= v->dims[d];
	return size;
}

bool view_whole(const struct view *v, const struct tensor *t)
{
	/* Strides never make two elements one, so the count decides. */
	return v->offset == 0 && view_size(v) == (int64_t)tensor_size(t);
}

bool view_channels_at(const struct view *v, const struct tensor *t, int axis)
{
	if (axis < 0 || axis >= v->rank || !view_whole(v, t) || v->dims[axis] != t->c || (t->c > 1 && v->strides[axis] != 1))
		return false;
	for (int d = 0; d < v->rank; d++)
		if (d != axis && v->strides[d] % t->c)
			return false;
	return true;
}

bool view_alike(const struct view *a, const struct view *b)
{
	bool alike = a->rank == b->rank && a->offset == b->offset;
	for (int d = 0; alike && d < a->rank; d++)
		alike = a->dims[d] == b->dims[d] && a->strides[d] == b->strides[d];
	return alike;
}

struct view view_with_channels(const struct view *v, const struct tensor *from, int axis, const struct tensor *to, int number)
{
	struct view other = *v;
	other.tensor = number;
	for (int d = 0; d < v->rank; d++)
		other.strides[d] = v->strides[d] / from->c * to->c;
	other.dims[axis] = to->c;
	other.strides[axis] = to->c == 1 ? 0 : 1;
	return other;
}
