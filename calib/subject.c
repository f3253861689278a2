#include "config.h"

#include "calib/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calib/command.h"
#include "core/utf8.h"

static const char PROGRAM[] = "lsdn-evaluate";

int subject_open(struct subject *s, const char *model, const char *weights, const struct evaluate_options *o, struct error *e)
{
	*s = (struct subject){0};
	int code = command_open_net(&s->net, PROGRAM, model, e);
	if (!code)
		code = command_choose(&s->choices, &s->weights, &s->net, PROGRAM, weights, o->sets, o->set_count, e);
	if (!code && !(s->packed = packed_weights_open(&s->net.plan, e)))
		code = e->code;
	if (!code && !(s->name = strdup(s->net.name)))
		code = error_memory(e, "a name");
	if (!code)
		utf8_mend(s->name);
	return code ? code : crew_open(&s->crew, &s->net, s->packed, o->threads, &s->progress, &command_interrupted, e);
}

void subject_close(struct subject *s)
{
	crew_close(&s->crew);
	packed_weights_close(s->packed);
	weights_file_free(&s->weights);
	net_close(&s->net);
	free(s->name);
	*s = (struct subject){0};
}

int subject_beside(const struct subject *second, const struct subject *first, const struct explainer *x, struct explainer **out, struct error *e)
{
	return crew_explainer(&second->crew, (int)(x - first->crew.explainers), true, out, e);
}

void subject_print_skipped(const struct taken *t)
{
	size_t skipped = 0;
	for (size_t i = 0; i < t->taken; i++)
		skipped += t->images[i].why != NULL;
	if (skipped)
		fprintf(stderr, "%zu images were skipped:\n", skipped);
	for (size_t i = 0; i < t->taken; i++)
		if (t->images[i].why)
			fprintf(stderr, "  %s\n", t->images[i].why);
}

int subject_take(struct subject *s, struct taken *t, const struct evaluate_options *o, const struct source *source, size_t wanted, const char *what,
	taken_work *work, void *context, struct error *e)
{
	command_catch_interrupts();
	progress_start(&s->progress, o->progress || isatty(STDERR_FILENO), "images", wanted);
	struct taking_job job = {.crew = &s->crew, .source = source, .seed = o->seed, .wanted = wanted, .work = work, .context = context};
	int code = taken_run(t, &job, e);
	progress_end(&s->progress);
	subject_print_skipped(t);
	if (!code && !t->count)
		code = error_set(e, LSDN_ERROR_INPUT, "%s: none of %zu images %s", o->data ? o->data : "generated images", t->taken, what);
	if (!code && o->images && t->count < o->images)
		fprintf(stderr, "%s: %zu images are wanted, %zu of %zu were found\n", PROGRAM, o->images, t->count, t->taken);
	if (code == LSDN_ERROR_INTERRUPTED)
		error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted: %zu of %zu images are done", t->count, wanted);
	return code;
}

int subject_folder(const char *path, struct error *e)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_IO, "%s: cannot be made: %s: name a folder that can be written to", path, strerror(errno));
}
