#include "config.h"

#include "calib/study.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "calib/study_inside.h"
#include "core/progress.h"

/* A transaction takes the images of so many seconds, so that flushing costs little however fast they come. */
static const double LATEST = 0.25;

/* The first bytes of a SHA-256. */
static uint64_t sum_of(struct sha256_ctx *context)
{
	uint8_t bytes[8];
	uint64_t sum = 0;
	sha256_digest(context, sizeof bytes, bytes);
	for (int i = 0; i < 8; i++)
		sum = sum << 8 | bytes[i];
	return sum;
}

static void hash_number(struct sha256_ctx *context, int64_t number)
{
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
	sha256_update(context, sizeof bytes, bytes);
}

static void hash_text(struct sha256_ctx *context, const char *text)
{
	hash_number(context, text ? (int64_t)strlen(text) : -1);
	if (text)
		sha256_update(context, strlen(text), (const uint8_t *)text);
}

/* Of a setting's text with a number: its place in the table, or a reward. */
static uint64_t sum_setting(const char *text, int64_t number)
{
	struct sha256_ctx context;
	sha256_init(&context);
	hash_text(&context, text);
	hash_number(&context, number);
	return sum_of(&context);
}

/* Of an image without rewards, each of which adds its own. */
static uint64_t sum_image(const char *name, const struct study_image *image)
{
	struct sha256_ctx context;
	sha256_init(&context);
	hash_text(&context, name);
	sha256_update(&context, SOURCE_DIGEST, image->digest);
	hash_text(&context, image->why);
	hash_number(&context, image->center);
	hash_number(&context, image->whole);
	return sum_of(&context);
}

/* Steps a statement that gives no row. */
static int step(struct study *s, enum study_statement which, bool bound, struct error *e)
{
	sqlite3_stmt *statement = s->statements[which];
	errno = 0;
	int code = bound && sqlite3_step(statement) == SQLITE_DONE ? LSDN_OK : study_failed(s, e);
	sqlite3_reset(statement);
	return code;
}

static int begin(struct study *s, struct error *e)
{
	if (s->begun)
		return LSDN_OK;
	int code = study_execute(s, "BEGIN IMMEDIATE", e);
	s->begun = !code;
	s->since = progress_seconds();
	return code;
}

static void roll_back(struct study *s)
{
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->begun = false;
}

int study_commit(struct study *s, struct error *e)
{
	if (!s->begun)
		return LSDN_OK;
	int code = study_execute(s, "COMMIT", e);
	roll_back(s);
	return code;
}

/* Puts a setting at the end of those in memory. */
static int take_setting(struct study *s, const char *text, struct error *e)
{
	if (s->setting_count == s->setting_room) {
		int room = s->setting_room ? 2 * s->setting_room : 256;
		struct study_setting *grown = realloc(s->settings, (size_t)room * sizeof *grown);
		if (!grown)
			return error_memory(e, "a study");
		s->settings = grown;
		s->setting_room = room;
	}
	struct study_setting *setting = &s->settings[s->setting_count];
	*setting = (struct study_setting){strdup(text), {sum_setting(text, 0), sum_setting(text, 1)}};
	s->setting_count += setting->text != NULL;
	return setting->text ? LSDN_OK : error_memory(e, "a study");
}

int study_read_settings(struct study *s, struct error *e)
{
	sqlite3_stmt *statement;
	int code = LSDN_OK, found;
	if (sqlite3_prepare_v2(s->db, "SELECT setting, text, sum FROM settings ORDER BY setting", -1, &statement, NULL) != SQLITE_OK)
		return study_failed(s, e);
	while (!code && (found = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t number = sqlite3_column_int64(statement, 0);
		const char *text = (const char *)sqlite3_column_text(statement, 1);
		if (!text || number != s->setting_count + 1 || (uint64_t)sqlite3_column_int64(statement, 2) != sum_setting(text, -number))
			code = study_damaged(s, "its settings", e);
		else
			code = take_setting(s, text, e);
	}
	if (!code && found != SQLITE_DONE)
		code = study_failed(s, e);
	sqlite3_finalize(statement);
	return code;
}

int study_setting(struct study *s, const char *text, int *setting, struct error *e)
{
	for (*setting = 0; *setting < s->setting_count; (*setting)++)
		if (strcmp(s->settings[*setting].text, text) == 0)
			return LSDN_OK;
	int64_t number = s->setting_count + 1;
	sqlite3_stmt *statement = s->statements[ADD_SETTING];
	int code = begin(s, e);
	if (!code)
		code = step(s, ADD_SETTING, sqlite3_bind_int64(statement, 1, number) == SQLITE_OK && sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC) == SQLITE_OK
			&& sqlite3_bind_int64(statement, 3, (int64_t)sum_setting(text, -number)) == SQLITE_OK, e);
	return code ? code : take_setting(s, text, e);
}

/* A row of the table of images. */
struct found {
	int64_t image;
	uint64_t sum;
	struct study_image is;
};

/* What is in the current row of FIND_IMAGE, whose `why` lasts until the statement is reset. */
static int read_image(const struct study *s, struct found *found, struct error *e)
{
	sqlite3_stmt *statement = s->statements[FIND_IMAGE];
	*found = (struct found){.image = sqlite3_column_int64(statement, 0), .sum = (uint64_t)sqlite3_column_int64(statement, 5)};
	const void *digest = sqlite3_column_blob(statement, 1);
	int64_t center = sqlite3_column_int64(statement, 3), whole = sqlite3_column_int64(statement, 4);
	if (!digest || sqlite3_column_bytes(statement, 1) != SOURCE_DIGEST || center < 0 || center > 1 || whole < 0 || whole > 1)
		return study_damaged(s, "an image", e);
	memcpy(found->is.digest, digest, SOURCE_DIGEST);
	found->is.why = (const char *)sqlite3_column_text(statement, 2);
	found->is.center = (uint8_t)center;
	found->is.whole = (uint8_t)whole;
	return LSDN_OK;
}

/* Looks an image up; where it is there, FIND_IMAGE is left to be reset. */
static int look_up(struct study *s, const char *name, bool *known, struct found *found, struct error *e)
{
	sqlite3_stmt *statement = s->statements[FIND_IMAGE];
	sqlite3_reset(statement);
	if (sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC) != SQLITE_OK)
		return study_failed(s, e);
	int result = sqlite3_step(statement);
	*known = result == SQLITE_ROW;
	int code = *known ? read_image(s, found, e) : result == SQLITE_DONE ? LSDN_OK : study_failed(s, e);
	if (code || !*known)
		sqlite3_reset(statement);
	return code;
}

int study_find(struct study *s, const char *name, bool *known, struct study_image *image, uint8_t *rewards, int settings, struct error *e)
{
	struct found found;
	sqlite3_stmt *statement = s->statements[FIND_REWARDS];
	int result = SQLITE_DONE, code = look_up(s, name, known, &found, e);
	memset(rewards, STUDY_UNKNOWN, (size_t)settings);
	if (code || !*known)
		return code;
	*image = found.is;
	uint64_t sum = sum_image(name, image);
	if (sqlite3_bind_int64(statement, 1, found.image) != SQLITE_OK)
		code = study_failed(s, e);
	while (!code && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t setting = sqlite3_column_int64(statement, 0), reward = sqlite3_column_int64(statement, 1);
		if (setting < 1 || setting > s->setting_count || reward < 0 || reward > 1)
			code = study_damaged(s, "a reward", e);
		else
			sum += s->settings[setting - 1].sums[reward];
		if (!code && setting <= settings)
			rewards[setting - 1] = (uint8_t)reward;
	}
	if (!code && result != SQLITE_DONE)
		code = study_failed(s, e);
	sqlite3_reset(statement);
	if (!code && sum != found.sum)
		code = study_damaged(s, name, e);
	return code;
}

/* Of an image that is not usable, nothing is known of its boxes. */
static bool bind_image(sqlite3_stmt *statement, const struct study_image *image, uint64_t sum)
{
	int center = image->why ? sqlite3_bind_null(statement, 3) : sqlite3_bind_int(statement, 3, image->center);
	int whole = image->why ? sqlite3_bind_null(statement, 4) : sqlite3_bind_int(statement, 4, image->whole);
	return sqlite3_bind_blob(statement, 1, image->digest, SOURCE_DIGEST, SQLITE_STATIC) == SQLITE_OK && center == SQLITE_OK && whole == SQLITE_OK
		&& sqlite3_bind_text(statement, 2, image->why, -1, SQLITE_STATIC) == SQLITE_OK && sqlite3_bind_int64(statement, 5, (int64_t)sum) == SQLITE_OK;
}

static int record_image(struct study *s, const char *name, const struct study_image *image, uint64_t added, int64_t *number, struct error *e)
{
	struct found found;
	bool known;
	int code = look_up(s, name, &known, &found, e);
	if (code)
		return code;
	uint64_t sum = sum_image(name, image) + added;
	if (!known) {
		sqlite3_stmt *statement = s->statements[ADD_IMAGE];
		code = step(s, ADD_IMAGE, bind_image(statement, image, sum) && sqlite3_bind_text(statement, 6, name, -1, SQLITE_STATIC) == SQLITE_OK, e);
		*number = sqlite3_last_insert_rowid(s->db);
		return code;
	}
	bool same = memcmp(found.is.digest, image->digest, SOURCE_DIGEST) == 0;
	sum += found.sum - sum_image(name, &found.is);
	*number = found.image;
	sqlite3_reset(s->statements[FIND_IMAGE]);
	if (!same && !found.is.why)
		return error_set(e, LSDN_ERROR_INPUT, "%.200s: %.200s or its annotation is not what it was when the study met it: put that back, or begin another study "
			"with --study", s->path, name);
	sqlite3_stmt *statement = s->statements[CHANGE_IMAGE];
	return step(s, CHANGE_IMAGE, bind_image(statement, image, sum) && sqlite3_bind_int64(statement, 6, *number) == SQLITE_OK, e);
}

int study_record(struct study *s, const char *name, const struct study_image *image, const int *settings, const uint8_t *rewards, int count,
	struct error *e)
{
	uint64_t sum = 0;
	int64_t number = 0;
	sqlite3_stmt *statement = s->statements[ADD_REWARD];
	for (int i = 0; i < count; i++)
		sum += s->settings[settings[i]].sums[rewards[i]];
	int code = begin(s, e);
	if (!code)
		code = record_image(s, name, image, sum, &number, e);
	for (int i = 0; i < count && !code; i++)
		code = step(s, ADD_REWARD, sqlite3_bind_int64(statement, 1, number) == SQLITE_OK && sqlite3_bind_int(statement, 2, settings[i] + 1) == SQLITE_OK
			&& sqlite3_bind_int(statement, 3, rewards[i]) == SQLITE_OK, e);
	if (code)
		roll_back(s); /* or half an image would be committed */
	else if (progress_seconds() - s->since > LATEST)
		code = study_commit(s, e);
	return code;
}

int study_images(struct study *s, study_each *each, void *context, struct error *e)
{
	sqlite3_stmt *statement;
	int code = LSDN_OK, found = SQLITE_DONE;
	if (sqlite3_prepare_v2(s->db, "SELECT name, sha256 FROM images WHERE why IS NULL", -1, &statement, NULL) != SQLITE_OK)
		return study_failed(s, e);
	while (!code && (found = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		const void *digest = sqlite3_column_blob(statement, 1);
		if (!name || !digest || sqlite3_column_bytes(statement, 1) != SOURCE_DIGEST)
			code = study_damaged(s, "an image", e);
		else
			code = each(context, name, digest, e);
	}
	if (!code && found != SQLITE_DONE)
		code = study_failed(s, e);
	sqlite3_finalize(statement);
	return code;
}
