/* --per-layer: on a few images, the weights of groups of layers are those of a plain ascent, and the weights file gives them back. */
#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "core/weights_file.h"
#include "tests/calibration_bench.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { CASES = 6, GROUPS = 3, ROUNDS = 2, TRIPLES = 4, MOST_OPS = 100 };

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
	unlink(path);
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

int main(void)
{
	Suite *suite = suite_create("layers");
	TCase *cases = tcase_create("layers");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, layers_are_a_plain_ascent);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
