#include "config.h"

#include "core/net/plan_builder.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/kernel.h"

enum { MAX_SIDE = 1 << 16, MAX_CHANNELS = 1 << 24, MAX_SIZE = 1 << 28, MAX_OPS = 1 << 13 };

bool build_size_allowed(int64_t c, int64_t h, int64_t w)
{
	return c >= 1 && h >= 1 && w >= 1 && c <= MAX_CHANNELS && h <= MAX_SIDE && w <= MAX_SIDE && (double)c * (double)h * (double)w <= MAX_SIZE;
}

int build_refuse(struct builder *b, const char *why, ...)
{
	char reason[300];
	va_list arguments;
	va_start(arguments, why);
	vsnprintf(reason, sizeof reason, why, arguments);
	va_end(arguments);
	return error_set(b->error, LSDN_ERROR_UNSUPPORTED, "%s: node '%.100s': %.40s: %s", b->graph->path, b->node->name, b->node->op_type, reason);
}

int build_memory(struct builder *b)
{
	return error_memory(b->error, "the network");
}

const struct view *build_view(const struct builder *b, size_t i)
{
	int v = i < b->node->input_count && *b->node->inputs[i] ? names_get(&b->values, b->node->inputs[i], -1) : -1;
	return v < 0 ? NULL : &b->views[v];
}

int build_tensor(const struct builder *b, size_t i)
{
	const struct view *v = build_view(b, i);
	return v ? v->tensor : -1;
}

const struct constant *build_constant(const struct builder *b, size_t i)
{
	return i < b->node->input_count && *b->node->inputs[i] ? constants_find(&b->constants, b->node->inputs[i]) : NULL;
}

const int64_t *build_ints(const struct builder *b, const char *name, size_t i, size_t *count)
{
	const struct attribute *attribute = node_attribute(b->node, name);
	const struct constant *constant = build_constant(b, i);
	bool ints = constant && constant->type == CONSTANT_INT;
	*count = attribute ? attribute->int_count : ints ? constant->count : 0;
	return attribute ? attribute->ints : ints ? constant->ints : NULL;
}

LSDN_KERNEL static bool all_finite(const float *values, size_t count)
{
	int other = 0;
	for (size_t k = 0; k < count; k++)
		other |= !(fabsf(values[k]) <= FLT_MAX);
	return !other;
}

int build_weights(struct builder *b, size_t i, const struct constant **weights)
{
	*weights = build_constant(b, i);
	if (!*weights)
		return build_refuse(b, "input %zu is not a constant: export the network for inference, with its weights inside", i);
	if ((*weights)->type != CONSTANT_FLOAT)
		return build_refuse(b, "'%s' is not float32: convert the model to float32", (*weights)->name);
	return LSDN_OK;
}

/* The constant's elements from `from` on, which are not all finite. */
static int refuse_numbers(struct builder *b, const struct constant *c, const float *numbers, size_t from)
{
	size_t k = 0;
	while (isfinite(numbers[k]))
		k++;
	return build_refuse(b, "'%s' holds NaN or infinity at element %zu: the weights are damaged, export or train again", c->name, from + k);
}

int build_numbers(struct builder *b, size_t i, const struct constant **numbers)
{
	int code = build_weights(b, i, numbers);
	if (code)
		return code;
	*numbers = constants_floats(&b->constants, *numbers);
	if (!*numbers)
		return build_memory(b);
	return all_finite((*numbers)->floats, (*numbers)->count) ? LSDN_OK : refuse_numbers(b, *numbers, (*numbers)->floats, 0);
}

/* Writes count numbers that lie one after the other, from element `from` of matrices on, where they belong. */
static void transpose_numbers(float *to, const float *numbers, size_t from, size_t count, size_t rows, size_t columns)
{
	size_t size = rows * columns, row = from % size / columns, column = from % columns;
	float *matrix = to + from / size * size;
	for (size_t k = 0; k < count; k++) {
		matrix[column * rows + row] = numbers[k];
		if (++column == columns) {
			column = 0;
			if (++row == rows) {
				row = 0;
				matrix += size;
			}
		}
	}
}

int build_matrices(struct builder *b, const struct constant *c, bool transposed, float alpha, const float **matrices)
{
	enum { PART = 1 << 14, READ = 1 << 22 };
	float part[PART], *copy = arena_take(&b->plan->arena, c->count, sizeof *copy);
	const uint8_t *bytes = c->raw ? c->raw : (const uint8_t *)c->floats;
	size_t rows = (size_t)c->dims[c->rank > 2], columns = 1, released = 0;
	if (!copy)
		return build_memory(b);
	for (int d = c->rank > 2 ? 2 : 1; d < c->rank; d++)
		columns *= (size_t)c->dims[d];
	for (size_t k = 0, count; k < c->count; k += count) {
		count = c->count - k < PART ? c->count - k : PART;
		memcpy(part, bytes + k * sizeof *part, count * sizeof *part);
		if (!all_finite(part, count))
			return refuse_numbers(b, c, part, k);
		for (size_t i = 0; alpha != 1 && i < count; i++)
			part[i] *= alpha;
		if (transposed && rows > 1 && columns > 1)
			transpose_numbers(copy, part, k, count, rows, columns);
		else
			memcpy(copy + k, part, count * sizeof *part);
		size_t read = (k + count) * sizeof *part;
		if (c->raw && b->graph->mapped && (read - released >= READ || k + count == c->count)) {
			file_release(bytes + released, read - released);
			released = read;
		}
	}
	*matrices = copy;
	return LSDN_OK;
}

/* Items grow in the arena, which keeps the outgrown copies until the plan goes: at most as much again. */
static void *room_for_one_more(struct arena *arena, void *items, int count, int *room, size_t size)
{
	if (count < *room)
		return items;
	int larger = *room ? 2 * *room : 64;
	void *copy = arena_alloc(arena, (size_t)larger, size);
	if (copy && count)
		memcpy(copy, items, (size_t)count * size);
	if (copy)
		*room = larger;
	return copy;
}

static int put_view(struct builder *b, const char *name, const struct view *v)
{
	struct view value = *v; /* it may lie among those that move */
	struct view *views = room_for_one_more(&b->plan->arena, b->views, b->view_count, &b->view_room, sizeof *views);
	if (!views)
		return build_memory(b);
	b->views = views;
	views[b->view_count] = value;
	return names_put(&b->values, name, b->view_count++) ? LSDN_OK : build_memory(b);
}

int build_output(struct builder *b, size_t k, const struct view *v)
{
	return put_view(b, b->node->outputs[k], v);
}

int build_add_tensor(struct builder *b, const struct tensor *t)
{
	struct tensor *tensors = room_for_one_more(&b->plan->arena, b->plan->tensors, b->plan->tensor_count, &b->tensor_room, sizeof *tensors);
	if (!tensors)
		return build_memory(b);
	b->plan->tensors = tensors;
	tensors[b->plan->tensor_count] = *t;
	struct view v = view_plain(t, b->plan->tensor_count++);
	return put_view(b, t->name, &v);
}

static int add_op(struct builder *b, struct op o, const struct tensor *t, struct op **op)
{
	if (!build_size_allowed(t->c, t->h, t->w))
		return build_refuse(b, "its output would be %d x %d x %d: use a larger (or smaller) input", t->c, t->h, t->w);
	if (b->plan->op_count == MAX_OPS)
		return build_refuse(b, "is the network's %dth operator, more than can be walked: cut the network", MAX_OPS + 1);
	struct op *ops = room_for_one_more(&b->plan->arena, b->plan->ops, b->plan->op_count, &b->op_room, sizeof *ops);
	if (!ops)
		return build_memory(b);
	b->plan->ops = ops;
	*op = &ops[b->plan->op_count];
	o.groups = 1;
	o.output = b->plan->tensor_count;
	**op = o;
	struct tensor made = *t;
	made.maker = b->plan->op_count++;
	return build_add_tensor(b, &made);
}

int build_op(struct builder *b, enum op_kind kind, int c, int h, int w, int rank, struct op **op)
{
	struct op o = {.kind = kind, .name = b->node->name, .op_type = b->node->op_type};
	int input = build_tensor(b, 0);
	if (input >= 0)
		o.inputs[o.input_count++] = input;
	return add_op(b, o, &(struct tensor){.name = b->node->outputs[0], .c = c, .h = h, .w = w, .rank = rank}, op);
}

int build_like(struct builder *b, enum op_kind kind, size_t i, struct op **op)
{
	struct view v = *build_view(b, i);
	const struct tensor in = b->plan->tensors[v.tensor];
	int code = build_op(b, kind, in.c, in.h, in.w, in.rank, op);
	if (code)
		return code;
	(*op)->inputs[0] = v.tensor;
	(*op)->input_count = 1;
	v.tensor = (*op)->output;
	return build_output(b, 0, &v);
}

/* The tensor of v's elements at picks, in dimensions of their own: what it is called in the file is the view's name. */
static int add_reindex(struct builder *b, const struct view *v, const struct pick picks[4], float fill, const struct node *node, const char *name)
{
	static const struct pick ALL = {1, NULL};
	const struct pick *p[4];
	int64_t strides[4] = {0};
	for (int d = 0; d < 4; d++) {
		p[d] = d < v->rank ? &picks[d] : &ALL;
		strides[d] = d < v->rank ? v->strides[d] : 0;
	}
	if (v->rank < 2 || v->rank > 4 || p[0]->count != 1 || p[0]->source)
		return build_refuse(b, "needs '%.80s' as a map or vector of each image, and it has %d dimensions and %lld rows: cut the network before that", name,
			v->rank, (long long)v->dims[0]);
	if (!build_size_allowed(p[1]->count, p[2]->count, p[3]->count))
		return build_refuse(b, "'%.80s' would be %lld x %lld x %lld: use a larger (or smaller) input", name, (long long)p[1]->count,
			(long long)p[2]->count, (long long)p[3]->count);
	struct tensor t = {.name = name, .c = (int)p[1]->count, .h = (int)p[2]->count, .w = (int)p[3]->count, .rank = v->rank};
	uint32_t *from = arena_alloc(&b->plan->arena, tensor_size(&t), sizeof *from), *at = from;
	if (!from)
		return build_memory(b);
	bool same = tensor_size(&t) == tensor_size(&b->plan->tensors[v->tensor]);
	for (int64_t y = 0; y < t.h; y++)
		for (int64_t x = 0; x < t.w; x++)
			for (int64_t c = 0; c < t.c; c++) {
				int64_t sc = p[1]->source ? p[1]->source[c] : c, sy = p[2]->source ? p[2]->source[y] : y, sx = p[3]->source ? p[3]->source[x] : x;
				bool inside = sc >= 0 && sy >= 0 && sx >= 0;
				*at = inside ? (uint32_t)(v->offset + sc * strides[1] + sy * strides[2] + sx * strides[3]) : OP_FILL;
				same = same && *at == (uint32_t)(at - from);
				at++;
			}
	struct op *op, o = {.kind = OP_REINDEX, .name = node->name, .op_type = node->op_type, .inputs = {v->tensor}, .input_count = 1, .fill = fill,
		.from = same ? NULL : from};
	return add_op(b, o, &t, &op);
}

int build_picked(struct builder *b, size_t i, const struct pick picks[4], float fill)
{
	return add_reindex(b, build_view(b, i), picks, fill, b->node, b->node->outputs[0]);
}

int build_reordered(struct builder *b, const struct view *v, const int64_t *dims, int rank)
{
	struct tensor t = {.name = b->node->outputs[0], .c = (int)dims[1], .h = rank > 2 ? (int)dims[2] : 1, .w = rank > 3 ? (int)dims[3] : 1, .rank = rank};
	uint32_t *from = arena_alloc(&b->plan->arena, (size_t)view_size(v), sizeof *from);
	if (!from)
		return build_memory(b);
	int64_t index[ONNX_MAX_RANK] = {0}, at = v->offset;
	for (int64_t c = 0; c < t.c; c++)
		for (int64_t pixel = 0; pixel < (int64_t)t.h * t.w; pixel++) {
			from[pixel * t.c + c] = (uint32_t)at;
			for (int d = v->rank; d-- > 0;) {
				at += v->strides[d];
				if (++index[d] < v->dims[d])
					break;
				at -= v->dims[d] * v->strides[d];
				index[d] = 0;
			}
		}
	struct op *op, o = {.kind = OP_REINDEX, .name = b->node->name, .op_type = b->node->op_type, .inputs = {v->tensor}, .input_count = 1, .from = from};
	return add_op(b, o, &t, &op);
}

/* Places of a side with zeros around it. */
static bool pick_padded(struct builder *b, int64_t before, int64_t count, int64_t after, struct pick *pick)
{
	if (before + after == 0) {
		*pick = (struct pick){count, NULL};
		return true;
	}
	int64_t *source = arena_alloc(&b->plan->arena, (size_t)(before + count + after), sizeof *source);
	for (int64_t k = 0; source && k < before + count + after; k++)
		source[k] = k < before || k >= before + count ? -1 : k - before;
	*pick = (struct pick){before + count + after, source};
	return source != NULL;
}

static bool has_zeros(const struct view *v)
{
	return v->top || v->left || v->bottom || v->right;
}

static int make_plain(struct builder *b, size_t i)
{
	struct view v = *build_view(b, i);
	struct pick picks[4] = {{v.dims[0], NULL}, {v.dims[1], NULL}};
	if (v.rank > 2 && !pick_padded(b, v.top, v.dims[2], v.bottom, &picks[2]))
		return build_memory(b);
	if (v.rank > 3 && !pick_padded(b, v.left, v.dims[3], v.right, &picks[3]))
		return build_memory(b);
	return add_reindex(b, &v, picks, 0, v.made_by ? v.made_by : b->node, b->node->inputs[i]);
}

static bool is_plain(const struct builder *b, const struct view *v)
{
	struct view plain = view_plain(&b->plan->tensors[v->tensor], v->tensor);
	return view_alike(v, &plain);
}

int build_plain(struct builder *b, size_t i)
{
	const struct view *v = build_view(b, i);
	return is_plain(b, v) && !has_zeros(v) ? LSDN_OK : make_plain(b, i);
}

int build_padded(struct builder *b, size_t i)
{
	return is_plain(b, build_view(b, i)) ? LSDN_OK : make_plain(b, i);
}

int build_whole(struct builder *b, size_t i)
{
	const struct view *v = build_view(b, i);
	return view_whole(v, &b->plan->tensors[v->tensor]) && !has_zeros(v) ? LSDN_OK : make_plain(b, i);
}

int build_seen(struct builder *b, size_t i)
{
	return has_zeros(build_view(b, i)) ? make_plain(b, i) : LSDN_OK;
}

struct op *build_fusable(const struct builder *b, size_t i)
{
	int t = build_tensor(b, i);
	const struct tensor *tensor = t < 0 ? NULL : &b->plan->tensors[t];
	if (!tensor || tensor->maker < 0 || strcmp(tensor->name, b->node->inputs[i]) != 0 || names_get(&b->readers, tensor->name, 0) != 1)
		return NULL;
	struct op *op = &b->plan->ops[tensor->maker];
	bool scales = op->kind == OP_CONV || op->kind == OP_GEMM || op->kind == OP_SCALE || op->kind == OP_LAYER_NORM;
	return scales && op->activation.kind == ACTIVATION_NONE ? op : NULL;
}

int build_fused(struct builder *b, struct op *op, size_t i)
{
	b->plan->tensors[op->output].name = b->node->outputs[0];
	return build_output(b, 0, build_view(b, i));
}

float *build_floats(struct builder *b, const float *from, size_t count)
{
	float *copy = arena_alloc(&b->plan->arena, count, sizeof *copy);
	if (copy && from)
		memcpy(copy, from, count * sizeof *copy);
	return copy;
}

const float *build_channels(struct builder *b, const struct constant *constant, const struct view *v)
{
	/* Broadcasting aligns the constant's dimensions with the view's from the right; where it has more than one number, the view must move within the
	 * channels alone. */
	const struct tensor *t = &b->plan->tensors[v->tensor];
	int64_t steps[ONNX_MAX_RANK] = {0}, step = 1;
	if (constant->type != CONSTANT_FLOAT)
		return NULL;
	for (int from_right = 1; from_right <= constant->rank; from_right++) {
		int64_t dim = constant->dims[constant->rank - from_right];
		int d = v->rank - from_right;
		if (dim != 1 && (d < 0 || dim != v->dims[d] || v->strides[d] >= t->c))
			return NULL;
		if (dim != 1)
			steps[d] = step;
		step *= dim;
	}
	float *spread = build_floats(b, NULL, (size_t)t->c);
	for (int c = 0; spread && c < t->c; c++) {
		int64_t at = 0;
		for (int d = 0; d < v->rank; d++)
			if (steps[d])
				at += c / v->strides[d] % v->dims[d] * steps[d];
		spread[c] = constant->floats[at];
	}
	return spread;
}

/* scale and shift of an op that has its own: one after the other. */
static int chain_scale(struct builder *b, struct op *op, const float *scale, const float *shift, size_t channels)
{
	float *both = build_floats(b, op->scale, channels), *moved = build_floats(b, op->shift, channels);
	if (!both || !moved)
		return build_memory(b);
	for (size_t c = 0; c < channels; c++) {
		both[c] *= scale[c];
		moved[c] = (float)((double)moved[c] * scale[c] + shift[c]);
	}
	op->scale = both;
	op->shift = moved;
	return LSDN_OK;
}

int build_fold_scale(struct builder *b, struct op *op, const float *scale, const float *shift)
{
	size_t outputs = (size_t)b->plan->tensors[op->output].c;
	if (op->kind == OP_SCALE || op->kind == OP_LAYER_NORM)
		return chain_scale(b, op, scale, shift, outputs);
	const struct tensor *in = &b->plan->tensors[op->inputs[0]];
	size_t each = op->kind == OP_GEMM ? (size_t)in->c
		: (size_t)op->window.height * (size_t)op->window.width * (size_t)(in->c / op->groups);
	float *weights = (float *)(uintptr_t)op->weights, *bias = build_floats(b, op->bias, outputs);
	if (!bias)
		return build_memory(b);
	bool finite = true;
	for (size_t o = 0; o < outputs; o++) {
		for (size_t k = 0; k < each; k++) {
			weights[o * each + k] *= scale[o];
			finite = finite && isfinite(weights[o * each + k]);
		}
		bias[o] = (float)((double)bias[o] * scale[o] + shift[o]);
		finite = finite && isfinite(bias[o]);
	}
	if (!finite)
		return build_refuse(b, "scales the weights of '%s' past single precision: the weights are damaged, export or train again", op->name);
	op->bias = bias;
	return LSDN_OK;
}
