/* Every method's map of some photographs, beside each other (the paper's figure 3). */
#ifndef LSDN_CALIB_GALLERY_H
#define LSDN_CALIB_GALLERY_H

#include "calib/contest.h"

struct gallery_image {
	uint32_t index;    /* in the source */
	char caption[300]; /* class and probability, UTF-8 */
	struct photo *panels; /* owned: one an entrant, then the photograph with what is annotated; of width 0 where there is nothing to show */
};

struct gallery {
	struct gallery_image *images; /* owned */
	size_t count, panels;
};

/* Explains the predicted class of the images by all that have a map, with the box that each finds. */
int gallery_make(struct gallery *g, struct contest *c, const uint32_t *images, size_t count, struct error *e);
void gallery_free(struct gallery *g);

#endif
