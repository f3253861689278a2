#include "config.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "calib/survey.h"
#include "core/file.h"

enum { MOST_BYTES = 64 << 20, MOST_ANSWERS = 1000000 };

static int refuse(const char *path, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%s: %s: give the file as the page saved it", path, what);
}

static int refuse_answer(const char *path, size_t i, const char *what, struct error *e)
{
	return error_set(e, LSDN_ERROR_INPUT, "%s: answer %zu: %s: give the file as the page saved it", path, i + 1, what);
}

static bool is_number(const json_t *j, int least, int most)
{
	return json_is_integer(j) && json_integer_value(j) >= least && json_integer_value(j) <= most;
}

/* They are printed. */
static bool is_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return false;
	return *text != '\0';
}

static int copy(char **out, const char *text, struct error *e)
{
	*out = strdup(text);
	return *out ? LSDN_OK : error_memory(e, "answers");
}

static int take_answer(struct survey_answer *a, json_t *j, const char *path, size_t i, struct error *e)
{
	const char *image;
	json_t *best, *left, *reliability;
	json_error_t why;
	if (json_unpack_ex(j, &why, JSON_STRICT, "{s:s, s:o, s:o, s:o}", "image", &image, "best", &best, "reliability", &reliability, "left", &left) != 0)
		return refuse_answer(path, i, why.text, e);
	if (!is_number(best, 0, SURVEY_NETWORKS - 1) || !is_number(left, 0, SURVEY_NETWORKS - 1))
		return refuse_answer(path, i, "'best' and 'left' must be 0 or 1", e);
	if (!json_is_array(reliability) || json_array_size(reliability) != SURVEY_NETWORKS)
		return refuse_answer(path, i, "'reliability' must be two numbers", e);
	for (size_t n = 0; n < SURVEY_NETWORKS; n++) {
		if (!is_number(json_array_get(reliability, n), SURVEY_LEAST, SURVEY_MOST))
			return refuse_answer(path, i, "'reliability' must be whole numbers from 1 to 5", e);
		a->reliability[n] = (int)json_integer_value(json_array_get(reliability, n));
	}
	a->best = (int)json_integer_value(best);
	a->left = (int)json_integer_value(left);
	return copy(&a->image, image, e);
}

static int by_image(const void *first, const void *second)
{
	const struct survey_answer *a = first, *b = second;
	return strcmp(a->image, b->image);
}

static int take_answers(struct survey_answers *a, json_t *list, const char *path, struct error *e)
{
	int code = LSDN_OK;
	size_t count = json_array_size(list);
	if (!json_is_array(list) || !count || count > MOST_ANSWERS)
		return refuse(path, "'answers' must be a list of at least one", e);
	a->answers = calloc(count, sizeof *a->answers);
	if (!a->answers)
		return error_memory(e, "answers");
	for (size_t i = 0; i < count && !code; i++, a->count++)
		code = take_answer(&a->answers[i], json_array_get(list, i), path, i, e);
	if (code)
		return code;
	qsort(a->answers, count, sizeof *a->answers, by_image);
	for (size_t i = 1; i < count; i++)
		if (strcmp(a->answers[i - 1].image, a->answers[i].image) == 0)
			return error_set(e, LSDN_ERROR_INPUT, "%s: '%.100s' is answered twice: give the file as the page saved it", path, a->answers[i].image);
	return LSDN_OK;
}

static int take(struct survey_answers *a, json_t *root, const char *path, struct error *e)
{
	const char *format, *survey, *person, *networks[SURVEY_NETWORKS];
	int version;
	json_t *answers;
	json_error_t why;
	if (json_unpack_ex(root, &why, JSON_STRICT, "{s:s, s:i, s:s, s:[s, s], s:s, s:o}", "format", &format, "version", &version, "survey", &survey, "networks",
			&networks[0], &networks[1], "person", &person, "answers", &answers) != 0)
		return refuse(path, why.text, e);
	if (strcmp(format, "lsdn-survey-answers") != 0 || version != 1)
		return refuse(path, "'format' and 'version' are not those of answers to a survey", e);
	if (!is_name(survey) || !is_name(person) || !is_name(networks[0]) || !is_name(networks[1]))
		return refuse(path, "'survey', 'person' and 'networks' must be texts of printable characters", e);
	int code = copy(&a->survey, survey, e);
	if (!code)
		code = copy(&a->person, person, e);
	for (int i = 0; i < SURVEY_NETWORKS && !code; i++)
		code = copy(&a->networks[i], networks[i], e);
	return code ? code : take_answers(a, answers, path, e);
}

int survey_answers_parse(struct survey_answers *a, const char *text, const char *path, struct error *e)
{
	json_error_t why;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	*a = (struct survey_answers){0};
	if (!root)
		return error_set(e, LSDN_ERROR_INPUT, "%s:%d: %s: give the file as the page saved it", path, why.line, why.text);
	int code = take(a, root, path, e);
	json_decref(root);
	if (code)
		survey_answers_free(a);
	return code;
}

int survey_answers_read(struct survey_answers *a, const char *path, struct error *e)
{
	char *text = file_text(path, MOST_BYTES, e);
	int code = text ? survey_answers_parse(a, text, path, e) : (int)e->code;
	free(text);
	return code;
}

void survey_answers_free(struct survey_answers *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->answers[i].image);
	free(a->answers);
	free(a->survey);
	free(a->person);
	for (int i = 0; i < SURVEY_NETWORKS; i++)
		free(a->networks[i]);
	*a = (struct survey_answers){0};
}
