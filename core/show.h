/* An explanation as a line of text, a line of JSON, and a picture. */
#ifndef LSDN_CORE_SHOW_H
#define LSDN_CORE_SHOW_H

#include <jansson.h>

#include "core/explain.h"

struct shown {
	const struct explainer *x; /* that explained last */
	const char *image;         /* as named */
	const char *preset;        /* the weights file, or NULL */
	const struct choices *choices;
	int class_index;
	struct explanation found;
	const struct boxf *annotated; /* in the photograph's pixels: drawn, too */
	size_t annotated_count;
	struct {
		double read, forward, walk, box;
	} ms;
};

void show_text(const struct shown *s);

/* One object, on standard output; why is NULL or goes into it as "why". */
int show_json(const struct shown *s, json_t *why, struct error *e);

/* Draws points, box and map over photo (NULL: over the tensor that was explained) into a file that canvas_named accepts. */
int show_picture(const struct shown *s, const struct photo *photo, const char *path, struct error *e);

/* The same picture as pixels, which the caller frees. */
int show_pixels(const struct shown *s, const struct photo *photo, struct photo *pixels, struct error *e);

/* The photograph that the tensor is that x was fed with: its numbers put back to 0..255. */
int show_photo_of_tensor(const struct explainer *x, struct photo *photo, struct error *e);

#endif
