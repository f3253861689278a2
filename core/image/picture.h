/* The picture of an explanation, as one would print it in a paper. */
#ifndef LSDN_CORE_IMAGE_PICTURE_H
#define LSDN_CORE_IMAGE_PICTURE_H

#include "core/image/box.h"
#include "core/image/photo.h"

struct picture {
	const struct photo *photo;
	const struct point *points; /* in the photograph's pixels */
	const bool *keep;
	size_t count;
	const struct box *box; /* NULL where there is none */
	const struct boxf *annotated; /* drawn dashed */
	size_t annotated_count;
	const float *map;      /* height x width, 0..1 */
	const char *caption;   /* class and probability, UTF-8 */
};

/* Writes PNG, SVG or PDF by the ending of path: photograph with points and box, heatmap over it, caption below. Whole or not at all. */
int picture_write(const struct picture *picture, const char *path, struct error *e);

/* The same as pixels, which the caller frees. */
int picture_pixels(const struct picture *picture, struct photo *pixels, struct error *e);
/* The same of several, from left to right. */
int pictures_write(const struct picture *pictures, int count, const char *path, struct error *e);

/* One of the two panels alone, without points and box: the heatmap over the photograph in gray, or (map is NULL) the photograph. The caller frees it. */
int picture_panel(const struct photo *photo, const float *map, struct photo *panel, struct error *e);

#endif
