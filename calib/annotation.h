/* ILSVRC annotations: what a person drew around the objects of a photograph. */
#ifndef LSDN_CALIB_ANNOTATION_H
#define LSDN_CALIB_ANNOTATION_H

#include <stddef.h>

#include "core/error.h"
#include "core/image/box.h"

struct annotated_box {
	char wnid[16]; /* <name>: WordNet id such as n01440764 */
	struct boxf box;
};

struct annotation {
	int width, height; /* <size>: the pixel grid in which boxes are given; 0 x 0 where the source has none (CSV): the photograph's own */
	struct annotated_box *boxes; /* owned; at least one after a successful read */
	size_t count;
};

/* Reads ILSVRC (PASCAL VOC) XML. Entities, DTDs and the network are not touched; sizes and numbers are bounded; a file without a box is an error. */
int annotation_read_xml(struct annotation *a, const char *path, struct error *e);

/* Reads a PredictionString of LOC_val_solution.csv: a repetition of "WNID xmin ymin xmax ymax ". place ("file:line") is used in messages. */
int annotation_read_prediction(struct annotation *a, const char *text, const char *place, struct error *e);

/* The best IoU of a box (in the photograph's own width x height pixels) with any annotated box, in the annotation's pixel grid. */
double annotation_iou(const struct annotation *a, const struct boxf *box, int width, int height);

void annotation_free(struct annotation *a);

#endif
