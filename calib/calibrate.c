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

double calibration_arm(const struct calibration_plan *plan, enum weight weight, int i)
{
	int step = weight == WEIGHT_PRE ? i : i + 1;
	if (plan->logarithmic)
		return plan->arms == 1 ? plan->low : plan->low * pow(plan->high / plan->low, (double)i / (plan->arms - 1));
	return plan->low + (plan->high - plan->low) * step / plan->arms;
}

/* The index of a policy, which is added where no equal one is there; the list has room. */
static int add_policy(struct calibration *c, const struct policy *p)
{
	for (int i = 0; i < c->policy_count; i++)
		if (policy_equal(&c->policies[i], p))
			return i;
	c->policies[c->policy_count] = *p;
	return c->policy_count++;
}

int calibration_open(struct calibration *c, const struct calibration_plan *plan, const struct policy *base, struct error *e)
{
	*c = (struct calibration){.plan = *plan};
	c->policies = calloc(WEIGHT_COUNT * MAX_ARMS + 3, sizeof *c->policies);
	if (!c->policies)
		return error_memory(e, "policies");
	struct policy ones = *base;
	ones.alpha = (struct alpha){1, 1, 1};
	c->row_policies[ROW_ONES] = add_policy(c, &ones);
	for (int w = 0; w < WEIGHT_COUNT; w++) {
		struct calibration_weight *weight = &c->weights[w];
		for (int i = 0; plan->tuned[w] && i < plan->arms; i++) {
			struct policy p = ones;
			weight->values[i] = calibration_arm(plan, (enum weight)w, i);
			*(w == WEIGHT_CUR ? &p.alpha.cur : w == WEIGHT_PRE ? &p.alpha.pre : &p.alpha.suc) = weight->values[i];
			weight->policies[i] = add_policy(c, &p);
			weight->identifiable = weight->identifiable || weight->policies[i] != weight->policies[0];
		}
	}
	c->arm_policy_count = c->policy_count;
	struct policy fixations = POLICY_CNN_FIXATIONS;
	fixations.top_n = base->top_n;
	c->row_policies[ROW_FIXATIONS] = add_policy(c, &fixations);
	return LSDN_OK;
}

static size_t count_usable(const struct calibration *c)
{
	size_t usable = 0;
	for (size_t i = 0; i < c->row_count; i++)
		usable += c->rows[i].usable;
	return usable;
}

/* Takes images in the shuffled order until `wanted` are usable; policies first.. of them are computed. */
static int take_images(struct calibration *c, struct reward_job *job, const uint32_t *order, size_t wanted, int count, struct error *e)
{
	for (size_t usable = count_usable(c); usable < wanted; usable = count_usable(c)) {
		size_t more = wanted - usable, from = c->row_count;
		if (from + more > job->source->count)
			more = job->source->count - from;
		if (!more)
			return error_set(e, LSDN_ERROR_INPUT, "%zu usable images are wanted (--images and --held-out), %zu of %zu are usable: name fewer, or mend "
				"those that were skipped", wanted, usable, job->source->count);
		for (size_t i = from; i < from + more; i++) {
			c->rows[i].index = order[i];
			c->rows[i].rewards = malloc((size_t)c->policy_count + 1);
			if (!c->rows[i].rewards)
				return error_memory(e, "rewards");
			memset(c->rows[i].rewards, REWARD_UNKNOWN, (size_t)c->policy_count + 1);
			c->row_count++;
		}
		int code = rewards_compute(job, c->rows + from, more, 0, count, e);
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
		int p = weight->policies[arm];
		if (row->rewards[p] == REWARD_UNKNOWN)
			code = rewards_compute(job, row, 1, p, 1, e);
		if (!code)
			bandit_reward(&weight->bandit, arm, row->rewards[p] == 1);
	}
	free(orders);
	weight->best = code ? 0 : bandit_answer(&weight->bandit);
	return code;
}

/* Makes sure that the rows' three policies are known on every image of a part. */
static int complete(const struct calibration *c, struct reward_job *job, struct reward_row **rows, size_t count, struct error *e)
{
	int code = LSDN_OK;
	for (int r = 0; r <= ROW_FIXATIONS && !code; r++) {
		int p = c->row_policies[r];
		size_t missing = 0;
		for (size_t i = 0; i < count; i++)
			missing += rows[i]->rewards[p] == REWARD_UNKNOWN;
		struct reward_row *part = missing ? calloc(missing, sizeof *part) : NULL;
		if (!missing)
			continue;
		if (!part)
			return error_memory(e, "rewards");
		for (size_t i = 0, n = 0; i < count; i++)
			if (rows[i]->rewards[p] == REWARD_UNKNOWN)
				part[n++] = *rows[i]; /* shares the row's rewards */
		progress_start(job->crew.progress, job->crew.progress->shown, "evaluating", missing);
		code = rewards_compute(job, part, missing, p, 1, e);
		progress_end(job->crew.progress);
		free(part);
	}
	return code;
}

static bool right(const struct calibration *c, const struct reward_row *row, enum row r)
{
	return r <= ROW_FIXATIONS ? row->rewards[c->row_policies[r]] == 1 : row->trivial[r - ROW_CENTER] == 1;
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
	c->tuned = c->policies[c->row_policies[ROW_ONES]];
	double *const alphas[] = {&c->tuned.alpha.cur, &c->tuned.alpha.pre, &c->tuned.alpha.suc};
	for (int w = 0; w < WEIGHT_COUNT; w++)
		if (c->plan.tuned[w])
			*alphas[w] = c->weights[w].values[c->weights[w].best];
	c->row_policies[ROW_TUNED] = add_policy(c, &c->tuned);
}

static int run_all(struct calibration *c, struct reward_job *job, const uint32_t *order, struct error *e)
{
	const struct calibration_plan *plan = &c->plan;
	bool sweep = !plan->rules.solver->stops && (!plan->trials || plan->trials >= (uint64_t)plan->images * (uint64_t)plan->arms);
	progress_start(job->crew.progress, job->crew.progress->shown, sweep ? "calibrating" : "checking images", plan->images);
	int code = take_images(c, job, order, plan->images, sweep ? c->policy_count : 0, e);
	progress_end(job->crew.progress);
	struct reward_row **rows = code ? NULL : usable_rows(c, plan->images);
	if (!code && !rows)
		code = error_memory(e, "rewards");
	for (int w = 0; w < WEIGHT_COUNT && !code; w++)
		if (plan->tuned[w]) {
			progress_start(job->crew.progress, job->crew.progress->shown && !sweep, WEIGHT_NAMES[w], (size_t)plan->trials);
			code = run_bandit(c, job, (enum weight)w, rows, e);
			progress_end(job->crew.progress);
		}
	if (!code) {
		set_tuned(c);
		job->policy_count = c->policy_count;
		code = complete(c, job, rows, plan->images, e);
	}
	if (!code)
		fill_table(c, rows, plan->images, &c->calibrated);
	free(rows);
	if (code || !plan->held_out)
		return code;
	size_t all = plan->images + plan->held_out;
	progress_start(job->crew.progress, job->crew.progress->shown, "checking held-out images", plan->held_out);
	code = take_images(c, job, order, all, 0, e);
	progress_end(job->crew.progress);
	rows = code ? NULL : usable_rows(c, all);
	if (!code && !rows)
		code = error_memory(e, "rewards");
	if (!code)
		code = complete(c, job, rows + plan->images, plan->held_out, e);
	if (!code)
		fill_table(c, rows + plan->images, plan->held_out, &c->held_out);
	free(rows);
	return code;
}

int calibration_run(struct calibration *c, struct reward_job *job, struct error *e)
{
	size_t count = job->source->count;
	job->policies = c->policies;
	job->policy_count = c->policy_count;
	uint32_t *order = malloc((count + 1) * sizeof *order);
	c->rows = calloc(count + 1, sizeof *c->rows);
	if (!order || !c->rows) {
		free(order);
		return error_memory(e, "rewards");
	}
	struct pcg rng;
	pcg_seed(&rng, c->plan.seed, STREAM_IMAGES);
	pcg_shuffle(&rng, order, count);
	int code = run_all(c, job, order, e);
	free(order);
	return code;
}

void calibration_close(struct calibration *c)
{
	reward_rows_free(c->rows, c->row_count);
	for (int w = 0; w < WEIGHT_COUNT; w++)
		bandit_done(&c->weights[w].bandit);
	free(c->policies);
	*c = (struct calibration){0};
}
