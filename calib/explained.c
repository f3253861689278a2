#include "config.h"

#include "calib/explained.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/correlation.h"
#include "calib/measure.h"
#include "core/utf8.h"

int explained_make(struct explained *out, struct explainer *x, const struct choices *choices, int asked, struct error *e)
{
	int class_index = asked >= 0 ? asked : explainer_class(x, 0);
	char name[32];
	*out = (struct explained){.class_index = class_index, .probability = x->probabilities[class_index], .width = x->width, .height = x->height};
	snprintf(out->caption, sizeof out->caption, "%.200s, p = %.3f", net_class_name(x->net, class_index, name), out->probability);
	utf8_mend(out->caption);
	int code = explainer_walk(x, &choices->policy, 1, class_index, e);
	if (!code)
		code = explainer_read(x, 0, &choices->box, &out->found, e);
	if (code)
		return code;
	out->points = malloc((out->found.count + 1) * sizeof *out->points);
	out->keep = malloc((out->found.count + 1) * sizeof *out->keep);
	out->map = malloc((size_t)x->width * (size_t)x->height * sizeof *out->map);
	if (!out->points || !out->keep || !out->map)
		return error_memory(e, "an explanation");
	memcpy(out->points, x->points, out->found.count * sizeof *out->points);
	memcpy(out->keep, x->keep, out->found.count * sizeof *out->keep);
	return explainer_map(x, choices->box.blur, out->map, e);
}

void explained_free(struct explained *x)
{
	free(x->points);
	free(x->keep);
	free(x->map);
	*x = (struct explained){0};
}

struct picture explained_picture(const struct explained *x, const struct photo *photo)
{
	return (struct picture){.photo = photo, .points = x->points, .keep = x->keep, .count = x->found.count, .box = x->found.found ? &x->found.box : NULL,
		.map = x->map, .caption = x->caption};
}

int explained_likeness(const struct explained *a, const struct explained *b, struct likeness *out, struct error *e)
{
	double distance = 0;
	int code = rank_correlation(a->map, b->map, (size_t)a->width * (size_t)a->height, &out->maps, e);
	if (!code)
		code = measure_distance(a->points, a->found.count, b->points, b->found.count, &distance, e);
	out->points = 1 - distance;
	out->boxes = a->found.found == b->found.found;
	if (a->found.found && b->found.found) {
		struct boxf first = box_real(&a->found.box), second = box_real(&b->found.box);
		out->boxes = box_iou(&first, &second);
	}
	return code;
}
