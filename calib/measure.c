#include "config.h"

#include "calib/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

const struct measure *const MEASURES[] = {&MEASURE_LOCALISATION, &MEASURE_SENSITIVITY, NULL};

enum { STREAM_IMAGES = 0 };

static size_t rows_before(const struct measure *measure)
{
	size_t rows = 0;
	for (size_t i = 0; MEASURES[i] && MEASURES[i] != measure; i++)
		rows += MEASURES[i]->row_count;
	return rows;
}

int measure_explain(const struct measured *m, const struct policy *policy, int asked, struct explanation *found, struct error *e)
{
	int code = explainer_walk(m->x, policy, 1, asked, e);
	return code ? code : explainer_read(m->x, 0, &m->choices->box, found, e);
}

/* The image's values are there where this succeeds. */
static int take(const struct measure_job *job, struct explainer *x, struct measured_image *image, struct error *e)
{
	struct photo photo;
	struct annotation truth;
	size_t row = 0;
	int code = source_load(job->source, image->index, &photo, &truth, e);
	if (!code)
		code = explainer_feed(x, &photo, job->choices->view, e);
	struct measured m = {.x = x, .choices = job->choices, .truth = &truth, .annotated = code ? -1 : annotated_class(job->crew.net, &truth)};
	image->values = malloc(rows_before(NULL) * sizeof *image->values);
	if (!code && !image->values)
		code = error_memory(e, "measures");
	for (size_t i = 0; MEASURES[i] && !code; row += MEASURES[i++]->row_count)
		code = MEASURES[i]->take(&m, image->values + row, e);
	photo_free(&photo);
	annotation_free(&truth);
	return code;
}

struct work {
	const struct measure_job *job;
	struct measured_image *images;
};

static int work(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct work *w = context;
	struct measured_image *image = &w->images[i];
	int code = take(w->job, x, image, e);
	image->usable = code == LSDN_OK;
	if (code == LSDN_OK || code == LSDN_ERROR_MEMORY)
		return code;
	image->why = strdup(e->message);
	return image->why ? LSDN_OK : error_memory(e, "a message");
}

/* Returns how many stay. */
static size_t take_away(uint32_t *order, size_t count, const bool *left_out)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!left_out || !left_out[order[i]])
			order[kept++] = order[i];
	return kept;
}

int measurement_run(struct measurement *m, const struct measure_job *job, struct error *e)
{
	size_t all = job->source->count;
	uint32_t *order = malloc((all + 1) * sizeof *order);
	int code = LSDN_OK;
	*m = (struct measurement){.images = calloc(all + 1, sizeof *m->images)};
	if (!order || !m->images) {
		free(order);
		return error_memory(e, "measures");
	}
	struct pcg rng;
	pcg_seed(&rng, job->seed, STREAM_IMAGES);
	pcg_shuffle(&rng, order, all);
	all = take_away(order, all, job->left_out);
	while (m->usable < job->images && m->taken < all && !code) {
		size_t more = job->images - m->usable, from = m->taken;
		more = more < all - from ? more : all - from;
		struct work w = {job, m->images + from};
		for (m->taken += more; from < m->taken; from++)
			m->images[from].index = order[from];
		code = crew_run(&job->crew, true, more, work, &w, e);
		for (size_t i = 0; i < more; i++)
			m->usable += w.images[i].usable;
	}
	free(order);
	return code;
}

void measurement_close(struct measurement *m)
{
	for (size_t i = 0; i < m->taken; i++) {
		free(m->images[i].why);
		free(m->images[i].values);
	}
	free(m->images);
	*m = (struct measurement){0};
}

int measurement_figure(const struct measurement *m, const struct measure *measure, size_t row, struct figure *figure, struct error *e)
{
	size_t place = rows_before(measure) + row, count = 0;
	double *values = malloc((m->usable + 1) * sizeof *values);
	if (!values)
		return error_memory(e, "measures");
	*figure = (struct figure){0};
	for (size_t i = 0; i < m->taken; i++)
		if (m->images[i].usable && !isnan(m->images[i].values[place])) {
			values[count++] = m->images[i].values[place];
			figure->count += m->images[i].values[place] > 0.5;
		}
	figure->images = count;
	figure->interval = mean_interval(values, count, 0, &figure->value);
	if (measure->rows[row].summary == SUMMARY_SHARE)
		figure->interval = wilson_interval(figure->count, count);
	free(values);
	return LSDN_OK;
}
