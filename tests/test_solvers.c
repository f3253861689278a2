/* Solvers against plain references: over every sequence of rewards that a small case can have, and against exact probabilities. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "bandit/beta.h"
#include "bandit/kl.h"
#include "bandit/race.h"
#include "bandit/simulate.h"
#include "tests/random.h"
#include "tests/suite.h"

START_TEST(kl_by_hand)
{
	ck_assert_double_eq_tol(kl(0.5, 0.25), 0.5 * log(4.0 / 3), 1e-15); /* 1/2 ln 2 + 1/2 ln 2/3 */
	ck_assert_double_eq_tol(kl(0, 0.3), -log(0.7), 1e-15);
	ck_assert_double_eq_tol(kl(1, 0.3), -log(0.3), 1e-15);
	ck_assert(kl(0.2, 0.2) == 0 && kl(0, 0) == 0 && kl(1, 1) == 0);
	ck_assert(isinf(kl(0.5, 0)) && isinf(kl(0.5, 1)));
	ck_assert_double_eq_tol(kl_upper(0, 2), 1 - exp(-2), 1e-15);
	ck_assert(kl_upper(1, 2) == 1 && kl_upper(0.25, 0) == 0.25 && kl_upper(0.25, -1) == 0.25);
}
END_TEST

/* The largest q by bisection in a wider type, with terms as the formula has them. */
static double slow_upper(long double p, long double level)
{
	long double low = p, high = 1;
	for (int i = 0; i < 100; i++) {
		long double q = (low + high) / 2, value = (p > 0 ? p * logl(p / q) : 0) + (p < 1 ? (1 - p) * logl((1 - p) / (1 - q)) : 0);
		if (value <= level)
			low = q;
		else
			high = q;
	}
	return (double)low;
}

/* Levels down to 1e-7: there rounding is 1e-16 * q (1 - q) / (q - p) < 1e-16 * sqrt(1 / 8e-7) = 1e-13, of some terms. */
START_TEST(kl_upper_is_the_root)
{
	uint64_t seed = random_seed();
	struct pcg rng;
	pcg_seed(&rng, seed, 11);
	for (int i = 0; i < 20000; i++) {
		uint32_t pulls = 1 + pcg_below(&rng, i % 2 ? 20 : 1000000), successes = pcg_below(&rng, pulls + 1);
		double level = exp(-16 + 20 * pcg_double(&rng)), p = (double)successes / pulls, q = kl_upper(p, level), slow = slow_upper(p, level);
		ck_assert_msg(fabs(q - slow) <= 2e-12, "seed %llu, case %d: kl(%.17g, q) <= %.17g: %.17g, bisection %.17g", (unsigned long long)seed, i, p, level, q,
			slow);
	}
}
END_TEST

START_TEST(lai_robbins_of_nine_arms)
{
	static const double MEANS[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
	ck_assert_double_eq_tol(kl_lai_robbins(MEANS, 9), 7.52, 0.005);
	ck_assert(kl_lai_robbins(MEANS, 1) == 0);
}
END_TEST

/* The probability of at least k successes of n. */
static double binomial_tail(int n, double p, int k)
{
	double sum = 0;
	for (int i = k; i <= n; i++)
		sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + (i ? i * log(p) : 0) + (n - i ? (n - i) * log1p(-p) : 0));
	return sum;
}

/* With whole-number parameters P(Beta(a, b) <= x) is that of at least a successes in a + b - 1 trials of probability x. */
START_TEST(beta_has_its_distribution)
{
	static const int CASES[][2] = {{1, 1}, {1, 7}, {9, 1}, {2, 2}, {2, 3}, {3, 2}, {2, 40}, {60, 3}, {300, 700}, {700, 300}, {2, 5000}};
	enum { DRAWS = 200000 };
	struct pcg rng;
	pcg_seed(&rng, 5, 5);
	for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
		int a = CASES[c][0], b = CASES[c][1];
		double sum = a + b, mean = a / sum, sd = sqrt(mean * (1 - mean) / (sum + 1)), at[7];
		int below[7] = {0};
		for (int k = 0; k < 7; k++)
			at[k] = fmin(fmax(mean + (k - 3) * sd, 1e-9), 1 - 1e-9);
		for (int i = 0; i < DRAWS; i++) {
			double x = beta_draw(&rng, a, b);
			ck_assert(x >= 0 && x <= 1);
			for (int k = 0; k < 7; k++)
				below[k] += x <= at[k];
		}
		for (int k = 0; k < 7; k++) {
			double p = binomial_tail(a + b - 1, at[k], a);
			/* Six standard deviations, and one draw for what lies in the far tail. */
			ck_assert_msg(fabs(below[k] - DRAWS * p) <= 6 * sqrt(DRAWS * p * (1 - p)) + 1, "Beta(%d, %d) <= %g: %d of %d, expected %g", a, b, at[k], below[k],
				DRAWS, DRAWS * p);
		}
	}
}
END_TEST

/* What the reference knows. */
struct state {
	int arms, trials, pulls[3], successes[3];
};

/* The next arm as the papers have it; level is what the index allows. */
static int slow_next(const struct bandit_solver *solver, const struct state *s)
{
	double t = s->trials, best = -1, level = log(t);
	int next = 0;
	if (solver == bandit_solver("agrawal") && s->trials >= 3)
		level = log(t) + 2 * log(log(t));
	for (int i = 0; i < s->arms; i++) {
		double mean = s->pulls[i] ? (double)s->successes[i] / s->pulls[i] : 0, index;
		if (!s->pulls[i])
			return i;
		if (!solver->minds_regret)
			index = 1.0 / s->pulls[i];
		else
			index = solver == bandit_solver("ucb1") ? mean + sqrt(2 * log(t) / s->pulls[i]) : slow_upper(mean, level / s->pulls[i]);
		if (index > best + 1e-11) { /* the bounds of equal arms are equal but for rounding: the lowest has it */
			best = index;
			next = i;
		}
	}
	return next;
}

/* The exact expected regret of `left` more trials: over all rewards, each with its probability. */
static double slow_regret(const struct bandit_solver *solver, const struct state *s, const double *means, double best, int left)
{
	if (!left)
		return 0;
	int arm = slow_next(solver, s);
	double sum = best - means[arm];
	for (int reward = 0; reward < 2; reward++) {
		struct state after = *s;
		after.trials++;
		after.pulls[arm]++;
		after.successes[arm] += reward;
		sum += (reward ? means[arm] : 1 - means[arm]) * slow_regret(solver, &after, means, best, left - 1);
	}
	return sum;
}

/* The highest mean of those with the most pulls, or of all where the solver pulls in rounds; the lowest arm on a tie. */
static int slow_answer(const struct bandit_solver *solver, const struct state *s)
{
	int most = 0, answer = -1;
	double highest = -1;
	for (int i = 0; i < s->arms; i++)
		most = s->pulls[i] > most ? s->pulls[i] : most;
	for (int i = 0; i < s->arms; i++) {
		double mean = s->pulls[i] ? (double)s->successes[i] / s->pulls[i] : 0;
		if ((!solver->minds_regret || s->pulls[i] == most) && mean > highest) {
			highest = mean;
			answer = i;
		}
	}
	return answer;
}

/* The solver itself, driven along every sequence of rewards; each step must be the reference's. Gives the expected regret, and in *correct the probability
 * that the answer is the best arm. */
static double driven_regret(const struct bandit_solver *solver, int arms, const double *means, double best, int trials, double *correct)
{
	struct bandit_rules rules = BANDIT_DEFAULT;
	double expected = 0;
	rules.solver = solver;
	*correct = 0;
	for (uint32_t rewards = 0; rewards < 1u << trials; rewards++) {
		struct bandit b;
		struct state s = {.arms = arms};
		double probability = 1, regret = 0;
		ck_assert(bandit_init(&b, &rules, arms, BANDIT_UNLIMITED));
		for (int t = 0; t < trials; t++) {
			int arm = bandit_next(&b), reward = rewards >> t & 1;
			ck_assert_msg(arm == slow_next(solver, &s), "%s, rewards %x, trial %d: arm %d", solver->name, rewards, t, arm);
			bandit_reward(&b, arm, reward);
			s.trials++;
			s.pulls[arm]++;
			s.successes[arm] += reward;
			probability *= reward ? means[arm] : 1 - means[arm];
			regret += best - means[arm];
		}
		ck_assert_msg(bandit_answer(&b) == slow_answer(solver, &s), "%s, rewards %x: answer %d", solver->name, rewards, bandit_answer(&b));
		expected += probability * regret;
		*correct += means[bandit_answer(&b)] == best ? probability : 0;
		bandit_done(&b);
	}
	return expected;
}

static void simulated(const struct bandit_solver *solver, int arms, const double *means, int trials, uint64_t runs, struct simulation_point *last)
{
	struct progress progress;
	struct error e;
	struct simulation s = {.arms = arms, .means = means, .rules = BANDIT_DEFAULT, .trials = (uint64_t)trials, .runs = runs, .seed = random_seed(),
		.times = {(uint64_t)trials}, .time_count = 1, .threads = 2, .progress = &progress};
	s.rules.solver = solver;
	progress_start(&progress, false, "", 0);
	ck_assert_int_eq(simulate(&s, last, &e), 0);
}

/* Five standard errors: a false alarm in some million checks. */
START_TEST(every_sequence_of_rewards)
{
	static const double MEANS[][3] = {{0.3, 0.6}, {0.9, 0.85}, {0.2, 0.5, 0.4}};
	static const int ARMS[] = {2, 2, 3}, TRIALS[] = {12, 12, 11};
	enum { RUNS = 20000 };
	for (int c = 0; c < 3; c++) {
		double best = c == 0 ? 0.6 : c == 1 ? 0.9 : 0.5;
		for (int i = 0; i < BANDIT_SOLVERS; i++) {
			const struct bandit_solver *solver = bandit_solvers[i];
			struct simulation_point last;
			if (solver == bandit_solver("thompson"))
				continue;
			double exact = slow_regret(solver, &(struct state){.arms = ARMS[c]}, MEANS[c], best, TRIALS[c]), correct;
			double driven = driven_regret(solver, ARMS[c], MEANS[c], best, TRIALS[c], &correct);
			ck_assert_msg(fabs(driven - exact) <= 1e-12 * exact, "%s, case %d: %.15g, exact %.15g", solver->name, c, driven, exact);
			simulated(solver, ARMS[c], MEANS[c], TRIALS[c], RUNS, &last);
			ck_assert_msg(fabs(last.correct - correct) <= 5 * sqrt(correct * (1 - correct) / RUNS), "%s, case %d: %g right, exact %g", solver->name, c,
				last.correct, correct);
			ck_assert_msg(fabs(last.regret - exact) <= 5 * last.regret_error + 1e-12, "%s, case %d: simulated %g +- %g, exact %g", solver->name, c, last.regret,
				last.regret_error, exact);
		}
	}
}
END_TEST

/* P(Beta(a1, b1) > Beta(a0, b0)) for whole numbers: the sum over i < a1 of B(a0 + i, b0 + b1) / ((b1 + i) B(1 + i, b1) B(a0, b0)). */
static double beats(int a0, int b0, int a1, int b1)
{
	double sum = 0;
	for (int i = 0; i < a1; i++)
		sum += exp(lgamma(a0 + i) + lgamma(b0 + b1) - lgamma(a0 + i + b0 + b1) - log(b1 + i) - (lgamma(1 + i) + lgamma(b1) - lgamma(1 + i + b1))
			- (lgamma(a0) + lgamma(b0) - lgamma(a0 + b0)));
	return sum;
}

static double thompson_regret(const struct state *s, const double *means, double best, int left)
{
	double sum = 0;
	if (!left)
		return 0;
	double second = beats(1 + s->successes[0], 1 + s->pulls[0] - s->successes[0], 1 + s->successes[1], 1 + s->pulls[1] - s->successes[1]);
	for (int arm = 0; arm < 2; arm++) {
		double regret = best - means[arm];
		for (int reward = 0; reward < 2; reward++) {
			struct state after = *s;
			after.pulls[arm]++;
			after.successes[arm] += reward;
			regret += (reward ? means[arm] : 1 - means[arm]) * thompson_regret(&after, means, best, left - 1);
		}
		sum += (arm ? second : 1 - second) * regret;
	}
	return sum;
}

START_TEST(thompson_over_every_sequence)
{
	static const double MEANS[][2] = {{0.3, 0.6}, {0.95, 0.7}};
	ck_assert_double_eq_tol(beats(1, 1, 2, 1), 2.0 / 3, 1e-12);
	for (int c = 0; c < 2; c++) {
		struct simulation_point last;
		double exact = thompson_regret(&(struct state){.arms = 2}, MEANS[c], fmax(MEANS[c][0], MEANS[c][1]), 8);
		simulated(bandit_solver("thompson"), 2, MEANS[c], 8, 200000, &last);
		ck_assert_msg(fabs(last.regret - exact) <= 5 * last.regret_error, "case %d: simulated %g +- %g, exact %g", c, last.regret, last.regret_error, exact);
	}
}
END_TEST

START_TEST(race_radius_by_hand)
{
	/* ln(4 * 99 / 0.05) = 8.97714; n = 10: rho = 0.91; n = 80: rho = 0.2 * 1.0125. Without end: ln(4 * 110 / 0.05) = 9.08251. */
	ck_assert_double_eq_tol(race_radius(10, 100, 4, 0.05), sqrt(0.91 * 8.97714 / 20), 1e-6);
	ck_assert_double_eq_tol(race_radius(80, 100, 4, 0.05), sqrt(0.2025 * 8.97714 / 160), 1e-6);
	ck_assert_double_eq_tol(race_radius(10, BANDIT_UNLIMITED, 4, 0.05), sqrt(9.08251 / 20), 1e-6);
	ck_assert(race_radius(100, 100, 4, 0.05) == 0 && race_radius(1, 1, 2, 0.05) == 0);
}
END_TEST

static double choose(int n, int k)
{
	return k < 0 || k > n ? 0 : exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0));
}

/* Bardenet's and Maillard's corollary, counted out: n of N rewards, of which `ones` are 1, have a mean too high by the radius with the probability that one
 * event may have, or less; likewise binomial ones. */
START_TEST(race_radius_holds)
{
	static const double DELTAS[] = {0.9, 0.5, 0.05};
	for (int d = 0; d < 3; d++)
		for (int rewards = 2; rewards <= 40; rewards++)
			for (int n = 1; n < rewards; n++) {
				double c = race_radius((uint32_t)n, (uint32_t)rewards, 1, DELTAS[d]), endless = race_radius((uint32_t)n, BANDIT_UNLIMITED, 1, DELTAS[d]);
				for (int ones = 0; ones <= rewards; ones++) {
					double p = (double)ones / rewards, tail = 0;
					for (int k = 0; k <= n; k++)
						if ((double)k / n - p >= c - 1e-12)
							tail += choose(ones, k) * choose(rewards - ones, n - k) / choose(rewards, n);
					ck_assert_msg(tail <= DELTAS[d] / (rewards - 1) + 1e-12, "%d of %d, %d ones, delta %g: %g", n, rewards, ones, DELTAS[d], tail);
					int least = (int)ceil(n * (p + endless) - 1e-9);
					ck_assert(least > n || binomial_tail(n, p, least) <= DELTAS[d] / (n * (n + 1.0)) + 1e-12);
				}
			}
}
END_TEST

/* One race over the rewards of arms of which so many are 1. */
static int race(struct pcg *rng, const uint32_t *ones, int arms, uint32_t rewards, double delta, uint64_t *trials)
{
	struct bandit b;
	struct bandit_rules rules = {.solver = bandit_solver("race"), .delta = delta};
	uint32_t *orders = malloc((size_t)arms * rewards * sizeof *orders);
	ck_assert(orders && bandit_init(&b, &rules, arms, rewards));
	for (int i = 0; i < arms; i++)
		pcg_shuffle(rng, orders + (size_t)i * rewards, rewards);
	for (int arm; (arm = bandit_next(&b)) >= 0;)
		bandit_reward(&b, arm, orders[(size_t)arm * rewards + b.arms[arm].pulls] < ones[arm]);
	int answer = bandit_answer(&b);
	*trials = b.trials;
	bandit_done(&b);
	free(orders);
	return answer;
}

/* Within a round, one pull more or less is no evidence. */
START_TEST(rounds_answer_by_mean)
{
	static const char *const NAMES[] = {"race", "sweep"};
	for (int i = 0; i < 2; i++) {
		struct bandit b;
		struct bandit_rules rules = BANDIT_DEFAULT;
		rules.solver = bandit_solver(NAMES[i]);
		ck_assert(bandit_init(&b, &rules, 2, 100));
		ck_assert_int_eq(bandit_answer(&b), 0);
		for (int t = 0; t < 3; t++) {
			int arm = bandit_next(&b);
			ck_assert_int_eq(arm, t % 2);
			bandit_reward(&b, arm, t > 0); /* arm 0: 0, 1; arm 1: 1 */
		}
		ck_assert_int_eq(bandit_answer(&b), 1);
		bandit_done(&b);
	}
}
END_TEST

/* Random races, each trial beside a plain one: arms in turn, dropped where a whole round shows it. */
START_TEST(race_drops_after_whole_rounds)
{
	uint64_t seed = random_seed();
	struct pcg rng;
	int seen = 0;
	pcg_seed(&rng, seed, 13);
	for (int c = 0; c < 300; c++) {
		int arms = between(&rng, 2, 5), n = 0;
		bool dropped[5] = {false};
		int successes[5] = {0};
		double means[5];
		uint32_t limit = c % 3 ? (uint32_t)between(&rng, 2, 300) : BANDIT_UNLIMITED;
		struct bandit b;
		struct bandit_rules rules = {.solver = bandit_solver("race"), .delta = 0.05 + 0.9 * pcg_double(&rng)};
		ck_assert(bandit_init(&b, &rules, arms, limit));
		for (int i = 0; i < arms; i++)
			means[i] = pcg_double(&rng);
		for (int left = arms; left > 1 && n < 300 && n < (int)fmin(limit, 300);) {
			for (int i = 0; i < arms; i++) {
				if (dropped[i])
					continue;
				int arm = bandit_next(&b);
				ck_assert_msg(arm == i, "seed %llu, case %d, pull %d: arm %d", (unsigned long long)seed, c, n, arm);
				bool reward = pcg_double(&rng) < means[i];
				bandit_reward(&b, arm, reward);
				successes[i] += reward;
			}
			int most = 0;
			n++;
			for (int i = 0; i < arms; i++)
				if (!dropped[i] && successes[i] > most)
					most = successes[i];
			double radius = race_radius((uint32_t)n, limit, arms, rules.delta);
			for (int i = 0; i < arms; i++)
				if (!dropped[i] && most - successes[i] > 2 * radius * n + 1e-9) {
					dropped[i] = true;
					left--;
					seen++;
				}
			for (int i = 0; i < arms; i++)
				ck_assert_msg(b.arms[i].dropped == dropped[i], "seed %llu, case %d, pull %d: arm %d", (unsigned long long)seed, c, n, i);
			if (left == 1)
				ck_assert_int_eq(bandit_next(&b), -1);
		}
		bandit_done(&b);
	}
	ck_assert_int_gt(seen, 100);
}
END_TEST

/* Close arms of 300 rewards, where chance could drop the best. */
START_TEST(race_is_seldom_wrong)
{
	static const uint32_t CASES[][4] = {{150, 153, 120, 90}, {10, 9, 0, 30}, {297, 298, 299, 300}, {150, 150, 150, 151}};
	enum { RUNS = 2500 };
	struct pcg rng;
	pcg_seed(&rng, random_seed(), 12);
	for (int c = 0; c < 4; c++) {
		int wrong = 0, best = 0;
		uint64_t trials, all = 0;
		for (int i = 1; i < 4; i++)
			best = CASES[c][i] > CASES[c][best] ? i : best;
		for (int run = 0; run < RUNS; run++) {
			wrong += race(&rng, CASES[c], 4, 300, 0.1, &trials) != best;
			all += trials;
		}
		ck_assert_msg(wrong <= RUNS / 10, "case %d: %d of %d", c, wrong, RUNS);
		ck_assert_uint_le(all, (uint64_t)RUNS * 1200);
	}
}
END_TEST

/* A race stops early where arms are far apart, and knows ties only at the end. */
START_TEST(race_stops_when_it_is_sure)
{
	static const uint32_t FAR[] = {100, 900}, TIED[] = {500, 400, 500};
	struct pcg rng;
	uint64_t trials;
	pcg_seed(&rng, 6, 6);
	ck_assert_int_eq(race(&rng, FAR, 2, 1000, 0.05, &trials), 1);
	ck_assert_uint_lt(trials, 200);
	ck_assert_int_eq(race(&rng, TIED, 3, 1000, 0.05, &trials), 0);
	ck_assert(trials > 2000 && trials < 3000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("solvers");
	TCase *cases = tcase_create("all");
	tcase_set_timeout(cases, 300);
	tcase_add_test(cases, kl_by_hand);
	tcase_add_test(cases, kl_upper_is_the_root);
	tcase_add_test(cases, lai_robbins_of_nine_arms);
	tcase_add_test(cases, beta_has_its_distribution);
	tcase_add_test(cases, every_sequence_of_rewards);
	tcase_add_test(cases, thompson_over_every_sequence);
	tcase_add_test(cases, race_radius_by_hand);
	tcase_add_test(cases, race_radius_holds);
	tcase_add_test(cases, rounds_answer_by_mean);
	tcase_add_test(cases, race_drops_after_whole_rounds);
	tcase_add_test(cases, race_is_seldom_wrong);
	tcase_add_test(cases, race_stops_when_it_is_sure);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
