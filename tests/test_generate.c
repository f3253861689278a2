/* Generated images: the same everywhere, with a box that is exactly around the object, and readable after they were written. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"
#include "calib/annotation.h"
#include "calib/dataset.h"
#include "calib/generate.h"
#include "calib/generate_draw.h"
#include "tests/folder.h"
#include "tests/suite.h"

enum { BYTES = 3 * GENERATE_SIDE * GENERATE_SIDE };

struct made {
	struct photo photo;
	struct annotation truth;
};

static struct made make(uint64_t seed, uint32_t index)
{
	struct made m;
	struct error e;
	ck_assert_msg(generate_image(seed, index, &m.photo, &m.truth, &e) == 0, "%s", e.message);
	ck_assert_int_eq(m.photo.width, GENERATE_SIDE);
	ck_assert_int_eq(m.photo.height, GENERATE_SIDE);
	ck_assert_uint_eq(m.truth.count, 1);
	return m;
}

static void drop(struct made *m)
{
	photo_free(&m->photo);
	annotation_free(&m->truth);
}

static int class_of(const struct made *m)
{
	for (int k = 0; k < GENERATE_CLASSES; k++)
		if (strcmp(m->truth.boxes[0].wnid, GENERATE_LABELS[k][0]) == 0)
			return k;
	ck_abort_msg("%s is no class", m->truth.boxes[0].wnid);
}

START_TEST(an_image_depends_on_seed_and_index_alone)
{
	struct made first = make(5, 7), between = make(5, 8), other = make(6, 7), again = make(5, 7);
	ck_assert_int_eq(memcmp(first.photo.rgb, again.photo.rgb, BYTES), 0);
	ck_assert_int_eq(memcmp(&first.truth.boxes[0].box, &again.truth.boxes[0].box, sizeof(struct boxf)), 0);
	ck_assert_int_ne(memcmp(first.photo.rgb, between.photo.rgb, BYTES), 0);
	ck_assert_int_ne(memcmp(first.photo.rgb, other.photo.rgb, BYTES), 0);
	drop(&first);
	drop(&between);
	drop(&other);
	drop(&again);
}
END_TEST

/* FNV-1a of twenty images. The embedded network was trained on what this generator draws: a change here is a reason to train it again. */
START_TEST(images_are_those_of_the_training)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (uint32_t i = 0; i < 20; i++) {
		struct made m = make(1, i);
		for (int j = 0; j < BYTES; j++)
			h = (h ^ m.photo.rgb[j]) * 0x100000001b3u;
		drop(&m);
	}
	ck_assert_msg(h == 0x3058cef82f9282b0u, "0x%016llx", (unsigned long long)h);
}
END_TEST

/* Counts of 1200 images lie within six standard deviations, sqrt(1200 * 1/12 * 11/12) = 9.6; no centred box may be a good answer
 * for two fifths of them. */
START_TEST(classes_places_and_sizes_vary)
{
	enum { IMAGES = 1200 };
	int count[GENERATE_CLASSES] = {0}, centered[GENERATE_SIDE + 1] = {0}, small = 0, large = 0;
	for (uint32_t i = 0; i < IMAGES; i++) {
		struct made m = make(2, i);
		const struct boxf *box = &m.truth.boxes[0].box;
		count[class_of(&m)]++;
		ck_assert(box->xmin >= 0 && box->ymin >= 0 && box->xmax < GENERATE_SIDE && box->ymax < GENERATE_SIDE);
		double width = box->xmax - box->xmin + 1, height = box->ymax - box->ymin + 1;
		ck_assert(width >= 18 && height >= 18);
		small += width < 36 && height < 36;
		large += width > 60 && height > 60;
		for (int side = 1; side <= GENERATE_SIDE; side++) {
			struct boxf guess = box_centered(GENERATE_SIDE, GENERATE_SIDE, (double)side / GENERATE_SIDE);
			centered[side] += annotation_iou(&m.truth, &guess, GENERATE_SIDE, GENERATE_SIDE) > 0.5;
		}
		drop(&m);
	}
	for (int k = 0; k < GENERATE_CLASSES; k++)
		ck_assert_msg(abs(count[k] - IMAGES / GENERATE_CLASSES) <= 58, "class %d: %d of %d", k, count[k], IMAGES);
	for (int side = 1; side <= GENERATE_SIDE; side++)
		ck_assert_msg(centered[side] < 2 * IMAGES / 5, "centred box of %d: %d of %d", side, centered[side], IMAGES);
	ck_assert_msg(small > IMAGES / 10 && large > IMAGES / 10, "%d small, %d large of %d", small, large, IMAGES);
}
END_TEST

/* White on black: a pixel is 128 or more exactly where at least half of it is covered. */
START_TEST(box_is_around_the_drawn_pixels)
{
	for (unsigned seed = 0; seed < 300; seed++) {
		struct pcg rng;
		pcg_seed(&rng, seed, 1);
		static uint8_t rgb[BYTES];
		memset(rgb, 0, sizeof rgb);
		struct draw_canvas canvas = {GENERATE_SIDE, rgb};
		struct draw_object object = {.shape = seed % DRAW_SHAPES, .texture = DRAW_STRIPES, .period = 500,
			.x = (int)pcg_below(&rng, GENERATE_SIDE * DRAW_PIXEL), .y = (int)pcg_below(&rng, GENERATE_SIDE * DRAW_PIXEL),
			.half_width = 100 + (int)pcg_below(&rng, 2900), .half_height = 100 + (int)pcg_below(&rng, 2900),
			.turn = draw_turn((int)pcg_below(&rng, 513) - 256), .grain = draw_turn(10),
			.colours = {{255, 255, 255}, {255, 255, 255}}};
		struct box box = draw_object(&canvas, &object), tight = {GENERATE_SIDE, GENERATE_SIDE, -1, -1};
		for (int i = 0; i < GENERATE_SIDE * GENERATE_SIDE; i++) {
			int x = i % GENERATE_SIDE, y = i / GENERATE_SIDE;
			if (rgb[3 * i] < 128)
				continue;
			tight = (struct box){x < tight.xmin ? x : tight.xmin, y < tight.ymin ? y : tight.ymin,
				x > tight.xmax ? x : tight.xmax, y > tight.ymax ? y : tight.ymax};
		}
		ck_assert_msg(memcmp(&box, &tight, sizeof box) == 0, "seed %u: %d %d %d %d, drawn %d %d %d %d", seed,
			box.xmin, box.ymin, box.xmax, box.ymax, tight.xmin, tight.ymin, tight.xmax, tight.ymax);
	}
}
END_TEST

/* Half sides of 20 and 10 pixels around (48, 40): areas are those of geometry within 3%, what 16 samples a pixel leave open. */
START_TEST(shapes_have_their_areas)
{
	static const double AREAS[] = {[DRAW_DISC] = 3.14159265 * 200, [DRAW_TRIANGLE] = 400, [DRAW_SQUARE] = 800, [DRAW_CROSS] = 800 * 5 / 9.0};
	for (int shape = 0; shape < DRAW_SHAPES; shape++) {
		for (int k = -256; k <= 256; k += 64) {
			static uint8_t rgb[BYTES];
			memset(rgb, 0, sizeof rgb);
			struct draw_canvas canvas = {GENERATE_SIDE, rgb};
			struct draw_object object = {.shape = (enum draw_shape)shape, .texture = DRAW_PLAIN, .x = 48 * DRAW_PIXEL, .y = 40 * DRAW_PIXEL,
				.half_width = 20 * DRAW_PIXEL, .half_height = 10 * DRAW_PIXEL, .turn = draw_turn(k), .colours = {{255, 255, 255}}};
			struct box box = draw_object(&canvas, &object);
			double sum = 0;
			for (int i = 0; i < BYTES; i += 3)
				sum += rgb[i] / 255.0;
			ck_assert_msg(fabs(sum - AREAS[shape]) < 0.03 * AREAS[shape], "shape %d, turn %d: area %g, not %g", shape, k, sum, AREAS[shape]);
			if (k == 0)
				ck_assert(box.xmin == 28 && box.xmax == 67 && box.ymax == 49);
			if (abs(k) == 256 && shape != DRAW_TRIANGLE)
				ck_assert(box.xmin == 38 && box.xmax == 57 && box.ymin == 20 && box.ymax == 59);
		}
	}
}
END_TEST

static double mean_difference(const struct photo *a, const struct photo *b)
{
	double sum = 0;
	for (int i = 0; i < BYTES; i++)
		sum += abs(a->rgb[i] - b->rgb[i]);
	return sum / BYTES;
}

/* PNG keeps every pixel. JPEG of quality 95 changes the noise by three steps of 255 on average; more than 5 means another image or
 * another order of colours. */
START_TEST(what_is_written_is_read_again)
{
	enum { IMAGES = 12 };
	bool jpeg = _i;
	struct error e;
	struct dataset d;
	ck_assert_msg(generate_write(9, IMAGES, jpeg, root, NULL, &e) == 0, "%s", e.message);
	ck_assert_msg(generate_write(9, 1, jpeg, root, NULL, &e) == 0, "again: %s", e.message);
	ck_assert_msg(dataset_open(&d, root, NULL, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(d.count, IMAGES);
	for (uint32_t i = 0; i < IMAGES; i++) {
		struct made m = make(9, i), read;
		ck_assert_msg(photo_read(&read.photo, d.items[i].image, &e) == 0, "%s", e.message);
		ck_assert_msg(dataset_annotation(&d, i, &read.truth, &e) == 0, "%s", e.message);
		ck_assert(read.photo.width == GENERATE_SIDE && read.photo.height == GENERATE_SIDE);
		double difference = mean_difference(&m.photo, &read.photo);
		ck_assert_msg(jpeg ? difference < 5 : difference == 0, "image %u differs by %g", (unsigned)i, difference);
		ck_assert(read.truth.width == GENERATE_SIDE && read.truth.height == GENERATE_SIDE && read.truth.count == 1);
		ck_assert_int_eq(class_of(&read), class_of(&m));
		ck_assert_int_eq(memcmp(&read.truth.boxes[0].box, &m.truth.boxes[0].box, sizeof(struct boxf)), 0);
		drop(&m);
		drop(&read);
	}
	dataset_close(&d);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made)
{
	struct error e;
	char path[200];
	snprintf(path, sizeof path, "%s/no/such", root);
	ck_assert_int_eq(generate_write(1, 1, false, path, NULL, &e), LSDN_ERROR_IO);
	ck_assert_msg(strstr(e.message, path) != NULL, "%s", e.message);
	static char longer[5000];
	memset(longer, 'x', sizeof longer - 1);
	ck_assert_int_eq(generate_write(1, 1, false, longer, NULL, &e), LSDN_ERROR_INPUT);
}
END_TEST

/* The labels of the embedded network are the generator's. */
START_TEST(labels_file_agrees)
{
	const char *folder = getenv("LSDN_TEST_DATA");
	char path[1000], line[100], expected[100];
	snprintf(path, sizeof path, "%s/../../weights/embedded-labels.txt", folder ? folder : "tests/data");
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	for (int k = 0; k < GENERATE_CLASSES; k++) {
		ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
		snprintf(expected, sizeof expected, "%s\t%s\n", GENERATE_LABELS[k][0], GENERATE_LABELS[k][1]);
		ck_assert_str_eq(line, expected);
	}
	ck_assert_ptr_null(fgets(line, sizeof line, file));
	fclose(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("generate");
	TCase *images = tcase_create("images"), *files = tcase_create("files");
	tcase_set_timeout(images, 60);
	tcase_set_timeout(files, 60);
	tcase_add_test(images, an_image_depends_on_seed_and_index_alone);
	tcase_add_test(images, images_are_those_of_the_training);
	tcase_add_test(images, classes_places_and_sizes_vary);
	tcase_add_test(images, box_is_around_the_drawn_pixels);
	tcase_add_test(images, shapes_have_their_areas);
	tcase_add_test(images, labels_file_agrees);
	suite_add_tcase(suite, images);
	tcase_add_checked_fixture(files, in_new_folder, remove_folder);
	tcase_add_loop_test(files, what_is_written_is_read_again, 0, 2);
	tcase_add_test(files, a_folder_that_cannot_be_made);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
