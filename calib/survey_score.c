#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "calib/agreement.h"
#include "calib/survey.h"

static int check(const struct survey_answers *files, size_t count, struct error *e)
{
	for (size_t i = 1; i < count; i++) {
		bool same = strcmp(files[i].survey, files[0].survey) == 0;
		for (int n = 0; n < SURVEY_NETWORKS; n++)
			same = same && strcmp(files[i].networks[n], files[0].networks[n]) == 0;
		if (!same)
			return error_set(e, LSDN_ERROR_INPUT, "files 1 and %zu answer different surveys (%.40s of %.80s and %.80s, %.40s of %.80s and %.80s): score them apart",
				i + 1, files[0].survey, files[0].networks[0], files[0].networks[1], files[i].survey, files[i].networks[0], files[i].networks[1]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(files[i].person, files[k].person) == 0)
				return error_set(e, LSDN_ERROR_INPUT, "files %zu and %zu are of one person (%.40s): give the later one alone", k + 1, i + 1, files[i].person);
	}
	return LSDN_OK;
}

static int by_name(const void *first, const void *second)
{
	return strcmp(*(char *const *)first, *(char *const *)second);
}

/* All images that anybody answered, in order, each once. */
static size_t list_images(const struct survey_answers *files, size_t count, char **names)
{
	size_t all = 0, unique = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < files[i].count; k++)
			names[all++] = files[i].answers[k].image;
	qsort(names, all, sizeof *names, by_name);
	for (size_t i = 0; i < all; i++)
		if (!i || strcmp(names[i], names[unique - 1]) != 0)
			names[unique++] = names[i];
	return unique;
}

/* Numbers that lie between low and high. */
static struct survey_mean mean_of(const double *values, size_t count, double low, double high, double *room)
{
	struct survey_mean m;
	for (size_t i = 0; i < count; i++)
		room[i] = (values[i] - low) / (high - low);
	m.interval = mean_interval(room, count, 0, &m.value);
	m.value = low + (high - low) * m.value;
	m.interval = (struct interval){low + (high - low) * m.interval.low, low + (high - low) * m.interval.high};
	return m;
}

/* One number a person each. */
struct persons {
	double *votes[SURVEY_NETWORKS], *reliability[SURVEY_NETWORKS], *difference, *room;
};

static void sum_up(struct survey_score *s, const struct survey_answers *files, size_t count, const struct persons *p)
{
	for (size_t i = 0; i < count; i++) {
		double best[SURVEY_NETWORKS] = {0}, sums[SURVEY_NETWORKS] = {0}, own = (double)files[i].count;
		for (size_t k = 0; k < files[i].count; k++) {
			const struct survey_answer *a = &files[i].answers[k];
			best[a->best]++;
			s->left += a->best == a->left;
			for (int n = 0; n < SURVEY_NETWORKS; n++)
				sums[n] += a->reliability[n];
		}
		for (int n = 0; n < SURVEY_NETWORKS; n++) {
			p->votes[n][i] = best[n] / own;
			p->reliability[n][i] = sums[n] / own;
			s->prefer[n] += best[n] > best[!n];
		}
		p->difference[i] = (sums[1] - sums[0]) / own;
		s->answers += files[i].count;
	}
	for (int n = 0; n < SURVEY_NETWORKS; n++) {
		double persons = (double)count;
		s->votes[n] = mean_of(p->votes[n], count, 0, 1, p->room);
		s->reliability[n] = mean_of(p->reliability[n], count, SURVEY_LEAST, SURVEY_MOST, p->room);
		s->normalised[n] = (struct survey_mean){persons * s->reliability[n].value,
			{persons * s->reliability[n].interval.low, persons * s->reliability[n].interval.high}};
	}
	s->difference = mean_of(p->difference, count, SURVEY_LEAST - SURVEY_MOST, SURVEY_MOST - SURVEY_LEAST, p->room);
	s->p = mcnemar_exact(s->prefer[0], s->prefer[1]);
}

/* Units are images for votes, and maps for reliability, of which an image's are drawn together. */
static int agree(struct survey_score *s, const struct survey_answers *files, size_t count, char *const *names, int *votes, int *reliability, struct error *e)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < files[i].count; k++) {
			const struct survey_answer *a = &files[i].answers[k];
			char *const *name = bsearch(&a->image, names, s->images, sizeof *names, by_name);
			size_t at = (size_t)(name - names);
			votes[at * count + i] = a->best + 1;
			for (size_t n = 0; n < SURVEY_NETWORKS; n++)
				reliability[(at * SURVEY_NETWORKS + n) * count + i] = a->reliability[n];
		}
	size_t maps = s->images * SURVEY_NETWORKS;
	s->agreement_votes.value = krippendorff_alpha(votes, s->images, count, AGREEMENT_NOMINAL);
	s->agreement_reliability.value = krippendorff_alpha(reliability, maps, count, AGREEMENT_ORDINAL);
	int code = krippendorff_interval(votes, s->images, count, AGREEMENT_NOMINAL, 1, &s->agreement_votes.interval, e);
	return code ? code : krippendorff_interval(reliability, maps, count, AGREEMENT_ORDINAL, SURVEY_NETWORKS, &s->agreement_reliability.interval, e);
}

int survey_score(struct survey_score *s, const struct survey_answers *files, size_t count, struct error *e)
{
	size_t answers = 0;
	int code = check(files, count, e);
	for (size_t i = 0; i < count; i++)
		answers += files[i].count;
	if (code)
		return code;
	char **names = malloc((answers + 1) * sizeof *names);
	double *numbers = malloc((6 * count + 1) * sizeof *numbers);
	*s = (struct survey_score){.persons = count, .images = names ? list_images(files, count, names) : 0};
	int *votes = calloc(s->images * count + 1, (1 + SURVEY_NETWORKS) * sizeof *votes);
	if (names && numbers && votes) {
		struct persons p = {{numbers, numbers + count}, {numbers + 2 * count, numbers + 3 * count}, numbers + 4 * count, numbers + 5 * count};
		sum_up(s, files, count, &p);
		code = agree(s, files, count, names, votes, votes + s->images * count, e);
	} else {
		code = error_memory(e, "figures");
	}
	free(names);
	free(numbers);
	free(votes);
	return code;
}
