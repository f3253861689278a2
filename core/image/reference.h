/* Points, boxes, maps and resizing once more, as plainly as the formulas are: loops in their order, double sums, nothing left out because it is
 * small. Nothing fast is correct unless it agrees with this. */
#ifndef LSDN_CORE_IMAGE_REFERENCE_H
#define LSDN_CORE_IMAGE_REFERENCE_H

#include "core/image/box.h"
#include "core/image/photo.h"

/* keep[i]: point i is finite, and the points strictly nearer to it than radius * diagonal, itself counted, are more than share of all. */
size_t reference_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep);

/* The least box around the kept points, each side moved outwards by margin * the photograph's side, rounded half up, clipped. */
bool reference_box(const struct point *points, const bool *keep, size_t count, int width, int height, const struct box_rule *rule, struct box *box);

/* Pixels that are in both boxes over pixels that are in one of them, counted one by one. */
double reference_iou(const struct box *a, const struct box *b);

/* Sum over the kept points of exp(-d^2 / (2 sigma^2)), d the distance from their rounded pixel, sigma = blur * diagonal, at every pixel of map
 * (height x width, row after row), divided by its maximum, which is returned; all zero where no point is kept. */
double reference_map(const struct point *points, const bool *keep, size_t count, int width, int height, double blur, double *map);

/* Channel c (0 to 255, not rounded) of pixel (y, x) of the photograph resized to width x height: the mean of all its pixels, each with the weight
 * of a triangle on each axis that falls to 0 one pixel away, in pixels of the coarser grid. */
double reference_resized(const struct photo *photo, int width, int height, int y, int x, int c);

#endif
