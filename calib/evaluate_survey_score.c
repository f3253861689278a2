/* Prints what people answered. */
#include "config.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "calib/evaluate.h"
#include "calib/survey.h"
#include "calib/table.h"
#include "core/json.h"

static const char PERSONS[] = "persons";

static struct table_row mean_row(const char *who, const char *what, const struct survey_mean *m, uint64_t persons)
{
	return (struct table_row){.name = who, .measure = what, .mean = true, .value = m->value, .interval = m->interval, .images = persons};
}

/* A row without a share or a mean of anything. */
static int print_number(const char *who, const char *what, double value, bool json, const char *survey, struct error *e)
{
	if (json)
		return json_line(stdout, json_pack("{s:s, s:s, s:s, s:f}", "survey", survey, "row", who, "measure", what, "value", value), 9, e);
	printf("  %-18s  %-31s  %7.3g\n", who, what, value);
	return LSDN_OK;
}

/* null where there is none. */
static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static int print_alpha(const char *what, const struct survey_mean *alpha, bool json, const char *survey, struct error *e)
{
	if (json)
		return json_line(stdout, json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "survey", survey, "row", "agreement", "measure", what, "value", number(alpha->value),
			"low", number(alpha->interval.low), "high", number(alpha->interval.high)), 9, e);
	printf("  %-18s  %-31s  ", "agreement", what);
	if (isnan(alpha->value))
		printf("there is none: nothing varies, or nobody shares an image\n");
	else if (isnan(alpha->interval.low))
		printf("%7.3f  (of one image)\n", alpha->value);
	else
		printf("%7.3f  [%.3f, %.3f]\n", alpha->value, alpha->interval.low, alpha->interval.high);
	return LSDN_OK;
}

static int print_row(const struct table_row *row, const char *unit, bool json, const char *survey, struct error *e)
{
	double scale = row->mean ? 1 : 100;
	if (!json)
		table_print_text(row);
	return !json ? LSDN_OK : json_line(stdout, json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:I}", "survey", survey, "row", row->name, "measure",
		row->measure, row->mean ? "mean" : "percent", scale * row->value, "low", scale * row->interval.low, "high", scale * row->interval.high, unit,
		(json_int_t)row->images), 9, e);
}

static int print_best(const struct survey_answers *of, const struct survey_score *s, bool json, struct error *e)
{
	int code = LSDN_OK;
	if (!json)
		printf("\nWhich map best describes the object (percent with Wilson's 95%% interval; means over persons with the normal approximation's)\n");
	for (int n = 0; n < SURVEY_NETWORKS && !code; n++) {
		struct table_row prefer = table_share(of->networks[n], "persons who prefer it", s->prefer[n], s->persons);
		struct table_row votes = mean_row(of->networks[n], "mean share of answers", &s->votes[n], s->persons);
		code = print_row(&prefer, PERSONS, json, of->survey, e);
		if (!code)
			code = print_row(&votes, PERSONS, json, of->survey, e);
	}
	struct table_row left = table_share("map on the left", "answers", s->left, s->answers);
	if (!code)
		code = print_number("difference", "sign test of persons: p", s->p, json, of->survey, e);
	if (!code)
		code = print_row(&left, "answers", json, of->survey, e);
	return code ? code : print_alpha("Krippendorff's alpha, nominal", &s->agreement_votes, json, of->survey, e);
}

static int print_reliability(const struct survey_answers *of, const struct survey_score *s, bool json, struct error *e)
{
	int code = LSDN_OK;
	if (!json)
		printf("\nHow reliable is the map\n");
	for (int n = 0; n < SURVEY_NETWORKS && !code; n++) {
		struct table_row mean = mean_row(of->networks[n], "reliability, 1 to 5", &s->reliability[n], s->persons);
		struct table_row sum = mean_row(of->networks[n], "normalised: sum over persons", &s->normalised[n], s->persons);
		code = print_row(&mean, PERSONS, json, of->survey, e);
		if (!code)
			code = print_row(&sum, PERSONS, json, of->survey, e);
	}
	struct table_row difference = mean_row("difference", "second less first", &s->difference, s->persons);
	if (!code)
		code = print_row(&difference, PERSONS, json, of->survey, e);
	return code ? code : print_alpha("Krippendorff's alpha, ordinal", &s->agreement_reliability, json, of->survey, e);
}

static int score(const struct survey_answers *files, size_t count, bool json, struct error *e)
{
	struct survey_score s;
	int code = survey_score(&s, files, count, e);
	if (!code && !json)
		printf("%s and %s: %llu persons, %llu images, %llu answers\n", files->networks[0], files->networks[1], (unsigned long long)s.persons,
			(unsigned long long)s.images, (unsigned long long)s.answers);
	if (!code)
		code = print_best(files, &s, json, e);
	return code ? code : print_reliability(files, &s, json, e);
}

int evaluate_survey_score(const struct evaluate_options *o, struct error *e)
{
	size_t count = (size_t)o->file_count, read = 0;
	struct survey_answers *files = calloc(count, sizeof *files);
	int code = files ? LSDN_OK : error_memory(e, "answers");
	for (; !code && read < count; read += !code)
		code = survey_answers_read(&files[read], o->files[read], e);
	if (!code)
		code = score(files, count, o->json, e);
	for (size_t i = 0; i < read; i++)
		survey_answers_free(&files[i]);
	free(files);
	return code;
}
