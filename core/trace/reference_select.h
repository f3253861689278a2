/* The selection of one Conv or Gemm once more, as plainly as the formulas are (paper, eq. 1, 4, 5), over the plain supports of reference.h in double
 * precision. Fast walks and audit trails are compared with it. */
#ifndef LSDN_CORE_TRACE_REFERENCE_SELECT_H
#define LSDN_CORE_TRACE_REFERENCE_SELECT_H

#include "core/trace/policy.h"
#include "core/trace/reference.h"
#include "core/trace/rule.h"

/* An eligible candidate. What is not a number counts as minus infinity. Roundings bound what single-precision supports may differ by. */
struct reference_candidate {
	struct place place;
	double cur, pre, omega; /* as they enter Omega: see struct step */
	double cur_rounding, pre_rounding, omega_rounding;
	unsigned suc;           /* Z_suc, which another one lies off by as many as `close`: neurons with two highest Z_cur within rounding of each other */
	unsigned close;
};

struct reference_layer {
	const struct session *session;
	const struct plan *plan;
	int image;
	const struct op *op;
	const struct policy *policy;
	struct rule rule;
	const float *input;
	unsigned *tops, *close;     /* by neuron of the input; see reference_candidate */
	int most_products;          /* that a Z_pre may be the sum of */
	double *pre, *pre_rounding; /* by neuron of the input, each computed when it is asked for first; NaN before */
	/* Of the neuron that was ranked last: */
	struct reference_candidate *candidates;
	bool doubt; /* single-precision supports may select others: a sign, the gate or the order of the last taken and the first left is within rounding */
};

/* Opens a layer of which `selected` are the selected output neurons. */
int reference_layer_open(struct reference_layer *l, const struct session *session, const struct plan *plan, int image, const struct op *op,
	const struct policy *policy, const struct place *selected, size_t count, struct error *e);

/* Fills l->candidates with the eligible candidates of s, best first (of equals the lowest channel); the first *taken are selected. Returns how many. */
size_t reference_rank(struct reference_layer *l, struct place s, size_t *taken);

void reference_layer_close(struct reference_layer *l);

#endif
