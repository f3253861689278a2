/* The audit trail of explanations: JSON, one object a line, from which each selection can be checked by hand or by replay.h.
 *
 * Every image has a head, its steps from the class to the pixels, and an end:
 *
 *     {"trail": 1, "image": FILE, "tensor": false, "model_sha256": ..., "classes": [...], "asked": false, "probabilities": [...], "policy": {...}}
 *     {"number": 68, "layer": "conv1", "operator": "Conv", "s": [c, y, x], "tensor": "pool1_1", "neuron": [c, y, x],
 *      "z_cur": 1.5, "z_pre": 0.3, "z_suc": 2, "omega": 3.6, "rank": 1, "runner_up": 3.1}
 *     {"points": [[y, x], ...], "kept": 12, "box": [xmin, ymin, xmax, ymax]}
 *
 * A step says that for the selected neuron s of the layer's output (operator `number` of the plan) a neuron of one of the tensors that it reads was
 * selected. Layers other than Conv and Gemm choose by place or activation and have no supports. A number that is infinite or none is null; runner_up is
 * null too where no eligible candidate was left out. Views of several crops have "crop" in each step. Operators that keep (c, y, x) have no steps: a
 * neuron of their output is the same neuron of their input. Under the choice `mass` a step has the "mass" that s hands on, where it is not 0. */
#ifndef LSDN_CORE_TRAIL_H
#define LSDN_CORE_TRAIL_H

#include <jansson.h>

#include "core/explain.h"
#include "core/output.h"

enum { TRAIL_FORMAT = 1 };

struct trail {
	struct output out;
	const struct explainer *x; /* of the image in hand */
	bool open;                 /* between its head and its end */
};

/* Opens a file that appears whole when it is closed. */
int trail_open(struct trail *t, const char *path, struct error *e);

/* The head of an image that x was fed with, before it is walked for classes[0..class_count). */
int trail_head(struct trail *t, const struct explainer *x, const char *image, bool tensor, const struct choices *choices, const int *classes,
	int class_count, bool asked, struct error *e);

int trail_step(struct trail *t, int crop, const struct step *step, struct error *e);
int trail_end(struct trail *t, const struct explanation *found, struct error *e);

/* Refuses to keep a trail that breaks off within an image. Harmless on a zero trail. */
int trail_close(struct trail *t, struct error *e);

/* A step as JSON; crop is -1 where there is but one. NULL where memory is short. */
json_t *trail_step_json(const struct plan *plan, int crop, const struct step *step);

/* [[y, x], ...] and [xmin, ymin, xmax, ymax] or null, of x's explanation. */
json_t *trail_points_json(const struct explainer *x, const struct explanation *found);
json_t *trail_box_json(const struct explanation *found);

#endif
