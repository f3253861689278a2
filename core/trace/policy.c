#include "config.h"

#include "core/trace/policy.h"

#include <math.h>

const struct policy POLICY_CNN_FIXATIONS = {.method = METHOD_CNN_FIXATIONS, .alpha = {1, 0, 1}, .k_fc = K_ALL, .k_conv = 1,
	.k_gap = K_GAP_ONE, .signed_ = false, .locate = LOCATE_CENTER, .gate = GATE_NONE, .residual = RESIDUAL_MAX, .stride = 1, .top_n = 1};

static int layer_k(const struct policy *p, int i)
{
	return i < p->layer_count ? p->layers[i].k : K_SHARED;
}

static int more_layers(const struct policy *a, const struct policy *b)
{
	return a->layer_count > b->layer_count ? a->layer_count : b->layer_count;
}

bool policy_same_choices(const struct policy *a, const struct policy *b)
{
	for (int i = 0; a->layers != b->layers && i < more_layers(a, b); i++)
		if (layer_k(a, i) != layer_k(b, i))
			return false;
	return a->method == b->method && a->k_fc == b->k_fc && a->k_conv == b->k_conv && a->k_share == b->k_share && a->k_gap == b->k_gap && a->signed_ == b->signed_
		&& a->locate == b->locate && a->gate == b->gate && a->residual == b->residual && a->suc_form == b->suc_form && a->scale == b->scale
		&& a->stride == b->stride && a->mass == b->mass && a->contrast == b->contrast && a->top_n == b->top_n;
}

struct alpha policy_alpha(const struct policy *p, int op)
{
	if (op < p->layer_count && p->layers[op].own_alpha)
		return p->layers[op].alpha;
	return p->alpha;
}

struct alpha alpha_reduced(struct alpha a, enum suc_form form)
{
	return (struct alpha){.cur = a.cur != 0, .pre = a.cur != 0 ? a.pre / a.cur : a.pre != 0, .suc = form == SUC_POWER ? a.suc : a.suc != 0};
}

static bool same_alpha(struct alpha a, struct alpha b, enum suc_form form)
{
	struct alpha left = alpha_reduced(a, form), right = alpha_reduced(b, form);
	/* Equal ratios may differ in their last bit. */
	return left.cur == right.cur && left.suc == right.suc && (left.pre == 0) == (right.pre == 0)
		&& fabs(left.pre - right.pre) <= 1e-12 * fmax(left.pre, right.pre);
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
	bool equal = policy_same_choices(a, b) && same_alpha(a->alpha, b->alpha, a->suc_form);
	for (int i = 0; equal && a->layers != b->layers && i < more_layers(a, b); i++)
		equal = same_alpha(policy_alpha(a, i), policy_alpha(b, i), a->suc_form);
	return equal;
}
