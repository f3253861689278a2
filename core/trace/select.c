/* Supports, Omega and the selection of one Conv or Gemm (paper, eq. 1 to 5). */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/bounds.h"
#include "core/trace/dense.h"
#include "core/trace/lanes.h"
#include "core/trace/pair.h"
#include "core/trace/search.h"
#include "core/trace/supports_inside.h"

LSDN_KERNEL static int first_highest(const float *z, int count)
{
	int place = lanes_find(z, count, lanes_maximum(z, count));
	return place < count ? place : 0;
}

/* The candidate with the highest Z_cur of neuron s, which was looked at. */
static neuron_t top_neuron(const struct walk *w, const struct op *op, struct place s)
{
	return look_neuron(w, op, s, first_highest(w->seen.z, support_count(w->plan, op)));
}

/* Adds 1 where the mask has its policy. */
LSDN_KERNEL static void count_policies(uint32_t *restrict counts, const uint64_t *restrict mask, int policies)
{
	for (int p = 0; p < policies; p++)
		counts[p] += (uint32_t)(mask[p / 64] >> (p % 64) & 1);
}

static struct place place_in_hand(const struct walk *w, const struct layer *l, size_t k)
{
	return neuron_place(&w->plan->tensors[l->op->output], l->from->neurons.keys[walk_slot(w, k)]);
}

static int find_top(struct walk *w, const struct layer *l, size_t k)
{
	struct place s = place_in_hand(w, l, k);
	look(w, l->op, k, s);
	w->tops_of[k] = top_neuron(w, l->op, s);
	return LSDN_OK;
}

static int make_room_for_tops(struct walk *w, size_t selected)
{
	if (selected <= w->tops_of_room)
		return LSDN_OK;
	free(w->tops_of);
	w->tops_of = malloc(selected * sizeof *w->tops_of);
	w->tops_of_room = w->tops_of ? selected : 0;
	return w->tops_of ? LSDN_OK : error_memory(w->error, "a walk");
}

/* Z_suc counts, for each policy, the selected neurons for which a candidate has the highest Z_cur. */
static int count_tops(struct walk *w, const struct layer *l)
{
	size_t policies = (size_t)w->count, selected = l->from->neurons.count;
	int code = make_room_for_tops(w, selected);
	if (!code)
		code = pair_run(w, l, find_top, selected);
	w->seen.done = w->seen.kept;
	for (size_t k = 0; k < selected && !code; k++) {
		size_t before = w->tops.count;
		int64_t top = index_set_add(&w->tops, w->tops_of[k]);
		uint32_t *counts = top < 0 ? NULL : with_room(w->top_counts, &w->top_room, w->tops.count * policies, sizeof *counts);
		if (!counts)
			return error_memory(w->error, "a walk");
		w->top_counts = counts;
		counts += (size_t)top * policies;
		if (w->tops.count > before)
			memset(counts, 0, policies * sizeof *counts);
		count_policies(counts, l->from->masks + walk_slot(w, k) * (size_t)w->words, w->count);
	}
	return code;
}

/* Z_pre of neuron n of tensor t. */
static int preceding(struct walk *w, int t, neuron_t n, float *value)
{
	uint32_t channels = (uint32_t)w->plan->tensors[t].c;
	t = plan_layer_tensor(w->plan, t);
	if (!bounds_of(w->bounds, t, n / channels, w->error))
		return (int)w->error->code;
	*value = bounds_exact(w->bounds, t, n / channels, (int)(n % channels));
	return LSDN_OK;
}

static uint32_t succeeding(const struct walk *w, int p, const struct candidate *c)
{
	uint32_t count = c->top < 0 ? 0 : w->top_counts[(size_t)c->top * (size_t)w->count + (size_t)p];
	return count ? count : 1;
}

/* Omega for policy p, but for a factor that all candidates of a neuron share: under the product form alpha_suc, and alpha_cur where it is not 0.
 * What is not a number ranks last. */
static double omega(const struct walk *w, int p, const struct candidate *c)
{
	const struct mixture *m = &w->mixtures[p];
	double z_suc = succeeding(w, p, c), pre = m->alpha.pre == 0 ? 0 : c->pre; /* which may be infinite */
	double sum = m->alpha.cur == 0 ? m->alpha.pre * pre : c->cur + m->ratio * pre;
	double value = w->policies[p].suc_form == SUC_POWER ? pow(z_suc, m->alpha.suc) * sum : m->alpha.suc == 0 ? 0 : z_suc * sum;
	return isnan(value) ? -INFINITY : value;
}

/* The same with every factor, of the listener's one policy. */
static double full_omega(const struct walk *w, const struct candidate *c, bool current_only)
{
	const struct alpha *a = &w->mixtures[0].alpha;
	if (current_only)
		return c->cur;
	double z_suc = succeeding(w, 0, c), sum = (a->cur == 0 ? 0 : a->cur * c->cur) + (a->pre == 0 ? 0 : a->pre * c->pre);
	return w->policies[0].suc_form == SUC_POWER ? pow(z_suc, a->suc) * sum : a->suc == 0 ? 0 : a->suc * z_suc * sum;
}

/* Divides the supports by the highest finite absolute value of their kind. */
static void to_like_units(struct candidate *c, size_t count)
{
	float cur = 0, pre = 0;
	for (size_t i = 0; i < count; i++) {
		cur = isfinite(c[i].cur) ? fmaxf(cur, fabsf(c[i].cur)) : cur;
		pre = isfinite(c[i].pre) ? fmaxf(pre, fabsf(c[i].pre)) : pre;
	}
	for (size_t i = 0; i < count; i++) {
		c[i].cur /= cur == 0 ? 1 : cur;
		c[i].pre /= pre == 0 ? 1 : pre;
	}
}

/* Selects a candidate, and tells a listener of what rank it is and what came next to the selected ones (NULL: nothing was left). */
static int take(struct walk *w, const struct op *op, const struct rule *r, const struct ranked *taken, int rank, const struct ranked *next, const uint64_t *mask)
{
	const struct candidate *c = &w->candidates[taken->candidate];
	if (w->listener) {
		struct step *step = &w->step;
		step->weighed = true;
		step->z_cur = c->cur;
		step->z_pre = c->pre;
		step->z_suc = succeeding(w, 0, c);
		step->omega = full_omega(w, c, r->current_only);
		step->rank = rank;
		step->rivalled = next;
		step->runner_up = next ? full_omega(w, &w->candidates[next->candidate], r->current_only) : 0;
	}
	return walk_add(w, op->inputs[0], c->neuron, mask);
}

/* How many of the best, of which there are `found`, have the share of all positive Omega that the rule wants; one, where that is nothing or no number. */
static size_t enough(const struct rule *r, const struct ranked *best, size_t found, double total)
{
	size_t k = 1;
	double sum = fmax(best[0].omega, 0);
	while (k < found && k < (size_t)r->k && total < INFINITY && sum < r->share * total)
		sum += fmax(best[k++].omega, 0);
	return k;
}

/* Policy p's own: the k candidates with the highest Omega; k is at least 1 and less than count, or there is a share. The first of equals wins. */
static int take_best(struct walk *w, const struct op *op, const struct rule *r, int p, size_t count)
{
	struct ranked best[K_MOST + 1];
	uint64_t mask[WALK_WORDS] = {0};
	size_t found = 0, k = (size_t)r->k, most = w->listener ? k + 1 : k;
	double all = 0, total = 0;
	mask[p / 64] = (uint64_t)1 << (p % 64);
	for (size_t i = 0; i < count; i++) {
		double value = r->current_only ? w->candidates[i].cur : omega(w, p, &w->candidates[i]);
		all += fmax(value, 0);
		if (found == most && !(value > best[found - 1].omega))
			continue;
		size_t at = found < most ? found++ : found - 1;
		while (at > 0 && value > best[at - 1].omega) {
			best[at] = best[at - 1];
			at--;
		}
		best[at] = (struct ranked){value, i};
	}
	int code = LSDN_OK;
	if (r->share > 0)
		k = enough(r, best, found, all);
	for (size_t i = 0; i < k; i++)
		total += fmax(best[i].omega, 0);
	for (size_t i = 0; i < k && !code; i++) {
		w->share = mass_share(best[i].omega, total, k);
		code = take(w, op, r, &best[i], (int)i + 1, found > k ? &best[k] : NULL, mask);
	}
	return code;
}

static int by_rank(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->omega != b->omega)
		return a->omega > b->omega ? -1 : 1;
	return (a->candidate > b->candidate) - (a->candidate < b->candidate);
}

/* All candidates for policy p, each with its share of mass. */
static int take_shares(struct walk *w, const struct op *op, const struct rule *r, int p, size_t count)
{
	uint64_t mask[WALK_WORDS] = {0};
	double total = 0;
	int code = LSDN_OK;
	mask[p / 64] = (uint64_t)1 << (p % 64);
	for (size_t i = 0; i < count; i++) {
		w->ranked[i] = (struct ranked){r->current_only ? w->candidates[i].cur : omega(w, p, &w->candidates[i]), i};
		total += fmax(w->ranked[i].omega, 0);
	}
	if (w->listener)
		qsort(w->ranked, count, sizeof *w->ranked, by_rank);
	for (size_t i = 0; i < count && !code; i++) {
		w->share = mass_share(w->ranked[i].omega, total, count);
		code = take(w, op, r, &w->ranked[i], (int)i + 1, NULL, mask);
	}
	return code;
}

/* All candidates, for all policies; ranked where a listener wants to know. */
static int take_all(struct walk *w, const struct op *op, const struct rule *r, size_t count, const uint64_t *mask)
{
	int code = LSDN_OK;
	for (size_t i = 0; i < count; i++)
		w->ranked[i] = (struct ranked){w->listener && !r->current_only ? omega(w, 0, &w->candidates[i]) : w->candidates[i].cur, i};
	if (w->listener)
		qsort(w->ranked, count, sizeof *w->ranked, by_rank);
	for (size_t i = 0; i < count && !code; i++)
		code = take(w, op, r, &w->ranked[i], (int)i + 1, NULL, mask);
	return code;
}

/* Gathers the eligible candidates of s. */
static size_t gather(struct walk *w, const struct op *op, struct place s, bool gated)
{
	int all = support_count(w->plan, op);
	const float *z = w->seen.z;
	size_t count = 0;
	for (int c = 0; c < all; c++)
		if (!gated || all == 1 || z[c] > 0)
			w->candidates[count++] = (struct candidate){.neuron = look_neuron(w, op, s, c), .cur = z[c], .top = -1};
	return count;
}

/* The other supports of the candidates, for their Omega. */
static int weigh(struct walk *w, const struct op *op, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct candidate *c = &w->candidates[i];
		c->top = index_set_find(&w->tops, c->neuron);
		int code = w->preceding ? preceding(w, op->inputs[0], c->neuron, &c->pre) : LSDN_OK;
		if (code)
			return code;
	}
	if (w->policies[0].scale == SCALE_MAX)
		to_like_units(w->candidates, count);
	return LSDN_OK;
}

/* Weighs all candidates of s. */
static int select_among_all(struct walk *w, const struct op *op, const struct rule *r, struct place s, const uint64_t *mask)
{
	w->step = (struct step){.op = op, .from = s};
	size_t count = gather(w, op, s, r->gated);
	bool all = r->share > 0 ? count <= 1 : r->k == K_ALL || (size_t)r->k >= count, shared = w->heavy && count > 1;
	/* Where all are taken, their Omega is for a listener and for shares alone. */
	int code = (!all || w->listener || shared) && !r->current_only ? weigh(w, op, count) : LSDN_OK;
	if (!code && all && !shared)
		return take_all(w, op, r, count, mask);
	for (int p = 0; p < w->count && !code; p++)
		if (mask[p / 64] >> (p % 64) & 1)
			code = all ? take_shares(w, op, r, p, count) : take_best(w, op, r, p, count);
	return code;
}

static int select_for(struct walk *w, const struct layer *l, size_t k)
{
	size_t slot = walk_slot(w, k);
	struct place s = place_in_hand(w, l, k);
	const uint64_t *mask = l->from->masks + slot * (size_t)w->words;
	bool done = false;
	look(w, l->op, k, s);
	mass_give(w, l->from, slot);
	if (l->top_alone)
		return walk_add(w, l->op->inputs[0], top_neuron(w, l->op, s), mask);
	int code = l->search ? search_run(w, l->op, &l->rule, s, mask, &done) : LSDN_OK;
	return code || done ? code : select_among_all(w, l->op, &l->rule, s, mask);
}

/* Alpha of every policy at the layer; true where Z_pre enters some Omega. */
static bool mix(struct walk *w, const struct op *op)
{
	bool preceding = w->listener;
	for (int p = 0; p < w->count; p++) {
		struct alpha alpha = policy_alpha(&w->policies[p], (int)(op - w->plan->ops));
		w->mixtures[p] = (struct mixture){alpha, alpha.cur == 0 ? 0 : alpha.pre / alpha.cur};
		preceding = preceding || alpha.pre != 0;
	}
	return preceding;
}

/* Makes ready for Z_pre of the layer's candidates. */
static int prepare_preceding(struct walk *w, const struct layer *l, bool search)
{
	bool pays;
	int code = dense_pays(w, l, search, &pays);
	if (!code && pays)
		code = dense_know(w, l);
	return code || pays ? code : bounds_prepare(w->bounds, l->op->inputs[0], w->error);
}

int walk_select(struct walk *w, const struct op *op)
{
	struct layer l = {.op = op, .from = &w->selected[op->output], .rule = rule_of(w->plan, op, &w->policies[0])};
	const struct rule *r = &l.rule;
	if (select_all_possible(w, op, r))
		return select_all(w, op);
	w->preceding = mix(w, op);
	bool choice = r->share > 0 || (r->k != K_ALL && r->k < support_count(w->plan, op)); /* no neuron has more candidates */
	bool search = choice && search_possible(w, r);
	l.top_alone = r->current_only && r->k == 1 && !r->gated && !w->listener; /* all that CNN-Fixations asks for */
	bool weighed = (choice || w->listener || w->heavy) && !r->current_only; /* Omega is asked for */
	int code = look_start(w, op, l.from->neurons.count);
	if (!code && weighed && w->preceding)
		code = prepare_preceding(w, &l, search);
	index_set_clear(&w->tops);
	if (!code && weighed && l.from->neurons.count > 1)
		code = count_tops(w, &l);
	l.search = !code && search;
	if (l.search)
		code = search_start(w, op, r);
	if (!code)
		code = pair_run(w, &l, select_for, l.from->neurons.count);
	if (l.search)
		search_end(w, op);
	return code;
}
