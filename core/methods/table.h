/* The methods, each defined in a file of its name or of its family's. */
#ifndef LSDN_CORE_METHODS_TABLE_H
#define LSDN_CORE_METHODS_TABLE_H

#include "core/methods/methods.h"

extern const struct map_method MAP_LSDN;
extern const struct map_method MAP_CNN_FIXATIONS;
extern const struct map_method MAP_GRAD_CAM;
extern const struct map_method MAP_GRAD_CAM_PLUS;
extern const struct map_method MAP_CAM;
extern const struct map_method MAP_GRADIENT;
extern const struct map_method MAP_DECONVNET;
extern const struct map_method MAP_GUIDED_BACKPROP;
extern const struct map_method MAP_EXCITATION_BACKPROP;
extern const struct map_method MAP_CONTRASTIVE_EXCITATION_BACKPROP;
extern const struct map_method MAP_LRP_EPSILON;
extern const struct map_method MAP_LRP_ALPHA_BETA;
extern const struct map_method MAP_LRP_ARGMAX;
extern const struct map_method MAP_OCCLUSION;
extern const struct map_method MAP_PREDICTION_DIFFERENCE;
extern const struct map_method MAP_PREDICTION_DIFFERENCE_CONDITIONAL;

#endif
