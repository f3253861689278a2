#include "config.h"

#include "calib/generate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <stb/stb_image_write.h>

#include "core/output.h"

enum { QUALITY = 95, PATH_ROOM = 4096 };

static void put(void *file, void *bytes, int size)
{
	fwrite(bytes, 1, (size_t)size, file); /* output_close sees the stream's error flag */
}

static int write_photo(const struct photo *photo, bool jpeg, const char *path, struct error *e)
{
	struct output out;
	int failed = output_open(&out, path, e);
	if (failed)
		return failed;
	int done = jpeg ? stbi_write_jpg_to_func(put, out.file, photo->width, photo->height, 3, photo->rgb, QUALITY)
	                : stbi_write_png_to_func(put, out.file, photo->width, photo->height, 3, photo->rgb, 3 * photo->width);
	if (!done) {
		output_abandon(&out);
		return error_memory(e, "an encoded image");
	}
	return output_close(&out, e);
}

static int write_annotation(const struct annotation *a, const char *name, const char *path, struct error *e)
{
	struct output out;
	int failed = output_open(&out, path, e);
	if (failed)
		return failed;
	fprintf(out.file, "<annotation>\n\t<folder>images</folder>\n\t<filename>%s</filename>\n"
		"\t<source>\n\t\t<database>lsdn generated</database>\n\t</source>\n"
		"\t<size>\n\t\t<width>%d</width>\n\t\t<height>%d</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n",
		name, a->width, a->height);
	for (size_t i = 0; i < a->count; i++) {
		const struct boxf *box = &a->boxes[i].box;
		fprintf(out.file, "\t<object>\n\t\t<name>%s</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>0</difficult>\n"
			"\t\t<bndbox>\n\t\t\t<xmin>%d</xmin>\n\t\t\t<ymin>%d</ymin>\n\t\t\t<xmax>%d</xmax>\n\t\t\t<ymax>%d</ymax>\n\t\t</bndbox>\n\t</object>\n",
			a->boxes[i].wnid, (int)box->xmin, (int)box->ymin, (int)box->xmax, (int)box->ymax);
	}
	fputs("</annotation>\n", out.file);
	return output_close(&out, e);
}

static int make_folder(const char *path, struct error *e)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return LSDN_OK;
	return error_set(e, LSDN_ERROR_IO, "%s: cannot be made: %s: name a folder that can be written to", path, strerror(errno));
}

static int write_one(uint64_t seed, uint32_t index, bool jpeg, const char *directory, struct error *e)
{
	char name[32], path[PATH_ROOM];
	struct photo photo;
	struct annotation truth;
	int failed = generate_image(seed, index, &photo, &truth, e);
	if (failed)
		return failed;
	snprintf(name, sizeof name, "generated_%08lu", (unsigned long)index);
	snprintf(path, sizeof path, "%s/images/%s.%s", directory, name, jpeg ? "JPEG" : "png");
	failed = write_photo(&photo, jpeg, path, e);
	if (!failed) {
		snprintf(path, sizeof path, "%s/annotations/%s.xml", directory, name);
		failed = write_annotation(&truth, name, path, e);
	}
	photo_free(&photo);
	annotation_free(&truth);
	return failed;
}

int generate_write(uint64_t seed, uint32_t count, bool jpeg, const char *directory,
	const volatile sig_atomic_t *stop, struct error *e)
{
	char images[PATH_ROOM], annotations[PATH_ROOM];
	if (strlen(directory) > PATH_ROOM - 64)
		return error_set(e, LSDN_ERROR_INPUT, "%.60s...: the name is too long: use a shorter path", directory);
	snprintf(images, sizeof images, "%s/images", directory);
	snprintf(annotations, sizeof annotations, "%s/annotations", directory);
	int failed = make_folder(directory, e);
	if (!failed)
		failed = make_folder(images, e);
	if (!failed)
		failed = make_folder(annotations, e);
	for (uint32_t i = 0; i < count && !failed; i++) {
		failed = write_one(seed, i, jpeg, directory, e);
		if (!failed && stop && *stop)
			failed = error_set(e, LSDN_ERROR_INTERRUPTED, "%s: interrupted after %lu images", directory, (unsigned long)i + 1);
	}
	return failed;
}
