#include "config.h"

#include "calib/rewards.h"

#include <math.h>
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

/* Some policies of some rows. */
struct part {
	struct reward_job *job;
	struct reward_row *rows;
	const int *wanted;
	const struct policy *policies; /* those that are wanted, one after the other */
	int count;
};

static int reward_policies(const struct part *part, struct explainer *x, const struct annotation *truth, struct reward_row *row, int asked,
	struct reward_costs *costs, struct error *e)
{
	int code = LSDN_OK;
	for (int from = 0, to; from < part->count && !code; from = to) {
		to = from + 1;
		while (to < part->count && policy_same_choices(&part->policies[from], &part->policies[to]))
			to++;
		double at = progress_seconds();
		code = explainer_walk(x, part->policies + from, to - from, asked, e);
		costs->walk += progress_seconds() - at;
		at = progress_seconds();
		for (int p = from; p < to && !code; p++) {
			struct explanation found;
			code = explainer_read(x, p - from, &part->job->choices->box, &found, e);
			struct boxf box = found.found ? box_real(&found.box) : (struct boxf){0};
			row->rewards[part->wanted[p]] = !code && found.found && annotation_iou(truth, &box, x->width, x->height) > 0.5;
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

static int compute_rewards(const struct part *part, struct explainer *x, struct reward_row *row, struct reward_costs *costs, struct error *e)
{
	struct photo photo;
	struct annotation truth;
	int asked;
	double at = progress_seconds(), ran = progress_thread_seconds();
	int code = source_load(part->job->source, row->index, &photo, &truth, e);
	double took = progress_seconds() - at;
	costs->read += took;
	costs->waited += fmax(0, took - (progress_thread_seconds() - ran));
	if (!code)
		code = class_of(part->job, &truth, &asked, e);
	if (!code)
		reward_trivial(&truth, &photo, row);
	if (!code && part->count) {
		at = progress_seconds();
		code = explainer_feed(x, &photo, part->job->choices->view, e);
		costs->forward += progress_seconds() - at;
		costs->forwards += (uint64_t)x->crop_count;
		if (!code)
			code = reward_policies(part, x, &truth, row, asked, costs, e);
	}
	photo_free(&photo);
	annotation_free(&truth);
	return code;
}

/* What fails on an image that was found usable without a forward pass explains nothing there. */
static int compute_row(const struct part *part, struct explainer *x, struct reward_row *row, struct reward_costs *costs, struct error *e)
{
	int code = compute_rewards(part, x, row, costs, e);
	if (code == LSDN_ERROR_MEMORY)
		return code;
	for (int i = 0; code && row->usable && i < part->count; i++)
		if (row->rewards[part->wanted[i]] == REWARD_UNKNOWN)
			row->rewards[part->wanted[i]] = 0;
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

static int work(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct part *part = context;
	struct reward_costs costs = {0};
	int code = reward_row_lacks(&part->rows[i], part->wanted, part->count) ? compute_row(part, x, &part->rows[i], &costs, e) : LSDN_OK;
#pragma omp critical(lsdn_costs)
	add_costs(&part->job->costs, &costs);
	return code;
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
	struct policy *policies = malloc(((size_t)count + 1) * sizeof *policies);
	if (!policies)
		return error_memory(e, "policies");
	for (int i = 0; i < count; i++)
		policies[i] = job->policies[wanted[i]];
	struct part part = {job, rows, wanted, policies, count};
	int code = crew_run(&job->crew, count > 0, row_count, work, &part, e);
	free(policies);
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
