/* What a selected neuron's candidates are: their Z_cur and places (paper, eq. 2). */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "core/trace/supports_inside.h"
#include "core/trace/walk_inside.h"

enum { MOST_KEPT = 1 << 20 };

size_t walk_most_candidates(const struct plan *plan)
{
	size_t most = 1;
	for (int k = 0; k < plan->op_count; k++) {
		const struct op *op = &plan->ops[k];
		size_t count = op->kind == OP_CONV || op->kind == OP_GEMM ? (size_t)support_count(plan, op) : 0;
		most = count > most ? count : most;
	}
	return most;
}

int look_start(struct walk *w, const struct op *op, size_t selected)
{
	struct seen *seen = &w->seen;
	size_t count = (size_t)support_count(w->plan, op);
	seen->kept = selected && selected <= MOST_KEPT / count;
	seen->done = false;
	size_t wanted = (seen->kept ? selected : 2) * count;
	if (wanted <= seen->room)
		return LSDN_OK;
	free(seen->all_z);
	free(seen->all_pixels);
	seen->all_z = malloc(wanted * sizeof *seen->all_z);
	seen->all_pixels = malloc(wanted * sizeof *seen->all_pixels);
	seen->room = seen->all_z && seen->all_pixels ? wanted : 0;
	return seen->room ? LSDN_OK : error_memory(w->error, "a walk");
}

/* Minus infinity for what is not a number. */
LSDN_KERNEL static void without_nan(float *z, float sign, int count)
{
	for (int c = 0; c < count; c++) {
		float value = sign * z[c];
		z[c] = value >= -INFINITY ? value : -INFINITY;
	}
}

/* True where a negative value at the op's output is to be explained as one: a class score is what it is. */
static bool sign_counts(const struct walk *w, const struct op *op)
{
	return w->policies[0].signed_ && op - w->plan->ops != w->score_op;
}

bool look_sign(const struct walk *w, const struct op *op, struct place s, float *sign)
{
	float value = 1;
	bool known = !sign_counts(w, op) || support_output_kept(w->session, w->plan, w->image, op, s, &value);
	*sign = value < 0 ? -1 : 1;
	return known;
}

/* Z_cur, and where places are looked for those too, for that sign. */
static void see(struct walk *w, const struct op *op, struct place s, float sign)
{
	const float *input = session_tensor(w->session, op->inputs[0], w->image);
	if (w->seen.pixels)
		support_current_and_places(w->plan, op, input, s, sign, w->seen.z, w->seen.pixels);
	else
		support_current(w->plan, op, input, s, w->seen.z);
}

void look(struct walk *w, const struct op *op, size_t k, struct place s)
{
	const struct policy *p = &w->policies[0];
	struct seen *seen = &w->seen;
	int count = support_count(w->plan, op);
	bool strongest = op->kind == OP_CONV && p->locate == LOCATE_STRONGEST && op->window.height * op->window.width > 1;
	seen->z = seen->all_z + (seen->kept ? k * (size_t)count : 0);
	seen->pixels = strongest ? seen->all_pixels + (seen->kept ? k * (size_t)count : 0) : NULL;
	seen->pixel = op->kind == OP_CONV ? support_center(w->plan, op, s) : 0;
	if (seen->done)
		return;
	float sign;
	bool known = look_sign(w, op, s, &sign);
	see(w, op, s, sign);
	if (!known) {
		float other = sign;
		sign = support_output(op, s, seen->z, count) < 0 ? -1 : 1;
		if (seen->pixels && sign != other)
			see(w, op, s, sign);
	}
	without_nan(seen->z, sign, count);
}

neuron_t look_neuron(const struct walk *w, const struct op *op, struct place s, int c)
{
	uint32_t pixel = w->seen.pixels ? w->seen.pixels[c] : w->seen.pixel;
	return pixel * (uint32_t)w->plan->tensors[op->inputs[0]].c + (uint32_t)(support_first_channel(w->plan, op, s.c) + c);
}
