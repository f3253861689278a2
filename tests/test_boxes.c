/* Files of boxes: shares worked out by hand, what is refused, and the published figures of four networks. */
#include "config.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calib/boxes.h"
#include "tests/folder.h"
#include "tests/suite.h"

static const char *in_root(const char *name)
{
	static char paths[8][200];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", root, name);
	return path;
}

static void file(const char *name, const char *text)
{
	FILE *stream = fopen(in_root(name), "w");
	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static int score(struct box_scores *s, struct box_match *m, const char *boxes, const char *ids, const char *data, const char *names, struct error *e)
{
	struct class_ids c = {0};
	struct box_file f = {0};
	struct dataset d = {0};
	*m = (struct box_match){0};
	int code = class_ids_read(&c, ids, e);
	if (!code)
		code = box_file_read(&f, boxes, c.count, e);
	if (!code)
		code = dataset_open_truth(&d, data, NULL, e);
	if (!code)
		code = box_match(m, &f, boxes, &d, names, e);
	if (!code)
		code = box_score(s, &f, m, &c, &d, e);
	box_match_free(&(struct box_match){.lines = m->lines});
	m->lines = NULL;
	dataset_close(&d);
	box_file_free(&f);
	class_ids_free(&c);
	return code;
}

static void check_scores(const struct box_scores *s, uint64_t images, uint64_t both, uint64_t right_class, uint64_t overlap)
{
	ck_assert_uint_eq(s->images, images);
	ck_assert_uint_eq(s->both, both);
	ck_assert_uint_eq(s->right_class, right_class);
	ck_assert_uint_eq(s->overlap, overlap);
}

static const char IDS[] = "n1\nn2\r\n\n";

/* a: the very box. b: the second of two boxes, wrong class. c: 50 of 100 pixels, exactly a half. d: 60 of 100. e: elsewhere, wrong class.
 * f: 6 of 9 pixels with both ends included (2 of 4 without). */
static const char CSV[] = "ImageId,PredictionString\nf,n2 0 0 2 2 \nb,n2 0 0 9 9 n2 50 50 59 59 \na,n1 10 10 19 19 \nd,n1 0 0 9 9 \nc,n1 0 0 9 9 \n"
	"e,n2 0 0 9 9 \n";
static const char BOXES[] = "1 10 10 19 19\n1 50 50 59 59\n1 0 0 9 4\r\n1 0 0 9 5\n 1\t90 90 99 99 \n2 0 0 1 2\n\n";

static void hand_worked(void)
{
	file("ids", IDS);
	file("truth.csv", CSV);
	file("boxes", BOXES);
}

static int score_files(struct box_scores *s, struct box_match *m, const char *names, struct error *e)
{
	return score(s, m, in_root("boxes"), in_root("ids"), in_root("truth.csv"), names, e);
}

START_TEST(worked_by_hand)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	hand_worked();
	ck_assert_msg(score_files(&s, &m, NULL, &e) == 0, "%s", e.message);
	check_scores(&s, 6, 3, 4, 4);
	ck_assert_int_eq(m.order, BOX_ORDER_SORTED);
	ck_assert_uint_eq(s.sized, 0);
	ck_assert_uint_eq(s.unknown, 0);
}
END_TEST

START_TEST(names_say_which_line_is_whose)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	hand_worked();
	file("boxes", "2 0 0 1 2\n1 1 1 1 1\n1 0 0 9 5\n1 0 0 9 4\n");
	file("names", "f\nnot-there\nd\nc\n");
	ck_assert_msg(score_files(&s, &m, in_root("names"), &e) == 0, "%s", e.message);
	check_scores(&s, 3, 2, 3, 2);
	ck_assert_int_eq(m.order, BOX_ORDER_NAMES);
	ck_assert_uint_eq(m.unused, 1);
	static const struct {
		const char *text, *message;
	} BAD[] = {{"f\nd\nc\n", "names: has 3 names"}, {"f\n\nd\nc\n", "names:2: no name"}, {"f\nd\nc\nf\n", "names:4: f is on line 1 too"},
		{"v\nx\ny\nz\n", "none of its 4 names"}, {"", "is empty"}, {"\n\n", "names: no line"}};
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		file("names", BAD[i].text);
		ck_assert_int_ne(score_files(&s, &m, in_root("names"), &e), 0);
		ck_assert_msg(strstr(e.message, BAD[i].message) != NULL, "%s", e.message);
	}
}
END_TEST

START_TEST(ids_that_are_not_the_data_s)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	hand_worked();
	file("ids", "n1\nn3\n");
	ck_assert_msg(score_files(&s, &m, NULL, &e) == 0, "%s", e.message);
	check_scores(&s, 6, 2, 3, 4);
	ck_assert_uint_eq(s.unknown, 3);
}
END_TEST

static void xml_folder(const char *const names[3])
{
	static const char *const BOX[] = {"10</xmin><ymin>10</ymin><xmax>89</xmax><ymax>69", "0</xmin><ymin>0</ymin><xmax>99</xmax><ymax>39",
		"20</xmin><ymin>20</ymin><xmax>79</xmax><ymax>59"};
	char name[100], text[500];
	file("ids", IDS);
	ck_assert_int_eq(mkdir(in_root("data"), 0777), 0);
	ck_assert_int_eq(mkdir(in_root("data/images"), 0777), 0);
	ck_assert_int_eq(mkdir(in_root("data/annotations"), 0777), 0);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "data/images/%s.JPEG", names[i]);
		file(name, "not read");
		snprintf(name, sizeof name, "data/annotations/%s.xml", names[i]);
		snprintf(text, sizeof text, "<annotation><size><width>100</width><height>80</height></size><object><name>n1</name><bndbox><xmin>%s</ymax></bndbox>"
			"</object></annotation>", BOX[i]);
		file(name, text);
	}
}

/* The centre box is (12.5, 10)-(86.5, 69), 4500 pixels. 1: IoU with it 4500/4800, with the whole photograph 4800/8000. 2: 2250/6250 and exactly a half.
 * 3: 2400/4500 and 2400/8000. */
START_TEST(xml_gives_sizes)
{
	static const char *const NAMES[] = {"p", "q", "r"};
	struct box_scores s;
	struct box_match m;
	struct error e;
	xml_folder(NAMES);
	file("boxes", "1 10 10 89 69\n2 0 0 99 39\n1 0 0 1 1\n");
	ck_assert_msg(score(&s, &m, in_root("boxes"), in_root("ids"), in_root("data"), NULL, &e) == 0, "%s", e.message);
	check_scores(&s, 3, 1, 2, 2);
	ck_assert_uint_eq(s.sized, 3);
	ck_assert_uint_eq(s.center, 2);
	ck_assert_uint_eq(s.whole, 1);
}
END_TEST

static void fifty_thousand(void)
{
	FILE *stream = fopen(in_root("boxes"), "w");
	ck_assert_ptr_nonnull(stream);
	for (int i = 1; i <= 50000; i++)
		fputs(i == 3 ? "1 10 10 89 69\n" : i == 17 ? "2 0 0 99 39\n" : i == 50000 ? "1 20 20 79 59\n" : "2 0 0 0 0\n", stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static const struct {
	const char *names[3], *message;
} NUMBERED[] = {
	{{"x_00000003", "x_00000017", "x_50000"}, NULL},
	{{"x_00000003", "x_00000017", "y_3"}, "another image ends in 3"},
	{{"x_00000003", "x_00000017", "x"}, "x: does not end in a number"},
	{{"x_00000003", "x_00000017", "x_50001"}, "does not end in a number"},
	{{"x_00000000", "x_00000017", "x_3"}, "does not end in a number"},
	{{"x_99999999999999999999999999999999", "x_00000017", "x_3"}, "does not end in a number"},
};

START_TEST(numbers_at_the_end_of_names)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	xml_folder(NUMBERED[_i].names);
	fifty_thousand();
	int code = score(&s, &m, in_root("boxes"), in_root("ids"), in_root("data"), NULL, &e);
	if (NUMBERED[_i].message) {
		ck_assert_int_ne(code, 0);
		ck_assert_msg(strstr(e.message, NUMBERED[_i].message) != NULL, "%s", e.message);
		return;
	}
	ck_assert_msg(code == 0, "%s", e.message);
	check_scores(&s, 3, 2, 2, 3);
	ck_assert_int_eq(m.order, BOX_ORDER_NUMBER);
	ck_assert_uint_eq(m.unused, 49997);
}
END_TEST

static const struct {
	const char *file, *text, *message;
} BAD_FILES[] = {
	{"boxes", "", "is empty"},
	{"boxes", " \n\n", "boxes: no line"},
	{"boxes", "1 0 0 1 1\n", "boxes:1: the file ends after 1 boxes, the data set has 6"},
	{"boxes", "1 0 0 1 1\n1 0 0 1\n", "boxes:2: \"1 0 0 1\": not five"},
	{"boxes", "1 0 0 1 1\n\n1 0 0 1 1\n", "boxes:2: \"\": not five"},
	{"boxes", "1 0 0 1 1 1\n", "boxes:1: \"1 0 0 1 1 1\": more than five"},
	{"boxes", "1 0 0 1 x\n", "boxes:1: "},
	{"boxes", "1 0 0 nan 1\n", "boxes:1: "},
	{"boxes", "1 0 0 1e3 1\n", "boxes:1: "},
	{"boxes", "1 0 0 99999999999999999999999999 1\n", "boxes:1: "},
	{"boxes", "1 0 0 2000000 1\n", "boxes:1: "},
	{"boxes", "0 0 0 1 1\n", "no such class"},
	{"boxes", "3 0 0 1 1\n", "class from 1 to 2"},
	{"boxes", "-1 0 0 1 1\n", "no such class"},
	{"boxes", "1.5 0 0 1 1\n", "no such class"},
	{"boxes", "1 5 0 4 1\n", "ends before it begins"},
	{"boxes", "1 0 5 4 1\n", "ends before it begins"},
	{"ids", "", "is empty"},
	{"ids", "n1\nn2 dog\n", "ids:2: \"n2 dog\" is no WordNet id"},
	{"ids", "n1\n\nn2\n", "ids:2: "},
	{"ids", "n1\nn12345678901234567890\n", "ids:2: "},
	{"ids", "n1\nn2\nn1\n", "n1 is on two lines"},
	{"truth.csv", "ImageId,PredictionString\n", "truth.csv: no image"},
	{"truth.csv", "a,n1 0 0 1 1\n", "truth.csv:1: not"},
	{"truth.csv", "ImageId,PredictionString\nb,n1 0 0 1 1\na,n1 0 0 1 1\nc,n1 0 0 1 1\nf,n1 0 0 1\ne,n1 0 0 1 1\nd,n1 0 0 1 1\n", "truth.csv:5: "},
};

START_TEST(bad_files_are_refused)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	hand_worked();
	file(BAD_FILES[_i].file, BAD_FILES[_i].text);
	ck_assert_int_ne(score_files(&s, &m, NULL, &e), 0);
	ck_assert_msg(strstr(e.message, BAD_FILES[_i].message) != NULL, "%s", e.message);
	ck_assert_int_eq(unlink(in_root(BAD_FILES[_i].file)), 0);
	ck_assert_int_ne(score_files(&s, &m, NULL, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, BAD_FILES[_i].file));
	ck_assert_ptr_nonnull(strstr(e.message, "No such file"));
}
END_TEST

START_TEST(huge_file_is_refused)
{
	struct box_scores s;
	struct box_match m;
	struct error e;
	hand_worked();
	ck_assert_int_eq(truncate(in_root("boxes"), (off_t)1 << 40), 0);
	ck_assert_int_ne(score_files(&s, &m, NULL, &e), 0);
	ck_assert_msg(strstr(e.message, "more than") != NULL, "%s", e.message);
}
END_TEST

/* The suites run at the top of the build tree, where the programs are. */
static int run(const char *arguments)
{
	char command[1000];
	snprintf(command, sizeof command, "./lsdn-evaluate %s >%s/out 2>%s/err", arguments, root, root);
	int status = system(command);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_files(const char *more)
{
	char arguments[800];
	snprintf(arguments, sizeof arguments, "--boxes %s --ids %s --data %s %s", in_root("boxes"), in_root("ids"), in_root("truth.csv"), more);
	return run(arguments);
}

static const char *contents(const char *name)
{
	static char text[10000];
	FILE *stream = fopen(in_root(name), "r");
	ck_assert_ptr_nonnull(stream);
	text[fread(text, 1, sizeof text - 1, stream)] = '\0';
	fclose(stream);
	return text;
}

/* Intervals of 3 and 4 of 6 by Wilson's formula, computed apart. */
START_TEST(program)
{
	hand_worked();
	ck_assert_int_eq(run_files(""), 0);
	ck_assert_msg(strstr(contents("out"), "50.000  [18.762, 81.238]") != NULL, "%s", contents("out"));
	ck_assert_ptr_nonnull(strstr(contents("out"), "66.667  [29.999, 90.323]"));
	ck_assert_ptr_nonnull(strstr(contents("out"), "does not give the photographs' sizes"));
	ck_assert_ptr_null(strstr(contents("out"), "centre box  "));
	ck_assert_int_eq(run_files("--json"), 0);
	FILE *stream = fopen(in_root("out"), "r");
	json_t *line = json_loadf(stream, JSON_DISABLE_EOF_CHECK, NULL);
	fclose(stream);
	ck_assert_str_eq(json_string_value(json_object_get(line, "measure")), "localisation error");
	ck_assert(json_real_value(json_object_get(line, "percent")) == 50);
	json_decref(line);
	ck_assert_int_eq(run("--help"), 0);
	ck_assert_int_eq(run("--version"), 0);
	ck_assert_int_eq(run("--boxes x"), 2);
	ck_assert_int_eq(run_files("stray"), 2);
	ck_assert_int_eq(run_files("--no-such-option"), 2);
	file("boxes", "1 0 0 1 oops\n");
	ck_assert_int_eq(run_files(""), 1);
	ck_assert(strncmp(contents("err"), "lsdn-evaluate: /", 16) == 0 && strstr(contents("err"), "/boxes:1: "));
}
END_TEST

START_TEST(program_with_xml)
{
	static const char *const NAMES[] = {"x_3", "x_17", "x_50000"};
	xml_folder(NAMES);
	fifty_thousand();
	char arguments[800];
	snprintf(arguments, sizeof arguments, "-b %s -i %s -d %s", in_root("boxes"), in_root("ids"), in_root("data"));
	ck_assert_int_eq(run(arguments), 0);
	ck_assert_ptr_nonnull(strstr(contents("err"), "50000 lines for 3 images"));
	ck_assert_ptr_nonnull(strstr(contents("out"), "centre box  "));
	ck_assert_ptr_nonnull(strstr(contents("out"), "whole photograph  "));
}
END_TEST

/* CNN-Fixations' own boxes (K. R. Mopuri, U. Garg, R. V. Babu, IEEE TIP 28, 2019) against all 50,000 validation images; its table says 65.7, 55.2,
 * 57.51 and 54.3. */
static const struct {
	const char *file;
	double error, right_class, overlap;
} PUBLISHED[] = {
	{"alexnet.txt", 65.702, 58.358, 51.974},
	{"vgg16.txt", 55.200, 73.018, 56.338},
	{"googlenet.txt", 57.510, 70.228, 56.196},
	{"resnet152.txt", 54.300, 78.300, 55.258},
};

START_TEST(published_figures)
{
	const char *shared = getenv("LSDN_SHARED");
	char boxes[1000], ids[1000], data[1000];
	snprintf(boxes, sizeof boxes, "%s/boxes/%s", shared ? shared : "", PUBLISHED[_i].file);
	snprintf(ids, sizeof ids, "%s/boxes/ilsvrc-ids.txt", shared ? shared : "");
	snprintf(data, sizeof data, "%s/boxes/LOC_val_solution.csv", shared ? shared : "");
	if (!shared || access(boxes, R_OK) != 0) {
		printf("skipped: %s: the published boxes are not there\n", boxes);
		return;
	}
	struct box_scores s;
	struct box_match m;
	struct error e;
	ck_assert_msg(score(&s, &m, boxes, ids, data, NULL, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(s.images, 50000);
	ck_assert_uint_eq(s.unknown, 0);
	/* One image of 50,000 is 0.002 percent, so half of that tells every count apart. */
	ck_assert_double_eq_tol(100 - (double)s.both / 500, PUBLISHED[_i].error, 0.001);
	ck_assert_double_eq_tol((double)s.right_class / 500, PUBLISHED[_i].right_class, 0.001);
	ck_assert_double_eq_tol((double)s.overlap / 500, PUBLISHED[_i].overlap, 0.001);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boxes");
	TCase *files = tcase_create("files"), *figures = tcase_create("figures");
	tcase_add_checked_fixture(files, in_new_folder, remove_folder);
	tcase_add_test(files, worked_by_hand);
	tcase_add_test(files, names_say_which_line_is_whose);
	tcase_add_test(files, ids_that_are_not_the_data_s);
	tcase_add_test(files, xml_gives_sizes);
	tcase_add_loop_test(files, numbers_at_the_end_of_names, 0, sizeof NUMBERED / sizeof *NUMBERED);
	tcase_add_loop_test(files, bad_files_are_refused, 0, sizeof BAD_FILES / sizeof *BAD_FILES);
	tcase_add_test(files, huge_file_is_refused);
	tcase_add_test(files, program);
	tcase_add_test(files, program_with_xml);
	suite_add_tcase(suite, files);
	tcase_add_loop_test(figures, published_figures, 0, sizeof PUBLISHED / sizeof *PUBLISHED);
	tcase_set_timeout(files, 60);
	tcase_set_timeout(figures, 60);
	suite_add_tcase(suite, figures);
	return run_suite(suite);
}
