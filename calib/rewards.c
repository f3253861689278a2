#include "config.h"

#include "calib/rewards.h"

#include <stdlib.h>
#include <string.h>

/* The class whose explanation is asked for, -1 for the predicted one. */
static int class_of(const struct reward_job *job, const struct annotation *truth, int *asked, struct error *e)
{
	*asked = job->choices->target == TARGET_PREDICTED ? -1 : annotated_class(job->crew.net, truth);
	if (*asked < 0 && job->choices->target == TARGET_ANNOTATED)
		return error_set(e, LSDN_ERROR_INPUT, "its class %s is none of the network's labels", truth->boxes[0].wnid);
	return LSDN_OK;
}

static int reward_policies(struct reward_job *job, struct explainer *x, const struct annotation *truth, struct reward_row *row, int first, int count,
	int asked, struct reward_costs *costs, struct error *e)
{
	int code = LSDN_OK;
	for (int from = first, to; from < first + count && !code; from = to) {
		to = from + 1;
		while (to < first + count && policy_same_choices(&job->policies[from], &job->policies[to]))
			to++;
		double at = progress_seconds();
		code = explainer_walk(x, job->policies + from, to - from, asked, e);
		costs->walk += progress_seconds() - at;
		at = progress_seconds();
		for (int p = from; p < to && !code; p++) {
			struct explanation found;
			code = explainer_read(x, p - from, &job->choices->box, &found, e);
			struct boxf box = found.found ? box_real(&found.box) : (struct boxf){0};
			row->rewards[p] = !code && found.found && annotation_iou(truth, &box, x->width, x->height) > 0.5;
			costs->rewards++;
		}
		costs->box += progress_seconds() - at;
	}
	return code;
}

static void reward_trivial(const struct annotation *truth, const struct photo *photo, struct reward_row *row)
{
	const double sides[TRIVIAL_COUNT] = {[TRIVIAL_CENTER] = BOX_CENTER_SIDE, [TRIVIAL_WHOLE] = 1};
	for (int i = 0; i < TRIVIAL_COUNT; i++) {
		struct boxf box = box_centered(photo->width, photo->height, sides[i]);
		row->trivial[i] = annotation_iou(truth, &box, photo->width, photo->height) > 0.5;
	}
}

static int compute_row(struct reward_job *job, struct explainer *x, struct reward_row *row, int first, int count, struct reward_costs *costs,
	struct error *e)
{
	struct photo photo;
	struct annotation truth;
	int asked;
	double at = progress_seconds();
	int code = source_load(job->source, row->index, &photo, &truth, e);
	costs->read += progress_seconds() - at;
	if (!code)
		code = class_of(job, &truth, &asked, e);
	if (!code)
		reward_trivial(&truth, &photo, row);
	if (!code && count) {
		at = progress_seconds();
		code = explainer_feed(x, &photo, job->choices->view, e);
		costs->forward += progress_seconds() - at;
		costs->forwards += (uint64_t)x->crop_count;
		if (!code)
			code = reward_policies(job, x, &truth, row, first, count, asked, costs, e);
	}
	photo_free(&photo);
	annotation_free(&truth);
	row->usable = code == LSDN_OK;
	if (code == LSDN_OK || code == LSDN_ERROR_MEMORY)
		return code;
	free(row->why);
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
}

/* Some policies of some rows. */
struct part {
	struct reward_job *job;
	struct reward_row *rows;
	int first, count;
};

static int work(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct part *part = context;
	struct reward_costs costs = {0};
	int code = compute_row(part->job, x, &part->rows[i], part->first, part->count, &costs, e);
#pragma omp critical(lsdn_costs)
	add_costs(&part->job->costs, &costs);
	return code;
}

int rewards_compute(struct reward_job *job, struct reward_row *rows, size_t row_count, int first, int count, struct error *e)
{
	struct part part = {job, rows, first, count};
	int code = crew_run(&job->crew, count > 0, row_count, work, &part, e);
	return code == LSDN_ERROR_INTERRUPTED ? error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted: nothing was written") : code;
}

void reward_rows_free(struct reward_row *rows, size_t count)
{
	for (size_t i = 0; rows && i < count; i++) {
		free(rows[i].why);
		free(rows[i].rewards);
	}
	free(rows);
}
