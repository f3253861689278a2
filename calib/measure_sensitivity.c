/* How far apart the explanations of the first and the second class are: 0, the class makes no difference to what is explained; 1, they share
 * nothing. Without the gate Z_pre, which does not know the class, can choose neurons that speak against it. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/measure.h"

enum { POINTS, BOXES, NEITHER, ONE, ROWS_A_GATE };

static const enum gate GATES[] = {GATE_EVIDENCE, GATE_NONE};

static struct point *pixels_of(const struct point *points, size_t count, struct point *pixels)
{
	for (size_t i = 0; i < count; i++)
		pixels[i] = (struct point){floor(points[i].y + 0.5), floor(points[i].x + 0.5)};
	return pixels;
}

int measure_distance(const struct point *a, size_t a_count, const struct point *b, size_t b_count, double *distance, struct error *e)
{
	struct point *both = malloc((2 * (a_count + b_count) + 1) * sizeof *both);
	if (!both)
		return error_memory(e, "points");
	struct point *one = both + a_count + b_count;
	size_t a_size = points_unique(pixels_of(a, a_count, one), a_count), b_size = points_unique(pixels_of(b, b_count, one), b_count);
	pixels_of(a, a_count, both);
	pixels_of(b, b_count, both + a_count);
	size_t either = points_unique(both, a_count + b_count);
	free(both);
	*distance = either ? 1 - (double)(a_size + b_size - either) / (double)either : 0;
	return LSDN_OK;
}

static double box_distance(const struct explanation *a, const struct explanation *b)
{
	if (!a->found || !b->found)
		return a->found != b->found;
	struct boxf first = box_real(&a->box), second = box_real(&b->box);
	return 1 - box_iou(&first, &second);
}

static int compare(const struct measured *m, enum gate gate, double *values, struct error *e)
{
	struct policy policy = m->choices->policy;
	struct explanation first, second;
	policy.gate = gate;
	int code = measure_explain(m, &policy, explainer_class(m->x, 0), &first, e);
	if (code)
		return code;
	struct point *points = malloc((first.count + 1) * sizeof *points);
	if (!points)
		return error_memory(e, "points");
	memcpy(points, m->x->points, first.count * sizeof *points);
	code = measure_explain(m, &policy, explainer_class(m->x, 1), &second, e);
	if (!code)
		code = measure_distance(points, first.count, m->x->points, second.count, &values[POINTS], e);
	values[BOXES] = code ? 0 : box_distance(&first, &second);
	values[NEITHER] = !first.count && !second.count;
	values[ONE] = !first.count != !second.count;
	free(points);
	return code;
}

static int take(const struct measured *m, double *values, struct error *e)
{
	int code = LSDN_OK;
	for (size_t g = 0; g < sizeof GATES / sizeof *GATES && !code; g++) {
		double *own = values + g * ROWS_A_GATE;
		/* There is no second class, or CNN-Fixations, which has no gate. */
		bool none = m->x->class_count < 2 || (m->choices->policy.method == METHOD_CNN_FIXATIONS && GATES[g] != GATE_NONE);
		for (int row = 0; row < ROWS_A_GATE; row++)
			own[row] = NAN;
		if (!none)
			code = compare(m, GATES[g], own, e);
	}
	return code;
}

#define ROWS_OF(gate) \
	{gate, "points: Jaccard distance", SUMMARY_MEAN}, {gate, "boxes: 1 - IoU", SUMMARY_MEAN}, \
	{gate, "no point for either class", SUMMARY_SHARE}, {gate, "no point for one class", SUMMARY_SHARE}

const struct measure MEASURE_SENSITIVITY = {
	.title = "Class sensitivity: first against second class (mean from 0, the same, to 1, apart; normal approximation's 95% interval; two empty\n"
		"explanations are 0 apart, an empty one and another 1)",
	.rows = {ROWS_OF("gate = evidence"), ROWS_OF("gate = none")},
	.row_count = 2 * ROWS_A_GATE,
	.take = take,
};
