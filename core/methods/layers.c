#include "config.h"

#include "core/methods/layers.h"

#include <stdlib.h>
#include <string.h>

/* True where the scores depend on tensor t, by a way that does not go through tensor `without` (-1: any). */
static bool leads_to_scores(const struct plan *plan, int t, int without)
{
	bool *leads = calloc((size_t)plan->tensor_count, sizeof *leads);
	if (!leads)
		return false;
	leads[t] = true;
	for (int k = 0; k < plan->op_count; k++)
		for (int i = 0; i < plan->ops[k].input_count && plan->ops[k].output != without; i++)
			leads[plan->ops[k].output] |= leads[plan->ops[k].inputs[i]];
	bool found = leads[plan->scores];
	free(leads);
	return found;
}

static bool has_places(const struct plan *plan, int t)
{
	const struct tensor *tensor = &plan->tensors[t];
	return tensor->h * tensor->w > 1 && tensor->maker >= 0 && leads_to_scores(plan, t, -1);
}

static bool is_pool(const struct op *op)
{
	return op->kind == OP_MAX_POOL || op->kind == OP_AVERAGE_POOL;
}

int layer_target(const struct plan *plan)
{
	int t = plan->tensor_count - 1;
	while (t >= 0 && !has_places(plan, t))
		t--;
	while (t >= 0 && plan->tensors[t].maker >= 0 && is_pool(&plan->ops[plan->tensors[t].maker]))
		t = plan->ops[plan->tensors[t].maker].inputs[0];
	return t >= 0 && plan->tensors[t].maker >= 0 ? t : -1;
}

int layer_eighth(const struct plan *plan)
{
	const struct tensor *input = &plan->tensors[plan->inputs[0]];
	for (int t = 0; t < plan->tensor_count; t++)
		if (8 * plan->tensors[t].h <= input->h && has_places(plan, t) && !leads_to_scores(plan, plan->inputs[0], t))
			return t;
	return layer_target(plan);
}

int layer_find(const struct plan *plan, const char *name, int *layer, struct error *e)
{
	bool known = false;
	for (int by_node = 0; by_node < 2; by_node++)
		for (int t = 0; t < plan->tensor_count; t++) {
			const struct tensor *tensor = &plan->tensors[t];
			if (tensor->maker < 0 || strcmp(by_node ? plan->ops[tensor->maker].name : tensor->name, name) != 0)
				continue;
			known = true;
			*layer = t;
			if (has_places(plan, t))
				return LSDN_OK;
		}
	return error_set(e, LSDN_ERROR_INPUT, "layer '%.100s': %s: --layers lists those that can be named", name,
		known ? "has no places, or the class scores do not depend on it" : "is not in the network");
}

void layer_list(const struct plan *plan, FILE *file)
{
	int target = layer_target(plan);
	for (int t = 0; t < plan->tensor_count; t++) {
		const struct tensor *tensor = &plan->tensors[t];
		if (has_places(plan, t))
			fprintf(file, "%-40s %4d x %3d x %3d  %s%s\n", tensor->name, tensor->c, tensor->h, tensor->w, plan->ops[tensor->maker].op_type,
				t == target ? "  (target)" : "");
	}
}
