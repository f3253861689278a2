/* The connected parts of a map. */
#ifndef LSDN_CORE_IMAGE_PART_H
#define LSDN_CORE_IMAGE_PART_H

#include "core/image/box.h"

/* The box around the largest connected part of the pixels of map (height x width, row after row, maximum 1) that are at or over the threshold, at most 1.
 * Pixels that touch by a side or a corner are connected (8-connectivity: so are the contours that the code around class activation maps takes boxes
 * from). Of equally large parts it is the one whose first pixel in raster order comes first. */
int part_largest(const float *map, int width, int height, double threshold, struct box *box, struct error *e);

/* The boxes around all parts, in the order of their first pixels; none where no pixel is at the threshold. */
struct parts {
	struct box *boxes;
	size_t count, largest;
};

int parts_find(struct parts *parts, const float *map, int width, int height, double threshold, struct error *e);
void parts_free(struct parts *parts);

#endif
