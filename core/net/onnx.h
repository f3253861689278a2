/* An ONNX file as a list of nodes and constants, as they stand in the file: no shape is known, nothing is folded.
 *
 * Large constants of floats point into the file's bytes. */
#ifndef LSDN_CORE_NET_ONNX_H
#define LSDN_CORE_NET_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/error.h"

enum { ONNX_MAX_RANK = 8, ONNX_OPSET_LOWEST = 7, ONNX_OPSET_HIGHEST = 17 };

/* Elements as they are used here: whole numbers of any width and booleans become int64_t. */
enum constant_type { CONSTANT_FLOAT, CONSTANT_INT, CONSTANT_OTHER };

struct constant {
	const char *name;
	enum constant_type type;
	int onnx_type; /* TensorProto.DataType, for messages and Cast */
	int rank;
	int64_t dims[ONNX_MAX_RANK];
	size_t count;        /* product of dims; at most 2^31 */
	const float *floats; /* count of them where type is CONSTANT_FLOAT; NULL where they are many and stay in the file, */
	const uint8_t *raw;  /* which has them here, aligned to nothing */
	const int64_t *ints; /* where it is CONSTANT_INT */
};

struct attribute {
	const char *name;
	bool has_f, has_i;
	float f;
	int64_t i;
	const char *s; /* NULL where absent */
	struct constant *t;
	const float *floats;
	size_t float_count;
	const int64_t *ints;
	size_t int_count;
};

struct node {
	const char *op_type, *name, *domain; /* never NULL; a nameless node has the name of its first output */
	const char **inputs, **outputs;      /* "" where an optional one is left out */
	size_t input_count, output_count;
	struct attribute *attributes;
	size_t attribute_count;
};

/* A graph input or output; a dimension that is symbolic or absent is -1; rank is -1 where no shape is given. */
struct value {
	const char *name;
	int elem_type;
	int rank;
	int64_t dims[ONNX_MAX_RANK];
};

struct onnx {
	const char *path;
	size_t size; /* of the file, in bytes */
	bool mapped; /* these are a mapped file: pages that have been read are given back (to be set after onnx_read) */
	int64_t opset;
	struct node *nodes;
	size_t node_count;
	struct constant *constants; /* initializers */
	size_t constant_count;
	struct value *inputs, *outputs;
	size_t input_count, output_count;
	struct arena arena; /* owns everything above */
};

/* Reads a model of size bytes at data, which must stay there while the graph is used. path is used in messages (and is copied). */
int onnx_read(struct onnx *graph, const uint8_t *data, size_t size, const char *path, struct error *e);

/* Reads one TensorProto (the form of ONNX's test vectors). */
int onnx_read_tensor(struct constant *c, struct arena *arena, const uint8_t *data, size_t size, const char *path, struct error *e);

void onnx_close(struct onnx *graph);

/* The attribute of that name, or NULL. */
const struct attribute *node_attribute(const struct node *node, const char *name);
int64_t node_int(const struct node *node, const char *name, int64_t otherwise);
float node_float(const struct node *node, const char *name, float otherwise);

#endif
