#include "config.h"

#include "calib/probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/score.h"

/* As many as the steps of a curve whose ends are known can be divided by. */
enum { BATCH = 7 };

static size_t pixels_of(const struct probe *p)
{
	return (size_t)p->net->input.width * (size_t)p->net->input.height;
}

static size_t cells_of(const struct probe *p)
{
	return pixels_of(p) * (size_t)p->crop_count;
}

int probe_open(struct probe *p, const struct net *net, struct packed_weights *packed, struct error *e)
{
	*p = (struct probe){.net = net};
	size_t most = pixels_of(p) * VIEW_MOST_CROPS, classes = tensor_size(&net->plan.tensors[net->plan.scores]);
	p->session = session_open(&net->plan, packed, BATCH, 1, e);
	if (!p->session)
		return (int)e->code;
	p->inputs = malloc(3 * most * sizeof *p->inputs);
	p->values = malloc(most * sizeof *p->values);
	p->order = malloc(most * sizeof *p->order);
	p->ranks = malloc(most * sizeof *p->ranks);
	p->probabilities = malloc(classes * sizeof *p->probabilities);
	if (p->inputs && p->values && p->order && p->ranks && p->probabilities)
		return LSDN_OK;
	probe_close(p);
	return error_memory(e, "a probe");
}

void probe_close(struct probe *p)
{
	session_close(p->session);
	free(p->inputs);
	free(p->values);
	free(p->order);
	free(p->ranks);
	free(p->probabilities);
	*p = (struct probe){0};
}

void probe_take(struct probe *p, const struct explainer *x)
{
	size_t size = 3 * pixels_of(p);
	p->crop_count = x->crop_count;
	p->photo_width = x->width;
	p->photo_height = x->height;
	for (int i = 0; i < x->crop_count; i++) {
		p->geometries[i] = x->crops[i].geometry;
		memcpy(p->inputs + (size_t)i * size, session_tensor(x->crops[i].session, x->net->plan.inputs[0], 0), size * sizeof *p->inputs);
	}
}

static int near(double at, int size)
{
	return (int)fmin(fmax(floor(at + 0.5), 0), size - 1);
}

/* Pixel i of a crop, seen in the photograph. */
static void place_of(const struct probe *p, int crop, size_t i, int *y, int *x)
{
	size_t width = (size_t)p->net->input.width;
	struct point point = view_point(&p->geometries[crop], (int)(i / width), (int)(i % width));
	*y = near(point.y, p->photo_height);
	*x = near(point.x, p->photo_width);
}

/* What is left uncovered. */
struct cover {
	const struct boxf *box; /* what is within it; else */
	size_t from, to;       /* ranks from..to-1 */
};

static void fill(const struct probe *p, const struct cover *cover, int crop, float *input)
{
	size_t pixels = pixels_of(p);
	const float *from = p->inputs + (size_t)crop * 3 * pixels;
	const uint32_t *ranks = p->ranks + (size_t)crop * pixels;
	for (size_t i = 0; i < pixels; i++) {
		bool stays = cover->to > 0 && ranks[i] >= cover->from && ranks[i] < cover->to;
		if (cover->box) {
			int y, x;
			place_of(p, crop, i, &y, &x);
			stays = x >= cover->box->xmin && x <= cover->box->xmax && y >= cover->box->ymin && y <= cover->box->ymax;
		}
		for (int c = 0; c < 3; c++)
			input[3 * i + (size_t)c] = stays ? from[3 * i + (size_t)c] : 0;
	}
}

/* Fills probabilities with those under every cover. */
static int look(struct probe *p, int class_index, const struct cover *covers, size_t count, double *probabilities, struct error *e)
{
	size_t crops = (size_t)p->crop_count, all = count * crops;
	memset(probabilities, 0, count * sizeof *probabilities);
	for (size_t first = 0; first < all; first += BATCH) {
		for (size_t i = 0; i < BATCH && first + i < all; i++)
			fill(p, &covers[(first + i) / crops], (int)((first + i) % crops), session_tensor(p->session, p->net->plan.inputs[0], (int)i));
		int code = session_run(p->session, e);
		for (size_t i = 0; i < BATCH && first + i < all && !code; i++) {
			session_probabilities(p->session, (int)i, p->probabilities);
			probabilities[(first + i) / crops] += p->probabilities[class_index] / (double)crops;
		}
		if (code)
			return code;
	}
	return LSDN_OK;
}

int probe_boxes(struct probe *p, int class_index, const struct boxf *boxes, const bool *without, size_t count, double *probabilities, struct error *e)
{
	struct cover *covers = calloc(count + 1, sizeof *covers);
	if (!covers)
		return error_memory(e, "boxes");
	for (size_t i = 0; i < count; i++)
		covers[i].box = without[i] ? NULL : &boxes[i];
	memset(p->ranks, 0, cells_of(p) * sizeof *p->ranks);
	int code = look(p, class_index, covers, count, probabilities, e);
	free(covers);
	return code;
}

const float *probe_values(struct probe *p, const float *map, size_t *count)
{
	size_t pixels = pixels_of(p);
	*count = cells_of(p);
	for (size_t i = 0; i < *count; i++) {
		int y, x;
		place_of(p, (int)(i / pixels), i % pixels, &y, &x);
		p->values[i] = map[(size_t)y * (size_t)p->photo_width + (size_t)x];
	}
	return p->values;
}

static int rank(struct probe *p, const float *map, struct error *e)
{
	size_t cells;
	const float *values = probe_values(p, map, &cells);
	int code = score_order(values, cells, p->order, e);
	for (size_t i = 0; i < cells && !code; i++)
		p->ranks[p->order[i]] = (uint32_t)i;
	return code;
}

int probe_curves(struct probe *p, int class_index, const float *map, double insertion[PROBE_CURVE], double deletion[PROBE_CURVE], struct error *e)
{
	size_t cells = cells_of(p);
	struct cover covers[PROBE_STEPS];
	int code = rank(p, map, e);
	for (size_t i = 1; i < PROBE_STEPS; i++)
		covers[i] = (struct cover){.from = 0, .to = cells * i / PROBE_STEPS};
	if (!code)
		code = look(p, class_index, covers + 1, PROBE_STEPS - 1, insertion + 1, e);
	for (size_t i = 1; i < PROBE_STEPS; i++)
		covers[i] = (struct cover){.from = cells * i / PROBE_STEPS, .to = cells};
	return code ? code : look(p, class_index, covers + 1, PROBE_STEPS - 1, deletion + 1, e);
}
