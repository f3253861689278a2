#include "config.h"

#include "calib/report.h"

#include <string.h>

#include "calib/evidence.h"

static bool is_weight(const struct tuning *s)
{
	return s->parameter && s->parameter->weight < WEIGHT_COUNT;
}

/* What a step is about, and what the rest was meanwhile. */
static void print_title(FILE *out, const struct calibration *c, const struct tuning *s)
{
	bool weight = is_weight(s);
	if (s->round)
		fprintf(out, "\n%s%s, round %d (all else at its best so far)\n", weight ? "alpha_" : "", s->name, s->round);
	else if (!s->parameter)
		fprintf(out, "\nAll combinations\n");
	else
		fprintf(out, "\n%s%s (%s)\n", weight ? "alpha_" : "", s->name,
			calibration_is_plain(c) ? "the other two at 1" : "weights at 1, other choices as they are set");
}

/* Which arms a paired test does not tell from the chosen one, and what learning cost. */
static void print_evidence(FILE *out, const struct tuning *s)
{
	uint64_t marks[TUNING_MOST_MARKS];
	double regret[TUNING_MOST_MARKS];
	int alike = -1, count = tuning_marks(s, marks);
	for (int i = 0; i < s->count; i++)
		alike += s->arms[i].alike;
	fprintf(out, "  Not told apart from the chosen one on the same images (McNemar's exact test, 5%%): %d of the %d others.\n", alike, s->count - 1);
	if (!s->swept) {
		fprintf(out, "  The regret is not known: not every arm was tried on every image.\n");
		return;
	}
	tuning_regret(s, marks, count, regret);
	fprintf(out, "  regret after");
	for (int i = 0; i < count; i++)
		fprintf(out, "  %8llu", (unsigned long long)marks[i]);
	fprintf(out, "  trials\n  %-12s", s->bandit.rules.solver->name);
	for (int i = 0; i < count; i++)
		fprintf(out, "  %8.1f", regret[i]);
	fprintf(out, "\n  %-12s", "in turn");
	for (int i = 0; i < count; i++)
		fprintf(out, "  %8.1f", tuning_regret_in_turn(s) * (double)marks[i]);
	fputc('\n', out);
}

static void print_step(FILE *out, const struct calibration *c, const struct tuning *s)
{
	int width = 8;
	for (int i = 0; i < s->count && !is_weight(s); i++)
		width = (int)strlen(s->arms[i].text) > width ? (int)strlen(s->arms[i].text) : width;
	print_title(out, c, s);
	fprintf(out, "  %*s   pulls    mean    95%% interval\n", width, "value");
	for (int i = 0; i < s->count; i++) {
		const struct bandit_arm *arm = &s->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		if (is_weight(s))
			fprintf(out, "  %8.4f", s->parameter->values[i].number);
		else
			fprintf(out, "  %*s", width, s->arms[i].text);
		fprintf(out, "  %6u  %6.3f  %6.3f %6.3f", arm->pulls, bandit_mean(arm), in.low, in.high);
		if (i == s->best)
			fprintf(out, "  <- chosen");
		else if (s->identifiable)
			fprintf(out, "  p = %.3g", s->arms[i].p);
		fputc('\n', out);
	}
	if (s->count > 1 && !s->identifiable && is_weight(s) && !s->ascends)
		fprintf(out, "  All arms are one policy: under suc_form = product this weight changes no selection. The lowest is reported.\n");
	else if (!s->identifiable && s->best != s->current)
		fprintf(out, "  There is no other setting to compare with.\n");
	else if (!s->identifiable)
		fprintf(out, "  All arms are one setting: what differs among them changes nothing here. It stays as it was.\n");
	else if (s->best < 0)
		fprintf(out, "  It stays as it was.\n");
	if (s->identifiable)
		print_evidence(out, s);
}

static void print_tuned(FILE *out, const struct calibration *c, const struct plan *network)
{
	const struct policy *p = &c->tuned.policy;
	fprintf(out, "\nalpha = (%.4f, %.4f, %.4f)  (cur, pre, suc)\n", p->alpha.cur, p->alpha.pre, p->alpha.suc);
	for (int i = 0; i < c->plan.parameter_count; i++) {
		const struct parameter *parameter = &c->plan.parameters[i];
		int value = parameter_value(parameter, &c->tuned);
		if (parameter->weight == WEIGHT_COUNT && value >= 0)
			fprintf(out, "%s = %s\n", parameter->name, parameter->values[value].text);
		else if (parameter->weight == WEIGHT_COUNT)
			fprintf(out, "%s as it was\n", parameter->name);
	}
	for (int i = 0; i < p->layer_count; i++)
		if (p->layers[i].own_alpha)
			fprintf(out, "%s (%.4f, %.4f, %.4f)\n", network->ops[i].name, p->layers[i].alpha.cur, p->layers[i].alpha.pre, p->layers[i].alpha.suc);
}

static void print_table(FILE *out, const struct calibration *c, const struct calibration_table *t, const char *title)
{
	fprintf(out, "\n%s (%zu images, IoU > 0.5 in percent)\n", title, t->images);
	for (int r = 0; r < c->rival_count; r++) {
		struct interval in = wilson_interval(t->hits[r], t->images);
		fprintf(out, "  %-18s %5.1f  [%4.1f, %4.1f]", c->rivals[r].name, 100 * (double)t->hits[r] / (double)t->images, 100 * in.low, 100 * in.high);
		if (r)
			fprintf(out, "  p = %.3g", t->p[r]);
		fputc('\n', out);
	}
}

/* One sentence on each rival. */
static void print_words(FILE *out, const struct calibration *c, const struct calibration_table *t, const char *where)
{
	for (int r = 1; r < c->rival_count; r++) {
		bool shown = t->p[r] < TUNING_LEVEL && t->sign[r] != 0;
		fprintf(out, "  %s, the %s are %s %s%s.\n", where, c->rivals[0].name, shown ? (t->sign[r] > 0 ? "better than" : "WORSE than") :
			"not shown to differ from", c->rivals[r].setting < 0 ? "the " : "", c->rivals[r].name);
	}
}

void report_verdict(const struct calibration *c, char text[REPORT_VERDICT])
{
	const struct rival *tuned = &c->rivals[0], *first = &c->rivals[c->first_rival];
	const struct calibration_table *t = c->held_out.images ? &c->held_out : &c->crossed;
	int r = c->first_rival;
	bool shown = t->p[r] < TUNING_LEVEL && t->sign[r] != 0;
	if (tuned->setting == first->setting)
		snprintf(text, REPORT_VERDICT, "The %s were not shown to be better than the %s: they are the same setting.", tuned->name, first->name);
	else if (!t->images)
		snprintf(text, REPORT_VERDICT, "The %s were not shown to be better than the %s: no photographs were held out to show it on (--held-out N).", tuned->name,
			first->name);
	else
		snprintf(text, REPORT_VERDICT, "The %s %s the %s: %.1f against %.1f percent of %zu %s photographs have IoU > 0.5, p = %.3g (McNemar's exact test, "
			"95%%).", tuned->name, !shown ? "were not shown to be better than" : t->sign[r] > 0 ? "were shown to be better than" :
			"were not shown to be better, but WORSE than", first->name, 100 * (double)t->hits[0] / (double)t->images,
			100 * (double)t->hits[r] / (double)t->images, t->images, t == &c->held_out ? "held-out" : "cross-validated", t->p[r]);
}

void report_print(FILE *out, const struct calibration *c, const struct reward_job *job)
{
	char verdict[REPORT_VERDICT];
	for (int i = 0; i < c->tuning_count; i++)
		print_step(out, c, &c->tunings[i]);
	print_tuned(out, c, &job->crew.net->plan);
	print_table(out, c, &c->calibrated, "On the photographs that the weights were tuned on");
	print_words(out, c, &c->calibrated, "On them");
	if (c->crossed.images) {
		print_table(out, c, &c->crossed, "Cross-validated: each photograph scored with what was tuned without its fold");
		print_words(out, c, &c->crossed, "Cross-validated");
	}
	if (c->held_out.images) {
		print_table(out, c, &c->held_out, "On held-out photographs, which no arm has seen");
		print_words(out, c, &c->held_out, "On held-out photographs");
	}
	const struct reward_costs *costs = &job->costs;
	double all = costs->read + costs->forward + costs->walk + costs->box;
	fprintf(out, "\n%llu forward passes, %d distinct settings, %llu rewards; seconds of all threads: read %.1f (%.1f%% of all: "
		"waiting for files), forward %.1f, walk %.1f, box %.1f\n",
		(unsigned long long)costs->forwards, c->matrix.count, (unsigned long long)costs->rewards, costs->read,
		all > 0 ? 100 * costs->waited / all : 0, costs->forward, costs->walk, costs->box);
	report_verdict(c, verdict);
	fprintf(out, "\n%s\n\n", verdict);
}

void report_skipped(FILE *out, const struct calibration *c)
{
	size_t skipped = 0;
	for (size_t i = 0; i < c->matrix.row_count; i++)
		skipped += c->matrix.rows[i].why != NULL;
	if (!skipped)
		return;
	fprintf(out, "%zu images were skipped:\n", skipped);
	for (size_t i = 0; i < c->matrix.row_count; i++)
		if (c->matrix.rows[i].why)
			fprintf(out, "  %s\n", c->matrix.rows[i].why);
}
