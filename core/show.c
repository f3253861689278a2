#include "config.h"

#include "core/show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/image/picture.h"
#include "core/json.h"
#include "core/trail.h"
#include "core/utf8.h"

void show_text(const struct shown *s)
{
	const struct explainer *x = s->x;
	const struct box *b = &s->found.box;
	char name[32];
	printf("%s: %s (class %d), probability %.4f\n", s->image, net_class_name(x->net, s->class_index, name), s->class_index,
		x->probabilities[s->class_index]);
	printf("  %zu points, %zu kept", s->found.count, s->found.kept);
	if (s->found.found)
		printf(", box %d %d %d %d (xmin ymin xmax ymax) of %d x %d\n", b->xmin, b->ymin, b->xmax, b->ymax, x->width, x->height);
	else
		printf(", no box: no point is left\n");
}

int show_json(const struct shown *s, json_t *why, struct error *e)
{
	const struct explainer *x = s->x;
	char name[32], wnid[32];
	json_t *line = json_pack("{s:o, s:s, s:i, s:o, s:o, s:f, s:o, s:I, s:o, s:o, s:o, s:{s:f, s:f, s:f, s:f}}", "image", json_text(s->image),
		"model_sha256", net_sha256(x->net), "class", s->class_index, "wnid", json_text(net_wnid(x->net, s->class_index, wnid)), "name",
		json_text(net_class_name(x->net, s->class_index, name)), "probability", x->probabilities[s->class_index], "points",
		trail_points_json(x, &s->found), "kept", (json_int_t)s->found.kept, "box", trail_box_json(&s->found), "policy",
		choices_json(s->choices, &x->net->plan), "preset", s->preset ? json_text(s->preset) : json_null(), "ms", "read", s->ms.read, "forward",
		s->ms.forward, "walk", s->ms.walk, "box", s->ms.box);
	if (line && why)
		json_object_set(line, "why", why);
	return json_line(stdout, line, 9, e);
}

int show_photo_of_tensor(const struct explainer *x, struct photo *photo, struct error *e)
{
	const struct preprocessing *p = &x->net->input;
	const float *tensor = session_tensor(x->crops[0].session, x->net->plan.inputs[0], 0);
	size_t size = (size_t)p->width * (size_t)p->height * 3;
	*photo = (struct photo){.width = p->width, .height = p->height, .rgb = malloc(size)};
	if (!photo->rgb)
		return error_memory(e, "a picture");
	for (size_t i = 0; i < size; i++) {
		size_t c = i % 3;
		float value = tensor[i] * p->std[c] + p->mean[c];
		photo->rgb[i - c + (p->bgr ? 2 - c : c)] = (uint8_t)lroundf(fminf(fmaxf(value, 0), 255));
	}
	return LSDN_OK;
}

/* Into a file, or where path is NULL as pixels. */
static int draw(const struct shown *s, const struct photo *photo, const char *path, struct photo *pixels, struct error *e)
{
	const struct explainer *x = s->x;
	char name[32], caption[300];
	float *map = malloc((size_t)photo->width * (size_t)photo->height * sizeof *map);
	if (!map)
		return error_memory(e, "a map");
	int code = explainer_map(x, s->choices->box.blur, map, e);
	snprintf(caption, sizeof caption, "%.200s, p = %.3f", net_class_name(x->net, s->class_index, name), x->probabilities[s->class_index]);
	utf8_mend(caption);
	struct picture picture = {.photo = photo, .points = x->points, .keep = x->keep, .count = s->found.count,
		.box = s->found.found ? &s->found.box : NULL, .annotated = s->annotated, .annotated_count = s->annotated_count, .map = map,
		.caption = caption};
	if (!code)
		code = path ? picture_write(&picture, path, e) : picture_pixels(&picture, pixels, e);
	free(map);
	return code;
}

int show_picture(const struct shown *s, const struct photo *photo, const char *path, struct error *e)
{
	struct photo tensor;
	if (photo)
		return draw(s, photo, path, NULL, e);
	int code = show_photo_of_tensor(s->x, &tensor, e);
	if (code)
		return code;
	code = draw(s, &tensor, path, NULL, e);
	photo_free(&tensor);
	return code;
}

int show_pixels(const struct shown *s, const struct photo *photo, struct photo *pixels, struct error *e)
{
	return draw(s, photo, NULL, pixels, e);
}
