/* PCG32 against its published numbers and its distribution; UCB1 against a hand calculation and against arms whose means are known. */
#include "config.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "bandit/bandit.h"
#include "bandit/pcg.h"
#include "tests/suite.h"

/* A count of n draws of probability p stays within six standard deviations: false alarms come once in 10^9. */
static void check_count(double count, double n, double p, const char *what)
{
	ck_assert_msg(fabs(count - n * p) <= 6 * sqrt(n * p * (1 - p)), "%s: %g of %g, expected %g", what, count, n, n * p);
}

/* pcg32-demo of the PCG library (pcg-random.org), round 1. */
START_TEST(pcg_has_published_values)
{
	static const uint32_t PUBLISHED[] = {0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e};
	struct pcg rng;
	pcg_seed(&rng, 42, 54);
	for (size_t i = 0; i < sizeof PUBLISHED / sizeof *PUBLISHED; i++)
		ck_assert_uint_eq(pcg_next(&rng), PUBLISHED[i]);
}
END_TEST

START_TEST(pcg_double_joins_two_draws)
{
	struct pcg rng;
	pcg_seed(&rng, 42, 54);
	double expected = ((0xa15c02b7 >> 5) * 67108864.0 + (0x7b47f409 >> 6)) / 9007199254740992.0;
	ck_assert(pcg_double(&rng) == expected);
	int n = 100000, lower = 0;
	for (int i = 0; i < n; i++) {
		double x = pcg_double(&rng);
		ck_assert(x >= 0 && x < 1);
		lower += x < 0.25;
	}
	check_count(lower, n, 0.25, "below 1/4");
}
END_TEST

START_TEST(pcg_normal_is_normal)
{
	static const double BELOW[][2] = {{-2, 0.0227501319}, {-1, 0.1586552539}, {0, 0.5}, {0.5, 0.6914624613}, {3, 0.9986501020}};
	struct pcg rng;
	int n = 100000, bins[5] = {0};
	pcg_seed(&rng, 5, 0);
	for (int i = 0; i < n; i++) {
		double x = pcg_normal(&rng);
		for (int b = 0; b < 5; b++)
			bins[b] += x < BELOW[b][0];
	}
	for (int b = 0; b < 5; b++)
		check_count(bins[b], n, BELOW[b][1], "below a normal number's quantile");
}
END_TEST

START_TEST(pcg_below_is_unbiased)
{
	static const uint32_t BOUNDS[] = {1, 2, 7, 10, 64};
	struct pcg rng;
	pcg_seed(&rng, 1, 1);
	for (size_t b = 0; b < sizeof BOUNDS / sizeof *BOUNDS; b++) {
		int n = 100000, bins[64] = {0};
		for (int i = 0; i < n; i++) {
			uint32_t drawn = pcg_below(&rng, BOUNDS[b]);
			ck_assert_uint_lt(drawn, BOUNDS[b]);
			bins[drawn]++;
		}
		for (uint32_t i = 0; i < BOUNDS[b]; i++)
			check_count(bins[i], n, 1.0 / BOUNDS[b], "a bin");
	}
	/* Without rejection half of the numbers below 3 * 2^30 would lie in the first third. */
	int n = 100000, first = 0;
	for (int i = 0; i < n; i++)
		first += pcg_below(&rng, 3u << 30) < 1u << 30;
	check_count(first, n, 1.0 / 3, "first third");
}
END_TEST

START_TEST(pcg_shuffle_is_uniform)
{
	struct pcg rng;
	pcg_seed(&rng, 2, 2);
	int n = 60000, seen[27] = {0};
	for (int i = 0; i < n; i++) {
		uint32_t order[3];
		pcg_shuffle(&rng, order, 3);
		seen[order[0] * 9 + order[1] * 3 + order[2]]++;
	}
	static const int PERMUTATIONS[] = {0 * 9 + 1 * 3 + 2, 0 * 9 + 2 * 3 + 1, 1 * 9 + 0 * 3 + 2,
		1 * 9 + 2 * 3 + 0, 2 * 9 + 0 * 3 + 1, 2 * 9 + 1 * 3 + 0};
	int total = 0;
	for (int i = 0; i < 6; i++) {
		check_count(seen[PERMUTATIONS[i]], n, 1.0 / 6, "a permutation");
		total += seen[PERMUTATIONS[i]];
	}
	ck_assert_int_eq(total, n);
}
END_TEST

static void expect(struct bandit *b, int arm, bool reward)
{
	ck_assert_int_eq(bandit_next(b), arm);
	bandit_reward(b, arm, reward);
}

/* Both arms pulled once; from then on mean + sqrt(2 ln t / n) of the two:
 *   t = 2: 1 + 1.177 | 0 + 1.177;  t = 3: 0.5 + 1.048 | 0 + 1.482;  t = 4: 0.333 + 0.961 | 0 + 1.665;  t = 5: 0.333 + 1.036 | 0.5 + 1.269. */
START_TEST(ucb1_by_hand)
{
	struct bandit b;
	ck_assert(bandit_init(&b, &BANDIT_DEFAULT, 2, 100));
	expect(&b, 0, true);
	expect(&b, 1, false);
	expect(&b, 0, false);
	expect(&b, 0, false);
	expect(&b, 1, true);
	ck_assert_int_eq(bandit_next(&b), 1);
	ck_assert(bandit_mean(&b.arms[0]) == 1.0 / 3);
	ck_assert(bandit_mean(&b.arms[1]) == 0.5);
	ck_assert_int_eq(bandit_answer(&b), 0);
	ck_assert_uint_eq(b.trials, 5);
	bandit_done(&b);
}
END_TEST

START_TEST(ties_go_to_the_lowest)
{
	struct bandit b;
	ck_assert(bandit_init(&b, &BANDIT_DEFAULT, 3, 100));
	for (int arm = 0; arm < 3; arm++)
		expect(&b, arm, arm > 0);
	ck_assert_int_eq(bandit_next(&b), 1);
	ck_assert_int_eq(bandit_answer(&b), 1);
	bandit_done(&b);
}
END_TEST

START_TEST(every_reward_is_drawn_in_the_end)
{
	enum { ARMS = 7, LIMIT = 13 };
	struct pcg rng;
	pcg_seed(&rng, 3, 3);
	struct bandit b;
	ck_assert(bandit_init(&b, &BANDIT_DEFAULT, ARMS, LIMIT));
	for (int t = 0; t < ARMS * LIMIT; t++) {
		int arm = bandit_next(&b);
		ck_assert_int_ge(arm, 0);
		bandit_reward(&b, arm, pcg_double(&rng) < arm / 7.0);
	}
	ck_assert_int_eq(bandit_next(&b), -1);
	for (int i = 0; i < ARMS; i++)
		ck_assert_uint_eq(b.arms[i].pulls, LIMIT);
	bandit_done(&b);
	ck_assert(bandit_init(&b, &BANDIT_DEFAULT, 2, 0));
	ck_assert_int_eq(bandit_next(&b), -1);
	ck_assert(bandit_mean(&b.arms[0]) == 0);
	bandit_done(&b);
}
END_TEST

/* Means 0.1 to 0.45 and 0.7: a gap of 0.25, which 3000 trials settle on every seed. */
START_TEST(best_arm_is_found)
{
	enum { ARMS = 9, BEST = 5 };
	for (unsigned seed = 0; seed < 20; seed++) {
		struct pcg rng;
		pcg_seed(&rng, seed, 4);
		struct bandit b;
		ck_assert(bandit_init(&b, &BANDIT_DEFAULT, ARMS, 3000));
		for (int t = 0; t < 3000; t++) {
			int arm = bandit_next(&b);
			bandit_reward(&b, arm, pcg_double(&rng) < (arm == BEST ? 0.7 : 0.1 + 0.35 * arm / (ARMS - 1)));
		}
		ck_assert_msg(bandit_answer(&b) == BEST, "seed %u: arm %d", seed, bandit_answer(&b));
		ck_assert_msg(b.arms[BEST].pulls > 1500, "seed %u: the best arm had %u pulls", seed, b.arms[BEST].pulls);
		bandit_done(&b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bandit");
	TCase *cases = tcase_create("all");
	tcase_add_test(cases, pcg_has_published_values);
	tcase_add_test(cases, pcg_double_joins_two_draws);
	tcase_add_test(cases, pcg_normal_is_normal);
	tcase_add_test(cases, pcg_below_is_unbiased);
	tcase_add_test(cases, pcg_shuffle_is_uniform);
	tcase_add_test(cases, ucb1_by_hand);
	tcase_add_test(cases, ties_go_to_the_lowest);
	tcase_add_test(cases, every_reward_is_drawn_in_the_end);
	tcase_add_test(cases, best_arm_is_found);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
