/* Two threads at the selected neurons of one layer. What they select does not depend on it. */
#ifndef LSDN_CORE_TRACE_PAIR_H
#define LSDN_CORE_TRACE_PAIR_H

#include "core/trace/rule.h"
#include "core/trace/walk_inside.h"

/* A Conv or Gemm in hand. */
struct layer {
	const struct op *op;
	const struct selection *from; /* the selected neurons of its output */
	struct rule rule;
	bool search;    /* what they choose is searched for, from now on */
	bool top_alone; /* only the candidate with the highest Z_cur is asked for */
};

/* What is done for the k-th selected neuron (or output). Of the walk it may change what is of the neuron in hand, and add to the selection. */
typedef int neuron_work(struct walk *w, const struct layer *l, size_t k);

/* Gives a walk a second thread; takes it back. */
int pair_open(struct walk *w, struct error *e);
void pair_close(struct walk *w);

/* The image has changed. */
void pair_start(struct walk *w, const struct session *session, int image);

/* True where both threads are to work on that many. */
bool pair_works(const struct walk *w, size_t count);

/* Walks with both threads. */
typedef int whole_walk(struct walk *w);
int pair_walk(struct walk *w, whole_walk *walk);

/* Does the work for k from 0 to count - 1, as if one thread did it in that order. */
int pair_run(struct walk *w, const struct layer *l, neuron_work *work, size_t count);

/* What walk_add does on the second thread: keeps what was selected for the first. */
int pair_keep(struct walk *w, neuron_t n, const uint64_t *mask);

#endif
