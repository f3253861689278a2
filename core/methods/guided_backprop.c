/* As the gradient, but at every rectifier f what goes back is f'(x) max(0, g). */
#include "config.h"

#include "core/methods/table.h"

static int answer(const struct question *q, struct error *e)
{
	return question_pixels(q, &(struct backward_rule){.rectifier = RECTIFIER_GUIDED}, e);
}

const struct map_method MAP_GUIDED_BACKPROP = {
	.name = "guided-backprop",
	.summary = "the gradient with its negative values cut off at every rectifier",
	.needs = "rectifiers (others have their gradient)",
	.citation = "Springenberg and others, \"Striving for simplicity: the all convolutional net\", 2015",
	.place = MAP_OF_INPUT,
	.answer = answer,
};
