/* From a photograph to what the network sees, and back.
 *
 * A view is a part of the photograph resized to the network's input. Resizing is the antialiased triangle filter that Pillow calls BILINEAR. */
#ifndef LSDN_CORE_IMAGE_VIEW_H
#define LSDN_CORE_IMAGE_VIEW_H

#include <stdbool.h>

#include "core/error.h"
#include "core/image/box.h"
#include "core/image/photo.h"

/* How pixels become the network's numbers: (value in 0..255 - mean[c]) / std[c], c in the network's order of channels. */
struct preprocessing {
	int width, height; /* the network's input, in pixels */
	bool bgr;          /* channels are read blue, green, red; else red, green, blue */
	float mean[3], std[3];
};

enum view {
	VIEW_FULL,   /* the whole photograph, aspect not kept */
	VIEW_CENTER, /* shorter side to round(side * 256 / 224), then the centre crop */
	VIEW_FIVE,   /* the same resize, five crops: top left, top right, bottom left, bottom right, centre */
};

enum { VIEW_MOST_CROPS = 5 };

/* How many crops a view is made of. */
int view_crops(enum view view);

/* Where a crop's pixel lies in the photograph: X = (x + offset_x + 1/2) * scale_x - 1/2, the same for y; pixels of the photograph, real numbers. */
struct view_geometry {
	double scale_x, scale_y;
	double offset_x, offset_y;
};

/* The geometry of a whole photograph of width x height that was stretched to the view. */
struct view_geometry view_geometry_stretch(int view_width, int view_height, int width, int height);

/* The photograph's point of the crop's pixel (y, x). Pixels of two crops of one view that show the same give the very same point. */
struct point view_point(const struct view_geometry *g, int y, int x);

/* Fills tensor (height x width x 3 floats, NHWC, preprocessed) and geometry with a crop (from 0) of a view of a photograph of any size. */
int view_make(const struct photo *photo, const struct preprocessing *pre, enum view view, int crop, float *tensor,
	struct view_geometry *geometry, struct error *e);

#endif
