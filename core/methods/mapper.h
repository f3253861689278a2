/* Makes the map of any method of what an explainer was fed last. */
#ifndef LSDN_CORE_METHODS_MAPPER_H
#define LSDN_CORE_METHODS_MAPPER_H

#include "core/methods/methods.h"

struct mapper {
	struct explainer *explainer;
	struct backward *backward;
	struct grid grid;
};

/* Both must outlive the mapper; w is for as many threads as the explainer. */
int mapper_open(struct mapper *m, struct explainer *x, struct linear_weights *w, struct error *e);
void mapper_close(struct mapper *m);

/* Fills map (height x width of the photograph, row after row) with the method's map of a class, divided by its maximum; maps of several crops are added.
 * layer: for methods at a layer, or -1 for their own. Where nothing speaks for the class, *evidence is false and the map all zeros. choices: those of a
 * walk. */
int mapper_make(struct mapper *m, const struct map_method *method, const struct choices *choices, int class_index, int layer, float *map, bool *evidence,
	struct error *e);

#endif
