/* From a photograph to an explanation: network, walk, points, box. */
#ifndef LSDN_CORE_EXPLAIN_H
#define LSDN_CORE_EXPLAIN_H

#include "core/choices.h"
#include "core/image/photo.h"
#include "core/net/net.h"
#include "core/trace/walk.h"

struct explanation {
	size_t count, kept; /* of the explainer's points and keep */
	bool found;
	struct box box; /* where found */
};

/* One crop of a view: its activations, which live until the next image, what was walked through them, and where it lies in the photograph. */
struct explainer_crop {
	struct session *session;
	struct walk *walk;
	struct view_geometry geometry;
};

/* What one thread needs to explain one image after the other. */
struct explainer {
	const struct net *net;
	struct packed_weights *packed;
	int threads;
	struct explainer_crop crops[VIEW_MOST_CROPS]; /* the first is open, the others from the first image on that needs them */
	int crop_count;        /* of the image that was fed last */
	double *probabilities; /* one a class, of the image that was fed last: the mean over its crops */
	int class_count;
	int width, height;     /* of the photograph */
	/* Of the last explanation: */
	struct explanation last;
	struct box_rule rule;
	bool known;            /* it is of the image that was fed last */
	struct place *places;  /* what it was made from, crop after crop; */
	size_t place_counts[VIEW_MOST_CROPS];
	struct place *reading; /* as much room for the next one */
	double *masses, *reading_masses; /* likewise, of those places */
	struct point *points; /* in the photograph's pixels: a set, in raster order */
	double *weights;      /* their masses; NULL where the policy has none */
	double *weight_room;
	bool *keep;
	size_t room;
};

/* net and packed must outlive the explainer, which runs on that many threads. */
int explainer_open(struct explainer *x, const struct net *net, struct packed_weights *packed, int threads, struct error *e);
void explainer_close(struct explainer *x);

/* Runs the network on every crop of a view of the photograph, or on a tensor file (.npy); a tensor's photograph is itself. */
int explainer_feed(struct explainer *x, const struct photo *photo, enum view view, struct error *e);
int explainer_feed_tensor(struct explainer *x, const char *path, struct error *e);

/* The same on a preprocessed tensor in memory: 3 x H x W floats, channel after channel as in ONNX, finite. */
int explainer_feed_values(struct explainer *x, const float *values, struct error *e);

/* The class with the n-th highest probability (n from 0; the lowest class of equals). */
int explainer_class(const struct explainer *x, int n);

/* The classes that a walk starts from: the policy's top_n by probability, or `asked` where that is not -1. Returns how many. */
int explainer_classes(const struct explainer *x, const struct policy *policy, int asked, int classes[POLICY_MOST_CLASSES]);

/* The class that others are told from (choice contrast): the likeliest that is none of `classes`; -1 where there is none. */
int explainer_rival(const struct explainer *x, const int *classes, int count);

/* Walks every crop from the top classes of the policy, or from `asked` where that is not -1, for policies that differ in alpha only. */
int explainer_walk(struct explainer *x, const struct policy *policies, int count, int asked, struct error *e);

/* Points (the union of the crops'), outliers and box of policy p of the last walk; points and keep stay until the next call. Policies one after the
 * other that select the same pixels are computed once. */
int explainer_read(struct explainer *x, int p, const struct box_rule *rule, struct explanation *out, struct error *e);

/* Fills the photograph's height x width floats with the heatmap of what was read last (core/image/map.h), by mass where the policy has it. */
int explainer_map(const struct explainer *x, double blur, float *map, struct error *e);

#endif
