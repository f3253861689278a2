/* Localisation error is 100 - the share of images with the right class and IoU > 0.5, IoU as in core/image/box.h. */
#include "config.h"

#include "calib/boxes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/annotation_build.h"
#include "core/file.h"

enum { MAX_BYTES = 1 << 26, MAX_CLASSES = 1000000 };

static const char BLANK[] = " \t\r";

/* Ends every line of the text with a NUL and points to each; blanks around it and empty lines at the end do not count. */
static char **split(char *text, size_t *count, struct error *e)
{
	size_t room = 1;
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		room++;
	char **lines = malloc(room * sizeof *lines);
	if (!lines) {
		error_memory(e, "lines of a file");
		return NULL;
	}
	*count = 0;
	size_t number = 0;
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, BLANK);
		size_t length = strlen(line);
		while (length && strchr(BLANK, line[length - 1]))
			line[--length] = '\0';
		lines[number++] = line;
		if (length)
			*count = number;
	}
	return lines;
}

/* The lines of a file, at least one; *text holds them. */
static char **read_lines(const char *path, char **text, size_t *count, const char *wanted, struct error *e)
{
	*text = file_text(path, MAX_BYTES, e);
	char **lines = *text ? split(*text, count, e) : NULL;
	if (lines && *count)
		return lines;
	if (lines)
		error_set(e, LSDN_ERROR_INPUT, "%s: no line: write %s", path, wanted);
	free(lines);
	free(*text);
	*text = NULL;
	return NULL;
}

static int by_text(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

int class_ids_read(struct class_ids *c, const char *path, struct error *e)
{
	struct error own;
	e = e ? e : &own;
	char *text;
	*c = (struct class_ids){0};
	size_t count;
	char **lines = read_lines(path, &text, &count, "a WordNet id for every class", e);
	if (!lines)
		return e->code;
	int failed = LSDN_OK;
	if (count > MAX_CLASSES)
		failed = error_set(e, LSDN_ERROR_INPUT, "%s: more than %d lines: name the file of WordNet ids", path, MAX_CLASSES);
	else if (!(c->ids = calloc(count, sizeof *c->ids)))
		failed = error_memory(e, "WordNet ids");
	for (size_t i = 0; i < count && !failed; i++) {
		if (annotation_wnid(lines[i], strlen(lines[i]), c->ids[i]))
			c->count++;
		else
			failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: \"%.40s\" is no WordNet id: write one such as n01440764 alone on each line", path, i + 1,
				lines[i]);
	}
	if (!failed)
		qsort(lines, count, sizeof *lines, by_text);
	for (size_t i = 1; i < count && !failed; i++)
		if (strcmp(lines[i - 1], lines[i]) == 0)
			failed = error_set(e, LSDN_ERROR_INPUT, "%s: %s is on two lines: a class has one WordNet id of its own", path, lines[i]);
	free(lines);
	free(text);
	if (failed)
		class_ids_free(c);
	return failed;
}

void class_ids_free(struct class_ids *c)
{
	free(c->ids);
	*c = (struct class_ids){0};
}

/* Returns what is wrong with the line, or NULL. */
static const char *parse_line(const char *line, size_t classes, struct predicted_box *p)
{
	double numbers[5];
	for (int i = 0; i < 5; i++) {
		size_t length = strcspn(line, BLANK);
		if (!annotation_number(line, length, &numbers[i]))
			return "not five numbers";
		line += length;
		line += strspn(line, BLANK);
	}
	if (*line)
		return "more than five numbers";
	if (!(numbers[0] >= 1) || numbers[0] > (double)classes || numbers[0] != (double)(int)numbers[0])
		return "no such class";
	*p = (struct predicted_box){(int)numbers[0], {numbers[1], numbers[2], numbers[3], numbers[4]}};
	return p->box.xmin > p->box.xmax || p->box.ymin > p->box.ymax ? "the box ends before it begins" : NULL;
}

int box_file_read(struct box_file *f, const char *path, size_t classes, struct error *e)
{
	static const char FORM[] = "class xmin ymin xmax ymax";
	struct error own;
	e = e ? e : &own;
	char *text;
	*f = (struct box_file){0};
	size_t count;
	char **lines = read_lines(path, &text, &count, FORM, e);
	if (!lines)
		return e->code;
	int failed = LSDN_OK;
	f->lines = calloc(count, sizeof *f->lines);
	if (!f->lines)
		failed = error_memory(e, "boxes");
	for (; f->count < count && !failed; f->count++) {
		const char *wrong = parse_line(lines[f->count], classes, &f->lines[f->count]);
		if (wrong)
			failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: \"%.60s\": %s: write %s with a class from 1 to %zu", path, f->count + 1, lines[f->count], wrong,
				FORM, classes);
	}
	free(lines);
	free(text);
	if (failed)
		box_file_free(f);
	return failed;
}

void box_file_free(struct box_file *f)
{
	free(f->lines);
	*f = (struct box_file){0};
}

/* A name of the list and its line, in a pointer's order of the text. */
struct named {
	const char *name;
	size_t line;
};

static int by_name(const void *left, const void *right)
{
	return strcmp(((const struct named *)left)->name, ((const struct named *)right)->name);
}

static int match_named(struct box_match *m, const struct dataset *d, const char *list, struct named *all, size_t count, struct error *e)
{
	qsort(all, count, sizeof *all, by_name);
	for (size_t i = 1; i < count; i++)
		if (by_name(&all[i - 1], &all[i]) == 0) {
			size_t a = all[i - 1].line, b = all[i].line;
			return error_set(e, LSDN_ERROR_INPUT, "%s:%zu: %.100s is on line %zu too: keep one", list, (a > b ? a : b) + 1, all[i].name, (a > b ? b : a) + 1);
		}
	for (size_t i = 0; i < d->count; i++) {
		size_t length;
		const char *start = dataset_name(d, i, &length);
		char *name = strndup(start, length);
		if (!name)
			return error_memory(e, "a name");
		const struct named *found = bsearch(&(struct named){name, 0}, all, count, sizeof *all, by_name);
		free(name);
		m->lines[i] = found ? found->line : SIZE_MAX;
		m->matched += found != NULL;
	}
	if (!m->matched)
		return error_set(e, LSDN_ERROR_INPUT, "%s: none of its %zu names is in the data set: write names without folder and suffix", list, count);
	return LSDN_OK;
}

static int match_list(struct box_match *m, const struct box_file *f, const char *path, const struct dataset *d, const char *list, struct error *e)
{
	char *text;
	size_t count;
	char **lines = read_lines(list, &text, &count, "the name of an image", e);
	if (!lines)
		return e->code;
	struct named *all = calloc(count, sizeof *all);
	int failed = LSDN_OK;
	if (!all)
		failed = error_memory(e, "names");
	else if (count != f->count)
		failed = error_set(e, LSDN_ERROR_INPUT, "%s: has %zu names, %.200s has %zu boxes: write one name for each", list, count, path, f->count);
	for (size_t i = 0; i < count && !failed; i++) {
		all[i] = (struct named){lines[i], i};
		if (!*lines[i])
			failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: no name: write the name of the image that line %zu of the boxes is of", list, i + 1, i + 1);
	}
	if (!failed)
		failed = match_named(m, d, list, all, count, e);
	free(all);
	free(lines);
	free(text);
	return failed;
}

/* The number at the end of a name, 0 where there is none or it is too large. */
static size_t last_number(const char *name, size_t length)
{
	size_t digits = 0, number = 0;
	while (digits < length && name[length - 1 - digits] >= '0' && name[length - 1 - digits] <= '9')
		digits++;
	for (size_t i = length - digits; i < length; i++) {
		number = 10 * number + (size_t)(name[i] - '0');
		if (number > ILSVRC_VALIDATION_IMAGES)
			return 0;
	}
	return number;
}

static int match_numbers(struct box_match *m, const struct box_file *f, const struct dataset *d, struct error *e)
{
	bool *taken = calloc(f->count, sizeof *taken);
	if (!taken)
		return error_memory(e, "numbers");
	int failed = LSDN_OK;
	for (size_t i = 0; i < d->count && !failed; i++) {
		size_t length, number;
		const char *name = dataset_name(d, i, &length);
		int shown = length < 200 ? (int)length : 200;
		number = last_number(name, length);
		if (!number)
			failed = error_set(e, LSDN_ERROR_INPUT, "%.*s: does not end in a number from 1 to %d: say with --names which line is whose", shown, name,
				ILSVRC_VALIDATION_IMAGES);
		else if (taken[number - 1])
			failed = error_set(e, LSDN_ERROR_INPUT, "%.*s: another image ends in %zu too: say with --names which line is whose", shown, name, number);
		else
			taken[m->lines[i] = number - 1] = true;
	}
	free(taken);
	m->matched = d->count;
	return failed;
}

int box_match(struct box_match *m, const struct box_file *f, const char *path, const struct dataset *d, const char *names, struct error *e)
{
	struct error own;
	e = e ? e : &own;
	int failed = LSDN_OK;
	*m = (struct box_match){.lines = calloc(d->count ? d->count : 1, sizeof *m->lines)};
	if (!m->lines)
		return error_memory(e, "lines of images");
	if (names) {
		m->order = BOX_ORDER_NAMES;
		failed = match_list(m, f, path, d, names, e);
	} else if (f->count == d->count) {
		m->order = BOX_ORDER_SORTED;
		for (size_t i = 0; i < d->count; i++)
			m->lines[i] = i;
		m->matched = d->count;
	} else if (f->count == ILSVRC_VALIDATION_IMAGES && d->count < f->count) {
		m->order = BOX_ORDER_NUMBER;
		failed = match_numbers(m, f, d, e);
	} else {
		failed = error_set(e, LSDN_ERROR_INPUT, "%s:%zu: the file ends after %zu boxes, the data set has %zu images: write one for each in order of name,"
			" or say with --names which line is whose", path, f->count, f->count, d->count);
	}
	m->unused = f->count - (failed ? 0 : m->matched);
	if (failed)
		box_match_free(m);
	return failed;
}

void box_match_free(struct box_match *m)
{
	free(m->lines);
	*m = (struct box_match){0};
}

static int by_id(const void *left, const void *right)
{
	return strcmp(left, right);
}

static bool has_id(const struct annotation *a, const char *id)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->boxes[i].wnid, id) == 0)
			return true;
	return false;
}

static bool is_class(const struct annotation *a, char (*sorted)[16], size_t count)
{
	for (size_t i = 0; i < a->count; i++)
		if (bsearch(a->boxes[i].wnid, sorted, count, sizeof *sorted, by_id))
			return true;
	return false;
}

static void score_one(struct box_scores *s, const struct annotation *a, const struct predicted_box *p, const struct class_ids *c)
{
	/* The annotation's grid is the original photograph's, so any size serves where none is given. */
	int width = a->width ? a->width : 1, height = a->height ? a->height : 1;
	bool right = has_id(a, c->ids[p->class_number - 1]), overlap = annotation_iou(a, &p->box, width, height) > 0.5;
	s->images++;
	s->right_class += right;
	s->overlap += overlap;
	s->both += right && overlap;
	if (a->width && a->height) {
		struct boxf center = box_centered(width, height, BOX_CENTER_SIDE), whole = box_centered(width, height, 1);
		s->sized++;
		s->center += annotation_iou(a, &center, width, height) > 0.5;
		s->whole += annotation_iou(a, &whole, width, height) > 0.5;
	}
}

int box_score(struct box_scores *s, const struct box_file *f, const struct box_match *m, const struct class_ids *c, const struct dataset *d,
	struct error *e)
{
	*s = (struct box_scores){0};
	char (*sorted)[16] = malloc(c->count * sizeof *sorted);
	if (!sorted)
		return error_memory(e, "WordNet ids");
	memcpy(sorted, c->ids, c->count * sizeof *sorted);
	qsort(sorted, c->count, sizeof *sorted, by_id);
	int failed = LSDN_OK;
	for (size_t i = 0; i < d->count && !failed; i++) {
		struct annotation a;
		if (m->lines[i] == SIZE_MAX)
			continue;
		failed = dataset_annotation(d, i, &a, e);
		if (!failed) {
			score_one(s, &a, &f->lines[m->lines[i]], c);
			s->unknown += !is_class(&a, sorted, c->count);
			annotation_free(&a);
		}
	}
	free(sorted);
	return failed;
}
