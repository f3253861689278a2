/* What a walk is told: the weights of the three supports and the choices around them. */
#ifndef LSDN_CORE_TRACE_POLICY_H
#define LSDN_CORE_TRACE_POLICY_H

#include <stdbool.h>

enum {
	K_ALL = 0, /* every eligible candidate */
	K_MOST = 64
};

enum method {
	METHOD_LSDN,
	METHOD_CNN_FIXATIONS /* Mopuri, Garg, Babu, "CNN Fixations", IEEE Trans. Image Processing 28(5), 2018: the other choices are then its own */
};
enum locate { LOCATE_STRONGEST, LOCATE_CENTER };
enum gate { GATE_EVIDENCE, GATE_NONE };
enum residual { RESIDUAL_MAX, RESIDUAL_BOTH };
enum k_gap { K_GAP_AUTO, K_GAP_ONE, K_GAP_ALL };
enum suc_form { SUC_PRODUCT, SUC_POWER };
enum scale { SCALE_NONE, SCALE_MAX };

/* The weights of eq. 1 of the paper; not negative. */
struct alpha {
	double cur, pre, suc;
};

enum { K_SHARED = -1, POLICY_MOST_CLASSES = 16 };

/* What one layer has of its own. */
struct layer_policy {
	bool own_alpha;     /* alpha below instead of the policy's */
	struct alpha alpha;
	int k;              /* instead of k_fc or k_conv; or K_SHARED */
};

struct policy {
	enum method method;
	struct alpha alpha;
	int k_fc, k_conv;     /* candidates kept for each selected neuron: K_ALL or 1 to K_MOST */
	double k_share;       /* instead, where it is over 0: so many that they have this share of all positive Omega, at most K_MOST */
	enum k_gap k_gap;
	bool signed_;         /* explain why a negative neuron is negative */
	enum locate locate;
	enum gate gate;
	enum residual residual;
	enum suc_form suc_form;
	enum scale scale;
	int stride; /* walks end at maps of that stride; at the image where it is 1 */
	bool mass; /* neurons hand what they have on to those that they select, in shares of Omega */
	bool contrast; /* what the walk from the rival class reaches too is taken away: the caller sees to that walk */
	int top_n; /* classes that a walk starts from, at most POLICY_MOST_CLASSES */
	const struct layer_policy *layers; /* NULL, or one an operator of the plan; belongs to who made it */
	int layer_count;
};

/* Alpha as it is at operator `op` of the plan. */
struct alpha policy_alpha(const struct policy *p, int op);

/* What is left of alpha when all that changes no selection is taken away (eq. 1: alpha_suc and a common factor of alpha_cur and alpha_pre scale all of a
 * neuron's candidates alike): cur is 1, or 0 and pre then 1 or 0; under the product form suc is 1 or 0. */
struct alpha alpha_reduced(struct alpha a, enum suc_form form);

/* What CNN-Fixations is in these terms. */
extern const struct policy POLICY_CNN_FIXATIONS;

/* True where two policies select the same neurons on any image: their reduced weights are the same. */
bool policy_equal(const struct policy *a, const struct policy *b);

/* True where they differ in nothing but alpha (shared or a layer's own), so that one walk can serve both. */
bool policy_same_choices(const struct policy *a, const struct policy *b);

#endif
