/* One layer of an audit trail against the plain kernels. */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "core/replay_inside.h"
#include "core/trace/reference_select.h"

static bool same_place(struct place a, struct place b)
{
	return a.c == b.c && a.y == b.y && a.x == b.x;
}

static bool close_to(double a, double b, double rounding)
{
	return a == b || fabs(a - b) <= rounding + 1e-12 * fabs(b);
}

/* A line of a Conv or Gemm against the plain candidates of its neuron, of which the first `taken` are selected. */
static void check_weighed(struct replayer *r, const struct reference_layer *layer, const struct trail_line *line, size_t eligible, size_t taken,
	struct tally *tally)
{
	const struct step *s = &line->step;
	const struct reference_candidate *c = layer->candidates;
	size_t at = 0;
	while (at < eligible && !same_place(c[at].place, s->to))
		at++;
	bool known = at < eligible, supports = known && close_to(s->z_cur, c[at].cur, c[at].cur_rounding);
	if (known && !layer->rule.current_only)
		supports = supports && close_to(s->z_pre, c[at].pre, c[at].pre_rounding) && (s->z_suc == c[at].suc || c[at].close);
	bool weighed = supports && (close_to(s->omega, c[at].omega, c[at].omega_rounding) || c[at].close);
	/* Two that are selected may change ranks where rounding decides which of them is better. */
	size_t rank = (size_t)s->rank - 1;
	bool ranked = rank == at || (known && rank < taken && close_to(c[at].omega, c[rank].omega, c[at].omega_rounding + c[rank].omega_rounding));
	bool ordered = weighed && at < taken && ranked;
	bool rival = taken < eligible ? s->rivalled && close_to(s->runner_up, c[taken].omega, c[taken].omega_rounding) : !s->rivalled;
	if (known && isfinite(c[at].omega) && c[at].omega != 0)
		tally->difference = fmax(tally->difference, fabs(s->omega - c[at].omega) / fabs(c[at].omega));
	if (ordered && rival)
		return;
	if (layer->doubt && (!known || weighed)) {
		tally->ties++;
		if (!known || at >= taken)
			replay_remark(r, line->number, "rounding decides", s, "(%d, %d, %d) was selected, the plain kernels select (%d, %d, %d)", s->to.c, s->to.y, s->to.x,
				c[0].place.c, c[0].place.y, c[0].place.x);
		return;
	}
	tally->differ++;
	if (!known)
		replay_remark(r, line->number, "DIFFERS", s, "(%d, %d, %d) is no eligible candidate", s->to.c, s->to.y, s->to.x);
	else
		replay_remark(r, line->number, "DIFFERS", s, "z_cur %.9g, z_pre %.9g, z_suc %u, omega %.17g, rank %d; recomputed %.9g, %.9g, %u, %.17g, %zu", (double)s->z_cur,
			(double)s->z_pre, s->z_suc, s->omega, s->rank, c[at].cur, c[at].pre, c[at].suc, c[at].omega, at + 1);
}

static double value_at(const struct replayer *r, const struct trail_line *line, int t, struct place p)
{
	return session_value(r->x->crops[line->crop].session, t, 0, place_neuron(&r->x->net->plan.tensors[t], p));
}

/* True where an Add may go to that operand: the first with the highest value (the lowest where the sum is negative and that is explained), or under
 * residual = both any that pulls the same way. */
static bool operand_is_right(const struct replayer *r, const struct trail_line *line)
{
	const struct step *s = &line->step;
	const struct plan *plan = &r->x->net->plan;
	const struct policy *p = &r->image.choices.policy;
	bool negative = p->signed_ && s->op - plan->ops != score_op_of(plan) && value_at(r, line, s->op->output, s->from) < 0;
	double sign = negative ? -1 : 1, best = -INFINITY;
	int right = s->op->inputs[0];
	for (int i = 0; i < s->op->input_count; i++) {
		double value = sign * value_at(r, line, s->op->inputs[i], s->to);
		if (value > best) {
			best = value;
			right = s->op->inputs[i];
		}
	}
	return s->tensor == right || (p->residual == RESIDUAL_BOTH && sign * value_at(r, line, s->tensor, s->to) > 0);
}

/* A line of another layer: the place of the highest activation of a pool, an operand of an Add, or the same value elsewhere. */
static void check_placed(struct replayer *r, const struct trail_line *line, struct tally *tally)
{
	const struct step *s = &line->step;
	const struct plan *plan = &r->x->net->plan;
	const struct tensor *in = &plan->tensors[s->tensor];
	double own = value_at(r, line, s->op->output, s->from), value = value_at(r, line, s->tensor, s->to);
	bool all = rule_pools_all(plan, s->op, &r->image.choices.policy), good;
	switch (s->op->kind) {
	case OP_MAX_POOL:
	case OP_GLOBAL_MAX_POOL:
	case OP_AVERAGE_POOL:
	case OP_GLOBAL_AVERAGE_POOL:
		good = all ? value > 0 : reference_pool(plan, s->op, session_tensor(r->x->crops[line->crop].session, s->tensor, 0), s->from) == (long)s->to.y * in->w + s->to.x;
		good = good && s->to.c == s->from.c;
		break;
	case OP_ADD: good = same_place(s->from, s->to) && operand_is_right(r, line); break;
	case OP_MUL: good = same_place(s->from, s->to); break;
	default: good = value == own;
	}
	if (good)
		return;
	tally->differ++;
	replay_remark(r, line->number, "DIFFERS", s, "(%d, %d, %d) of %.60s (%.9g) does not explain it (%.9g)", s->to.c, s->to.y, s->to.x, in->name, value, own);
}

/* What a line's share of its neuron's mass is a share by. */
static double weight_of(const struct replayer *r, const struct trail_line *line)
{
	const struct step *s = &line->step;
	double own = value_at(r, line, s->op->output, s->from), value = value_at(r, line, s->tensor, s->to);
	return fmax(s->weighed ? s->omega : s->op->kind == OP_MUL ? 1 : s->op->kind == OP_ADD && own < 0 && value < 0 ? -value : value, 0);
}

/* The lines of one neuron hand on all of its mass, in the right shares. These are quotients of two sums of numbers that the lines have. */
static void check_masses(struct replayer *r, struct place s, const struct trail_line *lines, size_t count, struct tally *tally)
{
	const double ROUNDING = 1e-9;
	const struct index_set *neurons = &r->selected[tally->op->output];
	int64_t slot = index_set_find(neurons, place_neuron(&r->x->net->plan.tensors[tally->op->output], s));
	double total = 0, mass = slot < 0 ? 0 : r->masses[tally->op->output][slot];
	for (size_t i = 0; i < count; i++)
		total += weight_of(r, &lines[i]);
	for (size_t i = 0; i < count; i++) {
		double share = total > 0 && total < INFINITY && count > 1 ? weight_of(r, &lines[i]) / total : 1 / (double)count;
		if (fabs(lines[i].step.mass - mass * share) <= ROUNDING * mass)
			continue;
		tally->differ++;
		replay_remark(r, lines[i].number, "DIFFERS", &lines[i].step, "mass %.17g; recomputed %.17g", lines[i].step.mass, mass * share);
	}
}

/* The neurons of a tensor that were selected, sorted; to be freed. */
static struct place *places_of(const struct replayer *r, int t, size_t *count)
{
	*count = r->selected[t].count;
	struct place *places = malloc((*count + 1) * sizeof *places);
	for (size_t i = 0; places && i < *count; i++)
		places[i] = neuron_place(&r->x->net->plan.tensors[t], r->selected[t].keys[i]);
	if (places)
		qsort(places, *count, sizeof *places, place_compare);
	return places;
}

/* All lines of one neuron s of a Conv or Gemm: their count too must be right. */
static void check_neuron(struct replayer *r, struct reference_layer *layer, struct place s, const struct trail_line *lines, size_t count,
	struct tally *tally)
{
	size_t taken, eligible = reference_rank(layer, s, &taken);
	const struct reference_candidate *c = layer->candidates;
	for (size_t i = 0; i < count; i++)
		check_weighed(r, layer, &lines[i], eligible, taken, tally);
	double margin = taken && taken < eligible && c[0].omega > 0 ? (c[taken - 1].omega - c[taken].omega) / c[0].omega : INFINITY;
	if (margin < tally->margin) {
		tally->margin = margin;
		tally->closest = s;
	}
	if (taken == count)
		return;
	struct step step = {.op = layer->op, .from = s};
	tally->differ += !layer->doubt;
	tally->ties += layer->doubt;
	replay_remark(r, count ? lines->number : 0, layer->doubt ? "rounding decides" : "DIFFERS", &step, "%zu candidates were selected, the plain kernels select %zu",
		count, taken);
}

int replay_layer(struct replayer *r, int crop, const struct op *op, const struct trail_line *lines, size_t count, struct tally *tally,
	struct error *e)
{
	const struct plan *plan = &r->x->net->plan;
	bool weighed = op->kind == OP_CONV || op->kind == OP_GEMM;
	struct reference_layer layer = {0};
	size_t selected, at = 0;
	struct place *places = places_of(r, op->output, &selected);
	int code = places ? LSDN_OK : error_memory(e, "a replay");
	*tally = (struct tally){.neurons = selected, .lines = count, .margin = INFINITY, .op = op};
	if (!code && weighed)
		code = reference_layer_open(&layer, r->x->crops[crop].session, plan, 0, op, &r->image.choices.policy, places, selected, e);
	for (size_t i = 0; i < selected && !code; i++) {
		for (; at < count && place_compare(&lines[at].step.from, &places[i]) < 0; at++) {
			tally->differ++;
			replay_remark(r, lines[at].number, "DIFFERS", &lines[at].step, "this neuron was not selected");
		}
		size_t own = at;
		while (at < count && same_place(lines[at].step.from, places[i]))
			at++;
		if (weighed)
			check_neuron(r, &layer, places[i], lines + own, at - own, tally);
		for (size_t k = own; !weighed && k < at; k++)
			check_placed(r, &lines[k], tally);
		if (r->image.choices.policy.mass)
			check_masses(r, places[i], lines + own, at - own, tally);
	}
	for (; at < count && !code; at++) {
		tally->differ++;
		replay_remark(r, lines[at].number, "DIFFERS", &lines[at].step, "this neuron was not selected");
	}
	for (size_t i = 0; i < count && !code; i++)
		code = replay_select(r, lines[i].step.tensor, place_neuron(&plan->tensors[lines[i].step.tensor], lines[i].step.to), lines[i].step.mass, e);
	reference_layer_close(&layer);
	free(places);
	return code;
}
