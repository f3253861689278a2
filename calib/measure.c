#include "config.h"

#include "calib/measure.h"

#include <math.h>
#include <stdlib.h>

const struct measure *const MEASURES[] = {&MEASURE_LOCALISATION, &MEASURE_SENSITIVITY, NULL};

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

struct work {
	const struct measure_job *job;
	double **values; /* one a taken image */
};

/* The image's values are there where this succeeds. */
static int take(void *context, struct explainer *x, struct taking *t, struct error *e)
{
	const struct work *w = context;
	double *values = malloc(rows_before(NULL) * sizeof *values);
	size_t row = 0;
	int code = explainer_feed(x, t->photo, w->job->choices->view, e);
	struct measured m = {.x = x, .choices = w->job->choices, .truth = t->truth, .annotated = code ? -1 : annotated_class(w->job->crew.net, t->truth)};
	w->values[t->i] = values;
	if (!code && !values)
		code = error_memory(e, "measures");
	for (size_t i = 0; MEASURES[i] && !code; row += MEASURES[i++]->row_count)
		code = MEASURES[i]->take(&m, values + row, e);
	return code;
}

int measurement_run(struct measurement *m, const struct measure_job *job, struct error *e)
{
	*m = (struct measurement){.values = calloc(job->source->count + 1, sizeof *m->values)};
	struct work w = {job, m->values};
	struct taking_job taking = {.crew = &job->crew, .source = job->source, .left_out = job->left_out, .seed = job->seed, .wanted = job->images, .work = take,
		.context = &w};
	return m->values ? taken_run(&m->of, &taking, e) : error_memory(e, "measures");
}

void measurement_close(struct measurement *m)
{
	for (size_t i = 0; i < m->of.taken; i++)
		free(m->values[i]);
	free(m->values);
	taken_close(&m->of);
	*m = (struct measurement){0};
}

int measurement_figure(const struct measurement *m, const struct measure *measure, size_t row, struct figure *figure, struct error *e)
{
	size_t place = rows_before(measure) + row, count = 0;
	double *values = malloc((m->of.count + 1) * sizeof *values);
	if (!values)
		return error_memory(e, "measures");
	*figure = (struct figure){0};
	for (size_t i = 0; i < m->of.taken; i++)
		if (m->of.images[i].counts && !isnan(m->values[i][place])) {
			values[count++] = m->values[i][place];
			figure->count += m->values[i][place] > 0.5;
		}
	figure->images = count;
	figure->interval = mean_interval(values, count, 0, &figure->value);
	if (measure->rows[row].summary == SUMMARY_SHARE)
		figure->interval = wilson_interval(figure->count, count);
	free(values);
	return LSDN_OK;
}
