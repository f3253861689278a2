/* With the class score S (before a Softmax) and the layer's activations A_k of channel k: alpha_k = mean over the places of dS / dA_k, and the map is
 * max(0, sum over k of alpha_k A_k). */
#include "config.h"

#include <stdlib.h>

#include "core/methods/table.h"

static int answer(const struct question *q, struct error *e)
{
	const struct tensor *t = &q->net->plan.tensors[q->layer];
	size_t stride, channels = (size_t)t->c, places = (size_t)t->h * (size_t)t->w;
	int code = backward_class(q->backward, q->session, 0, q->class_index, BACKWARD_LOGIT, q->layer, NULL, e);
	const float *gradient = backward_gradient(q->backward, q->layer), *a = code ? NULL : question_activations(q, &stride, e);
	double *alpha = calloc(channels, sizeof *alpha);
	if (!code && (!a || !alpha))
		code = error_memory(e, "a map");
	for (size_t i = 0; !code && i < places * channels; i++)
		alpha[i % channels] += (double)gradient[i] / (double)places;
	if (!code)
		code = grid_weighted(q, a, stride, alpha, e);
	free(alpha);
	return code;
}

const struct map_method MAP_GRAD_CAM = {
	.name = "grad-cam",
	.summary = "channels of a layer weighted by the mean of their gradients",
	.needs = "a layer with places",
	.citation = "Selvaraju and others, \"Grad-CAM: visual explanations from deep networks via gradient-based localization\", 2017",
	.place = MAP_AT_LAYER,
	.answer = answer,
};
