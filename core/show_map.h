/* A method's map as a line of text, a line of JSON, and a picture. */
#ifndef LSDN_CORE_SHOW_MAP_H
#define LSDN_CORE_SHOW_MAP_H

#include "core/methods/methods.h"

struct shown_map {
	const struct explainer *x;
	const struct map_method *method;
	const char *image; /* as named */
	int class_index, layer; /* -1: of no layer */
	double threshold;  /* of the box */
	const float *map;  /* height x width of the photograph, maximum 1 or, without evidence, 0 */
	bool evidence;
	struct box box;    /* where there is evidence: around the largest connected part at or over the threshold */
	struct {
		double read, forward, map, box;
	} ms;
};

void show_map_text(const struct shown_map *s);
int show_map_json(const struct shown_map *s, struct error *e);

/* Draws box and map over photo (NULL: over the tensor that was explained) into a file that canvas_named accepts. */
int show_map_picture(const struct shown_map *s, const struct photo *photo, const char *path, struct error *e);

#endif
