#include "config.h"

#include "core/trace/search.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/bounds.h"
#include "core/trace/search_kernels.h"
#include "core/trace/supports_inside.h"

/* A bound in single precision is off by less than this share of its parts. */
static const float ROUNDING = 0x1p-20f;

struct search {
	/* Of the neuron in hand, by candidate: */
	float *z;            /* Z_cur of those in play; minus infinity of the others */
	const float *bounds; /* of Z_pre: a row's own, or */
	float *gathered;     /* those of several rows; zeros where Z_pre does not count */
	float *omegas;       /* bounds of Omega at one ratio */
	float *pre;          /* Z_pre of those that were computed */
	float slack;         /* what these may be off by */
	int first, last;     /* its policies lie between these */
	/* By policy: */
	double *ratios;
	double *best; /* the k highest Omega so far, */
	int *who;     /* and whose they are */
	size_t policy_room, best_room;
	/* Of the layer: */
	float *suc; /* by channel of the input: the highest Z_suc of a candidate there, 1 elsewhere */
	float most_suc, most_ratio;
	int k;
	int tensor; /* of the candidates: what a layer made of them */
	bool ordered; /* ratios do not fall from one policy to the next */
};

struct search *search_open(const struct plan *plan)
{
	size_t candidates = walk_most_candidates(plan), channels = 1;
	struct search *s = calloc(1, sizeof *s);
	for (int t = 0; t < plan->tensor_count; t++)
		channels = (size_t)plan->tensors[t].c > channels ? (size_t)plan->tensors[t].c : channels;
	if (!s)
		return NULL;
	s->z = malloc(candidates * sizeof *s->z);
	s->gathered = malloc(candidates * sizeof *s->gathered);
	s->omegas = malloc(candidates * sizeof *s->omegas);
	s->pre = malloc(candidates * sizeof *s->pre);
	s->suc = malloc(channels * sizeof *s->suc);
	if (!s->z || !s->gathered || !s->omegas || !s->pre || !s->suc) {
		search_close(s);
		return NULL;
	}
	for (size_t c = 0; c < channels; c++)
		s->suc[c] = 1;
	return s;
}

void search_close(struct search *s)
{
	if (!s)
		return;
	free(s->z);
	free(s->gathered);
	free(s->omegas);
	free(s->pre);
	free(s->ratios);
	free(s->best);
	free(s->who);
	free(s->suc);
	free(s);
}

bool search_possible(const struct walk *w, const struct rule *r)
{
	const struct policy *p = &w->policies[0];
	bool possible = !w->listener && !r->current_only && r->k != K_ALL && r->share == 0 && p->scale == SCALE_NONE && p->suc_form == SUC_PRODUCT;
	for (int i = 0; i < w->count; i++)
		possible = possible && w->mixtures[i].alpha.cur > 0 && w->mixtures[i].alpha.suc > 0;
	return possible;
}

/* The highest Z_suc of each channel's tops. */
static void raise_suc(struct walk *w, const struct op *op)
{
	struct search *s = w->search;
	uint32_t channels = (uint32_t)w->plan->tensors[op->inputs[0]].c;
	s->most_suc = 1;
	for (size_t top = 0; top < w->tops.count; top++) {
		float *suc = &s->suc[w->tops.keys[top] % channels], count = (float)highest_count(w->top_counts + top * (size_t)w->count, w->count);
		*suc = fmaxf(*suc, count);
		s->most_suc = fmaxf(*suc, s->most_suc);
	}
}

int search_start(struct walk *w, const struct op *op, const struct rule *r)
{
	struct search *s = w->search;
	size_t policies = (size_t)w->count, best = policies * (size_t)r->k;
	if (policies > s->policy_room) {
		free(s->ratios);
		s->ratios = malloc(policies * sizeof *s->ratios);
		s->policy_room = s->ratios ? policies : 0;
	}
	if (best > s->best_room) {
		free(s->best);
		free(s->who);
		s->best = malloc(best * sizeof *s->best);
		s->who = malloc(best * sizeof *s->who);
		s->best_room = s->best && s->who ? best : 0;
	}
	if (!s->policy_room || !s->best_room)
		return error_memory(w->error, "a walk");
	s->k = r->k;
	s->tensor = plan_layer_tensor(w->plan, op->inputs[0]);
	s->most_ratio = 0;
	s->ordered = r->k == 1;
	for (int p = 0; p < w->count; p++) {
		s->ratios[p] = w->mixtures[p].ratio;
		s->most_ratio = s->ratios[p] > 0 ? fmaxf(s->most_ratio, fmaxf((float)s->ratios[p], FLT_MIN)) : s->most_ratio;
		s->ordered = s->ordered && (!p || s->ratios[p] >= s->ratios[p - 1]);
	}
	raise_suc(w, op);
	return LSDN_OK;
}

void search_end(struct walk *w, const struct op *op)
{
	uint32_t channels = (uint32_t)w->plan->tensors[op->inputs[0]].c;
	for (size_t top = 0; top < w->tops.count; top++)
		w->search->suc[w->tops.keys[top] % channels] = 1;
}

/* Z_suc of candidate c by policy; NULL where it is 1. */
static const uint32_t *counts_of(const struct walk *w, const struct op *op, struct place s, int c)
{
	if (w->search->suc[support_first_channel(w->plan, op, s.c) + c] <= 1)
		return NULL;
	int64_t top = index_set_find(&w->tops, look_neuron(w, op, s, c));
	return top < 0 ? NULL : w->top_counts + (size_t)top * (size_t)w->count;
}

/* Computes candidate c, which is out of play then. */
static void compute(struct walk *w, const struct op *op, struct place s, int c)
{
	struct search *search = w->search;
	const uint32_t *counts = counts_of(w, op, s, c);
	double cur = search->z[c], pre = 0;
	int first = search->first, count = search->last - first + 1;
	if (search->most_ratio > 0) {
		uint32_t pixel = w->seen.pixels ? w->seen.pixels[c] : w->seen.pixel;
		pre = bounds_exact(w->bounds, search->tensor, pixel, support_first_channel(w->plan, op, s.c) + c);
	}
	search->z[c] = -INFINITY;
	search->pre[c] = (float)pre;
	if (search->k == 1 && counts)
		compare_suc(search->best + first, search->who + first, search->ratios + first, counts + first, cur, pre, c, count);
	else if (search->k == 1)
		compare(search->best + first, search->who + first, search->ratios + first, cur, pre, c, count);
	for (int p = first; search->k > 1 && p <= search->last; p++)
		insert(search->best + p * search->k, search->who + p * search->k, search->k,
			(counts && counts[p] ? counts[p] : 1) * (cur + search->ratios[p] * pre), c);
}

/* The bound of a candidate's Omega with a closer bound of its Z_pre, which is worth its while before Z_pre itself is computed. */
static float closer(struct walk *w, const struct op *op, struct place s, int c, float ratio)
{
	struct search *search = w->search;
	if (!(search->most_ratio > 0))
		return search->omegas[c];
	int channel = support_first_channel(w->plan, op, s.c) + c;
	uint32_t pixel = w->seen.pixels ? w->seen.pixels[c] : w->seen.pixel;
	float bound = bounds_closer(w->bounds, search->tensor, pixel, channel);
	if (w->seen.pixels)
		search->gathered[c] = bound;
	float sum = search->z[c] + ratio * bound;
	return fmaxf(sum, search->suc[channel] * sum);
}

/* Makes sure of the best at policy p: computes what might reach them, the likeliest first. */
static void verify(struct walk *w, const struct op *op, struct place s, int p)
{
	struct search *search = w->search;
	int count = support_count(w->plan, op);
	const double *worst = &search->best[(p + 1) * search->k - 1];
	const float *suc = search->suc + support_first_channel(w->plan, op, s.c);
	const float ratio = (float)search->ratios[p], slack = search->slack;
	float most = search->most_suc > 1 ? bound_omegas_suc(search->omegas, search->z, search->bounds, suc, ratio, count)
		: bound_omegas(search->omegas, search->z, search->bounds, ratio, count);
	if (most == -INFINITY || most + slack < *worst)
		return;
	compute(w, op, s, find(search->omegas, count, most));
	for (int c = -1; (c = next_reaching(search->omegas, c + 1, count, (float)*worst - slack)) < count;)
		if (search->z[c] > -INFINITY && closer(w, op, s, c, ratio) + slack >= *worst)
			compute(w, op, s, c);
}

/* True where candidate c's Z_suc is the same for all policies from..to. */
static bool steady(const struct walk *w, const struct op *op, struct place s, int c, int from, int to)
{
	const uint32_t *counts = counts_of(w, op, s, c);
	for (int p = from; counts && p < to; p++)
		if ((counts[p] > 1 || counts[p + 1] > 1) && counts[p] != counts[p + 1])
			return false;
	return true;
}

/* The policy between two at which the best of the first may give way to that of the other: where their lines cross, if Z_suc is 1. */
static int between(const struct walk *w, int from, int to)
{
	const struct search *s = w->search;
	int low = from + 1, high = to - 1, x = s->who[from], y = s->who[to];
	double rise = (double)s->pre[y] - s->pre[x], crossing = ((double)w->seen.z[x] - w->seen.z[y]) / rise;
	if (!(rise > 0))
		return from + (to - from) / 2;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (s->ratios[middle] < crossing)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes sure of the best at the policies between two at which they are sure. */
static void settle(struct walk *w, const struct op *op, struct place s, int from, int to)
{
	const struct search *search = w->search;
	if (to - from < 2 || (search->who[from] == search->who[to] && steady(w, op, s, search->who[from], from, to)))
		return;
	int middle = between(w, from, to);
	verify(w, op, s, middle);
	settle(w, op, s, from, middle);
	settle(w, op, s, middle, to);
}

/* Where the candidates' bounds are; false where they are not finite. */
static bool find_bounds(struct walk *w, const struct op *op, struct place s, int *code)
{
	struct search *search = w->search;
	int count = support_count(w->plan, op), first = support_first_channel(w->plan, op, s.c);
	search->bounds = search->gathered;
	if (!(search->most_ratio > 0)) {
		memset(search->gathered, 0, (size_t)count * sizeof *search->gathered);
		return true;
	}
	if (!w->seen.pixels) {
		const struct bounds_row *row = bounds_of(w->bounds, search->tensor, w->seen.pixel, w->error);
		*code = row ? LSDN_OK : (int)w->error->code;
		search->bounds = row ? row->bound + first : NULL;
		return row && row->finite;
	}
	const struct tensor *in = &w->plan->tensors[op->inputs[0]];
	const struct window *window = &op->window;
	struct tap_range r = taps_of(in, window, s);
	memset(search->gathered, 0, (size_t)count * sizeof *search->gathered);
	for (int i = r.i_from; i < r.i_to; i++)
		for (int j = r.j_from; j < r.j_to; j++) {
			uint32_t pixel = (uint32_t)((r.y0 + i * window->dilation_y) * in->w + r.x0 + j * window->dilation_x);
			if (!some_there(search->z, w->seen.pixels, pixel, count))
				continue;
			const struct bounds_row *row = bounds_of(w->bounds, search->tensor, pixel, w->error);
			*code = row ? LSDN_OK : (int)w->error->code;
			if (!row || !row->finite)
				return false;
			gather_row(search->gathered, w->seen.pixels, pixel, row->bound + first, count);
		}
	return r.i_from < r.i_to && r.j_from < r.j_to;
}

/* First and last policy of a mask that has some. */
static void find_policies(struct search *s, const uint64_t *mask, int count)
{
	s->first = 0;
	s->last = count - 1;
	while (!(mask[s->first / 64] >> (s->first % 64) & 1))
		s->first += mask[s->first / 64] ? 1 : 64;
	while (!(mask[s->last / 64] >> (s->last % 64) & 1))
		s->last = mask[s->last / 64] ? s->last - 1 : s->last / 64 * 64 - 1;
}

/* Adds candidate c for the policies from..to that are in mask. */
static int add(struct walk *w, const struct op *op, struct place s, int c, const uint64_t *mask, int from, int to)
{
	uint64_t own[WALK_WORDS] = {0}, any = 0;
	for (int i = from / 64; i <= to / 64; i++) {
		own[i] = mask[i];
		if (i == from / 64)
			own[i] &= ~(uint64_t)0 << from % 64;
		if (i == to / 64)
			own[i] &= ~(uint64_t)0 >> (63 - to % 64);
		any |= own[i];
	}
	return any ? walk_add(w, op->inputs[0], look_neuron(w, op, s, c), own) : LSDN_OK;
}

static int take(struct walk *w, const struct op *op, struct place s, const uint64_t *mask)
{
	const struct search *search = w->search;
	int code = LSDN_OK;
	for (int from = search->first, to; search->k == 1 && from <= search->last && !code; from = to) {
		for (to = from + 1; to <= search->last && search->who[to] == search->who[from]; to++)
			;
		code = add(w, op, s, search->who[from], mask, from, to - 1);
	}
	for (int p = search->first; search->k > 1 && p <= search->last; p++) {
		const double *best = search->best + p * search->k;
		double total = 0;
		for (int i = 0; i < search->k; i++)
			total += fmax(best[i], 0);
		for (int i = 0; i < search->k && !code; i++) {
			w->share = mass_share(best[i], total, (size_t)search->k);
			code = add(w, op, s, search->who[p * search->k + i], mask, p, p);
		}
	}
	return code;
}

int search_run(struct walk *w, const struct op *op, const struct rule *r, struct place s, const uint64_t *mask, bool *done)
{
	struct search *search = w->search;
	int count = support_count(w->plan, op), code = LSDN_OK;
	bool all = !r->gated || count == 1;
	float most;
	int eligible = keep_eligible(search->z, w->seen.z, count, all ? -INFINITY : 0, &most);
	*done = !(all && eligible < count) && most < INFINITY && !(w->heavy && eligible > 1 && eligible <= r->k); /* whose shares want all Omega */
	if (!*done)
		return LSDN_OK;
	if (eligible <= r->k) {
		for (int c = 0; c < count && !code; c++)
			if (search->z[c] > -INFINITY)
				code = walk_add(w, op->inputs[0], look_neuron(w, op, s, c), mask);
		return code;
	}
	*done = find_bounds(w, op, s, &code);
	if (!*done)
		return code;
	/* Where a sum of these would be past what single precision tells, all candidates are weighed in double precision. */
	float size = search->most_suc * (most + search->most_ratio * largest(search->bounds, count));
	*done = size > 0x1p-40f && size < 0x1p100f;
	if (!*done)
		return LSDN_OK;
	search->slack = ROUNDING * size;
	find_policies(search, mask, w->count);
	forget_best(search->best + search->first * r->k, search->who + search->first * r->k, (search->last + 1 - search->first) * r->k);
	if (search->ordered) {
		verify(w, op, s, search->first);
		verify(w, op, s, search->last);
		settle(w, op, s, search->first, search->last);
	}
	for (int p = search->first; !search->ordered && p <= search->last; p++)
		if (mask[p / 64] >> (p % 64) & 1)
			verify(w, op, s, p);
	return code ? code : take(w, op, s, mask);
}
