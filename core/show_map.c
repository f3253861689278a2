#include "config.h"

#include "core/show_map.h"

#include <stdio.h>

#include "core/image/picture.h"
#include "core/json.h"
#include "core/show.h"
#include "core/utf8.h"

/* The first pixel in raster order with the highest value. */
static void find_highest(const struct shown_map *s, int *y, int *x)
{
	size_t best = 0;
	for (size_t i = 1; i < (size_t)s->x->width * (size_t)s->x->height; i++)
		best = s->map[i] > s->map[best] ? i : best;
	*y = (int)(best / (size_t)s->x->width);
	*x = (int)(best % (size_t)s->x->width);
}

void show_map_text(const struct shown_map *s)
{
	const struct net *net = s->x->net;
	const struct box *b = &s->box;
	char name[32];
	int y, x;
	find_highest(s, &y, &x);
	printf("%s: %s (class %d), probability %.4f\n", s->image, net_class_name(net, s->class_index, name), s->class_index,
		s->x->probabilities[s->class_index]);
	printf("  %s", s->method->name);
	if (s->layer >= 0)
		printf(" at layer %s (%d x %d)", net->plan.tensors[s->layer].name, net->plan.tensors[s->layer].h, net->plan.tensors[s->layer].w);
	if (s->evidence)
		printf(": maximum at %d %d (x y), box %d %d %d %d (xmin ymin xmax ymax) of %d x %d, around the largest part of at least %g of the maximum\n", x, y,
			b->xmin, b->ymin, b->xmax, b->ymax, s->x->width, s->x->height, s->threshold);
	else
		printf(": nothing speaks for the class: no map and no box\n");
}

static json_t *box_json(const struct shown_map *s)
{
	const struct box *b = &s->box;
	return s->evidence ? json_pack("[i, i, i, i]", b->xmin, b->ymin, b->xmax, b->ymax) : json_null();
}

int show_map_json(const struct shown_map *s, struct error *e)
{
	const struct net *net = s->x->net;
	char name[32], wnid[32];
	int y, x;
	find_highest(s, &y, &x);
	json_t *line = json_pack("{s:o, s:s, s:i, s:o, s:o, s:f, s:s, s:o, s:o, s:o, s:f, s:{s:f, s:f, s:f, s:f}}", "image", json_text(s->image),
		"model_sha256", net_sha256(net), "class", s->class_index, "wnid", json_text(net_wnid(net, s->class_index, wnid)), "name",
		json_text(net_class_name(net, s->class_index, name)), "probability", s->x->probabilities[s->class_index], "method", s->method->name, "layer",
		s->layer >= 0 ? json_text(net->plan.tensors[s->layer].name) : json_null(), "maximum", s->evidence ? json_pack("[i, i]", y, x) : json_null(), "box",
		box_json(s), "map_threshold", s->threshold, "ms", "read", s->ms.read, "forward", s->ms.forward, "map", s->ms.map, "box", s->ms.box);
	return json_line(stdout, line, 9, e);
}

int show_map_picture(const struct shown_map *s, const struct photo *photo, const char *path, struct error *e)
{
	char name[32], caption[300];
	struct photo tensor = {0};
	int code = photo ? LSDN_OK : show_photo_of_tensor(s->x, &tensor, e);
	snprintf(caption, sizeof caption, "%.200s, p = %.3f, %s", net_class_name(s->x->net, s->class_index, name), s->x->probabilities[s->class_index],
		s->method->name);
	utf8_mend(caption);
	struct picture picture = {.photo = photo ? photo : &tensor, .box = s->evidence ? &s->box : NULL, .map = s->map, .caption = caption};
	if (!code)
		code = picture_write(&picture, path, e);
	photo_free(&tensor);
	return code;
}
