#include "config.h"

#include "core/trace/pair.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/trace/bounds.h"
#include "core/trace/search.h"

enum {
	LEAST_SHARED = 8, /* for fewer it takes longer to tell the other thread than to do its half */
	LONG_WAIT = 1000  /* looks after which a thread that waits lets others run */
};

/* Where a layer stands; what a walk has for the second thread to do next. */
enum { NOTHING, OFFERED, JOINED, FINISHED, WALKED };

static void close_hand(struct hand *h)
{
	bounds_close(h->bounds);
	search_close(h->search);
	free(h->walk);
	free(h->candidates);
	free(h->ranked);
	free(h->finds.all);
	free(h->finds.masks);
	free(h);
}

int pair_open(struct walk *w, struct error *e)
{
	size_t candidates = walk_most_candidates(w->plan);
	struct hand *h = calloc(1, sizeof *h);
	if (!h)
		return error_memory(e, "a walk");
	h->walk = malloc(sizeof *h->walk);
	h->bounds = bounds_open_beside(w->bounds, e);
	h->search = search_open(w->plan);
	h->candidates = malloc(candidates * sizeof *h->candidates);
	h->ranked = malloc(candidates * sizeof *h->ranked);
	if (!h->walk || !h->bounds || !h->search || !h->candidates || !h->ranked) {
		close_hand(h);
		return error_memory(e, "a walk");
	}
	w->second = h;
	return LSDN_OK;
}

void pair_close(struct walk *w)
{
	if (w->second)
		close_hand(w->second);
	w->second = NULL;
}

void pair_start(struct walk *w, const struct session *session, int image)
{
	if (w->second)
		bounds_start(w->second->bounds, session, image);
}

bool pair_works(const struct walk *w, size_t count)
{
	return w->second && count >= LEAST_SHARED && !w->listener;
}

int pair_keep(struct walk *w, neuron_t n, const uint64_t *mask)
{
	struct finds *f = w->finding;
	size_t words = (size_t)w->words;
	struct find *all = with_room(f->all, &f->room, f->count + 1, sizeof *all);
	f->all = all ? all : f->all;
	uint64_t *masks = with_room(f->masks, &f->mask_room, (f->count + 1) * words, sizeof *masks);
	f->masks = masks ? masks : f->masks;
	if (!all || !masks)
		return error_memory(w->error, "a walk");
	memcpy(f->masks + f->count * words, mask, words * sizeof *mask);
	f->all[f->count++] = (struct find){w->k, n, w->share};
	return LSDN_OK;
}

/* Fills in the walk as the second thread has it: what is of the neuron in hand is its own. */
static void lend(const struct walk *w, const struct layer *l)
{
	struct hand *h = w->second;
	struct walk *second = h->walk;
	*second = *w;
	second->bounds = h->bounds;
	second->search = h->search;
	second->candidates = h->candidates;
	second->ranked = h->ranked;
	second->error = &h->error;
	second->finding = &h->finds;
	h->finds.count = 0;
	if (!w->seen.kept) {
		size_t count = (size_t)support_count(w->plan, l->op);
		second->seen.all_z += count;
		second->seen.all_pixels += count;
	}
}

/* Works from the first on, or (step -1) from the last back, until all are taken. */
static int work_on(struct walk *w, struct hand *h, int step)
{
	int code = LSDN_OK;
	w->k = step > 0 ? 0 : h->count - 1;
	for (; !code && atomic_fetch_add_explicit(&h->taken, 1, memory_order_relaxed) < h->count; w->k += (size_t)step)
		code = h->work(w, h->layer, w->k);
	return code;
}

/* Waits until a layer, or the walk, is at one of two stages; returns which. */
static int wait_for(struct hand *h, int one, int other)
{
	int stage;
	for (int looks = 0; (stage = atomic_load_explicit(&h->stage, memory_order_acquire)) != one && stage != other; looks++)
		if (looks >= LONG_WAIT)
			sched_yield();
	return stage;
}

static int work_beside(struct hand *h)
{
	struct walk *w = h->walk;
	const struct layer *l = h->layer;
	int code = l->search ? search_start(w, l->op, &l->rule) : LSDN_OK;
	if (!code)
		code = work_on(w, h, -1);
	if (l->search)
		search_end(w, l->op);
	return code;
}

/* The second thread's part of a whole walk. */
static void help(struct hand *h)
{
	while (wait_for(h, OFFERED, WALKED) == OFFERED) {
		int stage = OFFERED;
		if (!atomic_compare_exchange_strong(&h->stage, &stage, JOINED))
			continue;
		h->code = work_beside(h);
		atomic_store_explicit(&h->stage, FINISHED, memory_order_release);
	}
}

/* Adds what the second thread selected, which came from the last neuron to the first. */
static int add_finds(struct walk *w, const struct layer *l)
{
	const struct finds *f = &w->second->finds;
	int code = LSDN_OK;
	for (size_t past = f->count, first; past > 0; past = first) {
		size_t k = f->all[past - 1].k;
		for (first = past; first > 0 && f->all[first - 1].k == k;)
			first--;
		mass_give(w, l->from, walk_slot(w, k));
		for (size_t i = first; i < past && !code; i++) {
			w->share = f->all[i].share;
			code = walk_add(w, l->op->inputs[0], f->all[i].neuron, f->masks + i * (size_t)w->words);
		}
	}
	return code;
}

/* The first thread goes on from the first neuron, the second one from the last, until they meet: so both have work to the end, and their bounds are of other
 * pixels. A second thread that others keep from running is not waited for. */
static int run_both(struct walk *w, const struct layer *l, neuron_work *work, size_t count)
{
	struct hand *h = w->second;
	lend(w, l);
	h->layer = l;
	h->work = work;
	h->count = count;
	atomic_store_explicit(&h->taken, 0, memory_order_relaxed);
	atomic_store_explicit(&h->stage, OFFERED, memory_order_release);
	int code = work_on(w, h, 1), stage = OFFERED;
	if (atomic_compare_exchange_strong(&h->stage, &stage, NOTHING))
		return code;
	wait_for(h, FINISHED, FINISHED);
	atomic_store_explicit(&h->stage, NOTHING, memory_order_relaxed);
	if (!code && h->code)
		*w->error = h->error;
	code = code ? code : h->code;
	return code ? code : add_finds(w, l);
}

int pair_run(struct walk *w, const struct layer *l, neuron_work *work, size_t count)
{
	int code = LSDN_OK;
	if (pair_works(w, count))
		return run_both(w, l, work, count);
	for (size_t k = 0; k < count && !code; k++)
		code = work(w, l, k);
	return code;
}

int pair_walk(struct walk *w, whole_walk *walk)
{
	struct hand *h = w->second;
	int code = LSDN_OK;
	if (!h || w->listener)
		return walk(w);
	atomic_store(&h->stage, NOTHING);
#pragma omp parallel num_threads(2)
	if (omp_get_thread_num()) {
		help(h);
	} else {
		code = walk(w);
		atomic_store_explicit(&h->stage, WALKED, memory_order_release);
	}
	return code;
}
