/* What a step says of its arms: held against plain recounts of tables of rewards that are made up, so that no network is needed. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calib/report.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { CASES = 300, MOST_ARMS = 8, MOST_IMAGES = 60 };

/* A step whose rewards are known. */
struct table {
	struct matrix matrix;
	struct tuning step;
	struct reward_row rows[MOST_IMAGES], *list[MOST_IMAGES];
	uint8_t rewards[MOST_IMAGES][MOST_ARMS];
	size_t images;
	int arms;
};

static void table_open(struct table *t, int arms, size_t images, int settings, struct pcg *rng)
{
	struct error e;
	*t = (struct table){.images = images, .arms = arms};
	ck_assert_int_eq(tuning_open(&t->step, 0, arms, &e), 0);
	for (int a = 0; a < arms; a++) {
		struct choices c = CHOICES_DEFAULT;
		c.box.radius = 0.01 * (1 + a % settings);
		ck_assert_int_eq(tuning_add(&t->step, &t->matrix, &c, "an arm", &e), 0);
	}
	for (size_t i = 0; i < images; i++) {
		t->rows[i] = (struct reward_row){.usable = true, .rewards = t->rewards[i]};
		t->list[i] = &t->rows[i];
		for (int s = 0; s < settings; s++)
			t->rewards[i][s] = between(rng, 0, settings + 1) <= s;
	}
}

static void table_close(struct table *t)
{
	tuning_close(&t->step);
	matrix_close(&t->matrix);
}

/* Has arm a seen image i? */
static bool has_seen(const struct table *t, uint64_t seed, int a, uint32_t i)
{
	uint32_t order[MOST_IMAGES];
	struct pcg rng;
	pcg_seed(&rng, seed, t->step.first_stream + (uint64_t)a);
	pcg_shuffle(&rng, order, t->images);
	for (uint32_t k = 0; k < t->step.bandit.arms[a].pulls; k++)
		if (order[k] == i)
			return true;
	return false;
}

/* Twice the lower tail of a fair coin's n throws, from Pascal's triangle. */
static double two_sided(int n, int least)
{
	double row[MOST_IMAGES + 2] = {1}, tail = 0;
	for (int k = 0; k < n; k++)
		for (int j = k + 1; j > 0; j--)
			row[j] += row[j - 1];
	for (int k = 0; k <= least; k++)
		tail += row[k];
	return fmin(1, 2 * tail / pow(2, n));
}

static void check_arm(const struct table *t, uint64_t seed, int a)
{
	const struct tuning_arm *arm = &t->step.arms[a], *best = &t->step.arms[t->step.best];
	int mine = 0, others = 0;
	uint32_t shared = 0;
	for (uint32_t i = 0; i < t->images; i++) {
		if (!has_seen(t, seed, a, i) || !has_seen(t, seed, t->step.best, i))
			continue;
		shared++;
		mine += t->rewards[i][arm->setting] > t->rewards[i][best->setting];
		others += t->rewards[i][arm->setting] < t->rewards[i][best->setting];
	}
	ck_assert_uint_eq(arm->shared, shared);
	ck_assert_double_eq_tol(arm->p, two_sided(mine + others, mine < others ? mine : others), 1e-9);
	ck_assert_int_eq(arm->alike, arm->p >= 0.05);
	ck_assert(arm->setting != best->setting || (arm->alike && arm->p == 1));
}

static double mean_of(const struct table *t, int setting)
{
	double hits = 0;
	for (size_t i = 0; i < t->images; i++)
		hits += t->rewards[i][setting];
	return hits / (double)t->images;
}

static void check_regret(const struct table *t, bool full)
{
	uint64_t marks[TUNING_MOST_MARKS];
	double regret[TUNING_MOST_MARKS], best = 0, all = 0, sum = 0;
	uint32_t pulls[MOST_ARMS] = {0};
	int count = tuning_marks(&t->step, marks), mark = 0;
	for (int a = 0; a < t->arms; a++) {
		best = fmax(best, mean_of(t, t->step.arms[a].setting));
		all += mean_of(t, t->step.arms[a].setting);
	}
	tuning_regret(&t->step, marks, count, regret);
	for (uint64_t trial = 0; trial < t->step.bandit.trials; trial++) {
		sum += best - mean_of(t, t->step.arms[t->step.pulled[trial]].setting);
		pulls[t->step.pulled[trial]]++;
		if (marks[mark] == trial + 1)
			ck_assert_double_eq_tol(regret[mark++], sum, 1e-9);
	}
	ck_assert_int_eq(mark, count);
	for (int a = 0; a < t->arms; a++)
		ck_assert_uint_eq(pulls[a], t->step.bandit.arms[a].pulls);
	if (full) /* every solver has then paid for every arm, as whoever takes them in turn */
		ck_assert_double_eq_tol(regret[count - 1], tuning_regret_in_turn(&t->step) * (double)t->step.bandit.trials, 1e-9);
	ck_assert_double_eq_tol(tuning_regret_in_turn(&t->step), best - all / t->arms, 1e-12);
}

START_TEST(arms_are_held_against_the_chosen_one)
{
	uint64_t seed = random_seed();
	int apart = 0, unknown = 0;
	for (int n = 0; n < CASES; n++) {
		struct pcg rng;
		struct table t;
		struct error e;
		struct bandit_rules rules = BANDIT_DEFAULT;
		pcg_seed(&rng, seed, (uint64_t)n);
		int arms = between(&rng, 2, MOST_ARMS), settings = between(&rng, 2, arms);
		size_t images = (size_t)between(&rng, 1, MOST_IMAGES);
		rules.solver = bandit_solvers[between(&rng, 0, BANDIT_SOLVERS - 1)];
		rules.seed = seed + (uint64_t)n;
		uint64_t all = (uint64_t)arms * images, trials = between(&rng, 0, 1) ? 0 : (uint64_t)between(&rng, arms, (int)all + arms);
		table_open(&t, arms, images, settings, &rng);
		ck_assert_int_eq(tuning_run(&t.step, &t.matrix, &rules, trials, t.list, images, &e), 0);
		ck_assert(t.step.swept && t.step.best >= 0);
		for (int a = 0; a < arms; a++) {
			check_arm(&t, rules.seed, a);
			apart += !t.step.arms[a].alike;
		}
		check_regret(&t, t.step.bandit.trials == all);
		/* One reward that nobody asked for is not known: then the sweep is not. */
		for (uint32_t i = 0; i < images && !unknown; i++) {
			int seen = 0;
			for (int a = 0; a < arms; a++)
				seen += t.step.arms[a].setting == 0 && has_seen(&t, rules.seed, a, i);
			if (seen)
				continue;
			struct bandit before = t.step.bandit;
			before.arms = NULL;
			t.rewards[i][0] = REWARD_UNKNOWN;
			free(t.step.pulled);
			bandit_done(&t.step.bandit);
			ck_assert_int_eq(tuning_run(&t.step, &t.matrix, &rules, trials, t.list, images, &e), 0);
			ck_assert_uint_eq(t.step.bandit.trials, before.trials);
			ck_assert(!t.step.swept);
			unknown++;
		}
		table_close(&t);
	}
	ck_assert_int_gt(apart, 0);
	ck_assert_int_gt(unknown, 0);
}
END_TEST

static void verdict_is(const struct calibration *c, const char *begins)
{
	char text[REPORT_VERDICT];
	report_verdict(c, text);
	ck_assert_msg(strncmp(text, begins, strlen(begins)) == 0 && text[strlen(text) - 1] == '.', "%s", text);
}

START_TEST(verdict_claims_no_more_than_was_shown)
{
	struct calibration c = {.rivals = {{"tuned weights", 0, 0}, {"weights (1, 1, 1)", 1, 0}}, .rival_count = 2, .first_rival = 1};
	verdict_is(&c, "The tuned weights were not shown to be better than the weights (1, 1, 1): no photographs were held out");
	c.held_out = (struct calibration_table){.images = 200, .hits = {120, 100}, .p = {1, 0.049}, .sign = {0, 1}};
	verdict_is(&c, "The tuned weights were shown to be better than the weights (1, 1, 1): 60.0 against 50.0 percent of 200 held-out photographs");
	c.held_out.p[1] = 0.05;
	verdict_is(&c, "The tuned weights were not shown to be better than the weights (1, 1, 1): 60.0 against 50.0 percent");
	c.held_out.p[1] = 0.001;
	c.held_out.sign[1] = -1;
	verdict_is(&c, "The tuned weights were not shown to be better, but WORSE than the weights (1, 1, 1):");
	c.rivals[1].setting = 0;
	verdict_is(&c, "The tuned weights were not shown to be better than the weights (1, 1, 1): they are the same setting.");
	c.rivals[1].setting = 1;
	c.crossed = (struct calibration_table){.images = 400, .hits = {120, 100}, .p = {1, 0.03}, .sign = {0, 1}};
	verdict_is(&c, "The tuned weights were not shown to be better, but WORSE"); /* what is held out is asked first */
	c.held_out.images = 0;
	verdict_is(&c, "The tuned weights were shown to be better than the weights (1, 1, 1): 30.0 against 25.0 percent of 400 cross-validated photographs");
	/* The best on the calibration images is no evidence. */
	c.crossed.images = 0;
	c.calibrated = (struct calibration_table){.images = 200, .hits = {120, 50}, .p = {1, 1e-9}, .sign = {0, 1}};
	verdict_is(&c, "The tuned weights were not shown to be better than");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("evidence");
	TCase *cases = tcase_create("evidence");
	tcase_add_test(cases, arms_are_held_against_the_chosen_one);
	tcase_add_test(cases, verdict_claims_no_more_than_was_shown);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
