/* An explanation that outlives its explainer's next one, and how far two of them are apart. */
#ifndef LSDN_CALIB_EXPLAINED_H
#define LSDN_CALIB_EXPLAINED_H

#include "core/explain.h"
#include "core/image/picture.h"

struct explained {
	int class_index;
	double probability;
	struct explanation found;
	struct point *points; /* owned, as are the others */
	bool *keep;
	float *map;        /* height x width, 0..1; all 0 where no point stays */
	int width, height;
	char caption[300]; /* class and probability, UTF-8 */
};

/* Explains a class (-1: the predicted one) of what x was fed last. */
int explained_make(struct explained *out, struct explainer *x, const struct choices *choices, int asked, struct error *e);
void explained_free(struct explained *x);

/* As picture_write draws it, over a photograph of its size. */
struct picture explained_picture(const struct explained *x, const struct photo *photo);

struct likeness {
	double maps;   /* Spearman's rank correlation over all pixels; NAN where a map is empty */
	double points; /* Jaccard index of the points as sets of pixels; of two empty sets 1 */
	double boxes;  /* IoU; 1 where neither has a box, 0 where one has none */
};

/* Of two explanations over the same pixels. */
int explained_likeness(const struct explained *a, const struct explained *b, struct likeness *out, struct error *e);

#endif
