/* What replay.c and replay_layer.c share. */
#ifndef LSDN_CORE_REPLAY_INSIDE_H
#define LSDN_CORE_REPLAY_INSIDE_H

#include <jansson.h>

#include "core/explain.h"
#include "core/trace/index_set.h"
#include "core/trail_read.h"

/* What was found of one layer. */
struct tally {
	size_t neurons, lines, differ, ties;
	double difference;    /* the largest of Omega, as a share of it */
	double margin;        /* the least share of the highest Omega by which the last taken leads the first left out; infinite where none was left */
	struct place closest; /* the neuron s for which it is the least */
	const struct op *op;  /* and its layer */
};

struct replayer {
	struct explainer *x;
	struct trail_image image;
	const char *path;
	json_t *layers, *remarks;   /* NULL: text is printed */
	struct index_set *selected; /* of the crop in hand, by tensor that a layer made or that is the input */
	double **masses;            /* likewise what they were given, by slot */
	struct point *points;       /* of the image's crops so far, */
	double *weights;            /* and their masses */
	size_t point_count;
	struct tally total;
};

/* A remark on a line of the trail: one that differs, or where rounding decides. */
void replay_remark(struct replayer *r, long number, const char *kind, const struct step *step, const char *format, ...) LSDN_PRINTF(5, 6);

/* Selects a neuron of a tensor, or of the layer's that made it, and gives it mass. */
int replay_select(struct replayer *r, int t, neuron_t n, double mass, struct error *e);

/* Checks all layers of one crop, from the class to the image, and adds its points to r->points; the first crop sorts the lines. */
int replay_crop(struct replayer *r, int crop, struct error *e);

/* Checks the lines of one layer, sorted by s; what they selected goes into r->selected. */
int replay_layer(struct replayer *r, int crop, const struct op *op, const struct trail_line *lines, size_t count, struct tally *tally, struct error *e);

#endif
