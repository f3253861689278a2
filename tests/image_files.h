/* What the suites of the image side share: a fresh folder, test data, file contents. */
#ifndef LSDN_TESTS_IMAGE_FILES_H
#define LSDN_TESTS_IMAGE_FILES_H

#include <check.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/image/photo.h"

enum { PATH = 4096 };

/* Fontconfig keeps what it read for the life of the process, and the leak sanitizer asks here. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig";
}

static char folder[] = "/tmp/lsdn-image-XXXXXX";

static inline void in_new_folder(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* How many files the folder holds; removes them. */
static inline int folder_clear(void)
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

static inline void remove_folder(void)
{
	folder_clear();
	rmdir(folder);
}

static inline const char *inside(const char *name)
{
	static char path[PATH];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static inline const char *data_path(const char *name)
{
	static char path[PATH];
	const char *data = getenv("LSDN_TEST_DATA");
	snprintf(path, sizeof path, "%s/images/%s", data ? data : "tests/data", name);
	return path;
}

static inline uint8_t *bytes_of(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	uint8_t *bytes = malloc(1 << 20);
	ck_assert_ptr_nonnull(bytes);
	*size = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static inline struct photo ramp(int width, int height)
{
	struct photo photo = {width, height, malloc((size_t)width * (size_t)height * 3)};
	ck_assert_ptr_nonnull(photo.rgb);
	for (int i = 0; i < width * height; i++)
		for (int c = 0; c < 3; c++)
			photo.rgb[i * 3 + c] = (uint8_t)((i % width + 2 * (i / width) + 80 * c) % 256);
	return photo;
}

#endif
