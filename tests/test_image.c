/* The image side: photographs of every kind, resizing as Pillow does it, boxes, maps, .npy files, pictures, output files. */
#include "config.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/image/box.h"
#include "core/image/map.h"
#include "core/image/npy.h"
#include "core/image/photo.h"
#include "core/image/picture.h"
#include "core/image/view.h"
#include "core/output.h"

enum { PATH = 4096 };

/* Fontconfig keeps what it read for the life of the process, and the leak sanitizer asks here. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

static char folder[] = "/tmp/lsdn-image-XXXXXX";

static void in_new_folder(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* How many files the folder holds; removes them. */
static int folder_clear(void)
{
	int count = 0;
	DIR *dir = opendir(folder);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			ck_assert_int_eq(unlinkat(dirfd(dir), entry->d_name, 0), 0);
			count++;
		}
	closedir(dir);
	return count;
}

static void remove_folder(void)
{
	folder_clear();
	rmdir(folder);
}

static const char *inside(const char *name)
{
	static char path[PATH];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *data_path(const char *name)
{
	static char path[PATH];
	const char *data = getenv("LSDN_TEST_DATA");
	snprintf(path, sizeof path, "%s/images/%s", data ? data : "tests/data", name);
	return path;
}

static uint8_t *bytes_of(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	uint8_t *bytes = malloc(1 << 20);
	ck_assert_ptr_nonnull(bytes);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* Photographs */

/* Every file of tests/data/images shows the same four rectangles, 48 x 32 in all; off is how far its colours may be from the drawn ones. */
struct kind {
	const char *name;
	bool gray;
	int off;
};

static const struct kind KINDS[] = {
	{"baseline.jpg", false, 2}, {"progressive.jpg", false, 2}, {"gray.jpg", true, 2}, {"cmyk.jpg", false, 3}, {"palette.png", false, 0},
	{"alpha.png", false, 0}, {"rgb16.png", false, 0}, {"gray16.png", true, 0}, {"png-named.jpg", false, 0},
};

START_TEST(every_kind_of_photograph)
{
	static const int COLORS[4][3] = {{200, 40, 30}, {30, 160, 60}, {40, 60, 190}, {220, 220, 210}}, GRAYS[4] = {87, 110, 69, 219};
	const struct kind *kind = &KINDS[_i];
	struct photo photo;
	struct error e;
	ck_assert_msg(photo_read(&photo, data_path(kind->name), &e) == 0, "%s", e.message);
	ck_assert_int_eq(photo.width, 48);
	ck_assert_int_eq(photo.height, 32);
	for (int i = 0; i < 4; i++)
		for (int c = 0; c < 3; c++) {
			int y = i / 2 * 16 + 6, x = i % 2 * 24 + 10, wanted = kind->gray ? GRAYS[i] : COLORS[i][c];
			int found = photo.rgb[(y * 48 + x) * 3 + c];
			ck_assert_msg(abs(found - wanted) <= kind->off, "%s: quarter %d channel %d: %d, drawn %d", kind->name, i, c, found, wanted);
		}
	photo_free(&photo);
	ck_assert_ptr_null(photo.rgb);
}
END_TEST

static void refused(const uint8_t *bytes, size_t size, enum lsdn_error code, const char *says)
{
	struct photo photo = {.width = 1};
	struct error e = {0};
	ck_assert_int_eq(photo_decode(&photo, bytes, size, "some.jpg", &e), code);
	ck_assert_msg(strstr(e.message, "some.jpg: ") == e.message && strstr(e.message, says), "\"%s\" does not say \"%s\"", e.message, says);
	ck_assert_int_eq(photo.width, 0);
	ck_assert_ptr_null(photo.rgb);
}

START_TEST(no_truncated_jpeg_is_taken)
{
	size_t size;
	uint8_t *bytes = bytes_of(data_path(_i ? "progressive.jpg" : "baseline.jpg"), &size);
	refused(bytes, 0, LSDN_ERROR_INPUT, "empty");
	for (size_t length = 1; length < size; length++) {
		/* An exact allocation lets the address sanitizer see a read beyond the end. */
		uint8_t *cut = malloc(length);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, bytes, length);
		refused(cut, length, length < 3 ? LSDN_ERROR_UNSUPPORTED : LSDN_ERROR_INPUT, length < 3 ? "neither" : "truncated");
		free(cut);
	}
	free(bytes);
}
END_TEST

/* The last four bytes of a PNG are a checksum of nothing: without them all pixels are there. */
START_TEST(no_truncated_png_is_taken)
{
	size_t size;
	uint8_t *bytes = bytes_of(data_path("rgb16.png"), &size);
	for (size_t length = 8; length < size - 4; length++)
		refused(bytes, length, LSDN_ERROR_INPUT, "damaged PNG");
	free(bytes);
}
END_TEST

static uint8_t *marker_of(uint8_t *bytes, size_t size, uint8_t marker)
{
	for (size_t i = 0; i + 1 < size; i++)
		if (bytes[i] == 0xff && bytes[i + 1] == marker)
			return bytes + i;
	ck_abort_msg("no marker %02x", marker);
}

START_TEST(what_cannot_be_decoded_is_named)
{
	size_t size;
	uint8_t *bytes = bytes_of(data_path("baseline.jpg"), &size), *frame = marker_of(bytes, size, 0xc0);
	frame[1] = 0xc9;
	refused(bytes, size, LSDN_ERROR_UNSUPPORTED, "arithmetic-coded");
	frame[1] = 0xc3;
	refused(bytes, size, LSDN_ERROR_UNSUPPORTED, "lossless");
	frame[1] = 0xc0;
	frame[4] = 12;
	refused(bytes, size, LSDN_ERROR_UNSUPPORTED, "8 bits");
	frame[4] = 8;
	uint8_t *table = marker_of(bytes, size, 0xc4);
	memset(table + 5, 255, 16);
	refused(bytes, size, LSDN_ERROR_UNSUPPORTED, "Huffman");
	free(bytes);

	bytes = bytes_of(data_path("cmyk.jpg"), &size);
	memcpy(marker_of(bytes, size, 0xee) + 4, "Other", 5);
	refused(bytes, size, LSDN_ERROR_UNSUPPORTED, "CMYK");
	free(bytes);
	refused((const uint8_t *)"GIF89a\1\0\1\0", 10, LSDN_ERROR_UNSUPPORTED, "neither JPEG nor PNG");
}
END_TEST

/* Width and height stand big-endian at byte 16 of a PNG. */
START_TEST(huge_sizes_are_refused_before_memory_is_taken)
{
	static const uint8_t SIZES[][8] = {
		{0, 0, 0x9c, 0x40, 0, 0, 0, 1},       /* 40000 x 1 */
		{0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20}, /* 20000 x 20000 */
		{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};
	size_t size;
	uint8_t *bytes = bytes_of(data_path("rgb16.png"), &size);
	for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
		memcpy(bytes + 16, SIZES[i], 8);
		refused(bytes, size, LSDN_ERROR_INPUT, "shrink the photograph");
	}
	memset(bytes + 16, 0, 8);
	refused(bytes, size, LSDN_ERROR_INPUT, "damaged PNG");
	free(bytes);
	bytes = bytes_of(data_path("baseline.jpg"), &size);
	memset(marker_of(bytes, size, 0xc0) + 5, 0xff, 4);
	refused(bytes, size, LSDN_ERROR_INPUT, "shrink the photograph");
	free(bytes);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct photo photo;
	struct error e;
	ck_assert_int_lt(photo_read(&photo, inside("absent.jpg"), &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, strerror(ENOENT)));
	ck_assert_int_lt(photo_read(&photo, folder, &e), 0);
	fclose(fopen(inside("empty.jpg"), "wb"));
	ck_assert_int_lt(photo_read(&photo, inside("empty.jpg"), &e), 0);
	ck_assert_ptr_nonnull(strstr(e.message, "empty"));
	ck_assert_ptr_null(photo.rgb);
}
END_TEST

/* Views */

static const struct preprocessing PLAIN = {.width = 224, .height = 224, .std = {1, 1, 1}};

static double difference(const char *name, enum view view, const char *source, const char *expected, double *largest)
{
	char path[PATH];
	const char *shared = getenv("LSDN_SHARED");
	struct photo photo, truth;
	struct error e;
	struct view_geometry geometry;
	snprintf(path, sizeof path, "%s/vectors/resize/%s%s", shared, name, source);
	ck_assert_msg(photo_read(&photo, path, &e) == 0, "%s", e.message);
	snprintf(path, sizeof path, "%s/vectors/resize/%s-%s-224.png", shared, name, expected);
	ck_assert_msg(photo_read(&truth, path, &e) == 0, "%s", e.message);
	float *tensor = malloc(224 * 224 * 3 * sizeof *tensor);
	ck_assert_ptr_nonnull(tensor);
	ck_assert_msg(view_make(&photo, &PLAIN, view, tensor, &geometry, &e) == 0, "%s", e.message);
	double sum = 0;
	*largest = 0;
	for (int i = 0; i < 224 * 224 * 3; i++) {
		double d = fabs((double)tensor[i] - truth.rgb[i]);
		sum += d;
		*largest = fmax(*largest, d);
	}
	free(tensor);
	photo_free(&photo);
	photo_free(&truth);
	return sum / (224 * 224 * 3);
}

START_TEST(resizing_is_pillows)
{
	static const char *const NAMES[] = {"wide", "tall", "small", "gray", "large"};
	const char *shared = getenv("LSDN_SHARED");
	char path[PATH];
	snprintf(path, sizeof path, "%s/vectors/resize", shared ? shared : "../shared");
	if (!shared || access(path, R_OK) != 0) {
		printf("skipped: %s: the vectors of resizing are not there\n", path);
		fflush(stdout);
		return;
	}
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		for (int v = 0; v < 2; v++) {
			const char *expected = v ? "center" : "full";
			double largest, whole;
			double mean = difference(NAMES[i], v ? VIEW_CENTER : VIEW_FULL, "-decoded.png", expected, &largest);
			printf("%s-%s: resized %g off (at most %g)", NAMES[i], expected, mean, largest);
			ck_assert_msg(largest == 0, "%s %s differs from Pillow's by up to %g", NAMES[i], expected, largest);
			/* Decoders may differ by a level or two where chroma is interpolated. */
			mean = difference(NAMES[i], v ? VIEW_CENTER : VIEW_FULL, ".JPEG", expected, &whole);
			printf(", from the JPEG %.3f (at most %g)\n", mean, whole);
			ck_assert_double_lt(mean, 1);
		}
	fflush(stdout);
}
END_TEST

static struct photo ramp(int width, int height)
{
	struct photo photo = {width, height, malloc((size_t)width * (size_t)height * 3)};
	ck_assert_ptr_nonnull(photo.rgb);
	for (int i = 0; i < width * height; i++)
		for (int c = 0; c < 3; c++)
			photo.rgb[i * 3 + c] = (uint8_t)((i % width + 2 * (i / width) + 80 * c) % 256);
	return photo;
}

START_TEST(preprocessing_orders_and_scales)
{
	struct photo photo = ramp(5, 4);
	struct preprocessing pre = {.width = 5, .height = 4, .bgr = true, .mean = {10, 20, 30}, .std = {2, 4, 8}};
	struct view_geometry geometry;
	struct error e;
	float tensor[60];
	ck_assert_int_eq(view_make(&photo, &pre, VIEW_FULL, tensor, &geometry, &e), 0);
	for (int i = 0; i < 20; i++)
		for (int c = 0; c < 3; c++)
			ck_assert_float_eq(tensor[i * 3 + c], ((float)photo.rgb[i * 3 + 2 - c] - pre.mean[c]) / pre.std[c]);
	struct point same = view_point(&geometry, 3, 2);
	ck_assert_double_eq(same.y, 3);
	ck_assert_double_eq(same.x, 2);
	photo_free(&photo);
}
END_TEST

/* 500 x 375: the shorter side becomes 256, the longer rint(500 * 256 / 375) = 341; crop at (58, 16). */
START_TEST(geometry_leads_back_to_the_photograph)
{
	struct photo photo = ramp(500, 375);
	struct view_geometry g;
	struct error e;
	float *tensor = malloc(224 * 224 * 3 * sizeof *tensor);
	ck_assert_ptr_nonnull(tensor);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_CENTER, tensor, &g, &e), 0);
	struct point p = view_point(&g, 10, 20);
	ck_assert_double_eq_tol(p.y, (10 + 16 + 0.5) * 375 / 256 - 0.5, 1e-12);
	ck_assert_double_eq_tol(p.x, (20 + 58 + 0.5) * 500 / 341 - 0.5, 1e-12);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_FULL, tensor, &g, &e), 0);
	p = view_point(&g, 10, 20);
	ck_assert_double_eq_tol(p.y, 10.5 * 375 / 224 - 0.5, 1e-12);
	ck_assert_double_eq_tol(p.x, 20.5 * 500 / 224 - 0.5, 1e-12);
	photo_free(&photo);

	photo = ramp(30000, 1);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_CENTER, tensor, &g, &e), 0);
	ck_assert_int_eq(view_make(&photo, &PLAIN, VIEW_FULL, tensor, &g, &e), 0);
	struct preprocessing bad = PLAIN;
	bad.height = 0;
	ck_assert_int_eq(view_make(&photo, &bad, VIEW_FULL, tensor, &g, &e), LSDN_ERROR_INPUT);
	photo_free(&photo);
	free(tensor);
}
END_TEST

/* Boxes */

/* 30 x 40 has a diagonal of 50: the radius is 5, and 5 away is not strictly nearer. */
START_TEST(outliers_need_neighbours_strictly_nearer)
{
	struct point points[] = {{0, 0}, {0, 4.999}, {3, 4}, {30, 30}};
	struct box_rule rule = {.radius = 0.1, .share = 0.25};
	bool keep[4];
	/* More than 1 of 4: itself is not enough. {3, 4} is 5 from {0, 0} and 3.0000001 from {0, 4.999}. */
	ck_assert_uint_eq(box_outliers(points, 4, 30, 40, &rule, keep), 3);
	ck_assert(keep[0] && keep[1] && keep[2] && !keep[3]);
	points[1] = (struct point){30, 20};
	ck_assert_uint_eq(box_outliers(points, 4, 30, 40, &rule, keep), 0);
	/* A lone point is its own neighbour: 1 > 0.05. */
	ck_assert_uint_eq(box_outliers(points, 1, 30, 40, &BOX_RULE_DEFAULT, keep), 1);
	/* 20 points far apart: 1 is not more than 0.05 of 20; of 19 it is. */
	struct point far[20];
	bool kept[20];
	for (int i = 0; i < 20; i++)
		far[i] = (struct point){0, 6 * i};
	rule = BOX_RULE_DEFAULT;
	rule.radius = 0.05;
	ck_assert_uint_eq(box_outliers(far, 20, 30, 40, &rule, kept), 0);
	ck_assert_uint_eq(box_outliers(far, 19, 30, 40, &rule, kept), 19);
}
END_TEST

static void box_is(const struct box *box, int xmin, int ymin, int xmax, int ymax)
{
	ck_assert_msg(box->xmin == xmin && box->ymin == ymin && box->xmax == xmax && box->ymax == ymax, "%d %d %d %d, not %d %d %d %d", box->xmin,
		box->ymin, box->xmax, box->ymax, xmin, ymin, xmax, ymax);
}

START_TEST(box_is_the_least_around_what_stays)
{
	struct point points[] = {{10.5, 20.49}, {30.2, 50.5}, {0, 99}, {-0.5, 99.5}};
	bool keep[] = {true, true, false, false};
	struct box_rule rule = BOX_RULE_DEFAULT;
	struct box box = {1, 2, 3, 4};
	ck_assert(box_around(points, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 20, 11, 51, 30);
	rule.margin = 0.03; /* 3 pixels across, 1.5 down */
	ck_assert(box_around(points, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 17, 9, 54, 32);
	keep[2] = keep[3] = true;
	ck_assert(box_around(points, keep, 4, 100, 50, &rule, &box));
	box_is(&box, 17, 0, 99, 32);
	memset(keep, 0, sizeof keep);
	box = (struct box){1, 2, 3, 4};
	ck_assert(!box_around(points, keep, 4, 100, 50, &rule, &box));
	ck_assert(!box_around(NULL, NULL, 0, 100, 50, &rule, &box));
	box_is(&box, 1, 2, 3, 4);
}
END_TEST

START_TEST(iou_counts_both_ends)
{
	struct boxf a = {0, 0, 9, 9}, b = {5, 0, 14, 9}, touching = {9, 9, 18, 18}, apart = {10, 0, 19, 9};
	ck_assert_double_eq(box_iou(&a, &a), 1);
	ck_assert_double_eq_tol(box_iou(&a, &b), 50.0 / 150, 1e-15);
	ck_assert_double_eq_tol(box_iou(&a, &touching), 1.0 / 199, 1e-15);
	ck_assert_double_eq(box_iou(&a, &apart), 0);
}
END_TEST

START_TEST(scaling_keeps_the_whole_and_the_iou)
{
	struct boxf whole = {0, 0, 226, 226}, a = {10, 20, 99, 119}, b = {40, 10, 129, 99};
	struct boxf big = box_scale(&whole, 227, 227, 500, 375);
	ck_assert_double_eq_tol(big.xmin, 0, 1e-12);
	ck_assert_double_eq_tol(big.xmax, 499, 1e-12);
	ck_assert_double_eq_tol(big.ymax, 374, 1e-12);
	struct boxf large_a = box_scale(&a, 227, 227, 500, 375), large_b = box_scale(&b, 227, 227, 500, 375);
	ck_assert_double_eq_tol(box_iou(&large_a, &large_b), box_iou(&a, &b), 1e-12);
	struct boxf half = box_centered(100, 40, 0.5), full = box_centered(500, 375, 1);
	ck_assert(half.xmin == 25 && half.xmax == 74 && half.ymin == 10 && half.ymax == 29);
	ck_assert(full.xmin == 0 && full.xmax == 499 && full.ymin == 0 && full.ymax == 374);
}
END_TEST

/* Maps */

START_TEST(map_is_a_gaussian_divided_by_its_maximum)
{
	enum { WIDTH = 40, HEIGHT = 30 }; /* diagonal 50, sigma 2 */
	struct point points[] = {{9.6, 20.4}, {29, 39}};
	bool keep[] = {true, false};
	static float map[WIDTH * HEIGHT];
	struct error e;
	ck_assert_int_eq(map_make(points, keep, 2, WIDTH, HEIGHT, 0.04, map, &e), 0);
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			int dy = abs(y - 10), dx = abs(x - 20);
			double exact = dy <= 8 && dx <= 8 ? exp(-(dy * dy + dx * dx) / 8.0) : 0;
			ck_assert_double_eq_tol((double)map[y * WIDTH + x], exact, 1e-6);
		}
	ck_assert_float_eq(map[10 * WIDTH + 20], 1);
	keep[1] = true;
	ck_assert_int_eq(map_make(points, keep, 2, WIDTH, HEIGHT, 0, map, &e), 0);
	double sum = 0;
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		sum += (double)map[i];
	ck_assert_double_eq(sum, 2);
	ck_assert_float_eq(map[29 * WIDTH + 39], 1);
	keep[0] = keep[1] = false;
	ck_assert_int_eq(map_make(points, keep, 2, WIDTH, HEIGHT, 0.04, map, &e), 0);
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		ck_assert_float_eq(map[i], 0);
	ck_assert_int_eq(map_make(points, keep, 2, WIDTH, HEIGHT, (double)NAN, map, &e), LSDN_ERROR_INPUT);
}
END_TEST

START_TEST(map_of_many_points_has_maximum_one)
{
	enum { WIDTH = 97, HEIGHT = 69, COUNT = 400 };
	static struct point points[COUNT];
	static bool keep[COUNT];
	static float map[WIDTH * HEIGHT];
	struct error e;
	for (int i = 0; i < COUNT; i++) {
		points[i] = (struct point){i * 37 % HEIGHT, i * 53 % WIDTH};
		keep[i] = i % 3 != 0;
	}
	ck_assert_int_eq(map_make(points, keep, COUNT, WIDTH, HEIGHT, 0.032, map, &e), 0);
	float highest = 0, lowest = 1;
	for (int i = 0; i < WIDTH * HEIGHT; i++) {
		highest = fmaxf(highest, map[i]);
		lowest = fminf(lowest, map[i]);
	}
	ck_assert_float_eq(highest, 1);
	ck_assert_float_ge(lowest, 0);
}
END_TEST

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
	s->photo = ramp(width, height);
	for (int i = 0; i < 60; i++) {
		s->points[i] = (struct point){(0.3 + 0.005 * (i * 7 % 60)) * height, (0.4 + 0.006 * (i * 11 % 60)) * width};
		if (i % 20 == 0)
			s->points[i] = (struct point){0.02 * i * height / 2, 0.05 * width};
	}
	box_outliers(s->points, 60, width, height, &BOX_RULE_DEFAULT, s->keep);
	ck_assert(box_around(s->points, s->keep, 60, width, height, &BOX_RULE_DEFAULT, &s->box));
	s->map = malloc((size_t)width * (size_t)height * sizeof *s->map);
	ck_assert_ptr_nonnull(s->map);
	ck_assert_int_eq(map_make(s->points, s->keep, 60, width, height, 0.032, s->map, &e), 0);
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
	Suite *suite = suite_create("image");
	TCase *photos = tcase_create("photographs"), *views = tcase_create("views"), *boxes = tcase_create("boxes and maps");
	TCase *files = tcase_create("files");
	tcase_set_timeout(photos, 60);
	tcase_set_timeout(views, 120);
	tcase_set_timeout(files, 120);
	tcase_add_loop_test(photos, every_kind_of_photograph, 0, sizeof KINDS / sizeof *KINDS);
	tcase_add_loop_test(photos, no_truncated_jpeg_is_taken, 0, 2);
	tcase_add_test(photos, no_truncated_png_is_taken);
	tcase_add_test(photos, what_cannot_be_decoded_is_named);
	tcase_add_test(photos, huge_sizes_are_refused_before_memory_is_taken);
	suite_add_tcase(suite, photos);
	tcase_add_test(views, resizing_is_pillows);
	tcase_add_test(views, preprocessing_orders_and_scales);
	tcase_add_test(views, geometry_leads_back_to_the_photograph);
	suite_add_tcase(suite, views);
	tcase_add_test(boxes, outliers_need_neighbours_strictly_nearer);
	tcase_add_test(boxes, box_is_the_least_around_what_stays);
	tcase_add_test(boxes, iou_counts_both_ends);
	tcase_add_test(boxes, scaling_keeps_the_whole_and_the_iou);
	tcase_add_test(boxes, map_is_a_gaussian_divided_by_its_maximum);
	tcase_add_test(boxes, map_of_many_points_has_maximum_one);
	suite_add_tcase(suite, boxes);
	tcase_add_checked_fixture(files, in_new_folder, remove_folder);
	tcase_add_test(files, what_is_no_file_is_refused);
	tcase_add_test(files, npy_files_as_numpy_writes_them);
	tcase_add_test(files, npy_files_that_lie);
	tcase_add_test(files, output_appears_whole);
	tcase_add_test(files, output_through_a_link);
	tcase_add_test(files, output_that_cannot_be);
	tcase_add_test(files, a_disk_that_is_full_leaves_nothing);
	tcase_add_test(files, pictures_in_three_formats);
	tcase_add_loop_test(files, pictures_of_every_size, 0, 6);
	tcase_add_test(files, pictures_that_cannot_be);
	suite_add_tcase(suite, files);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
