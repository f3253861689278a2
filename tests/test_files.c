/* Files that are read and written: .npy, outputs that appear whole or not at all, pictures. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/choices.h"
#include "core/image/map.h"
#include "core/image/npy.h"
#include "core/image/picture.h"
#include "core/output.h"
#include "tests/image_files.h"
#include "tests/suite.h"

/* .npy */

/* Writes magic, version, length and header as given, then count floats 0, 1, 2, ... */
static void npy_write(int version, const char *header, size_t length, int count)
{
	FILE *file = fopen(inside("a.npy"), "wb");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "%cNUMPY%c%c%c%c", 0x93, version, 0, (int)(length & 255), (int)(length >> 8 & 255));
	if (version == 2)
		fprintf(file, "%c%c", (int)(length >> 16 & 255), (int)(length >> 24 & 255));
	fwrite(header, 1, strlen(header), file);
	for (int i = 0; i < count; i++) {
		float value = (float)i;
		fwrite(&value, sizeof value, 1, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

#define HEADER(type, order, shape) "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }  \n"

START_TEST(npy_files_as_numpy_writes_them)
{
	static const char *const GOOD[] = {HEADER("<f4", "False", "(3, 2, 4)"), HEADER("<f4", "False", "(1, 3, 2, 4)"),
		"{\"shape\":(3,2,4),\"fortran_order\":False,\"descr\":\"<f4\"}"};
	for (size_t i = 0; i < 2 * sizeof GOOD / sizeof *GOOD; i++) {
		float tensor[24];
		struct error e;
		npy_write(1 + (int)(i % 2), GOOD[i / 2], strlen(GOOD[i / 2]), 24);
		ck_assert_msg(npy_read(inside("a.npy"), 2, 4, tensor, &e) == 0, "%s", e.message);
		for (int p = 0; p < 8; p++)
			for (int c = 0; c < 3; c++)
				ck_assert_float_eq(tensor[p * 3 + c], (float)(c * 8 + p));
	}
}
END_TEST

START_TEST(npy_files_that_lie)
{
	static const struct {
		const char *header, *says;
		int count;
	} BAD[] = {
		{HEADER("<f8", "False", "(3, 2, 4)"), "<f8", 48},
		{HEADER(">f4", "False", "(3, 2, 4)"), ">f4", 24},
		{HEADER("<f4", "True", "(3, 2, 4)"), "Fortran", 24},
		{HEADER("<f4", "False", "(2, 4, 3)"), "(2, 4, 3)", 24},
		{HEADER("<f4", "False", "(3, 2)"), "(3, 2)", 6},
		{HEADER("<f4", "False", "(2, 3, 2, 4)"), "(2, 3, 2, 4)", 48},
		{HEADER("<f4", "False", "()"), "()", 1},
		{HEADER("<f4", "False", "(3, 99999999999, 99999999999)"), "99999999999", 24},
		{HEADER("<f4", "False", "(3, 99999999999999999999999, 4)"), "dictionary", 24},
		{HEADER("<f4", "False", "(1, 1, 1, 1, 1, 1, 3, 2, 4)"), "dictionary", 24},
		{HEADER("<f4", "False", "(3, -2, 4)"), "dictionary", 24},
		{HEADER("<f4", "False", "(3, 2, 4"), "dictionary", 24},
		{HEADER("<f4 and much more than any type needs", "False", "(3, 2, 4)"), "dictionary", 24},
		{HEADER("<f4", "Maybe", "(3, 2, 4)"), "dictionary", 24},
		{"{'descr': '<f4', 'shape': (3, 2, 4)}", "dictionary", 24},
		{"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 4), 'more': 1}", "dictionary", 24},
		{"{'descr': '<f4'", "dictionary", 24},
		{"", "dictionary", 0},
		{HEADER("<f4", "False", "(3, 2, 4)"), "truncated: 23 of 24", 23},
		{HEADER("<f4", "False", "(3, 2, 4)"), "longer", 25},
	};
	float tensor[24];
	struct error e;
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		npy_write(1, BAD[i].header, strlen(BAD[i].header), BAD[i].count);
		ck_assert_int_lt(npy_read(inside("a.npy"), 2, 4, tensor, &e), 0);
		ck_assert_msg(strstr(e.message, BAD[i].says) != NULL, "case %zu: \"%s\" does not say \"%s\"", i, e.message, BAD[i].says);
	}
	npy_write(1, "{", 60000, 0);
	ck_assert_int_lt(npy_read(inside("a.npy"), 2, 4, tensor, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, "truncated"));
	npy_write(2, "{", 0xfffffff0u, 0);
	ck_assert_int_lt(npy_read(inside("a.npy"), 2, 4, tensor, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, "more than any array needs"));
	npy_write(3, "{", 1, 0);
	ck_assert_int_eq(npy_read(inside("a.npy"), 2, 4, tensor, &e), LSDN_ERROR_UNSUPPORTED);
	ck_assert_int_lt(npy_read(data_path("rgb16.png"), 2, 4, tensor, &e), 0);
	ck_assert_int_lt(npy_read(inside("absent.npy"), 2, 4, tensor, &e), 0);
}
END_TEST

/* Output */

START_TEST(output_appears_whole)
{
	struct output out;
	struct error e;
	char text[8] = "";
	mode_t mask = umask(0027);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(output_open(&out, inside("a.txt"), &e) == 0, "%s", e.message);
		fprintf(out.file, "new %d", i);
		fflush(out.file);
		ck_assert_int_eq(access(inside("a.txt"), F_OK), i ? 0 : -1);
		ck_assert_msg(output_close(&out, &e) == 0, "%s", e.message);
		output_abandon(&out);
	}
	umask(mask);
	struct stat status;
	ck_assert_int_eq(stat(inside("a.txt"), &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0640);
	ck_assert_int_eq(output_open(&out, inside("a.txt"), &e), 0);
	fprintf(out.file, "half");
	output_abandon(&out);
	FILE *file = fopen(inside("a.txt"), "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
	ck_assert_str_eq(text, "new 1");
	fclose(file);
	ck_assert_int_eq(folder_clear(), 1);
}
END_TEST

START_TEST(output_through_a_link)
{
	struct output out;
	struct error e;
	struct stat status;
	char target[PATH];
	snprintf(target, sizeof target, "%s", inside("target"));
	fclose(fopen(target, "w"));
	ck_assert_int_eq(symlink("target", inside("link")), 0);
	ck_assert_int_eq(output_open(&out, inside("link"), &e), 0);
	fprintf(out.file, "text");
	ck_assert_int_eq(output_close(&out, &e), 0);
	ck_assert_int_eq(lstat(inside("link"), &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	ck_assert_int_eq(stat(target, &status), 0);
	ck_assert_int_eq(status.st_size, 4);
}
END_TEST

/* As far as the file system has files without names. */
START_TEST(a_program_that_is_killed_leaves_nothing)
{
	int probe = open(folder, O_TMPFILE | O_WRONLY, 0600);
	if (probe < 0)
		return;
	close(probe);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct output out;
		if (output_open(&out, inside("a.txt"), NULL) == 0 && fprintf(out.file, "half") > 0 && fflush(out.file) == 0)
			raise(SIGKILL);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(folder_clear(), 0);
}
END_TEST

START_TEST(output_that_cannot_be)
{
	struct output out;
	struct error e;
	struct stat status;
	ck_assert_int_eq(output_open(&out, inside("absent/a.txt"), &e), LSDN_ERROR_IO);
	ck_assert_ptr_nonnull(strstr(e.message, strerror(ENOENT)));
	ck_assert_int_eq(output_open(&out, "/dev/full", &e), LSDN_ERROR_IO);
	ck_assert_int_eq(stat("/dev/full", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	ck_assert_int_eq(output_open(&out, folder, &e), LSDN_ERROR_IO);
	ck_assert_int_lt(output_open(&out, "", &e), 0);
	ck_assert_int_lt(output_open(&out, inside("a/"), &e), 0);
	ck_assert_ptr_null(out.file);
	ck_assert_ptr_null(out.path);
	ck_assert_int_lt(output_open(&out, "/proc/a.txt", &e), 0); /* no one may make a file there, not even root */
	ck_assert_int_eq(folder_clear(), 0);
	if (geteuid() != 0) {
		ck_assert_int_eq(chmod(folder, 0500), 0);
		ck_assert_int_eq(output_open(&out, inside("a.txt"), &e), LSDN_ERROR_IO);
		ck_assert_ptr_nonnull(strstr(e.message, strerror(EACCES)));
		ck_assert_int_eq(chmod(folder, 0700), 0);
	}
}
END_TEST

static struct rlimit limit_files(rlim_t most)
{
	struct rlimit limit, old;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){.rlim_cur = most, .rlim_max = old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return old;
}

START_TEST(a_disk_that_is_full_leaves_nothing)
{
	struct output out;
	struct error e;
	ck_assert_int_eq(output_open(&out, inside("a.txt"), &e), 0);
	struct rlimit old = limit_files(10000);
	for (int i = 0; i < 5000; i++)
		fprintf(out.file, "line %d\n", i);
	ck_assert_int_eq(output_close(&out, &e), LSDN_ERROR_IO);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_ptr_nonnull(strstr(e.message, "a.txt"));
	ck_assert_ptr_nonnull(strstr(e.message, strerror(EFBIG)));
	ck_assert_ptr_null(out.path);
	ck_assert_int_eq(folder_clear(), 0);
}
END_TEST

/* Pictures */

struct scene {
	struct photo photo;
	struct point points[60];
	bool keep[60];
	float *map;
	struct box box;
	struct picture picture;
};

static void scene_make(struct scene *s, int width, int height)
{
	struct error e;
	bool found = false;
	s->photo = ramp(width, height);
	for (int i = 0; i < 60; i++) {
		s->points[i] = (struct point){(0.3 + 0.005 * (i * 7 % 60)) * height, (0.4 + 0.006 * (i * 11 % 60)) * width};
		if (i % 20 == 0)
			s->points[i] = (struct point){0.02 * i * height / 2, 0.05 * width};
	}
	box_outliers(s->points, 60, width, height, &CHOICES_DEFAULT.box, s->keep);
	ck_assert(box_find(s->points, NULL, s->keep, 60, width, height, &CHOICES_DEFAULT.box, &s->box, &found, &e) == 0 && found);
	s->map = malloc((size_t)width * (size_t)height * sizeof *s->map);
	ck_assert_ptr_nonnull(s->map);
	ck_assert_int_eq(map_make(s->points, NULL, s->keep, 60, width, height, 0.032, s->map, &e), 0);
	s->picture = (struct picture){.photo = &s->photo, .points = s->points, .keep = s->keep, .count = 60, .box = &s->box, .map = s->map,
		.caption = "caf\xc3\xa9 table, dining table 0.72"};
}

static void scene_free(struct scene *s)
{
	free(s->map);
	photo_free(&s->photo);
}

START_TEST(pictures_in_three_formats)
{
	static const char *const NAMES[] = {"a.png", "a.svg", "a.PDF"}, *const MAGIC[] = {"\x89PNG\r\n\x1a\n", "<?xml", "%PDF-"};
	struct scene s;
	struct error e;
	scene_make(&s, 96, 80);
	for (int i = 0; i < 3; i++) {
		size_t size, again;
		ck_assert_msg(picture_write(&s.picture, inside(NAMES[i]), &e) == 0, "%s", e.message);
		uint8_t *bytes = bytes_of(inside(NAMES[i]), &size);
		ck_assert_uint_gt(size, 1000);
		ck_assert_int_eq(memcmp(bytes, MAGIC[i], strlen(MAGIC[i])), 0);
		if (i != 1) { /* cairo counts the surfaces of an SVG's process in its names */
			ck_assert_int_eq(picture_write(&s.picture, inside(NAMES[i]), &e), 0);
			uint8_t *same = bytes_of(inside(NAMES[i]), &again);
			ck_assert(size == again && memcmp(bytes, same, size) == 0);
			free(same);
		}
		free(bytes);
	}
	ck_assert_int_eq(folder_clear(), 3);
	scene_free(&s);
}
END_TEST

START_TEST(pictures_of_every_size)
{
	static const int SIZES[][2] = {{1, 1}, {96, 96}, {500, 375}, {20, 900}, {3000, 4}, {2600, 2100}};
	struct scene s;
	struct error e;
	struct photo read;
	scene_make(&s, SIZES[_i][0], SIZES[_i][1]);
	s.picture.box = _i % 2 ? NULL : &s.box;
	ck_assert_msg(picture_write(&s.picture, inside("a.png"), &e) == 0, "%s", e.message);
	ck_assert_msg(photo_read(&read, inside("a.png"), &e) == 0, "%s", e.message);
	ck_assert_int_ge(read.width > read.height ? read.width : read.height, 400);
	ck_assert_int_le(read.width, 1700);
	photo_free(&read);
	scene_free(&s);
}
END_TEST

START_TEST(pictures_that_cannot_be)
{
	struct scene s;
	struct error e;
	scene_make(&s, 30, 20);
	ck_assert_int_eq(picture_write(&s.picture, inside("a.gif"), &e), LSDN_ERROR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.message, ".svg"));
	ck_assert_int_eq(picture_write(&s.picture, inside(".png"), &e), LSDN_ERROR_INPUT);
	ck_assert_int_eq(picture_write(&s.picture, inside("absent/a.png"), &e), LSDN_ERROR_IO);
	s.picture.caption = "\xff\xfe";
	ck_assert_int_lt(picture_write(&s.picture, inside("a.png"), &e), 0);
	s.picture.caption = "";
	struct rlimit old = limit_files(2000);
	int full = picture_write(&s.picture, inside("a.svg"), &e);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(full, LSDN_ERROR_IO);
	ck_assert_int_eq(folder_clear(), 0);
	scene_free(&s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files");
	TCase *files = tcase_create("files");
	tcase_set_timeout(files, 120);
	tcase_add_checked_fixture(files, in_new_folder, remove_folder);
	tcase_add_test(files, npy_files_as_numpy_writes_them);
	tcase_add_test(files, npy_files_that_lie);
	tcase_add_test(files, output_appears_whole);
	tcase_add_test(files, output_through_a_link);
	tcase_add_test(files, a_program_that_is_killed_leaves_nothing);
	tcase_add_test(files, output_that_cannot_be);
	tcase_add_test(files, a_disk_that_is_full_leaves_nothing);
	tcase_add_test(files, pictures_in_three_formats);
	tcase_add_loop_test(files, pictures_of_every_size, 0, 6);
	tcase_add_test(files, pictures_that_cannot_be);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
