#include "config.h"

#include "calib/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/image/part.h"

size_t score_peak(const float *map, size_t size)
{
	size_t best = 0;
	for (size_t i = 1; i < size; i++)
		best = map[i] > map[best] ? i : best;
	return best;
}

double score_distance(const struct annotation *truth, int y, int x, int width, int height)
{
	int across = truth->width ? truth->width : width, down = truth->height ? truth->height : height;
	double at_x = (x + 0.5) * across / width - 0.5, at_y = (y + 0.5) * down / height - 0.5, nearest = INFINITY;
	for (size_t i = 0; i < truth->count; i++) {
		const struct boxf *b = &truth->boxes[i].box;
		double beside = fmax(0, fmax(b->xmin - 0.5 - at_x, at_x - b->xmax - 0.5)), above = fmax(0, fmax(b->ymin - 0.5 - at_y, at_y - b->ymax - 0.5));
		nearest = fmin(nearest, hypot(beside, above));
	}
	return nearest;
}

static double best_iou(const struct box *box, const struct annotation *truth, int width, int height)
{
	struct boxf real = box_real(box);
	return annotation_iou(truth, &real, width, height);
}

int score_thresholds(const float *map, int width, int height, const struct annotation *truth, uint8_t hits[SCORE_THRESHOLDS], struct error *e)
{
	static const double REACHED[] = {0.3, 0.5, 0.7};
	for (int i = 0; i < SCORE_THRESHOLDS; i++) {
		struct parts parts = {0};
		int code = parts_find(&parts, map, width, height, (double)i / SCORE_THRESHOLDS, e);
		if (code)
			return code;
		double best = 0;
		for (size_t k = 0; k < parts.count; k++)
			best = fmax(best, best_iou(&parts.boxes[k], truth, width, height));
		hits[i] = parts.count && best_iou(&parts.boxes[parts.largest], truth, width, height) >= 0.5;
		for (int n = 0; n < 3; n++)
			hits[i] = (uint8_t)(hits[i] | (best >= REACHED[n]) << (n + 1));
		parts_free(&parts);
	}
	return LSDN_OK;
}

struct valued {
	float value;
	uint32_t place;
};

/* From the highest on, of equals the first. */
static int compare(const void *a, const void *b)
{
	const struct valued *first = a, *second = b;
	if (first->value != second->value)
		return first->value > second->value ? -1 : 1;
	return first->place < second->place ? -1 : first->place > second->place;
}

int score_order(const float *values, size_t count, uint32_t *order, struct error *e)
{
	struct valued *list = malloc((count + 1) * sizeof *list);
	if (!list)
		return error_memory(e, "an order");
	for (size_t i = 0; i < count; i++)
		list[i] = (struct valued){values[i], (uint32_t)i};
	qsort(list, count, sizeof *list, compare);
	for (size_t i = 0; i < count; i++)
		order[i] = list[i].place;
	free(list);
	return LSDN_OK;
}

double score_area(const double *curve, size_t count)
{
	double sum = 0;
	for (size_t i = 1; i < count; i++)
		sum += (curve[i - 1] + curve[i]) / 2;
	return sum / (double)(count - 1);
}
