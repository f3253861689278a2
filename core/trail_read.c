#include "config.h"

#include "core/trail_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/trail.h"

enum { MOST_LINE = 1 << 26 }; /* bytes: a million points */

int trail_reader_open(struct trail_reader *r, const char *path, const struct net *net, struct error *e)
{
	*r = (struct trail_reader){.path = path, .net = net, .file = fopen(path, "r")};
	return r->file ? LSDN_OK : error_set(e, LSDN_ERROR_IO, "%s: %s", path, strerror(errno));
}

void trail_reader_close(struct trail_reader *r)
{
	if (r->file)
		fclose(r->file);
	free(r->text);
	*r = (struct trail_reader){0};
}

void trail_image_free(struct trail_image *image)
{
	free(image->image);
	free(image->layers);
	free(image->lines);
	*image = (struct trail_image){0};
}

static int wrong(const struct trail_reader *r, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%s:%ld: %s: write the trail anew with --trace", r->path, r->number, what);
}

/* The next line into r->text: 1, or 0 at the end of the file. */
static int next_line(struct trail_reader *r, struct error *e)
{
	size_t length = 0;
	for (int c; (c = getc(r->file)) != EOF && c != '\n'; r->text[length++] = (char)c) {
		if (length + 2 < r->room)
			continue;
		size_t room = r->room ? 2 * r->room : 4096;
		char *text = room <= MOST_LINE ? realloc(r->text, room) : NULL;
		if (!text)
			return room > MOST_LINE ? wrong(r, "the line is too long for a trail", e) : error_memory(e, "a line of an audit trail");
		r->text = text;
		r->room = room;
	}
	r->number++;
	if (ferror(r->file))
		return error_set(e, LSDN_ERROR_IO, "%s: %s", r->path, strerror(errno));
	if (!length && feof(r->file))
		return 0;
	if (!length)
		return wrong(r, "an empty line", e);
	r->text[length] = 0;
	return 1;
}

static int whole(const json_t *j, int least, int most)
{
	return json_is_integer(j) && json_integer_value(j) >= least && json_integer_value(j) <= most ? (int)json_integer_value(j) : least - 1;
}

static bool read_place(const json_t *j, const struct tensor *t, struct place *p)
{
	*p = (struct place){whole(json_array_get(j, 0), 0, t->c - 1), whole(json_array_get(j, 1), 0, t->h - 1), whole(json_array_get(j, 2), 0, t->w - 1)};
	return json_array_size(j) == 3 && p->c >= 0 && p->y >= 0 && p->x >= 0;
}

/* A number; null is minus infinity. */
static bool read_number(const json_t *j, double *value)
{
	*value = json_is_null(j) ? -INFINITY : json_number_value(j);
	return json_is_number(j) || json_is_null(j);
}

static const char *read_supports(const json_t *j, struct step *s)
{
	double cur, pre;
	const json_t *runner_up = json_object_get(j, "runner_up");
	s->weighed = true;
	if (!read_number(json_object_get(j, "z_cur"), &cur) || !read_number(json_object_get(j, "z_pre"), &pre) ||
		!read_number(json_object_get(j, "omega"), &s->omega) || !read_number(runner_up, &s->runner_up))
		return "z_cur, z_pre, omega and runner_up must be numbers or null";
	int suc = whole(json_object_get(j, "z_suc"), 1, 1 << 30);
	s->z_cur = (float)cur;
	s->z_pre = (float)pre;
	s->z_suc = (uint32_t)suc;
	s->rivalled = json_is_number(runner_up);
	s->rank = whole(json_object_get(j, "rank"), 1, 1 << 30);
	return suc < 1 || s->rank < 1 ? "z_suc and rank must be whole numbers of at least 1" : NULL;
}

/* NULL, or what is wrong with a step. */
static const char *read_step(const json_t *j, const struct plan *plan, struct trail_line *line)
{
	int number = whole(json_object_get(j, "number"), 0, plan->op_count - 1), input = 0;
	const char *layer = json_string_value(json_object_get(j, "layer")), *tensor = json_string_value(json_object_get(j, "tensor"));
	const json_t *crop = json_object_get(j, "crop");
	struct step *s = &line->step;
	if (number < 0 || !layer || !tensor)
		return "a step's number, layer and tensor must be those of an operator of the network";
	s->op = &plan->ops[number];
	/* Names are compared as they are written. */
	json_t *own = json_text(s->op->name);
	bool named = own && strcmp(layer, json_string_value(own)) == 0 && !op_is_through(s->op);
	json_decref(own);
	while (input < s->op->input_count && strcmp(plan->tensors[s->op->inputs[input]].name, tensor) != 0)
		input++;
	if (!named || input == s->op->input_count)
		return "a step's number, layer and tensor must be those of an operator of the network";
	s->tensor = s->op->inputs[input];
	line->crop = crop ? whole(crop, 0, VIEW_MOST_CROPS - 1) : 0;
	if (line->crop < 0)
		return "there is no such crop";
	if (!read_place(json_object_get(j, "s"), &plan->tensors[s->op->output], &s->from))
		return "s must be a neuron [c, y, x] of the layer's output";
	if (!read_place(json_object_get(j, "neuron"), &plan->tensors[s->tensor], &s->to))
		return "neuron must be one [c, y, x] of the tensor";
	const json_t *mass = json_object_get(j, "mass");
	s->mass = json_number_value(mass);
	if (mass && !(s->mass > 0))
		return "mass must be a number over 0";
	return s->op->kind == OP_CONV || s->op->kind == OP_GEMM ? read_supports(j, s) : NULL;
}

static int add_line(struct trail_reader *r, struct trail_image *image, const json_t *j, struct error *e)
{
	if (image->count == image->room) {
		size_t room = image->room ? 2 * image->room : 256;
		struct trail_line *lines = realloc(image->lines, room * sizeof *lines);
		if (!lines)
			return error_memory(e, "an audit trail");
		image->lines = lines;
		image->room = room;
	}
	struct trail_line *line = &image->lines[image->count++];
	*line = (struct trail_line){.number = r->number};
	const char *what = read_step(j, &r->net->plan, line);
	return what ? wrong(r, what, e) : LSDN_OK;
}

static int read_head(struct trail_reader *r, struct trail_image *image, const json_t *j, struct error *e)
{
	const char *name = json_string_value(json_object_get(j, "image")), *sha256 = json_string_value(json_object_get(j, "model_sha256"));
	const json_t *classes = json_object_get(j, "classes");
	struct error why;
	if (whole(json_object_get(j, "trail"), 1, TRAIL_FORMAT) != TRAIL_FORMAT)
		return wrong(r, "no head of a trail of this version", e);
	if (!name || !sha256 || !json_array_size(classes) || json_array_size(classes) > POLICY_MOST_CLASSES)
		return wrong(r, "the head lacks image, model_sha256 or classes", e);
	if (strcmp(sha256, net_sha256(r->net)) != 0)
		return error_set(e, LSDN_ERROR_INPUT, "%s:%ld: is of another network (sha256 %.64s, this one's is %s): name the right one with --model", r->path,
			r->number, sha256, net_sha256(r->net));
	for (size_t i = 0; i < json_array_size(classes); i++) {
		image->classes[i] = whole(json_array_get(classes, i), 0, r->net->plan.tensors[r->net->plan.scores].c - 1);
		if (image->classes[i] < 0)
			return wrong(r, "a class is none of the network's", e);
	}
	image->class_count = (int)json_array_size(classes);
	image->tensor = json_is_true(json_object_get(j, "tensor"));
	image->asked = json_is_true(json_object_get(j, "asked"));
	image->image = strdup(name);
	image->layers = calloc((size_t)r->net->plan.op_count, sizeof *image->layers);
	if (!image->image || !image->layers)
		return error_memory(e, "an audit trail");
	int code = choices_of_json(&image->choices, json_object_get(j, "policy"), &r->net->plan, image->layers, &why);
	return code ? wrong(r, why.message, e) : LSDN_OK;
}

static int read_end(struct trail_reader *r, struct trail_image *image, const json_t *j, struct error *e)
{
	const json_t *box = json_object_get(j, "box");
	int *const sides[] = {&image->box.xmin, &image->box.ymin, &image->box.xmax, &image->box.ymax};
	int kept = whole(json_object_get(j, "kept"), 0, 1 << 30);
	image->points = json_array_size(json_object_get(j, "points"));
	image->found = json_is_array(box);
	for (size_t i = 0; i < 4 && image->found; i++)
		*sides[i] = whole(json_array_get(box, i), 0, PHOTO_MAX_SIDE);
	if (kept < 0 || (!image->found && !json_is_null(box)))
		return wrong(r, "the end lacks kept or box", e);
	image->kept = (size_t)kept;
	return LSDN_OK;
}

int trail_read(struct trail_reader *r, struct trail_image *image, struct error *e)
{
	*image = (struct trail_image){0};
	for (bool ended = false; !ended;) {
		int code = next_line(r, e);
		if (code == 0 && image->image)
			return wrong(r, "the trail breaks off within an image", e);
		if (code <= 0)
			return code;
		json_error_t why;
		json_t *j = json_loads(r->text, JSON_REJECT_DUPLICATES, &why);
		if (!j)
			return wrong(r, why.text, e);
		ended = json_object_get(j, "points");
		code = !image->image ? read_head(r, image, j, e) : ended ? read_end(r, image, j, e) : add_line(r, image, j, e);
		json_decref(j);
		if (code)
			return code;
	}
	return 1;
}
