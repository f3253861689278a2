/* Schedules: on random small grids of the embedded network, the answer is that of a plain search over a table that the explainer alone
 * fills. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/calibration_bench.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { CASES = 6, MOST = 4 /* parameters */, MOST_CELLS = 200 };

/* A case: parameters with few values, and the hits of all their combinations. */
struct grid {
	struct parameter parameters[MOST];
	int count, cells;
	int hits[MOST_CELLS];
	struct choices base;
};

static const char *const POOL[][3] = {{"pre=0,0.4,3", "pre=0:2:3", "pre=0.1,0"}, {"cur=1,0.2", "cur=0.5:1.5:2", "cur=0.01,1"}, {"k_fc=10,all,3", "k_fc=5,all",
	"k_fc=2:9:3"}, {"margin=0,0.08", "margin=-0.05:0.05:3", "margin=0.02,0"}, {"radius=0.1,0.3", "radius=0.05:0.15:2", "radius=0.2"},
	{"view=center,full", "view=full,five", "view=five,center"}, {"k_conv=1,2", "k_conv=2", "k_conv=1:2:5"}, {"suc=0.5,1", "suc=0.1:1:3", "suc=2,1"},
	{"blur=0.1,0.2", "blur=0.032,0.1", "blur=0.3"},
	{"box=spread,points", "box=points,quantile,map", "box=map,spread"}, {"sds=1,2", "tail=0.1,0.2", "prior=0,1"}};
enum { POOLS = sizeof POOL / sizeof *POOL, POOL_K_FC = 2 };

static struct choices cell_setting(const struct grid *g, const int *values)
{
	struct choices s = g->base;
	for (int p = 0; p < g->count; p++) {
		struct error e;
		char assignment[100];
		const char *text = g->parameters[p].values[values[p]].text, *name = g->parameters[p].name;
		double number = strtod(text, NULL);
		if (values[p] < 0)
			continue;
		if (strcmp(name, "cur") == 0)
			s.policy.alpha.cur = number;
		else if (strcmp(name, "pre") == 0)
			s.policy.alpha.pre = number;
		else if (strcmp(name, "suc") == 0)
			s.policy.alpha.suc = number;
		else {
			snprintf(assignment, sizeof assignment, "%s=%s", name, text);
			ck_assert_int_eq(choices_assign(&s, assignment, &e), 0);
		}
	}
	return s;
}

/* The values of cell number i, the last parameter's first. */
static void cell_values(const struct grid *g, int i, int *values)
{
	for (int p = g->count - 1; p >= 0; i /= g->parameters[p].count, p--)
		values[p] = i % g->parameters[p].count;
}

static int cell_number(const struct grid *g, const int *values)
{
	int i = 0;
	for (int p = 0; p < g->count; p++)
		i = i * g->parameters[p].count + values[p];
	return i;
}

/* Two to MOST parameters in any order, k_fc among them, which counts on these images. */
static void grid_make(struct grid *g, struct pcg *rng)
{
	struct error e;
	bool used[POOLS] = {false};
	*g = (struct grid){.base = CHOICES_DEFAULT, .count = between(rng, 2, MOST), .cells = 1};
	int sure = between(rng, 0, g->count - 1);
	for (int p = 0; p < g->count; p++) {
		int pool = POOL_K_FC;
		while (p != sure && (pool == POOL_K_FC || used[pool]))
			pool = between(rng, 0, POOLS - 1);
		used[pool] = true;
		ck_assert_msg(parameter_parse(&g->parameters[p], POOL[pool][between(rng, 0, 2)], &e) == 0, "%s", e.message);
		g->cells *= g->parameters[p].count;
	}
	ck_assert_int_le(g->cells, MOST_CELLS);
}

static void grid_fill(struct grid *g, struct bench *b)
{
	int values[MOST];
	for (int i = 0; i < g->cells; i++) {
		cell_values(g, i, values);
		struct choices s = cell_setting(g, values);
		g->hits[i] = hits_of(b, &s);
	}
}

static void grid_free(struct grid *g)
{
	for (int p = 0; p < g->count; p++)
		parameter_free(&g->parameters[p]);
}

static struct calibration_plan plan_of(const struct grid *g, enum schedule schedule, int rounds)
{
	return (struct calibration_plan){.images = IMAGES, .parameters = g->parameters, .parameter_count = g->count, .schedule = schedule, .rounds = rounds,
		.rules = BANDIT_DEFAULT, .seed = 5};
}

/* Case n of a test, with chance of its own: the images, and a random grid of settings. */
static void case_open(struct pcg *rng, struct bench *b, struct grid *g, uint64_t seed, int stream, int n)
{
	pcg_seed(rng, seed, (uint64_t)(stream + n));
	bench_open(b, seed + (uint64_t)n);
	grid_make(g, rng);
}

static void case_close(struct calibration *c, struct grid *g, struct bench *b)
{
	calibration_close(c);
	grid_free(g);
	bench_close(b);
}

/* Joint: every combination's hits, those that are one setting once; the answer is the first of the best. */
START_TEST(joint_is_exhaustive)
{
	uint64_t seed = random_seed();
	for (int n = 0; n < CASES; n++) {
		struct pcg rng;
		struct bench b;
		struct grid g;
		struct calibration c;
		struct error e;
		int values[MOST], best = 0, arm = 0;
		case_open(&rng, &b, &g, seed, 0, n);
		grid_fill(&g, &b);
		struct calibration_plan plan = plan_of(&g, SCHEDULE_JOINT, 2);
		ck_assert_msg(run(&b, &c, &plan, &g.base, &e) == 0, "%s", e.message);
		for (int i = 0; i < g.cells; i++) {
			cell_values(&g, i, values);
			struct choices s = cell_setting(&g, values);
			bool earlier = false;
			for (int j = 0; j < i && !earlier; j++) {
				cell_values(&g, j, values);
				struct choices other = cell_setting(&g, values);
				earlier = choices_equal(&s, &other);
			}
			best = g.hits[i] > g.hits[best] ? i : best;
			if (earlier)
				continue;
			ck_assert_int_lt(arm, c.tunings[0].count);
			ck_assert(choices_equal(&c.matrix.settings[c.tunings[0].arms[arm].setting], &s));
			ck_assert_uint_eq(c.tunings[0].bandit.arms[arm].pulls, IMAGES);
			ck_assert_msg((int)c.tunings[0].bandit.arms[arm].successes == g.hits[i], "seed %llu case %d: %s", (unsigned long long)seed, n,
				c.tunings[0].arms[arm].text);
			arm++;
		}
		ck_assert_int_eq(arm, c.tunings[0].count);
		cell_values(&g, best, values);
		struct choices wanted = cell_setting(&g, values);
		check_tuned(&c, &wanted, seed, n);
		ck_assert_uint_eq(c.calibrated.hits[0], (uint64_t)g.hits[best]);
		case_close(&c, &g, &b);
	}
}
END_TEST

/* Hits with parameter p at value v, the others as in values (-1: as in the base). */
static int hits_with(struct bench *b, const struct grid *g, const int *values, int p, int v)
{
	int changed[MOST];
	memcpy(changed, values, sizeof changed);
	changed[p] = v;
	struct choices s = cell_setting(g, changed);
	bool inside = true;
	for (int i = 0; i < g->count; i++)
		inside = inside && changed[i] >= 0;
	return inside ? g->hits[cell_number(g, changed)] : hits_of(b, &s);
}

static bool one_setting(const struct grid *g, const int *values, int p)
{
	bool one = true;
	struct choices before = cell_setting(g, values);
	for (int v = 0; v < g->parameters[p].count; v++) {
		int changed[MOST];
		memcpy(changed, values, sizeof changed);
		changed[p] = v;
		struct choices s = cell_setting(g, changed);
		one = one && choices_equal(&s, &before);
	}
	return one;
}

/* Coordinate: a plain ascent, in which ties with what there is do not move it, and other ties go to the first. */
START_TEST(coordinate_is_a_plain_ascent)
{
	uint64_t seed = random_seed();
	int moved = 0;
	for (int n = 0; n < CASES; n++) {
		struct pcg rng;
		struct bench b;
		struct grid g;
		struct calibration c;
		struct error e;
		int values[MOST] = {-1, -1, -1, -1}, rounds, taken = 0;
		case_open(&rng, &b, &g, seed, 100, n);
		grid_fill(&g, &b);
		rounds = between(&rng, 1, 4);
		struct calibration_plan plan = plan_of(&g, SCHEDULE_COORDINATE, rounds);
		ck_assert_msg(run(&b, &c, &plan, &g.base, &e) == 0, "%s", e.message);
		bool changed = true;
		for (int round = 0; round < rounds && changed; round++) {
			struct choices before = cell_setting(&g, values);
			for (int p = 0; p < g.count; p++) {
				struct choices now = cell_setting(&g, values);
				int current = parameter_value(&g.parameters[p], &now), best = current < 0 ? 0 : current;
				const struct tuning *s = &c.tunings[taken++];
				ck_assert(taken <= c.tuning_count && s->parameter == &g.parameters[p] && s->round == round + 1);
				int top = hits_with(&b, &g, values, p, best);
				for (int v = 0; v < g.parameters[p].count; v++) {
					int hits = hits_with(&b, &g, values, p, v);
					ck_assert_int_eq((int)s->bandit.arms[v].successes, hits);
					if (hits > top) {
						top = hits;
						best = v;
					}
				}
				if (!one_setting(&g, values, p)) {
					moved += best != current && current >= 0;
					values[p] = best;
				}
			}
			struct choices after = cell_setting(&g, values);
			changed = !choices_equal(&before, &after);
		}
		ck_assert_int_eq(taken, c.tuning_count);
		struct choices wanted = cell_setting(&g, values);
		check_tuned(&c, &wanted, seed, n);
		case_close(&c, &g, &b);
	}
	ck_assert_int_gt(moved, 0);
}
END_TEST

/* Independent: each parameter by itself, the first of the best; what changes nothing stays, but for a weight, which gets its first value. */
START_TEST(independent_is_each_alone)
{
	uint64_t seed = random_seed();
	for (int n = 0; n < CASES; n++) {
		struct pcg rng;
		struct bench b;
		struct grid g;
		struct calibration c;
		struct error e;
		int first[MOST] = {-1, -1, -1, -1}, values[MOST];
		case_open(&rng, &b, &g, seed, 200, n);
		struct calibration_plan plan = plan_of(&g, SCHEDULE_INDEPENDENT, 2);
		ck_assert_msg(run(&b, &c, &plan, &g.base, &e) == 0, "%s", e.message);
		ck_assert_int_eq(c.tuning_count, g.count);
		for (int p = 0; p < g.count; p++) {
			int top = -1;
			for (int v = 0; v < g.parameters[p].count; v++) {
				int with[MOST] = {-1, -1, -1, -1};
				with[p] = v;
				struct choices s = cell_setting(&g, with);
				int hits = hits_of(&b, &s);
				ck_assert_int_eq((int)c.tunings[p].bandit.arms[v].successes, hits);
				if (hits > top) {
					top = hits;
					values[p] = v;
				}
			}
			if (g.parameters[p].weight == WEIGHT_COUNT && one_setting(&g, first, p)) {
				ck_assert(!c.tunings[p].identifiable);
				values[p] = -1;
			}
		}
		struct choices wanted = cell_setting(&g, values);
		check_tuned(&c, &wanted, seed, n);
		ck_assert_uint_eq(c.calibrated.hits[0], (uint64_t)hits_of(&b, &wanted));
		case_close(&c, &g, &b);
	}
}
END_TEST

/* Every fold's answer is the first of the best on all other images, and its own images are scored by it. */
START_TEST(folds_leave_their_images_out)
{
	uint64_t seed = random_seed();
	for (int n = 0; n < CASES; n++) {
		struct pcg rng;
		struct bench b;
		struct grid g;
		struct calibration c;
		struct error e;
		uint64_t hits = 0;
		case_open(&rng, &b, &g, seed, 300, n);
		struct calibration_plan plan = plan_of(&g, SCHEDULE_JOINT, 2);
		plan.folds = between(&rng, 2, 5);
		ck_assert_msg(run(&b, &c, &plan, &g.base, &e) == 0, "%s", e.message);
		struct reward_row **rows = matrix_usable(&c.matrix, IMAGES);
		const struct tuning *s = &c.tunings[0];
		for (int fold = 0; fold < plan.folds; fold++) {
			int best = 0, most = -1;
			for (int arm = 0; arm < s->count; arm++) {
				int right = 0;
				for (int i = 0; i < IMAGES; i++)
					right += i % plan.folds != fold && rows[i]->rewards[s->arms[arm].setting] == 1;
				best = right > most ? arm : best;
				most = right > most ? right : most;
			}
			ck_assert_msg(c.fold_settings[fold] == s->arms[best].setting, "seed %llu case %d fold %d", (unsigned long long)seed, n, fold);
			for (int i = fold; i < IMAGES; i += plan.folds)
				hits += rows[i]->rewards[s->arms[best].setting] == 1;
		}
		ck_assert_uint_eq(c.crossed.images, IMAGES);
		ck_assert_uint_eq(c.crossed.hits[0], hits);
		ck_assert_uint_eq(c.crossed.hits[c.rival_count - 1], c.calibrated.hits[c.rival_count - 1]);
		free(rows);
		case_close(&c, &g, &b);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *cases = tcase_create("schedule");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, joint_is_exhaustive);
	tcase_add_test(cases, coordinate_is_a_plain_ascent);
	tcase_add_test(cases, independent_is_each_alone);
	tcase_add_test(cases, folds_leave_their_images_out);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
