/* A fully connected layer of which every eligible candidate is selected (k_fc = all): a candidate is looked at until each policy has it, which is soon where many
 * neurons are selected. */
#include "config.h"

#include "core/trace/rule.h"
#include "core/trace/walk_inside.h"

bool select_all_possible(const struct walk *w, const struct op *op, const struct rule *r)
{
	const struct tensor *in = &w->plan->tensors[op->inputs[0]];
	bool one_place = op->kind == OP_GEMM || (in->h == 1 && in->w == 1 && window_is_one_tap(&op->window) && op->groups == 1);
	return one_place && in->c > 1 && r->k == K_ALL && r->gated && !w->listener && !w->heavy;
}

/* The active inputs, as candidates without a slot in the selection. */
static size_t gather_active(struct walk *w, const struct op *op)
{
	const float *input = session_tensor(w->session, op->inputs[0], w->image);
	size_t count = 0;
	for (int c = 0; c < w->plan->tensors[op->inputs[0]].c; c++)
		if (input[c] != 0)
			w->candidates[count++] = (struct candidate){.neuron = (neuron_t)c, .top = -1};
	return count;
}

/* Adds neuron n for the policies of mask; *done where all have it now. */
static int add(struct walk *w, const struct op *op, struct candidate *c, const uint64_t *mask, const uint64_t *everyone, bool *done)
{
	struct selection *to = &w->selected[op->inputs[0]];
	size_t words = (size_t)w->words;
	if (c->top < 0) {
		int code = walk_add(w, op->inputs[0], c->neuron, mask);
		if (code)
			return code;
		c->top = index_set_find(&to->neurons, c->neuron);
	}
	uint64_t *own = to->masks + (size_t)c->top * words;
	uint64_t lacking = 0;
	for (size_t i = 0; i < words; i++) {
		own[i] |= mask[i];
		lacking |= everyone[i] & ~own[i];
	}
	*done = !lacking;
	return LSDN_OK;
}

/* Adds those of the candidates that speak for neuron s; returns in *count how many some policy still lacks. */
static int select_for(struct walk *w, const struct op *op, size_t slot, struct place s, const uint64_t *everyone, size_t *count)
{
	const uint64_t *mask = w->selected[op->output].masks + slot * (size_t)w->words;
	const float *input = session_tensor(w->session, op->inputs[0], w->image), *weights = op->weights + (size_t)s.c * (size_t)w->plan->tensors[op->inputs[0]].c;
	float sign;
	bool known = look_sign(w, op, s, &sign);
	size_t left = 0;
	int code = LSDN_OK;
	if (!known)
		look(w, op, slot, s);
	for (size_t i = 0; i < *count && !code; i++) {
		struct candidate *c = &w->candidates[i];
		float z = known ? sign * (input[c->neuron] * weights[c->neuron]) : w->seen.z[c->neuron];
		bool done = false;
		if (z > 0)
			code = add(w, op, c, mask, everyone, &done);
		if (!done)
			w->candidates[left++] = *c;
	}
	*count = left;
	return code;
}

int select_all(struct walk *w, const struct op *op)
{
	const struct selection *from = &w->selected[op->output];
	uint64_t everyone[WALK_WORDS] = {0};
	size_t count = gather_active(w, op);
	int code = look_start(w, op, 0);
	for (size_t i = 0; i < from->neurons.count * (size_t)w->words; i++)
		everyone[i % (size_t)w->words] |= from->masks[i];
	for (size_t slot = 0; slot < from->neurons.count && count && !code; slot++)
		code = select_for(w, op, slot, neuron_place(&w->plan->tensors[op->output], from->neurons.keys[slot]), everyone, &count);
	return code;
}
