/* What a session runs in one go: an op of a plan, or several of which only the last one's output is kept.
 *
 * A Conv, the Add of two that alone reads it and the ReLU that alone reads the sum are one pass over memory instead of three. */
#ifndef LSDN_CORE_NET_STAGES_H
#define LSDN_CORE_NET_STAGES_H

#include "core/net/plan.h"

struct stage {
	const struct op *op;      /* of several the first */
	const struct op *sum;     /* the Add behind a Conv, or NULL */
	const struct op *relu;    /* the ReLU behind a Conv's sum or an Add, or NULL */
	int addend;               /* with a sum: its operand that the Conv does not make */
	int output;               /* what is made */
	int images;               /* so many at once; a divisor of the batch */
};

/* True for an op that does nothing: its output is the same numbers in the same order as its input, and so the same memory. */
bool op_shares_input(const struct op *op);

/* Fills stages (room for one an op) in an order in which they can run, and readers (one a tensor) with the op that reads a tensor that is not kept,
 * NULL for one that is. What is not kept and yet a stage's output, for a Concat, is in memory until that has run. Returns the number of stages; -1
 * where memory is short. */
int stages_find(const struct plan *plan, int batch, struct stage *stages, const struct op **readers);

#endif
