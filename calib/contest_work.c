#include "config.h"

#include "calib/contest_work.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/correlation.h"
#include "calib/score.h"
#include "core/image/part.h"

static int open_worker(struct worker *w, const struct crew *crew, int thread, struct linear_weights *linear, size_t entrants, struct error *e)
{
	w->crew = crew;
	w->costs = calloc(entrants + 1, sizeof *w->costs);
	int code = w->costs ? crew_explainer(crew, thread, true, &w->x, e) : error_memory(e, "a worker");
	if (!code)
		code = mapper_open(&w->mapper, w->x, linear, e);
	return code ? code : probe_open(&w->probe, crew->net, crew->packed, e);
}

int workers_open(struct worker **workers, const struct crew *crew, struct linear_weights *linear, size_t entrants, struct error *e)
{
	int code = LSDN_OK;
	*workers = calloc((size_t)crew->threads, sizeof **workers);
	if (!*workers)
		return error_memory(e, "workers");
	for (int i = 0; i < crew->threads && !code; i++)
		code = open_worker(&(*workers)[i], crew, i, linear, entrants, e);
	return code;
}

void workers_close(struct worker *workers, int threads)
{
	for (int i = 0; workers && i < threads; i++) {
		mapper_close(&workers[i].mapper);
		probe_close(&workers[i].probe);
		free(workers[i].map);
		free(workers[i].costs);
	}
	free(workers);
}

int random_crew_open(struct random_crew *r, const struct contest *c, int level, struct error *e)
{
	const struct crew *own = &c->job->crew;
	*r = (struct random_crew){0};
	int code = randomize(&r->net, own->net, &c->levels, level, c->job->seed, e);
	if (!code && (!(r->packed = packed_weights_open(&r->net.plan, e)) || !(r->linear = linear_weights_open(&r->net.plan, 1, e))))
		code = e->code;
	if (!code)
		code = crew_open(&r->crew, &r->net, r->packed, own->threads, own->progress, own->stop, e);
	return code ? code : workers_open(&r->workers, &r->crew, r->linear, c->entrant_count, e);
}

void random_crew_close(struct random_crew *r)
{
	workers_close(r->workers, r->crew.threads);
	crew_close(&r->crew);
	linear_weights_close(r->linear);
	packed_weights_close(r->packed);
	randomize_close(&r->net);
}

int work_load(const struct contest *c, struct worker *w, uint32_t index, struct photo *photo, struct annotation *truth, struct error *e)
{
	int code = source_load(c->job->source, index, photo, truth, e);
	size_t size = (size_t)photo->width * (size_t)photo->height;
	if (!code && size > w->room) {
		free(w->map);
		w->map = malloc(size * sizeof *w->map);
		w->room = w->map ? size : 0;
		code = w->map ? LSDN_OK : error_memory(e, "a map");
	}
	double start = progress_thread_seconds();
	if (!code)
		code = explainer_feed(w->x, photo, c->job->choices->view, e);
	w->feed_seconds += progress_thread_seconds() - start;
	w->fed++;
	return code;
}

static int load(const struct contest *c, struct worker *w, uint32_t index, struct annotation *truth, struct error *e)
{
	struct photo photo;
	int code = work_load(c, w, index, &photo, truth, e);
	photo_free(&photo);
	return code;
}

/* Falls with the distance from the middle. */
static void center_map(const struct explainer *x, float *map)
{
	double middle_y = (x->height - 1) / 2.0, middle_x = (x->width - 1) / 2.0, most = hypot(middle_y, middle_x) + 1;
	for (int y = 0; y < x->height; y++)
		for (int i = 0; i < x->width; i++)
			map[(size_t)y * (size_t)x->width + (size_t)i] = (float)(1 - hypot(y - middle_y, i - middle_x) / most);
}

static void ask_trivial(const struct entrant *n, const struct explainer *x, float *map, struct answer *a)
{
	*a = (struct answer){.has_map = n->trivial == CONTEST_CENTER_POINT, .has_box = n->trivial != CONTEST_CENTER_POINT};
	a->evidence = a->has_map;
	if (a->has_map)
		center_map(x, map);
	a->box = box_centered(x->width, x->height, n->trivial == CONTEST_WHOLE ? 1 : BOX_CENTER_SIDE);
}

int work_ask(const struct contest *c, struct worker *w, size_t entrant, int class_index, struct answer *a, struct error *e)
{
	const struct entrant *n = &c->entrants[entrant];
	const struct choices *choices = c->job->choices;
	struct box box;
	if (!n->method) {
		ask_trivial(n, w->x, w->map, a);
		return LSDN_OK;
	}
	double start = progress_thread_seconds();
	*a = (struct answer){.has_map = true};
	int code = mapper_make(&w->mapper, n->method, choices, class_index, n->layer, w->map, &a->evidence, e);
	if (!code && n->method->place == MAP_OF_WALK) { /* its own box */
		a->has_box = w->x->last.found;
		box = w->x->last.box;
	} else if (!code && a->evidence) {
		a->has_box = true;
		code = part_largest(w->map, w->x->width, w->x->height, choices->box.map_threshold, &box, e);
	}
	if (!code && a->has_box)
		a->box = box_real(&box);
	w->costs[entrant].seconds += progress_thread_seconds() - start;
	w->costs[entrant].count++;
	return code;
}

/* A method that cannot explain an image has nothing said of it. */
static int failed(struct contest_image *image, size_t entrant, int code, const struct error *e, struct error *out)
{
	if (code == LSDN_ERROR_MEMORY)
		return code;
	if (!image->failed[entrant])
		image->failed[entrant] = strdup(e->message);
	return image->failed[entrant] ? LSDN_OK : error_memory(out, "a message");
}

static bool is_right(const struct worker *w, const struct annotation *truth, const struct answer *a)
{
	return a->has_box && annotation_iou(truth, &a->box, w->x->width, w->x->height) > 0.5;
}

static void score_pointing(const struct worker *w, const struct annotation *truth, const struct answer *a, double *values)
{
	size_t width = (size_t)w->x->width, peak = score_peak(w->map, width * (size_t)w->x->height);
	double distance = score_distance(truth, (int)(peak / width), (int)(peak % width), w->x->width, w->x->height);
	values[ROW_POINTING] = a->evidence && distance <= 0;
	values[ROW_POINTING_NEAR] = a->evidence && distance <= CONTEST_TOLERANCE;
}

/* For the annotated class. */
static int score_known(const struct contest *c, struct worker *w, struct contest_image *image, const struct annotation *truth, size_t entrant,
	const struct answer *a, struct error *e)
{
	double *values = image->values + entrant * ROWS;
	uint8_t *hits = image->hits + entrant * SCORE_THRESHOLDS;
	if (a->has_box || c->entrants[entrant].method)
		values[ROW_KNOWN] = is_right(w, truth, a);
	if (!a->has_map)
		return LSDN_OK;
	values[ROW_MAX_BOX] = 0; /* to be found when all images are known */
	return a->evidence ? score_thresholds(w->map, w->x->width, w->x->height, truth, hits, e) : LSDN_OK;
}

/* Rows that need no further pass. */
static int score_places(struct contest *c, struct worker *w, struct contest_image *image, const struct annotation *truth, size_t entrant, struct answer *a,
	struct error *e)
{
	const struct net *net = c->job->crew.net;
	double *values = image->values + entrant * ROWS;
	int annotated = annotated_class(net, truth);
	int code = work_ask(c, w, entrant, image->predicted, a, e);
	if (code)
		return code;
	if (a->has_map)
		score_pointing(w, truth, a, values);
	if (a->has_box || c->entrants[entrant].method) {
		values[ROW_PREDICTED] = is_right(w, truth, a);
		if (net->label_count > 0)
			values[ROW_ERROR] = !(values[ROW_PREDICTED] > 0 && annotated_with(net, truth, image->predicted));
	}
	struct answer known = *a;
	if (annotated >= 0 && annotated != image->predicted)
		code = work_ask(c, w, entrant, annotated, &known, e);
	return code || annotated < 0 ? code : score_known(c, w, image, truth, entrant, &known, e);
}

static void score_confidence(const struct contest_image *image, double after, double *values)
{
	values[ROW_RISE] = after > image->open;
	values[ROW_DROP] = image->open > 0 ? fmax(0, image->open - after) / image->open : 0;
}

/* One pass of the network a box, those with all and with nothing covered at the end. */
static int confidence_of_all(struct contest *c, struct worker *w, struct contest_image *image, const struct answer *answers, struct error *e)
{
	size_t count = c->entrant_count;
	struct boxf *boxes = calloc(count + 2, sizeof *boxes);
	bool *without = calloc(count + 2, sizeof *without);
	double *after = calloc(count + 2, sizeof *after);
	int code = boxes && without && after ? LSDN_OK : error_memory(e, "boxes");
	for (size_t i = 0; i < count && !code; i++) {
		boxes[i] = answers[i].box;
		without[i] = !answers[i].has_box;
	}
	if (!code) {
		without[count] = true;
		boxes[count + 1] = box_centered(w->x->width, w->x->height, 1);
		code = probe_boxes(&w->probe, image->predicted, boxes, without, count + 2, after, e);
	}
	if (!code) {
		image->covered = after[count];
		image->open = after[count + 1];
	}
	for (size_t i = 0; i < count && !code; i++) {
		const struct map_method *method = c->entrants[i].method;
		if (!image->failed[i] && (method ? !method->costly : answers[i].has_box))
			score_confidence(image, after[i], image->values + i * ROWS);
	}
	free(boxes);
	free(without);
	free(after);
	return code;
}

static int take_image(struct contest *c, struct worker *w, struct contest_image *image, const struct annotation *truth, struct error *e)
{
	struct answer *answers = calloc(c->entrant_count, sizeof *answers);
	int code = answers ? LSDN_OK : error_memory(e, "measures");
	image->predicted = explainer_class(w->x, 0);
	image->second = w->x->class_count > 1 ? explainer_class(w->x, 1) : -1;
	probe_take(&w->probe, w->x);
	for (size_t i = 0; i < c->entrant_count && !code; i++) {
		struct error why;
		if (c->entrants[i].method && c->entrants[i].method->costly)
			continue;
		code = score_places(c, w, image, truth, i, &answers[i], &why);
		if (code)
			code = failed(image, i, code, &why, e);
	}
	if (!code)
		code = confidence_of_all(c, w, image, answers, e);
	free(answers);
	return code;
}

static int make_image(const struct contest *c, struct contest_image *image, struct error *e)
{
	size_t rows = c->entrant_count * ROWS;
	image->values = malloc(rows * sizeof *image->values);
	image->hits = calloc(c->entrant_count, SCORE_THRESHOLDS);
	image->failed = calloc(c->entrant_count, sizeof *image->failed);
	if (!image->values || !image->hits || !image->failed)
		return error_memory(e, "measures");
	for (size_t i = 0; i < rows; i++)
		image->values[i] = NAN;
	return LSDN_OK;
}

int work_places(struct contest *c, struct worker *w, uint32_t index, struct error *e)
{
	struct contest_image *image = &c->images[index];
	struct annotation truth = {0};
	struct error why;
	int code = make_image(c, image, e);
	if (code)
		return code;
	code = load(c, w, index, &truth, &why);
	if (!code)
		code = take_image(c, w, image, &truth, &why);
	annotation_free(&truth);
	image->taken = true;
	image->usable = code == LSDN_OK;
	if (code && code != LSDN_ERROR_MEMORY)
		code = (image->why = strdup(why.message)) ? LSDN_OK : LSDN_ERROR_MEMORY;
	return code ? error_memory(e, "measures") : LSDN_OK;
}

/* Of a costly method, for which work_places did nothing. */
static int confidence_of_one(struct worker *w, const struct contest_image *image, const struct answer *a, double *values, struct error *e)
{
	bool without = !a->has_box;
	double after;
	int code = probe_boxes(&w->probe, image->predicted, &a->box, &without, 1, &after, e);
	if (!code)
		score_confidence(image, after, values);
	return code;
}

static int curves(struct worker *w, const struct contest_image *image, size_t entrant, struct error *e)
{
	double *insertion = image->curves + entrant * 2 * PROBE_CURVE, *deletion = insertion + PROBE_CURVE, *values = image->values + entrant * ROWS;
	int code = probe_curves(&w->probe, image->predicted, w->map, insertion, deletion, e);
	insertion[0] = deletion[PROBE_STEPS] = code ? NAN : image->covered;
	insertion[PROBE_STEPS] = deletion[0] = code ? NAN : image->open;
	if (code)
		return code;
	values[ROW_INSERTION] = score_area(insertion, PROBE_CURVE);
	values[ROW_DELETION] = score_area(deletion, PROBE_CURVE);
	return LSDN_OK;
}

int work_curves(struct contest *c, struct worker *w, uint32_t index, size_t entrant, struct error *e)
{
	struct contest_image *image = &c->images[index];
	const struct map_method *method = c->entrants[entrant].method;
	struct annotation truth = {0};
	struct answer a = {0};
	struct error why;
	int code = load(c, w, index, &truth, &why);
	if (!code) {
		probe_take(&w->probe, w->x);
		code = method && method->costly ? score_places(c, w, image, &truth, entrant, &a, &why) : LSDN_OK;
	}
	if (!code && method && method->costly)
		code = confidence_of_one(w, image, &a, image->values + entrant * ROWS, &why);
	int annotated = code ? -1 : annotated_class(c->job->crew.net, &truth);
	if (!code && (!a.has_map || (annotated >= 0 && annotated != image->predicted))) /* none yet, or that of another class */
		code = work_ask(c, w, entrant, image->predicted, &a, &why);
	if (!code && a.has_map)
		code = curves(w, image, entrant, &why);
	annotation_free(&truth);
	return code ? failed(image, entrant, code, &why, e) : LSDN_OK;
}

/* The worker's map on the network's input. */
static int compare(struct worker *w, const struct answer *a, const float *map, double *correlation, struct error *e)
{
	size_t count;
	const float *values = probe_values(&w->probe, w->map, &count);
	*correlation = NAN;
	return a->evidence && map ? rank_correlation(map, values, count, correlation, e) : LSDN_OK;
}

static int keep_map(struct worker *w, float **map, struct error *e)
{
	size_t count;
	const float *values = probe_values(&w->probe, w->map, &count);
	*map = malloc(count * sizeof **map);
	if (!*map)
		return error_memory(e, "a map");
	memcpy(*map, values, count * sizeof **map);
	return LSDN_OK;
}

int work_check(struct contest *c, struct worker *w, uint32_t index, size_t entrant, int level, struct error *e)
{
	struct contest_image *image = &c->images[index];
	struct annotation truth = {0};
	struct answer a = {0};
	struct error why;
	double *values = image->values + entrant * ROWS;
	if (!c->entrants[entrant].method)
		return LSDN_OK; /* it depends on no network and no class */
	int code = load(c, w, index, &truth, &why);
	annotation_free(&truth);
	if (!code) {
		probe_take(&w->probe, w->x);
		code = work_ask(c, w, entrant, image->predicted, &a, &why);
	}
	if (!code && level >= 0)
		code = compare(w, &a, image->maps[entrant], &values[ROW_SANITY + level], &why);
	if (!code && level < 0 && a.evidence)
		code = keep_map(w, &image->maps[entrant], &why);
	if (!code && level < 0 && image->second >= 0) {
		code = work_ask(c, w, entrant, image->second, &a, &why);
		if (!code)
			code = compare(w, &a, image->maps[entrant], &values[ROW_CLASSES], &why);
	}
	if (code == LSDN_ERROR_MEMORY)
		return error_memory(e, "a map");
	return level < 0 && code ? failed(image, entrant, code, &why, e) : LSDN_OK; /* a random network that overflows says nothing */
}
