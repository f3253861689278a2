/* Parts of the page of a calibration. */
#ifndef LSDN_CALIB_PAGE_H
#define LSDN_CALIB_PAGE_H

#include <stdio.h>

#include "calib/calibrate.h"

/* Every arm's mean and interval, and the share of images that the centre box is right on, as a figure with SVG. */
void page_arms(FILE *f, const struct calibration *c, const struct tuning *s);

/* Cumulative regret over the trials, of a swept step. */
void page_regret(FILE *f, const struct tuning *s);

/* The rewards of a step, images x arms, one pixel each: as a figure with PNG. */
int page_rewards(FILE *f, const struct calibration *c, const struct tuning *s, struct error *e);

/* The photographs that the tuned setting explains best and worst, held-out ones where there are any: explained once more, with box and points. */
int page_photographs(FILE *f, const struct calibration *c, const struct reward_job *job, struct error *e);

#endif
