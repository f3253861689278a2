#include "config.h"

#include "calib/taken.h"

#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"

enum { STREAM_IMAGES = 0 };

struct batch {
	const struct source *source;
	struct taken_image *images;
	size_t from;
	taken_work *work;
	void *context;
};

static int take(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct batch *b = context;
	struct taken_image *image = &b->images[b->from + i];
	struct photo photo;
	struct annotation truth;
	struct taking t = {.source = b->source, .photo = &photo, .truth = &truth, .index = image->index, .i = b->from + i, .counts = true};
	int code = source_load(b->source, image->index, &photo, &truth, e);
	if (!code)
		code = b->work(b->context, x, &t, e);
	photo_free(&photo);
	annotation_free(&truth);
	image->counts = !code && t.counts;
	if (!code || code == LSDN_ERROR_MEMORY || t.fatal)
		return code;
	image->why = strdup(e->message);
	return image->why ? LSDN_OK : error_memory(e, "a message");
}

int taken_run(struct taken *t, const struct crew *crew, const struct source *source, uint64_t seed, size_t wanted, taken_work *work, void *context,
	struct error *e)
{
	uint32_t *order = malloc((source->count + 1) * sizeof *order);
	struct pcg rng;
	int code = LSDN_OK;
	*t = (struct taken){.images = calloc(source->count + 1, sizeof *t->images)};
	if (!order || !t->images) {
		free(order);
		return error_memory(e, "images");
	}
	pcg_seed(&rng, seed, STREAM_IMAGES);
	pcg_shuffle(&rng, order, source->count);
	while (t->count < wanted && t->taken < source->count && !code) {
		struct batch b = {source, t->images, t->taken, work, context};
		size_t more = wanted - t->count;
		more = more < source->count - t->taken ? more : source->count - t->taken;
		for (size_t i = 0; i < more; i++)
			t->images[b.from + i].index = order[b.from + i];
		t->taken += more;
		code = crew_run(crew, true, more, take, &b, e);
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
