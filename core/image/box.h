/* From points to a box, and how good the box is.
 *
 * Coordinates are the photograph's pixels: pixel centres lie on whole numbers, both ends of a box are included. */
#ifndef LSDN_CORE_IMAGE_BOX_H
#define LSDN_CORE_IMAGE_BOX_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

struct point {
	double y, x;
};

struct box {
	int xmin, ymin, xmax, ymax;
};

/* Sorts points in raster order (by y, then x) and drops repeated ones: they are a set. Returns how many stay. */
size_t points_unique(struct point *points, size_t count);

/* The rule of the paper (4.1.2): outliers away, then the least box around what stays. Fractions, not pixels. */
struct box_rule {
	double radius; /* neighbourhood, as a fraction of the photograph's diagonal (0.1) */
	double share;  /* more than this share of all points, itself counted, must lie strictly within it (0.05) */
	double margin; /* each side moved outwards by this fraction of the photograph's width or height (0) */
};

/* Marks in keep[0..count) the points that stay and returns how many they are. A point that is not finite is near nothing, itself not either: it never
 * stays, but is one of all points. */
size_t box_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep);

/* The least box around the kept points, widened by the margin, rounded half up, clipped to width x height.
 * Returns false where no point is kept; box is then left alone. */
bool box_around(const struct point *points, const bool *keep, size_t count, int width, int height,
	const struct box_rule *rule, struct box *box);

/* A box in real coordinates, both ends included. */
struct boxf {
	double xmin, ymin, xmax, ymax;
};

struct boxf box_real(const struct box *box);

/* The same box in another pixel grid: its outer edges move in proportion, xmin to xmin * r and xmax to (xmax + 1) * r - 1, so that the whole
 * photograph stays the whole photograph and an IoU is the same in either grid. Not rounded. */
struct boxf box_scale(const struct boxf *box, int from_width, int from_height, int to_width, int to_height);

/* Intersection over union, counted in pixels with both ends included: (x2 - x1 + 1) * (y2 - y1 + 1). */
double box_iou(const struct boxf *a, const struct boxf *b);

/* The trivial rival: centred, sides `side` (0..1] times the photograph's, not rounded; 1 is the whole photograph. */
struct boxf box_centered(int width, int height, double side);

/* The best `side` of all on 1100 photographs: 0.75. */
extern const double BOX_CENTER_SIDE;

#endif
