/* Conv and Gemm as linear maps, without bias and activation: forwards, and transposed (as gradients go). Also with the positive or the negative weights
 * alone, the others 0, as relevance goes. */
#ifndef LSDN_CORE_NET_LINEAR_H
#define LSDN_CORE_NET_LINEAR_H

#include "core/error.h"
#include "core/net/plan.h"

enum weight_sign {
	WEIGHTS_ALL,
	WEIGHTS_POSITIVE,
	WEIGHTS_NEGATIVE,
	WEIGHT_SIGNS
};

struct linear;
struct linear_weights;

/* Weights in oneDNN's own layouts, each made when it is first used, shared by all threads' maps of a plan that run on that many threads each. */
struct linear_weights *linear_weights_open(const struct plan *plan, int threads, struct error *e);
void linear_weights_close(struct linear_weights *w);

/* One thread's maps; w must outlive them. */
struct linear *linear_open(struct linear_weights *w, struct error *e);
void linear_close(struct linear *l);

/* Fills `to`, of the size of op's output, from `from`, of the size of its input; transposed: the other way round. One image, NHWC. */
int linear_apply(struct linear *l, const struct op *op, enum weight_sign sign, bool transposed, const float *from, float *to, struct error *e);

#endif
