#include "config.h"

#include "core/net/stages.h"

#include <stdlib.h>

bool op_shares_input(const struct op *op)
{
	return op->kind == OP_REINDEX && !op->from;
}

enum { NEAR = 1 << 20 };

struct finding {
	const struct plan *plan;
	const struct op **only; /* one a tensor: the op that alone reads it, or NULL */
	bool *within;           /* one an op: runs in another's stage */
	const struct op **readers;
};

static void find_only_readers(const struct plan *plan, const struct op **only, bool *read)
{
	read[plan->output] = read[plan->scores] = true; /* by the caller */
	for (int k = 0; k < plan->op_count; k++)
		for (int i = 0; i < plan->ops[k].input_count; i++) {
			int t = plan->ops[k].inputs[i];
			only[t] = read[t] ? NULL : &plan->ops[k];
			read[t] = true;
		}
}

/* Only a ReLU tells for every positive value what it was before. */
static const struct op *relu_behind(const struct finding *f, int t)
{
	const struct op *reader = f->only[t];
	return reader && reader->kind == OP_ACTIVATION && reader->activation.kind == ACTIVATION_RELU ? reader : NULL;
}

/* oneDNN adds another tensor within kernels of 1 x 1 at no cost, but within larger ones only in kernels that are slower by more than a sum takes. */
static bool can_sum(const struct op *conv, bool relu)
{
	return conv->kind == OP_CONV && conv->groups == 1 && window_is_one_tap(&conv->window) && (!relu || conv->activation.kind == ACTIVATION_NONE);
}

static struct stage stage_of_add(struct finding *f, const struct op *add)
{
	struct stage s = {.op = add, .output = add->output};
	if (add->input_count != 2)
		return s;
	s.relu = relu_behind(f, add->output);
	const struct tensor *operands[2] = {&f->plan->tensors[add->inputs[0]], &f->plan->tensors[add->inputs[1]]};
	int later = operands[0]->maker > operands[1]->maker ? 0 : 1, maker = operands[later]->maker; /* the other operand is there by then */
	if (maker >= 0 && f->only[add->inputs[later]] == add && can_sum(&f->plan->ops[maker], s.relu != NULL)) {
		s.op = &f->plan->ops[maker];
		s.sum = add;
		s.addend = add->inputs[1 - later];
		f->within[s.op - f->plan->ops] = true;
		f->readers[s.op->output] = add;
	}
	if (s.relu) {
		f->within[s.relu - f->plan->ops] = true;
		f->readers[add->output] = s.relu;
		s.output = s.relu->output;
	}
	return s;
}

/* How many images a stage computes at once: as few as keep a processor's nearest memory busy, so that the next stage finds there what this one made,
 * and never fewer than the stage before it. */
static int images_at_once(const struct plan *plan, const struct stage *stage, int batch, int before)
{
	size_t each = (tensor_size(&plan->tensors[stage->op->inputs[0]]) + tensor_size(&plan->tensors[stage->output])) * sizeof(float);
	int images = stage->op->kind == OP_GEMM ? batch : before; /* its weights are read once for all */
	while (images < batch && (batch % images || (size_t)images * each < NEAR))
		images++;
	return images;
}

/* What only a Concat reads is there once more in its output. */
static void pass_to_concats(const struct finding *f, const struct stage *stages, int count)
{
	for (int k = 0; k < count; k++)
		for (int made = 0; stages[k].op->kind == OP_CONCAT && made < k; made++)
			if (f->only[stages[made].output] == stages[k].op && stages[made].images == stages[k].images)
				f->readers[stages[made].output] = stages[k].op;
}

int stages_find(const struct plan *plan, int batch, struct stage *stages, const struct op **readers)
{
	size_t tensors = (size_t)plan->tensor_count, ops = (size_t)plan->op_count;
	struct finding f = {.plan = plan, .only = calloc(tensors + 1, sizeof *f.only), .within = calloc(ops + 1, sizeof *f.within), .readers = readers};
	bool *read = calloc(tensors + 1, sizeof *read);
	struct stage *all = calloc(ops + 1, sizeof *all);
	int count = -1;
	if (f.only && f.within && read && all) {
		find_only_readers(plan, f.only, read);
		for (size_t k = 0; k < ops; k++) {
			const struct op *op = &plan->ops[k];
			all[k] = op->kind == OP_ADD ? stage_of_add(&f, op) : (struct stage){.op = op, .output = op->output};
		}
		count = 0;
		for (size_t k = 0; k < ops; k++)
			if (!f.within[k] && !op_shares_input(&plan->ops[k]))
				stages[count++] = all[k];
		for (int k = 0; k < count; k++)
			stages[k].images = images_at_once(plan, &stages[k], batch, k ? stages[k - 1].images : 1);
		pass_to_concats(&f, stages, count);
	}
	free(f.only);
	free(f.within);
	free(read);
	free(all);
	return count;
}
