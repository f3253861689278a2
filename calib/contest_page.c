#include "config.h"

#include "calib/contest_page.h"

#include <math.h>

#include "calib/html.h"
#include "calib/html_page.h"

/* Of a plot, in its own units; the page scales it. */
enum { WIDTH = 460, HEIGHT = 300, LEFT = 40, RIGHT = 8, TOP = 8, BOTTOM = 34 };

static const struct {
	int row;
	const char *head;
} OVERVIEW[] = {{ROW_POINTING, "pointing"}, {ROW_POINTING_NEAR, "15 px"}, {ROW_KNOWN, "IoU known"}, {ROW_PREDICTED, "IoU predicted"}, {ROW_ERROR, "error"},
	{ROW_MAX_BOX, "MaxBoxAcc"}, {ROW_MAX_BOX_V2, "V2"}, {ROW_RISE, "increase"}, {ROW_DROP, "drop"}, {ROW_INSERTION, "insertion"}, {ROW_DELETION, "deletion"},
	{ROW_CLASSES, "two classes"}};

static void color_of(size_t entrant, size_t count, char text[64])
{
	snprintf(text, 64, "hsl(%zu, %s, %s)", 360 * entrant / count, entrant % 2 ? "70%" : "85%", entrant % 2 ? "30%" : "45%");
}

static int write_overview(FILE *f, const struct contest *c, struct error *e)
{
	fputs("<h2>All figures</h2>\n<p>In percent of images, or means from 0 to 1; what each is, its interval and tests follow.</p>\n<table class=\"overview\">\n<tr><th></th>", f);
	for (size_t k = 0; k < sizeof OVERVIEW / sizeof *OVERVIEW; k++)
		fprintf(f, "<th>%s</th>", OVERVIEW[k].head);
	fputs("</tr>\n", f);
	for (size_t i = 0; i < c->entrant_count; i++) {
		fprintf(f, "<tr><th scope=\"row\">%s</th>", c->entrants[i].name);
		for (size_t k = 0; k < sizeof OVERVIEW / sizeof *OVERVIEW; k++) {
			struct contest_figure figure;
			char text[256];
			int code = contest_figure(c, i, OVERVIEW[k].row, -1, &figure, e);
			if (code)
				return code;
			bool mean = contest_measure(c, OVERVIEW[k].row, text).mean;
			if (figure.images)
				fprintf(f, "<td>%.*f</td>", mean ? 3 : 1, figure.value * (mean ? 1 : 100));
			else
				fputs("<td></td>", f);
		}
		fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	return LSDN_OK;
}

static void write_figure(FILE *f, const struct contest *c, size_t entrant, int row, const struct contest_figure *figure, bool mean, int (*thresholds)[4])
{
	double unit = mean ? 1 : 100;
	int digits = mean ? 3 : 1;
	fprintf(f, "<tr><th scope=\"row\">%s</th><td>%.*f</td><td>%.*f to %.*f</td><td>%zu</td>", c->entrants[entrant].name, digits, unit * figure->value, digits,
		unit * figure->interval.low, digits, unit * figure->interval.high, figure->images);
	if (figure->tested)
		fprintf(f, "<td>%.3g</td><td>%zu : %zu</td>", figure->p, figure->better, figure->worse);
	else
		fputs("<td></td><td></td>", f);
	if (row == ROW_MAX_BOX)
		fprintf(f, "<td>%.2f</td>", thresholds[entrant][0] / 100.0);
	else if (row == ROW_MAX_BOX_V2)
		fprintf(f, "<td>%.2f, %.2f, %.2f</td>", thresholds[entrant][1] / 100.0, thresholds[entrant][2] / 100.0, thresholds[entrant][3] / 100.0);
	fputs("</tr>\n", f);
}

static int write_measure(FILE *f, const struct contest *c, int row, int (*thresholds)[4], struct error *e)
{
	char text[256];
	struct contest_measure measure = contest_measure(c, row, text);
	bool begun = false;
	for (size_t i = 0; i < c->entrant_count; i++) {
		struct contest_figure figure;
		int code = contest_figure(c, i, row, -1, &figure, e);
		if (code)
			return code;
		if (!figure.images)
			continue;
		if (!begun) {
			fputs("<h3>", f);
			html_text(f, measure.name);
			fprintf(f, "</h3>\n<p>%s; %s is good: ", measure.mean ? "Mean" : "Percent", measure.low_is_good ? "low" : "high");
			html_text(f, measure.rule);
			fprintf(f, "</p>\n<table>\n<tr><th></th><th>%s</th><th>95%% interval (%s)</th><th>images</th><th>p (%s)</th><th>above : below lsdn</th>%s</tr>\n",
				measure.mean ? "mean" : "percent", measure.mean ? "normal approximation" : "Wilson", measure.mean ? "flips of sign" : "McNemar",
				row == ROW_MAX_BOX || row == ROW_MAX_BOX_V2 ? "<th>threshold</th>" : "");
			begun = true;
		}
		write_figure(f, c, i, row, &figure, measure.mean, thresholds);
	}
	if (begun)
		fputs("</table>\n", f);
	return LSDN_OK;
}

static void write_line(FILE *f, const double *curve, size_t entrant, size_t count, const char *name)
{
	char color[64];
	color_of(entrant, count, color);
	fprintf(f, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s points=\"", color, entrant ? "1.3" : "3", entrant % 3 == 2 ? " stroke-dasharray=\"5 3\"" : "");
	for (int k = 0; k < PROBE_CURVE; k++)
		fprintf(f, "%.1f,%.1f ", LEFT + (double)k / PROBE_STEPS * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - curve[k] * (HEIGHT - BOTTOM - TOP));
	fprintf(f, "\"><title>%s</title></polyline>\n", name);
}

static void write_plot(FILE *f, const struct contest *c, bool deletion)
{
	fprintf(f, "<figure><figcaption>%s</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\" font-size=\"12\">\n",
		deletion ? "Deletion: pixels covered with the mean, the map's highest first" : "Insertion: pixels uncovered, the map's highest first", WIDTH, HEIGHT,
		deletion ? "Deletion curves" : "Insertion curves");
	for (int k = 0; k <= 4; k++) {
		double y = HEIGHT - BOTTOM - k / 4.0 * (HEIGHT - BOTTOM - TOP), x = LEFT + k / 4.0 * (WIDTH - LEFT - RIGHT);
		fprintf(f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ccc\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.2f</text>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%d%%</text>\n", LEFT, WIDTH - RIGHT, y, y, LEFT - 5, y + 4, k / 4.0, x, HEIGHT - BOTTOM + 16,
			k == 4 ? "end" : "middle", 25 * k);
	}
	fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">pixels %s; upwards the mean probability of the predicted class</text>\n", WIDTH / 2, HEIGHT - 4,
		deletion ? "covered" : "uncovered");
	for (size_t i = c->entrant_count; i-- > 0;) {
		double curves[2][PROBE_CURVE];
		if (contest_curve(c, i, curves[0], curves[1]))
			write_line(f, curves[deletion], i, c->entrant_count, c->entrants[i].name);
	}
	fputs("</svg></figure>\n", f);
}

static void write_curves(FILE *f, const struct contest *c)
{
	double insertion[PROBE_CURVE], deletion[PROBE_CURVE];
	size_t images = contest_curve(c, 0, insertion, deletion);
	if (!images)
		return;
	fprintf(f, "<h2>Curves</h2>\n<p>Means over %zu images, in %d steps.</p>\n<div class=\"beside\">\n", images, PROBE_STEPS);
	write_plot(f, c, false);
	write_plot(f, c, true);
	fputs("</div>\n<p>", f);
	for (size_t i = 0; i < c->entrant_count; i++) {
		char color[64];
		color_of(i, c->entrant_count, color);
		if (contest_curve(c, i, insertion, deletion))
			fprintf(f, "<span style=\"color: %s; white-space: nowrap\">&#9644; %s</span>&emsp;\n", color, c->entrants[i].name);
	}
	fputs("</p>\n", f);
}

static int write_gallery(FILE *f, const struct contest *c, const struct gallery *g, struct error *e)
{
	int code = LSDN_OK;
	if (g->count)
		fputs("<h2>Maps</h2>\n<p>Of the predicted class; yellow is what is annotated, green the box that each finds.</p>\n", f);
	for (size_t i = 0; i < g->count && !code; i++) {
		char buffer[32];
		const struct gallery_image *image = &g->images[i];
		fputs("<h3>", f);
		html_text(f, source_name(c->job->source, image->index, buffer));
		fputs(": ", f);
		html_text(f, image->caption);
		fputs("</h3>\n<div class=\"beside\">\n", f);
		for (size_t k = 0; k < g->panels && !code; k++) {
			size_t panel = (k + g->panels - 1) % g->panels; /* the photograph, which is last, first */
			const char *name = panel < c->entrant_count ? c->entrants[panel].name : "the photograph";
			if (!image->panels[panel].width)
				continue;
			fputs("<figure>", f);
			code = html_image(f, &image->panels[panel], true, false, name, e);
			fprintf(f, "<figcaption>%s</figcaption></figure>\n", name);
		}
		fputs("</div>\n", f);
	}
	return code;
}

static void write_rates(FILE *f, const struct contest *c)
{
	fputs("<h2>Images a second</h2>\n<p>Of one thread: forward pass, map and box. They differ from run to run.</p>\n<table class=\"rates\">\n", f);
	for (size_t k = 0; k < c->entrant_count; k++) {
		const struct entrant *n = &c->entrants[k];
		if (n->explained)
			fprintf(f, "<tr><th scope=\"row\">%s</th><td>%.2f</td><td>%s</td></tr>\n", n->name,
				1 / (c->feed_seconds / (double)c->fed + n->seconds / (double)n->explained), n->method->summary);
	}
	fputs("</table>\n", f);
}

int contest_page(FILE *f, const struct contest *c, int (*thresholds)[4], const struct gallery *g, const struct seen *seen, struct error *e)
{
	const struct policy *p = &c->job->choices->policy;
	html_page_begin(f, "Methods that explain a network, measured on the same images");
	fputs("<style>td { text-align: right; } .overview td, .overview th { padding: 0.2em 0.4em; font-size: 0.9em; }</style>\n<h1>", f);
	html_text(f, c->job->crew.net->name);
	fprintf(f, ": methods that explain it, on %zu images</h1>\n<p>lsdn with alpha = (%.4f, %.4f, %.4f); p-values are two-sided, against lsdn on the same images, and not "
		"corrected for how many there are.</p>\n", c->usable, p->alpha.cur, p->alpha.pre, p->alpha.suc);
	if (seen->tuned_on)
		fprintf(f, "<p class=\"missing\">lsdn's weights were tuned on %zu of these images: the figures flatter it.</p>\n", seen->tuned_on);
	int code = write_overview(f, c, e);
	if (!code)
		write_curves(f, c);
	if (!code)
		code = write_gallery(f, c, g, e);
	if (!code)
		fputs("<h2>Every figure</h2>\n", f);
	for (int row = 0; row < ROW_SANITY + c->levels.count && !code; row++)
		code = write_measure(f, c, row, thresholds, e);
	write_rates(f, c);
	html_page_end(f);
	return code;
}
