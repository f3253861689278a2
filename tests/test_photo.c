/* Photographs of every kind, whole and broken. */
#include "config.h"

#include <check.h>
#include <errno.h>

#include <stb/stb_image_write.h>

#include "core/image/view.h"
#include "tests/image_files.h"
#include "tests/suite.h"

struct bytes {
	uint8_t *data;
	size_t size;
};

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
		refused(bytes, length, LSDN_ERROR_INPUT, " PNG");
	for (size_t at = 8; at < size - 12; at++) {
		bytes[at] ^= 0x10;
		refused(bytes, size, LSDN_ERROR_INPUT, "some.jpg");
		bytes[at] ^= 0x10;
	}
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

static void append(void *context, void *data, int size)
{
	struct bytes *to = context;
	memcpy(to->data + to->size, data, (size_t)size);
	to->size += (size_t)size;
}

/* What may be taken depends on the size that the header says, which is read first on this thread here. */
START_TEST(the_first_photograph_may_be_large)
{
	enum { SIDE = 700 };
	struct bytes jpeg = {malloc(4 * SIDE * SIDE), 0};
	uint8_t *rgb = malloc(3 * SIDE * SIDE);
	struct photo photo;
	struct error e;
	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		rgb[i] = (uint8_t)(i / 5);
	ck_assert(stbi_write_jpg_to_func(append, &jpeg, SIDE, SIDE, 3, rgb, 90));
	ck_assert_msg(photo_decode(&photo, jpeg.data, jpeg.size, "large.jpg", &e) == 0, "%s", e.message);
	ck_assert_int_eq(photo.width, SIDE);
	photo_free(&photo);
	free(rgb);
	free(jpeg.data);
}
END_TEST

/* A scan costs as much as the photograph, and takes few bytes. */
START_TEST(endless_scans_are_refused)
{
	enum { COPIES = 80 };
	size_t size, scan = 0;
	uint8_t *bytes = bytes_of(data_path("progressive.jpg"), &size);
	while (bytes[scan] != 0xff || bytes[scan + 1] != 0xda)
		scan++;
	size_t length = size - 2 - scan; /* all scans, without the end of the image */
	uint8_t *many = malloc(size + COPIES * length);
	memcpy(many, bytes, size - 2);
	for (size_t i = 0; i < COPIES; i++)
		memcpy(many + size - 2 + i * length, bytes + scan, length);
	memcpy(many + size - 2 + COPIES * length, "\xff\xd9", 2);
	refused(many, size + COPIES * length, LSDN_ERROR_UNSUPPORTED, "64 scans");
	free(many);
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

int main(void)
{
	Suite *suite = suite_create("photo");
	TCase *photos = tcase_create("photographs");
	TCase *files = tcase_create("files");
	tcase_set_timeout(photos, 60);
	tcase_add_loop_test(photos, every_kind_of_photograph, 0, sizeof KINDS / sizeof *KINDS);
	tcase_add_loop_test(photos, no_truncated_jpeg_is_taken, 0, 2);
	tcase_add_test(photos, no_truncated_png_is_taken);
	tcase_add_test(photos, what_cannot_be_decoded_is_named);
	tcase_add_test(photos, the_first_photograph_may_be_large);
	tcase_add_test(photos, endless_scans_are_refused);
	tcase_add_test(photos, huge_sizes_are_refused_before_memory_is_taken);
	suite_add_tcase(suite, photos);
	tcase_set_timeout(files, 60);
	tcase_add_checked_fixture(files, in_new_folder, remove_folder);
	tcase_add_test(files, what_is_no_file_is_refused);
	suite_add_tcase(suite, files);
	return run_suite(suite);
}
