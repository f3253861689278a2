#include "config.h"

#include "core/trace/policy.h"

#include <math.h>

const struct policy POLICY_CNN_FIXATIONS = {.method = METHOD_CNN_FIXATIONS, .cur = 1, .pre = 0, .suc = 1, .k_fc = K_ALL, .k_conv = 1,
	.k_gap = K_GAP_ONE, .signed_ = false, .locate = LOCATE_CENTER, .gate = GATE_NONE, .residual = RESIDUAL_MAX, .top_n = 1};

bool policy_same_choices(const struct policy *a, const struct policy *b)
{
	return a->method == b->method && a->k_fc == b->k_fc && a->k_conv == b->k_conv && a->k_gap == b->k_gap && a->signed_ == b->signed_
		&& a->locate == b->locate && a->gate == b->gate && a->residual == b->residual && a->suc_form == b->suc_form && a->scale == b->scale
		&& a->top_n == b->top_n;
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
	if (!policy_same_choices(a, b) || (a->cur == 0) != (b->cur == 0) || (a->pre == 0) != (b->pre == 0))
		return false;
	if (a->suc_form == SUC_POWER ? a->suc != b->suc : (a->suc == 0) != (b->suc == 0))
		return false;
	/* Products of the same ratio may differ in their last bit. */
	double left = a->pre * b->cur, right = b->pre * a->cur;
	return fabs(left - right) <= 1e-12 * fmax(fabs(left), fabs(right));
}
