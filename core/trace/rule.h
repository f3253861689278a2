/* How one Conv or Gemm selects: the policy's choices, or CNN-Fixations' own rules. */
#ifndef LSDN_CORE_TRACE_RULE_H
#define LSDN_CORE_TRACE_RULE_H

#include "core/net/plan.h"
#include "core/trace/policy.h"

struct rule {
	int k;             /* candidates kept for each selected neuron, or K_ALL */
	double share;      /* where it is over 0, of these only so many, best first, that they have this share of all positive Omega */
	bool gated;        /* only candidates with Z_cur > 0 are eligible */
	bool current_only; /* Omega is Z_cur */
};

/* The operator whose output the class scores are: back from the scores over what only renames or keeps places; -1 where that is the image. */
int score_op_of(const struct plan *plan);

/* True where a pool over the whole of a map goes to every positive place, by the choice k_gap; an AveragePool whose one window is the map is such a pool. */
bool rule_pools_all(const struct plan *plan, const struct op *op, const struct policy *p);

struct rule rule_of(const struct plan *plan, const struct op *op, const struct policy *p);

#endif
