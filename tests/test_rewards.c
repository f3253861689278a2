/* Settings: which are one, what they share, and that the rewards of many at once are those of each alone. */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calib/batch.h"
#include "calib/rewards.h"
#include "core/embedded.h"
#include "core/trace/walk.h"
#include "tests/plain_reward.h"
#include "tests/random.h"
#include "tests/suite.h"

enum { IMAGES = 5, SETTINGS = 80, MOST_SETTINGS = 3000 };

static void choose(struct choices *c, const char *assignment)
{
	struct error e;
	ck_assert_msg(choices_assign(c, assignment, &e) == 0, "%s", e.message);
}

/* Few values of each, so that many settings share something. */
static struct choices random_setting(struct pcg *rng)
{
	static const char *const ASSIGNMENTS[] = {"view=center", "view=five", "target=annotated", "k_conv=2", "locate=center", "suc_form=power", "top_n=2",
		"scale=max", "radius=0.2", "share=0.2", "margin=0.05", "margin=-0", "blur=0.1", "method=cnn-fixations"};
	struct choices c = CHOICES_DEFAULT;
	for (size_t i = 0; i < sizeof ASSIGNMENTS / sizeof *ASSIGNMENTS; i++)
		if (!between(rng, 0, 5))
			choose(&c, ASSIGNMENTS[i]);
	if (c.policy.method == METHOD_LSDN)
		c.policy.alpha = (struct alpha){.cur = between(rng, 0, 3) / 3.0, .pre = between(rng, 0, 4) / 7.0, .suc = between(rng, 0, 2)};
	return c;
}

START_TEST(equal_settings_have_one_text)
{
	uint64_t seed = random_seed();
	struct pcg rng;
	pcg_seed(&rng, seed, 1);
	int equal = 0;
	for (int i = 0; i < 4000; i++) {
		struct choices a = random_setting(&rng), b = i % 2 ? random_setting(&rng) : a;
		if (i % 4 == 0) { /* a common factor, and the blur, which is for another box rule */
			b.policy.alpha.cur *= 0.7;
			b.policy.alpha.pre *= 0.7;
			b.box.blur = 0.5;
		}
		char *left = choices_text(&a), *right = choices_text(&b);
		ck_assert(left && right);
		ck_assert_msg(choices_equal(&a, &b) == (strcmp(left, right) == 0), "seed %llu case %d: %s | %s", (unsigned long long)seed, i, left, right);
		equal += choices_equal(&a, &b);
		free(left);
		free(right);
	}
	ck_assert_int_ge(equal, 2000);
	ck_assert_int_lt(equal, 2100);
}
END_TEST

START_TEST(text_by_hand)
{
	struct choices c = CHOICES_DEFAULT;
	c.policy.alpha = (struct alpha){0.5, 0.25, 0.05};
	char *text = choices_text(&c);
	ck_assert_ptr_nonnull(strstr(text, "cur=1 pre=0.5 suc=1 method=lsdn k_fc=all k_conv=1 "));
	ck_assert_ptr_null(strstr(text, "blur"));
	ck_assert_ptr_null(strstr(text, "operator"));
	free(text);
	struct layer_policy layers[3] = {{.k = K_SHARED}, {.k = 2}, {.own_alpha = true, .alpha = {1, 2, 1}, .k = K_SHARED}};
	c.policy.layers = layers;
	c.policy.layer_count = 3;
	text = choices_text(&c);
	ck_assert_ptr_nonnull(strstr(text, " operator1.k=2 operator2.cur=1 operator2.pre=2 operator2.suc=1"));
	free(text);
	choose(&c, "suc_form=power");
	text = choices_text(&c);
	ck_assert_ptr_nonnull(strstr(text, "cur=1 pre=0.5 suc=0.05 "));
	free(text);
}
END_TEST

/* Every setting is in one walk, with its own policy there; what can be shared is. */
static void check_batch(const struct batch *b, const struct choices *settings)
{
	bool *seen = calloc(MOST_SETTINGS, sizeof *seen);
	for (int w = 0; w < b->walk_count; w++) {
		const struct batch_walk *walk = &b->walks[w];
		ck_assert(walk->policy_count >= 1 && walk->policy_count <= WALK_MAX_POLICIES);
		const struct choices *first = b->entries[walk->from].setting;
		for (int i = walk->from; i < walk->to; i++) {
			const struct batch_entry *entry = &b->entries[i];
			ck_assert(entry->setting == &settings[entry->wanted] && !seen[entry->wanted] && entry->policy < walk->policy_count);
			seen[entry->wanted] = true;
			ck_assert(policy_equal(&walk->policies[entry->policy], &entry->setting->policy));
			ck_assert(entry->setting->view == first->view && entry->setting->target == first->target);
		}
		for (int p = 0; p < walk->policy_count; p++) {
			ck_assert(policy_same_choices(&walk->policies[p], &walk->policies[0]));
			for (int q = 0; q < p; q++)
				ck_assert(!policy_equal(&walk->policies[p], &walk->policies[q]));
		}
		ck_assert_int_eq(walk->feeds, !w || b->entries[walk->from - 1].setting->view != first->view);
		for (int v = 0; v < w; v++) {
			const struct choices *other = b->entries[b->walks[v].from].setting;
			ck_assert(!walk->feeds || other->view != first->view);
			ck_assert(other->view != first->view || other->target != first->target || !policy_same_choices(&other->policy, &first->policy)
				|| b->walks[v].policy_count == WALK_MAX_POLICIES);
		}
	}
	free(seen);
}

START_TEST(random_batches)
{
	uint64_t seed = random_seed();
	struct choices settings[SETTINGS];
	int wanted[SETTINGS];
	for (uint64_t round = 0; round < 200; round++) {
		struct pcg rng;
		struct batch b;
		struct error e;
		int count = 0;
		pcg_seed(&rng, seed, 100 + round);
		for (int i = 0; i < SETTINGS; i++) {
			settings[i] = random_setting(&rng);
			if (between(&rng, 0, 2))
				wanted[count++] = i;
		}
		ck_assert_int_eq(batch_open(&b, settings, wanted, count, &e), 0);
		int entries = 0;
		for (int w = 0; w < b.walk_count; w++)
			entries += b.walks[w].to - b.walks[w].from;
		ck_assert_msg(entries == count, "seed %llu round %llu", (unsigned long long)seed, (unsigned long long)round);
		check_batch(&b, settings);
		batch_close(&b);
	}
}
END_TEST

/* 1500 ratios under two box rules are two walks. */
START_TEST(more_policies_than_a_walk_takes)
{
	struct choices *settings = calloc(MOST_SETTINGS, sizeof *settings);
	int *wanted = calloc(MOST_SETTINGS, sizeof *wanted);
	struct batch b;
	struct error e;
	for (int i = 0; i < MOST_SETTINGS; i++) {
		settings[i] = CHOICES_DEFAULT;
		settings[i].policy.alpha.pre = (i / 2) / 1500.0;
		settings[i].box.margin = i % 2 ? 0.1 : 0;
		wanted[i] = i;
	}
	ck_assert_int_eq(batch_open(&b, settings, wanted, MOST_SETTINGS, &e), 0);
	ck_assert_int_eq(b.walk_count, 2);
	ck_assert_int_eq(b.walks[0].policy_count + b.walks[1].policy_count, 1500);
	check_batch(&b, settings);
	batch_close(&b);
	free(settings);
	free(wanted);
}
END_TEST

START_TEST(many_settings_at_once)
{
	uint64_t seed = random_seed();
	struct net net;
	struct error e;
	struct progress progress = {0};
	static const volatile sig_atomic_t never = 0;
	struct explainer x;
	struct choices settings[SETTINGS];
	int wanted[SETTINGS], right = 0;
	struct pcg rng;
	pcg_seed(&rng, seed, 2);
	for (int i = 0; i < SETTINGS; i++) {
		settings[i] = random_setting(&rng);
		wanted[i] = i;
	}
	ck_assert_msg(net_open_bytes(&net, EMBEDDED_ONNX, EMBEDDED_ONNX_SIZE, "embedded", (const char *)EMBEDDED_CFG, (const char *)EMBEDDED_LABELS, &e) == 0,
		"%s", e.message);
	struct packed_weights *packed = packed_weights_open(&net.plan, &e);
	struct source source = {.seed = seed, .count = IMAGES};
	struct reward_job job = {.source = &source, .settings = settings, .labelled = true};
	ck_assert_int_eq(crew_open(&job.crew, &net, packed, 2, &progress, &never, &e), 0);
	ck_assert_int_eq(explainer_open(&x, &net, packed, 1, &e), 0);
	struct reward_row rows[IMAGES] = {{0}};
	for (uint32_t i = 0; i < IMAGES; i++) {
		rows[i].index = i;
		rows[i].rewards = malloc(SETTINGS);
		memset(rows[i].rewards, REWARD_UNKNOWN, SETTINGS);
	}
	ck_assert_msg(rewards_compute(&job, rows, IMAGES, wanted, SETTINGS, &e) == 0, "%s", e.message);
	ck_assert_uint_eq(job.costs.forwards, IMAGES * (1 + 1 + VIEW_MOST_CROPS)); /* once for every view */
	for (uint32_t i = 0; i < IMAGES; i++)
		for (int s = 0; s < SETTINGS; s++) {
			char *text = choices_text(&settings[s]);
			ck_assert_msg(rows[i].rewards[s] == plain_reward(&x, &settings[s], &source, i), "seed %llu image %u: %s", (unsigned long long)seed, i, text);
			right += rows[i].rewards[s];
			free(text);
		}
	ck_assert(right > 0 && right < IMAGES * SETTINGS);
	for (int i = 0; i < IMAGES; i++)
		free(rows[i].rewards);
	explainer_close(&x);
	crew_close(&job.crew);
	packed_weights_close(packed);
	net_close(&net);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rewards");
	TCase *cases = tcase_create("rewards");
	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, equal_settings_have_one_text);
	tcase_add_test(cases, text_by_hand);
	tcase_add_test(cases, random_batches);
	tcase_add_test(cases, more_policies_than_a_walk_takes);
	tcase_add_test(cases, many_settings_at_once);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
