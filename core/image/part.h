/* The largest connected part of a map. */
#ifndef LSDN_CORE_IMAGE_PART_H
#define LSDN_CORE_IMAGE_PART_H

#include "core/image/box.h"

/* The box around the largest connected part of the pixels of map (height x width, row after row, maximum 1) that are at or over the threshold, at most 1.
 * Pixels that touch by a side or a corner are connected (8-connectivity: so are the contours that the code around class activation maps takes boxes
 * from). Of equally large parts it is the one whose first pixel in raster order comes first. */
int part_largest(const float *map, int width, int height, double threshold, struct box *box, struct error *e);

#endif
