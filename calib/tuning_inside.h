/* What the files of a step share. */
#ifndef LSDN_CALIB_TUNING_INSIDE_H
#define LSDN_CALIB_TUNING_INSIDE_H

#include "calib/tuning.h"

/* Holds every arm against the one that was chosen, on the images that both have seen: the first `pulls` of each arm's order, arm after arm in orders.
 * Where all rewards are known, sets the arms' means on all images. */
int tuning_compare(struct tuning *s, struct reward_row *const *rows, const uint32_t *orders, size_t images, struct error *e);

#endif
