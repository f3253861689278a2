#include "config.h"

#include "core/replay.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/image/reference.h"
#include "core/json.h"
#include "core/replay_inside.h"

void replay_remark(struct replayer *r, long number, const char *kind, const struct step *step, const char *format, ...)
{
	char what[300], text[600];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	if (step)
		snprintf(text, sizeof text, "%s: %.60s, s (%d, %d, %d): %s", kind, step->op->name, step->from.c, step->from.y, step->from.x, what);
	else
		snprintf(text, sizeof text, "%s: %s", kind, what);
	if (r->remarks)
		json_array_append_new(r->remarks, json_pack("{s:I, s:o}", "line", (json_int_t)number, "remark", json_text(text)));
	else
		printf("  %s:%ld: %s\n", r->path, number, text);
}

static int by_layer(const void *left, const void *right)
{
	const struct trail_line *a = left, *b = right;
	if (a->crop != b->crop)
		return a->crop - b->crop;
	if (a->step.op != b->step.op)
		return a->step.op > b->step.op ? -1 : 1;
	int order = place_compare(&a->step.from, &b->step.from);
	return order ? order : (a->number > b->number) - (a->number < b->number);
}

static void print_layer(struct replayer *r, const struct tally *t)
{
	const struct op *op = t->op;
	char margin[24] = "-", name[64];
	if (isfinite(t->margin))
		snprintf(margin, sizeof margin, "%.1e", t->margin);
	snprintf(name, sizeof name, "%.40s (%.18s)", op->name, op->op_type);
	if (!r->layers) {
		printf("  %-44s %8zu %8zu %7zu %6zu %10.1e %10s\n", name, t->neurons, t->lines, t->differ, t->ties, t->difference, margin);
	} else {
		json_t *j = json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:f}", "layer", json_text(op->name), "operator", json_text(op->op_type), "neurons",
			(json_int_t)t->neurons, "lines", (json_int_t)t->lines, "differ", (json_int_t)t->differ, "rounding", (json_int_t)t->ties, "difference",
			t->difference);
		if (j && isfinite(t->margin)) {
			json_object_set_new(j, "margin", json_real(t->margin));
			json_object_set_new(j, "closest", json_pack("[i, i, i]", t->closest.c, t->closest.y, t->closest.x));
		}
		json_array_append_new(r->layers, j);
	}
	r->total.lines += t->lines;
	r->total.differ += t->differ;
	r->total.ties += t->ties;
	if (t->margin < r->total.margin) {
		r->total.margin = t->margin;
		r->total.closest = t->closest;
		r->total.op = t->op;
	}
}

/* The points of the neurons at which the lines of a crop end. */
static int add_points(struct replayer *r, int crop, struct error *e)
{
	const struct plan *plan = &r->x->net->plan;
	for (int t = 0; t < plan->tensor_count; t++) {
		const struct index_set *neurons = &r->selected[t];
		if (!walk_ends(plan, t, r->image.choices.policy.stride) || !neurons->count)
			continue;
		struct point *points = realloc(r->points, (r->point_count + neurons->count) * sizeof *points);
		r->points = points ? points : r->points;
		double *weights = realloc(r->weights, (r->point_count + neurons->count) * sizeof *weights);
		r->weights = weights ? weights : r->weights;
		if (!points || !weights)
			return error_memory(e, "a replay");
		for (size_t i = 0; i < neurons->count; i++) {
			struct place p = walk_pixel(plan, t, neuron_place(&plan->tensors[t], neurons->keys[i]));
			weights[r->point_count] = r->masses[t][i];
			points[r->point_count++] = view_point(&r->x->crops[crop].geometry, p.y, p.x);
		}
	}
	return LSDN_OK;
}

static bool comes_before(struct point a, struct point b)
{
	return a.y != b.y ? a.y < b.y : a.x < b.x;
}

/* Takes the points of the rival class away from a crop's, which begin at `from`; its walk is the only thing that is not done plainly. */
static int take_rival_away(struct replayer *r, int crop, size_t from, struct error *e)
{
	const struct policy *policy = &r->image.choices.policy;
	const struct explainer_crop *own = &r->x->crops[crop];
	struct point *points = r->points + from;
	double *weights = r->weights + from;
	size_t count, kept = 0, k = 0;
	int rival = explainer_rival(r->x, r->image.classes, r->image.class_count);
	int code = rival < 0 || from == r->point_count ? LSDN_OK : walk_run(own->walk, own->session, 0, policy, 1, &rival, 1, e);
	if (code || rival < 0 || from == r->point_count)
		return code;
	code = points_merge(points, weights, r->point_count - from, &count, e);
	size_t rivals = walk_points(own->walk, 0, NULL);
	struct place *places = malloc((rivals + 1) * sizeof *places);
	double *masses = calloc(rivals + 1, sizeof *masses);
	if (!code && (!places || !masses))
		code = error_memory(e, "a replay");
	if (!code)
		walk_points(own->walk, 0, places);
	if (!code && policy->mass)
		walk_masses(own->walk, 0, masses);
	for (size_t i = 0; i < count && !code; i++) {
		while (k < rivals && comes_before(view_point(&own->geometry, places[k].y, places[k].x), points[i]))
			k++;
		bool both = k < rivals && !comes_before(points[i], view_point(&own->geometry, places[k].y, places[k].x));
		double left = weights[i] - (both ? masses[k] : 0);
		if (both && !(policy->mass && left > 0))
			continue;
		points[kept] = points[i];
		weights[kept++] = left;
	}
	r->point_count = from + kept;
	free(places);
	free(masses);
	return code;
}

int replay_select(struct replayer *r, int t, neuron_t n, double mass, struct error *e)
{
	t = plan_layer_tensor(&r->x->net->plan, t);
	struct index_set *neurons = &r->selected[t];
	size_t before = neurons->count, room = neurons->room;
	int64_t slot = index_set_add(neurons, n);
	if (slot >= 0 && (neurons->room > room || !r->masses[t])) {
		double *masses = realloc(r->masses[t], neurons->room * sizeof *masses);
		slot = masses ? slot : -1;
		r->masses[t] = masses ? masses : r->masses[t];
	}
	if (slot < 0)
		return error_memory(e, "a replay");
	r->masses[t][slot] = (neurons->count > before ? 0 : r->masses[t][slot]) + mass;
	return LSDN_OK;
}

int replay_crop(struct replayer *r, int crop, struct error *e)
{
	const struct plan *plan = &r->x->net->plan;
	static const struct trail_line NONE; /* to point to, not to be read */
	size_t count = r->image.count;
	const struct trail_line *lines = count ? r->image.lines : &NONE;
	int code = LSDN_OK;
	if (!crop && count)
		qsort(r->image.lines, count, sizeof *r->image.lines, by_layer);
	while (count && lines->crop < crop) {
		lines++;
		count--;
	}
	for (int t = 0; t < plan->tensor_count; t++)
		index_set_clear(&r->selected[t]);
	for (int i = 0; i < r->image.class_count && !code; i++)
		code = replay_select(r, plan->scores, (neuron_t)r->image.classes[i], 1, e);
	for (int k = plan->op_count; k-- > 0 && !code;) {
		size_t own = 0;
		struct tally tally;
		while (own < count && lines[own].crop == crop && lines[own].step.op == &plan->ops[k])
			own++;
		bool ended = walk_ends(plan, plan->ops[k].output, r->image.choices.policy.stride);
		if (op_is_through(&plan->ops[k]) || (!own && (ended || !r->selected[plan->ops[k].output].count)))
			continue;
		if (ended)
			replay_remark(r, lines->number, "DIFFERS", &lines->step, "the walk ends before this layer");
		r->total.differ += ended;
		code = replay_layer(r, crop, &plan->ops[k], lines, own, &tally, e);
		print_layer(r, &tally);
		lines += own;
		count -= own;
	}
	size_t from = r->point_count;
	if (!code)
		code = add_points(r, crop, e);
	if (!code && r->image.choices.policy.contrast)
		code = take_rival_away(r, crop, from, e);
	return code;
}

/* How many points there are, how many of them stay, and their box. */
static int check_end(struct replayer *r, long number, struct error *e)
{
	struct box box;
	const struct trail_image *image = &r->image;
	bool heavy = image->choices.policy.mass;
	size_t count = r->point_count;
	int code = heavy ? points_merge(r->points, r->weights, r->point_count, &count, e) : LSDN_OK;
	if (!heavy)
		count = points_unique(r->points, r->point_count);
	bool *keep = malloc(count + 1);
	if (code || !keep) {
		free(keep);
		return code ? code : error_memory(e, "a replay");
	}
	size_t kept = reference_outliers(r->points, count, r->x->width, r->x->height, &image->choices.box, keep);
	int found = reference_box(r->points, heavy ? r->weights : NULL, keep, count, r->x->width, r->x->height, &image->choices.box, &box);
	free(keep);
	if (found < 0)
		return error_memory(e, "a replay");
	bool same_box = found == image->found && (!found || memcmp(&box, &image->box, sizeof box) == 0);
	if (count == image->points && kept == image->kept && same_box)
		return LSDN_OK;
	r->total.differ++;
	replay_remark(r, number, "DIFFERS", NULL, "%zu points, %zu kept; recomputed %zu, %zu%s", image->points, image->kept, count, kept,
		same_box ? "" : ", and another box");
	return LSDN_OK;
}

static int check_classes(struct replayer *r, struct error *e)
{
	int classes[POLICY_MOST_CLASSES];
	const struct trail_image *image = &r->image;
	int count = explainer_classes(r->x, &image->choices.policy, image->asked ? image->classes[0] : -1, classes);
	if (count == image->class_count && memcmp(classes, image->classes, (size_t)count * sizeof *classes) == 0)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_INPUT, "%s: %s: the trail explains class %d, the network says %d: is it the same image?", r->path, image->image,
		image->classes[0], classes[0]);
}

static int check_image(struct replayer *r, long number, struct error *e)
{
	struct photo photo = {0};
	struct trail_image *image = &r->image;
	int code = image->tensor ? explainer_feed_tensor(r->x, image->image, e) : photo_read(&photo, image->image, e);
	if (!code && !image->tensor)
		code = explainer_feed(r->x, &photo, image->choices.view, e);
	photo_free(&photo);
	if (!code)
		code = check_classes(r, e);
	if (!code && !r->layers) {
		printf("%s: class %d, %zu lines\n", image->image, image->classes[0], image->count);
		printf("  %-44s %8s %8s %7s %6s %10s %10s\n", "layer", "neurons", "lines", "differ", "ties", "difference", "margin");
	}
	for (size_t i = 0; i < image->count && !code; i++)
		if (image->lines[i].crop >= r->x->crop_count)
			code = error_set(e, LSDN_ERROR_INPUT, "%s:%ld: crop %d is none of the view's", r->path, image->lines[i].number, image->lines[i].crop);
	for (int crop = 0; crop < r->x->crop_count && !code; crop++)
		code = replay_crop(r, crop, e);
	return code ? code : check_end(r, number, e);
}

static int print_total(struct replayer *r, struct error *e)
{
	const struct tally *t = &r->total;
	if (!r->layers) {
		printf("  %zu lines: %zu agree with the plain kernels, %zu where rounding decides, %zu differ\n", t->lines, t->lines - t->differ - t->ties, t->ties,
			t->differ);
		if (t->op)
			printf("  the closest decision: %s, s (%d, %d, %d), by %.2g of the highest Omega\n", t->op->name, t->closest.c, t->closest.y, t->closest.x, t->margin);
		return LSDN_OK;
	}
	json_t *line = json_pack("{s:o, s:i, s:I, s:I, s:I, s:O, s:O}", "image", json_text(r->image.image), "class", r->image.classes[0], "lines",
		(json_int_t)t->lines, "differ", (json_int_t)t->differ, "rounding", (json_int_t)t->ties, "layers", r->layers, "remarks", r->remarks);
	return json_line(stdout, line, 9, e);
}

int replay(struct explainer *x, const char *path, bool json, struct error *e)
{
	struct trail_reader reader;
	struct replayer r = {.x = x, .path = path, .selected = calloc((size_t)x->net->plan.tensor_count, sizeof *r.selected),
		.masses = calloc((size_t)x->net->plan.tensor_count, sizeof *r.masses)};
	int code = trail_reader_open(&reader, path, x->net, e), differ = 0, more = 1;
	if (!code && (!r.selected || !r.masses))
		code = error_memory(e, "a replay");
	while (!code && (more = trail_read(&reader, &r.image, e)) == 1) {
		r.total = (struct tally){.margin = INFINITY};
		r.point_count = 0;
		r.layers = json ? json_array() : NULL;
		r.remarks = json ? json_array() : NULL;
		code = check_image(&r, reader.number, e);
		if (!code)
			code = print_total(&r, e);
		differ += (int)r.total.differ;
		json_decref(r.layers);
		json_decref(r.remarks);
		trail_image_free(&r.image);
	}
	trail_image_free(&r.image);
	for (int t = 0; r.selected && t < x->net->plan.tensor_count; t++)
		index_set_free(&r.selected[t]);
	for (int t = 0; r.masses && t < x->net->plan.tensor_count; t++)
		free(r.masses[t]);
	free(r.selected);
	free(r.masses);
	free(r.points);
	free(r.weights);
	trail_reader_close(&reader);
	return code ? code : more < 0 ? more : differ;
}
