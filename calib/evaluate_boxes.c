/* Prints what a file of boxes is worth. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/boxes.h"
#include "calib/evaluate.h"
#include "calib/table.h"
#include "core/utf8.h"

static int print(const struct evaluate_options *o, const struct box_scores *s, struct error *e)
{
	static const char OVERLAP[] = "IoU > 0.5", ERROR[] = "localisation error";
	const struct table_row rows[] = {
		table_share("boxes", ERROR, s->images - s->both, s->images),
		table_share("boxes", "right class", s->right_class, s->images),
		table_share("boxes", OVERLAP, s->overlap, s->images),
		table_share("centre box", OVERLAP, s->center, s->sized),
		table_share("whole photograph", OVERLAP, s->whole, s->sized),
	};
	bool trivial = s->sized == s->images;
	int code = LSDN_OK;
	char *name = strdup(o->boxes);
	if (!name)
		return error_memory(e, "a name");
	utf8_mend(name);
	if (!o->json)
		printf("%s (%llu images, percent with 95%% interval)\n", o->boxes, (unsigned long long)s->images);
	for (size_t i = 0; i < (trivial ? 5 : 3) && !code; i++)
		if (o->json)
			code = table_print_json(&rows[i], "boxes", name, e);
		else
			table_print_text(&rows[i]);
	free(name);
	if (!trivial)
		fprintf(o->json ? stderr : stdout, "%sThe data does not give the photographs' sizes: no rows for the centre box and the whole photograph.\n",
			o->json ? "lsdn-evaluate: " : "  ");
	return code;
}

static void print_notes(const struct evaluate_options *o, const struct box_file *f, const struct box_match *m, const struct dataset *d,
	const struct box_scores *s)
{
	if (m->order == BOX_ORDER_NUMBER)
		fprintf(stderr, "lsdn-evaluate: %s: %zu lines for %zu images: each image takes the line whose number its name ends in\n", o->boxes, f->count,
			d->count);
	if (m->order == BOX_ORDER_NAMES && m->unused)
		fprintf(stderr, "lsdn-evaluate: %s: %zu of its images are not in the data set and are left out\n", o->names, m->unused);
	if (m->matched < d->count)
		fprintf(stderr, "lsdn-evaluate: %s: %zu images are not in the list and are left out\n", o->data, d->count - m->matched);
	if (s->unknown)
		fprintf(stderr, "lsdn-evaluate: %s: has no WordNet id of %llu images, whose class no line can have right\n", o->ids,
			(unsigned long long)s->unknown);
}

int evaluate_boxes(const struct evaluate_options *o, struct error *e)
{
	struct class_ids ids = {0};
	struct box_file boxes = {0};
	struct dataset dataset = {0};
	struct box_match match = {0};
	struct box_scores scores;
	size_t without = 0;
	int code = class_ids_read(&ids, o->ids, e);
	if (!code)
		code = box_file_read(&boxes, o->boxes, ids.count, e);
	if (!code)
		code = dataset_open_truth(&dataset, o->data, &without, e);
	if (!code && without)
		fprintf(stderr, "lsdn-evaluate: %s: %zu images have no annotation and are left out\n", o->data, without);
	if (!code)
		code = box_match(&match, &boxes, o->boxes, &dataset, o->names, e);
	if (!code)
		code = box_score(&scores, &boxes, &match, &ids, &dataset, e);
	if (!code) {
		print_notes(o, &boxes, &match, &dataset, &scores);
		code = print(o, &scores, e);
	}
	box_match_free(&match);
	dataset_close(&dataset);
	box_file_free(&boxes);
	class_ids_free(&ids);
	return code;
}
