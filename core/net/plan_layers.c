/* Makers of the operators that move positions: Conv, Gemm, pools, Concat. */
#include "config.h"

#include <limits.h>
#include <string.h>

#include "core/net/plan_builder.h"

enum { MAX_KERNEL = 1024, MAX_PAD = 4096 };

/* Reads a pair of whole numbers (y, x) of an attribute. */
static int read_pair(struct builder *b, const char *name, int64_t otherwise, int most, int *y, int *x)
{
	const struct attribute *a = node_attribute(b->node, name);
	int64_t vy = otherwise, vx = otherwise;
	if (a) {
		if (a->int_count != 2)
			return build_refuse(b, "%s has %zu numbers: only 2-D kernels are supported", name, a->int_count);
		vy = a->ints[0];
		vx = a->ints[1];
	}
	if (vy < 1 || vx < 1 || vy > most || vx > most)
		return build_refuse(b, "%s is %lld x %lld: it must be from 1 to %d", name, (long long)vy, (long long)vx, most);
	*y = (int)vy;
	*x = (int)vx;
	return LSDN_OK;
}

/* Output side of a kernel that reaches over `reach` pixels of a side with padding; ceil keeps a last window that hangs over, unless it starts in the
 * padding below or to the right (Caffe's and PyTorch's rule). `over` is how far, and is added to `end`. */
static int output_side(int side, int reach, int stride, int begin, int *end, bool ceil, int *over)
{
	int room = side + begin + *end - reach;
	if (room < 0)
		return 0;
	int out = (room + (ceil ? stride - 1 : 0)) / stride + 1;
	if (ceil && (out - 1) * stride >= side + begin)
		out--;
	int needed = (out - 1) * stride + reach - side - begin;
	*over = needed > *end ? needed - *end : 0;
	*end += *over;
	return out;
}

/* Padding that keeps ceil(side / stride) pixels; SAME_UPPER puts the odd one at the end. */
static void pad_same(int side, int reach, int stride, bool upper, int *begin, int *end)
{
	int out = (side + stride - 1) / stride;
	int total = (out - 1) * stride + reach - side;
	total = total < 0 ? 0 : total;
	*begin = upper ? total / 2 : total - total / 2;
	*end = total - *begin;
}

/* Fills the window of a Conv or pool over input 0, with the zeros around it, and the output's size; kernel is given (Conv's weights may be all that
 * says it). */
static int read_window(struct builder *b, bool ceil, struct window *w, int *out_h, int *out_w)
{
	const struct view *seen = build_view(b, 0);
	struct tensor t = b->plan->tensors[seen->tensor];
	t.h += (int)(seen->top + seen->bottom);
	t.w += (int)(seen->left + seen->right);
	int code = read_pair(b, "strides", 1, MAX_KERNEL, &w->stride_y, &w->stride_x);
	if (!code)
		code = read_pair(b, "dilations", 1, MAX_KERNEL, &w->dilation_y, &w->dilation_x);
	if (code)
		return code;
	int reach_y = (w->height - 1) * w->dilation_y + 1, reach_x = (w->width - 1) * w->dilation_x + 1;
	const struct attribute *pads = node_attribute(b->node, "pads"), *automatic = node_attribute(b->node, "auto_pad");
	const char *rule = automatic && automatic->s ? automatic->s : "NOTSET";
	if (strcmp(rule, "SAME_UPPER") == 0 || strcmp(rule, "SAME_LOWER") == 0) {
		pad_same(t.h, reach_y, w->stride_y, strcmp(rule, "SAME_UPPER") == 0, &w->top, &w->bottom);
		pad_same(t.w, reach_x, w->stride_x, strcmp(rule, "SAME_UPPER") == 0, &w->left, &w->right);
	} else if (pads && strcmp(rule, "VALID") != 0) {
		if (pads->int_count != 4)
			return build_refuse(b, "pads has %zu numbers: only 2-D kernels are supported", pads->int_count);
		for (int i = 0; i < 4; i++)
			if (pads->ints[i] < 0 || pads->ints[i] > MAX_PAD)
				return build_refuse(b, "a pad of %lld: it must be from 0 to %d", (long long)pads->ints[i], MAX_PAD);
		w->top = (int)pads->ints[0];
		w->left = (int)pads->ints[1];
		w->bottom = (int)pads->ints[2];
		w->right = (int)pads->ints[3];
	}
	*out_h = output_side(t.h, reach_y, w->stride_y, w->top, &w->bottom, ceil, &w->over_bottom);
	*out_w = output_side(t.w, reach_x, w->stride_x, w->left, &w->right, ceil, &w->over_right);
	if (*out_h < 1 || *out_w < 1)
		return build_refuse(b, "its kernel of %d x %d is larger than its input of %d x %d: use a larger input", w->height, w->width, t.h, t.w);
	w->top += (int)seen->top;
	w->left += (int)seen->left;
	w->bottom += (int)seen->bottom;
	w->right += (int)seen->right;
	return LSDN_OK;
}

static int need_map(struct builder *b, const struct tensor *t)
{
	return t->rank == 4 ? LSDN_OK : build_refuse(b, "its input has %d dimensions, not N x C x H x W: export the network for images", t->rank);
}

int build_conv(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	const struct constant *weights, *bias = NULL;
	struct window window = {0};
	int out_h, out_w;
	int code = need_map(b, &in);
	if (!code)
		code = build_weights(b, 1, &weights);
	if (!code && b->node->input_count > 2 && *b->node->inputs[2])
		code = build_numbers(b, 2, &bias);
	if (code)
		return code;
	int64_t groups = node_int(b->node, "group", 1);
	if (weights->rank != 4)
		return build_refuse(b, "its weights have %d dimensions: only 2-D convolutions are supported", weights->rank);
	if (groups < 1 || groups > in.c || in.c % groups || weights->dims[0] < 1 || weights->dims[0] % groups || weights->dims[1] != in.c / groups)
		return build_refuse(b, "weights %lld x %lld in %lld groups do not fit %d channels: the file is damaged", (long long)weights->dims[0],
			(long long)weights->dims[1], (long long)groups, in.c);
	if (weights->dims[2] < 1 || weights->dims[3] < 1 || weights->dims[2] > MAX_KERNEL || weights->dims[3] > MAX_KERNEL)
		return build_refuse(b, "a kernel of %lld x %lld: it must be from 1 to %d", (long long)weights->dims[2], (long long)weights->dims[3], MAX_KERNEL);
	if (bias && bias->count != (size_t)weights->dims[0])
		return build_refuse(b, "%zu biases for %lld outputs: the file is damaged", bias->count, (long long)weights->dims[0]);
	window.height = (int)weights->dims[2];
	window.width = (int)weights->dims[3];
	int kernel_h = window.height, kernel_w = window.width;
	if (node_attribute(b->node, "kernel_shape"))
		code = read_pair(b, "kernel_shape", 1, MAX_KERNEL, &kernel_h, &kernel_w);
	if (!code && (kernel_h != window.height || kernel_w != window.width))
		code = build_refuse(b, "kernel_shape differs from the weights': the file is damaged");
	if (!code)
		code = read_window(b, false, &window, &out_h, &out_w);
	struct op *op;
	if (!code)
		code = build_op(b, OP_CONV, (int)weights->dims[0], out_h, out_w, 4, &op);
	if (code)
		return code;
	op->window = window;
	op->groups = (int)groups;
	op->bias = bias ? bias->floats : NULL;
	return build_matrices(b, weights, true, 1, &op->weights);
}

/* Zeros of a Pad before an average count as padding that is counted, where the average has no other kind, and less than a kernel of it. */
static int count_zeros(struct builder *b, const struct window *kernel, bool *counted)
{
	const struct view *seen = build_view(b, 0);
	const struct attribute *pads = node_attribute(b->node, "pads"), *automatic = node_attribute(b->node, "auto_pad");
	bool zeros = seen->top || seen->left || seen->bottom || seen->right, own = automatic && automatic->s && strncmp(automatic->s, "SAME", 4) == 0;
	for (size_t i = 0; pads && i < pads->int_count; i++)
		own = own || pads->ints[i] != 0;
	bool fit = seen->top < kernel->height && seen->bottom < kernel->height && seen->left < kernel->width && seen->right < kernel->width;
	if (!zeros || (fit && !own)) {
		*counted = *counted || zeros;
		return LSDN_OK;
	}
	return build_plain(b, 0);
}

int build_pool(struct builder *b)
{
	const struct tensor in = b->plan->tensors[build_tensor(b, 0)];
	struct window window = {0};
	int out_h, out_w;
	bool counted = node_int(b->node, "count_include_pad", 0) != 0;
	bool ceil = node_int(b->node, "ceil_mode", 0) != 0;
	if (!node_attribute(b->node, "kernel_shape"))
		return build_refuse(b, "kernel_shape is missing: the file is damaged");
	int code = need_map(b, &in);
	if (!code)
		code = read_pair(b, "kernel_shape", 1, MAX_KERNEL, &window.height, &window.width);
	if (!code)
		code = count_zeros(b, &window, &counted);
	if (!code)
		code = read_window(b, ceil, &window, &out_h, &out_w);
	if (!code && (window.top >= (window.height - 1) * window.dilation_y + 1 || window.left >= (window.width - 1) * window.dilation_x + 1))
		code = build_refuse(b, "padded by a whole kernel or more: lessen the pads");
	struct op *op;
	if (!code)
		code = build_op(b, strcmp(b->node->op_type, "MaxPool") == 0 ? OP_MAX_POOL : OP_AVERAGE_POOL, in.c, out_h, out_w, 4, &op);
	if (code)
		return code;
	op->window = window;
	op->count_include_pad = counted;
	return LSDN_OK;
}

int build_global_pool(struct builder *b)
{
	const struct tensor *in = &b->plan->tensors[build_tensor(b, 0)];
	int code = need_map(b, in);
	struct op *op;
	bool max = strcmp(b->node->op_type, "GlobalMaxPool") == 0;
	return code ? code : build_op(b, max ? OP_GLOBAL_MAX_POOL : OP_GLOBAL_AVERAGE_POOL, in->c, 1, 1, 4, &op);
}

/* The mean over both sides of a map, wherever they stand, is GlobalAveragePool. */
int build_reduce_mean(struct builder *b)
{
	struct view v = *build_view(b, 0);
	const struct tensor in = b->plan->tensors[v.tensor];
	const struct attribute *axes = node_attribute(b->node, "axes");
	bool reduced[ONNX_MAX_RANK] = {false}, both = axes != NULL, keep = node_int(b->node, "keepdims", 1) != 0;
	for (size_t i = 0; both && i < axes->int_count; i++) {
		int d = view_axis(&v, axes->ints[i]);
		both = d > 0 && !reduced[d];
		reduced[d > 0 ? d : 0] = true;
	}
	for (int d = 0; d < v.rank; d++)
		both = both && (v.dims[d] == 1 || reduced[d] == (v.strides[d] >= in.c));
	if (!both)
		return build_refuse(b, "supported over both sides of the map only: axes 2 and 3");
	int rank = 0;
	for (int d = 0; d < v.rank; d++) {
		if (reduced[d] && !keep)
			continue;
		v.dims[rank] = reduced[d] ? 1 : v.dims[d];
		v.strides[rank++] = reduced[d] ? 0 : v.strides[d];
	}
	v.rank = rank;
	struct op *op;
	int code = build_op(b, OP_GLOBAL_AVERAGE_POOL, in.c, 1, 1, rank == 2 ? 2 : 4, &op);
	if (code)
		return code;
	v.tensor = op->output;
	return build_output(b, 0, &v);
}

/* Gemm and MatMul: of one vector an image, or at every place over the channels, which is a Conv of 1 x 1. */
static int add_gemm(struct builder *b, const struct constant *weights, bool transposed, float alpha, const float *bias)
{
	struct view v = *build_view(b, 0);
	if (weights->rank != 2)
		return build_refuse(b, "its weights have %d dimensions: only matrices are supported", weights->rank);
	int64_t outputs = weights->dims[transposed ? 0 : 1], inputs = weights->dims[transposed ? 1 : 0];
	bool vector = v.rank == 2 && v.dims[0] == 1;
	int code = vector ? build_plain(b, 0) : LSDN_OK;
	if (code)
		return code;
	v = *build_view(b, 0);
	const struct tensor in = b->plan->tensors[v.tensor];
	if (!vector && !view_channels_at(&v, &in, v.rank - 1))
		return build_refuse(b, "its input is neither a vector nor a map N x H x W x C: put a Flatten or Transpose before it");
	if (inputs != in.c || outputs < 1 || outputs > INT_MAX)
		return build_refuse(b, "weights %lld x %lld do not fit a vector of %d: the file is damaged", (long long)weights->dims[0],
			(long long)weights->dims[1], in.c);
	struct op *op;
	code = build_op(b, vector ? OP_GEMM : OP_CONV, (int)outputs, in.h, in.w, in.rank, &op);
	if (!code)
		code = build_matrices(b, weights, !transposed, alpha, &op->weights);
	if (code)
		return code;
	op->bias = bias;
	op->window = (struct window){.height = 1, .width = 1, .stride_y = 1, .stride_x = 1, .dilation_y = 1, .dilation_x = 1};
	v = view_with_channels(&v, &in, v.rank - 1, &b->plan->tensors[op->output], op->output);
	return build_output(b, 0, &v);
}

int build_gemm(struct builder *b)
{
	const struct constant *weights, *c = NULL;
	int code = build_weights(b, 1, &weights);
	if (!code && b->node->input_count > 2 && *b->node->inputs[2])
		code = build_numbers(b, 2, &c);
	if (code)
		return code;
	if (build_tensor(b, 0) < 0 || node_int(b->node, "transA", 0) != 0)
		return build_refuse(b, "supported only as vector times constant matrix: transA must be 0");
	bool transposed = node_int(b->node, "transB", 0) != 0;
	float *bias = NULL, beta = node_float(b->node, "beta", 1);
	if (c && weights->rank == 2) {
		size_t outputs = (size_t)weights->dims[transposed ? 0 : 1];
		if (c->count != 1 && (c->count != outputs || c->dims[c->rank - 1] != (int64_t)outputs))
			return build_refuse(b, "its bias is neither one number nor one an output");
		bias = build_floats(b, NULL, outputs);
		if (!bias)
			return build_memory(b);
		for (size_t o = 0; o < outputs; o++)
			bias[o] = beta * c->floats[c->count == 1 ? 0 : o];
	}
	return add_gemm(b, weights, transposed, node_float(b->node, "alpha", 1), bias);
}

int build_matmul(struct builder *b)
{
	const struct constant *weights;
	if (build_tensor(b, 0) >= 0 && build_tensor(b, 1) >= 0)
		return build_refuse(b, "multiplies two things that the network makes (attention): only convolutional networks are supported");
	int code = build_weights(b, 1, &weights);
	if (code)
		return code;
	if (build_tensor(b, 0) < 0)
		return build_refuse(b, "supported only as vector times constant matrix");
	return add_gemm(b, weights, false, 1, NULL);
}

int build_concat(struct builder *b)
{
	size_t count = b->node->input_count;
	int64_t channels = 0;
	if (count > OP_MAX_INPUTS)
		return build_refuse(b, "has %zu inputs: at most %d are supported", count, OP_MAX_INPUTS);
	const struct view *first = build_view(b, 0);
	int axis = first ? view_axis(first, node_int(b->node, "axis", 1)) : -1;
	for (size_t i = 0; i < count; i++) {
		const struct view *v = build_view(b, i);
		if (!v)
			return build_refuse(b, "input '%.100s' is not made by the network", b->node->inputs[i]);
		const struct tensor *t = &b->plan->tensors[v->tensor], *t0 = &b->plan->tensors[first->tensor];
		if (!view_channels_at(v, t, axis))
			return build_refuse(b, "along axis %lld: only channels (axis 1) are supported", (long long)node_int(b->node, "axis", 1));
		bool same = v->rank == first->rank && t->h == t0->h && t->w == t0->w;
		for (int d = 0; same && d < v->rank; d++)
			same = d == axis || (v->dims[d] == first->dims[d] && v->strides[d] / t->c == first->strides[d] / t0->c);
		if (!same)
			return build_refuse(b, "its inputs differ in size");
		channels += t->c;
	}
	struct view v = *first;
	const struct tensor in = b->plan->tensors[v.tensor];
	struct op *op;
	if (!build_size_allowed(channels, in.h, in.w))
		return build_refuse(b, "of %lld channels: use a smaller network", (long long)channels);
	int code = build_op(b, OP_CONCAT, (int)channels, in.h, in.w, in.rank, &op);
	if (code)
		return code;
	op->input_count = (int)count;
	for (size_t i = 0; i < count; i++)
		op->inputs[i] = build_tensor(b, i);
	v = view_with_channels(&v, &in, axis, &b->plan->tensors[op->output], op->output);
	return build_output(b, 0, &v);
}
