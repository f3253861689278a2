/* Parameters and schedules: on random small grids of the embedded network, the answer is that of a plain search over a table that the explainer alone
 * fills. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/calibrate.h"
#include "core/embedded.h"
#include "core/weights_file.h"
#include "tests/plain_reward.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { IMAGES = 12, CASES = 6, MOST = 4 /* parameters */, MOST_CELLS = 200 };

static const volatile sig_atomic_t never = 0;

/* The embedded network, and generated images. */
struct bench {
	struct net net;
	struct packed_weights *packed;
	struct progress progress;
	struct source source;
	struct explainer x;
};

static void bench_open(struct bench *b, uint64_t seed)
{
	struct error e;
	*b = (struct bench){.source = {.seed = seed, .count = IMAGES}};
	ck_assert_msg(net_open_bytes(&b->net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", (const char *)EMBEDDED_CFG, (const char *)EMBEDDED_LABELS, &e) == 0,
		"%s", e.message);
	b->packed = packed_weights_open(&b->net.plan, &e);
	ck_assert_msg(b->packed && explainer_open(&b->x, &b->net, b->packed, 1, &e) == 0, "%s", e.message);
}

static void bench_close(struct bench *b)
{
	explainer_close(&b->x);
	packed_weights_close(b->packed);
	net_close(&b->net);
}

/* Images on which a setting is right. */
static int hits_of(struct bench *b, const struct choices *c)
{
	int hits = 0;
	for (uint32_t i = 0; i < IMAGES; i++)
		hits += plain_reward(&b->x, c, &b->source, i);
	return hits;
}

static int run(struct bench *b, struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e)
{
	struct reward_job job = {.source = &b->source};
	int code = calibration_open(c, plan, base, e);
	if (!code)
		code = crew_open(&job.crew, &b->net, b->packed, 2, &b->progress, &never, e);
	if (!code)
		code = calibration_run(c, &job, e);
	crew_close(&job.crew);
	return code;
}

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

static void check_tuned(const struct calibration *c, const struct choices *wanted, uint64_t seed, int number)
{
	char *left = choices_text(&c->tuned), *right = choices_text(wanted);
	ck_assert_msg(strcmp(left, right) == 0, "seed %llu case %d: %s, wanted %s", (unsigned long long)seed, number, left, right);
	free(left);
	free(right);
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
		pcg_seed(&rng, seed, (uint64_t)n);
		bench_open(&b, seed + (uint64_t)n);
		grid_make(&g, &rng);
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
		calibration_close(&c);
		grid_free(&g);
		bench_close(&b);
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
		pcg_seed(&rng, seed, 100 + (uint64_t)n);
		bench_open(&b, seed + (uint64_t)n);
		grid_make(&g, &rng);
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
		calibration_close(&c);
		grid_free(&g);
		bench_close(&b);
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
		pcg_seed(&rng, seed, 200 + (uint64_t)n);
		bench_open(&b, seed + (uint64_t)n);
		grid_make(&g, &rng);
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
		calibration_close(&c);
		grid_free(&g);
		bench_close(&b);
	}
}
END_TEST

enum { GROUPS = 3, ROUNDS = 2, TRIPLES = 4, MOST_OPS = 100 };

/* Which group each operator is in, -1: none. */
static void group_layers(const struct plan *network, int groups_of[MOST_OPS])
{
	int weighted = 0, place = 0;
	ck_assert_int_le(network->op_count, MOST_OPS);
	for (int i = 0; i < network->op_count; i++) {
		groups_of[i] = network->ops[i].kind == OP_CONV || network->ops[i].kind == OP_GEMM ? 0 : -1;
		weighted += groups_of[i] == 0;
	}
	for (int i = 0; i < network->op_count; i++) {
		for (int g = 0; g < GROUPS && groups_of[i] >= 0; g++)
			if (place >= g * weighted / GROUPS && place < (g + 1) * weighted / GROUPS)
				groups_of[i] = g;
		place += groups_of[i] >= 0;
	}
}

static void set_group(struct layer_policy *own, const int *groups_of, int g, struct alpha alpha)
{
	for (int i = 0; i < MOST_OPS; i++)
		if (groups_of[i] == g)
			own[i] = (struct layer_policy){.own_alpha = true, .alpha = alpha, .k = K_SHARED};
}

/* Tries every triple on group g of s, whose layers are own; true where one is better than what the group has, which is then set. */
static bool ascend_group(struct bench *b, const struct choices *s, struct layer_policy *own, const int *groups_of, int g, struct alpha *now, int *top)
{
	static const struct alpha ARMS[TRIPLES] = {{0.2, 1, 1}, {1, 0, 1}, {1, 0.5, 1}, {1, 30, 1}};
	bool better = false;
	*top = hits_of(b, s);
	for (int k = 0; k < TRIPLES; k++) {
		set_group(own, groups_of, g, ARMS[k]);
		int hits = hits_of(b, s);
		if (hits > *top) {
			*top = hits;
			*now = ARMS[k];
			better = true;
		}
	}
	set_group(own, groups_of, g, *now);
	return better;
}

/* The weights file gives what was tuned back. */
static void check_file(struct bench *b, const struct calibration *c, uint64_t seed, int n)
{
	char path[] = "/tmp/lsdn-weights-XXXXXX";
	struct weights_file read;
	struct error e;
	FILE *file = fdopen(mkstemp(path), "w");
	weights_file_write_head(file, &b->net, &c->tuned);
	fclose(file);
	ck_assert_msg(weights_file_read(&read, path, &b->net.plan, &e) == 0, "%s", e.message);
	check_tuned(c, &read.choices, seed, n);
	ck_assert_uint_eq(c->calibrated.hits[0], (uint64_t)hits_of(b, &read.choices));
	weights_file_free(&read);
	remove(path);
}

/* --per-layer: an ascent over groups of layers, by hand; true where some group got weights of its own. */
static bool layers_case(uint64_t seed, int n)
{
	struct bench b;
	struct parameter parameters[2];
	struct calibration c;
	struct error e;
	struct layer_policy own[MOST_OPS] = {{.own_alpha = false}};
	int groups_of[MOST_OPS] = {0}, taken = 1;
	struct alpha now[GROUPS];
	bool changed = true, moved = false;
	bench_open(&b, seed + (uint64_t)n);
	ck_assert_int_eq(parameter_parse(&parameters[0], "cur=0.2", &e), 0);
	ck_assert_int_eq(parameter_parse(&parameters[1], "pre=0,0.5,30", &e), 0);
	struct calibration_plan plan = {.images = IMAGES, .parameters = parameters, .parameter_count = 2, .schedule = SCHEDULE_JOINT, .rounds = ROUNDS,
		.per_layer = true, .groups = GROUPS, .rules = BANDIT_DEFAULT, .seed = 5};
	ck_assert_msg(run(&b, &c, &plan, &CHOICES_DEFAULT, &e) == 0, "%s", e.message);
	struct choices s = c.shared;
	for (int i = 0; i < MOST_OPS; i++) {
		groups_of[i] = -1;
		own[i].k = K_SHARED;
	}
	group_layers(&b.net.plan, groups_of);
	for (int g = 0; g < GROUPS; g++)
		set_group(own, groups_of, g, now[g] = s.policy.alpha);
	s.policy.layers = own;
	s.policy.layer_count = b.net.plan.op_count;
	for (int round = 0; round < ROUNDS && changed; round++) {
		changed = false;
		for (int g = 0; g < GROUPS; g++, taken++) {
			int top;
			changed = ascend_group(&b, &s, own, groups_of, g, &now[g], &top) || changed;
			ck_assert_int_lt(taken, c.tuning_count);
			ck_assert_int_eq((int)c.tunings[taken].bandit.arms[c.tunings[taken].best].successes, top);
		}
		moved = moved || changed;
	}
	ck_assert_int_eq(taken, c.tuning_count);
	check_tuned(&c, &s, seed, n);
	check_file(&b, &c, seed, n);
	calibration_close(&c);
	for (int p = 0; p < 2; p++)
		parameter_free(&parameters[p]);
	bench_close(&b);
	return moved;
}

START_TEST(layers_are_a_plain_ascent)
{
	int moved = 0;
	for (int n = 0; n < CASES; n++)
		moved += layers_case(random_seed(), n);
	ck_assert_int_gt(moved, 0);
}
END_TEST

static const char *values_of(const char *text)
{
	static char all[LSDN_MESSAGE];
	struct parameter p;
	struct error e;
	size_t used = 0;
	if (parameter_parse(&p, text, &e)) {
		snprintf(all, sizeof all, "%s", e.message);
		return all;
	}
	for (int i = 0; i < p.count; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? " " : "", p.values[i].text);
	parameter_free(&p);
	return all;
}

START_TEST(values_of_parameters)
{
	ck_assert_str_eq(values_of("k_conv=1,2,64"), "1 2 64");
	ck_assert_str_eq(values_of("k_fc=all,010"), "all 10");
	ck_assert_str_eq(values_of("k_conv=1:4:7"), "1 2 3 4"); /* 1, 1.5, 2, 2.5, 3, 3.5, 4: the nearest whole numbers */
	ck_assert_str_eq(values_of("margin=-0.1:0.1:5"), "-0.1 -0.05 0 0.05 0.1");
	ck_assert_str_eq(values_of("pre=0:1:3"), "0 0.5 1");
	ck_assert_str_eq(values_of("locate=center,strongest"), "center strongest");
	ck_assert_str_eq(values_of("signed=false,true"), "false true");
	static const struct {
		const char *text, *message;
	} WRONG[] = {
		{"k_conv", "NAME=LO:HI:K"}, {"=1", "no choice"}, {"colour=1,2", "colour: is no choice"}, {"colour=1,2", "weights cur, pre, suc"},
		{"k_conv=", "whole number"}, {"k_conv=1,,2", "whole number"}, {"k_conv=1,", "whole number"}, {"k_conv=1,1", "named twice"},
		{"margin=0,0.0", "named twice"}, {"margin=0:1", "LO:HI:K"}, {"margin=0:1:1", "LO:HI:K"}, {"margin=1:0:3", "LO:HI:K"}, {"margin=0:1:3:4", "LO:HI:K"},
		{"margin=0:5:3", "from -0.5 to 1"}, {"margin=a:1:3", "LO:HI:K"}, {"margin=0:1:9999", "LO:HI:K"}, {"locate=0:1:3", "strongest, center"},
		{"pre=-1,1", "from 0"}, {"pre=nan", "from 0"}, {"pre=1x", "from 0"}, {"method=lsdn,cnn-fixations", "is not tuned"}, {"target=predicted", "is not tuned"},
	};
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
		ck_assert_msg(strstr(values_of(WRONG[i].text), WRONG[i].message), "%s: %s", WRONG[i].text, values_of(WRONG[i].text));
}
END_TEST

/* Refusals, and that what is one setting is one arm. */
START_TEST(sizes_of_joint)
{
	struct parameter parameters[3];
	struct calibration c;
	struct error e;
	struct calibration_plan plan = {.images = 10, .parameters = parameters, .parameter_count = 3, .schedule = SCHEDULE_JOINT, .rules = BANDIT_DEFAULT};
	ck_assert_int_eq(parameter_parse(&parameters[0], "pre=0:1:32", &e), 0);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:32", &e), 0);
	ck_assert_int_eq(parameter_parse(&parameters[2], "suc=0.1:1:20", &e), 0);
	ck_assert_int_ne(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e), 0);
	ck_assert_msg(strstr(e.message, "20480 combinations") && strstr(e.message, "1000 different"), "%s", e.message);
	calibration_close(&c);
	parameter_free(&parameters[1]);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:31", &e), 0); /* 992 */
	ck_assert_msg(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e) == 0, "%s", e.message);
	ck_assert_int_eq(c.tunings[0].count, 992);
	calibration_close(&c);
	parameter_free(&parameters[1]);
	ck_assert_int_eq(parameter_parse(&parameters[1], "margin=0:1:1000", &e), 0);
	ck_assert_int_ne(calibration_open(&c, &plan, &CHOICES_DEFAULT, &e), 0);
	ck_assert_msg(strstr(e.message, "640000 combinations"), "%s", e.message);
	calibration_close(&c);
	for (int p = 0; p < 3; p++)
		parameter_free(&parameters[p]);
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
	tcase_add_test(cases, layers_are_a_plain_ascent);
	tcase_add_test(cases, values_of_parameters);
	tcase_add_test(cases, sizes_of_joint);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
