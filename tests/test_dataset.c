/* Annotations as they are, as they should not be, and as an enemy would write them; the three layouts of a folder. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calib/annotation.h"
#include "calib/dataset.h"
#include "tests/folder.h"
#include "tests/suite.h"

static const char *data_path(const char *name)
{
	static char path[1000];
	const char *folder = getenv("LSDN_TEST_DATA");
	snprintf(path, sizeof path, "%s/annotations/%s", folder ? folder : "tests/data", name);
	return path;
}

static void check_box(const struct annotated_box *box, const char *wnid, double xmin, double ymin, double xmax, double ymax)
{
	ck_assert_str_eq(box->wnid, wnid);
	ck_assert_msg(box->box.xmin == xmin && box->box.ymin == ymin && box->box.xmax == xmax && box->box.ymax == ymax,
		"box %g %g %g %g", box->box.xmin, box->box.ymin, box->box.xmax, box->box.ymax);
}

START_TEST(good_xml)
{
	struct annotation a;
	struct error e;
	ck_assert_msg(annotation_read_xml(&a, data_path("good.xml"), &e) == 0, "%s", e.message);
	ck_assert_int_eq(a.width, 500);
	ck_assert_int_eq(a.height, 375);
	ck_assert_uint_eq(a.count, 2);
	check_box(&a.boxes[0], "n02951358", 20, 175, 111, 292);
	check_box(&a.boxes[1], "dog", 372, 189, 499, 224.5);
	annotation_free(&a);
}
END_TEST

START_TEST(a_little_outside_is_clipped)
{
	struct annotation a;
	struct error e;
	ck_assert_msg(annotation_read_xml(&a, data_path("clipped.xml"), &e) == 0, "%s", e.message);
	check_box(&a.boxes[0], "n01440764", 0, 0, 499, 374);
	annotation_free(&a);
}
END_TEST

static const struct {
	const char *file, *message;
} BAD[] = {
	{"no-box.xml", "no <object>"},        {"no-size.xml", "no <size>"},         {"outside.xml", "outside the 500 x 375"},
	{"turned.xml", ":15: box 30 10 20 20"}, {"huge-number.xml", ":12: <xmax>"}, {"huge-size.xml", ":3: <width>"},
	{"zero-size.xml", ":3: <width>"},     {"nan.xml", ":12: <xmax>"},           {"empty-number.xml", ":12: <xmax>"},
	{"long-name.xml", ":8: <name>"},      {"missing-side.xml", ":14: an <object> without"},
	{"entity.xml", ":8: not XML"},        {"doctype.xml", ":1: a DOCTYPE"},     {"laughs.xml", ":2: a DOCTYPE"},
	{"broken.xml", "not XML"},            {"json.xml", ":1: not XML"},          {"empty.xml", "is empty"},
	{"there-is-no-such.xml", "No such file"},
};

START_TEST(bad_xml_is_refused)
{
	struct annotation a;
	struct error e;
	ck_assert_int_ne(annotation_read_xml(&a, data_path(BAD[_i].file), &e), 0);
	ck_assert_msg(strstr(e.message, BAD[_i].message) != NULL, "%s", e.message);
	ck_assert_ptr_nonnull(strstr(e.message, BAD[_i].file));
	ck_assert(!a.boxes && !a.count);
}
END_TEST

START_TEST(predictions)
{
	struct annotation a;
	struct error e;
	ck_assert_msg(annotation_read_prediction(&a, "n09193705 45 49 499 162 n09193705 2 69 437 207 ", "f:3", &e) == 0, "%s", e.message);
	ck_assert_uint_eq(a.count, 2);
	ck_assert_int_eq(a.width, 0);
	check_box(&a.boxes[0], "n09193705", 45, 49, 499, 162);
	check_box(&a.boxes[1], "n09193705", 2, 69, 437, 207);
	annotation_free(&a);
	static const char *const WRONG[] = {"", "  ", "n1", "n1 1 2 3", "n1 1 2 3 x", "n1 1 2 3 1e3", "n1 1 2 3 inf", "n1 5 2 3 4", "n1 1 5 3 4",
		"n1 1 2 3 4 n2", "n1 1 2 3 2000000", "n1 1 2 3 -", "n1 1 2 3 1.2.3", "n1234567890123456 1 2 3 4"};
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		ck_assert_msg(annotation_read_prediction(&a, WRONG[i], "f:3", &e) != 0, "\"%s\"", WRONG[i]);
		ck_assert_msg(strncmp(e.message, "f:3: ", 5) == 0, "%s", e.message);
		ck_assert(!a.boxes && !a.count);
	}
}
END_TEST

START_TEST(boxes_are_bounded)
{
	static char text[10001 * 11 + 1];
	struct annotation a;
	struct error e;
	for (int i = 0; i < 10001; i++)
		memcpy(text + 11 * i, "n1 0 0 1 1 ", 12);
	ck_assert_int_ne(annotation_read_prediction(&a, text, "f:3", &e), 0);
	text[10000 * 11] = '\0';
	ck_assert_int_eq(annotation_read_prediction(&a, text, "f:3", &e), 0);
	ck_assert_uint_eq(a.count, 10000);
	annotation_free(&a);
}
END_TEST

/* A photograph of 50 x 40 of which the annotation speaks as 100 x 80: (5, 5)-(9, 9) are its pixels (10, 10)-(19, 19). */
START_TEST(iou_is_of_the_annotation_s_grid)
{
	struct annotated_box boxes[] = {{"n1", {50, 50, 69, 69}}, {"n1", {10, 10, 19, 19}}};
	struct annotation a = {.width = 100, .height = 80, .boxes = boxes, .count = 2};
	ck_assert_double_eq_tol(annotation_iou(&a, &(struct boxf){5, 5, 9, 9}, 50, 40), 1, 1e-12);
	a.width = a.height = 0;
	ck_assert(annotation_iou(&a, &(struct boxf){10, 10, 19, 19}, 50, 40) == 1);
	ck_assert(annotation_iou(&a, &(struct boxf){30, 10, 39, 19}, 50, 40) == 0);
}
END_TEST

static void folder(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", root, name);
	ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void file(const char *name, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", root, name);
	FILE *stream = fopen(path, "w");
	ck_assert_ptr_nonnull(stream);
	fputs(text, stream);
	ck_assert_int_eq(fclose(stream), 0);
}

static void images_in(const char *name)
{
	static const char *const FILES[] = {"b.JPEG", "a.png", "B.jpg", "c.Jpg", "lonely.png", "notes.txt", ".hidden.png", "plain", "d.e.jpeg"};
	char path[100];
	for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
		snprintf(path, sizeof path, "%s/%s", name, FILES[i]);
		file(path, "not read when listed");
	}
}

static void annotations_in(const char *name)
{
	static const char *const FILES[] = {"a.xml", "B.xml", "b.xml", "c.XML", "d.e.xml", "without-photograph.xml", "lonely.txt"};
	char path[100], text[500];
	for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
		snprintf(path, sizeof path, "%s/%s", name, FILES[i]);
		snprintf(text, sizeof text, "<annotation><size><width>100</width><height>100</height></size><object><name>%c</name><bndbox>"
			"<xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>", FILES[i][0]);
		file(path, text);
	}
}

static void check_items(const char *images)
{
	static const char *const SORTED[] = {"B.jpg", "a.png", "b.JPEG", "c.Jpg", "d.e.jpeg"};
	struct dataset d;
	struct error e;
	size_t without;
	ck_assert_msg(dataset_open(&d, root, &without, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(without, 1);
	ck_assert_uint_eq(d.count, 5);
	for (size_t i = 0; i < d.count; i++) {
		char path[200];
		struct annotation a;
		snprintf(path, sizeof path, "%s/%s/%s", root, images, SORTED[i]);
		ck_assert_str_eq(d.items[i].image, path);
		ck_assert_msg(dataset_annotation(&d, i, &a, &e) == 0, "%s", e.message);
		ck_assert_int_eq(a.boxes[0].wnid[0], SORTED[i][0]);
		annotation_free(&a);
	}
	dataset_close(&d);
	ck_assert_int_eq(dataset_open(&d, root, NULL, &e), 0);
	dataset_close(&d);
}

START_TEST(own_layout)
{
	folder("images");
	folder("annotations");
	images_in("images");
	annotations_in("annotations");
	check_items("images");
}
END_TEST

START_TEST(imagenet_s_layout)
{
	folder("Data");
	folder("Data/CLS-LOC");
	folder("Data/CLS-LOC/val");
	folder("Annotations");
	folder("Annotations/CLS-LOC");
	folder("Annotations/CLS-LOC/val");
	images_in("Data/CLS-LOC/val");
	annotations_in("Annotations/CLS-LOC/val");
	file("LOC_val_solution.csv", "not looked at where there are annotations");
	check_items("Data/CLS-LOC/val");
}
END_TEST

static const char CSV[] = "ImageId,PredictionString\r\nd.e,d 1 2 3 4 \r\na,a 1 2 3 4\nb,b 1 2 3 4\n\nB,B 1 2 3 4 B 5 6 7 8\nc,c 1 2 3 4\n"
	"without-photograph,x 1 2 3 4";

START_TEST(csv_beside_images)
{
	folder("images");
	images_in("images");
	file("LOC_val_solution.csv", CSV);
	check_items("images");
	struct dataset d;
	struct annotation a;
	struct error e;
	ck_assert_int_eq(dataset_open(&d, root, NULL, &e), 0);
	ck_assert_uint_eq(d.items[0].csv_line, 6);
	ck_assert_int_eq(dataset_annotation(&d, 0, &a, &e), 0);
	check_box(&a.boxes[1], "B", 5, 6, 7, 8);
	annotation_free(&a);
	dataset_close(&d);
}
END_TEST

static const struct {
	const char *text, *message;
} BAD_CSV[] = {
	{"a,n1 1 2 3 4\n", "csv:1: not \"ImageId"},
	{"ImageId,PredictionString\na,n1 1 2 3 4\nbroken\n", "csv:3: no image"},
	{"ImageId,PredictionString\n,n1 1 2 3 4\n", "csv:2: no image"},
	{"ImageId,PredictionString\na,n1 1 2 3 4\nb,n1 1 2 3 4\na,n1 1 2 3 4\n", "csv:4: a has another line, 2"},
	{"ImageId,PredictionString\nz,n1 1 2 3 4\n", "none of 6 photographs"},
	{"", "is empty"},
};

START_TEST(bad_csv_is_refused)
{
	struct dataset d;
	struct error e;
	folder("images");
	images_in("images");
	file("LOC_val_solution.csv", BAD_CSV[_i].text);
	ck_assert_int_ne(dataset_open(&d, root, NULL, &e), 0);
	ck_assert_msg(strstr(e.message, BAD_CSV[_i].message) != NULL, "%s", e.message);
	ck_assert(!d.items && !d.csv);
}
END_TEST

START_TEST(bad_line_of_a_csv)
{
	struct dataset d;
	struct annotation a;
	struct error e;
	folder("images");
	images_in("images");
	file("LOC_val_solution.csv", "ImageId,PredictionString\nb,n1 1 2 3 4\na,n1 1 2 3\n");
	ck_assert_msg(dataset_open(&d, root, NULL, &e) == 0, "%s", e.message);
	ck_assert_int_ne(dataset_annotation(&d, 0, &a, &e), 0);
	ck_assert_msg(strstr(e.message, "LOC_val_solution.csv:3: ") != NULL, "%s", e.message);
	dataset_close(&d);
}
END_TEST

START_TEST(folder_without_a_layout)
{
	struct dataset d;
	struct error e;
	ck_assert_int_ne(dataset_open(&d, root, NULL, &e), 0);
	ck_assert_msg(strstr(e.message, "no data set") != NULL, "%s", e.message);
}
END_TEST

/* The shared photographs' XML and the challenge's CSV were made by different people from the same boxes. */
START_TEST(xml_and_csv_agree)
{
	const char *shared = getenv("LSDN_SHARED");
	char path[1000], target[1000];
	struct dataset xml, csv;
	struct error e;
	size_t boxes = 0, without;
	snprintf(path, sizeof path, "%s/images", shared ? shared : "");
	if (!shared || access(path, R_OK) != 0) {
		printf("skipped: no shared photographs\n");
		return;
	}
	ck_assert_msg(dataset_open(&xml, path, &without, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(without, 0);
	snprintf(target, sizeof target, "%s/images/images", shared);
	snprintf(path, sizeof path, "%s/images", root);
	ck_assert_int_eq(symlink(target, path), 0);
	snprintf(target, sizeof target, "%s/boxes/LOC_val_solution.csv", shared);
	snprintf(path, sizeof path, "%s/LOC_val_solution.csv", root);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_msg(dataset_open(&csv, root, &without, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(xml.count, csv.count);
	for (size_t i = 0; i < xml.count; i++) {
		struct annotation a, b;
		ck_assert_msg(dataset_annotation(&xml, i, &a, &e) == 0, "%s", e.message);
		ck_assert_msg(dataset_annotation(&csv, i, &b, &e) == 0, "%s", e.message);
		ck_assert_uint_eq(a.count, b.count);
		for (size_t j = 0; j < a.count; j++)
			check_box(&a.boxes[j], b.boxes[j].wnid, b.boxes[j].box.xmin, b.boxes[j].box.ymin, b.boxes[j].box.xmax, b.boxes[j].box.ymax);
		boxes += a.count;
		annotation_free(&a);
		annotation_free(&b);
	}
	ck_assert_uint_ge(boxes, xml.count);
	dataset_close(&xml);
	dataset_close(&csv);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dataset");
	TCase *annotations = tcase_create("annotations"), *folders = tcase_create("folders");
	tcase_add_test(annotations, good_xml);
	tcase_add_test(annotations, a_little_outside_is_clipped);
	tcase_add_loop_test(annotations, bad_xml_is_refused, 0, sizeof BAD / sizeof *BAD);
	tcase_add_test(annotations, predictions);
	tcase_add_test(annotations, boxes_are_bounded);
	tcase_add_test(annotations, iou_is_of_the_annotation_s_grid);
	suite_add_tcase(suite, annotations);
	tcase_add_checked_fixture(folders, in_new_folder, remove_folder);
	tcase_add_test(folders, own_layout);
	tcase_add_test(folders, imagenet_s_layout);
	tcase_add_test(folders, csv_beside_images);
	tcase_add_loop_test(folders, bad_csv_is_refused, 0, sizeof BAD_CSV / sizeof *BAD_CSV);
	tcase_add_test(folders, bad_line_of_a_csv);
	tcase_add_test(folders, folder_without_a_layout);
	tcase_add_test(folders, xml_and_csv_agree);
	tcase_set_timeout(folders, 60);
	suite_add_tcase(suite, folders);
	return run_suite(suite);
}
