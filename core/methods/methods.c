#include "config.h"

#include "core/methods/methods.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/methods/layers.h"
#include "core/methods/table.h"

const struct map_method *const MAP_METHODS[] = {
	&MAP_LSDN,
	&MAP_CNN_FIXATIONS,
	&MAP_GRAD_CAM,
	&MAP_GRAD_CAM_PLUS,
	&MAP_CAM,
	&MAP_GRADIENT,
	&MAP_DECONVNET,
	&MAP_GUIDED_BACKPROP,
	&MAP_EXCITATION_BACKPROP,
	&MAP_CONTRASTIVE_EXCITATION_BACKPROP,
	&MAP_LRP_EPSILON,
	&MAP_LRP_ALPHA_BETA,
	&MAP_LRP_ARGMAX,
	&MAP_OCCLUSION,
	&MAP_PREDICTION_DIFFERENCE,
	&MAP_PREDICTION_DIFFERENCE_CONDITIONAL,
	NULL,
};

const struct map_method *map_method_find(const char *name, struct error *e)
{
	char names[512] = "";
	size_t used = 0;
	for (int i = 0; MAP_METHODS[i]; i++) {
		if (strcmp(MAP_METHODS[i]->name, name) == 0)
			return MAP_METHODS[i];
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", MAP_METHODS[i]->name);
	}
	error_set(e, LSDN_ERROR_INPUT, "%.40s: is no method; these are: %s", name, names);
	return NULL;
}

int map_method_layer(const struct map_method *method, const struct plan *plan)
{
	return method->place != MAP_AT_LAYER ? -1 : method->layer ? method->layer(plan) : layer_target(plan);
}

int grid_make(struct grid *grid, int height, int width, struct error *e)
{
	size_t size = (size_t)height * (size_t)width;
	if (size > grid->room) {
		free(grid->values);
		grid->values = malloc(size * sizeof *grid->values);
		grid->room = grid->values ? size : 0;
	}
	grid->height = height;
	grid->width = width;
	if (!grid->values)
		return error_memory(e, "a map");
	memset(grid->values, 0, size * sizeof *grid->values);
	return LSDN_OK;
}

const float *question_activations(const struct question *q, size_t *stride, struct error *e)
{
	const float *activations = backward_value(q->backward, q->session, 0, q->layer, stride);
	if (!activations)
		error_memory(e, "a map");
	return activations;
}

int grid_weighted(const struct question *q, const float *a, size_t stride, const double *weights, struct error *e)
{
	const struct tensor *t = &q->net->plan.tensors[q->layer];
	int code = grid_make(q->grid, t->h, t->w, e);
	for (size_t p = 0; !code && p < (size_t)t->h * (size_t)t->w; p++) {
		double sum = 0;
		for (size_t k = 0; k < (size_t)t->c; k++)
			sum += weights[k] * (double)a[p * stride + k];
		q->grid->values[p] = sum <= 0 ? 0 : (float)sum; /* NaN stays, to be found */
	}
	return code;
}

int question_pixels(const struct question *q, const struct backward_rule *rule, struct error *e)
{
	int input = q->net->plan.inputs[0], code = backward_class(q->backward, q->session, 0, q->class_index, BACKWARD_LOGIT, input, rule, e);
	const struct tensor *t = &q->net->plan.tensors[input];
	const float *gradient = backward_gradient(q->backward, input);
	if (!code)
		code = grid_make(q->grid, t->h, t->w, e);
	for (size_t i = 0; !code && i < tensor_size(t); i++) {
		float *cell = &q->grid->values[i / (size_t)t->c], value = fabsf(gradient[i]);
		*cell = value <= *cell ? *cell : *cell + (value - *cell); /* NaN stays, to be found */
	}
	return code;
}
