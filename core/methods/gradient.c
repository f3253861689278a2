/* max over the channels c of |dS / dx_c| at every pixel of the network's input. */
#include "config.h"

#include "core/methods/table.h"

static int answer(const struct question *q, struct error *e)
{
	return question_pixels(q, NULL, e);
}

const struct map_method MAP_GRADIENT = {
	.name = "gradient",
	.summary = "how steeply the class score rises or falls with each pixel",
	.needs = "nothing",
	.citation = "Simonyan, Vedaldi and Zisserman, \"Deep inside convolutional networks: visualising image classification models and saliency maps\", 2014",
	.place = MAP_OF_INPUT,
	.answer = answer,
};
