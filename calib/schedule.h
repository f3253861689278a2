/* In what order parameters are tuned, and what the others are meanwhile. */
#ifndef LSDN_CALIB_SCHEDULE_H
#define LSDN_CALIB_SCHEDULE_H

#include "calib/calibrate.h"

/* Opens the steps whose arms are known before any reward is, and adds to the matrix what else is worth computing in the first pass. */
int schedule_open(struct calibration *c, struct error *e);

/* Begins anew with the same matrix: the first steps are open again. */
int schedule_restart(struct calibration *c, struct error *e);
void schedule_forget(struct calibration *c);

/* Runs all steps on the rows, and sets what is tuned. */
int schedule_run(struct calibration *c, struct reward_row **rows, struct error *e);

#endif
