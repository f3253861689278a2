/* Prints what an explainer is worth. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/command.h"
#include "calib/evaluate.h"
#include "calib/measure.h"
#include "calib/subject.h"
#include "calib/table.h"
#include "core/utf8.h"

static const char PROGRAM[] = "lsdn-evaluate";

enum { USUAL_IMAGES = 1000 };

void evaluate_head(const struct net *net, const struct choices *c, const struct seen *seen, size_t measured)
{
	const struct policy *p = &c->policy;
	printf("%s (%zu images)\n", net->name, measured);
	if (p->method == METHOD_CNN_FIXATIONS)
		printf("method = cnn-fixations, which has no weights\n");
	else
		printf("alpha = (%.4f, %.4f, %.4f)  (cur, pre, suc)%s\n", p->alpha.cur, p->alpha.pre, p->alpha.suc,
			p->suc_form == SUC_PRODUCT ? "; under suc_form = product alpha_suc changes no selection" : "");
	seen_print(seen, measured);
}

static int print(const struct measurement *m, const struct net *net, const struct choices *c, const struct seen *seen, bool json, struct error *e)
{
	char *name = strdup(net->name);
	int code = name ? LSDN_OK : error_memory(e, "a name");
	if (name)
		utf8_mend(name);
	if (!code && !json)
		evaluate_head(net, c, seen, m->of.count);
	for (size_t i = 0; MEASURES[i] && !code; i++) {
		if (!json)
			printf("\n%s\n", MEASURES[i]->title);
		for (size_t k = 0; k < MEASURES[i]->row_count && !code; k++) {
			const struct measure_row *row = &MEASURES[i]->rows[k];
			struct figure f;
			code = measurement_figure(m, MEASURES[i], k, &f, e);
			struct table_row line = {.name = row->who, .measure = row->what, .mean = row->summary == SUMMARY_MEAN, .value = f.value,
				.interval = f.interval, .images = f.images, .count = f.count, .listed = seen->path && seen->weights->calibrated.count, .tuned_on = seen->tuned_on};
			if (!code && json)
				code = table_print_json(&line, "model", name, e);
			else if (!code)
				table_print_text(&line);
		}
	}
	free(name);
	return code;
}

static int measure(const struct measure_job *job, const struct evaluate_options *o, struct seen *seen, struct error *e)
{
	struct measurement m;
	progress_start(job->crew.progress, o->progress || isatty(STDERR_FILENO), "measuring", job->images);
	int code = measurement_run(&m, job, e);
	bool stopped = code == LSDN_ERROR_INTERRUPTED;
	progress_end(job->crew.progress);
	subject_print_skipped(&m.of);
	if (!code && !m.of.count)
		code = error_set(e, LSDN_ERROR_INPUT, "%s: none of %zu images is usable: mend those that were skipped", o->data, m.of.taken);
	else if (!code && m.of.count < o->images)
		fprintf(stderr, "%s: %zu images are wanted, %zu of %zu are usable and were measured\n", PROGRAM, o->images, m.of.count,
			job->source->count - seen->left_out_count);
	if ((!code || stopped) && m.of.count) {
		for (size_t i = 0; i < m.of.taken; i++)
			if (m.of.images[i].counts)
				seen_count(seen, job->source, m.of.images[i].index);
		seen_warn(seen, PROGRAM, m.of.count);
		int printed = print(&m, job->crew.net, job->choices, seen, o->json, e);
		code = printed ? printed : code;
	}
	if (stopped)
		code = error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted: %zu of %zu images were measured", m.of.count, job->images);
	measurement_close(&m);
	return code;
}

int evaluate_explainer(const struct evaluate_options *o, struct error *e)
{
	struct net net = {0};
	struct weights_file weights = {0};
	struct dataset dataset = {0};
	struct source source = {0};
	struct choices choices;
	struct progress progress;
	struct packed_weights *packed = NULL;
	size_t images = o->images ? o->images : o->contest ? EVALUATE_METHODS_IMAGES : USUAL_IMAGES, all = images * (size_t)(o->contest ? o->repeats : 1);
	int code = command_open_net(&net, PROGRAM, o->model, e);
	if (!code)
		code = command_choose(&choices, &weights, &net, PROGRAM, o->weights, o->sets, o->set_count, e);
	struct seen seen = {.path = o->weights, .weights = &weights};
	if (!code) /* as many more are generated as are left out */
		code = command_open_source(&source, &dataset, PROGRAM, o->data, all + (o->unseen ? weights.calibrated.count : 0), e);
	if (!code && o->unseen)
		code = seen_leave_out(&seen, &source, e);
	if (!code && !(packed = packed_weights_open(&net.plan, e)))
		code = e->code;
	struct measure_job job = {.source = &source, .choices = &choices, .images = images, .seed = o->seed, .left_out = seen.left_out};
	if (!code)
		code = crew_open(&job.crew, &net, packed, o->threads, &progress, &command_interrupted, e);
	if (!o->images && images > source.count - seen.left_out_count)
		job.images = source.count - seen.left_out_count;
	command_catch_interrupts();
	if (!code)
		code = o->contest ? evaluate_methods(&job, o, &seen, e) : measure(&job, o, &seen, e);
	free(seen.left_out);
	crew_close(&job.crew);
	packed_weights_close(packed);
	dataset_close(&dataset);
	weights_file_free(&weights);
	net_close(&net);
	return code;
}
