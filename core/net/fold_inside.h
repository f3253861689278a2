/* What fold.c and fold_arithmetic.c share. */
#ifndef LSDN_CORE_NET_FOLD_INSIDE_H
#define LSDN_CORE_NET_FOLD_INSIDE_H

#include "core/net/fold.h"

enum { FOLD_MAX_INPUTS = 64 };

struct folding {
	struct constants *table;
	const struct node *node;
	const struct constant *inputs[FOLD_MAX_INPUTS]; /* NULL where an optional one is left out */
	struct constant *out;
	const char *path;
	struct error *error;
};

int fold_refuse(const struct folding *f, const char *why);

/* Gives out the shape of `like` (or its own where NULL) and room for its elements of that type. */
int fold_take(struct folding *f, enum constant_type type, const struct constant *like);

int fold_cast(struct folding *f);
/* Add, Sub, Mul, Div and Pow, broadcasting. */
int fold_arithmetic(struct folding *f);
/* Sqrt, Reciprocal and Neg. */
int fold_function(struct folding *f);

#endif
