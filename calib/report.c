#include "config.h"

#include "calib/report.h"

#include "calib/evidence.h"
#include "core/output.h"
#include "core/weights_file.h"

static const double LEVEL = 0.05;

static void print_weight(FILE *out, const struct calibration *c, enum weight w)
{
	const struct calibration_weight *weight = &c->weights[w];
	fprintf(out, "\nalpha_%s (the other two at 1)\n     value   pulls    mean    95%% interval\n", WEIGHT_NAMES[w]);
	for (int i = 0; i < c->plan.arms; i++) {
		const struct bandit_arm *arm = &weight->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		fprintf(out, "  %8.4f  %6u  %6.3f  %6.3f %6.3f%s\n", weight->values[i], arm->pulls, bandit_mean(arm), in.low, in.high,
			i == weight->best ? "  <- chosen" : "");
	}
	if (!weight->identifiable)
		fprintf(out, "  All arms are one policy: under suc_form = product this weight changes no selection. The lowest is reported.\n");
}

static void print_table(FILE *out, const struct calibration_table *t, const char *title)
{
	fprintf(out, "\n%s (%zu images, IoU > 0.5 in percent)\n", title, t->images);
	for (enum row r = 0; r < ROW_COUNT; r++) {
		struct interval in = wilson_interval(t->hits[r], t->images);
		fprintf(out, "  %-18s %5.1f  [%4.1f, %4.1f]", ROW_NAMES[r], 100 * (double)t->hits[r] / (double)t->images, 100 * in.low, 100 * in.high);
		if (r != ROW_TUNED)
			fprintf(out, "  p = %.3g", t->p[r]);
		fputc('\n', out);
	}
}

/* One sentence on each rival. */
static void print_words(FILE *out, const struct calibration_table *t, const char *where)
{
	for (enum row r = ROW_ONES; r < ROW_COUNT; r++) {
		bool shown = t->p[r] < LEVEL && t->sign[r] != 0;
		fprintf(out, "  %s, the tuned weights are %s %s%s.\n", where, shown ? (t->sign[r] > 0 ? "better than" : "WORSE than") : "not shown to differ from",
			r >= ROW_CENTER ? "the " : "", ROW_NAMES[r]);
	}
}

void report_print(FILE *out, const struct calibration *c, const struct reward_job *job)
{
	for (int w = 0; w < WEIGHT_COUNT; w++)
		if (c->plan.tuned[w])
			print_weight(out, c, (enum weight)w);
	fprintf(out, "\nalpha = (%.4f, %.4f, %.4f)  (cur, pre, suc)\n", c->tuned.policy.alpha.cur, c->tuned.policy.alpha.pre, c->tuned.policy.alpha.suc);
	print_table(out, &c->calibrated, "On the photographs that the weights were tuned on");
	print_words(out, &c->calibrated, "On them");
	if (c->held_out.images) {
		print_table(out, &c->held_out, "On held-out photographs, which no arm has seen");
		print_words(out, &c->held_out, "On held-out photographs");
	}
	const struct reward_costs *costs = &job->costs;
	double all = costs->read + costs->forward + costs->walk + costs->box;
	fprintf(out, "\n%llu forward passes, %d distinct settings, %llu rewards; seconds of all threads: read %.1f (%.1f%% of all: "
		"waiting for files), forward %.1f, walk %.1f, box %.1f\n",
		(unsigned long long)costs->forwards, c->setting_count, (unsigned long long)costs->rewards, costs->read,
		all > 0 ? 100 * costs->waited / all : 0, costs->forward, costs->walk, costs->box);
}

void report_skipped(FILE *out, const struct calibration *c)
{
	size_t skipped = 0;
	for (size_t i = 0; i < c->row_count; i++)
		skipped += c->rows[i].why != NULL;
	if (!skipped)
		return;
	fprintf(out, "%zu images were skipped:\n", skipped);
	for (size_t i = 0; i < c->row_count; i++)
		if (c->rows[i].why)
			fprintf(out, "  %s\n", c->rows[i].why);
}

static void write_weight(FILE *f, const struct calibration *c, enum weight w, const char *separator)
{
	const struct calibration_weight *weight = &c->weights[w];
	fprintf(f, "    { name = \"%s\"; identifiable = %s; best = %d; arms = (\n", WEIGHT_NAMES[w], weight->identifiable ? "true" : "false", weight->best);
	for (int i = 0; i < c->plan.arms; i++) {
		const struct bandit_arm *arm = &weight->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		fprintf(f, "      { value = %.6f; pulls = %u; mean = %.6f; low = %.6f; high = %.6f; }%s\n", weight->values[i], arm->pulls, bandit_mean(arm),
			in.low, in.high, i + 1 < c->plan.arms ? "," : "");
	}
	fprintf(f, "    ); }%s\n", separator);
}

static void write_table(FILE *f, const char *key, const struct calibration_table *t)
{
	fprintf(f, "  %s = (\n", key);
	for (enum row r = 0; r < ROW_COUNT; r++) {
		struct interval in = wilson_interval(t->hits[r], t->images);
		fprintf(f, "    { row = \"%s\"; images = %zu; hits = %llu; share = %.6f; low = %.6f; high = %.6f; p = %.6g; }%s\n", ROW_NAMES[r], t->images,
			(unsigned long long)t->hits[r], (double)t->hits[r] / (double)t->images, in.low, in.high, t->p[r] < 1e-99 ? 0.0 : t->p[r],
			r + 1 < ROW_COUNT ? "," : "");
	}
	fprintf(f, "  );\n");
}

/* Names of the usable images from the `from`-th to before the `to`-th. */
static void write_names(FILE *f, const char *key, const struct calibration *c, const struct source *source, size_t from, size_t to)
{
	char buffer[32];
	size_t usable = 0;
	fprintf(f, "  %s = [", key);
	for (size_t i = 0; i < c->row_count; i++) {
		if (!c->rows[i].usable)
			continue;
		if (usable >= from && usable < to) {
			fputs(usable == from ? "\n    " : ",\n    ", f);
			weights_file_write_string(f, source_name(source, c->rows[i].index, buffer));
		}
		usable++;
	}
	fputs(" ];\n", f);
}

int report_write(const char *path, const struct calibration *c, const struct reward_job *job, struct error *e)
{
	struct output out;
	int code = output_open(&out, path, e), left = 0;
	if (code)
		return code;
	FILE *f = out.file;
	fprintf(f, "# Written by lsdn-calibrate (%s); lsdn-explain --weights loads it.\n", PACKAGE_STRING);
	weights_file_write_head(f, job->crew.net, &c->tuned);
	fprintf(f, "evidence = {\n  seed = %llu;\n  images = %zu;\n  solver = \"%s\";\n  schedule = \"independent\";\n  spacing = \"%s\";\n  trials = %llu;\n",
		(unsigned long long)c->plan.seed, c->plan.images, c->plan.rules.solver->name, c->plan.logarithmic ? "log" : "linear",
		(unsigned long long)(c->plan.trials ? c->plan.trials : (uint64_t)c->plan.images * (uint64_t)c->plan.arms));
	if (c->plan.rules.solver == bandit_solver("agrawal"))
		fprintf(f, "  factor = %.6f;\n", c->plan.rules.factor);
	if (c->plan.rules.solver == bandit_solver("race"))
		fprintf(f, "  delta = %.9g;\n", c->plan.rules.delta);
	fprintf(f, "  weights = (\n");
	for (int w = 0; w < WEIGHT_COUNT; w++)
		left += c->plan.tuned[w];
	for (int w = 0; w < WEIGHT_COUNT; w++)
		if (c->plan.tuned[w])
			write_weight(f, c, (enum weight)w, --left ? "," : "");
	fprintf(f, "  );\n");
	write_table(f, "rows", &c->calibrated);
	if (c->held_out.images)
		write_table(f, "held_out", &c->held_out);
	write_names(f, "calibration_images", c, job->source, 0, c->plan.images);
	if (c->held_out.images)
		write_names(f, "held_out_images", c, job->source, c->plan.images, c->plan.images + c->plan.held_out);
	fprintf(f, "};\n");
	return output_close(&out, e);
}
