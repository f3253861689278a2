/* How far a mean can be off. */
#ifndef LSDN_BANDIT_RACE_H
#define LSDN_BANDIT_RACE_H

#include <stdint.h>

/* The half-width c of the race's intervals after n >= 1 pulls of each of `arms` arms that have `limit` rewards to give. For every arm and n, the mean is
 * too high by more than c, and likewise too low, with so small a probability that those of all arms and n together make delta. */
double race_radius(uint32_t n, uint32_t limit, int arms, double delta);

#endif
