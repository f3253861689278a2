#include "config.h"

#include "core/trail.h"

#include <math.h>

#include "core/json.h"

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *place_json(struct place p)
{
	return json_pack("[i, i, i]", p.c, p.y, p.x);
}

json_t *trail_step_json(const struct plan *plan, int crop, const struct step *step)
{
	json_t *j = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "number", (int)(step->op - plan->ops), "layer", json_text(step->op->name), "operator",
		json_text(step->op->op_type), "s", place_json(step->from), "tensor", json_text(plan->tensors[step->tensor].name), "neuron",
		place_json(step->to));
	if (j && crop >= 0)
		json_object_set_new(j, "crop", json_integer(crop));
	if (j && step->mass != 0)
		json_object_set_new(j, "mass", json_real(step->mass));
	if (!j || !step->weighed)
		return j;
	json_object_set_new(j, "z_cur", number(step->z_cur));
	json_object_set_new(j, "z_pre", number(step->z_pre));
	json_object_set_new(j, "z_suc", json_integer(step->z_suc));
	json_object_set_new(j, "omega", number(step->omega));
	json_object_set_new(j, "rank", json_integer(step->rank));
	json_object_set_new(j, "runner_up", step->rivalled ? number(step->runner_up) : json_null());
	return j;
}

json_t *trail_points_json(const struct explainer *x, const struct explanation *found)
{
	json_t *points = json_array();
	for (size_t i = 0; i < found->count; i++)
		json_array_append_new(points, json_pack("[f, f]", x->points[i].y, x->points[i].x));
	return points;
}

json_t *trail_box_json(const struct explanation *found)
{
	const struct box *b = &found->box;
	return found->found ? json_pack("[i, i, i, i]", b->xmin, b->ymin, b->xmax, b->ymax) : json_null();
}

int trail_open(struct trail *t, const char *path, struct error *e)
{
	*t = (struct trail){0};
	return output_open(&t->out, path, e);
}

static int write_line(struct trail *t, json_t *line, struct error *e)
{
	return json_line(t->out.file, line, 17, e);
}

int trail_head(struct trail *t, const struct explainer *x, const char *image, bool tensor, const struct choices *choices, const int *classes,
	int class_count, bool asked, struct error *e)
{
	json_t *numbers = json_array(), *probabilities = json_array();
	t->x = x;
	t->open = true;
	for (int i = 0; i < class_count; i++) {
		json_array_append_new(numbers, json_integer(classes[i]));
		json_array_append_new(probabilities, json_real(x->probabilities[classes[i]]));
	}
	return write_line(t, json_pack("{s:i, s:o, s:b, s:s, s:o, s:b, s:o, s:o}", "trail", TRAIL_FORMAT, "image", json_text(image), "tensor", tensor,
		"model_sha256", net_sha256(x->net), "classes", numbers, "asked", asked, "probabilities", probabilities, "policy",
		choices_json(choices, &x->net->plan)), e);
}

int trail_step(struct trail *t, int crop, const struct step *step, struct error *e)
{
	return write_line(t, trail_step_json(&t->x->net->plan, t->x->crop_count > 1 ? crop : -1, step), e);
}

int trail_end(struct trail *t, const struct explanation *found, struct error *e)
{
	t->open = false;
	return write_line(t, json_pack("{s:o, s:I, s:o}", "points", trail_points_json(t->x, found), "kept", (json_int_t)found->kept, "box",
		trail_box_json(found)), e);
}

int trail_close(struct trail *t, struct error *e)
{
	if (!t->out.file)
		return LSDN_OK;
	if (!t->open)
		return output_close(&t->out, e);
	int code = error_set(e, LSDN_ERROR_IO, "%s: is not written: the explanation of an image broke off", t->out.path);
	output_abandon(&t->out);
	return code;
}
