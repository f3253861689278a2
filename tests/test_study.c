/* Studies: what is recorded is there again, whatever happens to the process or the file. LSDN_SEED names other random cases. */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calib/study.h"
#include "tests/folder.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { IMAGES = 60, SETTINGS = 40, NAME = 40, FILE_NAME = 120 };

static const struct identity IDENTITY = {{{"written by", false, "a test"}, {"model", false, "net"}, {"model's SHA-256", true, "aa"},
	{"network's input", true, "32 x 32"}, {"classes", true, "12"}, {"kind of images", true, "photographs"}, {"way to compute", true, "rewards 1"}}};

/* What a study should hold. */
struct model {
	bool known[IMAGES];
	char why[IMAGES][NAME]; /* empty: usable */
	uint8_t rewards[IMAGES][SETTINGS];
	int settings; /* that the study knows */
};

static const char *file_in(const char *name)
{
	static char path[FILE_NAME];
	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void name_image(int i, char name[NAME])
{
	snprintf(name, NAME, "photograph %d.jpg", i);
}

static void name_setting(int i, char text[NAME])
{
	snprintf(text, NAME, "cur=1 pre=%d", i);
}

static struct study_image image_of(const struct model *m, int i)
{
	struct study_image image = {.why = *m->why[i] ? m->why[i] : NULL};
	memset(image.digest, i + 1, sizeof image.digest);
	if (!image.why) {
		image.center = (uint8_t)(i % 2);
		image.whole = i % 3 == 0;
	}
	return image;
}

static struct study *opened(const char *path, bool resume)
{
	struct study *s;
	struct error e;
	ck_assert_msg(study_open(&s, path, resume, &IDENTITY, &e) == LSDN_OK, "%s", e.message);
	return s;
}

static void refused(const char *path, bool resume, const struct identity *identity, const char *first, const char *second)
{
	struct study *s;
	struct error e;
	ck_assert_int_ne(study_open(&s, path, resume, identity, &e), LSDN_OK);
	ck_assert_ptr_null(s);
	ck_assert_msg(strstr(e.message, first) && strstr(e.message, second), "%s", e.message);
}

/* Records what the image lacks of some settings. */
static int record(struct study *s, struct model *m, int i, const uint8_t *truth, int from, int to, struct error *e)
{
	char name[NAME], text[NAME];
	int settings[SETTINGS], count = 0, code = LSDN_OK;
	uint8_t rewards[SETTINGS];
	struct study_image image = image_of(m, i);
	name_image(i, name);
	for (int k = 0; k < to && !code; k++) {
		int number;
		name_setting(k, text);
		code = study_setting(s, text, &number, e);
		if (!code)
			ck_assert_int_eq(number, k);
		if (k >= from && !image.why && m->rewards[i][k] == STUDY_UNKNOWN) {
			settings[count] = k;
			rewards[count++] = truth[i * SETTINGS + k];
		}
	}
	if (!code)
		code = study_record(s, name, &image, settings, rewards, count, e);
	for (int k = 0; k < count && !code; k++)
		m->rewards[i][settings[k]] = rewards[k];
	m->known[i] = m->known[i] || !code;
	m->settings = to > m->settings ? to : m->settings;
	return code;
}

/* Returns how many rewards the study has; none but those of the model, and with `all` those. */
static int check(struct study *s, const struct model *m, bool all, const char *when)
{
	int have = 0;
	for (int i = 0; i < IMAGES; i++) {
		char name[NAME];
		uint8_t rewards[SETTINGS];
		bool known;
		struct study_image image, wanted = image_of(m, i);
		struct error e;
		name_image(i, name);
		ck_assert_msg(study_find(s, name, &known, &image, rewards, SETTINGS, &e) == LSDN_OK, "%s: %s", when, e.message);
		ck_assert_msg(known ? m->known[i] : !all || !m->known[i], "%s: image %d is%s known", when, i, known ? "" : " not");
		if (!known)
			continue;
		ck_assert_int_eq(memcmp(image.digest, wanted.digest, sizeof image.digest), 0);
		ck_assert(image.center == wanted.center && image.whole == wanted.whole && !image.why == !wanted.why);
		ck_assert_str_eq(image.why ? image.why : "", m->why[i]);
		for (int k = 0; k < SETTINGS; k++) {
			have += rewards[k] != STUDY_UNKNOWN;
			ck_assert_msg(rewards[k] == m->rewards[i][k] || (!all && rewards[k] == STUDY_UNKNOWN), "%s: image %d, setting %d: %d", when, i, k, rewards[k]);
		}
	}
	return have;
}

static struct model nothing(void)
{
	struct model m = {.settings = 0};
	memset(m.rewards, STUDY_UNKNOWN, sizeof m.rewards);
	return m;
}

static void random_truth(struct pcg *rng, uint8_t truth[IMAGES * SETTINGS])
{
	for (int i = 0; i < IMAGES * SETTINGS; i++)
		truth[i] = (uint8_t)between(rng, 0, 1);
}

/* Any order of recording, committing, closing and going on: what is there is what was recorded, but for what was not committed. */
START_TEST(as_recorded)
{
	uint64_t seed = random_seed();
	for (int sequence = 0; sequence < 20; sequence++) {
		struct pcg rng;
		uint8_t truth[IMAGES * SETTINGS];
		char path[FILE_NAME], when[40];
		struct error e;
		pcg_seed(&rng, seed, (uint64_t)sequence);
		random_truth(&rng, truth);
		snprintf(path, sizeof path, "%s/%d", root, sequence);
		snprintf(when, sizeof when, "seed %llu, sequence %d", (unsigned long long)seed, sequence);
		struct model m = nothing();
		struct study *s = opened(path, false);
		for (int step = 0; step < 100; step++) {
			int i = between(&rng, 0, IMAGES - 1), to = between(&rng, 1, SETTINGS);
			if (!m.known[i] && between(&rng, 0, 5) == 0)
				snprintf(m.why[i], NAME, "no photograph %d", i);
			ck_assert_msg(record(s, &m, i, truth, between(&rng, 0, to - 1), to, &e) == LSDN_OK, "%s: %s", when, e.message);
			if (between(&rng, 0, 9) == 0) {
				ck_assert_int_eq(study_commit(s, &e), LSDN_OK);
				study_close(s);
				s = opened(path, true);
				check(s, &m, true, when);
			}
		}
		check(s, &m, true, when);
		study_close(s);
	}
}
END_TEST

START_TEST(more_is_found_out_later)
{
	struct model m = nothing();
	uint8_t truth[IMAGES * SETTINGS] = {1, 0, 1};
	struct error e;
	struct study *s = opened(file_in("study"), false);
	strcpy(m.why[0], "cannot be read");
	ck_assert_int_eq(record(s, &m, 0, truth, 0, 2, &e), LSDN_OK);
	check(s, &m, true, "not usable");
	*m.why[0] = 0; /* say, under other settings */
	ck_assert_int_eq(record(s, &m, 0, truth, 0, 3, &e), LSDN_OK);
	check(s, &m, true, "usable");
	struct study_image other = image_of(&m, 0);
	other.digest[5] ^= 1;
	ck_assert_int_ne(study_record(s, "photograph 0.jpg", &other, NULL, NULL, 0, &e), LSDN_OK);
	ck_assert_msg(strstr(e.message, "photograph 0.jpg"), "%s", e.message);
	study_close(s);
}
END_TEST

START_TEST(another_study_is_refused)
{
	char path[FILE_NAME];
	snprintf(path, sizeof path, "%s", file_in("study"));
	refused(path, true, &IDENTITY, path, "--study");
	study_close(opened(path, false));
	refused(path, false, &IDENTITY, path, "--resume");
	for (int i = 0; i < IDENTITY_FIELDS; i++) {
		struct identity other = IDENTITY;
		char message[100];
		strcpy(other.fields[i].value, "different");
		snprintf(message, sizeof message, "%s is \"%s\"", IDENTITY.fields[i].name, IDENTITY.fields[i].value);
		if (IDENTITY.fields[i].must) {
			refused(path, true, &other, message, "\"different\"");
			continue;
		}
		struct study *s;
		struct error e;
		ck_assert_int_eq(study_open(&s, path, true, &other, &e), LSDN_OK);
		study_close(s);
	}
	study_close(opened(path, true));
}
END_TEST

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

START_TEST(what_is_no_study_is_refused)
{
	char path[FILE_NAME], text[5000];
	memset(text, 'x', sizeof text);
	snprintf(path, sizeof path, "%s", file_in("text"));
	write_file(path, text, sizeof text);
	refused(path, true, &IDENTITY, "no study", "text");
	refused(root, true, &IDENTITY, "regular file", root);
	refused(file_in("nofolder/study"), false, &IDENTITY, "No such file", "nofolder");
	snprintf(path, sizeof path, "%s", file_in("pipe"));
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(path, true, &IDENTITY, "regular file", "pipe");
	snprintf(path, sizeof path, "%s", file_in("other"));
	sql(path, "CREATE TABLE a (b)");
	refused(path, true, &IDENTITY, "no study", "other");
	snprintf(path, sizeof path, "%s", file_in("later"));
	study_close(opened(path, false));
	sql(path, "PRAGMA user_version = 2");
	refused(path, true, &IDENTITY, "format is 2", "1 is read");
	snprintf(path, sizeof path, "%s", file_in("trigger"));
	study_close(opened(path, false));
	sql(path, "CREATE TRIGGER t AFTER INSERT ON images BEGIN DELETE FROM rewards; END");
	refused(path, true, &IDENTITY, "triggers", "damaged");
	snprintf(path, sizeof path, "%s", file_in("table"));
	study_close(opened(path, false));
	sql(path, "DROP TABLE rewards; CREATE VIEW rewards AS SELECT 1 AS image, 1 AS setting, 1 AS reward");
	refused(path, true, &IDENTITY, "rewards", "damaged");
	snprintf(path, sizeof path, "%s", file_in("empty"));
	write_file(path, text, 0); /* as a kill can leave it */
	study_close(opened(path, true));
	ck_assert_int_eq(chdir(root), 0);
	study_close(opened(":memory:", false)); /* a name like any other here */
	study_close(opened(":memory:", true));
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* An edited reward, image or setting is not believed. */
START_TEST(edits_are_noticed)
{
	static const char *const EDITS[] = {"UPDATE rewards SET reward = 1 - reward WHERE image = 2 AND setting = 3", "DELETE FROM rewards WHERE image = 1",
		"UPDATE images SET center = 1 - center WHERE image = 3", "UPDATE images SET name = 'photograph 1.jpg' WHERE image = 1",
		"UPDATE settings SET text = 'cur=1 pre=77' WHERE setting = 1", "DELETE FROM settings WHERE setting = 4",
		"INSERT INTO rewards VALUES (1, 39, 1)", "UPDATE images SET why = 'x' WHERE image = 1", "UPDATE images SET sha256 = x'00' WHERE image = 1"};
	for (size_t i = 0; i < sizeof EDITS / sizeof *EDITS; i++) {
		struct model m = nothing();
		uint8_t truth[IMAGES * SETTINGS] = {0}, rewards[SETTINGS];
		char path[FILE_NAME], name[NAME];
		struct study *s;
		struct error e;
		snprintf(path, sizeof path, "%s/%zu", root, i);
		s = opened(path, false);
		for (int k = 0; k < 3; k++)
			ck_assert_int_eq(record(s, &m, k, truth, 0, 4, &e), LSDN_OK);
		ck_assert_int_eq(study_commit(s, &e), LSDN_OK);
		study_close(s);
		if (i == 3)
			sql(path, "DELETE FROM images WHERE image = 2");
		sql(path, EDITS[i]);
		int code = study_open(&s, path, true, &IDENTITY, &e);
		for (int k = 0; k < 3 && !code; k++) {
			struct study_image image;
			bool known;
			name_image(k, name);
			code = study_find(s, name, &known, &image, rewards, SETTINGS, &e);
		}
		ck_assert_msg(code && strstr(e.message, "damaged"), "%s: %s", EDITS[i], code ? e.message : "believed");
		study_close(s);
	}
}
END_TEST

/* Bytes that turn and files that end too soon: the study is refused, or says nothing but what was recorded. */
START_TEST(damage_is_never_believed)
{
	uint64_t seed = random_seed();
	struct pcg rng;
	uint8_t truth[IMAGES * SETTINGS];
	char path[FILE_NAME], damaged[FILE_NAME], when[80];
	struct error e;
	int silent = 0, stopped = 0;
	pcg_seed(&rng, seed, 1000);
	random_truth(&rng, truth);
	snprintf(path, sizeof path, "%s", file_in("study"));
	snprintf(damaged, sizeof damaged, "%s", file_in("damaged"));
	struct model m = nothing();
	struct study *s = opened(path, false);
	for (int i = 0; i < IMAGES; i++)
		ck_assert_int_eq(record(s, &m, i, truth, 0, SETTINGS, &e), LSDN_OK);
	ck_assert_int_eq(study_commit(s, &e), LSDN_OK);
	study_close(s);
	static uint8_t whole[1 << 20], bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size = fread(whole, 1, sizeof whole, file);
	fclose(file);
	ck_assert(size > 20000 && size < sizeof whole);
	for (int trial = 0; trial < 2000; trial++) {
		memcpy(bytes, whole, size);
		size_t length = size;
		int flips = trial % 4 == 3 ? 0 : 1 << (trial % 4 * 2);
		for (int i = 0; i < flips; i++)
			bytes[pcg_below(&rng, (uint32_t)size)] ^= (uint8_t)(1 << between(&rng, 0, 7));
		if (!flips)
			length = pcg_below(&rng, (uint32_t)size);
		write_file(damaged, bytes, length);
		snprintf(when, sizeof when, "seed %llu, trial %d", (unsigned long long)seed, trial);
		int code = study_open(&s, damaged, true, &IDENTITY, &e);
		for (int i = 0; i < IMAGES && !code; i++) {
			char name[NAME];
			uint8_t rewards[SETTINGS];
			struct study_image image;
			bool known;
			name_image(i, name);
			code = study_find(s, name, &known, &image, rewards, SETTINGS, &e);
			for (int k = 0; k < SETTINGS && !code && known; k++)
				ck_assert_msg(rewards[k] == STUDY_UNKNOWN || rewards[k] == m.rewards[i][k], "%s: image %d, setting %d: %d", when, i, k, rewards[k]);
		}
		stopped += code != 0;
		silent += code == 0;
		ck_assert(!code || *e.message);
		study_close(s);
		unlink(damaged);
	}
	printf("%d of %d damaged studies were refused, the others lost nothing or were empty\n", stopped, stopped + silent);
	ck_assert_int_gt(stopped, 1000);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	char path[FILE_NAME];
	snprintf(path, sizeof path, "%s", file_in("study"));
	struct study *s = opened(path, false);
	pid_t child = fork();
	if (!child) {
		struct study *second;
		struct error e;
		int code = study_open(&second, path, true, &IDENTITY, &e);
		_exit(code && strstr(e.message, "another process") ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	struct model m = nothing();
	uint8_t truth[IMAGES * SETTINGS] = {0};
	struct error e;
	ck_assert_int_eq(record(s, &m, 0, truth, 0, 1, &e), LSDN_OK);
	ck_assert_int_eq(study_commit(s, &e), LSDN_OK);
	study_close(s);
	study_close(opened(path, true));
}
END_TEST

/* The child records; the parent kills it at any moment, and finds what the child said that it had committed. */
START_TEST(killed_at_any_moment)
{
	uint64_t seed = random_seed();
	for (int trial = 0; trial < 40; trial++) {
		struct pcg rng;
		uint8_t truth[IMAGES * SETTINGS];
		char path[FILE_NAME], when[60];
		int said[2], committed = 0;
		pcg_seed(&rng, seed, 2000 + (uint64_t)trial);
		random_truth(&rng, truth);
		snprintf(path, sizeof path, "%s/%d", root, trial);
		ck_assert_int_eq(pipe(said), 0);
		pid_t child = fork();
		if (!child) {
			struct model m = nothing();
			struct error e;
			struct study *s = opened(path, false);
			for (int i = 0; i < IMAGES; i++) {
				if (record(s, &m, i, truth, 0, SETTINGS, &e) || study_commit(s, &e) || write(said[1], &i, sizeof i) != sizeof i)
					_exit(1);
			}
			pause();
		}
		close(said[1]);
		usleep((useconds_t)between(&rng, 0, 60000));
		kill(child, SIGKILL);
		int status, i;
		waitpid(child, &status, 0);
		ck_assert(WIFSIGNALED(status));
		while (read(said[0], &i, sizeof i) == sizeof i)
			committed++;
		close(said[0]);
		snprintf(when, sizeof when, "seed %llu, trial %d", (unsigned long long)seed, trial);
		if (access(path, F_OK) != 0)
			continue;
		struct model m = nothing();
		for (i = 0; i < IMAGES; i++) {
			m.known[i] = true;
			memcpy(m.rewards[i], truth + i * SETTINGS, SETTINGS);
		}
		struct study *s = opened(path, true);
		int have = check(s, &m, false, when);
		ck_assert_msg(have % SETTINGS == 0 && have / SETTINGS >= committed && have / SETTINGS <= committed + 1, "%s: %d rewards of %d images", when, have, committed);
		study_close(s);
	}
}
END_TEST

/* A full disk: said, and what was committed is there when there is room again. */
START_TEST(full_disk)
{
	char path[FILE_NAME];
	int kept = 0, code = LSDN_OK;
	struct error e;
	struct model m = nothing();
	uint8_t truth[IMAGES * SETTINGS] = {0};
	snprintf(path, sizeof path, "%s", file_in("study"));
	signal(SIGXFSZ, SIG_IGN);
	struct study *s = opened(path, false);
	struct rlimit limit, before;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 60000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < IMAGES && !code; i++) {
		struct model tried = m;
		code = record(s, &tried, i, truth, 0, SETTINGS, &e);
		if (!code)
			code = study_commit(s, &e);
		if (!code) {
			m = tried;
			kept++;
		}
	}
	ck_assert(code == LSDN_ERROR_IO && kept > 3);
	ck_assert_msg(strstr(e.message, path) && strstr(e.message, "File too large") && strstr(e.message, "disk's space"), "%s", e.message);
	study_close(s);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	s = opened(path, true);
	check(s, &m, true, "room again");
	study_close(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("study");
	TCase *cases = tcase_create("study");
	tcase_add_checked_fixture(cases, in_new_folder, remove_folder);
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, as_recorded);
	tcase_add_test(cases, more_is_found_out_later);
	tcase_add_test(cases, another_study_is_refused);
	tcase_add_test(cases, what_is_no_study_is_refused);
	tcase_add_test(cases, edits_are_noticed);
	tcase_add_test(cases, damage_is_never_believed);
	tcase_add_test(cases, one_process_at_a_time);
	tcase_add_test(cases, killed_at_any_moment);
	tcase_add_test(cases, full_disk);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
