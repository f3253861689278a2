/* What walk.c and select.c share. */
#ifndef LSDN_CORE_TRACE_WALK_INSIDE_H
#define LSDN_CORE_TRACE_WALK_INSIDE_H

#include "core/trace/index_set.h"
#include "core/trace/walk.h"

enum { WALK_MAX_POLICIES = 1024 };

/* Selected neurons of one tensor; masks has `words` words a slot, bit p for policy p. */
struct selection {
	struct index_set neurons;
	uint64_t *masks;
	size_t room;
};

struct walk {
	const struct plan *plan;
	const struct session *session; /* of the running walk */
	int image;
	const struct policy *policies; /* as given */
	int count, words;
	struct mixture *mixtures;      /* one a policy, for the layer in hand */
	bool some_flat;                /* under some of them all candidates have the same Omega */
	struct selection *selected;    /* one a tensor */
	float ***rows;                 /* Z_pre by tensor and pixel: C floats, NaN where not computed; NULL where untouched */
	struct arena arena;            /* of the rows */
	float *scratch;
	int score_op;                  /* the layer whose output the class scores are */
	/* Of the layer in hand: */
	struct index_set tops;         /* candidates that have the highest Z_cur for some selected neuron */
	uint32_t *top_counts;          /* `count` a slot of tops */
	size_t top_room;
	float *z;
	uint32_t *pixels;
	struct candidate *candidates;
	struct ranked *ranked;         /* of the candidates, where a listener wants to know all of them */
	size_t support_room, candidate_room;
	step_listener listener;
	void *listener_context;
	struct step step;              /* in hand; its op is NULL at the class */
	struct error *error;
};

/* Alpha of one policy at the layer in hand. */
struct mixture {
	struct alpha alpha;
	double ratio; /* pre / cur, 0 where cur is 0 */
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

/* Adds neuron n of tensor t with a mask of policies. */
int walk_add(struct walk *w, int t, neuron_t n, const uint64_t *mask);

/* Selects for every selected neuron of a Conv's or Gemm's output the k candidates with the highest Omega (eq. 1, 4), for each policy. */
int walk_select(struct walk *w, const struct op *op);

#endif
