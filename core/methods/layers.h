/* The layers on whose grid a map can be made. */
#ifndef LSDN_CORE_METHODS_LAYERS_H
#define LSDN_CORE_METHODS_LAYERS_H

#include <stdio.h>

#include "core/net/plan.h"

/* The last tensor with places before they are pooled or flattened away on the way to the class scores; -1 where there is none. */
int layer_target(const struct plan *plan);

/* The first tensor of at most an eighth of the input's height, with places, that all ways from the input to the scores go through; else the target. */
int layer_eighth(const struct plan *plan);

/* The tensor of that name, or that the ONNX node of that name makes. It must have places and lead to the scores. */
int layer_find(const struct plan *plan, const char *name, int *layer, struct error *e);

/* Lists all that layer_find finds, the target marked. */
void layer_list(const struct plan *plan, FILE *file);

#endif
