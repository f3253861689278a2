#include "config.h"

#include "core/trace/rule.h"

int score_op_of(const struct plan *plan)
{
	int maker = plan->tensors[plan->scores].maker;
	while (maker >= 0 && (plan->ops[maker].kind == OP_REINDEX || op_is_through(&plan->ops[maker])))
		maker = plan->tensors[plan->ops[maker].inputs[0]].maker;
	return maker;
}

static bool is_global_average(const struct plan *plan, const struct op *op)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]], *out = &plan->tensors[op->output];
	const struct window *w = &op->window;
	return op->kind == OP_GLOBAL_AVERAGE_POOL || (op->kind == OP_AVERAGE_POOL && out->h == 1 && out->w == 1 && w->top == 0 && w->left == 0
		&& w->dilation_y == 1 && w->dilation_x == 1 && w->height == in->h && w->width == in->w);
}

bool rule_pools_all(const struct plan *plan, const struct op *op, const struct policy *p)
{
	return is_global_average(plan, op) && (p->k_gap == K_GAP_ALL || (p->k_gap == K_GAP_AUTO && op - plan->ops == score_op_of(plan)));
}

struct rule rule_of(const struct plan *plan, const struct op *op, const struct policy *p)
{
	const struct tensor *in = &plan->tensors[op->inputs[0]];
	bool fully_connected = op->kind == OP_GEMM || (in->h == 1 && in->w == 1);
	int layer = (int)(op - plan->ops), own = layer < p->layer_count ? p->layers[layer].k : K_SHARED;
	bool shared = p->k_share > 0 && own == K_SHARED;
	if (p->method != METHOD_CNN_FIXATIONS)
		return (struct rule){.k = shared ? K_MOST : own != K_SHARED ? own : fully_connected ? p->k_fc : p->k_conv, .share = shared ? p->k_share : 0,
			.gated = p->gate == GATE_EVIDENCE};
	int before = plan->tensors[plan_layer_tensor(plan, op->inputs[0])].maker;
	const struct tensor *map = before >= 0 && plan->ops[before].kind == OP_REINDEX ? &plan->tensors[plan->ops[before].inputs[0]] : NULL;
	bool all = fully_connected && !(map && (map->h > 1 || map->w > 1));
	return (struct rule){.k = all ? K_ALL : 1, .gated = all, .current_only = true};
}
