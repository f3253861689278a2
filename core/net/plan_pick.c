/* Makers of the operators that take some of a tensor's elements, or put constants around them. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/net/plan_builder.h"

enum { MAX_PAD = 4096 };

/* Elements from, from + step, ... of a dimension, as a view. */
static void take_run(struct view *v, int axis, int64_t from, int64_t count, int64_t step)
{
	v->offset += from * v->strides[axis];
	v->dims[axis] = count;
	v->strides[axis] = count == 1 ? 0 : v->strides[axis] * step;
	v->made_by = NULL;
}

static int bad_axis(struct builder *b, int64_t axis, const struct view *v)
{
	return build_refuse(b, "along axis %lld of %d: only dimensions within an image are supported", (long long)axis, v->rank);
}

/* One dimension's run of a Slice. */
static int slice_axis(struct builder *b, struct view *v, int64_t axis, int64_t start, int64_t end, int64_t step)
{
	int d = view_axis(v, axis);
	if (d < 0)
		return bad_axis(b, axis, v);
	/* Of the batch all must be taken, however many they are. */
	if (d == 0 && (start != 0 || end < INT32_MAX || step != 1 || v->dims[0] != 1))
		return bad_axis(b, axis, v);
	int64_t side = v->dims[d], most = step < 0 ? side - 1 : side, least = step < 0 ? -1 : 0;
	if (step == 0 || step > side + MAX_PAD || step < -side - MAX_PAD)
		return build_refuse(b, "a step of %lld: the file is damaged", (long long)step);
	start = start < 0 ? (start < -side ? least : start + side) : start;
	end = end < 0 ? (end < -side ? least : end + side) : end;
	start = start < 0 && step > 0 ? 0 : start > most ? most : start;
	end = end > most ? most : end;
	int64_t count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
	if ((step > 0 && end <= start) || (step < 0 && end >= start) || count < 1)
		return build_refuse(b, "leaves nothing of axis %lld: the file is damaged", (long long)axis);
	take_run(v, d, start, count, step);
	return LSDN_OK;
}

/* starts, ends, axes and steps are inputs since opset 10, attributes before. */
int build_slice(struct builder *b)
{
	static const char *const NAMES[] = {"starts", "ends", "axes", "steps"};
	const int64_t *lists[4];
	size_t counts[4];
	struct view v = *build_view(b, 0);
	for (size_t k = 0; k < 4; k++) {
		lists[k] = build_ints(b, NAMES[k], k + 1, &counts[k]);
		bool given = lists[k] || (k + 1 < b->node->input_count && *b->node->inputs[k + 1]);
		if ((given || k < 2) && (!lists[k] || counts[k] != counts[0] || counts[0] > ONNX_MAX_RANK))
			return build_refuse(b, "its %s are not constants, one a dimension: export with fixed sides", NAMES[k]);
	}
	for (size_t i = 0; i < counts[0]; i++) {
		int code = slice_axis(b, &v, lists[2] ? lists[2][i] : (int64_t)i, lists[0][i], lists[1][i], lists[3] ? lists[3][i] : 1);
		if (code)
			return code;
	}
	v.made_by = b->node;
	return build_output(b, 0, &v);
}

/* split is an input since opset 13, an attribute before; without it the parts are equal. */
int build_split(struct builder *b)
{
	const struct view v = *build_view(b, 0);
	size_t count;
	const int64_t *parts = build_ints(b, "split", 1, &count);
	int64_t axis = node_int(b->node, "axis", 0), from = 0;
	int d = view_axis(&v, axis);
	if (d < 1)
		return bad_axis(b, axis, &v);
	if (!parts)
		count = b->node->output_count;
	if (count != b->node->output_count || (!parts && (v.dims[d] % (int64_t)count || b->node->input_count > 1)))
		return build_refuse(b, "%lld into %zu parts: the file is damaged, or its sides are not fixed", (long long)v.dims[d], count);
	for (size_t k = 0; k < count; k++) {
		int64_t part = parts ? parts[k] : v.dims[d] / (int64_t)count;
		if (part < 1 || part > v.dims[d] - from)
			return build_refuse(b, "a part of %lld from %lld on of %lld: the file is damaged", (long long)part, (long long)from, (long long)v.dims[d]);
		struct view taken = v;
		take_run(&taken, d, from, part, 1);
		taken.made_by = b->node;
		int code = *b->node->outputs[k] ? build_output(b, k, &taken) : LSDN_OK;
		if (code)
			return code;
		from += part;
	}
	return from == v.dims[d] ? LSDN_OK : build_refuse(b, "its parts are not the whole: the file is damaged");
}

/* One index takes the dimension away, a list of them takes its elements in that order. */
int build_gather(struct builder *b)
{
	struct view v = *build_view(b, 0);
	const struct constant *index = build_constant(b, 1);
	int64_t axis = node_int(b->node, "axis", 0), side;
	int d = view_axis(&v, axis);
	if (!index || index->type != CONSTANT_INT || index->rank > 1 || index->count < 1)
		return build_refuse(b, "its indices are not a constant or a list of them: export with fixed ones");
	if (d < 1)
		return bad_axis(b, axis, &v);
	side = v.dims[d];
	int64_t *source = arena_alloc(&b->plan->arena, index->count, sizeof *source);
	if (!source)
		return build_memory(b);
	for (size_t k = 0; k < index->count; k++) {
		source[k] = index->ints[k] < 0 ? index->ints[k] + side : index->ints[k];
		if (source[k] < 0 || source[k] >= side)
			return build_refuse(b, "index %lld of %lld: the file is damaged", (long long)index->ints[k], (long long)side);
	}
	if (index->rank == 0) {
		take_run(&v, d, source[0], 1, 1);
		memmove(v.dims + d, v.dims + d + 1, (size_t)(v.rank - d - 1) * sizeof *v.dims);
		memmove(v.strides + d, v.strides + d + 1, (size_t)(--v.rank - d) * sizeof *v.strides);
		v.made_by = b->node;
		return build_output(b, 0, &v);
	}
	struct pick picks[4];
	for (int k = 0; k < v.rank && k < 4; k++)
		picks[k] = k == d ? (struct pick){(int64_t)index->count, source} : (struct pick){v.dims[k], NULL};
	return build_picked(b, 0, picks, 0);
}

enum pad_mode { PAD_CONSTANT, PAD_EDGE, PAD_REFLECT };

/* Where the element at k of a padded side comes from. */
static int64_t padded_source(enum pad_mode mode, int64_t k, int64_t side)
{
	if (k >= 0 && k < side)
		return k;
	if (mode == PAD_CONSTANT)
		return -1;
	if (mode == PAD_EDGE)
		return k < 0 ? 0 : side - 1;
	return k < 0 ? -k : 2 * (side - 1) - k;
}

static int pad_axis(struct builder *b, enum pad_mode mode, int64_t before, int64_t side, int64_t after, struct pick *pick)
{
	int64_t most = mode == PAD_REFLECT ? side - 1 : MAX_PAD;
	*pick = (struct pick){side, NULL};
	if (before == 0 && after == 0)
		return LSDN_OK;
	if (before < 0 || after < 0 || before > most || after > most)
		return build_refuse(b, "pads of %lld and %lld to a side of %lld: they must be from 0 to %lld", (long long)before, (long long)after, (long long)side,
			(long long)most);
	int64_t *source = arena_alloc(&b->plan->arena, (size_t)(before + side + after), sizeof *source);
	if (!source)
		return build_memory(b);
	for (int64_t k = 0; k < before + side + after; k++)
		source[k] = padded_source(mode, k - before, side);
	*pick = (struct pick){before + side + after, source};
	return LSDN_OK;
}

static int read_mode(struct builder *b, enum pad_mode *mode)
{
	static const char *const MODES[] = {"constant", "edge", "reflect"};
	const struct attribute *attribute = node_attribute(b->node, "mode");
	for (*mode = PAD_CONSTANT; *mode <= PAD_REFLECT; (*mode)++)
		if (strcmp(attribute && attribute->s ? attribute->s : "constant", MODES[*mode]) == 0)
			return LSDN_OK;
	return build_refuse(b, "mode '%.40s' is not supported: constant, edge and reflect are", attribute->s);
}

static int read_fill(struct builder *b, float *fill)
{
	const struct constant *value = build_constant(b, 2);
	*fill = node_float(b->node, "value", 0);
	if (b->node->input_count > 2 && *b->node->inputs[2]) {
		if (!value || value->type != CONSTANT_FLOAT || value->count != 1)
			return build_refuse(b, "its value is not one constant number");
		*fill = value->floats[0];
	}
	return isnan(*fill) ? build_refuse(b, "its value is NaN: the file is damaged") : LSDN_OK;
}

/* Zeros around a map are kept for a Conv or pool to count in; anything else makes a tensor. pads are an input since opset 11, an attribute before. */
int build_pad(struct builder *b)
{
	struct view v = *build_view(b, 0);
	size_t count;
	const int64_t *pads = build_ints(b, "pads", 1, &count);
	enum pad_mode mode;
	float fill;
	if (!pads || count != 2 * (size_t)v.rank || b->node->input_count > 3)
		return build_refuse(b, "its pads are not constants, two a dimension: export with fixed sides");
	int code = read_mode(b, &mode);
	if (!code)
		code = read_fill(b, &fill);
	struct pick picks[4] = {{0, NULL}};
	bool any = false;
	for (int d = 0; d < v.rank && d < 4 && !code; d++) {
		code = pad_axis(b, mode, pads[d], v.dims[d], pads[v.rank + d], &picks[d]);
		any = any || picks[d].source;
	}
	if (code)
		return code;
	struct view plain = view_plain(&b->plan->tensors[v.tensor], v.tensor);
	bool kept = mode == PAD_CONSTANT && fill == 0 && v.rank == 4 && !picks[1].source && view_alike(&v, &plain);
	if (any && (!kept || picks[0].source))
		return build_picked(b, 0, picks, fill);
	if (any) {
		v.made_by = b->node;
		v.top = pads[2];
		v.left = pads[3];
		v.bottom = pads[6];
		v.right = pads[7];
	}
	return build_output(b, 0, &v);
}
