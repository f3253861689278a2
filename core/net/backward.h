/* From a class score back to any tensor: gradients, and what goes back by other rules than theirs.
 *
 * Everything is of one image of a session that has run. What is kept there is used; what is not is computed again where it is needed. */
#ifndef LSDN_CORE_NET_BACKWARD_H
#define LSDN_CORE_NET_BACKWARD_H

#include "core/net/linear.h"
#include "core/net/session.h"

struct backward;
struct backward_rule;

/* One thread's backward pass through a plan, on as many threads as w is for. Memory is taken when a tensor is first asked for and kept. */
struct backward *backward_open(const struct plan *plan, struct linear_weights *w, int threads, struct error *e);
void backward_close(struct backward *b);

/* Goes from tensor `start`, whose own gradient is `seed` (of its size, NHWC), to tensor `target`, along all ways from the one to the other. */
int backward_run(struct backward *b, const struct session *s, int image, int start, const float *seed, int target, const struct backward_rule *rule,
	struct error *e);

enum backward_from {
	BACKWARD_LOGIT,      /* the class score as a last Softmax reads it */
	BACKWARD_PROBABILITY /* the softmax of the scores */
};

/* The same from a class, by rule or (NULL) by the gradient. */
int backward_class(struct backward *b, const struct session *s, int image, int class_index, enum backward_from from, int target,
	const struct backward_rule *rule, struct error *e);

/* What the last run gave tensor t, which lies on a way from its start to its target: H x W x C floats, until the next run. NULL for any other tensor,
 * but for the target: one that start does not depend on has zeros. */
const float *backward_gradient(const struct backward *b, int t);

/* Tensor t of a session's image, a place every *stride floats: as session_view, but one that is not kept is computed again and stays until the next one or
 * run. NULL where memory is short. */
const float *backward_value(struct backward *b, const struct session *s, int image, int t, size_t *stride);

/* At rectifiers (Relu, LeakyRelu, PRelu, Clip from 0) what goes back may be other than the gradient g. */
enum backward_rectifier {
	RECTIFIER_GRADIENT,  /* f'(x) g */
	RECTIFIER_DECONVNET, /* max(g, 0): Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014 */
	RECTIFIER_GUIDED     /* f'(x) max(g, 0): Springenberg and others, "Striving for simplicity: the all convolutional net", 2015 */
};

/* An op on the way, and which of its inputs is computed. */
struct backward_step {
	struct backward *backward;
	const struct session *session;
	int image;
	const struct op *op;
	int input;        /* its place in op->inputs */
	const float *out; /* what came to the op's output, of its size */
};

struct backward_rule {
	enum backward_rectifier rectifier;
	/* NULL, or fills `into` (of the input's size) in its own way and returns 1; returns 0 for an op that goes the gradient's. Negative: an error. */
	int (*propagate)(const struct backward_rule *rule, const struct backward_step *step, float *into, struct error *e);
	const void *context;
};

/* For such rules: */
enum { BACKWARD_ROOMS = 6 };

/* Scratch space as large as the largest tensor, kept as it is left until the next backward_step of a rule. NULL where memory is short. */
float *backward_room(struct backward *b, int room);

/* linear_apply for the step's op. */
int backward_linear(const struct backward_step *step, enum weight_sign sign, bool transposed, const float *from, float *to, struct error *e);

/* Which window a pool has on its input: a global one the whole map. */
struct window backward_window(const struct plan *plan, const struct op *pool);

/* By how much an average pool divides the sum of its window at (y, x). */
int backward_divisor(const struct plan *plan, const struct op *pool, int y, int x);

const struct plan *backward_plan(const struct backward *b);

#endif
