/* Rewards that other ranks compute: what they are told, and what they answer. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "calib/rewards_inside.h"

static bool needed(void *context, size_t i)
{
	const struct part *part = context;
	return reward_row_lacks(&part->rows[i], part->wanted.settings, part->wanted.count);
}

/* Every setting that is wanted, with what its single layers have of their own. */
static void put_common(struct message *m, const struct part *part)
{
	message_put(m, &part->job->labelled, sizeof part->job->labelled);
	message_put(m, &part->job->digests, sizeof part->job->digests);
	message_put(m, &part->wanted.count, sizeof part->wanted.count);
	for (int i = 0; i < part->wanted.count; i++) {
		const struct choices *setting = &part->job->settings[part->wanted.settings[i]];
		message_put(m, setting, sizeof *setting);
		message_put(m, setting->policy.layers, (size_t)setting->policy.layer_count * sizeof *setting->policy.layers);
	}
}

static void ask(void *context, size_t i, struct message *item)
{
	const struct part *part = context;
	const struct reward_row *row = &part->rows[i];
	message_put(item, &row->index, sizeof row->index);
	message_put(item, &row->usable, sizeof row->usable);
	for (int k = 0; k < part->wanted.count; k++)
		message_put(item, &row->rewards[part->wanted.settings[k]], 1);
}

/* A row with as many settings as are wanted, so that the two ranks need not number them alike. */
static void put_row(struct message *m, const struct reward_row *row, const struct outcome *outcome, int count)
{
	size_t length = row->why ? strlen(row->why) + 1 : 0;
	message_put(m, outcome, sizeof *outcome);
	message_put(m, &row->usable, sizeof row->usable);
	message_put(m, row->trivial, sizeof row->trivial);
	message_put(m, row->digest, sizeof row->digest);
	message_put(m, row->rewards, (size_t)count);
	message_put(m, &length, sizeof length);
	message_put(m, row->why, length);
}

static int get_row(struct message *m, struct reward_row *row, struct outcome *outcome, const struct wanted *wanted, struct error *e)
{
	size_t length;
	message_get(m, outcome, sizeof *outcome);
	message_get(m, &row->usable, sizeof row->usable);
	message_get(m, row->trivial, sizeof row->trivial);
	message_get(m, row->digest, sizeof row->digest);
	for (int i = 0; i < wanted->count; i++)
		message_get(m, &row->rewards[wanted->settings[i]], 1);
	message_get(m, &length, sizeof length);
	if (m->failed || length > m->size)
		return error_set(e, LSDN_ERROR_INPUT, "another rank is another version of this program");
	row->why = length ? calloc(1, length + 1) : NULL;
	if (!length || !row->why)
		return length ? error_memory(e, "a message") : LSDN_OK;
	message_get(m, row->why, length);
	return LSDN_OK;
}

static int take(void *context, size_t i, struct message *result, struct error *e)
{
	const struct part *part = context;
	struct reward_row *row = &part->rows[i];
	struct outcome outcome;
	struct wanted lacking;
	int code = rewards_lacking(part, row, &lacking, e);
	if (!code)
		code = get_row(result, row, &outcome, &part->wanted, e);
	if (!code)
		code = rewards_end(part, row, &lacking, &outcome, e);
	wanted_close(&lacking);
	return code;
}

int rewards_on_ranks(struct part *part, size_t count, crew_work *here, struct error *e)
{
	const struct ranks_work work = {here, needed, ask, take};
	struct message common = {0};
	put_common(&common, part);
	return ranks_run(part->job->ranks, &part->job->crew, part->wanted.count > 0, &common, count, &work, part, e);
}

/* In another rank: what the rows of one ranks_run have in common. */
struct serving {
	struct reward_job *job;
	struct choices *settings; /* owned, as are their layers */
	struct part part;
};

static void close_serving(struct serving *s)
{
	for (int i = 0; s->settings && i < s->part.wanted.count; i++)
		free((void *)(uintptr_t)s->settings[i].policy.layers);
	free(s->settings);
	s->settings = NULL;
	batch_close(&s->part.batch);
	wanted_close(&s->part.wanted);
	s->part.wanted = (struct wanted){0};
}

static int get_setting(struct message *m, struct choices *setting, struct error *e)
{
	message_get(m, setting, sizeof *setting);
	size_t size = (size_t)setting->policy.layer_count * sizeof *setting->policy.layers;
	setting->policy.layers = NULL;
	if (!size || m->failed)
		return LSDN_OK;
	struct layer_policy *layers = malloc(size);
	if (!layers)
		return error_memory(e, "settings");
	message_get(m, layers, size);
	setting->policy.layers = layers;
	return LSDN_OK;
}

static int begin(void *context, struct message *common, bool *explain, struct error *e)
{
	struct serving *s = context;
	int count, code = LSDN_OK;
	close_serving(s);
	message_get(common, &s->job->labelled, sizeof s->job->labelled);
	message_get(common, &s->job->digests, sizeof s->job->digests);
	message_get(common, &count, sizeof count);
	s->settings = calloc((size_t)count + 1, sizeof *s->settings);
	if (!s->settings || !wanted_open(&s->part.wanted, count))
		return error_memory(e, "settings");
	for (int i = 0; i < count && !code; i++) {
		s->part.wanted.settings[s->part.wanted.count++] = i;
		code = get_setting(common, &s->settings[i], e);
	}
	s->part.job = s->job;
	s->job->settings = s->settings;
	*explain = count > 0;
	return code ? code : batch_open(&s->part.batch, s->settings, s->part.wanted.settings, count, e);
}

static int answer(void *context, struct explainer *x, struct message *item, struct message *result, struct error *e)
{
	const struct serving *s = context;
	const struct part *part = &s->part;
	struct reward_row row = {.rewards = malloc((size_t)part->wanted.count + 1)};
	struct outcome outcome = {.read = false};
	struct wanted lacking;
	if (!row.rewards)
		return error_memory(e, "rewards");
	message_get(item, &row.index, sizeof row.index);
	message_get(item, &row.usable, sizeof row.usable);
	message_get(item, row.rewards, (size_t)part->wanted.count);
	int code = rewards_lacking(part, &row, &lacking, e);
	if (!code)
		code = rewards_compute_row(part, x, &row, &lacking, &outcome, e);
	put_row(result, &row, &outcome, part->wanted.count);
	wanted_close(&lacking);
	free(row.rewards);
	free(row.why);
	return code;
}

void rewards_serve(struct reward_job *job, const struct identity *identity, const struct error *failure)
{
	const struct ranks_service service = {begin, answer};
	struct serving serving = {.job = job};
	ranks_serve(job->ranks, identity, job->source, &job->crew, failure, &service, &serving);
	close_serving(&serving);
}
