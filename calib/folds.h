/* Cross-validation (Stone 1974): what is tuned on all parts of the images but one is scored on that one, part by part, so that every image is scored by a
 * setting that it had no say in. */
#ifndef LSDN_CALIB_FOLDS_H
#define LSDN_CALIB_FOLDS_H

#include "calib/calibrate.h"

/* Runs the schedule once a fold; the usable image in place i is of fold i % folds. right[i] says whether the setting that was tuned without the fold of image i
 * is right on it, settings[fold] which one that is. Rewards are taken from the matrix where they are known. */
int folds_run(struct calibration *c, struct reward_row **rows, bool *right, int *settings, struct error *e);

#endif
