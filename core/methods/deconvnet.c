/* As the gradient, but at every rectifier what goes back is max(0, g), whatever went forward. */
#include "config.h"

#include "core/methods/table.h"

static int answer(const struct question *q, struct error *e)
{
	return question_pixels(q, &(struct backward_rule){.rectifier = RECTIFIER_DECONVNET}, e);
}

const struct map_method MAP_DECONVNET = {
	.name = "deconvnet",
	.summary = "the gradient with its negative values cut off at every rectifier, instead of those of the activation",
	.needs = "rectifiers (others have their gradient)",
	.citation = "Zeiler and Fergus, \"Visualizing and understanding convolutional networks\", 2014",
	.place = MAP_OF_INPUT,
	.answer = answer,
};
