/* A Gaussian of the patches of one plane of numbers x, which has the same mean and covariance everywhere. Of two numbers that are d apart the covariance is
 *
 *     C(d) = (1 / (h w)) sum over p, where p and p + d are in the plane, of (x(p) - mean) (x(p + d) - mean)
 *
 * (d = 0: and a thousandth more, so that any matrix of them has an inverse). With white noise u and v, patches with this covariance are
 *
 *     patch(p) = sum over r in the plane of u(r - p) (x(r) - mean) / sqrt(h w) + sqrt(C(0) / 1000) v(p)
 *
 * (Galerne, Gousseau and Morel, "Random phase textures: theory and synthesis", 2011). */
#ifndef LSDN_CORE_METHODS_STATIONARY_H
#define LSDN_CORE_METHODS_STATIONARY_H

#include <stddef.h>

#include "core/error.h"

struct stationary {
	int height, width;               /* h, w */
	int patch_height, patch_width;   /* at most h, w */
	double mean;
	double *plane;                   /* h x w: x - mean */
	double *covariance;              /* (2 patch_height - 1) x (2 patch_width - 1): d from minus to plus (the patch's side - 1), with 0 in the middle */
	double extra;                    /* what C(0) has more */
};

/* Of values[i stride], i from 0 to h w - 1. */
int stationary_open(struct stationary *s, const float *values, size_t stride, int height, int width, int patch_height, int patch_width, struct error *e);
void stationary_close(struct stationary *s);

/* The covariances of (dy, 0), to be indexed with dx from minus to plus (patch_width - 1). */
const double *stationary_covariance(const struct stationary *s, int dy);

/* Draws a patch from normal numbers: u, (height + patch_height - 1) x (width + patch_width - 1), and v, of the patch's size. */
void stationary_draw(const struct stationary *s, const double *u, const double *v, double *patch);

#endif
