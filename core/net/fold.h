/* Constants of a graph by name, and the nodes that only compute on them. */
#ifndef LSDN_CORE_NET_FOLD_H
#define LSDN_CORE_NET_FOLD_H

#include "core/arena.h"
#include "core/error.h"
#include "core/net/names.h"
#include "core/net/onnx.h"

struct constants {
	const struct constant **items; /* owned */
	int count, room;
	struct names names; /* to indices of items */
	struct arena *arena; /* what folding makes lives here */
};

/* The graph's initializers; c is closed by constants_close also after a failure. */
int constants_open(struct constants *c, const struct onnx *graph, struct arena *arena, struct error *e);

/* The constant of that name, or NULL. */
const struct constant *constants_find(const struct constants *c, const char *name);

/* The same constant with its floats in memory, not in the file's bytes; NULL where memory is short. */
const struct constant *constants_floats(const struct constants *c, const struct constant *constant);

/* Adds a constant, which must live as long as the table. */
int constants_add(struct constants *c, const struct constant *constant, struct error *e);

/* Adds count whole numbers as a 1-D constant. */
int constants_add_ints(struct constants *c, const char *name, const int64_t *values, size_t count, struct error *e);

/* Evaluates a node all of whose inputs are constants (Constant has none) and adds its output. Returns 1 where it did, 0 where the node reads
 * something else or is none that is folded, or a negative error. */
int constants_fold(struct constants *c, const struct node *node, const char *path, struct error *e);

void constants_close(struct constants *c);

#endif
