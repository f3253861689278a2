#include "config.h"

#include "calib/report.h"

#include <stdlib.h>

#include "calib/evidence.h"
#include "core/output.h"
#include "core/weights_file.h"

static void write_regret(FILE *f, const struct tuning *s)
{
	uint64_t marks[TUNING_MOST_MARKS];
	double regret[TUNING_MOST_MARKS];
	int count = tuning_marks(s, marks);
	tuning_regret(s, marks, count, regret);
	fprintf(f, " regret = ( ");
	for (int i = 0; i < count; i++)
		fprintf(f, "{ trials = %llu; regret = %.6f; in_turn = %.6f; }%s", (unsigned long long)marks[i], regret[i],
			tuning_regret_in_turn(s) * (double)marks[i], i + 1 < count ? ", " : " );");
}

static void write_arms(FILE *f, const struct tuning *s, bool numbers)
{
	fprintf(f, "arms = (\n");
	for (int i = 0; i < s->count; i++) {
		const struct bandit_arm *arm = &s->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		fprintf(f, "      { value = ");
		if (numbers)
			fprintf(f, "%.6f", s->parameter->values[i].number);
		else
			weights_file_write_string(f, s->arms[i].text);
		fprintf(f, "; pulls = %u; mean = %.6f; low = %.6f; high = %.6f; shared = %u; p = %.6g; }%s\n", arm->pulls, bandit_mean(arm), in.low, in.high,
			s->arms[i].shared, s->arms[i].p < 1e-99 ? 0.0 : s->arms[i].p, i + 1 < s->count ? "," : "");
	}
	fprintf(f, "    ); alike = [");
	for (int i = 0, listed = 0; i < s->count; i++)
		if (s->arms[i].alike)
			fprintf(f, "%s%d", listed++ ? ", " : " ", i);
	fprintf(f, " ];");
	if (s->swept && s->identifiable)
		write_regret(f, s);
	fprintf(f, " }");
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

/* The steps of weights that are tuned by themselves. */
static void write_weights(FILE *f, const struct calibration *c)
{
	fprintf(f, "  weights = (\n");
	for (int i = 0; i < c->shared_tunings; i++) {
		const struct tuning *s = &c->tunings[i];
		fprintf(f, "    { name = \"%s\"; identifiable = %s; best = %d; ", s->name, truth(s->identifiable), s->best);
		write_arms(f, s, true);
		fprintf(f, "%s\n", i + 1 < c->shared_tunings ? "," : "");
	}
	fprintf(f, "  );\n");
}

/* All others, in the order in which they were taken; best is -1 where it stayed what it was, though that is no arm. */
static void write_steps(FILE *f, const struct calibration *c, int from)
{
	fprintf(f, "  steps = (\n");
	for (int i = from; i < c->tuning_count; i++) {
		const struct tuning *s = &c->tunings[i];
		fprintf(f, "    { name = ");
		weights_file_write_string(f, s->name);
		if (s->round)
			fprintf(f, "; round = %d", s->round);
		fprintf(f, "; trials = %llu; identifiable = %s; best = %d; ", (unsigned long long)s->trials, truth(s->identifiable), s->best);
		write_arms(f, s, false);
		fprintf(f, "%s\n", i + 1 < c->tuning_count ? "," : "");
	}
	fprintf(f, "  );\n");
}

static void write_table(FILE *f, const struct calibration *c, const char *key, const struct calibration_table *t)
{
	fprintf(f, "  %s = (\n", key);
	for (int r = 0; r < c->rival_count; r++) {
		struct interval in = wilson_interval(t->hits[r], t->images);
		fprintf(f, "    { row = \"%s\"; images = %zu; hits = %llu; share = %.6f; low = %.6f; high = %.6f; p = %.6g; }%s\n", c->rivals[r].name, t->images,
			(unsigned long long)t->hits[r], (double)t->hits[r] / (double)t->images, in.low, in.high, t->p[r] < 1e-99 ? 0.0 : t->p[r],
			r + 1 < c->rival_count ? "," : "");
	}
	fprintf(f, "  );\n");
}

/* What was tuned without each fold. */
static int write_folds(FILE *f, const struct calibration *c, struct error *e)
{
	fprintf(f, "  folds = (\n");
	for (int fold = 0; fold < c->plan.folds; fold++) {
		char *text = choices_text(&c->matrix.settings[c->fold_settings[fold]]);
		if (!text)
			return error_memory(e, "settings");
		fprintf(f, "    ");
		weights_file_write_string(f, text);
		fprintf(f, "%s\n", fold + 1 < c->plan.folds ? "," : "");
		free(text);
	}
	fprintf(f, "  );\n");
	return LSDN_OK;
}

/* Names of the usable images from the `from`-th to before the `to`-th. */
static void write_names(FILE *f, const char *key, const struct calibration *c, const struct source *source, size_t from, size_t to)
{
	char buffer[32];
	size_t usable = 0;
	fprintf(f, "  %s = [", key);
	for (size_t i = 0; i < c->matrix.row_count; i++) {
		const struct reward_row *row = &c->matrix.rows[i];
		if (!row->usable)
			continue;
		if (usable >= from && usable < to) {
			fputs(usable == from ? "\n    " : ",\n    ", f);
			weights_file_write_string(f, source_name(source, row->index, buffer));
		}
		usable++;
	}
	fputs(" ];\n", f);
}

/* What was tuned, on which values, from what and to what. */
static void write_tuned(FILE *f, const struct calibration *c)
{
	const struct calibration_plan *plan = &c->plan;
	fprintf(f, "  tuned = (\n");
	for (int p = 0; p < plan->parameter_count; p++) {
		const struct parameter *parameter = &plan->parameters[p];
		char text[CHOICE_TEXT];
		fprintf(f, "    { choice = \"%s\"; values = [", parameter->name);
		for (int i = 0; i < parameter->count; i++)
			fprintf(f, "%s\"%s\"", i ? ", " : " ", parameter->values[i].text);
		parameter_get(parameter, &c->base, text);
		fprintf(f, " ]; first = \"%s\"; ", text);
		parameter_get(parameter, &c->shared, text);
		fprintf(f, "tuned = \"%s\"; }%s\n", text, p + 1 < plan->parameter_count ? "," : "");
	}
	fprintf(f, "  );\n");
}

/* How it was tuned. */
static void write_plan(FILE *f, const struct calibration *c)
{
	const struct calibration_plan *plan = &c->plan;
	fprintf(f, "  seed = %llu;\n  images = %zu;\n  solver = \"%s\";\n  schedule = \"%s\";\n", (unsigned long long)plan->seed, plan->images,
		plan->rules.solver->name, SCHEDULE_NAMES[plan->schedule]);
	if (plan->schedule == SCHEDULE_COORDINATE || plan->per_layer)
		fprintf(f, "  rounds = %d;\n", plan->rounds);
	if (plan->per_layer)
		fprintf(f, "  groups = %d;\n", c->layers.count);
	if (calibration_is_plain(c))
		fprintf(f, "  spacing = \"%s\";\n  trials = %llu;\n", plan->logarithmic ? "log" : "linear", (unsigned long long)c->tunings[0].trials);
	if (plan->rules.solver == bandit_solver("agrawal"))
		fprintf(f, "  factor = %.6f;\n", plan->rules.factor);
	if (plan->rules.solver == bandit_solver("race"))
		fprintf(f, "  delta = %.9g;\n", plan->rules.delta);
}

int report_write(const char *path, const struct calibration *c, const struct reward_job *job, struct error *e)
{
	struct output out;
	char verdict[REPORT_VERDICT];
	int code = output_open(&out, path, e), from = calibration_is_plain(c) ? c->shared_tunings : 0;
	if (code)
		return code;
	FILE *f = out.file;
	fprintf(f, "# Written by lsdn-calibrate (%s); lsdn-explain --weights loads it.\n", PACKAGE_STRING);
	weights_file_write_head(f, job->crew.net, &c->tuned);
	report_verdict(c, verdict);
	fprintf(f, "evidence = {\n  verdict = ");
	weights_file_write_string(f, verdict);
	fprintf(f, ";\n");
	write_plan(f, c);
	write_tuned(f, c);
	if (from)
		write_weights(f, c);
	if (from < c->tuning_count)
		write_steps(f, c, from);
	write_table(f, c, "rows", &c->calibrated);
	if (c->crossed.images) {
		write_table(f, c, "cross_validated", &c->crossed);
		code = write_folds(f, c, e);
	}
	if (c->held_out.images)
		write_table(f, c, "held_out", &c->held_out);
	write_names(f, "calibration_images", c, job->source, 0, c->plan.images);
	if (c->held_out.images)
		write_names(f, "held_out_images", c, job->source, c->plan.images, c->plan.images + c->plan.held_out);
	fprintf(f, "};\n");
	if (code)
		output_abandon(&out);
	return code ? code : output_close(&out, e);
}
