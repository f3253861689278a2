/* Points, boxes, maps and resizing once more, as plainly as the formulas are: loops in their order, double sums, nothing left out because it is
 * small. Nothing fast is correct unless it agrees with this. */
#ifndef LSDN_CORE_IMAGE_REFERENCE_H
#define LSDN_CORE_IMAGE_REFERENCE_H

#include "core/image/box.h"
#include "core/image/photo.h"

/* keep[i]: point i is finite, and the points strictly nearer to it than radius * diagonal, itself counted, are more than share of all. */
size_t reference_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep);

/* The sides of the box by any rule but BOX_MAP, before they are rounded. 0 where there is none, 1 where there is, -1 where memory is short. */
int reference_sides(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct boxf *sides);

/* The box by any rule; returns as above. */
int reference_box(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct box *box);

/* The box around the largest part of the pixels of map that are at or over the threshold, found by filling one part after the other; the first one in raster
 * order of equally large ones. Returns as above. */
int reference_part(const double *map, int width, int height, double threshold, struct box *box);

/* Pixels that are in both boxes over pixels that are in one of them, counted one by one. */
double reference_iou(const struct box *a, const struct box *b);

/* Sum over the kept points of w exp(-d^2 / (2 sigma^2)), w their weight (1 where weights is NULL), d the distance from their rounded pixel, sigma = blur *
 * diagonal, at every pixel of map (height x width, row after row) that is no farther than `reach` on either axis, divided by its maximum, which is
 * returned; all zero where no point is kept. */
double reference_map(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, double blur, double reach,
	double *map);

/* Channel c (0 to 255, not rounded) of pixel (y, x) of the photograph resized to width x height: the mean of all its pixels, each with the weight
 * of a triangle on each axis that falls to 0 one pixel away, in pixels of the coarser grid. */
double reference_resized(const struct photo *photo, int width, int height, int y, int x, int c);

#endif
