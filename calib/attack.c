#include "config.h"

#include "calib/attack.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bandit/pcg.h"
#include "calib/explained.h"
#include "core/show.h"

enum { STREAM_NOISE = 900, PATH_ROOM = 4096, CHANNELS = 3 };

#define LIKENESS(who) {who, "maps: rank correlation", false, -1, 1}, {who, "points: Jaccard index", false, 0, 1}, {who, "boxes: IoU", false, 0, 1}

const struct attack_what ATTACK_WHATS[ATTACK_ROWS] = {
	{"attack", "another class", true, 0, 1}, {"attack", "so in whole pixels", true, 0, 1}, {"same noise", "another class", true, 0, 1},
	{"attack", "perturbation, percent of image", false, 0, 100}, {"attack", "iterations", false, 0, 1000},
	{"original class", "probability before", false, 0, 1}, {"original class", "probability after", false, 0, 1},
	{"new class", "probability before", false, 0, 1}, {"new class", "probability after", false, 0, 1},
	LIKENESS("predicted class"), LIKENESS("original class"), LIKENESS("new class"), LIKENESS("same noise"),
};

int attack_open(struct attack *a, const struct crew *crew, const struct choices *choices, size_t images, struct error *e)
{
	*a = (struct attack){.net = crew->net, .choices = choices, .how = &DEEPFOOL_USUAL, .crew = crew};
	if (view_crops(choices->view) > 1)
		return error_set(e, LSDN_ERROR_INPUT, "--attack changes what the network sees, which is one picture: set view=full or view=center");
	a->backwards = calloc((size_t)crew->threads, sizeof *a->backwards);
	a->values = malloc((images + 1) * sizeof *a->values);
	if (!a->backwards || !a->values)
		return error_memory(e, "an attack");
	a->linear = linear_weights_open(&crew->net->plan, 1, e);
	return a->linear ? LSDN_OK : (int)e->code;
}

void attack_close(struct attack *a)
{
	for (int i = 0; a->backwards && i < a->crew->threads; i++)
		backward_close(a->backwards[i]);
	linear_weights_close(a->linear);
	free(a->backwards);
	free(a->values);
	*a = (struct attack){0};
}

/* One image at work. */
struct work {
	const struct attack *attack;
	struct explainer *x;
	struct taking *t;
	size_t size;
	double *values;
	float *pixels, *changed, *other; /* what the network sees: before, after, and anything else */
	struct explained original_before, new_before, original_after, new_after, noise;
	struct photo before, after; /* where there are pictures */
};

static int explain(struct work *w, int class_index, struct explained *out, struct error *e)
{
	return explained_make(out, w->x, w->attack->choices, class_index, e);
}

static int compare(struct work *w, enum attack_row row, const struct explained *a, const struct explained *b, struct error *e)
{
	struct likeness l;
	int code = explained_likeness(a, b, &l, e);
	w->values[row] = l.maps;
	w->values[row + 1] = l.points;
	w->values[row + 2] = l.boxes;
	return code;
}

static int feed_whole(struct work *w, struct error *e)
{
	for (size_t i = 0; i < w->size; i++)
		w->other[i] = roundf(w->changed[i]);
	return deepfool_feed(w->x, w->other, e);
}

/* Every number goes as far up or down, at random. */
static int feed_noise(struct work *w, double distance, struct error *e)
{
	double each = distance / sqrt((double)w->size);
	struct pcg rng;
	pcg_seed(&rng, w->attack->seed, STREAM_NOISE + (uint64_t)w->t->index);
	for (size_t i = 0; i < w->size; i++)
		w->other[i] = (float)fmin(fmax(w->pixels[i] + (pcg_below(&rng, 2) ? each : -each), 0), 255);
	return deepfool_feed(w->x, w->other, e);
}

static int draw(struct work *w, struct error *e)
{
	char path[PATH_ROOM], buffer[32];
	struct picture pictures[] = {explained_picture(&w->original_before, &w->before), explained_picture(&w->new_after, &w->after)};
	snprintf(path, sizeof path, "%s/%s.png", w->attack->pictures, source_name(w->t->source, w->t->index, buffer));
	w->t->fatal = true;
	return pictures_write(pictures, 2, path, e);
}

/* The image as it was, and as it is now. */
static int explain_both(struct work *w, const struct fooled *f, struct error *e)
{
	int code = deepfool_feed(w->x, w->changed, e);
	if (!code && w->attack->pictures)
		code = show_photo_of_tensor(w->x, &w->after, e);
	if (!code)
		code = explain(w, f->before, &w->original_after, e);
	if (!code)
		code = explain(w, f->after, &w->new_after, e);
	if (!code)
		code = deepfool_feed(w->x, w->pixels, e);
	if (!code && w->attack->pictures)
		code = show_photo_of_tensor(w->x, &w->before, e);
	if (!code)
		code = explain(w, f->before, &w->original_before, e);
	return code ? code : explain(w, f->after, &w->new_before, e);
}

static int measure(struct work *w, const struct fooled *f, struct error *e)
{
	w->values[ATTACK_RELATIVE] = 100 * f->relative;
	w->values[ATTACK_ITERATIONS] = f->iterations;
	int code = explain_both(w, f, e);
	w->values[ATTACK_ORIGINAL_BEFORE] = w->original_before.probability;
	w->values[ATTACK_ORIGINAL_AFTER] = w->original_after.probability;
	w->values[ATTACK_NEW_BEFORE] = w->new_before.probability;
	w->values[ATTACK_NEW_AFTER] = w->new_after.probability;
	if (!code)
		code = compare(w, ATTACK_PREDICTED, &w->original_before, &w->new_after, e);
	if (!code)
		code = compare(w, ATTACK_ORIGINAL, &w->original_before, &w->original_after, e);
	if (!code)
		code = compare(w, ATTACK_NEW, &w->new_before, &w->new_after, e);
	if (!code)
		code = feed_whole(w, e);
	w->values[ATTACK_WHOLE] = !code && deepfool_class(w->x) != f->before;
	if (!code)
		code = feed_noise(w, f->distance, e);
	w->values[ATTACK_BY_NOISE] = !code && deepfool_class(w->x) != f->before;
	if (!code)
		code = explain(w, f->before, &w->noise, e);
	if (!code)
		code = compare(w, ATTACK_NOISE, &w->original_before, &w->noise, e);
	return code || !w->attack->pictures ? code : draw(w, e);
}

static int attack(struct work *w, struct backward *b, struct error *e)
{
	struct fooled f;
	int code = explainer_feed(w->x, w->t->photo, w->attack->choices->view, e);
	for (int i = 0; i < ATTACK_ROWS; i++)
		w->values[i] = NAN;
	if (code)
		return code;
	deepfool_pixels(w->x, w->pixels);
	code = deepfool_run(w->attack->how, w->x, b, w->pixels, w->changed, &f, e);
	if (code)
		return code;
	w->values[ATTACK_FOOLED] = f.success;
	return f.success ? measure(w, &f, e) : LSDN_OK;
}

static struct backward *backward_of(const struct attack *a, const struct explainer *x, struct error *e)
{
	struct backward **own = &a->backwards[x - a->crew->explainers];
	if (!*own)
		*own = backward_open(&a->net->plan, a->linear, 1, e);
	return *own;
}

int attack_take(void *context, struct explainer *x, struct taking *t, struct error *e)
{
	const struct attack *a = context;
	size_t size = tensor_size(&a->net->plan.tensors[a->net->plan.inputs[0]]);
	float *room = malloc(3 * size * sizeof *room);
	struct work w = {.attack = a, .x = x, .t = t, .size = size, .values = a->values[t->i]};
	struct backward *b = backward_of(a, x, e);
	int code = room ? LSDN_OK : error_memory(e, "an image");
	if (b && room) {
		w.pixels = room;
		w.changed = room + size;
		w.other = room + 2 * size;
		code = attack(&w, b, e);
	}
	struct explained *const all[] = {&w.original_before, &w.new_before, &w.original_after, &w.new_after, &w.noise};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		explained_free(all[i]);
	photo_free(&w.before);
	photo_free(&w.after);
	free(room);
	return b ? code : (int)e->code;
}

int attack_figure(const struct attack *a, const struct taken *t, enum attack_row row, double *value, struct interval *interval, uint64_t *count,
	uint64_t *images, struct error *e)
{
	const struct attack_what *what = &ATTACK_WHATS[row];
	double *values = malloc((t->taken + 1) * sizeof *values), range = what->high - what->low;
	size_t used = 0;
	if (!values)
		return error_memory(e, "figures");
	*count = 0;
	for (size_t i = 0; i < t->taken; i++)
		if (t->images[i].counts && !isnan(a->values[i][row])) {
			values[used++] = (a->values[i][row] - what->low) / range;
			*count += a->values[i][row] > 0.5;
		}
	*interval = mean_interval(values, used, 0, value);
	if (what->share)
		*interval = wilson_interval(*count, used);
	*value = what->low + range * *value;
	*interval = (struct interval){what->low + range * interval->low, what->low + range * interval->high};
	*images = used;
	free(values);
	return LSDN_OK;
}
