/* The walk of core/trace, whose map counts the points that stay and blurs them. */
#include "config.h"

#include "core/methods/table.h"

const struct map_method MAP_LSDN = {
	.name = "lsdn",
	.summary = "the points of a walk by the choices from the class to the pixels (what is done without --method)",
	.needs = "nothing",
	.citation = "\"Interpreting CNN prediction through layer-wise selected discernible neurons\"",
	.place = MAP_OF_WALK,
};

const struct map_method MAP_CNN_FIXATIONS = {
	.name = "cnn-fixations",
	.summary = "the points of a walk by CNN-Fixations' own rules",
	.needs = "nothing",
	.citation = "Mopuri, Garg and Babu, \"CNN Fixations: an unraveling approach to visualize the discriminative image regions\", 2018",
	.place = MAP_OF_WALK,
	.policy = &POLICY_CNN_FIXATIONS,
};
