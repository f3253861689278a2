#include "config.h"

#include "core/why.h"

#include <math.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/trail.h"

int why_open(struct why *w, const struct explainer *x, int stride, struct error *e)
{
	*w = (struct why){.x = x, .stride = stride, .tensors = calloc(VIEW_MOST_CROPS * (size_t)x->net->plan.tensor_count, sizeof *w->tensors)};
	return w->tensors ? LSDN_OK : error_memory(e, "a chain of neurons");
}

static size_t tensor_total(const struct why *w)
{
	return w->tensors ? VIEW_MOST_CROPS * (size_t)w->x->net->plan.tensor_count : 0;
}

void why_close(struct why *w)
{
	for (size_t i = 0; i < tensor_total(w); i++) {
		index_set_free(&w->tensors[i].neurons);
		free(w->tensors[i].entries);
	}
	free(w->tensors);
	*w = (struct why){0};
}

void why_clear(struct why *w)
{
	for (size_t i = 0; i < tensor_total(w); i++)
		index_set_clear(&w->tensors[i].neurons);
}

/* Neurons of tensors that differ by through operators alone are the same. */
static struct why_tensor *tensor_of(const struct why *w, int crop, int t)
{
	const struct plan *plan = &w->x->net->plan;
	return &w->tensors[(size_t)crop * (size_t)plan->tensor_count + (size_t)plan_layer_tensor(plan, t)];
}

int why_step(struct why *w, int crop, const struct step *step, struct error *e)
{
	struct why_tensor *t = tensor_of(w, crop, step->tensor);
	size_t before = t->neurons.count;
	int64_t slot = index_set_add(&t->neurons, place_neuron(&w->x->net->plan.tensors[step->tensor], step->to));
	if (slot >= 0 && t->neurons.count > t->room) {
		size_t room = 2 * t->neurons.count;
		struct why_entry *entries = realloc(t->entries, room * sizeof *entries);
		if (entries) {
			t->entries = entries;
			t->room = room;
		} else {
			slot = -1;
		}
	}
	if (slot < 0)
		return error_memory(e, "a chain of neurons");
	struct why_entry *entry = &t->entries[slot];
	if (t->neurons.count > before)
		*entry = (struct why_entry){.step = *step};
	entry->selected++;
	if (step->omega > entry->step.omega)
		entry->step = *step;
	return LSDN_OK;
}

static const struct why_entry *entry_of(const struct why *w, int crop, int t, neuron_t n)
{
	const struct why_tensor *tensor = tensor_of(w, crop, t);
	int64_t slot = index_set_find(&tensor->neurons, n);
	return slot < 0 ? NULL : &tensor->entries[slot];
}

/* Where a chain ends in the photograph. */
struct end {
	int crop;
	struct point point;
	const struct why_entry *entry; /* NULL: no point at all */
};

/* The neuron at which the walk ends whose point is nearest to (x, y); of equals the one with the highest Omega. */
static struct end find_end(const struct why *w, int x, int y)
{
	const struct plan *plan = &w->x->net->plan;
	struct end best = {0};
	double nearest = INFINITY;
	for (int i = 0; i < w->x->crop_count * plan->tensor_count; i++) {
		int crop = i / plan->tensor_count, tensor = i % plan->tensor_count;
		const struct why_tensor *t = tensor_of(w, crop, tensor);
		if (!walk_ends(plan, tensor, w->stride) || plan_layer_tensor(plan, tensor) != tensor)
			continue;
		for (size_t slot = 0; slot < t->neurons.count; slot++) {
			struct place place = walk_pixel(plan, tensor, neuron_place(&plan->tensors[tensor], t->neurons.keys[slot]));
			struct point p = view_point(&w->x->crops[crop].geometry, place.y, place.x);
			double distance = hypot(p.x - x, p.y - y);
			if (distance < nearest || (distance == nearest && t->entries[slot].step.omega > best.entry->step.omega)) {
				nearest = distance;
				best = (struct end){crop, p, &t->entries[slot]};
			}
		}
	}
	return best;
}

/* The step that selected the neuron that this step started from; NULL: that is a class. */
static const struct why_entry *above(const struct why *w, int crop, const struct why_entry *entry)
{
	int t = entry->step.op->output;
	return entry_of(w, crop, t, place_neuron(&w->x->net->plan.tensors[t], entry->step.from));
}

/* The chain from the class down; to be freed. A plan's operators are in order, so no chain is longer than they are. */
static const struct why_entry **chain_of(const struct why *w, const struct end *end, int *length)
{
	const struct why_entry **chain = malloc((size_t)w->x->net->plan.op_count * sizeof *chain);
	*length = 0;
	for (const struct why_entry *entry = end->entry; chain && entry; entry = above(w, end->crop, entry))
		chain[(*length)++] = entry;
	for (int i = 0; i < *length / 2; i++) {
		const struct why_entry *swap = chain[i];
		chain[i] = chain[*length - 1 - i];
		chain[*length - 1 - i] = swap;
	}
	return chain;
}

static void print_reason(const struct why *w, FILE *out, int crop, const struct why_entry *entry)
{
	const struct step *s = &entry->step;
	const struct tensor *t = &w->x->net->plan.tensors[s->tensor];
	float value = session_value(w->x->crops[crop].session, s->tensor, 0, place_neuron(t, s->to));
	if (s->weighed) {
		fprintf(out, "Z_cur %.4g, Z_pre %.4g, Z_suc %u: Omega %.4g, rank %d", (double)s->z_cur, (double)s->z_pre, s->z_suc, s->omega, s->rank);
		if (s->rivalled)
			fprintf(out, ", the first left out %.4g", s->runner_up);
	} else {
		fprintf(out, "activation %.4g", (double)value);
	}
	if (entry->selected > 1)
		fprintf(out, "; selected by %u more", entry->selected - 1);
	fputc('\n', out);
}

void why_print(const struct why *w, FILE *out, int x, int y)
{
	struct end end = find_end(w, x, y);
	char name[32], layer[64];
	int length;
	if (!end.entry) {
		fprintf(out, "  why (%d, %d): the explanation has no point\n", x, y);
		return;
	}
	const struct why_entry **chain = chain_of(w, &end, &length);
	if (!chain || !length) {
		fprintf(out, "  why (%d, %d): memory is short\n", x, y);
		free(chain);
		return;
	}
	fprintf(out, "  why the point (x %.1f, y %.1f), the nearest to (%d, %d):\n", end.point.x, end.point.y, x, y);
	fprintf(out, "    class %d, %s\n", chain[0]->step.from.c, net_class_name(w->x->net, chain[0]->step.from.c, name));
	for (int i = 0; i < length; i++) {
		const struct step *s = &chain[i]->step;
		const struct tensor *t = &w->x->net->plan.tensors[s->tensor];
		snprintf(layer, sizeof layer, "%.40s (%.16s)", s->op->name, s->op->op_type);
		fprintf(out, "    %-36s channel %4d", layer, s->to.c);
		if (t->h > 1 || t->w > 1)
			fprintf(out, " at x %3d, y %3d of %d x %d", s->to.x, s->to.y, t->w, t->h);
		fprintf(out, ": ");
		print_reason(w, out, end.crop, chain[i]);
	}
	free(chain);
}

json_t *why_json(const struct why *w, int x, int y)
{
	struct end end = find_end(w, x, y);
	int length = 0;
	const struct why_entry **chain = end.entry ? chain_of(w, &end, &length) : NULL;
	json_t *steps = json_array();
	for (int i = 0; chain && i < length; i++)
		json_array_append_new(steps, trail_step_json(&w->x->net->plan, w->x->crop_count > 1 ? end.crop : -1, &chain[i]->step));
	free(chain);
	if (end.entry)
		return json_pack("{s:[f, f], s:o}", "point", end.point.y, end.point.x, "steps", steps);
	json_decref(steps);
	return json_null();
}
