/* lsdn-evaluate: says how often a file of boxes finds the object, against the annotations of a data set. */
#include "config.h"

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/boxes.h"
#include "calib/evidence.h"
#include "core/utf8.h"

const char *argp_program_version = PACKAGE_STRING;

enum { EXIT_USAGE = 2 };

struct options {
	const char *boxes, *ids, *data, *names;
	bool json;
};

static const struct argp_option OPTIONS[] = {
	{"boxes", 'b', "FILE", 0, "The boxes: one line an image, \"class xmin ymin xmax ymax\", in pixels of the original photograph, both ends included. "
		"Class i (from 1) is line i of --ids", 0},
	{"ids", 'i', "IDS", 0, "The classes: WordNet ids, one a line, in the order in which FILE counts them", 0},
	{"data", 'd', "DIR|CSV", 0, "The truth: LOC_val_solution.csv itself (no photograph is needed), or a folder with images/ and annotations/ (ILSVRC XML) or "
		"ImageNet's own folders", 0},
	{"names", 'n', "LIST", 0, "Names of images without suffix, one a line: line i of FILE is of the image on line i (default: line i is of the i-th image in "
		"order of name)", 0},
	{"json", 'j', NULL, 0, "Print one JSON object a line for each row of the table", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct options *o = state->input;
	switch (key) {
	case 'b': o->boxes = argument; return 0;
	case 'i': o->ids = argument; return 0;
	case 'd': o->data = argument; return 0;
	case 'n': o->names = argument; return 0;
	case 'j': o->json = true; return 0;
	case ARGP_KEY_END:
		if (!o->boxes || !o->ids || !o->data)
			argp_error(state, "--%s is missing: name the boxes, the classes and the truth with --boxes, --ids and --data",
				!o->boxes ? "boxes" : !o->ids ? "ids" : "data");
		return 0;
	case ARGP_KEY_ARG: argp_error(state, "%s: no such argument: name the boxes with --boxes", argument); return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp ARGP = {OPTIONS, parse, NULL,
	"Scores boxes that any explainer found, with no network: how often the class is right, how often the box overlaps an annotated one by more than half, and "
	"how often not both (the localisation error).\v"
	"IoU is counted in pixels with both ends included, and is that of the best of the image's annotated boxes; a box that leaves the photograph is counted as "
	"it is given. A class is right if it is the annotation's WordNet id. Intervals are Wilson's, 95%. The trivial rows say what a box that "
	"looks at nothing reaches: centred with sides of 0.75 of the photograph's, and the whole photograph; they need the photograph's size, which XML gives and "
	"the CSV does not.\n\n"
	"Where FILE has the 50,000 lines of ILSVRC's validation set and the data fewer images, line i is of the image whose name ends in the number i, such as "
	"ILSVRC2012_val_00000001.\n\n"
	"Examples:\n"
	"  lsdn-evaluate -b vgg16.txt -i ilsvrc-ids.txt -d LOC_val_solution.csv\n"
	"  lsdn-evaluate -b mine.txt -i ids.txt -d photographs -n names.txt --json\n\n"
	"Exit status: 0 done, 1 could not (the reason is on standard error), 2 wrong usage.", NULL, NULL, NULL};

struct row {
	const char *name, *measure;
	uint64_t hits; /* of the printed share */
	uint64_t images;
};

static void print_text_row(const struct row *r)
{
	struct interval in = wilson_interval(r->hits, r->images);
	printf("  %-18s  %-31s  %7.3f  [%.3f, %.3f]\n", r->name, r->measure, 100 * (double)r->hits / (double)r->images, 100 * in.low, 100 * in.high);
}

static int print_json_row(const struct row *r, const char *boxes, struct error *e)
{
	struct interval in = wilson_interval(r->hits, r->images);
	json_t *line = json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:I, s:I}", "boxes", boxes, "row", r->name, "measure", r->measure, "percent",
		100 * (double)r->hits / (double)r->images, "low", 100 * in.low, "high", 100 * in.high, "count", (json_int_t)r->hits, "images",
		(json_int_t)r->images);
	if (!line)
		return error_memory(e, "a line of JSON");
	int failed = json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(line);
	return failed ? error_set(e, LSDN_ERROR_IO, "standard output cannot be written: make room or name another place") : LSDN_OK;
}

static int print(const struct options *o, const struct box_scores *s, struct error *e)
{
	static const char OVERLAP[] = "IoU > 0.5", ERROR[] = "localisation error";
	const struct row rows[] = {
		{"boxes", ERROR, s->images - s->both, s->images},
		{"boxes", "right class", s->right_class, s->images},
		{"boxes", OVERLAP, s->overlap, s->images},
		{"centre box", OVERLAP, s->center, s->sized},
		{"whole photograph", OVERLAP, s->whole, s->sized},
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
			code = print_json_row(&rows[i], name, e);
		else
			print_text_row(&rows[i]);
	free(name);
	if (!trivial)
		fprintf(o->json ? stderr : stdout, "%sThe data does not give the photographs' sizes: no rows for the centre box and the whole photograph.\n",
			o->json ? "lsdn-evaluate: " : "  ");
	return code;
}

static void print_notes(const struct options *o, const struct box_file *f, const struct box_match *m, const struct dataset *d,
	const struct box_scores *s)
{
	if (m->order == BOX_ORDER_NUMBER)
		fprintf(stderr, "lsdn-evaluate: %s: %zu lines for %zu images: each image takes the line whose number its name ends in\n", o->boxes, f->count, d->count);
	if (m->order == BOX_ORDER_NAMES && m->unused)
		fprintf(stderr, "lsdn-evaluate: %s: %zu of its images are not in the data set and are left out\n", o->names, m->unused);
	if (m->matched < d->count)
		fprintf(stderr, "lsdn-evaluate: %s: %zu images are not in the list and are left out\n", o->data, d->count - m->matched);
	if (s->unknown)
		fprintf(stderr, "lsdn-evaluate: %s: has no WordNet id of %llu images, whose class no line can have right\n", o->ids, (unsigned long long)s->unknown);
}

static int evaluate(const struct options *o, struct error *e)
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

int main(int argc, char **argv)
{
	struct options o = {0};
	struct error e;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&ARGP, argc, argv, 0, NULL, &o);
	int code = evaluate(&o, &e);
	if (code)
		fprintf(stderr, "lsdn-evaluate: %s\n", e.message);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (!code)
			fprintf(stderr, "lsdn-evaluate: standard output cannot be written: make room or name another place\n");
		return EXIT_FAILURE;
	}
	return code ? EXIT_FAILURE : EXIT_SUCCESS;
}
