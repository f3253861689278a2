#include "config.h"

#include "calib/taken.h"

#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

enum { STREAM_IMAGES = 0 };

struct batch {
	const struct taking_job *job;
	struct taken_image *images;
	size_t from;
};

static int take(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct batch *b = context;
	const struct taking_job *job = b->job;
	struct taken_image *image = &b->images[b->from + i];
	struct photo photo;
	struct annotation truth;
	struct taking t = {.source = job->source, .photo = &photo, .truth = &truth, .index = image->index, .i = b->from + i, .counts = true};
	int code = source_load(job->source, image->index, &photo, &truth, e);
	if (!code)
		code = job->work(job->context, x, &t, e);
	photo_free(&photo);
	annotation_free(&truth);
	image->counts = !code && t.counts;
	if (!code || code == LSDN_ERROR_MEMORY || t.fatal)
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

int taken_run(struct taken *t, const struct taking_job *job, struct error *e)
{
	size_t all = job->source->count;
	uint32_t *order = malloc((all + 1) * sizeof *order);
	struct pcg rng;
	int code = LSDN_OK;
	*t = (struct taken){.images = calloc(all + 1, sizeof *t->images)};
	if (!order || !t->images) {
		free(order);
		return error_memory(e, "images");
	}
	pcg_seed(&rng, job->seed, STREAM_IMAGES);
	pcg_shuffle(&rng, order, all);
	all = take_away(order, all, job->left_out);
	while (t->count < job->wanted && t->taken < all && !code) {
		struct batch b = {job, t->images, t->taken};
		size_t more = job->wanted - t->count;
		more = more < all - t->taken ? more : all - t->taken;
		for (t->taken += more; b.from < t->taken; b.from++)
			t->images[b.from].index = order[b.from];
		b.from -= more;
		code = crew_run(job->crew, true, more, take, &b, e);
		for (size_t i = 0; i < more; i++)
			t->count += t->images[b.from + i].counts;
	}
	free(order);
	return code;
}

void taken_close(struct taken *t)
{
	for (size_t i = 0; i < t->taken; i++)
		free(t->images[i].why);
	free(t->images);
	*t = (struct taken){0};
}
