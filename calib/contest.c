#include "config.h"

#include "calib/contest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"
#include "calib/contest_work.h"

static int find_entrants(struct contest *c, struct error *e)
{
	static const char *const TRIVIAL[] = {[CONTEST_CENTER_BOX] = "centre box", [CONTEST_CENTER_POINT] = "centre point", [CONTEST_WHOLE] = "whole photograph"};
	size_t count = 0;
	while (c->job->methods[count])
		count++;
	c->entrants = calloc(count + CONTEST_TRIVIAL, sizeof *c->entrants);
	if (!c->entrants)
		return error_memory(e, "methods");
	for (; c->entrant_count < count; c->entrant_count++) {
		const struct map_method *method = c->job->methods[c->entrant_count];
		c->entrants[c->entrant_count] = (struct entrant){.name = method->name, .method = method, .layer = map_method_layer(method, &c->job->crew.net->plan)};
	}
	for (int i = 0; i < CONTEST_TRIVIAL; i++)
		c->entrants[c->entrant_count++] = (struct entrant){.name = TRIVIAL[i], .layer = -1, .trivial = i};
	return LSDN_OK;
}

int contest_open(struct contest *c, const struct contest_job *job, struct error *e)
{
	size_t all = job->source->count + 1;
	*c = (struct contest){.job = job, .images = calloc(all, sizeof *c->images), .taken = calloc(all, sizeof *c->taken),
		.draws = calloc((size_t)job->draws, sizeof *c->draws), .draw_counts = calloc((size_t)job->draws, sizeof *c->draw_counts)};
	int code = c->images && c->taken && c->draws && c->draw_counts ? find_entrants(c, e) : error_memory(e, "measures");
	if (!code)
		random_levels_find(&c->levels, &job->crew.net->plan);
	if (!code && !(c->linear = linear_weights_open(&job->crew.net->plan, 1, e)))
		code = e->code;
	return code ? code : workers_open(&c->workers, &job->crew, c->linear, c->entrant_count, e);
}

static void close_image(struct contest_image *image, size_t entrants)
{
	for (size_t i = 0; i < entrants; i++) {
		if (image->failed)
			free(image->failed[i]);
		if (image->maps)
			free(image->maps[i]);
	}
	free(image->why);
	free(image->values);
	free(image->hits);
	free(image->curves);
	free(image->maps);
	free(image->failed);
}

void contest_close(struct contest *c)
{
	if (!c->job)
		return;
	workers_close(c->workers, c->job->crew.threads);
	linear_weights_close(c->linear);
	for (size_t i = 0; c->images && i < c->job->source->count; i++)
		close_image(&c->images[i], c->entrant_count);
	for (int i = 0; c->draws && i < c->job->draws; i++)
		free(c->draws[i]);
	free(c->draws);
	free(c->draw_counts);
	free(c->images);
	free(c->taken);
	free(c->entrants);
	*c = (struct contest){0};
}

/* Items of work. */
struct items {
	struct contest *c;
	uint32_t *images;
	size_t *entrants; /* NULL: all */
	size_t count;
	const struct random_crew *random; /* of a level of the sanity check */
	int level;
};

static struct worker *worker_of(const struct items *items, const struct explainer *x)
{
	const struct contest *c = items->c;
	return items->random ? &items->random->workers[x - items->random->crew.explainers] : &c->workers[x - c->job->crew.explainers];
}

static int measure(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct items *items = context;
	return work_places(items->c, worker_of(items, x), items->images[i], e);
}

static int draw_curves(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct items *items = context;
	return work_curves(items->c, worker_of(items, x), items->images[i], items->entrants[i], e);
}

static int check(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct items *items = context;
	return work_check(items->c, worker_of(items, x), items->images[i], items->entrants[i], items->random ? items->level : -1, e);
}

/* The images of one draw, in its order, until as many are usable as are wanted. */
static int take_draw(struct contest *c, int n, struct error *e)
{
	size_t all = c->job->source->count, at = 0;
	uint32_t *order = malloc((all + 1) * sizeof *order), *fresh = malloc((all + 1) * sizeof *fresh);
	int code = order && fresh && (c->draws[n] = malloc((all + 1) * sizeof **c->draws)) ? LSDN_OK : error_memory(e, "an order");
	struct pcg rng;
	pcg_seed(&rng, c->job->seed + (uint64_t)n, 0); /* as lsdn-calibrate does */
	if (!code)
		pcg_shuffle(&rng, order, all);
	while (!code && at < all && c->draw_counts[n] < c->job->images) {
		struct items items = {.c = c, .images = fresh};
		size_t from = at, wanted = c->job->images - c->draw_counts[n];
		for (; at < all && wanted; at++) {
			struct contest_image *image = &c->images[order[at]];
			if (c->job->left_out && c->job->left_out[order[at]])
				continue;
			if (!image->taken)
				fresh[items.count++] = order[at];
			wanted--;
		}
		code = crew_run(&c->job->crew, true, items.count, measure, &items, e);
		for (size_t i = 0; i < items.count; i++) {
			c->usable += c->images[fresh[i]].usable;
			if (c->images[fresh[i]].taken)
				c->taken[c->taken_count++] = fresh[i];
		}
		for (; from < at; from++)
			if (c->images[order[from]].usable)
				c->draws[n][c->draw_counts[n]++] = order[from];
	}
	free(order);
	free(fresh);
	return code;
}

/* The first usable images of every draw, each once, by every entrant that `wanted` takes. */
static int list_items(struct contest *c, size_t first, bool costly, struct items *items, struct error *e)
{
	size_t most = first * (size_t)c->job->draws * c->entrant_count + 1;
	bool *listed = calloc(c->job->source->count + 1, sizeof *listed);
	*items = (struct items){.c = c, .images = malloc(most * sizeof *items->images), .entrants = malloc(most * sizeof *items->entrants)};
	int code = listed && items->images && items->entrants ? LSDN_OK : error_memory(e, "measures");
	for (int n = 0; n < c->job->draws && !code; n++)
		for (size_t i = 0; i < first && i < c->draw_counts[n]; i++) {
			uint32_t image = c->draws[n][i];
			for (size_t k = 0; k < c->entrant_count && !listed[image]; k++) {
				const struct map_method *method = c->entrants[k].method;
				if (c->images[image].failed[k] || (method && method->costly && !costly))
					continue;
				items->images[items->count] = image;
				items->entrants[items->count++] = k;
			}
			listed[image] = true;
		}
	free(listed);
	return code;
}

static void free_items(struct items *items)
{
	free(items->images);
	free(items->entrants);
}

static void tell(const struct contest_listener *l, const char *what, size_t steps)
{
	if (l && what)
		l->begins(l->context, what, steps);
	else if (l)
		l->ends(l->context);
}

static int make_room(struct contest *c, const struct items *items, bool curves, struct error *e)
{
	size_t size = c->entrant_count * 2 * PROBE_CURVE;
	for (size_t i = 0; i < items->count; i++) {
		struct contest_image *image = &c->images[items->images[i]];
		if (curves && !image->curves) {
			image->curves = malloc(size * sizeof *image->curves);
			for (size_t k = 0; image->curves && k < size; k++)
				image->curves[k] = NAN;
		}
		if (!curves && !image->maps)
			image->maps = calloc(c->entrant_count, sizeof *image->maps);
		if (curves ? !image->curves : !image->maps)
			return error_memory(e, "measures");
	}
	return LSDN_OK;
}

static int run_curves(struct contest *c, const struct contest_listener *listener, struct error *e)
{
	struct items items;
	int code = list_items(c, c->job->costly, true, &items, e);
	if (!code)
		code = make_room(c, &items, true, e);
	if (!code) {
		tell(listener, "curves and costly methods", items.count);
		code = crew_run(&c->job->crew, true, items.count, draw_curves, &items, e);
		tell(listener, NULL, 0);
	}
	free_items(&items);
	return code;
}

static int run_level(struct contest *c, struct items *items, int level, struct error *e)
{
	struct random_crew random;
	int code = random_crew_open(&random, c, level, e);
	items->random = &random;
	items->level = level;
	if (!code)
		code = crew_run(&random.crew, true, items->count, check, items, e);
	random_crew_close(&random);
	items->random = NULL;
	return code;
}

static int run_check(struct contest *c, const struct contest_listener *listener, struct error *e)
{
	struct items items;
	int code = list_items(c, c->job->check, c->job->check_costly, &items, e);
	if (!code)
		code = make_room(c, &items, false, e);
	if (!code) {
		tell(listener, "sanity check", items.count * (size_t)(c->levels.count + 1));
		code = crew_run(&c->job->crew, true, items.count, check, &items, e);
		for (int level = 0; level < c->levels.count && !code; level++)
			code = run_level(c, &items, level, e);
		tell(listener, NULL, 0);
	}
	for (size_t i = 0; i < items.count; i++) {
		float **maps = c->images[items.images[i]].maps;
		if (maps) {
			free(maps[items.entrants[i]]);
			maps[items.entrants[i]] = NULL;
		}
	}
	free_items(&items);
	return code;
}

/* What explanations cost. */
static void add_seconds(struct contest *c)
{
	for (int t = 0; t < c->job->crew.threads; t++) {
		const struct worker *w = &c->workers[t];
		c->feed_seconds += w->feed_seconds;
		c->fed += w->fed;
		for (size_t i = 0; i < c->entrant_count; i++) {
			c->entrants[i].seconds += w->costs[i].seconds;
			c->entrants[i].explained += w->costs[i].count;
		}
	}
}

int contest_run(struct contest *c, const struct contest_listener *listener, struct error *e)
{
	int code = LSDN_OK;
	for (int n = 0; n < c->job->draws && !code; n++) {
		tell(listener, "measuring", c->job->images);
		code = take_draw(c, n, e);
		tell(listener, NULL, 0);
	}
	if (!code && c->usable && c->job->costly)
		code = run_curves(c, listener, e);
	if (!code && c->usable && c->job->check)
		code = run_check(c, listener, e);
	add_seconds(c);
	return code;
}
