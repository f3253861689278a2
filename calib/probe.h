/* What a class's probability becomes when parts of a photograph are covered by the preprocessing's mean, which is 0 as the network reads it.
 *
 * A photograph's pixels are those of the network's input, of every crop of its view; what a map or a box says of one is what it says of the photograph's pixel
 * nearest to it. Probabilities are means over the crops. */
#ifndef LSDN_CALIB_PROBE_H
#define LSDN_CALIB_PROBE_H

#include "core/explain.h"

enum { PROBE_STEPS = 50, PROBE_CURVE = PROBE_STEPS + 1 };

/* One thread's; net and packed must outlive it. */
struct probe {
	const struct net *net;
	struct session *session; /* of a batch */
	float *inputs;     /* crops as the explainer was fed them, one after the other; */
	float *values;     /* of a map, at their pixels; */
	uint32_t *order;   /* from the highest to the lowest, of equals the first crop, then in raster order; */
	uint32_t *ranks;   /* a pixel's place there */
	struct view_geometry geometries[VIEW_MOST_CROPS];
	int crop_count, photo_width, photo_height;
	double *probabilities;
};

/* Must not be called at the same time as anything that opens a session. */
int probe_open(struct probe *p, const struct net *net, struct packed_weights *packed, struct error *e);
void probe_close(struct probe *p);

/* Takes what the explainer was fed last. */
void probe_take(struct probe *p, const struct explainer *x);

/* A map (height x width of the photograph) at the pixels of the network's input, crop after crop; until the next call of anything here. */
const float *probe_values(struct probe *p, const float *map, size_t *count);

/* The probability with every pixel covered whose middle is outside each box; without[i]: there is no box i, and all is covered. */
int probe_boxes(struct probe *p, int class_index, const struct boxf *boxes, const bool *without, size_t count, double *probabilities, struct error *e);

/* By the order of a map (height x width of the photograph): after step i of PROBE_STEPS, i / PROBE_STEPS of the pixels are uncovered, the highest first
 * (insertion), or covered (deletion). The ends, which are the same whatever the map, are not computed. */
int probe_curves(struct probe *p, int class_index, const float *map, double insertion[PROBE_CURVE], double deletion[PROBE_CURVE], struct error *e);

#endif
