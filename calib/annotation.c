#include "config.h"

#include "calib/annotation.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/annotation_build.h"

const double ANNOTATION_MAX_NUMBER = 1e6;

bool annotation_number(const char *text, size_t length, double *value)
{
	char copy[32];
	if (length == 0 || length >= sizeof copy)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	/* Plain decimals only: strtod would take nan, inf and hexadecimal too. */
	const char *digits = copy + (*copy == '-');
	if (!*digits || strspn(digits, "0123456789.") != strlen(digits))
		return false;
	char *end;
	*value = strtod(copy, &end);
	return !*end && fabs(*value) <= ANNOTATION_MAX_NUMBER;
}

bool annotation_wnid(const char *text, size_t length, char wnid[16])
{
	if (length == 0 || length > 15)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	memcpy(wnid, text, length);
	wnid[length] = '\0';
	return true;
}

int annotation_add(struct annotation *a, const struct annotated_box *box, const char *place, struct error *e)
{
	if (box->box.xmin > box->box.xmax || box->box.ymin > box->box.ymax)
		return error_set(e, LSDN_ERROR_INPUT, "%s: box %g %g %g %g ends before it begins: order it xmin ymin xmax ymax", place,
			box->box.xmin, box->box.ymin, box->box.xmax, box->box.ymax);
	if (a->count == ANNOTATION_MAX_BOXES)
		return error_set(e, LSDN_ERROR_INPUT, "%s: more than %d boxes: leave this image out", place, ANNOTATION_MAX_BOXES);
	/* Room is doubled whenever the count reaches a power of two. */
	if ((a->count & (a->count - 1)) == 0) {
		struct annotated_box *grown = realloc(a->boxes, (a->count ? 2 * a->count : 1) * sizeof *grown);
		if (!grown)
			return error_memory(e, "annotated boxes");
		a->boxes = grown;
	}
	a->boxes[a->count++] = *box;
	return LSDN_OK;
}

int annotation_read_prediction(struct annotation *a, const char *text, const char *place, struct error *e)
{
	static const char SPACE[] = " \t\r\n";
	*a = (struct annotation){0};
	int failed = LSDN_OK;
	for (text += strspn(text, SPACE); *text && !failed;) {
		struct annotated_box box;
		double *numbers[] = {&box.box.xmin, &box.box.ymin, &box.box.xmax, &box.box.ymax};
		for (int i = 0; i < 5; i++) {
			size_t length = strcspn(text, SPACE);
			if (i == 0 ? !annotation_wnid(text, length, box.wnid) : !annotation_number(text, length, numbers[i - 1])) {
				annotation_free(a);
				return error_set(e, LSDN_ERROR_INPUT, "%s: \"%.*s\" where %s is due: write WNID xmin ymin xmax ymax for every box", place,
					length < 40 ? (int)length : 40, text, i == 0 ? "a WordNet id" : "a number");
			}
			text += length;
			text += strspn(text, SPACE);
		}
		failed = annotation_add(a, &box, place, e);
	}
	if (!failed && !a->count)
		failed = error_set(e, LSDN_ERROR_INPUT, "%s: no box: write WNID xmin ymin xmax ymax", place);
	if (failed)
		annotation_free(a);
	return failed;
}

double annotation_iou(const struct annotation *a, const struct boxf *box, int width, int height)
{
	struct boxf found = box_scale(box, width, height, a->width ? a->width : width, a->height ? a->height : height);
	double best = 0;
	for (size_t i = 0; i < a->count; i++)
		best = fmax(best, box_iou(&found, &a->boxes[i].box));
	return best;
}

void annotation_free(struct annotation *a)
{
	free(a->boxes);
	*a = (struct annotation){0};
}
