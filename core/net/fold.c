/* Folding exists for the chains by which exporters compute the target of a Reshape, and for weights that pass an Identity, Cast or Transpose. */
#include "config.h"

#include "core/net/fold_inside.h"

#include <stdlib.h>
#include <string.h>

int constants_open(struct constants *c, const struct onnx *graph, struct arena *arena, struct error *e)
{
	*c = (struct constants){.arena = arena};
	for (size_t i = 0; i < graph->constant_count; i++) {
		int code = constants_add(c, &graph->constants[i], e);
		if (code)
			return code;
	}
	return LSDN_OK;
}

const struct constant *constants_find(const struct constants *c, const char *name)
{
	int i = names_get(&c->names, name, -1);
	return i < 0 ? NULL : c->items[i];
}

const struct constant *constants_floats(const struct constants *c, const struct constant *constant)
{
	if (!constant->raw)
		return constant;
	struct constant *copy = arena_alloc(c->arena, 1, sizeof *copy);
	float *floats = arena_take(c->arena, constant->count, sizeof *floats);
	if (!copy || !floats)
		return NULL;
	memcpy(floats, constant->raw, constant->count * sizeof *floats);
	*copy = *constant;
	copy->floats = floats;
	copy->raw = NULL;
	return copy;
}

int constants_add(struct constants *c, const struct constant *constant, struct error *e)
{
	if (c->count == c->room) {
		int room = c->room ? 2 * c->room : 64;
		const struct constant **items = realloc(c->items, (size_t)room * sizeof(const struct constant *));
		if (!items)
			return error_memory(e, "constants");
		c->items = items;
		c->room = room;
	}
	c->items[c->count] = constant;
	return names_put(&c->names, constant->name, c->count++) ? LSDN_OK : error_memory(e, "constants");
}

int constants_add_ints(struct constants *c, const char *name, const int64_t *values, size_t count, struct error *e)
{
	struct constant *constant = arena_alloc(c->arena, 1, sizeof *constant);
	int64_t *ints = arena_alloc(c->arena, count, sizeof *ints);
	if (!constant || !ints)
		return error_memory(e, "constants");
	memcpy(ints, values, count * sizeof *ints);
	*constant = (struct constant){.name = name, .type = CONSTANT_INT, .onnx_type = 7, .rank = 1, .dims = {(int64_t)count}, .count = count,
		.ints = ints};
	return constants_add(c, constant, e);
}

void constants_close(struct constants *c)
{
	free(c->items);
	names_free(&c->names);
	*c = (struct constants){0};
}

int fold_refuse(const struct folding *f, const char *why)
{
	return error_set(f->error, LSDN_ERROR_UNSUPPORTED, "%s: node '%s': %s of constants %s: simplify the model (onnxsim) before it is loaded",
		f->path, f->node->name, f->node->op_type, why);
}

int fold_take(struct folding *f, enum constant_type type, const struct constant *like)
{
	struct constant *out = f->out;
	if (like) {
		out->rank = like->rank;
		out->count = like->count;
		memcpy(out->dims, like->dims, sizeof out->dims);
	}
	out->type = type;
	out->onnx_type = type == CONSTANT_FLOAT ? 1 : 7;
	void *data = arena_alloc(f->table->arena, out->count, type == CONSTANT_FLOAT ? sizeof(float) : sizeof(int64_t));
	if (!data)
		return error_memory(f->error, "constants");
	if (type == CONSTANT_FLOAT)
		out->floats = data;
	else
		out->ints = data;
	return LSDN_OK;
}

/* Copies element `from` of a to element `to` of the output, which is of a's type. */
static void copy_element(struct folding *f, size_t to, const struct constant *a, size_t from)
{
	if (a->type == CONSTANT_FLOAT)
		((float *)f->out->floats)[to] = a->floats[from];
	else
		((int64_t *)f->out->ints)[to] = a->ints[from];
}

/* The output is the input seen under another shape. */
static int same_elements(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	f->out->type = a->type;
	f->out->onnx_type = a->onnx_type;
	f->out->count = a->count;
	f->out->floats = a->floats;
	f->out->raw = a->raw;
	f->out->ints = a->ints;
	return LSDN_OK;
}

static int fold_identity(struct folding *f)
{
	f->out->rank = f->inputs[0]->rank;
	memcpy(f->out->dims, f->inputs[0]->dims, sizeof f->out->dims);
	return same_elements(f);
}

/* Squeeze and Unsqueeze; axes are an input since opset 13, an attribute before. A Squeeze without axes drops every 1. */
static int fold_rank(struct folding *f)
{
	const struct constant *a = f->inputs[0], *given = f->node->input_count > 1 ? f->inputs[1] : NULL;
	const struct attribute *attribute = node_attribute(f->node, "axes");
	const int64_t *axes = attribute ? attribute->ints : given && given->type == CONSTANT_INT ? given->ints : NULL;
	size_t count = attribute ? attribute->int_count : axes ? given->count : 0;
	bool squeeze = strcmp(f->node->op_type, "Squeeze") == 0, listed[ONNX_MAX_RANK] = {false};
	if (count > ONNX_MAX_RANK || (!count && !squeeze))
		return fold_refuse(f, "without axes");
	int rank = squeeze ? a->rank : a->rank + (int)count, from = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
		if (rank > ONNX_MAX_RANK || axis < 0 || axis >= rank || listed[axis] || (squeeze && a->dims[axis] != 1))
			return fold_refuse(f, "along an axis that does not fit");
		listed[axis] = true;
	}
	for (int d = 0; d < rank; d++) {
		if (squeeze && !(count ? listed[d] : a->dims[d] == 1))
			f->out->dims[f->out->rank++] = a->dims[d];
		else if (!squeeze)
			f->out->dims[f->out->rank++] = listed[d] ? 1 : a->dims[from++];
	}
	return same_elements(f);
}

static int fold_reshape(struct folding *f)
{
	const struct constant *shape = f->inputs[1];
	if (!shape || shape->type != CONSTANT_INT || shape->count > ONNX_MAX_RANK)
		return fold_refuse(f, "without a shape");
	int64_t count = (int64_t)f->inputs[0]->count, known = 1;
	int open = -1;
	f->out->rank = (int)shape->count;
	for (int d = 0; d < f->out->rank; d++) {
		int64_t dim = shape->ints[d] == 0 && d < f->inputs[0]->rank ? f->inputs[0]->dims[d] : shape->ints[d];
		if (dim == -1 && open < 0)
			open = d;
		else if (dim < 0 || (known *= dim <= count ? dim : count + 1) > count)
			return fold_refuse(f, "to another size");
		f->out->dims[d] = dim;
	}
	if (open >= 0) {
		f->out->dims[open] = known ? count / known : 0;
		known *= f->out->dims[open];
	}
	return known == count ? same_elements(f) : fold_refuse(f, "to another size");
}

static int fold_gather(struct folding *f)
{
	const struct constant *a = f->inputs[0], *index = f->inputs[1];
	if (!index || a->rank != 1 || index->type != CONSTANT_INT || node_int(f->node, "axis", 0) != 0)
		return fold_refuse(f, "other than from a 1-D constant");
	int code = fold_take(f, a->type, index);
	for (size_t i = 0; !code && i < index->count; i++) {
		int64_t at = index->ints[i] < 0 ? index->ints[i] + a->dims[0] : index->ints[i];
		if (at < 0 || at >= a->dims[0])
			return fold_refuse(f, "out of bounds");
		copy_element(f, i, a, (size_t)at);
	}
	return code;
}

static int fold_concat(struct folding *f)
{
	f->out->count = 0;
	for (size_t k = 0; k < f->node->input_count; k++) {
		if (!f->inputs[k] || f->inputs[k]->rank != 1 || f->inputs[k]->type != f->inputs[0]->type)
			return fold_refuse(f, "other than 1-D ones of one type");
		f->out->count += f->inputs[k]->count;
	}
	f->out->rank = 1;
	f->out->dims[0] = (int64_t)f->out->count;
	int code = fold_take(f, f->inputs[0]->type, NULL);
	for (size_t k = 0, at = 0; !code && k < f->node->input_count; k++)
		for (size_t i = 0; i < f->inputs[k]->count; i++)
			copy_element(f, at++, f->inputs[k], i);
	return code;
}

/* starts, ends and steps are inputs since opset 10, attributes before. */
static int fold_slice(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	int64_t bounds[3] = {0, 0, 1};
	static const char *const NAMES[] = {"starts", "ends"};
	static const int PLACES[] = {1, 2, 4};
	if (a->rank != 1)
		return fold_refuse(f, "of rank other than 1");
	for (size_t k = 0; k < 3; k++) {
		const struct constant *c = f->inputs[PLACES[k]];
		const struct attribute *attribute = k < 2 ? node_attribute(f->node, NAMES[k]) : NULL;
		if (c && c->type == CONSTANT_INT && c->count == 1)
			bounds[k] = c->ints[0];
		else if (attribute && attribute->int_count == 1)
			bounds[k] = attribute->ints[0];
		else if (k < 2)
			return fold_refuse(f, "without one start and one end");
	}
	int64_t size = a->dims[0], from = bounds[0] < 0 ? bounds[0] + size : bounds[0], to = bounds[1] < 0 ? bounds[1] + size : bounds[1];
	from = from < 0 ? 0 : from > size ? size : from;
	to = to < from ? from : to > size ? size : to;
	if (bounds[2] != 1)
		return fold_refuse(f, "with a step other than 1");
	f->out->rank = 1;
	f->out->dims[0] = to - from;
	f->out->count = (size_t)(to - from);
	int code = fold_take(f, a->type, NULL);
	for (size_t i = 0; !code && i < f->out->count; i++)
		copy_element(f, i, a, (size_t)from + i);
	return code;
}

/* Zeros (or the constant given) before and after a 1-D constant; pads are an input since opset 11, an attribute before. */
static int fold_pad(struct folding *f)
{
	const struct constant *a = f->inputs[0], *pads = f->inputs[1], *value = f->inputs[2];
	const struct attribute *attribute = node_attribute(f->node, "pads"), *mode = node_attribute(f->node, "mode");
	const int64_t *ends = pads && pads->type == CONSTANT_INT && pads->count == 2 ? pads->ints
		: attribute && attribute->int_count == 2 ? attribute->ints : NULL;
	if (a->rank != 1 || !ends || ends[0] < 0 || ends[1] < 0 || ends[0] > 64 || ends[1] > 64 || (mode && mode->s && strcmp(mode->s, "constant") != 0))
		return fold_refuse(f, "other than of a 1-D one by a few constants");
	if (value && (value->type != a->type || value->count != 1))
		return fold_refuse(f, "with a value of another type");
	f->out->rank = 1;
	f->out->count = a->count + (size_t)(ends[0] + ends[1]);
	f->out->dims[0] = (int64_t)f->out->count;
	int code = fold_take(f, a->type, NULL);
	for (size_t i = 0; !code && i < f->out->count; i++) {
		bool inside = i >= (size_t)ends[0] && i < (size_t)ends[0] + a->count;
		if (inside || value)
			copy_element(f, i, inside ? a : value, inside ? i - (size_t)ends[0] : 0);
	}
	return code;
}

static int fold_transpose(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	const struct attribute *perm = node_attribute(f->node, "perm");
	int64_t steps[ONNX_MAX_RANK], strides[ONNX_MAX_RANK], index[ONNX_MAX_RANK] = {0}, at = 0, step = 1;
	unsigned int seen = 0;
	int code = fold_take(f, a->type, a);
	for (int d = a->rank; d-- > 0; step *= a->dims[d])
		steps[d] = step;
	if (perm && perm->int_count != (size_t)a->rank)
		return fold_refuse(f, "by a perm of another rank");
	for (int d = 0; d < a->rank; d++) {
		int64_t from = perm ? perm->ints[d] : a->rank - 1 - d;
		if (from < 0 || from >= a->rank || seen >> from & 1)
			return fold_refuse(f, "by a perm that is none");
		seen |= 1u << from;
		f->out->dims[d] = a->dims[from];
		strides[d] = steps[from];
	}
	for (size_t i = 0; !code && i < a->count; i++) {
		copy_element(f, i, a, (size_t)at);
		for (int d = a->rank; d-- > 0;) {
			at += strides[d];
			if (++index[d] < f->out->dims[d])
				break;
			at -= f->out->dims[d] * strides[d];
			index[d] = 0;
		}
	}
	return code;
}

/* Shape of a constant. */
static int fold_shape(struct folding *f)
{
	const struct constant *a = f->inputs[0];
	if (f->node->attribute_count)
		return fold_refuse(f, "in part");
	f->out->rank = 1;
	f->out->dims[0] = a->rank;
	f->out->count = (size_t)a->rank;
	f->out->type = CONSTANT_INT;
	f->out->onnx_type = 7;
	f->out->ints = a->dims;
	return LSDN_OK;
}

static const struct {
	const char *op_type;
	int (*fold)(struct folding *);
	bool keeps; /* the elements as they are */
} FOLDS[] = {
	{"Identity", fold_identity, true}, {"Cast", fold_cast, false}, {"Gather", fold_gather, false}, {"Concat", fold_concat, false},
	{"Slice", fold_slice, false}, {"Pad", fold_pad, false}, {"Squeeze", fold_rank, true}, {"Unsqueeze", fold_rank, true},
	{"Reshape", fold_reshape, true}, {"Transpose", fold_transpose, false}, {"Shape", fold_shape, true}, {"Add", fold_arithmetic, false},
	{"Sub", fold_arithmetic, false}, {"Mul", fold_arithmetic, false}, {"Div", fold_arithmetic, false}, {"Pow", fold_arithmetic, false},
	{"Sqrt", fold_function, false}, {"Reciprocal", fold_function, false}, {"Neg", fold_function, false},
};

static int fold_constant_node(struct constants *c, const struct node *node, const char *path, struct error *e)
{
	const struct attribute *value = node_attribute(node, "value"), *ints = node_attribute(node, "value_ints"),
		*integer = node_attribute(node, "value_int"), *single = node_attribute(node, "value_float"),
		*floats = node_attribute(node, "value_floats");
	struct constant *out = arena_alloc(c->arena, 1, sizeof *out);
	if (!out)
		return error_memory(e, "constants");
	*out = (struct constant){.count = 1, .type = CONSTANT_FLOAT, .onnx_type = 1};
	if (value && value->t)
		*out = *value->t;
	else if (single && single->has_f)
		out->floats = &single->f;
	else if (floats && floats->floats)
		*out = (struct constant){.count = floats->float_count, .rank = 1, .dims = {(int64_t)floats->float_count}, .type = CONSTANT_FLOAT, .onnx_type = 1,
			.floats = floats->floats};
	else if ((integer && integer->has_i) || (ints && ints->ints))
		*out = (struct constant){.count = ints ? ints->int_count : 1, .rank = ints ? 1 : 0, .dims = {ints ? (int64_t)ints->int_count : 0},
			.type = CONSTANT_INT, .onnx_type = 7, .ints = ints ? ints->ints : &integer->i};
	else
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: node '%s': Constant without a tensor or number: export it with one", path, node->name);
	out->name = node->outputs[0];
	int code = constants_add(c, out, e);
	return code ? code : 1;
}

int constants_fold(struct constants *c, const struct node *node, const char *path, struct error *e)
{
	if (strcmp(node->op_type, "Constant") == 0)
		return fold_constant_node(c, node, path, e);
	struct folding f = {.table = c, .node = node, .path = path, .error = e};
	if (node->input_count == 0 || node->input_count > FOLD_MAX_INPUTS || !*node->inputs[0])
		return 0;
	for (size_t i = 0; i < node->input_count; i++) {
		f.inputs[i] = constants_find(c, node->inputs[i]);
		if (*node->inputs[i] && (!f.inputs[i] || f.inputs[i]->type == CONSTANT_OTHER))
			return 0;
	}
	for (size_t k = 0; k < sizeof FOLDS / sizeof *FOLDS; k++) {
		if (strcmp(FOLDS[k].op_type, node->op_type) != 0)
			continue;
		f.out = arena_alloc(c->arena, 1, sizeof *f.out);
		bool whole = f.out != NULL;
		for (size_t i = 0; i < node->input_count && whole && !FOLDS[k].keeps; i++)
			if (f.inputs[i])
				whole = (f.inputs[i] = constants_floats(c, f.inputs[i])) != NULL;
		if (!whole)
			return error_memory(e, "constants");
		f.out->name = node->outputs[0];
		int code = FOLDS[k].fold(&f);
		if (!code)
			code = constants_add(c, f.out, e);
		return code ? code : 1;
	}
	return 0;
}
