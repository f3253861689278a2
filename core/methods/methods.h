/* Methods that explain a prediction by a map, behind one table; README.md here has their formulas.
 *
 * A map is made over what the network sees, on the grid of a layer or pixel by pixel, and enlarged to the photograph. Its values are at least 0. */
#ifndef LSDN_CORE_METHODS_METHODS_H
#define LSDN_CORE_METHODS_METHODS_H

#include "core/explain.h"
#include "core/net/backward.h"

/* height x width cells that divide the network's input evenly, row after row. */
struct grid {
	int height, width;
	float *values;
	size_t room; /* of values */
};

/* What a method is asked: the map of a class on one crop, which the session has run. */
struct question {
	const struct net *net;
	struct session *session;
	struct backward *backward;
	int class_index;
	int layer; /* for methods at a layer: a tensor of the plan */
	struct grid *grid;
};

enum map_place {
	MAP_OF_WALK,  /* the points of a walk, counted and blurred */
	MAP_AT_LAYER, /* on the grid of a layer, which can be named */
	MAP_OF_INPUT  /* on the network's input, or a grid that the method itself chooses */
};

struct map_method {
	const char *name;
	const char *summary;  /* what its map is */
	const char *needs;    /* of the network */
	const char *citation;
	enum map_place place;
	bool costly; /* takes hundreds of forward passes */
	int (*layer)(const struct plan *plan); /* where none is named; NULL: layer_target */
	int (*answer)(const struct question *q, struct error *e); /* fills q->grid; may run the session on another input, but leaves it as it was */
	const struct policy *policy; /* of a walk; NULL: that of the choices */
};

/* NULL behind the last one. */
extern const struct map_method *const MAP_METHODS[];

const struct map_method *map_method_find(const char *name, struct error *e);

/* The layer at which the method makes its map where none is named, or -1. */
int map_method_layer(const struct map_method *method, const struct plan *plan);

/* For methods: */

/* Fills q's grid with max(0, sum over k of weights[k] A_k) over the activations a of q's layer. */
int grid_weighted(const struct question *q, const float *a, size_t stride, const double *weights, struct error *e);

/* Goes back from the class score to the network's input by the rule (NULL: the gradient) and fills q's grid with the highest of the channels' absolute
 * values. */
int question_pixels(const struct question *q, const struct backward_rule *rule, struct error *e);

/* Makes the grid that large, with zeros. */
int grid_make(struct grid *grid, int height, int width, struct error *e);

/* The activations of q's layer, a place every *stride floats. NULL where memory is short, which e then says. */
const float *question_activations(const struct question *q, size_t *stride, struct error *e);

#endif
