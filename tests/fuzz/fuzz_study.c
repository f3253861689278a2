/* A study as lsdn-calibrate --resume meets it: any file, which is then recorded into. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/study.h"
#include "tests/fuzz/fuzz.h"

enum { SETTINGS = 8 };

static const struct identity IDENTITY = {{{"written by", false, ""}, {"model", false, ""}, {"model's SHA-256", true, "a"}, {"network's input", true, "b"},
	{"classes", true, "c"}, {"kind of images", true, "photographs"}, {"way to compute", true, "d"}}};

/* In memory, where SQLite puts its other files beside it. */
static const char *write_study(const uint8_t *data, size_t size)
{
	static char path[60];
	snprintf(path, sizeof path, "%s/lsdn-fuzz-study-%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
	FILE *file = fopen(path, "wb");
	FUZZ_TRUE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
	return path;
}

static void remove_study(const char *path)
{
	static const char *const ENDINGS[] = {"", "-wal", "-journal", "-shm"};
	char name[80];
	for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
		snprintf(name, sizeof name, "%s%s", path, ENDINGS[i]);
		unlink(name);
	}
}

static int look(struct study *s, const char *name, struct error *e)
{
	struct study_image image;
	uint8_t rewards[SETTINGS];
	bool known;
	int code = fuzz_answer(study_find(s, name, &known, &image, rewards, SETTINGS, e), e);
	if (code || !known)
		return code;
	FUZZ_TRUE(image.center <= 1 && image.whole <= 1);
	if (image.why)
		fuzz_read(image.why, strlen(image.why));
	for (int i = 0; i < SETTINGS; i++)
		FUZZ_TRUE(rewards[i] <= 1 || rewards[i] == STUDY_UNKNOWN);
	return LSDN_OK;
}

struct names {
	char *first;
	int count;
};

static int meet(void *context, const char *name, const uint8_t digest[SOURCE_DIGEST], struct error *e)
{
	struct names *names = context;
	(void)e;
	fuzz_read(digest, SOURCE_DIGEST);
	if (!names->count++)
		names->first = strdup(name);
	return LSDN_OK;
}

/* What is recorded now is there when it is opened again. */
static void record(struct study **s, const char *path)
{
	struct study_image image = {.center = 1}, found;
	struct error e;
	uint8_t reward = 1, rewards[SETTINGS];
	int setting;
	bool known;
	if (fuzz_answer(study_find(*s, "new", &known, &found, rewards, 0, &e), &e) || known || fuzz_answer(study_setting(*s, "text", &setting, &e), &e)
		|| fuzz_answer(study_record(*s, "new", &image, &setting, &reward, 1, &e), &e) || fuzz_answer(study_commit(*s, &e), &e))
		return;
	study_close(*s);
	FUZZ_TRUE(study_open(s, path, true, &IDENTITY, &e) == LSDN_OK);
	FUZZ_TRUE(study_find(*s, "new", &known, &found, rewards, SETTINGS, &e) == LSDN_OK && known && found.center == 1 && found.whole == 0 && !found.why);
	FUZZ_TRUE(setting >= SETTINGS || rewards[setting] == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct study *s;
	struct error e;
	struct names names = {0};
	const char *path = write_study(data, size);
	if (!fuzz_answer(study_open(&s, path, true, &IDENTITY, &e), &e)) {
		fuzz_answer(study_images(s, meet, &names, &e), &e);
		if (names.first)
			look(s, names.first, &e);
		look(s, "nobody", &e);
		record(&s, path);
		free(names.first);
		study_close(s);
	}
	remove_study(path);
	return 0;
}
