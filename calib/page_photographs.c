#include "config.h"

#include "calib/page.h"

#include <stdlib.h>
#include <string.h>

#include "calib/html.h"
#include "core/show.h"

enum { MOST_LOOKED_AT = 400, MOST_SHOWN = 3 };

/* An image in hand, explained as tuned. */
struct example {
	struct photo photo;
	struct annotation truth;
	struct explanation found;
	double iou;
};

static void example_free(struct example *x)
{
	photo_free(&x->photo);
	annotation_free(&x->truth);
}

static int explain(const struct calibration *c, const struct source *source, struct explainer *x, uint32_t index, struct example *out, struct error *e)
{
	*out = (struct example){.iou = 0};
	int code = source_load(source, index, &out->photo, &out->truth, e);
	if (!code)
		code = explainer_feed(x, &out->photo, c->tuned.view, e);
	if (!code)
		code = explainer_walk(x, &c->tuned.policy, 1, c->tuned.target == TARGET_PREDICTED ? -1 : annotated_class(x->net, &out->truth), e);
	if (!code)
		code = explainer_read(x, 0, &c->tuned.box, &out->found, e);
	if (!code && out->found.found) {
		struct boxf box = box_real(&out->found.box);
		out->iou = annotation_iou(&out->truth, &box, x->width, x->height);
	}
	return code;
}

/* What is known of an image once all are looked at. */
struct seen {
	uint32_t index;
	size_t place;
	bool usable;
	double iou;
};

struct look {
	const struct calibration *c;
	const struct source *source;
	struct seen *seen;
};

/* An image that cannot be explained now is left out. */
static int look_at(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct look *look = context;
	struct example example;
	int code = explain(look->c, look->source, x, look->seen[i].index, &example, e);
	look->seen[i].usable = !code;
	look->seen[i].iou = example.iou;
	example_free(&example);
	return code == LSDN_ERROR_MEMORY ? code : LSDN_OK;
}

static int by_iou(const void *left, const void *right)
{
	const struct seen *a = left, *b = right;
	return a->iou != b->iou ? (a->iou < b->iou) - (a->iou > b->iou) : (a->place > b->place) - (a->place < b->place);
}

/* Annotated boxes in the photograph's own pixels; the caller frees them. */
static struct boxf *boxes_of(const struct annotation *truth, const struct photo *photo)
{
	struct boxf *boxes = malloc(truth->count * sizeof *boxes);
	for (size_t i = 0; boxes && i < truth->count; i++)
		boxes[i] = truth->width ? box_scale(&truth->boxes[i].box, truth->width, truth->height, photo->width, photo->height) : truth->boxes[i].box;
	return boxes;
}

static int show_one(FILE *f, const struct calibration *c, const struct source *source, struct explainer *x, const struct seen *seen, struct error *e)
{
	struct example example;
	struct photo picture = {0};
	char buffer[32];
	const char *name = source_name(source, seen->index, buffer);
	int code = explain(c, source, x, seen->index, &example, e);
	struct boxf *annotated = code ? NULL : boxes_of(&example.truth, &example.photo);
	if (!code && !annotated)
		code = error_memory(e, "a picture");
	if (!code)
		code = show_pixels(&(struct shown){.x = x, .choices = &c->tuned, .class_index = explainer_class(x, 0), .found = example.found, .annotated = annotated,
			.annotated_count = example.truth.count}, &example.photo, &picture, e);
	if (!code) {
		char alt[400];
		snprintf(alt, sizeof alt, "%.250s with points, box (IoU %.2f) and map", name, example.iou);
		fprintf(f, "<figure class=\"photograph\">\n");
		code = html_image(f, &picture, true, false, alt, e);
		fprintf(f, "<figcaption>IoU %.2f: <bdi>", example.iou);
		html_text(f, name);
		fprintf(f, "</bdi></figcaption>\n</figure>\n");
	}
	free(annotated);
	photo_free(&picture);
	example_free(&example);
	return code;
}

static int show(FILE *f, const struct look *look, size_t count, const struct crew *crew, struct error *e)
{
	struct explainer *x;
	size_t right = 0, shown = 0;
	int code = crew_explainer(crew, 0, true, &x, e);
	while (right < count && look->seen[right].iou > 0.5)
		right++;
	fprintf(f, "<h3>Right with the highest IoU</h3>\n<div class=\"photographs\">\n");
	for (; shown < right && shown < MOST_SHOWN && !code; shown++)
		code = show_one(f, look->c, look->source, x, &look->seen[shown], e);
	fprintf(f, "%s</div>\n<h3>Wrong with the lowest IoU</h3>\n<div class=\"photographs\">\n", right ? "" : "<p>None is right.</p>\n");
	for (shown = 0; shown < count - right && shown < MOST_SHOWN && !code; shown++)
		code = show_one(f, look->c, look->source, x, &look->seen[count - 1 - shown], e);
	fprintf(f, "%s</div>\n", right < count ? "" : "<p>None is wrong.</p>\n");
	return code;
}

int page_photographs(FILE *f, const struct calibration *c, const struct reward_job *job, struct error *e)
{
	size_t from = c->held_out.images ? c->plan.images : 0, images = c->held_out.images ? c->plan.held_out : c->plan.images, usable = 0;
	size_t count = images < MOST_LOOKED_AT ? images : MOST_LOOKED_AT;
	struct reward_row **rows = matrix_usable(&c->matrix, from + count);
	struct look look = {c, job->source, calloc(count, sizeof(struct seen))};
	struct progress *progress = job->crew.progress;
	int code = rows && look.seen ? LSDN_OK : error_memory(e, "pictures");
	for (size_t i = 0; i < count && !code; i++)
		look.seen[i] = (struct seen){.index = rows[from + i]->index, .place = i};
	progress_start(progress, progress->shown, "looking for pictures", count);
	if (!code)
		code = crew_run(&job->crew, true, count, look_at, &look, e);
	progress_end(progress);
	for (size_t i = 0; i < count && !code; i++)
		if (look.seen[i].usable)
			look.seen[usable++] = look.seen[i];
	if (!code) {
		qsort(look.seen, usable, sizeof *look.seen, by_iou);
		fprintf(f, "<p>Of %zu %s photographs. Points and box (green) of what was tuned, the annotated box (white, dashed), and on the right the map.</p>\n", usable,
			c->held_out.images ? "held-out" : "calibration");
		code = show(f, &look, usable, &job->crew, e);
	}
	free(rows);
	free(look.seen);
	return code;
}
