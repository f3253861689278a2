/* What a window of the network's input could show, given the pixels around it: Zintgraf and others' conditional sampling ("Visualizing deep neural network
 * decisions: prediction difference analysis", 2017), with a Gaussian of this one photograph's patches (stationary.h) instead of many photographs'.
 *
 * A patch is a window with two pixels more on every side, as far as the input goes. With the covariances C between what is in the window (1) and around it (2), and a
 * patch y drawn without a condition, what is drawn with one is (each channel by itself)
 *
 *     mean + y_1 + C_12 C_22^-1 (x_2 - mean - y_2)
 *
 * (Galerne and Leclaire, "Texture inpainting using efficient Gaussian conditional simulation", 2017), which has the conditional Gaussian's mean,
 * mean + C_12 C_22^-1 (x_2 - mean), and covariance, C_11 - C_12 C_22^-1 C_21. The channels' y are drawn with the same noise, so that colours fit together; all windows
 * have the same y, so that what differs between them is not chance. */
#ifndef LSDN_CORE_METHODS_SURROUNDINGS_H
#define LSDN_CORE_METHODS_SURROUNDINGS_H

#include <stdint.h>

#include "core/methods/stationary.h"
#include "core/methods/windows.h"

enum { SURROUNDINGS_CHANNELS = 3 };

/* A patch's size, and where in it its window lies. */
struct patch_shape {
	int height, width;
	struct input_window window;
};

struct surroundings {
	struct stationary channels[SURROUNDINGS_CHANNELS];
	float least[SURROUNDINGS_CHANNELS], most[SURROUNDINGS_CHANNELS];
	double *drawn;                          /* for each draw and channel a patch y */
	int top, left;                          /* of the patch around the window that was looked at last */
	struct patch_shape shape;               /* of this patch; for others that have it all the rest holds too: */
	size_t known;                           /* how many pixels are around the window */
	struct patch_pixel {
		int y, x;
	} *pixels;                              /* which in the patch, in raster order */
	double *factors[SURROUNDINGS_CHANNELS]; /* known x known: Cholesky's of C_22 */
	double *weights;                        /* room for a number each, */
	double *row;                            /* and for a row of the window */
};

/* For an image, h x w x 3, each of whose windows can be drawn so many times. */
int surroundings_open(struct surroundings *s, const float *image, int height, int width, int draws, uint64_t seed, struct error *e);
void surroundings_close(struct surroundings *s);

/* Draws are of this window from here on. */
void surroundings_look(struct surroundings *s, const struct input_window *window);

/* Fills the window in changed with draw number 0, 1, ..., within each channel's least and highest value in the image. */
void surroundings_draw(struct surroundings *s, int number, float *changed);

#endif
