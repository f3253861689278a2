/* Images shared among threads, each with an explainer of its own. */
#ifndef LSDN_CALIB_CREW_H
#define LSDN_CALIB_CREW_H

#include <signal.h>

#include "core/explain.h"
#include "core/progress.h"

struct crew {
	const struct net *net;
	struct packed_weights *packed;
	int threads;
	struct progress *progress; /* one step an item */
	const volatile sig_atomic_t *stop; /* set by the user's Ctrl-C */
	struct explainer *explainers; /* one a thread, open from its first work on that asks for one */
};

/* A crew that is closed by crew_close; what it is given must outlive it. */
int crew_open(struct crew *crew, const struct net *net, struct packed_weights *packed, int threads, struct progress *progress,
	const volatile sig_atomic_t *stop, struct error *e);
void crew_close(struct crew *crew);

/* The explainer of a thread (from 0), opened where `open` asks for that; only that thread may use it. */
int crew_explainer(const struct crew *crew, int thread, bool open, struct explainer **x, struct error *e);

/* Work on item i; what it writes belongs to that item alone, or is guarded. */
typedef int crew_work(void *context, struct explainer *x, size_t i, struct error *e);

/* Calls work for every item below count, in any order and thread; x is open where `explain` says so. A failure ends it, and so does *stop, with
 * LSDN_ERROR_INTERRUPTED. */
int crew_run(const struct crew *crew, bool explain, size_t count, crew_work *work, void *context, struct error *e);

#endif
