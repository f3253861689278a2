/* Answers to a survey: agreement as published, scores by hand, and files that are none. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/agreement.h"
#include "calib/survey.h"
#include "tests/random.h"
#include "tests/suite.h"

/* K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), example C: four observers, twelve units, some without a value; nominal alpha is
 * .743, ordinal .815. Example A: two observers, ten units, two values; .095. */
START_TEST(agreement_as_published)
{
	static const int C[12][4] = {{1, 1, 0, 1}, {2, 2, 3, 2}, {3, 3, 3, 3}, {3, 3, 3, 3}, {2, 2, 2, 2}, {1, 2, 3, 4}, {4, 4, 4, 4}, {1, 1, 2, 1}, {2, 2, 2, 2},
		{0, 5, 5, 5}, {0, 0, 1, 1}, {0, 3, 0, 0}};
	static const int A[10][2] = {{1, 2}, {2, 2}, {1, 2}, {1, 1}, {1, 2}, {1, 1}, {1, 1}, {1, 1}, {2, 1}, {1, 1}};
	ck_assert_double_eq_tol(krippendorff_alpha(&C[0][0], 12, 4, AGREEMENT_NOMINAL), 0.743, 5e-4);
	ck_assert_double_eq_tol(krippendorff_alpha(&C[0][0], 12, 4, AGREEMENT_ORDINAL), 0.815, 5e-4);
	ck_assert_double_eq_tol(krippendorff_alpha(&A[0][0], 10, 2, AGREEMENT_NOMINAL), 0.095, 5e-4);
}
END_TEST

/* Nominal: the observed disagreement is the mean over pairs of values of a unit, the expected one that over all pairs of values that can be paired. */
START_TEST(agreement_by_its_pairs)
{
	for (uint64_t i = 0; i < 300; i++) {
		struct pcg rng;
		int values[12][5], all[60], total = 0;
		double observed = 0, expected = 0;
		pcg_seed(&rng, random_seed(), i);
		for (int u = 0; u < 12; u++) {
			int own = 0, differ = 0, have[5];
			for (int r = 0; r < 5; r++) {
				values[u][r] = between(&rng, 0, 3);
				if (values[u][r])
					have[own++] = values[u][r];
			}
			for (int a = 0; a < own && own > 1; a++) {
				all[total++] = have[a];
				for (int b = 0; b < own; b++)
					differ += have[a] != have[b];
			}
			observed += own > 1 ? (double)differ / (own - 1) : 0;
		}
		for (int a = 0; a < total; a++)
			for (int b = 0; b < total; b++)
				expected += all[a] != all[b];
		double plain = 1 - observed / total / (expected / total / (total - 1)), found = krippendorff_alpha(&values[0][0], 12, 5, AGREEMENT_NOMINAL);
		ck_assert_msg(fabs(plain - found) < 1e-12, "case %llu of LSDN_SEED=%llu: %.17g, by pairs %.17g", (unsigned long long)i,
			(unsigned long long)random_seed(), found, plain);
	}
	static const int same[] = {2, 2, 2, 2}, apart[] = {1, 0, 0, 2};
	ck_assert(isnan(krippendorff_alpha(same, 2, 2, AGREEMENT_ORDINAL)));
	ck_assert(isnan(krippendorff_alpha(apart, 2, 2, AGREEMENT_NOMINAL)));
	ck_assert(isnan(krippendorff_alpha(NULL, 0, 2, AGREEMENT_NOMINAL)));
}
END_TEST

/* Two groups of two units are drawn as the first twice, both, or the second twice, none of which is rarer than a fourth: the interval is from the lowest to the highest
 * of the three alphas. */
START_TEST(interval_by_its_draws)
{
	int found = 0;
	for (uint64_t i = 0; i < 100; i++) {
		struct error e;
		struct pcg rng;
		struct interval interval;
		int values[4][3], drawn[4][3];
		double low = INFINITY, high = -INFINITY;
		pcg_seed(&rng, random_seed(), i);
		for (int u = 0; u < 12; u++)
			values[u / 3][u % 3] = between(&rng, 0, 3);
		for (int first = 0; first < 2; first++)
			for (int second = first; second < 2; second++) {
				memcpy(drawn[0], values[2 * first], sizeof drawn / 2);
				memcpy(drawn[2], values[2 * second], sizeof drawn / 2);
				double alpha = krippendorff_alpha(&drawn[0][0], 4, 3, AGREEMENT_ORDINAL);
				low = fmin(low, alpha); /* not of NAN */
				high = fmax(high, alpha);
			}
		ck_assert_int_eq(krippendorff_interval(&values[0][0], 4, 3, AGREEMENT_ORDINAL, 2, &interval, &e), 0);
		ck_assert(isnan(interval.low) == isinf(low) && isnan(interval.high) == isinf(low));
		ck_assert_msg(isinf(low) || (fabs(interval.low - low) < 1e-12 && fabs(interval.high - high) < 1e-12), "case %llu of LSDN_SEED=%llu: %g to %g, not %g to %g",
			(unsigned long long)i, (unsigned long long)random_seed(), interval.low, interval.high, low, high);
		found += high > low;
		ck_assert_int_eq(krippendorff_interval(&values[0][0], 4, 3, AGREEMENT_ORDINAL, 4, &interval, &e), 0);
		ck_assert(isnan(interval.low) && isnan(interval.high));
	}
	ck_assert_int_gt(found, 50);
}
END_TEST

/* Two raters of two equally frequent values who differ in a fifth of all units have the alpha 1 - 0.2 / 0.5 = 0.6. */
START_TEST(interval_has_alpha)
{
	enum { TRIALS = 200, UNITS = 50 };
	int within = 0;
	for (uint64_t i = 0; i < TRIALS; i++) {
		struct error e;
		struct pcg rng;
		struct interval interval;
		int values[UNITS][2];
		pcg_seed(&rng, random_seed(), i);
		for (int u = 0; u < UNITS; u++) {
			values[u][0] = between(&rng, 1, 2);
			values[u][1] = pcg_below(&rng, 5) ? values[u][0] : 3 - values[u][0];
		}
		ck_assert_int_eq(krippendorff_interval(&values[0][0], UNITS, 2, AGREEMENT_NOMINAL, 1, &interval, &e), 0);
		within += interval.low <= 0.6 && interval.high >= 0.6;
	}
	/* 95 percent of 200 are 190, and six standard errors 18. */
	ck_assert_msg(within >= 172 && within < TRIALS, "LSDN_SEED=%llu: %d of %d intervals have it", (unsigned long long)random_seed(), within, TRIALS);
}
END_TEST

#define HEAD "{\"format\":\"lsdn-survey-answers\",\"version\":1,\"survey\":\"s\",\"networks\":[\"a\",\"b\"],\"person\":\"%s\",\"answers\":["
#define ANSWER(image, best, first, second, left) \
	"{\"image\":\"" image "\",\"best\":" #best ",\"reliability\":[" #first "," #second "],\"left\":" #left "}"

static struct survey_answers answers(const char *person, const char *list)
{
	struct survey_answers a;
	struct error e;
	char text[4000];
	int length = snprintf(text, sizeof text, HEAD, person);
	snprintf(text + length, sizeof text - (size_t)length, "%s]}", list);
	ck_assert_msg(survey_answers_parse(&a, text, "f", &e) == 0, "%s", e.message);
	return a;
}

START_TEST(scores_by_hand)
{
	struct survey_score s;
	struct error e;
	struct survey_answers files[] = {
		answers("p", ANSWER("y", 1, 2, 4, 0) "," ANSWER("x", 1, 1, 5, 1)),
		answers("q", ANSWER("x", 1, 2, 3, 0) "," ANSWER("y", 0, 4, 2, 0)),
		answers("r", ANSWER("x", 0, 3, 3, 0)),
	};
	ck_assert_str_eq(files[0].answers[0].image, "x"); /* in order */
	ck_assert_int_eq(survey_score(&s, files, 3, &e), 0);
	ck_assert(s.persons == 3 && s.images == 2 && s.answers == 5 && s.left == 3);
	ck_assert(s.prefer[0] == 1 && s.prefer[1] == 1); /* q is undecided */
	ck_assert_double_eq_tol(s.p, 1, 1e-12);
	/* Persons' shares for the second: 1, 1/2, 0; standard error 1/2 / sqrt(3). */
	ck_assert_double_eq_tol(s.votes[1].value, 0.5, 1e-12);
	ck_assert_double_eq_tol(s.votes[1].interval.low, fmax(0, 0.5 - 1.959963984540054 * 0.5 / sqrt(3)), 1e-12);
	ck_assert_double_eq_tol(s.votes[0].value, 0.5, 1e-12);
	/* Reliability of the first: 1.5, 3, 3; of the second: 4.5, 2.5, 3; differences 3, -0.5, 0. */
	ck_assert_double_eq_tol(s.reliability[0].value, 2.5, 1e-12);
	ck_assert_double_eq_tol(s.reliability[0].interval.low, 2.5 - 1.959963984540054 * 0.5, 1e-12);
	ck_assert_double_eq_tol(s.reliability[1].value, 10 / 3.0, 1e-12);
	ck_assert_double_eq_tol(s.normalised[1].value, 10, 1e-12);
	ck_assert_double_eq_tol(s.difference.value, 2.5 / 3, 1e-12);
	const int votes[] = {2, 2, 1, 2, 1, 0}, reliability[] = {1, 2, 3, 5, 3, 3, 2, 4, 0, 4, 2, 0};
	ck_assert_double_eq(s.agreement_votes.value, krippendorff_alpha(votes, 2, 3, AGREEMENT_NOMINAL));
	ck_assert_double_eq(s.agreement_reliability.value, krippendorff_alpha(reliability, 4, 3, AGREEMENT_ORDINAL));
	struct interval interval;
	ck_assert_int_eq(krippendorff_interval(reliability, 4, 3, AGREEMENT_ORDINAL, 2, &interval, &e), 0); /* an image's two maps together */
	ck_assert_double_eq(s.agreement_reliability.interval.low, interval.low);
	ck_assert_double_eq(s.agreement_reliability.interval.high, interval.high);
	for (int i = 0; i < 3; i++)
		survey_answers_free(&files[i]);
}
END_TEST

static void unlike(struct survey_answers *a, struct survey_answers *b, const char *what)
{
	struct survey_score s;
	struct error e;
	struct survey_answers files[] = {*a, *b};
	ck_assert_int_eq(survey_score(&s, files, 2, &e), LSDN_ERROR_INPUT);
	ck_assert_msg(strstr(e.message, what) != NULL, "%s", e.message);
}

START_TEST(files_that_do_not_go_together)
{
	struct survey_answers a = answers("p", ANSWER("x", 1, 1, 1, 0)), b = answers("p", ANSWER("x", 0, 1, 1, 0));
	unlike(&a, &b, "files 1 and 2 are of one person (p)");
	b.person[0] = 'q';
	b.networks[1][0] = 'c';
	unlike(&a, &b, "different surveys");
	b.networks[1][0] = 'b';
	b.survey[0] = 't';
	unlike(&a, &b, "different surveys");
	survey_answers_free(&a);
	survey_answers_free(&b);
}
END_TEST

START_TEST(no_answers)
{
	static const struct {
		const char *text, *says;
	} BAD[] = {
		{"", "f:1"}, {"[]", "Expected object"}, {"{", "f:1"}, {"{}", "format"}, {HEAD, "f:1"},
		{HEAD "]}", "at least one"},
		{HEAD ANSWER("x", 2, 1, 1, 0) "]}", "answer 1: 'best' and 'left' must be 0 or 1"},
		{HEAD ANSWER("x", null, 1, 1, 0) "]}", "'best'"},
		{HEAD ANSWER("x", 0, 1, 1, -1) "]}", "'left'"},
		{HEAD ANSWER("x", 0, 1, 1, 0) "," ANSWER("y", 0, 0, 1, 0) "]}", "answer 2: 'reliability' must be whole numbers from 1 to 5"},
		{HEAD ANSWER("x", 0, 1, 6, 0) "]}", "from 1 to 5"},
		{HEAD ANSWER("x", 0, 1, 1.5, 0) "]}", "whole numbers"},
		{HEAD ANSWER("x", 0, 1, 99999999999999999999, 0) "]}", "f:1"},
		{HEAD "{\"image\":\"x\",\"best\":0,\"reliability\":[1,2,3],\"left\":0}]}", "two numbers"},
		{HEAD "{\"image\":\"x\",\"best\":0,\"reliability\":{},\"left\":0}]}", "two numbers"},
		{HEAD "{\"image\":\"x\",\"best\":0,\"reliability\":[1,2]}]}", "left"},
		{HEAD "{\"image\":\"x\",\"best\":0,\"reliability\":[1,2],\"left\":0,\"more\":1}]}", "more"},
		{HEAD "{\"image\":\"x\\u0000y\",\"best\":0,\"reliability\":[1,2],\"left\":0}]}", "f:1"},
		{HEAD "7]}", "answer 1"},
		{"{\"format\":\"lsdn-survey-answers\",\"version\":1,\"survey\":\"s\",\"networks\":[\"a\\u001b[2J\",\"b\"],\"person\":\"p\",\"answers\":["
			ANSWER("x", 0, 1, 1, 0) "]}", "printable"},
		{"{\"format\":\"lsdn-survey-answers\",\"version\":2,\"survey\":\"s\",\"networks\":[\"a\",\"b\"],\"person\":\"p\",\"answers\":[]}", "'version'"},
		{"{\"format\":\"lsdn-survey-answers\",\"version\":1,\"survey\":\"\",\"networks\":[\"a\",\"b\"],\"person\":\"p\",\"answers\":[]}", "printable"},
		{HEAD ANSWER("x", 0, 1, 1, 0) "," ANSWER("y", 0, 1, 1, 0) "," ANSWER("x", 1, 1, 1, 0) "]}", "'x' is answered twice"},
		{HEAD ANSWER("x", 0, 1, 1, 0) "],\"more\":1}", "more"},
		{HEAD ANSWER("x", 0, 1, 1, 0) "],\"person\":\"q\"}", "f:1"},
		{HEAD ANSWER("x", 0, 1, 1, 0) "]} {}", "f:1"},
	};
	for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct survey_answers a;
		struct error e;
		char text[2000];
		const char *person = strstr(BAD[i].text, "%s");
		snprintf(text, sizeof text, "%.*s%s%s", person ? (int)(person - BAD[i].text) : (int)strlen(BAD[i].text), BAD[i].text, person ? "p" : "", person ? person + 2 : "");
		ck_assert_msg(survey_answers_parse(&a, text, "f", &e) == LSDN_ERROR_INPUT, "taken: %s", text);
		ck_assert_msg(strstr(e.message, BAD[i].says) != NULL, "%s: %s", text, e.message);
	}
	struct survey_answers a = answers("p", ANSWER("x", 0, 1, 5, 1)); /* as they should be */
	ck_assert(a.count == 1 && a.answers[0].best == 0 && a.answers[0].reliability[1] == 5 && a.answers[0].left == 1);
	survey_answers_free(&a);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("survey");
	TCase *cases = tcase_create("survey");
	tcase_add_test(cases, agreement_as_published);
	tcase_add_test(cases, agreement_by_its_pairs);
	tcase_add_test(cases, interval_by_its_draws);
	tcase_add_test(cases, interval_has_alpha);
	tcase_add_test(cases, scores_by_hand);
	tcase_add_test(cases, files_that_do_not_go_together);
	tcase_add_test(cases, no_answers);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
