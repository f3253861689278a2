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

/* The same of points with weights: those of a repeated one are added up in the order in which they come. *unique says how many stay. */
int points_merge(struct point *points, double *weights, size_t count, size_t *unique, struct error *e);

enum box_kind {
	BOX_POINTS,   /* the paper's (4.1.2): outliers away, then the least box around what stays */
	BOX_QUANTILE, /* between two quantiles of all points, on each axis */
	BOX_SPREAD,   /* mean and standard deviations of all points, on each axis, moved towards a prior */
	BOX_MAP       /* around the largest connected part of the map that reaches a threshold */
};

/* How a box is found. Fractions, not pixels. */
struct box_rule {
	enum box_kind kind;
	double radius; /* neighbourhood, as a fraction of the photograph's diagonal (0.1) */
	double share;  /* more than this share of all points, itself counted, must lie strictly within it (0.05) */
	double margin; /* points: each side moved outwards by this fraction of the photograph's width or height (0); quantile: of the box's own */
	double floor;  /* quantile and spread: of a weight counts what is over this share of the highest (0) */
	double tail;   /* quantile: how much is left out on each of the four sides (0.05) */
	double sds;    /* spread: the half-length in standard deviations (1.8) */
	double prior;  /* spread: how far the mean goes to the photograph's middle and the half-length to 3/8 of its side (0.5) */
	double map_threshold; /* map: as a share of its maximum (0.15) */
	double blur;   /* of the map, as a fraction of the photograph's diagonal (0.032) */
};

bool box_rule_equal(const struct box_rule *a, const struct box_rule *b);

/* Marks in keep[0..count) the points that stay and returns how many they are. A point that is not finite is near nothing, itself not either: it never
 * stays, but is one of all points. */
size_t box_outliers(const struct point *points, size_t count, int width, int height, const struct box_rule *rule, bool *keep);

/* The box that the rule finds, sides rounded half up, clipped to width x height. weights: of the points, not negative, or NULL where each counts 1; they
 * say nothing under BOX_POINTS. BOX_POINTS and BOX_MAP see the kept points, the others all that are finite. *found is false where nothing is to be seen;
 * box is then left alone. Where a negative margin would turn the box inside out, both sides are in its middle.
 *
 * Quantile and spread see weights w = max(0, weight - floor * the highest).
 * Quantile: Hyndman and Fan's type 7 (what R, NumPy and spreadsheets compute), weighted as by Akinshin (2023): with W = sum w and one point's worth
 * v = sum w^2 / W, the low side is the mean place of that part of the mass, in order of place, that lies between tail * (W - v) and tail * (W - v) + v,
 * and the high side likewise from the other end.
 * Spread: m = sum w x / W, s^2 = sum w (x - m)^2 / W; the box is M +- H with M = (1 - prior) m + prior (width - 1) / 2,
 * H = (1 - prior) sds s + prior 3/8 width, and so in y. */
int box_find(const struct point *points, const double *weights, const bool *keep, size_t count, int width, int height, const struct box_rule *rule,
	struct box *box, bool *found, struct error *e);

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
