#include "config.h"

#include "calib/rewards.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/rewards_inside.h"

/* An image in hand. */
struct image {
	struct photo photo;
	struct annotation truth;
	int labelled; /* its annotated class, where the job asks for it */
};

static int reward_walk(const struct batch *b, const struct batch_walk *walk, struct explainer *x, const struct image *image, struct reward_row *row,
	struct reward_costs *costs, struct error *e)
{
	bool predicted = b->entries[walk->from].setting->target == TARGET_PREDICTED;
	double at = progress_seconds();
	int code = explainer_walk(x, walk->policies, walk->policy_count, predicted ? -1 : image->labelled, e);
	costs->walk += progress_seconds() - at;
	at = progress_seconds();
	for (int i = walk->from; i < walk->to && !code; i++) {
		const struct batch_entry *entry = &b->entries[i];
		struct explanation found;
		code = explainer_read(x, entry->policy, &entry->setting->box, &found, e);
		struct boxf box = found.found ? box_real(&found.box) : (struct boxf){0};
		row->rewards[entry->wanted] = !code && found.found && annotation_iou(&image->truth, &box, x->width, x->height) > 0.5;
		costs->rewards++;
	}
	costs->box += progress_seconds() - at;
	return code;
}

static int feed(struct explainer *x, const struct photo *photo, enum view view, struct reward_costs *costs, struct error *e)
{
	double at = progress_seconds();
	int code = explainer_feed(x, photo, view, e);
	costs->forward += progress_seconds() - at;
	costs->forwards += (uint64_t)x->crop_count;
	return code;
}

/* On an image that is known to be usable, what fails for one setting does not keep the others from being explained. */
static int reward_batch(const struct batch *b, struct explainer *x, const struct image *image, struct reward_row *row, struct reward_costs *costs,
	struct error *e)
{
	int failed = LSDN_OK, fed = LSDN_OK;
	for (const struct batch_walk *walk = b->walks; walk < b->walks + b->walk_count && (!failed || row->usable) && failed != LSDN_ERROR_MEMORY; walk++) {
		if (walk->feeds)
			fed = feed(x, &image->photo, b->entries[walk->from].setting->view, costs, e);
		int code = fed ? fed : reward_walk(b, walk, x, image, row, costs, e);
		failed = code ? code : failed;
	}
	return failed;
}

static void reward_trivial(const struct annotation *truth, const struct photo *photo, struct reward_row *row)
{
	const double sides[TRIVIAL_COUNT] = {[TRIVIAL_CENTER] = BOX_CENTER_SIDE, [TRIVIAL_WHOLE] = 1};
	for (int i = 0; i < TRIVIAL_COUNT; i++) {
		struct boxf box = box_centered(photo->width, photo->height, sides[i]);
		row->trivial[i] = annotation_iou(truth, &box, photo->width, photo->height) > 0.5;
	}
}

static int compute_rewards(const struct reward_job *job, const struct batch *batch, struct explainer *x, struct reward_row *row, struct outcome *outcome,
	struct error *e)
{
	struct image image = {.labelled = -1};
	struct reward_costs *costs = &outcome->costs;
	double at = progress_seconds(), ran = progress_thread_seconds();
	int code = job->digests ? source_digest(job->source, row->index, row->digest, e) : LSDN_OK;
	outcome->read = !code;
	if (!code)
		code = source_load(job->source, row->index, &image.photo, &image.truth, e);
	double took = progress_seconds() - at;
	costs->read += took;
	costs->waited += fmax(0, took - (progress_thread_seconds() - ran));
	if (!code && job->labelled) {
		image.labelled = annotated_class(job->crew.net, &image.truth);
		if (image.labelled < 0)
			code = error_set(e, LSDN_ERROR_INPUT, "its class %s is none of the network's labels", image.truth.boxes[0].wnid);
	}
	if (!code)
		reward_trivial(&image.truth, &image.photo, row);
	if (!code)
		code = reward_batch(batch, x, &image, row, costs, e);
	photo_free(&image.photo);
	annotation_free(&image.truth);
	return code;
}

/* What fails on an image that was found usable without a forward pass explains nothing there. */
static int compute_row(const struct reward_job *job, const struct batch *batch, struct explainer *x, struct reward_row *row, const struct wanted *wanted,
	struct outcome *outcome, struct error *e)
{
	int code = compute_rewards(job, batch, x, row, outcome, e);
	outcome->failed = code != LSDN_OK;
	if (code == LSDN_ERROR_MEMORY)
		return code;
	for (int i = 0; code && row->usable && i < wanted->count; i++)
		if (row->rewards[wanted->settings[i]] == REWARD_UNKNOWN)
			row->rewards[wanted->settings[i]] = 0;
	if (!code || row->usable) {
		row->usable = true;
		return LSDN_OK;
	}
	row->why = strdup(e->message);
	return row->why ? LSDN_OK : error_memory(e, "a message");
}

static void add_costs(struct reward_costs *to, const struct reward_costs *from)
{
	to->forwards += from->forwards;
	to->rewards += from->rewards;
	to->read += from->read;
	to->forward += from->forward;
	to->walk += from->walk;
	to->box += from->box;
	to->waited += from->waited;
}

bool wanted_open(struct wanted *w, int room)
{
	size_t size = ((size_t)room + 1) * sizeof(int);
	*w = (struct wanted){.settings = malloc(size), .numbers = calloc(1, size)};
	return w->settings && w->numbers;
}

void wanted_close(struct wanted *w)
{
	free(w->settings);
	free(w->numbers);
}

int rewards_lacking(const struct part *part, const struct reward_row *row, struct wanted *lacking, struct error *e)
{
	if (!wanted_open(lacking, part->wanted.count))
		return error_memory(e, "rewards");
	for (int i = 0; i < part->wanted.count; i++)
		if (row->rewards[part->wanted.settings[i]] == REWARD_UNKNOWN) {
			lacking->settings[lacking->count] = part->wanted.settings[i];
			lacking->numbers[lacking->count++] = part->wanted.numbers[i];
		}
	return LSDN_OK;
}

/* A row lacks all that is wanted, unless a study has some of it. */
int rewards_compute_row(const struct part *part, struct explainer *x, struct reward_row *row, const struct wanted *lacking, struct outcome *outcome,
	struct error *e)
{
	struct batch own = {0};
	bool all = lacking->count == part->wanted.count;
	int code = all ? LSDN_OK : batch_open(&own, part->job->settings, lacking->settings, lacking->count, e);
	if (!code)
		code = compute_row(part->job, all ? &part->batch : &own, x, row, lacking, outcome, e);
	batch_close(&own);
	return code;
}

int rewards_end(const struct part *part, const struct reward_row *row, const struct wanted *computed, const struct outcome *outcome, struct error *e)
{
	int code = LSDN_OK;
#pragma omp critical(lsdn_rewards)
	{
		add_costs(&part->job->costs, &outcome->costs);
		if (part->job->study)
			code = rewards_keep(part, row, computed, outcome, e);
	}
	return code;
}

static int work(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct part *part = context;
	struct reward_row *row = &part->rows[i];
	struct outcome outcome = {.read = false};
	struct wanted lacking;
	if (!reward_row_lacks(row, part->wanted.settings, part->wanted.count))
		return LSDN_OK;
	int code = rewards_lacking(part, row, &lacking, e);
	if (!code)
		code = rewards_compute_row(part, x, row, &lacking, &outcome, e);
	if (!code)
		code = rewards_end(part, row, &lacking, &outcome, e);
	wanted_close(&lacking);
	return code;
}

/* One row is sooner done than given away. */
static int share(struct part *part, size_t count, struct error *e)
{
#ifdef HAVE_MPI
	if (part->job->ranks && count > 1)
		return rewards_on_ranks(part, count, work, e);
#endif
	return crew_run(&part->job->crew, part->wanted.count > 0, count, work, part, e);
}

bool reward_row_lacks(const struct reward_row *row, const int *wanted, int count)
{
	bool lacks = !row->usable;
	for (int i = 0; i < count && !lacks; i++)
		lacks = row->rewards[wanted[i]] == REWARD_UNKNOWN;
	return lacks && !row->why;
}

int rewards_compute(struct reward_job *job, struct reward_row *rows, size_t row_count, const int *wanted, int count, struct error *e)
{
	struct part part = {.job = job, .rows = rows};
	int code = wanted_open(&part.wanted, count) ? batch_open(&part.batch, job->settings, wanted, count, e) : error_memory(e, "rewards");
	if (!code) {
		part.wanted.count = count;
		memcpy(part.wanted.settings, wanted, (size_t)count * sizeof *wanted);
	}
	if (!code && job->study)
		code = rewards_recall(&part, row_count, e);
	if (!code)
		code = share(&part, row_count, e);
	int kept = job->study ? study_commit(job->study, code ? NULL : e) : LSDN_OK;
	batch_close(&part.batch);
	wanted_close(&part.wanted);
	if (code == LSDN_ERROR_INTERRUPTED && !job->study)
		return error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted: nothing was written");
	return code ? code : kept;
}

void reward_rows_free(struct reward_row *rows, size_t count)
{
	for (size_t i = 0; rows && i < count; i++) {
		free(rows[i].why);
		free(rows[i].rewards);
	}
	free(rows);
}
