/* Prints the table of methods. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calib/contest_page.h"
#include "calib/evaluate.h"
#include "calib/score.h"
#include "core/json.h"
#include "core/output.h"

static const char PROGRAM[] = "lsdn-evaluate";

/* What the table is made of. */
struct table {
	struct contest *contest;
	const struct evaluate_options *o;
	const struct seen *seen;
	int (*thresholds)[SCORE_BITS]; /* one an entrant */
};

static int rows_of(const struct contest *c)
{
	return ROW_SANITY + c->levels.count;
}

/* Over the draws. */
struct spread {
	double mean, deviation;
};

static int spread_of(const struct contest *c, size_t entrant, int row, struct spread *s, struct error *e)
{
	double sum = 0, squares = 0;
	*s = (struct spread){0};
	for (int draw = 0; draw < c->job->draws; draw++) {
		struct contest_figure f;
		int code = contest_figure(c, entrant, row, draw, &f, e);
		if (code)
			return code;
		sum += f.value;
		squares += f.value * f.value;
	}
	double n = c->job->draws;
	s->mean = sum / n;
	s->deviation = n > 1 ? sqrt(fmax(0, squares - n * s->mean * s->mean) / (n - 1)) : 0;
	return LSDN_OK;
}

static int print_figure(const struct table *t, size_t entrant, int row, const struct contest_figure *f, struct error *e)
{
	const struct contest *c = t->contest;
	char text[256];
	struct contest_measure measure = contest_measure(c, row, text);
	double unit = measure.mean ? 1 : 100;
	int digits = measure.mean ? 3 : 1;
	printf("  %-33s  %6.*f  [%6.*f, %6.*f]  %5zu", c->entrants[entrant].name, digits, unit * f->value, digits, unit * f->interval.low, digits,
		unit * f->interval.high, f->images);
	if (f->tested)
		printf("  p = %-8.3g (%zu above, %zu below)", f->p, f->better, f->worse);
	if (row == ROW_MAX_BOX)
		printf("  at %.2f", (double)t->thresholds[entrant][0] / SCORE_THRESHOLDS);
	if (row == ROW_MAX_BOX_V2)
		printf("  at %.2f, %.2f, %.2f", (double)t->thresholds[entrant][1] / SCORE_THRESHOLDS, (double)t->thresholds[entrant][2] / SCORE_THRESHOLDS,
			(double)t->thresholds[entrant][3] / SCORE_THRESHOLDS);
	if (c->job->draws > 1) {
		struct spread s;
		int code = spread_of(c, entrant, row, &s, e);
		if (code)
			return code;
		printf("  draws %.*f +- %.*f", digits, unit * s.mean, digits + 1, unit * s.deviation);
	}
	putchar('\n');
	return LSDN_OK;
}

static int print_measure(const struct table *t, int row, struct error *e)
{
	char text[256];
	struct contest_measure measure = contest_measure(t->contest, row, text);
	bool begun = false;
	for (size_t i = 0; i < t->contest->entrant_count; i++) {
		struct contest_figure f;
		int code = contest_figure(t->contest, i, row, -1, &f, e);
		if (code)
			return code;
		if (!f.images)
			continue;
		if (!begun)
			printf("\n%c%s (%s; %s is good)\n  %s\n", measure.name[0] >= 'a' && measure.name[0] <= 'z' ? measure.name[0] - 'a' + 'A' : measure.name[0],
				measure.name + 1, measure.mean ? "mean" : "percent", measure.low_is_good ? "low" : "high", measure.rule);
		begun = true;
		code = print_figure(t, i, row, &f, e);
		if (code)
			return code;
	}
	return LSDN_OK;
}

static const int OVERVIEW[] = {ROW_POINTING, ROW_POINTING_NEAR, ROW_KNOWN, ROW_ERROR, ROW_MAX_BOX, ROW_MAX_BOX_V2, ROW_RISE, ROW_DROP, ROW_INSERTION, ROW_DELETION};

/* The paper's table 1, figures alone. */
static int print_overview(const struct table *t, struct error *e)
{
	printf("\n  %-33s  pointing  15 px  IoU known  error  MaxBox     V2    rise   drop  insert  delete\n", "");
	for (size_t i = 0; i < t->contest->entrant_count; i++) {
		static const int WIDTHS[] = {10, 7, 11, 7, 8, 7, 8, 7, 8, 8};
		printf("  %-33s", t->contest->entrants[i].name);
		for (size_t k = 0; k < sizeof OVERVIEW / sizeof *OVERVIEW; k++) {
			struct contest_figure f;
			char text[256];
			int code = contest_figure(t->contest, i, OVERVIEW[k], -1, &f, e);
			if (code)
				return code;
			bool mean = contest_measure(t->contest, OVERVIEW[k], text).mean;
			if (f.images)
				printf("%*.*f", WIDTHS[k], mean ? 3 : 1, f.value * (mean ? 1 : 100));
			else
				printf("%*s", WIDTHS[k], "-");
		}
		putchar('\n');
	}
	return LSDN_OK;
}

static int print_text(const struct table *t, struct error *e)
{
	const struct contest *c = t->contest;
	evaluate_head(c->job->crew.net, c->job->choices, t->seen, c->usable);
	if (c->job->draws > 1)
		printf("%d draws of %zu images; figures are of all images that were drawn, each once, and \"draws\" are mean and standard deviation of the draws' own\n",
			c->job->draws, c->job->images);
	int code = print_overview(t, e);
	if (!code)
		printf("\nIntervals are 95%%: Wilson's for percents, the normal approximation for means; then the images. p is two-sided, against lsdn on the same images:\n"
			"McNemar's exact test for percents, flips of sign (all, or 9999 at random) for means; above and below: images on which the figure is higher or lower than lsdn's.\n");
	for (int row = 0; row < rows_of(c) && !code; row++)
		code = print_measure(t, row, e);
	return code;
}

static json_t *draws_json(const struct contest *c, size_t entrant, int row, double unit, struct error *e)
{
	json_t *list = json_array();
	for (int draw = 0; draw < c->job->draws && list; draw++) {
		struct contest_figure f;
		if (contest_figure(c, entrant, row, draw, &f, e) || json_array_append_new(list, json_real(unit * f.value)) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static json_t *thresholds_json(const struct table *t, size_t entrant, int row)
{
	json_t *list = json_array();
	for (int n = row == ROW_MAX_BOX ? 0 : 1; list && n < (row == ROW_MAX_BOX ? 1 : SCORE_BITS); n++)
		json_array_append_new(list, json_real((double)t->thresholds[entrant][n] / SCORE_THRESHOLDS));
	return list;
}

static int print_json_figure(const struct table *t, size_t entrant, int row, const struct contest_figure *f, struct error *e)
{
	const struct contest *c = t->contest;
	char text[256];
	struct contest_measure measure = contest_measure(c, row, text);
	double unit = measure.mean ? 1 : 100;
	json_t *line = json_pack("{s:o, s:s, s:s, s:o, s:f, s:f, s:f, s:s, s:I}", "model", json_text(c->job->crew.net->name), "row", c->entrants[entrant].name,
		"measure", measure.name, "rule", json_text(measure.rule), measure.mean ? "mean" : "percent", unit * f->value, "low", unit * f->interval.low, "high",
		unit * f->interval.high, "interval", measure.mean ? "normal" : "Wilson", "images", (json_int_t)f->images);
	bool failed = !line;
	if (line && !measure.mean)
		failed |= json_object_set_new(line, "count", json_integer((json_int_t)f->count)) != 0;
	if (line && f->tested)
		failed |= json_object_update_new(line, json_pack("{s:f, s:s, s:I, s:I, s:I}", "p", f->p, "test", measure.mean ? "sign flips" : "McNemar", "pairs",
			(json_int_t)f->pairs, "above", (json_int_t)f->better, "below", (json_int_t)f->worse)) != 0;
	if (line && (row == ROW_MAX_BOX || row == ROW_MAX_BOX_V2))
		failed |= json_object_set_new(line, "thresholds", thresholds_json(t, entrant, row)) != 0;
	if (line && row >= ROW_SANITY)
		failed |= json_object_set_new(line, "layers", json_integer(c->levels.drawn[row - ROW_SANITY])) != 0;
	if (line && c->job->draws > 1) {
		json_t *draws = draws_json(c, entrant, row, unit, e);
		failed |= json_object_set_new(line, "draws", draws) != 0;
	}
	if (line && t->seen->path && t->seen->weights->calibrated.count)
		failed |= json_object_set_new(line, "tuned_on", json_integer((json_int_t)t->seen->tuned_on)) != 0;
	if (failed) {
		json_decref(line);
		return error_memory(e, "a line of JSON");
	}
	return json_line(stdout, line, 9, e);
}

static int print_json(const struct table *t, struct error *e)
{
	for (int row = 0; row < rows_of(t->contest); row++)
		for (size_t i = 0; i < t->contest->entrant_count; i++) {
			struct contest_figure f;
			int code = contest_figure(t->contest, i, row, -1, &f, e);
			if (!code && f.images)
				code = print_json_figure(t, i, row, &f, e);
			if (code)
				return code;
		}
	return LSDN_OK;
}

/* What is not in the table, and what differs from run to run: on standard error. */
static void print_notes(const struct contest *c)
{
	size_t skipped = c->taken_count - c->usable;
	if (skipped)
		fprintf(stderr, "%zu images were skipped:\n", skipped);
	for (size_t i = 0; i < c->taken_count; i++)
		if (c->images[c->taken[i]].why)
			fprintf(stderr, "  %s\n", c->images[c->taken[i]].why);
	for (size_t k = 0; k < c->entrant_count; k++) {
		size_t count = 0;
		const char *why = NULL;
		for (size_t i = 0; i < c->taken_count; i++) {
			const struct contest_image *image = &c->images[c->taken[i]];
			if (!image->usable || !image->failed[k])
				continue;
			why = why ? why : image->failed[k];
			count++;
		}
		if (why)
			fprintf(stderr, "%s: %zu of %zu images are not explained by %s: %s\n", PROGRAM, count, c->usable, c->entrants[k].name, why);
	}
	if (!c->fed)
		return;
	fprintf(stderr, "Images a second of one thread (forward pass, map and box):\n");
	for (size_t k = 0; k < c->entrant_count; k++) {
		const struct entrant *n = &c->entrants[k];
		if (n->explained)
			fprintf(stderr, "  %-33s  %8.2f\n", n->name, 1 / (c->feed_seconds / (double)c->fed + n->seconds / (double)n->explained));
	}
}

enum { GALLERY_USUAL = 3, GALLERY_MOST = 100 };

/* The images that are named, or the first ones that were measured. */
static int choose_gallery(const struct contest *c, const char *names, uint32_t images[GALLERY_MOST], size_t *count, struct error *e)
{
	*count = 0;
	for (size_t i = 0; !names && i < c->taken_count && *count < GALLERY_USUAL; i++)
		if (c->images[c->taken[i]].usable)
			images[(*count)++] = c->taken[i];
	while (names && *names) {
		char name[256] = "";
		size_t length = strcspn(names, ",");
		memcpy(name, names, length < sizeof name ? length : sizeof name - 1);
		if (*count == GALLERY_MOST)
			return error_set(e, LSDN_ERROR_INPUT, "--gallery: more than %d images: name fewer", GALLERY_MOST);
		if (!source_find(c->job->source, name, &images[(*count)++]))
			return error_set(e, LSDN_ERROR_INPUT, "--gallery: '%.200s' is none of the images: name files of the folder", name);
		names += length + (names[length] == ',');
	}
	return LSDN_OK;
}

/* Writes what has been opened. */
static int write_report(const struct table *t, struct output *out, struct error *e)
{
	struct contest *c = t->contest;
	uint32_t images[GALLERY_MOST];
	size_t count;
	struct gallery gallery = {0};
	int code = choose_gallery(c, t->o->gallery, images, &count, e);
	if (!code && !*c->job->crew.stop)
		code = gallery_make(&gallery, c, images, count, e);
	if (code == LSDN_ERROR_INTERRUPTED) {
		gallery_free(&gallery);
		code = LSDN_OK;
	}
	if (!code)
		code = contest_page(out->file, c, t->thresholds, &gallery, t->seen, e);
	gallery_free(&gallery);
	return code ? code : output_close(out, e);
}

static int print(struct contest *c, const struct evaluate_options *o, const struct seen *seen, struct output *out, struct error *e)
{
	struct table t = {.contest = c, .o = o, .seen = seen, .thresholds = calloc(c->entrant_count, sizeof *t.thresholds)};
	if (!t.thresholds)
		return error_memory(e, "a table");
	for (size_t i = 0; i < c->entrant_count; i++)
		contest_maxima(c, i, t.thresholds[i]);
	int code = o->json ? print_json(&t, e) : print_text(&t, e);
	if (!code && o->report)
		code = write_report(&t, out, e);
	free(t.thresholds);
	return code;
}

struct listening {
	struct progress *progress;
	bool shown;
};

static void begins(void *context, const char *what, size_t steps)
{
	struct listening *l = context;
	progress_start(l->progress, l->shown, what, steps);
}

static void ends(void *context)
{
	progress_end(((struct listening *)context)->progress);
}

int evaluate_methods(const struct measure_job *job, const struct evaluate_options *o, struct seen *seen, struct error *e)
{
	struct contest c = {0};
	struct listening listening = {job->crew.progress, o->progress || isatty(STDERR_FILENO)};
	const struct contest_job contest_job = {.crew = job->crew, .source = job->source, .choices = job->choices, .methods = o->methods, .images = job->images,
		.costly = o->costly, .check = o->check, .check_costly = o->check_costly, .draws = o->repeats, .seed = o->seed, .left_out = job->left_out};
	struct output out = {0};
	uint32_t images[GALLERY_MOST];
	size_t count;
	if (job->choices->target == TARGET_ANNOTATED)
		return error_set(e, LSDN_ERROR_INPUT, "target = annotated: the table of methods explains the network's own class and, in the rows that say so, the annotated "
			"one: say --set target=predicted");
	int code = contest_open(&c, &contest_job, e);
	if (!code && o->gallery) /* before anything is measured */
		code = choose_gallery(&c, o->gallery, images, &count, e);
	if (!code && o->report)
		code = output_open(&out, o->report, e);
	if (!code)
		code = contest_run(&c, &(struct contest_listener){begins, ends, &listening}, e);
	bool stopped = code == LSDN_ERROR_INTERRUPTED;
	if (!code || stopped)
		print_notes(&c);
	if (!code && !c.usable)
		code = error_set(e, LSDN_ERROR_INPUT, "%s: none of %zu images is usable: mend those that were skipped", o->data, c.taken_count);
	else if (!code && c.usable < o->images)
		fprintf(stderr, "%s: %zu images are wanted, %zu of %zu are usable and were measured\n", PROGRAM, o->images, c.usable,
			job->source->count - seen->left_out_count);
	for (size_t i = 0; i < c.taken_count; i++)
		if (c.images[c.taken[i]].usable)
			seen_count(seen, job->source, c.taken[i]);
	if ((!code || stopped) && c.usable) {
		seen_warn(seen, PROGRAM, c.usable);
		int printed = print(&c, o, seen, &out, e);
		code = printed ? printed : code;
	}
	if (stopped && code == LSDN_ERROR_INTERRUPTED)
		code = error_set(e, LSDN_ERROR_INTERRUPTED, "interrupted: %zu of %zu images were measured", c.usable, job->images * (size_t)o->repeats);
	output_abandon(&out);
	contest_close(&c);
	return code;
}
