/* Rewards that need not be computed, for a study has them, and those that it is to have. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "calib/rewards_inside.h"

static int recall_row(const struct part *part, struct reward_row *row, uint8_t *known, int settings, struct error *e)
{
	const struct wanted *wanted = &part->wanted;
	struct study_image image;
	char buffer[32];
	bool met, lacks = !wanted->count; /* where nothing is asked for, whether it can be read is */
	int code = study_find(part->job->study, source_name(part->job->source, row->index, buffer), &met, &image, known, settings, e);
	if (code || !met || image.why)
		return code;
	row->trivial[TRIVIAL_CENTER] = image.center;
	row->trivial[TRIVIAL_WHOLE] = image.whole;
	for (int i = 0; i < wanted->count; i++) {
		uint8_t *reward = &row->rewards[wanted->settings[i]];
		if (*reward == REWARD_UNKNOWN && known[wanted->numbers[i]] != STUDY_UNKNOWN)
			*reward = known[wanted->numbers[i]];
		lacks = lacks || *reward == REWARD_UNKNOWN;
	}
	row->usable = row->usable || !lacks;
	return LSDN_OK;
}

int rewards_recall(const struct part *part, size_t count, struct error *e)
{
	const struct wanted *wanted = &part->wanted;
	int settings = 1, code = LSDN_OK;
	for (int i = 0; i < wanted->count && !code; i++) {
		char *text = choices_text(&part->job->settings[wanted->settings[i]]);
		code = text ? study_setting(part->job->study, text, &wanted->numbers[i], e) : error_memory(e, "a setting");
		settings = !code && wanted->numbers[i] >= settings ? wanted->numbers[i] + 1 : settings;
		free(text);
	}
	uint8_t *known = malloc((size_t)settings);
	if (!known && !code)
		code = error_memory(e, "rewards");
	for (size_t i = 0; i < count && !code; i++)
		if (reward_row_lacks(&part->rows[i], wanted->settings, wanted->count))
			code = recall_row(part, &part->rows[i], known, settings, e);
	free(known);
	return code;
}

/* What failed before under other settings is no news, and what did not fail stays usable. */
static int keep_why(const struct part *part, const char *name, const struct study_image *image, struct error *e)
{
	struct study_image before;
	uint8_t none;
	bool met;
	int code = study_find(part->job->study, name, &met, &before, &none, 0, e);
	return code || met ? code : study_record(part->job->study, name, image, NULL, NULL, 0, e);
}

int rewards_keep(const struct part *part, const struct reward_row *row, const struct wanted *computed, const struct outcome *outcome, struct error *e)
{
	struct study_image image = {.why = row->why, .center = row->trivial[TRIVIAL_CENTER], .whole = row->trivial[TRIVIAL_WHOLE]};
	char buffer[32];
	const char *name = source_name(part->job->source, row->index, buffer);
	memcpy(image.digest, row->digest, sizeof image.digest);
	if (outcome->failed)
		return outcome->read && row->why ? keep_why(part, name, &image, e) : LSDN_OK;
	uint8_t *rewards = malloc((size_t)computed->count + 1);
	if (!rewards)
		return error_memory(e, "rewards");
	for (int i = 0; i < computed->count; i++)
		rewards[i] = row->rewards[computed->settings[i]];
	int code = study_record(part->job->study, name, &image, computed->numbers, rewards, computed->count, e);
	free(rewards);
	return code;
}

/* The images that a study has met, and where they are in the source. */
struct met {
	const struct source *source;
	const char *where;
	struct met_image {
		uint32_t index;
		uint8_t digest[SOURCE_DIGEST];
	} *images;
	size_t count, room;
};

static int meet(void *context, const char *name, const uint8_t digest[SOURCE_DIGEST], struct error *e)
{
	struct met *met = context;
	if (met->count == met->room) {
		size_t room = met->room ? 2 * met->room : 1024;
		struct met_image *grown = realloc(met->images, room * sizeof *grown);
		if (!grown)
			return error_memory(e, "a study");
		met->images = grown;
		met->room = room;
	}
	struct met_image *image = &met->images[met->count];
	memcpy(image->digest, digest, SOURCE_DIGEST);
	if (source_find(met->source, name, &image->index))
		met->count++;
	else if (met->source->dataset)
		return error_set(e, LSDN_ERROR_INPUT, "%.200s: is of another data set: it has a photograph \"%.100s\", which is not among the %zu here: name the study's "
			"own with --data, or begin another study with --study", met->where, name, met->source->count);
	return LSDN_OK;
}

static void write_digest(const uint8_t digest[SOURCE_DIGEST], char text[17])
{
	static const char DIGITS[] = "0123456789abcdef";
	for (int i = 0; i < 8; i++) {
		text[2 * i] = DIGITS[digest[i] >> 4];
		text[2 * i + 1] = DIGITS[digest[i] & 15];
	}
	text[16] = 0;
}

static int compare(void *context, struct explainer *x, size_t i, struct error *e)
{
	const struct met *met = context;
	uint8_t digest[SOURCE_DIGEST];
	char buffer[32], there[17], here[17];
	(void)x;
	int code = source_digest(met->source, met->images[i].index, digest, e);
	if (code || memcmp(digest, met->images[i].digest, SOURCE_DIGEST) == 0)
		return code;
	write_digest(met->images[i].digest, there);
	write_digest(digest, here);
	return error_set(e, LSDN_ERROR_INPUT, "%.150s: is of another data set: SHA-256 of photograph \"%.100s\" and its annotation is %s... there, but %s... here: name the "
		"study's own with --data, or begin another study with --study", met->where, source_name(met->source, met->images[i].index, buffer), there, here);
}

int rewards_check_images(struct reward_job *job, const char *path, struct error *e)
{
	struct met met = {.source = job->source, .where = path};
	int code = study_images(job->study, meet, &met, e);
	if (!code) {
		progress_start(job->crew.progress, job->crew.progress->shown, "checking the study's photographs", met.count);
		code = crew_run(&job->crew, false, met.count, compare, &met, e);
		progress_end(job->crew.progress);
	}
	free(met.images);
	return code;
}
