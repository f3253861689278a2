/* Weights for groups of layers, one after the other, from the shared ones on. */
#ifndef LSDN_CALIB_LAYERS_H
#define LSDN_CALIB_LAYERS_H

#include "calib/calibrate.h"

/* Forms the groups. */
int layers_open(struct calibration *c, const struct plan *network, struct error *e);

/* Round after round every group's arms, the other groups at their best so far; goes on from what is tuned. */
int layers_run(struct calibration *c, const struct plan *network, struct reward_row **rows, struct error *e);

void layers_close(struct calibration_layers *l);

#endif
