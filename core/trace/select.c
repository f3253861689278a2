/* Supports, Omega and the selection of one Conv or Gemm (paper, eq. 1 to 5). */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/rule.h"
#include "core/trace/walk_inside.h"

/* Z_cur and places of the candidates of s, negated where s is negative and that is to be explained. */
static void look(struct walk *w, const struct op *op, struct place s)
{
	const struct policy *p = &w->policies[0];
	const float *input = session_tensor(w->session, op->inputs[0], w->image);
	int count = support_count(w->plan, op);
	support_current(w->plan, op, input, s, w->z);
	bool score = op - w->plan->ops == w->score_op;
	bool negative = p->signed_ && !score && support_output(w->session, w->plan, w->image, op, s, w->z) < 0;
	for (int c = 0; c < count; c++)
		w->z[c] = isnan(w->z[c]) ? -INFINITY : negative ? -w->z[c] : w->z[c];
	if (op->kind == OP_GEMM)
		return;
	if (p->locate == LOCATE_STRONGEST) {
		support_strongest(w->plan, op, input, s, negative ? -1 : 1, w->scratch, w->pixels);
		return;
	}
	uint32_t center = support_center(w->plan, op, s);
	for (int c = 0; c < count; c++)
		w->pixels[c] = center;
}

/* Candidate c of s as a neuron of the op's input. */
static neuron_t candidate_neuron(const struct walk *w, const struct op *op, struct place s, int c)
{
	if (op->kind == OP_GEMM)
		return (neuron_t)c;
	return w->pixels[c] * (uint32_t)w->plan->tensors[op->inputs[0]].c + (uint32_t)(support_first_channel(w->plan, op, s.c) + c);
}

/* Z_suc counts, for each policy, the selected neurons for which a candidate has the highest Z_cur. */
static int count_tops(struct walk *w, const struct op *op)
{
	const struct selection *from = &w->selected[op->output];
	index_set_clear(&w->tops);
	for (size_t slot = 0; slot < from->neurons.count; slot++) {
		struct place s = neuron_place(&w->plan->tensors[op->output], from->neurons.keys[slot]);
		look(w, op, s);
		int best = 0;
		for (int c = 1; c < support_count(w->plan, op); c++)
			best = w->z[c] > w->z[best] ? c : best;
		int64_t top = index_set_add(&w->tops, candidate_neuron(w, op, s, best));
		size_t policies = (size_t)w->count;
		if (top >= 0 && w->tops.count * policies > w->top_room) {
			size_t room = 2 * w->tops.count * policies;
			uint32_t *counts = realloc(w->top_counts, room * sizeof *counts);
			if (!counts)
				return error_memory(w->error, "a walk");
			memset(counts + w->top_room, 0, (room - w->top_room) * sizeof *counts);
			w->top_counts = counts;
			w->top_room = room;
		}
		if (top < 0)
			return error_memory(w->error, "a walk");
		uint32_t *counts = w->top_counts + (size_t)top * policies;
		for (size_t p = 0; p < policies; p++)
			counts[p] += (uint32_t)(from->masks[slot * (size_t)w->words + p / 64] >> (p % 64) & 1);
	}
	return LSDN_OK;
}

/* Z_pre of neuron n of tensor t, computed once an image. */
static int preceding(struct walk *w, int t, neuron_t n, float *value)
{
	const struct tensor *tensor = &w->plan->tensors[t];
	size_t pixels = (size_t)tensor->h * (size_t)tensor->w, channels = (size_t)tensor->c;
	if (!w->rows[t] && !(w->rows[t] = arena_alloc(&w->arena, pixels, sizeof(float *))))
		return error_memory(w->error, "a walk");
	uint32_t pixel = n / (uint32_t)channels;
	float **row = &w->rows[t][pixel];
	if (!*row) {
		*row = arena_alloc(&w->arena, channels, sizeof(float));
		if (!*row)
			return error_memory(w->error, "a walk");
		support_preceding_row(w->session, w->plan, w->image, t, (int)pixel / tensor->w, (int)pixel % tensor->w, *row);
	}
	float *z = &(*row)[n - pixel * (uint32_t)channels];
	if (isnan(*z))
		*z = support_preceding(w->session, w->plan, w->image, t, neuron_place(tensor, n), w->scratch);
	*value = *z;
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

/* True where c's Omega is at least that of any candidate with lower supports and Z_suc 1: a higher Z_suc makes a negative sum worse. */
static bool gains_from_suc(const struct candidate *c)
{
	return c->top < 0 || (c->cur >= 0 && c->pre >= 0);
}

/* Candidates that can win for no policy, of which none is flat, go: with Z_suc alike, one that is at least as good in both supports (and comes first or
 * is better in both) wins whatever alpha is. Those that are a top of several neurons stay. Order is kept. */
static size_t keep_frontier(struct candidate *c, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		bool beaten = false;
		for (size_t k = 0; k < kept && !beaten; k++)
			beaten = c[i].top < 0 && c[k].cur >= c[i].cur && c[k].pre >= c[i].pre && gains_from_suc(&c[k]);
		if (beaten)
			continue;
		/* A later one that is better in both pushes earlier ones out. */
		size_t left = 0;
		for (size_t k = 0; k < kept; k++)
			if (c[k].top >= 0 || !(c[i].cur > c[k].cur && c[i].pre > c[k].pre && gains_from_suc(&c[i])))
				c[left++] = c[k];
		kept = left;
		c[kept++] = c[i];
	}
	return kept;
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

/* Policy p's own: the k candidates with the highest Omega; k is at least 1 and less than count. The first of equals wins. */
static int take_best(struct walk *w, const struct op *op, const struct rule *r, int p, size_t count)
{
	struct ranked best[K_MOST + 1];
	uint64_t mask[WALK_MAX_POLICIES / 64] = {0};
	size_t found = 0, k = (size_t)r->k, most = w->listener ? k + 1 : k;
	mask[p / 64] = (uint64_t)1 << (p % 64);
	for (size_t i = 0; i < count; i++) {
		double value = r->current_only ? w->candidates[i].cur : omega(w, p, &w->candidates[i]);
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
	for (size_t i = 0; i < found && i < k && !code; i++)
		code = take(w, op, r, &best[i], (int)i + 1, found > k ? &best[k] : NULL, mask);
	return code;
}

static int by_rank(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->omega != b->omega)
		return a->omega > b->omega ? -1 : 1;
	return (a->candidate > b->candidate) - (a->candidate < b->candidate);
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
	size_t count = 0;
	look(w, op, s);
	for (int c = 0; c < all; c++)
		if (!gated || all == 1 || w->z[c] > 0)
			w->candidates[count++] = (struct candidate){.neuron = candidate_neuron(w, op, s, c), .cur = w->z[c], .top = -1};
	return count;
}

/* The other supports of the candidates, for their Omega. */
static int weigh(struct walk *w, const struct op *op, size_t count)
{
	bool with_pre = w->listener;
	for (int p = 0; p < w->count; p++)
		with_pre = with_pre || w->mixtures[p].alpha.pre != 0;
	for (size_t i = 0; i < count; i++) {
		struct candidate *c = &w->candidates[i];
		c->top = index_set_find(&w->tops, c->neuron);
		int code = with_pre ? preceding(w, op->inputs[0], c->neuron, &c->pre) : LSDN_OK;
		if (code)
			return code;
	}
	if (w->policies[0].scale == SCALE_MAX)
		to_like_units(w->candidates, count);
	return LSDN_OK;
}

static int select_for(struct walk *w, const struct op *op, const struct rule *r, struct place s, const uint64_t *mask)
{
	w->step = (struct step){.op = op, .from = s};
	size_t count = gather(w, op, s, r->gated);
	bool all = r->k == K_ALL || (size_t)r->k >= count; /* where all are taken, their Omega is for a listener alone */
	int code = (!all || w->listener) && !r->current_only ? weigh(w, op, count) : LSDN_OK;
	if (code || all)
		return code ? code : take_all(w, op, r, count, mask);
	if (r->k == 1 && w->count > 1 && !r->current_only && !w->some_flat)
		count = keep_frontier(w->candidates, count);
	for (int p = 0; p < w->count && !code; p++)
		if (mask[p / 64] >> (p % 64) & 1)
			code = take_best(w, op, r, p, count);
	return code;
}

static int make_room(struct walk *w, const struct op *op)
{
	size_t count = (size_t)support_count(w->plan, op);
	if (count <= w->support_room)
		return LSDN_OK;
	free(w->z);
	free(w->pixels);
	free(w->candidates);
	free(w->ranked);
	w->z = malloc(count * sizeof *w->z);
	w->pixels = malloc(count * sizeof *w->pixels);
	w->candidates = malloc(count * sizeof *w->candidates);
	w->ranked = malloc(count * sizeof *w->ranked);
	w->support_room = w->z && w->pixels && w->candidates && w->ranked ? count : 0;
	return w->support_room ? LSDN_OK : error_memory(w->error, "a walk");
}

int walk_select(struct walk *w, const struct op *op)
{
	struct rule r = rule_of(w->plan, op, &w->policies[0]);
	const struct selection *from = &w->selected[op->output];
	int code = make_room(w, op);
	w->some_flat = false;
	for (int p = 0; p < w->count; p++) {
		struct alpha alpha = policy_alpha(&w->policies[p], (int)(op - w->plan->ops));
		w->mixtures[p] = (struct mixture){alpha, alpha.cur == 0 ? 0 : alpha.pre / alpha.cur};
		w->some_flat = w->some_flat || (alpha.cur == 0 && alpha.pre == 0) || (alpha.suc == 0 && w->policies[p].suc_form == SUC_PRODUCT);
	}
	bool choice = r.k != K_ALL && r.k < support_count(w->plan, op); /* no neuron has more candidates */
	if (!code && (choice || w->listener) && !r.current_only)
		code = count_tops(w, op);
	for (size_t slot = 0; slot < from->neurons.count && !code; slot++)
		code = select_for(w, op, &r, neuron_place(&w->plan->tensors[op->output], from->neurons.keys[slot]), from->masks + slot * (size_t)w->words);
	if (w->top_counts)
		memset(w->top_counts, 0, w->top_room * sizeof *w->top_counts);
	return code;
}
