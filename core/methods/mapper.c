#include "config.h"

#include "core/methods/mapper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>


int mapper_open(struct mapper *m, struct explainer *x, struct linear_weights *w, struct error *e)
{
	*m = (struct mapper){.explainer = x};
	m->backward = backward_open(&x->net->plan, w, x->threads, e);
	return m->backward ? LSDN_OK : (int)e->code;
}

void mapper_close(struct mapper *m)
{
	backward_close(m->backward);
	free(m->grid.values);
	*m = (struct mapper){0};
}

static double clamp(double value, int size)
{
	return fmin(fmax(value, 0), size - 1);
}

/* The grid between the centres of its cells, at (y, x) counted in cells from the centre of the first. */
static double grid_at(const struct grid *g, double y, double x)
{
	y = clamp(y, g->height);
	x = clamp(x, g->width);
	int top = (int)y, left = (int)x, below = top + 1 < g->height ? g->width : 0, beside = left + 1 < g->width;
	const float *at = g->values + (size_t)top * (size_t)g->width + (size_t)left;
	double upper = (double)at[0] * (1 - (x - left)) + (double)at[beside] * (x - left);
	double lower = (double)at[below] * (1 - (x - left)) + (double)at[below + beside] * (x - left);
	return upper * (1 - (y - top)) + lower * (y - top);
}

/* Adds the grid of a crop to the photograph that it lies in. Pixels outside the crop get nothing. */
static void enlarge(const struct mapper *m, const struct view_geometry *g, float *map)
{
	const struct explainer *x = m->explainer;
	const struct preprocessing *view = &x->net->input;
	for (int y = 0; y < x->height; y++) {
		double view_y = (y + 0.5) / g->scale_y - g->offset_y;
		for (int i = 0; i < x->width; i++) {
			double view_x = (i + 0.5) / g->scale_x - g->offset_x;
			if (view_y >= 0 && view_y <= view->height && view_x >= 0 && view_x <= view->width)
				map[(size_t)y * (size_t)x->width + (size_t)i] += (float)grid_at(&m->grid, view_y * m->grid.height / view->height - 0.5,
					view_x * m->grid.width / view->width - 0.5);
		}
	}
}

static int map_crops(struct mapper *m, const struct map_method *method, int class_index, int layer, float *map, struct error *e)
{
	struct explainer *x = m->explainer;
	memset(map, 0, (size_t)x->width * (size_t)x->height * sizeof *map);
	if (method->place == MAP_AT_LAYER && layer < 0)
		return error_set(e, LSDN_ERROR_UNSUPPORTED, "%s needs a layer with places before the class scores: the network has none", method->name);
	for (int i = 0; i < x->crop_count; i++) {
		struct question q = {.net = x->net, .session = x->crops[i].session, .backward = m->backward, .class_index = class_index, .layer = layer,
			.grid = &m->grid};
		int code = method->answer(&q, e);
		if (code)
			return code;
		enlarge(m, &x->crops[i].geometry, map);
	}
	return LSDN_OK;
}

static int map_walk(struct mapper *m, const struct map_method *method, const struct choices *choices, int class_index, float *map, struct error *e)
{
	struct explainer *x = m->explainer;
	struct explanation found;
	int code = explainer_walk(x, method->policy ? method->policy : &choices->policy, 1, class_index, e);
	if (!code)
		code = explainer_read(x, 0, &choices->box, &found, e);
	return code ? code : explainer_map(x, choices->box.blur, map, e);
}

int mapper_make(struct mapper *m, const struct map_method *method, const struct choices *choices, int class_index, int layer, float *map, bool *evidence,
	struct error *e)
{
	size_t size = (size_t)m->explainer->width * (size_t)m->explainer->height;
	int code = method->place == MAP_OF_WALK ? map_walk(m, method, choices, class_index, map, e)
		: map_crops(m, method, class_index, layer < 0 ? map_method_layer(method, &m->explainer->net->plan) : layer, map, e);
	float highest = 0;
	if (code)
		return code;
	for (size_t i = 0; i < size; i++) {
		if (!isfinite(map[i]))
			return error_set(e, LSDN_ERROR_INPUT, "%s: its map of class %d has a value that is no finite number: the network overflows on this image: check "
				"its preprocessing", method->name, class_index);
		highest = fmaxf(highest, map[i]);
	}
	*evidence = highest > 0;
	for (size_t i = 0; *evidence && i < size; i++)
		map[i] = fminf(map[i] / highest, 1);
	return LSDN_OK;
}
