/* Z_pre by neuron (paper, eq. 3), which costs a look at a whole filter bank: computed once an image, and only for the neurons on which a choice rests. For the
 * others there is a bound that it is not above. */
#ifndef LSDN_CORE_TRACE_BOUNDS_H
#define LSDN_CORE_TRACE_BOUNDS_H

#include "core/trace/supports.h"

/* One pixel of a tensor; arrays by channel. */
struct bounds_row {
	float *bound;   /* no less than Z_pre; Z_pre itself where that is known */
	float *exact;   /* Z_pre; NaN where it is not known */
	bool finite;    /* all bounds are finite numbers */
	/* Where a Conv of more than one tap makes it: */
	float *positive, *negative; /* norms of the activations under the kernel */
	bool *close;                /* the bound is as close as norms can make it */
};

struct bounds;

/* Belongs to one thread; plan must outlive it. */
struct bounds *bounds_open(const struct plan *plan, struct error *e);

/* The same for a second thread, with what the first one's are of weights, which must outlive these. */
struct bounds *bounds_open_beside(const struct bounds *first, struct error *e);
void bounds_close(struct bounds *b);

/* Bytes that its rows take. */
size_t bounds_size(const struct bounds *b);

/* From now on it is about that image of the session's batch, whose activations are new. */
void bounds_start(struct bounds *b, const struct session *session, int image);

/* Makes, once, what bounds of tensor t ask of the weights: before rows of it are asked for. No other thread may be at work then. */
int bounds_prepare(struct bounds *b, int t, struct error *e);

/* For one who computes all Z_pre of a pixel of tensor t that a Conv or Gemm makes: true where they are known; a new row, whose exact numbers he fills in before
 * anybody asks; what is to be done then; and the same row for another thread, which asks later. */
bool bounds_complete(const struct bounds *b, int t, uint32_t pixel);
struct bounds_row *bounds_new_row(struct bounds *b, int t, uint32_t pixel, struct error *e);
void bounds_know_row(struct bounds_row *row, int channels);
int bounds_share(struct bounds *other, int t, uint32_t pixel, struct bounds_row *row, struct error *e);

/* The row of a pixel (y * W + x) of tensor t, which stays until the next start; NULL where memory is short. In what follows t is a tensor that a layer made
 * (plan_layer_tensor), and the row was asked for. */
const struct bounds_row *bounds_of(struct bounds *b, int t, uint32_t pixel, struct error *e);

/* Z_pre of channel c, which the row knows from then on. */
float bounds_exact(struct bounds *b, int t, uint32_t pixel, int c);

/* The bound of channel c made closer, at a fraction of Z_pre's cost. */
float bounds_closer(struct bounds *b, int t, uint32_t pixel, int c);

#endif
