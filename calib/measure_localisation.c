/* How often the box is right: IoU > 0.5 with the best of the annotated boxes. Class known: explained for the annotated class. Localisation error:
 * 100 - the share in which the predicted class is right and so is its box; the trivial boxes take the network's class, too. */
#include "config.h"

#include <math.h>

#include "calib/measure.h"

enum { KNOWN, PREDICTED, CLASS, BOTH, ERROR, CENTER, CENTER_ERROR, WHOLE, WHOLE_ERROR, ROWS };

static bool is_right(const struct measured *m, const struct boxf *box)
{
	return annotation_iou(m->truth, box, m->x->width, m->x->height) > 0.5;
}

static int explained_right(const struct measured *m, int asked, double *right, struct error *e)
{
	struct explanation found;
	int code = measure_explain(m, &m->choices->policy, asked, &found, e);
	if (code)
		return code;
	struct boxf box = found.found ? box_real(&found.box) : (struct boxf){0};
	*right = found.found && is_right(m, &box);
	return LSDN_OK;
}

static bool trivial_right(const struct measured *m, double side)
{
	struct boxf box = box_centered(m->x->width, m->x->height, side);
	return is_right(m, &box);
}

static int take(const struct measured *m, double *values, struct error *e)
{
	/* A network without labels cannot be right about a class. */
	bool labels = m->x->net->label_count > 0, right = labels && annotated_with(m->x->net, m->truth, explainer_class(m->x, 0));
	int code = explained_right(m, -1, &values[PREDICTED], e);
	values[KNOWN] = NAN;
	if (!code && m->annotated >= 0)
		code = explained_right(m, m->annotated, &values[KNOWN], e);
	values[CENTER] = trivial_right(m, BOX_CENTER_SIDE);
	values[WHOLE] = trivial_right(m, 1);
	values[CLASS] = labels ? right : NAN;
	values[BOTH] = labels ? right && values[PREDICTED] > 0 : NAN;
	values[ERROR] = 1 - values[BOTH];
	values[CENTER_ERROR] = labels ? !(right && values[CENTER] > 0) : NAN;
	values[WHOLE_ERROR] = labels ? !(right && values[WHOLE] > 0) : NAN;
	return code;
}

static const char OVERLAP[] = "IoU > 0.5", FAILURE[] = "localisation error";

const struct measure MEASURE_LOCALISATION = {
	.title = "Localisation (percent of images, Wilson's 95% interval)",
	.rows = {
		[KNOWN] = {"explainer", "IoU > 0.5, annotated class", SUMMARY_SHARE},
		[PREDICTED] = {"explainer", "IoU > 0.5, predicted class", SUMMARY_SHARE},
		[CLASS] = {"explainer", "right class", SUMMARY_SHARE},
		[BOTH] = {"explainer", "IoU > 0.5 and right class", SUMMARY_SHARE},
		[ERROR] = {"explainer", FAILURE, SUMMARY_SHARE},
		[CENTER] = {"centre box", OVERLAP, SUMMARY_SHARE},
		[CENTER_ERROR] = {"centre box", FAILURE, SUMMARY_SHARE},
		[WHOLE] = {"whole photograph", OVERLAP, SUMMARY_SHARE},
		[WHOLE_ERROR] = {"whole photograph", FAILURE, SUMMARY_SHARE},
	},
	.row_count = ROWS,
	.take = take,
};
