/* What the parts of a walk share. */
#ifndef LSDN_CORE_TRACE_WALK_INSIDE_H
#define LSDN_CORE_TRACE_WALK_INSIDE_H

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/trace/index_set.h"
#include "core/trace/rule.h"
#include "core/trace/walk.h"

enum { WALK_WORDS = WALK_MAX_POLICIES / 64 };

/* Z_cur and places of the candidates of selected neurons, negated where a negative neuron is to be explained; minus infinity for what is not a number. */
struct seen {
	float *z;         /* of the neuron in hand, by candidate */
	uint32_t *pixels; /* likewise, or NULL where all are at: */
	uint32_t pixel;
	float *all_z;     /* of all selected neurons of the layer, where these are not too many to be kept; else one neuron's for each thread */
	uint32_t *all_pixels;
	size_t room;
	bool kept, done;  /* all were looked at and are kept */
};

/* What a thread selects while two are at work, in the order in which it does; a mask of policies each. */
struct find {
	size_t k; /* for the k-th selected neuron */
	neuron_t neuron;
	double share;
};
struct finds {
	struct find *all;
	uint64_t *masks;
	size_t count, room, mask_room;
};

struct layer;

/* The second thread of a walk: pair.c. */
struct hand {
	atomic_int stage;          /* where the layer stands that it is offered, */
	const struct layer *layer; /* this one, */
	int (*work)(struct walk *w, const struct layer *l, size_t k);
	size_t count;              /* for so many of its neurons or outputs, */
	atomic_size_t taken;       /* so many of which one of the two has taken */
	int code;                  /* what came of it */
	struct walk *walk;         /* as it has it */
	/* What it has for itself: */
	struct bounds *bounds;
	struct search *search;
	struct candidate *candidates;
	struct ranked *ranked;
	struct finds finds;
	struct error error;
};

/* Selected neurons of one tensor; masks has `words` words a slot, bit p for the p-th policy in the walk's own order. */
struct selection {
	struct index_set neurons;
	uint64_t *masks;
	size_t room;
	double *masses; /* likewise `count` a slot, where neurons have mass; they go when it has been handed on */
	size_t mass_room;
};

/* Alpha of one policy at the layer in hand. */
struct mixture {
	struct alpha alpha;
	double ratio; /* pre / cur, 0 where cur is 0 */
};

/* Neurons at which a walk ends. */
struct end {
	uint32_t pixel; /* y * W + x of the network's input */
	int tensor;
	neuron_t neuron;
	size_t slot;
};

/* Pixels of the network's input that some policy selected, in raster order, with masks like a selection's. */
struct pixels {
	struct end *neurons; /* by pixel, tensor and number: what they are made from */
	uint32_t *pixels;
	uint64_t *masks;
	double *masses;      /* where neurons have mass */
	size_t count, room, mask_room, mass_room;
};

struct walk {
	const struct plan *plan;
	const struct session *session; /* of the running walk */
	int image;
	struct policy *policies;       /* by pre / cur */
	struct given *given;           /* those as they were given, in that order */
	int *own;                      /* by the order in which they were given: which of policies each is */
	int count, words, policy_room;
	struct selection *selected;    /* one a tensor, */
	bool *ends;                    /* at which the walk ends or not */
	struct pixels points, rival;
	bool contrasted;               /* the next walk takes the rival's points away */
	bool heavy;                    /* neurons have mass: mass.c */
	uint64_t *order;               /* of the layer in hand: its output's selected neurons by number << 32 | slot, sorted, */
	bool ordered;                  /* if that matters */
	size_t order_room;
	const double *giving;          /* the masses of the neuron in hand, by policy; NULL at the class, */
	double share;                  /* of which so much goes to what is added */
	struct bounds *bounds;         /* Z_pre, */
	bool known;                    /* which may hold some of the image already */
	int score_op;                  /* the layer whose output the class scores are */
	/* Of the layer in hand: */
	struct mixture *mixtures;      /* one a policy; */
	bool preceding;                /* Z_pre counts under some of them, or a listener wants to know it */
	struct index_set tops;         /* candidates that have the highest Z_cur for some selected neuron */
	uint32_t *top_counts;          /* `count` a slot of tops */
	size_t top_room;
	struct seen seen;
	struct search *search;
	struct dense *dense;
	struct candidate *candidates;
	struct ranked *ranked;         /* of the candidates, where a listener wants to know all of them */
	neuron_t *tops_of;             /* by selected neuron in hand: its candidate with the highest Z_cur */
	size_t tops_of_room;
	struct hand *second;           /* NULL: walks are on one thread */
	struct finds finds, *finding;  /* NULL: what is selected is added at once */
	size_t k;                      /* the neuron in hand is the k-th */
	step_listener listener;
	void *listener_context;
	struct step step;              /* in hand; its op is NULL at the class */
	struct error *error;
};

/* A candidate and its Omega, but for a factor that all candidates of a neuron share. */
struct ranked {
	double omega;
	size_t candidate;
};

/* An eligible candidate of the selected neuron in hand. */
struct candidate {
	neuron_t neuron;
	float cur, pre;
	int64_t top; /* its slot in tops, or -1 */
};

/* The array with room for `count` elements, and as many more where it had to grow; NULL where memory is short: then it is as it was. */
static inline void *with_room(void *array, size_t *room, size_t count, size_t size)
{
	if (count <= *room)
		return array;
	void *larger = realloc(array, 2 * count * size);
	if (larger)
		*room = 2 * count;
	return larger;
}

/* Adds neuron n of tensor t with a mask of policies; where neurons have mass it gets w->share of that of the neuron in hand. */
int walk_add(struct walk *w, int t, neuron_t n, const uint64_t *mask);

/* The k-th selected neuron in hand: its slot. Where neurons have mass they come in order, so that sums of it do not depend on what else is walked; where two
 * threads are at work too, so that neighbours come one after the other. */
static inline size_t walk_slot(const struct walk *w, size_t k)
{
	return w->ordered ? (size_t)(uint32_t)w->order[k] : k;
}

/* Takes the mass of a layer's selected output neuron in hand; puts that of all back. */
void mass_give(struct walk *w, const struct selection *from, size_t slot);
void mass_end(struct walk *w, struct selection *from);

/* Adds mass to a neuron in a slot, which may be new. */
int mass_add(struct walk *w, struct selection *s, size_t slot, bool is_new, const uint64_t *mask);

/* Fills w->points from the neurons at which the walk has ended. */
int points_gather(struct walk *w);

void points_free(struct pixels *points);

/* Takes the rival's points away. */
void points_contrast(struct walk *w);

/* The share of one of `count` weights of which the positive ones sum up to total; what has no positive sum, or none that is a number, is shared equally. */
static inline double mass_share(double weight, double total, size_t count)
{
	return total > 0 && total < INFINITY ? fmax(weight, 0) / total : 1 / (double)count;
}

/* Selects for every selected neuron of a Conv's or Gemm's output the k candidates with the highest Omega (eq. 1, 4), for each policy. */
int walk_select(struct walk *w, const struct op *op);

/* The most candidates that a neuron of the plan has. */
size_t walk_most_candidates(const struct plan *plan);

/* True where all eligible candidates of op's selected neurons are selected and these are simple to find. */
bool select_all_possible(const struct walk *w, const struct op *op, const struct rule *r);
int select_all(struct walk *w, const struct op *op);

/* Makes room to see `selected` neurons of op's output; 0: each is looked at but once. */
int look_start(struct walk *w, const struct op *op, size_t selected);

/* Fills w->seen for neuron s, the k-th in hand. */
void look(struct walk *w, const struct op *op, size_t k, struct place s);

/* -1 for a negative neuron s of op's output that is to be explained as such, else 1; false where only its supports can tell. */
bool look_sign(const struct walk *w, const struct op *op, struct place s, float *sign);

/* Candidate c of the neuron in hand as a neuron of the op's input. */
neuron_t look_neuron(const struct walk *w, const struct op *op, struct place s, int c);

#endif
