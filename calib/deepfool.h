/* DeepFool: the least change to an image that makes a network see another class.
 * S.-M. Moosavi-Dezfooli, A. Fawzi, P. Frossard, "DeepFool: a simple and accurate method to fool deep neural networks", CVPR 2016, Algorithm 2. */
#ifndef LSDN_CALIB_DEEPFOOL_H
#define LSDN_CALIB_DEEPFOOL_H

#include "core/explain.h"
#include "core/net/backward.h"

struct deepfool {
	int classes;      /* the best of the original image, its own among them (the authors: 10); the others are what it may become */
	double overshoot; /* past the boundary, as a share of the way (0.02) */
	int iterations;   /* at most (50) */
};

extern const struct deepfool DEEPFOOL_USUAL;

struct fooled {
	bool success;      /* `after` is another class than `before` */
	int before, after; /* classes */
	int iterations;
	double distance;   /* Euclidean, of the changed pixels from the original ones */
	double relative;   /* the same as a share of the original pixels' norm: rho of the paper */
};

/* pixels: what the network sees, in the network's order of channels: H x W x 3 numbers from 0 to 255; changed gets the same with the perturbation, within
 * 0..255. b is x's thread's. Leaves x fed with changed.
 *
 * With f the class scores before a last Softmax, k0 the original class, and x_0 the image: r_i = (|f'_l| / |w'_l| + 1e-4) w'_l / |w'_l| with
 * w'_k = grad f_k(x_i) - grad f_k0(x_i), f'_k = f_k(x_i) - f_k0(x_i) and l the class with the least |f'_k| / |w'_k|; x_{i+1} is
 * x_0 + (1 + overshoot) (r_0 + ... + r_i), clipped to 0..255, until its class is another. (The paper has no 1e-4 and multiplies once at the end; the
 * authors' code, as this does, each time, for a boundary is else approached but not crossed.) */
int deepfool_run(const struct deepfool *how, struct explainer *x, struct backward *b, const float *pixels, float *changed, struct fooled *out, struct error *e);

/* Feeds x with such pixels; its photograph is then what the network sees. */
int deepfool_feed(struct explainer *x, const float *pixels, struct error *e);

/* The pixels of the crop that x was fed with last, clipped to 0..255. */
void deepfool_pixels(const struct explainer *x, float *pixels);

/* The class with the highest score; the lowest of equals. */
int deepfool_class(const struct explainer *x);

#endif
