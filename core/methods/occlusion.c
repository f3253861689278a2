/* The mean over the windows over a pixel of p(class) - p(class with the window covered). What covers it is the preprocessing's mean, 0 as the network reads
 * it. */
#include "config.h"

#include <string.h>

#include "core/methods/table.h"
#include "core/methods/windows.h"

static void cover(const struct question *q, void *state, const float *original, const struct input_window *w, int number, float *input)
{
	const struct tensor *t = &q->net->plan.tensors[q->net->plan.inputs[0]];
	(void)state;
	(void)original;
	(void)number;
	for (int y = w->top; y < w->bottom; y++)
		memset(input + (size_t)(y * t->w + w->left) * (size_t)t->c, 0, (size_t)(w->right - w->left) * (size_t)t->c * sizeof *input);
}

static double loss(const struct question *q, double before, double after)
{
	(void)q;
	return before - after;
}

static int answer(const struct question *q, struct error *e)
{
	return windows_answer(q, &(struct window_change){1, cover, loss, NULL}, e);
}

const struct map_method MAP_OCCLUSION = {
	.name = "occlusion",
	.summary = "what the class's probability loses when a window that slides over the input is covered with the mean colour",
	.needs = "144 forward passes for 224 x 224 pixels",
	.citation = "Zeiler and Fergus, \"Visualizing and understanding convolutional networks\", 2014",
	.place = MAP_OF_INPUT,
	.costly = true,
	.answer = answer,
};
