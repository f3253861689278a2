#include "config.h"

#include "calib/gallery.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "calib/contest_work.h"
#include "core/image/picture.h"
#include "core/utf8.h"

struct work {
	struct contest *contest;
	struct gallery *gallery;
};

static void mark(struct photo *panel, int y, int x, const uint8_t rgb[3])
{
	if (y < 0 || x < 0 || y >= panel->height || x >= panel->width)
		return;
	for (int c = 0; c < 3; c++)
		panel->rgb[((size_t)y * (size_t)panel->width + (size_t)x) * 3 + (size_t)c] = rgb[c];
}

/* The outline of a box in a photograph of width x height, as lines of three pixels. */
static void outline(struct photo *panel, const struct boxf *box, int width, int height, const uint8_t rgb[3])
{
	struct boxf b = box_scale(box, width, height, panel->width, panel->height);
	int left = (int)lround(b.xmin), right = (int)lround(b.xmax), top = (int)lround(b.ymin), bottom = (int)lround(b.ymax);
	for (int thick = 0; thick < 3; thick++) {
		for (int x = left; x <= right; x++) {
			mark(panel, top + thick, x, rgb);
			mark(panel, bottom - thick, x, rgb);
		}
		for (int y = top; y <= bottom; y++) {
			mark(panel, y, left + thick, rgb);
			mark(panel, y, right - thick, rgb);
		}
	}
}

/* The photograph itself. */
static int show_photo(const struct explainer *x, const struct photo *photo, const struct annotation *truth, struct gallery_image *image, struct photo *panel,
	struct error *e)
{
	static const uint8_t YELLOW[3] = {250, 210, 40};
	char name[32];
	int class_index = explainer_class(x, 0), code = picture_panel(photo, NULL, panel, e);
	for (size_t i = 0; i < truth->count && !code; i++) {
		struct boxf box = truth->boxes[i].box;
		if (truth->width)
			box = box_scale(&box, truth->width, truth->height, photo->width, photo->height);
		outline(panel, &box, photo->width, photo->height, YELLOW);
	}
	snprintf(image->caption, sizeof image->caption, "%.200s, p = %.3f", net_class_name(x->net, class_index, name), x->probabilities[class_index]);
	utf8_mend(image->caption);
	return code;
}

static int show(void *context, struct explainer *x, size_t i, struct error *e)
{
	static const uint8_t GREEN[3] = {50, 240, 100};
	struct work *w = context;
	struct contest *c = w->contest;
	struct gallery_image *image = &w->gallery->images[i / w->gallery->panels];
	size_t entrant = i % w->gallery->panels;
	struct photo *panel = &image->panels[entrant], photo = {0};
	struct annotation truth = {0};
	struct answer a = {0};
	struct error why;
	struct worker *worker = &c->workers[x - c->job->crew.explainers];
	int code = work_load(c, worker, image->index, &photo, &truth, e);
	if (!code && entrant == c->entrant_count) {
		code = show_photo(x, &photo, &truth, image, panel, e);
	} else if (!code && (c->entrants[entrant].method || c->entrants[entrant].trivial == CONTEST_CENTER_POINT)) {
		code = work_ask(c, worker, entrant, explainer_class(x, 0), &a, &why);
		if (!code && a.evidence)
			code = picture_panel(&photo, worker->map, panel, &why);
		if (!code && panel->width && a.has_box)
			outline(panel, &a.box, photo.width, photo.height, GREEN);
		code = code == LSDN_ERROR_MEMORY ? error_memory(e, "a gallery") : LSDN_OK; /* what cannot explain shows nothing */
	}
	photo_free(&photo);
	annotation_free(&truth);
	return code;
}

int gallery_make(struct gallery *g, struct contest *c, const uint32_t *images, size_t count, struct error *e)
{
	*g = (struct gallery){.images = calloc(count + 1, sizeof *g->images), .panels = c->entrant_count + 1};
	int code = g->images ? LSDN_OK : error_memory(e, "a gallery");
	for (; g->count < count && !code; g->count++) {
		g->images[g->count].index = images[g->count];
		if (!(g->images[g->count].panels = calloc(g->panels, sizeof (struct photo))))
			code = error_memory(e, "a gallery");
	}
	struct work w = {c, g};
	return code ? code : crew_run(&c->job->crew, true, count * g->panels, show, &w, e);
}

void gallery_free(struct gallery *g)
{
	for (size_t i = 0; i < g->count; i++) {
		for (size_t k = 0; g->images[i].panels && k < g->panels; k++)
			photo_free(&g->images[i].panels[k]);
		free(g->images[i].panels);
	}
	free(g->images);
	*g = (struct gallery){0};
}
