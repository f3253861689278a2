/* What the papers prove and others measured; tables of rewards; plots. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/kl.h"
#include "bandit/reward_table.h"
#include "bandit/simulate.h"
#include "tests/folder.h"
#include "tests/random.h"
#include "tests/suite.h"

static const double NINE[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};

static struct simulation plan(const char *solver, int arms, const double *means, uint64_t trials, uint64_t runs)
{
	struct simulation s = {.arms = arms, .means = means, .rules = BANDIT_DEFAULT, .trials = trials, .runs = runs, .seed = random_seed(), .threads = 2};
	s.rules.solver = bandit_solver(solver);
	ck_assert_ptr_nonnull(s.rules.solver);
	simulation_times(&s);
	return s;
}

static void run(struct simulation *s, struct simulation_point *points)
{
	struct progress progress;
	struct error e;
	s->progress = &progress;
	progress_start(&progress, false, "", 0);
	ck_assert_int_eq(simulate(s, points, &e), 0);
	ck_assert_uint_eq(progress.done, s->runs);
}

static const struct simulation_point *at(const struct simulation *s, const struct simulation_point *points, uint64_t time)
{
	size_t i = 0;
	while (i < s->time_count && s->times[i] != time)
		i++;
	ck_assert_uint_lt(i, s->time_count);
	return &points[i];
}

START_TEST(times_rise_to_the_last)
{
	for (uint64_t trials = 1; trials <= 1000000000; trials = trials * 3 + 1) {
		struct simulation s = plan("ucb1", 9, NINE, trials, 1);
		uint64_t round = 0;
		for (size_t i = 0; i < s.time_count; i++) {
			ck_assert(i == 0 ? s.times[i] == 1 : s.times[i] > s.times[i - 1]);
			round += simulation_round_time(s.times[i]);
		}
		ck_assert_uint_eq(s.times[s.time_count - 1], trials);
		uint64_t expected = 0;
		for (uint64_t decade = 1; decade <= trials; decade *= 10)
			expected += 1u + (2 * decade <= trials) + (5 * decade <= trials);
		ck_assert_uint_eq(round, expected);
	}
}
END_TEST

/* Mean cumulative regret of nine arms 0.1 to 0.9, measured elsewhere with other code and chance, and given in whole numbers. They come without their
 * number of runs. Taking it for a hundred, each must agree within four standard errors of the difference and half a unit. */
START_TEST(regret_is_what_others_measured)
{
	static const struct {
		const char *solver;
		double regret[2]; /* after 1000 and 10000 trials */
	} CASES[] = {{"ucb1", {132, 327}}, {"kl-ucb", {35, 58}}, {"thompson", {30, 42}}};
	enum { RUNS = 400 };
	struct simulation_point points[SIMULATION_MOST_TIMES];
	for (int c = 0; c < 3; c++) {
		struct simulation s = plan(CASES[c].solver, 9, NINE, 10000, RUNS);
		run(&s, points);
		for (int i = 0; i < 2; i++) {
			const struct simulation_point *p = at(&s, points, i ? 10000 : 1000);
			double tolerance = 0.5 + 4 * p->regret_error * sqrt(1 + RUNS / 100.0);
			printf("%s, %d trials: %.2f (standard error %.2f), elsewhere %g\n", CASES[c].solver, i ? 10000 : 1000, p->regret, p->regret_error,
				CASES[c].regret[i]);
			ck_assert_msg(fabs(p->regret - CASES[c].regret[i]) <= tolerance, "%s: %g +- %g, elsewhere %g", CASES[c].solver, p->regret, p->regret_error,
				CASES[c].regret[i]);
		}
	}
}
END_TEST

/* Auer, Cesa-Bianchi, Fischer 2002, theorem 1: at any time the expected regret of ucb1 is at most 8 sum ln t / gap + (1 + pi^2 / 3) sum gap. */
START_TEST(ucb1_keeps_its_theorem)
{
	static const double HARD[] = {0.5, 0.45};
	struct simulation_point points[SIMULATION_MOST_TIMES];
	for (int c = 0; c < 2; c++) {
		struct simulation s = plan("ucb1", c ? 2 : 9, c ? HARD : NINE, 5000, 50);
		double best = c ? 0.5 : 0.9, inverse = 0, gaps = 0;
		for (int i = 0; i < s.arms; i++)
			if (s.means[i] < best) {
				inverse += 1 / (best - s.means[i]);
				gaps += best - s.means[i];
			}
		run(&s, points);
		for (size_t i = 0; i < s.time_count; i++)
			ck_assert(points[i].regret <= 8 * inverse * log((double)s.times[i]) + (1 + acos(-1) * acos(-1) / 3) * gaps);
	}
}
END_TEST

/* Regret grows with ln t. In the last of five decades it grew, in six seeds of 60 runs and in units of Lai's and Robbins' constant, by 1.5 (standard
 * deviation 0.15) for kl-ucb, 2.1 (0.2) for agrawal, 0.8 (0.1) for thompson, which all are optimal in the long run, and by 16.5 (0.4) for ucb1, which is
 * not; bounds are six standard deviations away. sweep's regret is no logarithm: it grows tenfold. */
START_TEST(regret_is_logarithmic)
{
	static const double MEANS[] = {0.8, 0.9};
	static const struct {
		const char *solver;
		double low, high; /* growth per unit of ln t, in Lai's and Robbins' constants */
	} CASES[] = {{"kl-ucb", 0.6, 2.4}, {"agrawal", 1, 3.2}, {"thompson", 0.1, 1.5}, {"ucb1", 14, 19}, {"sweep", 700, 1000}};
	struct simulation_point points[SIMULATION_MOST_TIMES];
	double constant = kl_lai_robbins(MEANS, 2);
	for (int c = 0; c < 5; c++) {
		struct simulation s = plan(CASES[c].solver, 2, MEANS, 100000, 60);
		run(&s, points);
		double growth = (at(&s, points, 100000)->regret - at(&s, points, 10000)->regret) / log(10) / constant;
		printf("%s: regret grows by %.2f times Lai's and Robbins' constant\n", CASES[c].solver, growth);
		ck_assert_msg(growth > CASES[c].low && growth < CASES[c].high, "%s: %g", CASES[c].solver, growth);
	}
}
END_TEST

START_TEST(threads_change_nothing)
{
	for (int i = 0; i < BANDIT_SOLVERS; i++) {
		struct simulation_point one[SIMULATION_MOST_TIMES], three[SIMULATION_MOST_TIMES], other[SIMULATION_MOST_TIMES];
		struct simulation s = plan(bandit_solvers[i]->name, 3, NINE + 2, 300, 77);
		s.threads = 1;
		run(&s, one);
		s.threads = 3;
		run(&s, three);
		ck_assert_int_eq(memcmp(one, three, s.time_count * sizeof *one), 0);
		s.seed++;
		run(&s, other);
		ck_assert(one[s.time_count - 1].correct != other[s.time_count - 1].correct || one[s.time_count - 1].regret != other[s.time_count - 1].regret
			|| !bandit_solvers[i]->minds_regret);
	}
}
END_TEST

/* With all rewards drawn every solver but the race has the same regret, and they and the race are right. */
START_TEST(a_table_is_drawn_to_the_end)
{
	enum { ROWS = 40, ARMS = 3 };
	uint8_t rewards[ARMS * ROWS] = {0};
	static const int ONES[ARMS] = {20, 30, 26};
	double means[ARMS];
	for (int arm = 0; arm < ARMS; arm++) {
		means[arm] = (double)ONES[arm] / ROWS;
		memset(rewards + arm * ROWS, 1, (size_t)ONES[arm]);
	}
	for (int i = 0; i < BANDIT_SOLVERS; i++) {
		struct simulation_point points[SIMULATION_MOST_TIMES];
		struct simulation s = plan(bandit_solvers[i]->name, ARMS, means, ARMS * ROWS, 30);
		s.rewards = rewards;
		s.rows = ROWS;
		run(&s, points);
		const struct simulation_point *last = &points[s.time_count - 1];
		ck_assert_msg(last->correct == 1, "%s: %g", bandit_solvers[i]->name, last->correct);
		if (bandit_solvers[i]->stops) {
			ck_assert(last->drawn > ROWS && last->drawn <= ARMS * ROWS);
		} else {
			ck_assert_double_eq_tol(last->regret, 10 + 4, 1e-9);
			ck_assert(last->drawn == ARMS * ROWS);
		}
	}
}
END_TEST

/* Half of what a race of two draws is the worse arm's; then it costs nothing more, for its answer is right. */
START_TEST(a_race_goes_on_with_its_answer)
{
	static const double MEANS[] = {0.1, 0.9};
	struct simulation_point points[SIMULATION_MOST_TIMES];
	struct simulation s = plan("race", 2, MEANS, 2000, 50);
	run(&s, points);
	const struct simulation_point *last = &points[s.time_count - 1];
	ck_assert(last->correct == 1 && last->drawn > 2 && last->drawn < 1000);
	ck_assert_double_eq_tol(last->regret, 0.8 * last->drawn / 2, 1e-9);
}
END_TEST

/* Thompson's first pull of two arms is either: a regret of 0 or 1, whose variance is known from its mean. */
START_TEST(standard_error_by_hand)
{
	static const double MEANS[] = {0, 1};
	struct simulation_point points[SIMULATION_MOST_TIMES];
	struct simulation s = plan("thompson", 2, MEANS, 1, 1000);
	run(&s, points);
	double mean = points[0].regret;
	ck_assert(mean > 0.4 && mean < 0.6);
	ck_assert_double_eq_tol(points[0].regret_error, sqrt(mean * (1 - mean) / 999), 1e-12);
}
END_TEST

static const char *path_of(const char *text, size_t size)
{
	static char path[100];
	snprintf(path, sizeof path, "%s/table.csv", root);
	FILE *file = fopen(path, "wb");
	ck_assert(file && fwrite(text, 1, size, file) == size && fclose(file) == 0);
	return path;
}

START_TEST(tables_are_read)
{
	static const char *const TEXTS[] = {"a,0.05 b\n0,1\n1,1\n0,1\n1,1\n", "\357\273\277a , 0.05 b\r\n0,1\r\n 1 ,\t1\r\n0,1\r\n1,1\r\n\r\n  \n",
		"a,0.05 b\n0,1\n1,1\n0,1\n1,1"};
	for (int i = 0; i < 3; i++) {
		struct reward_table t;
		struct error e;
		ck_assert_msg(reward_table_read(&t, path_of(TEXTS[i], strlen(TEXTS[i])), &e) == 0, "%s", e.message);
		ck_assert(t.arms == 2 && t.rows == 4);
		ck_assert_str_eq(t.names[0], "a");
		ck_assert_str_eq(t.names[1], "0.05 b");
		ck_assert_int_eq(memcmp(t.rewards, "\0\1\0\1\1\1\1\1", 8), 0);
		ck_assert(t.means[0] == 0.5 && t.means[1] == 1);
		reward_table_free(&t);
	}
}
END_TEST

START_TEST(damaged_tables_are_refused)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {{"a\n1\n", ":1: 1 arms"}, {"a,b\n", "0 rows"}, {"a,b\n1\n", ":2: 1 fields"}, {"a,b\n1,0\n1,0,1\n", ":3: 3 fields"},
		{"a,b\n1,0\n\n1,1\n", ":3: 1 fields"}, {"a,b\n1,2\n", ":2: \"2\" for b"}, {"a,b\n1,0.5\n", ":2: \"0.5\" for b"}, {"a,b\n,1\n", ":2: \"\" for a"},
		{"a,b\n0,11\n", ":2: \"11\" for b"}, {"a,a\n1,0\n", ":1: two arms are named \"a\""}, {"a,\n1,0\n", ":1: column 2: no name"},
		{"\"a\",b\n1,0\n", ":1: column 1: a name with a quote"}, {" \n \n", "no line"}, {"\n1,0\n", ":1: 1 arms"}};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct reward_table t;
		struct error e;
		ck_assert_int_ne(reward_table_read(&t, path_of(CASES[i].text, strlen(CASES[i].text)), &e), 0);
		ck_assert_msg(strstr(e.message, CASES[i].says) && strstr(e.message, "table.csv"), "%s: %s", CASES[i].text, e.message);
		ck_assert(!t.text && !t.names && !t.rewards);
	}
	struct reward_table t;
	struct error e;
	ck_assert_int_ne(reward_table_read(&t, path_of("a,b\n1,\0000\n", 9), &e), 0);
	ck_assert_int_ne(reward_table_read(&t, "/nowhere/table.csv", &e), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("simulate");
	TCase *cases = tcase_create("all");
	tcase_set_timeout(cases, 300);
	tcase_add_checked_fixture(cases, in_new_folder, remove_folder);
	tcase_add_test(cases, times_rise_to_the_last);
	tcase_add_test(cases, regret_is_what_others_measured);
	tcase_add_test(cases, ucb1_keeps_its_theorem);
	tcase_add_test(cases, regret_is_logarithmic);
	tcase_add_test(cases, threads_change_nothing);
	tcase_add_test(cases, a_table_is_drawn_to_the_end);
	tcase_add_test(cases, a_race_goes_on_with_its_answer);
	tcase_add_test(cases, standard_error_by_hand);
	tcase_add_test(cases, tables_are_read);
	tcase_add_test(cases, damaged_tables_are_refused);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
