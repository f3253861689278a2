#include "config.h"

#include "calib/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bandit/pcg.h"
#include "calib/evidence.h"

const char *const WEIGHT_NAMES[WEIGHT_COUNT] = {"cur", "pre", "suc"};
const char *const ROW_NAMES[ROW_COUNT] = {"tuned weights", "weights (1, 1, 1)", "CNN-Fixations", "centre box", "whole photograph"};

/* Streams of the generator of chance: 0 shuffles the images, the others each arm's order, and the last are the solvers'. */
enum { STREAM_IMAGES = 0, STREAM_ARMS = 1, STREAM_SOLVERS = STREAM_ARMS + WEIGHT_COUNT * MAX_ARMS };

/* More triples cost more than a second forward pass over the images. */
enum { MOST_TRIPLES = 400 };

double calibration_arm(const struct calibration_plan *plan, enum weight weight, int i)
{
	int step = weight == WEIGHT_PRE ? i : i + 1;
	if (plan->logarithmic)
		return plan->arms == 1 ? plan->low : plan->low * pow(plan->high / plan->low, (double)i / (plan->arms - 1));
	return plan->low + (plan->high - plan->low) * step / plan->arms;
}

static int find_setting(const struct calibration *c, const struct choices *s)
{
	int i = 0;
	while (i < c->setting_count && !choices_equal(&c->settings[i], s))
		i++;
	return i;
}

/* The index of a setting, which is added where no equal one is there; the list has room. */
static int add_setting(struct calibration *c, const struct choices *s)
{
	int i = find_setting(c, s);
	if (i == c->setting_count)
		c->settings[c->setting_count++] = *s;
	return i;
}

static bool is_sweep(const struct calibration_plan *plan)
{
	return !plan->rules.solver->stops && (!plan->trials || plan->trials >= (uint64_t)plan->images * (uint64_t)plan->arms);
}

static double *alpha_of(struct choices *s, int w)
{
	struct alpha *alpha = &s->policy.alpha;
	return w == WEIGHT_CUR ? &alpha->cur : w == WEIGHT_PRE ? &alpha->pre : &alpha->suc;
}

/* The setting whose weights are arms chosen[w]; those that are not tuned stay at 1. */
static struct choices triple(const struct calibration *c, const struct choices *ones, const int chosen[WEIGHT_COUNT])
{
	struct choices s = *ones;
	for (int w = 0; w < WEIGHT_COUNT; w++)
		if (c->plan.tuned[w])
			*alpha_of(&s, w) = c->weights[w].values[chosen[w]];
	return s;
}

/* Each weight's arms, the other weights at 1. */
static void add_arms(struct calibration *c, const struct choices *ones)
{
	for (int w = 0; w < WEIGHT_COUNT; w++) {
		struct calibration_weight *weight = &c->weights[w];
		for (int i = 0; c->plan.tuned[w] && i < c->plan.arms; i++) {
			struct choices s = *ones;
			weight->values[i] = calibration_arm(&c->plan, (enum weight)w, i);
			*alpha_of(&s, w) = weight->values[i];
			weight->settings[i] = add_setting(c, &s);
			weight->identifiable = weight->identifiable || weight->settings[i] != weight->settings[0];
		}
	}
}

/* All triples that the bandits can end in, so that the tuned one is among the settings of the only pass over the images; none where they are many: then
 * a second pass is cheaper. Where all arms of a weight are one setting, the answer is the first. */
static void add_triples(struct calibration *c, const struct choices *ones)
{
	int before = c->setting_count, counts[WEIGHT_COUNT], chosen[WEIGHT_COUNT];
	for (int w = 0; w < WEIGHT_COUNT; w++)
		counts[w] = c->weights[w].identifiable ? c->plan.arms : 1;
	for (chosen[0] = 0; chosen[0] < counts[0]; chosen[0]++)
		for (chosen[1] = 0; chosen[1] < counts[1]; chosen[1]++)
			for (chosen[2] = 0; chosen[2] < counts[2]; chosen[2]++) {
				struct choices s = triple(c, ones, chosen);
				add_setting(c, &s);
				if (c->setting_count > before + MOST_TRIPLES) {
					c->setting_count = before;
					return;
				}
			}
}

/* By alpha_pre / alpha_cur: neighbours select alike, so that they often share their points. */
static int by_ratio(const void *left, const void *right)
{
	const struct alpha *a = &((const struct choices *)left)->policy.alpha, *b = &((const struct choices *)right)->policy.alpha;
	double first = a->pre * b->cur, second = b->pre * a->cur;
	return first != second ? (first > second) - (first < second) : (a->suc > b->suc) - (a->suc < b->suc);
}

int calibration_open(struct calibration *c, const struct calibration_plan *plan, const struct choices *base, struct error *e)
{
	*c = (struct calibration){.plan = *plan};
	c->settings = calloc(WEIGHT_COUNT * MAX_ARMS + MOST_TRIPLES + 4, sizeof *c->settings);
	if (!c->settings)
		return error_memory(e, "settings");
	struct choices ones = *base, fixations = *base;
	ones.policy.alpha = (struct alpha){1, 1, 1};
	add_setting(c, &ones);
	add_arms(c, &ones);
	if (is_sweep(plan))
		add_triples(c, &ones);
	qsort(c->settings, (size_t)c->setting_count, sizeof *c->settings, by_ratio);
	add_arms(c, &ones);
	c->row_settings[ROW_ONES] = find_setting(c, &ones);
	fixations.policy = POLICY_CNN_FIXATIONS;
	fixations.policy.top_n = base->policy.top_n;
	c->row_settings[ROW_FIXATIONS] = add_setting(c, &fixations);
	return LSDN_OK;
}

static size_t count_usable(const struct calibration *c)
{
	size_t usable = 0;
	for (size_t i = 0; i < c->row_count; i++)
		usable += c->rows[i].usable;
	return usable;
}

/* Takes images in the shuffled order until `images` are usable; the settings that `wanted` names are computed. */
static int take_images(struct calibration *c, struct reward_job *job, const uint32_t *order, size_t images, const int *wanted, int count,
	struct error *e)
{
	for (size_t usable = count_usable(c); usable < images; usable = count_usable(c)) {
		size_t more = images - usable, from = c->row_count;
		if (from + more > job->source->count)
			more = job->source->count - from;
		if (!more)
			return error_set(e, LSDN_ERROR_INPUT, "%zu usable images are wanted (--images and --held-out), %zu of %zu are usable: name fewer, or mend "
				"those that were skipped", images, usable, job->source->count);
		for (size_t i = from; i < from + more; i++) {
			c->rows[i].index = order[i];
			c->rows[i].rewards = malloc((size_t)c->setting_count + 1);
			if (!c->rows[i].rewards)
				return error_memory(e, "rewards");
			memset(c->rows[i].rewards, REWARD_UNKNOWN, (size_t)c->setting_count + 1);
			c->row_count++;
		}
		int code = rewards_compute(job, c->rows + from, more, wanted, count, e);
		if (code)
			return code;
	}
	return LSDN_OK;
}

/* The n-th usable row. */
static struct reward_row **usable_rows(const struct calibration *c, size_t count)
{
	struct reward_row **usable = malloc((count + 1) * sizeof(struct reward_row *));
	size_t n = 0;
	for (size_t i = 0; usable && i < c->row_count && n < count; i++)
		if (c->rows[i].usable)
			usable[n++] = &c->rows[i];
	return usable;
}

/* One weight's bandit: an arm's rewards come in the arm's own shuffled order of the images. */
static int run_bandit(struct calibration *c, struct reward_job *job, enum weight w, struct reward_row **rows, struct error *e)
{
	struct calibration_weight *weight = &c->weights[w];
	size_t images = c->plan.images, arms = (size_t)c->plan.arms;
	uint64_t trials = c->plan.trials ? c->plan.trials : (uint64_t)images * arms;
	uint32_t *orders = malloc(arms * images * sizeof *orders);
	struct bandit_rules rules = c->plan.rules;
	int code = LSDN_OK, arm;
	rules.seed = c->plan.seed;
	rules.stream = STREAM_SOLVERS + (uint64_t)w;
	if (!orders || !bandit_init(&weight->bandit, &rules, c->plan.arms, (uint32_t)images)) {
		free(orders);
		return error_memory(e, "a bandit");
	}
	for (size_t a = 0; a < arms; a++) {
		struct pcg rng;
		pcg_seed(&rng, c->plan.seed, STREAM_ARMS + (uint64_t)w * MAX_ARMS + a);
		pcg_shuffle(&rng, orders + a * images, images);
	}
	while (!code && weight->bandit.trials < trials && (arm = bandit_next(&weight->bandit)) >= 0) {
		struct reward_row *row = rows[orders[(size_t)arm * images + weight->bandit.arms[arm].pulls]];
		int s = weight->settings[arm];
		if (row->rewards[s] == REWARD_UNKNOWN)
			code = rewards_compute(job, row, 1, &s, 1, e);
		if (!code)
			bandit_reward(&weight->bandit, arm, row->rewards[s] == 1);
	}
	free(orders);
	weight->best = code ? 0 : bandit_answer(&weight->bandit);
	return code;
}

/* Makes sure that the rows' three settings are known on every image. */
static int complete(struct calibration *c, struct reward_job *job, struct error *e)
{
	size_t missing = 0;
	for (size_t i = 0; i < c->row_count; i++)
		missing += reward_row_lacks(&c->rows[i], c->row_settings, ROW_CENTER);
	if (!missing)
		return LSDN_OK;
	progress_start(job->crew.progress, job->crew.progress->shown, "evaluating", c->row_count);
	int code = rewards_compute(job, c->rows, c->row_count, c->row_settings, ROW_CENTER, e);
	progress_end(job->crew.progress);
	return code;
}

static bool right(const struct calibration *c, const struct reward_row *row, enum row r)
{
	return r <= ROW_FIXATIONS ? row->rewards[c->row_settings[r]] == 1 : row->trivial[r - ROW_CENTER] == 1;
}

static void fill_table(const struct calibration *c, struct reward_row **rows, size_t count, struct calibration_table *table)
{
	*table = (struct calibration_table){.images = count};
	for (enum row r = 0; r < ROW_COUNT; r++) {
		uint64_t tuned_only = 0, other_only = 0;
		for (size_t i = 0; i < count; i++) {
			bool tuned = right(c, rows[i], ROW_TUNED), other = right(c, rows[i], r);
			table->hits[r] += other;
			tuned_only += tuned && !other;
			other_only += other && !tuned;
		}
		table->p[r] = mcnemar_exact(tuned_only, other_only);
		table->sign[r] = (tuned_only > other_only) - (tuned_only < other_only);
	}
}

static void set_tuned(struct calibration *c)
{
	int chosen[WEIGHT_COUNT];
	for (int w = 0; w < WEIGHT_COUNT; w++)
		chosen[w] = c->weights[w].best;
	c->tuned = triple(c, &c->settings[c->row_settings[ROW_ONES]], chosen);
	c->row_settings[ROW_TUNED] = add_setting(c, &c->tuned);
}

/* Runs the bandits on the first images, and scores what they chose there. */
static int learn(struct calibration *c, struct reward_job *job, struct reward_row **rows, struct error *e)
{
	const struct calibration_plan *plan = &c->plan;
	int code = LSDN_OK;
	for (int w = 0; w < WEIGHT_COUNT && !code; w++)
		if (plan->tuned[w]) {
			progress_start(job->crew.progress, job->crew.progress->shown && !is_sweep(plan), WEIGHT_NAMES[w], (size_t)plan->trials);
			code = run_bandit(c, job, (enum weight)w, rows, e);
			progress_end(job->crew.progress);
		}
	if (code)
		return code;
	set_tuned(c);
	code = complete(c, job, e);
	if (!code)
		fill_table(c, rows, plan->images, &c->calibrated);
	return code;
}

static int run_all(struct calibration *c, struct reward_job *job, const uint32_t *order, const int *all, struct error *e)
{
	const struct calibration_plan *plan = &c->plan;
	bool sweep = is_sweep(plan);
	progress_start(job->crew.progress, job->crew.progress->shown, sweep ? "calibrating" : "checking images", plan->images);
	int code = take_images(c, job, order, plan->images, all, sweep ? c->setting_count : 0, e);
	progress_end(job->crew.progress);
	struct reward_row **rows = code ? NULL : usable_rows(c, plan->images);
	if (!code)
		code = rows ? learn(c, job, rows, e) : error_memory(e, "rewards");
	free(rows);
	if (code || !plan->held_out)
		return code;
	progress_start(job->crew.progress, job->crew.progress->shown, "scoring held-out images", plan->held_out);
	code = take_images(c, job, order, plan->images + plan->held_out, c->row_settings, ROW_CENTER, e);
	progress_end(job->crew.progress);
	rows = code ? NULL : usable_rows(c, plan->images + plan->held_out);
	if (!code && !rows)
		code = error_memory(e, "rewards");
	if (!code)
		fill_table(c, rows + plan->images, plan->held_out, &c->held_out);
	free(rows);
	return code;
}

int calibration_run(struct calibration *c, struct reward_job *job, struct error *e)
{
	size_t count = job->source->count;
	job->settings = c->settings;
	job->labelled = c->settings[0].target == TARGET_ANNOTATED;
	uint32_t *order = malloc((count + 1) * sizeof *order);
	int *all = malloc((size_t)c->setting_count * sizeof *all);
	c->rows = calloc(count + 1, sizeof *c->rows);
	if (!order || !all || !c->rows) {
		free(order);
		free(all);
		return error_memory(e, "rewards");
	}
	for (int i = 0; i < c->setting_count; i++)
		all[i] = i;
	struct pcg rng;
	pcg_seed(&rng, c->plan.seed, STREAM_IMAGES);
	pcg_shuffle(&rng, order, count);
	int code = run_all(c, job, order, all, e);
	free(order);
	free(all);
	return code;
}

void calibration_close(struct calibration *c)
{
	reward_rows_free(c->rows, c->row_count);
	for (int w = 0; w < WEIGHT_COUNT; w++)
		bandit_done(&c->weights[w].bandit);
	free(c->settings);
	*c = (struct calibration){0};
}
