/* The walk: from the class back through every layer to the pixels that decided (paper, section 3 and algorithm 1).
 *
 * One walk serves many policies that differ in alpha only: supports do not depend on alpha, so they are computed once; every selected neuron
 * carries the set of policies that selected it. */
#ifndef LSDN_CORE_TRACE_WALK_H
#define LSDN_CORE_TRACE_WALK_H

#include "core/net/session.h"
#include "core/trace/policy.h"
#include "core/trace/supports.h"

struct walk;

enum { WALK_MAX_POLICIES = 1024 };

/* A walk belongs to one thread; plan must outlive it. Where `threads` are more than one, a second one of OpenMP's helps with layers of which many neurons are
 * selected; the result is the same. */
struct walk *walk_open(const struct plan *plan, int threads, struct error *e);

/* Forgets what was computed from activations; to be called when the session has run anew. */
void walk_forget(struct walk *w);

/* Walks image `image` of the session's batch for `count` policies (1 to WALK_MAX_POLICIES) that are policy_same_choices, from the given classes. */
int walk_run(struct walk *w, const struct session *session, int image, const struct policy *policies, int count, const int *classes,
	int class_count, struct error *e);

/* Walks from a rival class first, which no listener hears of. The next walk, of the same policies, takes its points away from its own: a pixel goes that both
 * reach, or, where neurons have mass, one that has no more of it than the rival's; else the difference is left. */
int walk_run_rival(struct walk *w, const struct session *session, int image, const struct policy *policies, int count, int rival, struct error *e);

/* One step of a walk: neuron `to` of a tensor that the layer reads was selected for neuron `from` of its output. */
struct step {
	const struct op *op; /* no through operator: those keep (c, y, x) */
	struct place from, to;
	int tensor;          /* of `to` */
	bool weighed;        /* Conv and Gemm; other layers choose by place or by activation, and what follows is 0 */
	float z_cur, z_pre;  /* as they enter Omega: negated for a negative neuron that is to be explained, in like units where scale = max */
	uint32_t z_suc;
	double omega;        /* alpha_suc * Z_suc * (alpha_cur * Z_cur + alpha_pre * Z_pre), eq. 1; under CNN-Fixations Z_cur */
	int rank;            /* 1: the highest Omega of `from`'s candidates */
	double mass;         /* that `from` hands to `to`; 0 where the policy has no mass */
	bool rivalled;       /* some eligible candidate of `from` was left out; */
	double runner_up;    /* the highest Omega of those */
};

typedef int (*step_listener)(void *context, const struct step *step, struct error *e);

/* From now on walks, which then are for one policy, tell every step, layer by layer from the class to the pixels; NULL: no more. */
void walk_listen(struct walk *w, step_listener listener, void *context);

/* Places by c, y, x, for qsort. */
int place_compare(const void *left, const void *right);

/* Neurons of tensor t that policy p selected, sorted by c, y, x, into out (NULL: only counted). Returns how many they are. */
size_t walk_selected(const struct walk *w, int t, int p, struct place *out);

/* True where walks end: at the image, or where stride > 1 at a map whose pixels are, on both axes, at most that many of the image's wide, if by the root of
 * 2 more. */
bool walk_ends(const struct plan *plan, int t, int stride);

/* The image's pixel at the middle of the pixel of a map at which a walk ends. */
struct place walk_pixel(const struct plan *plan, int t, struct place p);

/* Points of policy p on the network's input: the set of these pixels, in raster order (c is 0), into out. With out NULL they are only counted. */
size_t walk_points(const struct walk *w, int p, struct place *out);

/* Their masses in the same order, where the policy has `mass`: the class starts with 1, and every selected neuron hands what it has to those that were
 * selected for it: in shares of their Omega, as far as it is positive; of several places of a pool, or operands of an Add, in shares of their values; to
 * both of a Mul a half. A pixel has the sum over its channels. They do not depend on what other policies are walked with. */
void walk_masses(const struct walk *w, int p, double *out);
bool walk_has_mass(const struct walk *w);

void walk_close(struct walk *w);

#endif
