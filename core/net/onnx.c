/* Reads ONNX's protobuf with nanopb. Every repeated field arrives through a callback that appends to a list in the graph's arena; sizes are
 * checked against what the file really holds before anything is taken. */
#include "config.h"

#include "core/net/onnx.h"

#include <pb_decode.h>
#include <string.h>

#include "core/net/onnx.pb.h"

enum { TYPE_FLOAT = 1, TYPE_INT32 = 6, TYPE_INT64 = 7, TYPE_BOOL = 9, TYPE_DOUBLE = 11 };
enum { MAX_ELEMENTS = 1u << 30 };
enum { LARGE = 1 << 16 }; /* bytes of a constant that stay in the file */
enum { LEAST_BOUND = 64 << 20 }; /* bytes for what is read of a small file; more of a large one */

struct list {
	struct reader *reader;
	void *items;
	size_t count, size; /* size: of one item */
};

struct reader {
	struct arena *arena;
	struct error *error; /* set where the reason is known better than nanopb's */
	bool failed;
	bool stays; /* large constants stay where they are */
};

static bool fail(struct reader *r, enum lsdn_error code, const char *what)
{
	if (!r->failed)
		error_set(r->error, code, "%s", what);
	r->failed = true;
	return false;
}

static bool fail_constant(struct reader *r, const struct constant *c, enum lsdn_error code, const char *what)
{
	if (!r->failed)
		error_set(r->error, code, "constant '%.100s': %s", c->name, what);
	r->failed = true;
	return false;
}

/* A fresh zero item at the list's end; the list doubles at powers of two. */
static void *append(struct list *list)
{
	size_t count = list->count;
	if ((count & (count - 1)) == 0) {
		void *larger = arena_alloc(list->reader->arena, count ? 2 * count : 1, list->size);
		if (!larger) {
			fail(list->reader, LSDN_ERROR_MEMORY, "out of memory");
			return NULL;
		}
		if (count)
			memcpy(larger, list->items, count * list->size);
		list->items = larger;
	}
	list->count++;
	return (char *)list->items + count * list->size;
}

static struct list list_of(struct reader *r, size_t size)
{
	return (struct list){.reader = r, .size = size};
}

static pb_callback_t into(bool (*decode)(pb_istream_t *, const pb_field_iter_t *, void **), void *target)
{
	return (pb_callback_t){.funcs.decode = decode, .arg = target};
}

struct text {
	struct reader *reader;
	const char *value;
};

static char *read_text(pb_istream_t *stream, struct reader *r)
{
	size_t length = stream->bytes_left;
	char *text = arena_alloc(r->arena, length + 1, 1);
	if (!text) {
		fail(r, LSDN_ERROR_MEMORY, "out of memory");
		return NULL;
	}
	return pb_read(stream, (pb_byte_t *)text, length) ? text : NULL;
}

static bool decode_text(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct text *text = *arg;
	text->value = read_text(stream, text->reader);
	return text->value != NULL;
}

static bool decode_texts(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *list = *arg;
	const char **item = append(list);
	return item && (*item = read_text(stream, list->reader)) != NULL;
}

static bool decode_floats(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	while (stream->bytes_left) {
		float *item = append(*arg);
		if (!item || !pb_decode_fixed32(stream, item))
			return false;
	}
	return true;
}

static bool decode_ints(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	while (stream->bytes_left) {
		uint64_t value;
		int64_t *item = append(*arg);
		if (!item || !pb_decode_varint(stream, &value))
			return false;
		*item = (int64_t)value;
	}
	return true;
}

struct bytes {
	const uint8_t *data;
	size_t size;
	bool present;
};

/* The stream is a buffer, so its state is the place in the file: the bytes are used where they lie. */
static bool decode_bytes(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct bytes *bytes = *arg;
	bytes->data = stream->state;
	bytes->size = stream->bytes_left;
	bytes->present = true;
	return pb_read(stream, NULL, stream->bytes_left);
}

/* A TensorProto while it is being read. */
struct tensor_fields {
	onnx_TensorProto proto;
	struct text name;
	struct list dims, floats, ints32, ints64;
	struct bytes raw;
};

static void tensor_prepare(struct tensor_fields *t, struct reader *r)
{
	*t = (struct tensor_fields){.name = {r, ""}, .dims = list_of(r, sizeof(int64_t)), .floats = list_of(r, sizeof(float)),
		.ints32 = list_of(r, sizeof(int64_t)), .ints64 = list_of(r, sizeof(int64_t))};
	t->proto.dims = into(decode_ints, &t->dims);
	t->proto.float_data = into(decode_floats, &t->floats);
	t->proto.int32_data = into(decode_ints, &t->ints32);
	t->proto.int64_data = into(decode_ints, &t->ints64);
	t->proto.name = into(decode_text, &t->name);
	t->proto.raw_data = into(decode_bytes, &t->raw);
}

static bool tensor_floats(const struct tensor_fields *t, struct constant *c, struct reader *r)
{
	if (t->raw.present) {
		if (t->raw.size != c->count * sizeof(float))
			return false;
		if (r->stays && t->raw.size >= LARGE) {
			c->raw = t->raw.data;
			return true;
		}
		float *copy = arena_alloc(r->arena, c->count, sizeof(float));
		if (!copy)
			return fail(r, LSDN_ERROR_MEMORY, "out of memory for weights");
		memcpy(copy, t->raw.data, t->raw.size);
		c->floats = copy;
		return true;
	}
	c->floats = t->floats.items;
	return t->floats.count == c->count;
}

static bool tensor_ints(const struct tensor_fields *t, struct constant *c, struct reader *r)
{
	const struct list *list = c->onnx_type == TYPE_INT64 ? &t->ints64 : &t->ints32;
	if (!t->raw.present) {
		c->ints = list->items;
		return list->count == c->count;
	}
	size_t width = c->onnx_type == TYPE_INT64 ? 8 : c->onnx_type == TYPE_INT32 ? 4 : 1;
	if (t->raw.size != c->count * width)
		return false;
	int64_t *ints = arena_alloc(r->arena, c->count, sizeof *ints);
	if (!ints)
		return fail(r, LSDN_ERROR_MEMORY, "out of memory for a constant");
	for (size_t i = 0; i < c->count; i++) {
		const uint8_t *at = t->raw.data + i * width;
		int32_t narrow;
		if (width == 8)
			memcpy(&ints[i], at, 8);
		else if (width == 4) {
			memcpy(&narrow, at, 4);
			ints[i] = narrow;
		} else
			ints[i] = *at;
	}
	c->ints = ints;
	return true;
}

static bool tensor_finish(const struct tensor_fields *t, struct constant *c, struct reader *r)
{
	*c = (struct constant){.name = t->name.value, .onnx_type = t->proto.data_type, .count = 1};
	if (t->proto.data_location != 0)
		return fail_constant(r, c, LSDN_ERROR_UNSUPPORTED, "its numbers are kept in another file: save the model with its weights inside");
	if (t->dims.count > ONNX_MAX_RANK)
		return fail_constant(r, c, LSDN_ERROR_UNSUPPORTED, "has more than 8 dimensions");
	c->rank = (int)t->dims.count;
	for (int d = 0; d < c->rank; d++) {
		c->dims[d] = ((const int64_t *)t->dims.items)[d];
		if (c->dims[d] < 0 || c->dims[d] > MAX_ELEMENTS || (c->dims[d] > 0 && c->count > MAX_ELEMENTS / (size_t)c->dims[d]))
			return fail_constant(r, c, LSDN_ERROR_INPUT, "its size is negative or past bounds: the file is damaged");
		c->count *= (size_t)c->dims[d];
	}
	bool whole = true;
	if (c->onnx_type == TYPE_FLOAT) {
		c->type = CONSTANT_FLOAT;
		whole = tensor_floats(t, c, r);
	} else if (c->onnx_type == TYPE_INT64 || c->onnx_type == TYPE_INT32 || c->onnx_type == TYPE_BOOL) {
		c->type = CONSTANT_INT;
		whole = tensor_ints(t, c, r);
	} else {
		c->type = CONSTANT_OTHER;
	}
	return whole || fail_constant(r, c, LSDN_ERROR_INPUT, "has more or fewer numbers than its dimensions say: the file is damaged");
}

static bool decode_constant(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *list = *arg;
	struct tensor_fields t;
	tensor_prepare(&t, list->reader);
	struct constant *c = append(list);
	return c && pb_decode(stream, onnx_TensorProto_fields, &t.proto) && tensor_finish(&t, c, list->reader);
}

static bool decode_attribute(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *list = *arg;
	struct reader *r = list->reader;
	struct text name = {r, ""}, s = {r, NULL};
	struct list floats = list_of(r, sizeof(float)), ints = list_of(r, sizeof(int64_t));
	struct tensor_fields t;
	tensor_prepare(&t, r);
	onnx_AttributeProto proto = {.name = into(decode_text, &name), .s = into(decode_text, &s), .t = t.proto,
		.floats = into(decode_floats, &floats), .ints = into(decode_ints, &ints)};
	struct attribute *a = append(list);
	if (!a || !pb_decode(stream, onnx_AttributeProto_fields, &proto))
		return false;
	*a = (struct attribute){.name = name.value, .has_f = proto.has_f, .has_i = proto.has_i, .f = proto.f, .i = proto.i, .s = s.value,
		.floats = floats.items, .float_count = floats.count, .ints = ints.items, .int_count = ints.count};
	if (!proto.has_t)
		return true;
	t.proto = proto.t;
	a->t = arena_alloc(r->arena, 1, sizeof *a->t);
	return a->t ? tensor_finish(&t, a->t, r) : fail(r, LSDN_ERROR_MEMORY, "out of memory");
}

static bool decode_node(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *list = *arg;
	struct reader *r = list->reader;
	struct text name = {r, ""}, op_type = {r, ""}, domain = {r, ""};
	struct list inputs = list_of(r, sizeof(char *)), outputs = list_of(r, sizeof(char *)),
		attributes = list_of(r, sizeof(struct attribute));
	onnx_NodeProto proto = {.input = into(decode_texts, &inputs), .output = into(decode_texts, &outputs),
		.name = into(decode_text, &name), .op_type = into(decode_text, &op_type), .domain = into(decode_text, &domain),
		.attribute = into(decode_attribute, &attributes)};
	struct node *n = append(list);
	if (!n || !pb_decode(stream, onnx_NodeProto_fields, &proto))
		return false;
	*n = (struct node){.op_type = op_type.value, .name = name.value, .domain = domain.value, .inputs = inputs.items,
		.input_count = inputs.count, .outputs = outputs.items, .output_count = outputs.count, .attributes = attributes.items,
		.attribute_count = attributes.count};
	if (!n->output_count)
		return fail(r, LSDN_ERROR_INPUT, "a node has no output: the file is damaged");
	if (!*n->name)
		n->name = n->outputs[0];
	return true;
}

static bool decode_dimension(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	onnx_Dimension proto = onnx_Dimension_init_zero;
	int64_t *item = append(*arg);
	if (!item || !pb_decode(stream, onnx_Dimension_fields, &proto))
		return false;
	*item = proto.has_dim_value ? proto.dim_value : -1;
	return true;
}

static bool decode_value(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *list = *arg;
	struct text name = {list->reader, ""};
	struct list dims = list_of(list->reader, sizeof(int64_t));
	onnx_ValueInfoProto proto = {.name = into(decode_text, &name)};
	proto.type.tensor_type.shape.dim = into(decode_dimension, &dims);
	struct value *v = append(list);
	if (!v || !pb_decode(stream, onnx_ValueInfoProto_fields, &proto))
		return false;
	*v = (struct value){.name = name.value, .elem_type = proto.type.tensor_type.elem_type, .rank = -1};
	if (!proto.type.tensor_type.has_shape)
		return true;
	if (dims.count > ONNX_MAX_RANK)
		return fail(list->reader, LSDN_ERROR_UNSUPPORTED, "an input or output has more than 8 dimensions");
	v->rank = (int)dims.count;
	if (dims.count)
		memcpy(v->dims, dims.items, dims.count * sizeof(int64_t));
	return true;
}

static bool decode_opset(pb_istream_t *stream, const pb_field_iter_t *field, void **arg)
{
	(void)field;
	struct list *opset = *arg;
	struct text domain = {opset->reader, ""};
	onnx_OperatorSetIdProto proto = {.domain = into(decode_text, &domain)};
	if (!pb_decode(stream, onnx_OperatorSetIdProto_fields, &proto))
		return false;
	int64_t *version = !*domain.value || strcmp(domain.value, "ai.onnx") == 0 ? append(opset) : NULL;
	if (version)
		*version = proto.version;
	return !opset->reader->failed;
}

int onnx_read(struct onnx *graph, const uint8_t *data, size_t size, const char *path, struct error *e)
{
	*graph = (struct onnx){.size = size, .arena.most = 8 * size + LEAST_BOUND};
	struct error why = {0};
	struct reader reader = {.arena = &graph->arena, .error = &why, .stays = true};
	struct list nodes = list_of(&reader, sizeof(struct node)), constants = list_of(&reader, sizeof(struct constant)),
		inputs = list_of(&reader, sizeof(struct value)), outputs = list_of(&reader, sizeof(struct value)),
		opset = list_of(&reader, sizeof(int64_t));
	onnx_ModelProto proto = {.opset_import = into(decode_opset, &opset)};
	proto.graph = (onnx_GraphProto){.node = into(decode_node, &nodes), .initializer = into(decode_constant, &constants),
		.input = into(decode_value, &inputs), .output = into(decode_value, &outputs)};
	pb_istream_t stream = pb_istream_from_buffer(data, size);
	int code;
	if (!pb_decode(&stream, onnx_ModelProto_fields, &proto)) {
		if (graph->arena.exceeded)
			code = error_set(e, LSDN_ERROR_INPUT, "%s: is nothing but small pieces, which is no network: fetch or export it again", path);
		else if (reader.failed)
			code = error_set(e, why.code, "%s: %s", path, why.message);
		else
			code = error_set(e, LSDN_ERROR_INPUT, "%s: after %zu nodes and %zu constants: not an ONNX file, or cut short or damaged (%s): fetch or export "
				"it again", path, nodes.count, constants.count, PB_GET_ERROR(&stream));
		onnx_close(graph);
		return code;
	}
	graph->path = arena_text(&graph->arena, path, strlen(path));
	graph->opset = opset.count ? *(int64_t *)opset.items : 0;
	graph->nodes = nodes.items;
	graph->node_count = nodes.count;
	graph->constants = constants.items;
	graph->constant_count = constants.count;
	graph->inputs = inputs.items;
	graph->input_count = inputs.count;
	graph->outputs = outputs.items;
	graph->output_count = outputs.count;
	code = LSDN_OK;
	if (!graph->path)
		code = error_memory(e, "a graph");
	else if (!proto.has_graph || !graph->node_count || !graph->output_count)
		code = error_set(e, LSDN_ERROR_INPUT, "%s: holds no graph: not an ONNX model, or cut short", path);
	else if (graph->opset < ONNX_OPSET_LOWEST || graph->opset > ONNX_OPSET_HIGHEST)
		code = error_set(e, LSDN_ERROR_UNSUPPORTED, "%s: opset %lld: export the network with an opset from %d to %d", path,
			(long long)graph->opset, ONNX_OPSET_LOWEST, ONNX_OPSET_HIGHEST);
	if (code)
		onnx_close(graph);
	return code;
}

int onnx_read_tensor(struct constant *c, struct arena *arena, const uint8_t *data, size_t size, const char *path, struct error *e)
{
	struct error why = {0};
	struct reader reader = {.arena = arena, .error = &why};
	struct tensor_fields t;
	tensor_prepare(&t, &reader);
	pb_istream_t stream = pb_istream_from_buffer(data, size);
	if (pb_decode(&stream, onnx_TensorProto_fields, &t.proto) && tensor_finish(&t, c, &reader))
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_INPUT, "%s: %s", path, reader.failed ? why.message : PB_GET_ERROR(&stream));
}

void onnx_close(struct onnx *graph)
{
	arena_free(&graph->arena);
	*graph = (struct onnx){0};
}

const struct attribute *node_attribute(const struct node *node, const char *name)
{
	for (size_t i = 0; i < node->attribute_count; i++)
		if (strcmp(node->attributes[i].name, name) == 0)
			return &node->attributes[i];
	return NULL;
}

int64_t node_int(const struct node *node, const char *name, int64_t otherwise)
{
	const struct attribute *a = node_attribute(node, name);
	return a && a->has_i ? a->i : otherwise;
}

float node_float(const struct node *node, const char *name, float otherwise)
{
	const struct attribute *a = node_attribute(node, name);
	return a && a->has_f ? a->f : otherwise;
}
