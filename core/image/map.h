/* From points to a heatmap. */
#ifndef LSDN_CORE_IMAGE_MAP_H
#define LSDN_CORE_IMAGE_MAP_H

#include "core/image/box.h"

/* Fills map (height x width floats, row after row): one count a kept point at its rounded pixel, or its weight where weights is not NULL, Gaussian blur
 * with sigma `blur` (0.032) times the diagonal that ends on each axis after round(4 sigma) pixels, divided by its maximum. All zero where no point is
 * kept. */
int map_make(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, double blur, float *map,
	struct error *e);

#endif
