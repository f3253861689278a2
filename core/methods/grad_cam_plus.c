/* With the class score S, g = dS / dA_k(y, x) at the layer: alpha = g^2 / (2 g^2 + g^3 sum over the places of A_k), w_k = sum over the places of
 * alpha max(0, g), and the map is max(0, sum over k of w_k A_k). The paper's score is exp(S): its factor is the same everywhere, and left out. */
#include "config.h"

#include <stdlib.h>

#include "core/methods/table.h"

static void weigh(const float *gradient, const float *a, size_t stride, size_t places, size_t channels, double *weights)
{
	for (size_t k = 0; k < channels; k++) {
		double all = 0;
		for (size_t p = 0; p < places; p++)
			all += (double)a[p * stride + k];
		for (size_t p = 0; p < places; p++) {
			double g = (double)gradient[p * channels + k], denominator = g * g * (2 + g * all);
			if (g > 0 && denominator != 0)
				weights[k] += g * g / denominator * g;
		}
	}
}

static int answer(const struct question *q, struct error *e)
{
	const struct tensor *t = &q->net->plan.tensors[q->layer];
	size_t stride, channels = (size_t)t->c, places = (size_t)t->h * (size_t)t->w;
	int code = backward_class(q->backward, q->session, 0, q->class_index, BACKWARD_LOGIT, q->layer, NULL, e);
	const float *gradient = backward_gradient(q->backward, q->layer), *a = code ? NULL : question_activations(q, &stride, e);
	double *weights = calloc(channels, sizeof *weights);
	if (!code && (!a || !weights))
		code = error_memory(e, "a map");
	if (!code) {
		weigh(gradient, a, stride, places, channels, weights);
		code = grid_weighted(q, a, stride, weights, e);
	}
	free(weights);
	return code;
}

const struct map_method MAP_GRAD_CAM_PLUS = {
	.name = "grad-cam++",
	.summary = "channels of a layer weighted by their positive gradients, each by how much its place counts",
	.needs = "a layer with places",
	.citation = "Chattopadhay and others, \"Grad-CAM++: generalized gradient-based visual explanations for deep convolutional networks\", 2018",
	.place = MAP_AT_LAYER,
	.answer = answer,
};
