#include "config.h"

#include "calib/report.h"

#include "calib/evidence.h"
#include "calib/html.h"
#include "calib/identity.h"
#include "calib/page.h"
#include "core/output.h"

enum { MOST_LISTED = 6 };

/* Nothing may come from elsewhere, whatever a name tries. */
static const char HEAD[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char STYLE[] =
	"<style>\n"
	":root { --text: #1b1b1b; --faint: #666; --line: #c8c8c8; --page: #fff; --mark: #0173b2; --other: #b35900; }\n"
	"@media (prefers-color-scheme: dark) { :root { --text: #e8e8e8; --faint: #a5a5a5; --line: #4a4a4a; --page: #161616; --mark: #5ab4e8; --other: #f0a050; } }\n"
	"@media print { :root { --text: #000; --faint: #444; --line: #aaa; --page: #fff; --mark: #0173b2; --other: #b35900; } figure, table { break-inside: avoid; } }\n"
	"body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }\n"
	"h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }\n"
	".verdict { border-left: 0.3rem solid var(--mark); padding-left: 1rem; font-size: 1.15rem; }\n"
	".wide, .plot { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
	"caption { text-align: left; font-weight: bold; padding: 0.5rem 0; } th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; border-bottom: 1px solid var(--line); }\n"
	"th:first-child, td:last-child { text-align: left; } th { font-weight: normal; } thead th { color: var(--faint); }\n"
	"figure { margin: 1rem 0; } figcaption { color: var(--faint); font-size: 0.9rem; overflow-wrap: anywhere; }\n"
	"svg { display: block; width: 100%; min-width: 30rem; } svg text { font: 13px system-ui, sans-serif; fill: var(--text); }\n"
	".left, .right { text-anchor: end; } .middle { text-anchor: middle; } .grid { stroke: var(--line); } .arm { stroke: var(--mark); stroke-width: 1.5; }\n"
	".centre { stroke: var(--other); stroke-dasharray: 6 4; } .curve { fill: none; stroke: var(--mark); stroke-width: 2; }\n"
	".chosen { fill: var(--other); stroke: var(--page); } .alike { fill: var(--mark); } .apart { fill: var(--page); stroke: var(--mark); stroke-width: 1.5; }\n"
	"img { max-width: 100%; height: auto; } .scaled { width: 100%; height: auto; min-height: 6rem; image-rendering: pixelated; }\n"
	".photographs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }\n"
	"dt { color: var(--faint); } dd { margin: 0 0 0.5rem; overflow-wrap: anywhere; } code { font: 0.9rem monospace; }\n"
	"</style>\n";

static void write_table(FILE *f, const struct calibration *c, const struct calibration_table *t, const char *title)
{
	fprintf(f, "<div class=\"wide\"><table>\n<caption>%s (%zu images)</caption>\n<thead><tr><th scope=\"col\">who</th><th scope=\"col\">right</th>"
		"<th scope=\"col\">percent</th><th scope=\"col\">95%% interval</th><th scope=\"col\">p</th><th scope=\"col\">what was tuned is</th></tr></thead>\n<tbody>\n", title, t->images);
	for (int r = 0; r < c->rival_count; r++) {
		struct interval in = wilson_interval(t->hits[r], t->images);
		bool shown = t->p[r] < TUNING_LEVEL && t->sign[r] != 0;
		fprintf(f, "<tr><th scope=\"row\">%s</th><td>%llu</td><td>%.1f</td><td>%.1f to %.1f</td>", c->rivals[r].name, (unsigned long long)t->hits[r],
			100 * (double)t->hits[r] / (double)t->images, 100 * in.low, 100 * in.high);
		if (r)
			fprintf(f, "<td>%.3g</td><td>%s</td></tr>\n", t->p[r], !shown ? "not shown to differ" : t->sign[r] > 0 ? "better" : "WORSE");
		else
			fprintf(f, "<td></td><td></td></tr>\n");
	}
	fprintf(f, "</tbody>\n</table></div>\n");
}

static void write_tables(FILE *f, const struct calibration *c)
{
	fprintf(f, "<section>\n<h2>What it is worth</h2>\n<p>Images whose box has IoU &gt; 0.5 with an annotated one; Wilson&#39;s 95%% intervals; p of McNemar&#39;s exact test "
		"against what was tuned, on the same images.</p>\n");
	if (c->held_out.images)
		write_table(f, c, &c->held_out, "On held-out photographs, which no arm has seen");
	else
		fprintf(f, "<p>No photographs were held out.</p>\n");
	if (c->crossed.images)
		write_table(f, c, &c->crossed, "Cross-validated: each photograph scored with what was tuned without its fold");
	write_table(f, c, &c->calibrated, "On the photographs that it was tuned on, which flatters");
	fprintf(f, "</section>\n");
}

/* All of few values; of many the first and the last. */
static void write_values(FILE *f, const struct parameter *p)
{
	if (p->count > MOST_LISTED) {
		fprintf(f, "%d from ", p->count);
		html_text(f, p->values[0].text);
		fprintf(f, " to ");
		html_text(f, p->values[p->count - 1].text);
		return;
	}
	for (int i = 0; i < p->count; i++) {
		fprintf(f, "%s", i ? ", " : "");
		html_text(f, p->values[i].text);
	}
}

static void write_tuned(FILE *f, const struct calibration *c)
{
	fprintf(f, "<section>\n<h2>What was tuned</h2>\n<div class=\"wide\"><table>\n<caption>Tuned by the schedule %s</caption>\n<thead><tr><th scope=\"col\">choice</th>"
		"<th scope=\"col\">values</th><th scope=\"col\">at first</th><th scope=\"col\">tuned to</th></tr></thead>\n<tbody>\n", SCHEDULE_NAMES[c->plan.schedule]);
	for (int p = 0; p < c->plan.parameter_count; p++) {
		const struct parameter *parameter = &c->plan.parameters[p];
		char first[CHOICE_TEXT], tuned[CHOICE_TEXT];
		parameter_get(parameter, &c->base, first);
		parameter_get(parameter, &c->shared, tuned);
		fprintf(f, "<tr><th scope=\"row\">%s</th><td>", parameter->name);
		write_values(f, parameter);
		fprintf(f, "</td><td>");
		html_text(f, first);
		fprintf(f, "</td><td>");
		html_text(f, tuned);
		fprintf(f, "</td></tr>\n");
	}
	fprintf(f, "</tbody>\n</table></div>\n");
	if (c->plan.per_layer)
		fprintf(f, "<p>Then %d groups of layers got weights of their own.</p>\n", c->layers.count);
	fprintf(f, "</section>\n");
}

static void write_arms(FILE *f, const struct tuning *s)
{
	fprintf(f, "<details>\n<summary>%d arms</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">value</th><th scope=\"col\">pulls</th><th scope=\"col\">mean</th>"
		"<th scope=\"col\">95%% interval</th><th scope=\"col\">p</th><th scope=\"col\"></th></tr></thead>\n<tbody>\n", s->count);
	for (int i = 0; i < s->count; i++) {
		const struct bandit_arm *arm = &s->bandit.arms[i];
		struct interval in = wilson_interval(arm->successes, arm->pulls);
		fprintf(f, "<tr><th scope=\"row\">");
		html_text(f, s->arms[i].text);
		fprintf(f, "</th><td>%u</td><td>%.3f</td><td>%.3f to %.3f</td><td>%.3g</td><td>%s</td></tr>\n", arm->pulls, bandit_mean(arm), in.low, in.high, s->arms[i].p,
			i == s->best ? "chosen" : s->arms[i].alike ? "not told apart" : "told apart");
	}
	fprintf(f, "</tbody>\n</table></div>\n</details>\n");
}

static int write_step(FILE *f, const struct calibration *c, const struct tuning *s, struct error *e)
{
	int alike = -1;
	fprintf(f, "<h3>");
	html_text(f, s->name);
	if (s->round)
		fprintf(f, ", round %d", s->round);
	fprintf(f, "</h3>\n");
	if (!s->identifiable) {
		fprintf(f, "<p>Cannot be identified: all %d arms are one setting.</p>\n", s->count);
		return LSDN_OK;
	}
	for (int i = 0; i < s->count; i++)
		alike += s->arms[i].alike;
	fprintf(f, "<p>%llu trials; chosen: ", (unsigned long long)s->bandit.trials);
	html_text(f, s->arms[s->best].text);
	fprintf(f, ". %d of the %d other arms are not told apart from it.</p>\n", alike, s->count - 1);
	page_arms(f, c, s);
	write_arms(f, s);
	if (s->swept)
		page_regret(f, s);
	else
		fprintf(f, "<p>The regret is not known: not every arm was tried on every image.</p>\n");
	return page_rewards(f, c, s, e);
}

static void write_entry(FILE *f, const char *term, const char *text)
{
	fprintf(f, "<dt>%s</dt><dd>", term);
	html_text(f, text);
	fprintf(f, "</dd>\n");
}

static void write_making(FILE *f, const struct calibration *c, const struct reward_job *job, const char *command)
{
	const struct calibration_plan *plan = &c->plan;
	struct identity identity;
	char text[200];
	size_t skipped = 0;
	for (size_t i = 0; i < c->matrix.row_count; i++)
		skipped += c->matrix.rows[i].why != NULL;
	fprintf(f, "<section>\n<h2>How it was made</h2>\n<dl>\n<dt>command</dt><dd><code>");
	html_text(f, command);
	fprintf(f, "</code></dd>\n");
	write_entry(f, "program", PACKAGE_STRING);
	identity_of(&identity, job->crew.net, job->source);
	for (int i = 0; i < IDENTITY_FIELDS; i++)
		write_entry(f, identity.fields[i].name, identity.fields[i].value);
	snprintf(text, sizeof text, "%zu to tune on, %zu held out, %zu skipped", plan->images, plan->held_out, skipped);
	write_entry(f, "images", text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)plan->seed);
	write_entry(f, "seed", text);
	write_entry(f, "solver", plan->rules.solver->name);
	write_entry(f, "schedule", SCHEDULE_NAMES[plan->schedule]);
	fprintf(f, "</dl>\n</section>\n");
}

int report_page(const char *path, const struct calibration *c, const struct reward_job *job, const char *command, struct error *e)
{
	struct output out;
	char verdict[REPORT_VERDICT];
	int code = output_open(&out, path, e);
	if (code)
		return code;
	FILE *f = out.file;
	report_verdict(c, verdict);
	fprintf(f, "%s<title>Calibration of ", HEAD);
	html_text(f, job->crew.net->name);
	fprintf(f, "</title>\n%s</head>\n<body>\n<header>\n<h1>Calibration of ", STYLE);
	html_text(f, job->crew.net->name);
	fprintf(f, "</h1>\n<p class=\"verdict\">");
	html_text(f, verdict);
	fprintf(f, "</p>\n</header>\n<main>\n");
	write_tables(f, c);
	write_tuned(f, c);
	fprintf(f, "<section>\n<h2>Arms, step by step</h2>\n");
	for (int i = 0; i < c->tuning_count && !code; i++)
		code = write_step(f, c, &c->tunings[i], e);
	fprintf(f, "</section>\n<section>\n<h2>Best and worst</h2>\n");
	if (!code)
		code = page_photographs(f, c, job, e);
	fprintf(f, "</section>\n");
	write_making(f, c, job, command);
	fprintf(f, "</main>\n</body>\n</html>\n");
	if (!code)
		return output_close(&out, e);
	output_abandon(&out);
	return code;
}
