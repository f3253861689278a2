#include "config.h"

#include "calib/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/file.h"

enum { MAX_CSV_BYTES = 1 << 28 };

static const char *const PHOTOS[] = {"jpg", "jpeg", "png", NULL}, *const XML[] = {"xml", NULL};

/* What is known of the images: a name without suffix, and the path of its XML or its line of the CSV. Sorted by stem. */
struct entry {
	char *stem, *value; /* owned */
	size_t line;
};

struct entries {
	struct entry *list;
	size_t count, room;
};

static void entries_free(struct entries *all)
{
	for (size_t i = 0; i < all->count; i++) {
		free(all->list[i].stem);
		free(all->list[i].value);
	}
	free(all->list);
	*all = (struct entries){0};
}

/* Takes over stem and value, also when it fails. */
static int entries_add(struct entries *all, char *stem, char *value, size_t line, struct error *e)
{
	if (stem && value && all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 256;
		struct entry *grown = realloc(all->list, room * sizeof *grown);
		if (grown) {
			all->list = grown;
			all->room = room;
		}
	}
	if (!stem || !value || all->count == all->room) {
		free(stem);
		free(value);
		return error_memory(e, "a list of files");
	}
	all->list[all->count++] = (struct entry){stem, value, line};
	return LSDN_OK;
}

static int by_stem(const void *left, const void *right)
{
	return strcmp(((const struct entry *)left)->stem, ((const struct entry *)right)->stem);
}

static void entries_sort(struct entries *all)
{
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, by_stem);
}

static struct entry *entries_find(const struct entries *all, char *stem)
{
	struct entry key = {.stem = stem};
	return all->count ? bsearch(&key, all->list, all->count, sizeof *all->list, by_stem) : NULL;
}

static char *join(const char *folder, const char *name)
{
	char *path = malloc(strlen(folder) + strlen(name) + 2);
	if (path)
		sprintf(path, "%s/%s", folder, name);
	return path;
}

static bool has_suffix(const char *name, const char *const suffixes[])
{
	const char *dot = strrchr(name, '.');
	for (int i = 0; dot && dot != name && suffixes[i]; i++)
		if (strcasecmp(dot + 1, suffixes[i]) == 0)
			return name[0] != '.';
	return false;
}

static char *stem_of(const char *name)
{
	return strndup(name, (size_t)(strrchr(name, '.') - name));
}

/* Files with one of the suffixes; the stem of each, or its whole name, is what they are sorted by. */
static int list_folder(struct entries *all, const char *folder, const char *const suffixes[], bool whole, struct error *e)
{
	DIR *stream = opendir(folder);
	if (!stream)
		return error_set(e, LSDN_ERROR_IO, "%s: %s: make the folder readable", folder, strerror(errno));
	int failed = LSDN_OK;
	struct dirent *found;
	while (!failed && (errno = 0, found = readdir(stream)))
		if (has_suffix(found->d_name, suffixes))
			failed = entries_add(all, whole ? strdup(found->d_name) : stem_of(found->d_name), join(folder, found->d_name), 0, e);
	if (!failed && errno)
		failed = error_set(e, LSDN_ERROR_IO, "%s: %s: check the disk", folder, strerror(errno));
	closedir(stream);
	entries_sort(all);
	return failed;
}

static int read_csv(struct entries *all, const char *path, struct error *e)
{
	static const char HEADER[] = "ImageId,PredictionString";
	struct error own;
	e = e ? e : &own;
	char *text = file_text(path, MAX_CSV_BYTES, e);
	if (!text)
		return e->code;
	int failed = LSDN_OK;
	size_t number = 1;
	for (char *line = text, *next; !failed && line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		char *comma = strchr(line, ',');
		if (number == 1) {
			if (strcmp(line, HEADER) != 0)
				failed = error_set(e, LSDN_ERROR_INPUT, "%s:1: not \"%s\": take ImageNet's LOC_val_solution.csv", path, HEADER);
		} else if (comma && comma != line) {
			failed = entries_add(all, strndup(line, (size_t)(comma - line)), strdup(comma + 1), number, e);
		} else if (*line) {
			failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: no image before a comma: write ImageId,WNID xmin ymin xmax ymax", path, number);
		}
	}
	free(text);
	entries_sort(all);
	for (size_t i = 1; i < all->count && !failed; i++)
		if (by_stem(&all->list[i - 1], &all->list[i]) == 0)
			failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: %.100s has another line, %zu: keep one", path,
				all->list[i].line > all->list[i - 1].line ? all->list[i].line : all->list[i - 1].line, all->list[i].stem,
				all->list[i].line > all->list[i - 1].line ? all->list[i - 1].line : all->list[i].line);
	return failed;
}

static bool is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool is_file(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* The folder of photographs and the folder of annotations, or the CSV in its stead; each owned by the caller. */
struct layout {
	char *images, *annotations, *csv;
};

static void layout_free(struct layout *l)
{
	free(l->images);
	free(l->annotations);
	free(l->csv);
	*l = (struct layout){0};
}

static int find_layout(struct layout *l, const char *root, struct error *e)
{
	static const char *const FOLDERS[][2] = {{"images", "annotations"}, {"Data/CLS-LOC/val", "Annotations/CLS-LOC/val"}};
	for (int csv = 0; csv < 2; csv++) {
		for (int i = 0; i < 2; i++) {
			*l = (struct layout){.images = join(root, FOLDERS[i][0])};
			char **truth = csv ? &l->csv : &l->annotations;
			*truth = join(root, csv ? "LOC_val_solution.csv" : FOLDERS[i][1]);
			if (!l->images || !*truth) {
				layout_free(l);
				return error_memory(e, "paths of a data set");
			}
			if (is_folder(l->images) && (csv ? is_file(*truth) : is_folder(*truth)))
				return LSDN_OK;
			layout_free(l);
		}
	}
	return error_set(e, LSDN_ERROR_INPUT, "%s: no data set: needs images/ and annotations/, or ImageNet's Data/CLS-LOC/val with"
		" Annotations/CLS-LOC/val or LOC_val_solution.csv", root);
}

/* Moves what belongs together into the data set; both lists are left to be freed. */
static int match(struct dataset *d, struct entries *images, const struct entries *truths, size_t *without, struct error *e)
{
	d->items = calloc(images->count ? images->count : 1, sizeof *d->items);
	if (!d->items)
		return error_memory(e, "a data set");
	for (size_t i = 0; i < images->count; i++) {
		char *stem = stem_of(images->list[i].stem);
		if (!stem)
			return error_memory(e, "a data set");
		const struct entry *truth = entries_find(truths, stem);
		free(stem);
		if (!truth) {
			*without += 1;
			continue;
		}
		char *annotation = strdup(truth->value);
		if (!annotation)
			return error_memory(e, "a data set");
		d->items[d->count++] = (struct dataset_item){images->list[i].value, annotation, truth->line};
		images->list[i].value = NULL;
	}
	return LSDN_OK;
}

int dataset_open(struct dataset *d, const char *root, size_t *without, struct error *e)
{
	struct layout layout;
	struct entries images = {0}, truths = {0};
	size_t left_out = 0;
	*d = (struct dataset){0};
	int failed = find_layout(&layout, root, e);
	if (failed)
		return failed;
	failed = list_folder(&images, layout.images, PHOTOS, true, e);
	if (!failed)
		failed = layout.csv ? read_csv(&truths, layout.csv, e) : list_folder(&truths, layout.annotations, XML, false, e);
	if (!failed)
		failed = match(d, &images, &truths, &left_out, e);
	if (!failed && !d->count)
		failed = error_set(e, LSDN_ERROR_INPUT, "%s: none of %zu photographs has an annotation: names before the suffix must be equal",
			layout.images, images.count);
	if (!failed) {
		d->csv = layout.csv;
		layout.csv = NULL;
		if (without)
			*without = left_out;
	}
	entries_free(&images);
	entries_free(&truths);
	layout_free(&layout);
	if (failed)
		dataset_close(d);
	return failed;
}

static int open_csv(struct dataset *d, const char *path, struct error *e)
{
	struct entries truths = {0};
	int failed = read_csv(&truths, path, e);
	if (!failed && !truths.count)
		failed = error_set(e, LSDN_ERROR_INPUT, "%s: no image after its first line: take ImageNet's LOC_val_solution.csv", path);
	if (!failed) {
		d->csv = strdup(path);
		d->items = calloc(truths.count, sizeof *d->items);
		if (!d->csv || !d->items)
			failed = error_memory(e, "a data set");
	}
	for (size_t i = 0; i < truths.count && !failed; i++) {
		struct entry *truth = &truths.list[i];
		d->items[d->count++] = (struct dataset_item){truth->stem, truth->value, truth->line};
		truth->stem = truth->value = NULL;
	}
	entries_free(&truths);
	if (failed)
		dataset_close(d);
	return failed;
}

int dataset_open_truth(struct dataset *d, const char *path, size_t *without, struct error *e)
{
	*d = (struct dataset){0};
	if (is_folder(path))
		return dataset_open(d, path, without, e);
	if (without)
		*without = 0;
	return open_csv(d, path, e);
}

const char *dataset_name(const struct dataset *d, size_t index, size_t *length)
{
	const char *image = d->items[index].image, *slash = strrchr(image, '/');
	const char *name = slash ? slash + 1 : image;
	*length = has_suffix(name, PHOTOS) ? (size_t)(strrchr(name, '.') - name) : strlen(name);
	return name;
}

int dataset_annotation(const struct dataset *d, size_t index, struct annotation *a, struct error *e)
{
	const struct dataset_item *item = &d->items[index];
	if (!d->csv)
		return annotation_read_xml(a, item->annotation, e);
	char place[512];
	snprintf(place, sizeof place, "%.480s:%zu", d->csv, item->csv_line);
	return annotation_read_prediction(a, item->annotation, place, e);
}

void dataset_close(struct dataset *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->items[i].image);
		free(d->items[i].annotation);
	}
	free(d->items);
	free(d->csv);
	*d = (struct dataset){0};
}
