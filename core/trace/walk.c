#include "config.h"

#include "core/trace/walk.h"

#include <stdlib.h>
#include <string.h>

#include "core/trace/bounds.h"
#include "core/trace/dense.h"
#include "core/trace/pair.h"
#include "core/trace/search.h"
#include "core/trace/walk_inside.h"

enum { MOST_BOUNDS = 16 << 20 };

struct walk *walk_open(const struct plan *plan, int threads, struct error *e)
{
	struct walk *w = calloc(1, sizeof *w);
	size_t candidates = walk_most_candidates(plan);
	if (w) {
		w->plan = plan;
		w->score_op = score_op_of(plan);
		w->selected = calloc((size_t)plan->tensor_count, sizeof *w->selected);
		w->ends = calloc((size_t)plan->tensor_count, sizeof *w->ends);
		w->candidates = malloc(candidates * sizeof *w->candidates);
		w->ranked = malloc(candidates * sizeof *w->ranked);
		w->search = search_open(plan);
		w->dense = dense_open();
		w->bounds = bounds_open(plan, e);
	}
	bool open = w && w->selected && w->ends && w->candidates && w->ranked && w->search && w->dense && w->bounds;
	if (open && (threads == 1 || !pair_open(w, e)))
		return w;
	walk_close(w);
	error_memory(e, "a walk");
	return NULL;
}

void walk_close(struct walk *w)
{
	if (!w)
		return;
	for (int t = 0; w->selected && t < w->plan->tensor_count; t++) {
		index_set_free(&w->selected[t].neurons);
		free(w->selected[t].masks);
		free(w->selected[t].masses);
	}
	index_set_free(&w->tops);
	pair_close(w);
	bounds_close(w->bounds);
	search_close(w->search);
	dense_close(w->dense);
	free(w->selected);
	free(w->ends);
	points_free(&w->points);
	points_free(&w->rival);
	free(w->order);
	free(w->policies);
	free(w->given);
	free(w->own);
	free(w->mixtures);
	free(w->top_counts);
	free(w->tops_of);
	free(w->seen.all_z);
	free(w->seen.all_pixels);
	free(w->candidates);
	free(w->ranked);
	free(w);
}

void walk_forget(struct walk *w)
{
	w->known = false;
	w->contrasted = false;
}

int walk_add(struct walk *w, int t, neuron_t n, const uint64_t *mask)
{
	if (w->finding)
		return pair_keep(w, n, mask);
	struct selection *s = &w->selected[t];
	size_t words = (size_t)w->words, before = s->neurons.count;
	int64_t slot = index_set_add(&s->neurons, n);
	uint64_t *masks = slot < 0 ? NULL : with_room(s->masks, &s->room, s->neurons.count * words, sizeof *masks);
	if (!masks)
		return error_memory(w->error, "a walk");
	s->masks = masks;
	if (s->neurons.count > before)
		memset(s->masks + (size_t)slot * words, 0, words * sizeof *s->masks);
	for (size_t i = 0; i < words; i++)
		s->masks[(size_t)slot * words + i] |= mask[i];
	int code = w->heavy ? mass_add(w, s, (size_t)slot, s->neurons.count > before, mask) : LSDN_OK;
	if (code)
		return code;
	if (!w->listener || !w->step.op || op_is_through(w->step.op))
		return LSDN_OK;
	w->step.tensor = t;
	w->step.mass = w->giving ? *w->giving * w->share : 0;
	w->step.to = neuron_place(&w->plan->tensors[t], n);
	return w->listener(w->listener_context, &w->step, w->error);
}

void walk_listen(struct walk *w, step_listener listener, void *context)
{
	w->listener = listener;
	w->listener_context = context;
}

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* Brings a layer's selected output neurons in order, if that matters. */
static int bring_in_order(struct walk *w, const struct selection *from)
{
	size_t count = from->neurons.count;
	w->ordered = w->heavy || pair_works(w, count);
	if (!w->ordered)
		return LSDN_OK;
	if (count > w->order_room) {
		free(w->order);
		w->order = malloc(count * sizeof *w->order);
		w->order_room = w->order ? count : 0;
		if (!w->order)
			return error_memory(w->error, "a walk");
	}
	for (size_t slot = 0; slot < count; slot++)
		w->order[slot] = (uint64_t)from->neurons.keys[slot] << 32 | slot;
	qsort(w->order, count, sizeof *w->order, by_number);
	return LSDN_OK;
}

static const float *values(const struct walk *w, int t)
{
	return session_tensor(w->session, t, w->image);
}

/* Pools go to the place of the highest activation; a GlobalAveragePool that makes the class scores itself goes to every positive place. */
static int through_pool(struct walk *w, const struct op *op, neuron_t n, const uint64_t *mask)
{
	const struct tensor *in = &w->plan->tensors[op->inputs[0]];
	struct place s = neuron_place(&w->plan->tensors[op->output], n);
	if (!rule_pools_all(w->plan, op, &w->policies[0]))
		return walk_add(w, op->inputs[0], support_pool(w->plan, op, values(w, op->inputs[0]), s) * (uint32_t)in->c + (uint32_t)s.c, mask);
	int code = LSDN_OK;
	const float *input = values(w, op->inputs[0]);
	uint32_t pixels = (uint32_t)(in->h * in->w);
	double total = 0;
	for (uint32_t pixel = 0; pixel < pixels && w->heavy; pixel++)
		total += fmaxf(input[pixel * (uint32_t)in->c + (uint32_t)s.c], 0);
	for (uint32_t pixel = 0; pixel < pixels && !code; pixel++) {
		neuron_t candidate = pixel * (uint32_t)in->c + (uint32_t)s.c;
		if (!(input[candidate] > 0))
			continue;
		w->share = w->heavy ? mass_share(input[candidate], total, pixels) : 1;
		code = walk_add(w, op->inputs[0], candidate, mask);
	}
	return code;
}

/* To the operand with the highest value (the lowest where the sum is negative and that is explained), or to all that pull the same way. */
static int through_add(struct walk *w, const struct op *op, neuron_t n, const uint64_t *mask)
{
	const struct policy *p = &w->policies[0];
	float sum = session_value(w->session, op->output, w->image, n), best = 0;
	float sign = p->signed_ && sum < 0 && op - w->plan->ops != w->score_op ? -1 : 1;
	double total = 0;
	int chosen = -1, code = LSDN_OK;
	for (int i = 0; i < op->input_count; i++) {
		float value = sign * session_value(w->session, op->inputs[i], w->image, n);
		total += fmaxf(value, 0);
		if (chosen < 0 || value > best) {
			best = value;
			chosen = i;
		}
	}
	for (int i = 0; i < op->input_count && !code; i++) {
		float value = p->residual == RESIDUAL_BOTH ? sign * session_value(w->session, op->inputs[i], w->image, n) : 0;
		if (i != chosen && !(value > 0))
			continue;
		w->share = p->residual == RESIDUAL_BOTH ? mass_share(value, total, 1) : 1;
		code = walk_add(w, op->inputs[i], n, mask);
	}
	return code;
}

static int through_concat(struct walk *w, const struct op *op, neuron_t n, const uint64_t *mask)
{
	struct place s = neuron_place(&w->plan->tensors[op->output], n);
	int i = 0;
	while (s.c >= w->plan->tensors[op->inputs[i]].c)
		s.c -= w->plan->tensors[op->inputs[i++]].c;
	return walk_add(w, op->inputs[i], place_neuron(&w->plan->tensors[op->inputs[i]], s), mask);
}

/* To the element that it is; what a Pad filled in ends here. */
static int through_reindex(struct walk *w, const struct op *op, neuron_t n, const uint64_t *mask)
{
	neuron_t from = op_source(op, n);
	return from == OP_FILL ? LSDN_OK : walk_add(w, op->inputs[0], from, mask);
}

static int through_op(struct walk *w, const struct op *op)
{
	const struct selection *from = &w->selected[op->output];
	int code = LSDN_OK;
	for (size_t k = 0; k < from->neurons.count && !code; k++) {
		size_t slot = walk_slot(w, k);
		neuron_t n = from->neurons.keys[slot];
		const uint64_t *mask = from->masks + slot * (size_t)w->words;
		w->step = (struct step){.op = op, .from = neuron_place(&w->plan->tensors[op->output], n)};
		mass_give(w, from, slot);
		switch (op->kind) {
		case OP_MAX_POOL:
		case OP_AVERAGE_POOL:
		case OP_GLOBAL_AVERAGE_POOL:
		case OP_GLOBAL_MAX_POOL:
			code = through_pool(w, op, n, mask);
			break;
		case OP_CONCAT:
			code = through_concat(w, op, n, mask);
			break;
		case OP_ADD:
			code = through_add(w, op, n, mask);
			break;
		case OP_REINDEX:
			code = through_reindex(w, op, n, mask);
			break;
		case OP_MUL:
			w->share = 0.5;
			code = walk_add(w, op->inputs[0], n, mask);
			code = code ? code : walk_add(w, op->inputs[1], n, mask);
			break;
		default:
			code = walk_add(w, op->inputs[0], n, mask);
		}
	}
	return code;
}

/* A policy in its place among those that were given. */
struct given {
	const struct policy *policy;
	int place;
};

/* In the order of pre / cur, in which neighbours select much the same. */
static int by_ratio(const void *left, const void *right)
{
	const struct given *a = left, *b = right;
	double x = a->policy->alpha.pre * b->policy->alpha.cur, y = b->policy->alpha.pre * a->policy->alpha.cur;
	return x != y ? (x > y) - (x < y) : (a->place > b->place) - (a->place < b->place);
}

static int take_policies(struct walk *w, const struct policy *policies, int count, struct error *e)
{
	if (count > w->policy_room) {
		free(w->policies);
		free(w->given);
		free(w->own);
		free(w->mixtures);
		w->policies = malloc((size_t)count * sizeof *w->policies);
		w->given = malloc((size_t)count * sizeof *w->given);
		w->own = malloc((size_t)count * sizeof *w->own);
		w->mixtures = malloc((size_t)count * sizeof *w->mixtures);
		w->policy_room = w->policies && w->given && w->own && w->mixtures ? count : 0;
	}
	if (!w->policy_room)
		return error_memory(e, "a walk");
	for (int p = 0; p < count; p++)
		w->given[p] = (struct given){&policies[p], p};
	qsort(w->given, (size_t)count, sizeof *w->given, by_ratio);
	for (int p = 0; p < count; p++) {
		w->policies[p] = *w->given[p].policy;
		w->own[w->given[p].place] = p;
	}
	w->count = count;
	w->words = (count + 63) / 64;
	return LSDN_OK;
}

static int start(struct walk *w, const struct policy *policies, int count, struct error *e)
{
	if (count < 1 || count > WALK_MAX_POLICIES)
		return error_set(e, LSDN_ERROR_INPUT, "%d policies in one walk: from 1 to %d can be", count, WALK_MAX_POLICIES);
	if (w->listener && count > 1)
		return error_set(e, LSDN_ERROR_INPUT, "%d policies in a walk that is listened to: one can be", count);
	if (policies->k_fc < K_ALL || policies->k_fc > K_MOST || policies->k_conv < K_ALL || policies->k_conv > K_MOST)
		return error_set(e, LSDN_ERROR_INPUT, "k_fc = %d, k_conv = %d: must be from 1 to %d, or all", policies->k_fc, policies->k_conv, K_MOST);
	w->error = e;
	w->heavy = policies->mass;
	w->giving = NULL;
	for (int t = 0; t < w->plan->tensor_count; t++) {
		index_set_clear(&w->selected[t].neurons);
		w->ends[t] = walk_ends(w->plan, t, policies->stride);
	}
	return take_policies(w, policies, count, e);
}

static void start_bounds(struct walk *w)
{
	bounds_start(w->bounds, w->session, w->image);
	pair_start(w, w->session, w->image);
}

/* From the selected classes back to where walks end. */
static int walk_layers(struct walk *w)
{
	int code = LSDN_OK;
	for (int k = w->plan->op_count; k-- > 0 && !code;) {
		const struct op *op = &w->plan->ops[k];
		if (!w->selected[op->output].neurons.count || w->ends[op->output])
			continue;
		if (bounds_size(w->bounds) > MOST_BOUNDS) /* they serve layers that read the same tensor, and other walks: these make them anew */
			start_bounds(w);
		code = bring_in_order(w, &w->selected[op->output]);
		if (!code)
			code = op->kind == OP_CONV || op->kind == OP_GEMM ? walk_select(w, op) : through_op(w, op);
		mass_end(w, &w->selected[op->output]);
	}
	return code;
}

int walk_run(struct walk *w, const struct session *session, int image, const struct policy *policies, int count, const int *classes,
	int class_count, struct error *e)
{
	uint64_t everyone[WALK_WORDS] = {0};
	int code = start(w, policies, count, e);
	w->step.op = NULL;
	bool known = w->known && session == w->session && image == w->image;
	w->known = true;
	w->session = session;
	w->image = image;
	if (!known)
		start_bounds(w);
	for (int p = 0; p < count && !code; p++)
		everyone[p / 64] |= (uint64_t)1 << (p % 64);
	for (int i = 0; i < class_count && !code; i++)
		code = walk_add(w, w->plan->scores, (neuron_t)classes[i], everyone);
	if (!code)
		code = pair_walk(w, walk_layers);
	if (!code)
		code = points_gather(w);
	w->known = !code; /* memory that ran out leaves bounds unfinished */
	if (!code && w->contrasted)
		points_contrast(w);
	w->contrasted = false;
	return code;
}

int walk_run_rival(struct walk *w, const struct session *session, int image, const struct policy *policies, int count, int rival, struct error *e)
{
	step_listener listener = w->listener;
	w->listener = NULL;
	int code = walk_run(w, session, image, policies, count, &rival, 1, e);
	struct pixels points = w->points;
	w->points = w->rival;
	w->rival = points;
	w->listener = listener;
	w->contrasted = !code;
	return code;
}

int place_compare(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	return a->c != b->c ? (a->c > b->c) - (a->c < b->c) : a->y != b->y ? (a->y > b->y) - (a->y < b->y) : (a->x > b->x) - (a->x < b->x);
}

size_t walk_selected(const struct walk *w, int t, int p, struct place *out)
{
	const struct selection *s = &w->selected[t];
	size_t count = 0;
	p = w->own[p];
	for (size_t slot = 0; slot < s->neurons.count; slot++) {
		if (!(s->masks[slot * (size_t)w->words + (size_t)p / 64] >> (p % 64) & 1))
			continue;
		if (out)
			out[count] = neuron_place(&w->plan->tensors[t], s->neurons.keys[slot]);
		count++;
	}
	if (out)
		qsort(out, count, sizeof *out, place_compare);
	return count;
}
